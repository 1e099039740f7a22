"""The store as a backfill sees it: it counts what is new, and keeps no places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.messages import (
    DeadLetter,
    InboundDirectMessage,
    InboundPost,
    JournalItem,
    KnownPost,
    ThreadReference,
)
from actors.store import Activity, Recorded, Space, Store, StoreRequest, Value
from runtime.mailbox import Mailbox

TAKEN_IN = "taken_in_already"
UNREADABLE = "unreadable"


@dataclass(slots=True)
class Tally:
    """What a backfill found so far: what is new by its kind, what was left out by the reason.

    ``failures`` is how many things could not be taken in.
    """

    new: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    failures: int = 0


class BackfillStore(Store):
    """Records as the pollers do, but leaves their places alone: those are of who runs.

    Args:
        tally: told of all that is recorded.
        dry: nothing is written; what would be new is counted all the same.
    """

    def __init__(
        self, mailbox: Mailbox[StoreRequest], *, answer_within_s: float, tally: Tally, dry: bool
    ) -> None:
        super().__init__(mailbox, answer_within_s=answer_within_s)
        self._tally = tally
        self._dry = dry

    async def read(self, space: Space, name: str) -> str | None:
        """Read a kept value; there is no place yet."""
        return None if space == "cursor" else await super().read(space, name)

    async def find_unseen(self, item_ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids were never seen. Posts that were are counted."""
        asked = tuple(item_ids)
        unseen = await super().find_unseen(asked)
        posts = (one for one in asked if one.startswith("post:"))
        self._tally.left_out[TAKEN_IN] += sum(one not in unseen for one in posts)
        return unseen

    async def record(
        self,
        items: Iterable[JournalItem] = (),
        *,
        values: Iterable[Value] = (),
        seen: Iterable[str] = (),
        references: Iterable[ThreadReference] = (),
        dead_letters: Iterable[DeadLetter] = (),
        active: Iterable[Activity] = (),
        posts: Iterable[KnownPost] = (),
    ) -> Recorded:
        """Append what was never seen; ``values`` are places, and are not kept.

        If cancelled, it may have happened and not be counted.
        """
        listed, letters, marks = tuple(items), tuple(dead_letters), tuple(seen)
        if not (listed or letters or marks):
            return Recorded(frozenset())
        if self._dry:
            new = await super().find_unseen(item.item_id for item in listed)
        else:
            recorded = await super().record(
                listed,
                seen=marks,
                references=references,
                dead_letters=letters,
                active=active,
                posts=posts,
            )
            new = recorded.new
        self._count(listed, new)
        self._tally.left_out[UNREADABLE] += len(letters)
        return Recorded(new)

    def _count(self, items: Iterable[JournalItem], new: frozenset[str]) -> None:
        for item in items:
            if item.item_id in new:
                self._tally.new[_name_kind(item)] += 1
            else:
                self._tally.left_out[TAKEN_IN] += 1


def _name_kind(item: JournalItem) -> str:
    match item.payload:
        case InboundPost(reason=reason):
            return reason
        case InboundDirectMessage():
            return "direct_message"
        case other:
            return other.kind
