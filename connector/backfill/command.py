"""The command: what it is told, what it shows, and how it ends."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import trio

from actors.bluesky.backfill import Backfill, Scope
from actors.bluesky.backfill_store import TAKEN_IN, UNREADABLE, BackfillStore, Tally
from actors.bluesky.client import Bluesky, Parameters
from actors.messages import Json
from actors.store import SEEN_KEEP_S
from connector.backfill.context import BackfillContext
from connector.lone_store import open_lone_store
from connector.parts import Parts
from connector.platform_headers import PlatformHeaders
from connector.pollers import make_noise
from connector.settings import Settings
from connector.shapes import parse_duration
from runtime.clock import parse_time
from runtime.errors import Fault

DONE = 0
NOT_WHOLE = 1
INTERRUPTED = 130

PROGRESS_EVERY_S = 10.0
_DAY_S = 86_400.0
_SINCE = "expected a time such as 2d or 36h, or a date such as 2026-11-24 (UTC)"
_OUTSIDE = "before_start"
"""Older than what was asked for: no part of it, and so not left out."""

_KINDS = {
    "mention": "mentions",
    "reply": "replies",
    "quote": "quotes",
    "search": "search hits",
    "context": "posts that these answer",
    "direct_message": "direct messages",
}
_REASONS = {
    TAKEN_IN: "taken in already",
    UNREADABLE: "could not be read: see `bluesky-genesys dead-letters list`",
    "taken_in_by_predecessor": "taken in by the connector before this one",
    "own_post": "our own posts",
    "own_message": "our own direct messages",
    "excluded_account": "of accounts in LISTEN_EXCLUDE",
    "excluded_word": "with a word of LISTEN_EXCLUDE",
    "label": "with a label of LISTEN_SKIP_LABELS",
    "language": "not in LISTEN_LANGS",
    "young_account": "of accounts younger than LISTEN_MIN_ACCOUNT_AGE",
    "group_conversation": "group conversations",
    "request_ignored": "message requests (DM_REQUESTS=ignore)",
    "deleted_message": "deleted direct messages",
    "system_message": "system messages",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered: ``tell`` is for the outcome, ``complain`` for all that is said meanwhile.

    ``since_s`` is unix time.
    """

    since_s: float
    dry_run: bool
    tell: Callable[[str], None]
    complain: Callable[[str], None]


def read_since(text: str, now_s: float) -> float:
    """The unix time that ``--since`` names.

    Raises:
        ValueError: with what is expected, or why it goes too far back.
    """
    try:
        since_s = now_s - parse_duration(text)
    except ValueError:
        since_s = _read_date(text)
    if since_s > now_s:
        raise ValueError("that is still to come")
    if now_s - since_s > SEEN_KEEP_S:
        raise ValueError(
            f"more than {SEEN_KEEP_S / _DAY_S:g}d ago; what was taken in longer ago than that is "
            "not remembered, and would be taken in again"
        )
    return since_s


def _read_date(text: str) -> float:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass
    try:
        return parse_time(text.strip())
    except ValueError:
        raise ValueError(_SINCE) from None


async def backfill(settings: Settings, order: Order) -> int:
    """Take in what was left out since then; returns the exit status.

    Ctrl-C and SIGTERM end it at once: what was recorded stays, and running it again goes on.
    """
    headers, tally = PlatformHeaders(time.time), Tally()
    context = BackfillContext(settings.bluesky_budget, headers, time.time, tally, order.complain)
    status = DONE
    async with open_lone_store(settings) as parts, _interruptible() as scope:
        if parts.outside.database.kind == "memory":
            order.complain(f"There is nowhere to put it: {parts.outside.database.warning}.")
            return NOT_WHOLE
        headers.watch(parts.outside.bluesky_http)
        async with _show_progress(order, tally) as reached:
            work = _make_backfill(settings, parts, order, context, tally, reached.note)
            for take_in in (work.take_in_posts, work.take_in_direct_messages):
                status = max(status, await _try(take_in, order))
    if scope.cancelled_caught:
        status = INTERRUPTED
    elif tally.failures:
        status = NOT_WHOLE
    for line in _describe(order, tally, status):
        order.tell(line)
    return status


def _make_backfill(
    settings: Settings,
    parts: Parts,
    order: Order,
    context: BackfillContext,
    tally: Tally,
    tell_reached: Callable[[float], None],
) -> Backfill:
    store = BackfillStore(
        parts.requests,
        answer_within_s=settings.store_deadline_s,
        tally=tally,
        dry=order.dry_run,
    )
    scope = Scope(
        since_s=order.since_s,
        queries=settings.bluesky_search_query,
        noise=make_noise(settings),
        ancestors=settings.thread_context,
        requests=settings.dm_requests,
    )
    bluesky = _Untouched(parts.bluesky) if order.dry_run else parts.bluesky
    return Backfill(context.act_for, bluesky, store, time.time, scope, tell_reached)


class _Untouched:
    """A Bluesky on which nothing is done: requests are not accepted, nothing is marked as read."""

    def __init__(self, inner: Bluesky) -> None:
        self._inner = inner

    async def did(self) -> str:
        """The account's DID."""
        return await self._inner.did()

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Ask it."""
        return await self._inner.query(nsid, parameters, chat=chat)

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """Do nothing."""
        return {}


async def _try(take_in: Callable[[], Awaitable[None]], order: Order) -> int:
    """One part of it; what is in its way does not keep back the other."""
    try:
        await take_in()
    except Fault as fault:
        order.complain(f"Stopped: {fault}")
        if fault.action is not None:
            order.complain(f"→ {fault.action}")
        return NOT_WHOLE
    return DONE


@asynccontextmanager
async def _interruptible() -> AsyncIterator[trio.CancelScope]:
    """Cancel the block at the first SIGINT or SIGTERM."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                async for _ in signals:
                    scope.cancel()

            nursery.start_soon(watch)
            with trio.CancelScope() as scope:
                yield scope
            nursery.cancel_scope.cancel()


@dataclass(slots=True)
class _Reached:
    time_s: float | None = None

    def note(self, time_s: float) -> None:
        self.time_s = time_s


@asynccontextmanager
async def _show_progress(order: Order, tally: Tally) -> AsyncIterator[_Reached]:
    """Say now and then how far it has come."""
    reached = _Reached()

    async def show() -> None:
        while True:
            await trio.sleep(PROGRESS_EVERY_S)
            place = "" if reached.time_s is None else f"down to {_format(reached.time_s)}, "
            known = tally.left_out[TAKEN_IN]
            order.complain(f"… {place}{tally.new.total():,} new, {known:,} known")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        yield reached
        nursery.cancel_scope.cancel()


def _describe(order: Order, tally: Tally, status: int) -> list[str]:
    verb = "Would be taken in" if order.dry_run else "Taken in"
    lines = [f"{verb} since {_format(order.since_s)}:", *_list(tally.new, _KINDS)]
    left_out = Counter({name: n for name, n in tally.left_out.items() if name != _OUTSIDE})
    if left_out.total():
        lines += ["Left out:", *_list(left_out, _REASONS)]
    if status != DONE:
        lines.append("It did not come to its end. Run it again: what is taken in is not doubled.")
    elif order.dry_run:
        lines.append("Nothing was changed.")
    elif tally.new.total():
        lines.append("The connector on this store delivers it; if none runs, its next start does.")
    return lines


def _list(counts: Counter[str], names: dict[str, str]) -> list[str]:
    rows = [(names.get(name, name.replace("_", " ")), n) for name, n in counts.items() if n]
    return [f"{n:>8,}  {name}" for name, n in sorted(rows, key=lambda row: -row[1])] or [
        f"{0:>8}  nothing new"
    ]


def _format(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
