"""What a person may do to an actor: pause it, and let it go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actors.genesys.gap import make_missed_since
from actors.store import Store
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.pause import Pause, Pauses


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a pause of an actor means, in a sentence or two, and whether to ask before."""

    means: str
    asks: bool = False


MEANINGS: Mapping[str, Meaning] = {
    "NotificationPoller": Meaning(
        "New mentions, replies and quotes are not looked for. Nothing is lost: they are taken in "
        "when it goes on."
    ),
    "SearchPoller": Meaning(
        "Posts are not searched for. Nothing is lost: they are taken in when it goes on."
    ),
    "DMPoller": Meaning(
        "New direct messages are not looked for. Nothing is lost: they are taken in when it goes "
        "on."
    ),
    "LiveListener": Meaning(
        "Posts are not heard as they are written, but found at the pollers' pace. Nothing is lost."
    ),
    "GenesysSender": Meaning(
        "Agents see nothing new, and no receipts. Everything waits in the journal, a customer's "
        "message for as long as INBOUND_KEEP says.",
        asks=True,
    ),
    "BlueskySender": Meaning(
        "Agents' answers are not posted. They wait in the journal; one that was tried before and "
        "is older than OUTBOUND_GIVE_UP_AFTER then fails, and the agent is told.",
        asks=True,
    ),
    "ContactResolver": Meaning("External contacts are neither made nor brought up to date."),
    "WebhookReceiver": Meaning(
        "Genesys Cloud is answered 503. It tries again for about a minute, then gives up; what it "
        "gave up is looked for when this goes on, as far back as RECONCILE_WINDOW says. What is "
        "older stays unanswered.",
        asks=True,
    ),
    "DedupStore": Meaning(
        "Everything stands still: nothing is taken in and nothing is sent, and another process "
        "on the same Redis takes over within seconds. This pause cannot be kept: it holds for "
        "this process alone, and ends when it restarts.",
        asks=True,
    ),
}


class Levers:
    """Pauses actors, for this process at once and for all others by the store.

    Args:
        pauses: of all actors.
        store: keeps which are on.
        clock: unix time in seconds.
        log: told who was paused.
    """

    def __init__(self, pauses: Pauses, store: Store, clock: WallClock, log: EventLog) -> None:
        self._pauses = pauses
        self._store = store
        self._clock = clock
        self._log = log

    async def pause(self, name: str) -> None:
        """Pause an actor. If cancelled, it is paused or not, and may be paused again.

        Raises:
            LookupError: there is no such actor.
            StoreUnavailable: it could not be kept, and so was not done.
        """
        pause = self._find(name)
        if name == "WebhookReceiver":
            # Whatever is missed from now on is looked for, even by a process that starts later.
            await self._store.save(make_missed_since(self._clock()))
        if self._pauses.is_kept(name):
            await self._store.set_paused(name, is_on=True)
        pause.begin()
        self._log.warning("paused by a person", actor=name)

    async def resume(self, name: str) -> None:
        """Let an actor go on. Cancelled, and errors: as :meth:`pause`."""
        pause = self._find(name)
        if self._pauses.is_kept(name):
            await self._store.set_paused(name, is_on=False)
        pause.end()
        self._log.info("resumed by a person", actor=name)

    def _find(self, name: str) -> Pause:
        pause = self._pauses.find(name)
        if pause is None:
            raise LookupError(f"There is no actor {name}.")
        return pause
