"""Which entries are with their actors, and when there may be more to hand over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import trio

from actors.dedup_store.codec import EntryId
from actors.dedup_store.commands import Wanted
from actors.dedup_store.under_way import UnderWay
from actors.messages import Destination, JournalEntry
from actors.steps import Step
from actors.store import Settle
from runtime.mailbox import Mailbox

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a destination's entries go.

    Args:
        mailbox: nobody else puts anything in.
        limit: how many entries may be with the actor at once, waiting in its mailbox included.
            No more than the mailbox holds, so that handing over never waits.
    """

    mailbox: Mailbox[JournalEntry]
    limit: int

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= self.mailbox.capacity:
            raise ValueError(
                f"{self.mailbox.owner}: a limit of {self.limit} entries does not fit"
                f" a mailbox for {self.mailbox.capacity}"
            )


class InHand:
    """The table of entries that were handed over and not yet settled.

    It outlives DedupStore's incarnations: what an actor still has in hand must not be handed
    over again by the next one. Only trio tasks of one run touch it, never threads.
    """

    def __init__(self) -> None:
        self._entries: dict[Destination, dict[str, str]] = {one: {} for one in Destination}
        self._unfit: dict[str, Settle] = {}
        self._steps: dict[str, tuple[Step, ...]] = {}
        self.under_way = UnderWay()
        self._next_due: dict[Destination, float] = {}
        self._wanted = True
        self._asking = False
        self._waiting: trio.CancelScope | None = None
        self._patient = False

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    # --- the table -------------------------------------------------------------------------

    def take(self, entry_id: EntryId) -> bool:
        """Note that an entry is handed over. ``False`` if its conversation is in hand already."""
        held = self._entries[entry_id.destination]
        if entry_id.conversation in held:
            return False
        held[entry_id.conversation] = str(entry_id)
        return True

    def release(self, entry_id: EntryId) -> None:
        """Note that an entry was settled. Another one of its conversation stays in hand."""
        self._unfit.pop(str(entry_id), None)
        held = self._entries[entry_id.destination]
        if held.get(entry_id.conversation) == str(entry_id):
            del held[entry_id.conversation]

    def note_steps(self, entry_id: str, steps: tuple[Step, ...]) -> None:
        """Keep with an entry in hand what was told of it, and of what goes out together with it."""
        self._steps[entry_id] = self.steps(entry_id) + steps

    def steps(self, entry_id: str) -> tuple[Step, ...]:
        """What is kept with an entry. Nothing if it is not in hand."""
        return self._steps.get(entry_id, ())

    def take_steps(self, entry_id: str) -> tuple[Step, ...]:
        """The same, for the last time."""
        return self._steps.pop(entry_id, ())

    def find_room(
        self, routes: Mapping[Destination, Route], settling: Collection[str] = ()
    ) -> list[Wanted]:
        """What each destination can take once those entry ids are settled."""
        wanted = []
        for destination, route in routes.items():
            entries = self._entries[destination].items()
            held = [conversation for conversation, one in entries if one not in settling]
            if len(held) < route.limit:
                wanted.append(Wanted(destination, route.limit - len(held), held))
        return wanted

    @property
    def unfit(self) -> list[Settle]:
        """What is to become of the entries in hand that cannot be read."""
        return list(self._unfit.values())

    def settle_soon(self, settle: Settle) -> None:
        """Have an entry in hand settled that no actor gets."""
        self._unfit[settle.entry_id] = settle
        self.want()

    def reset(self) -> None:
        """Forget all: whoever had it in hand has it no more. Somebody may be asking meanwhile."""
        for held in self._entries.values():
            held.clear()
        self._unfit.clear()
        self._steps.clear()
        self._next_due.clear()
        self._wanted = True

    # --- when there may be more ------------------------------------------------------------

    @property
    def is_wanted(self) -> bool:
        """Whether there may be something to hand over that nobody has asked for."""
        return self._wanted

    @property
    def is_asking(self) -> bool:
        """Whether somebody is asking for it."""
        return self._asking

    def want(self) -> None:
        """Have the store asked soon for what may be handed over."""
        self._wanted = True
        self._wake()

    def begin_asking(self) -> bool:
        """Become the one who asks. ``False`` if somebody does already.

        Only one may: of two answers the later one could show entries that were handed over, and
        perhaps settled, since it was asked for. Whoever may not calls :meth:`want` when its own
        changes are made, not before: else the one who asks could look too early.
        """
        if self._asking:
            return False
        self._asking, self._wanted = True, False
        return True

    def end_asking(self, *, done: bool) -> None:
        """The answer is dealt with, or there is none and it is still wanted."""
        self._asking = False
        self._wanted = self._wanted or not done
        self._wake()

    def note_due(self, destination: Destination, due: float | None) -> None:
        """Remember when the destination should be asked for next, in unix seconds."""
        if due is None:
            self._next_due.pop(destination, None)
        else:
            self._next_due[destination] = due

    def next_due(self, routes: Mapping[Destination, Route]) -> float | None:
        """When something is due for a destination that can take it, in unix seconds.

        A full one need not be watched: whatever makes room asks in the same step.
        """
        room = (one.destination for one in self.find_room(routes))
        return min((self._next_due[one] for one in room if one in self._next_due), default=None)

    def note_recovery(self) -> None:
        """The store is back: it is time to ask it, whatever the dispatcher waits for."""
        self._wanted, self._patient = True, False
        self._wake()

    async def wait(self, wait: Callable[[W], Awaitable[None]], what: W) -> None:
        """Wait with ``wait(what)``, or until something is wanted.

        If cancelled, nothing changes.
        """
        with trio.CancelScope() as self._waiting:
            await wait(what)

    async def wait_patiently(self, wait: Callable[[W], Awaitable[None]], what: W) -> None:
        """Wait with ``wait(what)``, or until the store is back. If cancelled, nothing changes."""
        self._patient = True
        try:
            await self.wait(wait, what)
        finally:
            self._patient = False

    def _wake(self) -> None:
        if self._waiting is not None and not self._patient:
            self._waiting.cancel()
