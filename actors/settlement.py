"""Closing journal entries whatever happens: what a sender does when its work is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actors.items import make_receipt_items
from actors.messages import (
    AgentMessage,
    JournalEntry,
    JournalItem,
    KnownPost,
    Outcome,
    Refused,
    ThreadReference,
)
from actors.reasons import CRASHED
from actors.store import Activity, Settlement, Store, StoreUnavailable, Value
from runtime.actor import Context
from runtime.failures import judge


async def settle(
    store: Store,
    context: Context,
    entry: JournalEntry,
    outcome: Outcome,
    *,
    items: Iterable[JournalItem] = (),
    references: Iterable[ThreadReference] = (),
    values: Iterable[Value] = (),
    active: Iterable[Activity] = (),
    posts: Iterable[KnownPost] = (),
) -> None:
    """Close an entry, waiting for the store as long as it is away.

    The effect has happened already, so giving up would only repeat it. If cancelled, the entry
    stays in the journal and is delivered again: every effect is one that may be repeated.
    """
    items, references, values = tuple(items), tuple(references), tuple(values)
    active = tuple(active)
    posts = tuple(posts)
    while True:
        try:
            await store.settle(
                entry.entry_id,
                outcome,
                items=items,
                references=references,
                values=values,
                active=active,
                posts=posts,
            )
        except StoreUnavailable as error:
            await context.back_off(error)
        else:
            return


async def settle_all(
    store: Store, context: Context, settlements: Sequence[Settlement]
) -> list[Exception | None]:
    """Close many entries in one round trip, waiting for the store as long as it is away.

    Returns for each of them what came in the way, which is never the store; ``None`` if it is
    closed. If cancelled: as :func:`settle`.
    """
    found: list[Exception | None] = [None] * len(settlements)
    waiting = list(range(len(settlements)))
    while waiting:
        errors = await store.settle_all([settlements[place] for place in waiting])
        for place, error in zip(waiting, errors, strict=True):
            found[place] = error
        waiting = [place for place in waiting if isinstance(found[place], StoreUnavailable)]
        away = next((found[place] for place in waiting), None)
        if away is not None:
            await context.back_off(away)
    return found


async def bury(store: Store, entry: JournalEntry, attempts: int, error: Exception) -> None:
    """Make a dead letter of an entry that crashed its actor ``attempts`` times.

    Raises:
        StoreUnavailable: the entry stays in hand, and is buried at the next attempt.
    """
    last = judge(error)
    why = f"crashed its actor {attempts} times, last with {last.type}: {last.message}"
    items: tuple[JournalItem, ...] = ()
    # As it is now: it may answer for more messages than when it was handed over.
    queue = await store.read_queue(entry.entry_id, 1)
    payload = queue[0].payload if queue else entry.payload
    if isinstance(payload, AgentMessage):
        # It may have crashed after the post was up: an agent who is told less would send it again.
        items = make_receipt_items(payload, "Failed", CRASHED.code, CRASHED.sentence)
    await store.settle(entry.entry_id, Refused("Poisonous", why, tries=attempts), items=items)
