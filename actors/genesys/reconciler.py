"""Looking for what agents wrote while no webhook could be taken in, which Genesys gave up."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import TypeVar

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.faults import PermissionMissing
from actors.genesys.gap import (
    MISSED_SINCE,
    RECONCILING_SINCE,
    RETRIES_S,
    SHORTEST_S,
    WebhookGap,
    find_missed_since,
    make_missed_since,
)
from actors.genesys.inquiry import Found, Inquiry, Period
from actors.messages import AgentMessage
from actors.store import Activity, Deposed, Store, StoreUnavailable, Value
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.duty import Duty
from runtime.errors import AuthRejected, Retryable

R = TypeVar("R")

SECOND_LOOK_S = 60.0
"""How long after the first look for what was missed there is another one."""

PORTION_S = 10.0
"""What was found is recorded after so long at the latest: thousands of conversations take long."""

LOOK_EVERY_S = 300.0
"""How often the store is asked whether another process had a gap."""

MOST_CONVERSATIONS = 2_000
MOST_ACTIVITIES = 10_000

DEPOSED_S = 1.0
NOT_PERMITTED_S = 600.0
"""How long to wait after a refusal that a person has to mend."""

_CHOICE = (
    "Or set RECONCILE_WINDOW=0: then what agents write while no webhook can be taken in is lost."
)


class Reconciler:
    """Finds the messages of agents that never came in, and records them as if they had.

    They get the ids that the webhook would have given them, so nothing is carried twice. It works
    on duty only, and one conversation after the other.

    Args:
        store: takes what is recorded from the leader only.
        duty: of two processes one may look.
        gap: what this process noticed itself.
        window_s: how old a message may be; 0 turns it off. After so long there is nothing left to
            find of a gap, so a reconciliation that meets trouble is given up then.
        clock: unix time in seconds.
        log: told what was found and what was left out.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        client: GenesysClient,
        *,
        duty: Duty,
        gap: WebhookGap,
        window_s: float,
        clock: WallClock,
        log: EventLog,
    ) -> None:
        self._context = context
        self._store = store
        self._client = client
        self._duty = duty
        self._gap = gap
        self._window_s = window_s
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Look after every gap. If cancelled, or off duty, what was not recorded is found again."""
        if self._window_s == 0:
            await self._context.sleep(math.inf)
        while True:
            await self._be_idle(self._duty.wait_on)
            try:
                with self._duty.scope():
                    while True:
                        await self._look()
            except Deposed as error:
                # The store knew it first. The duty ends in a moment, if it has not.
                self._context.failed(error)
                await self._context.sleep(DEPOSED_S)

    async def _look(self) -> None:
        self._gap.take_note()
        missed_since = self._gap.missed_since
        if missed_since is not None:
            # It need not be ended by a webhook: the one that was refused may have been the last.
            kept = make_missed_since(missed_since)
            await self._patiently(lambda: self._store.save(kept))
            self._gap.end(tell=False)
        since = await self._patiently(self._take_up)
        if since is None or await self._reconcile(since):
            self._gap.close()
        again_s = SHORTEST_S if self._gap.is_open else LOOK_EVERY_S
        await self._be_idle(self._gap.wait_changed, again_s)

    async def _take_up(self) -> float | None:
        """Since when there is something to look for, in unix seconds.

        It may have been taken up by a process that did not get to the end.
        """
        since = await find_missed_since(self._store)
        if since is not None:
            taken_up = Value("cursor", RECONCILING_SINCE, f"{since:.6f}")
            await self._store.record(values=[taken_up, _forget(MISSED_SINCE)])
        return since

    async def _reconcile(self, since: float) -> bool:
        """Look for all that was missed since. Returns whether it came to the end.

        It looks twice: what was taken in just before the gap may be settled only now, and before
        that nobody knows how to ask about its conversation.
        """
        give_up_at = self._clock() + self._window_s
        period = Period(since - RETRIES_S, self._window_s)
        inquiry = Inquiry(self._context, self._store, self._client, self._clock, period)
        first, left_out = await self._patiently(self._choose)
        if left_out > 0:
            self._context.skipped("conversation_left_out", left_out)
            self._log.warning("conversations left out", **self._fields(left_out))
        self._log.info("reconciling", **self._fields(len(first)), missed_since=since)
        if not await self._look_through(deque(first), inquiry, give_up_at, last=False):
            return False
        await self._be_idle(self._gap.wait_changed, SECOND_LOOK_S)
        if self._gap.has_changed:
            return False
        known = set(first)
        again, _ = await self._patiently(self._choose)
        second = [one for one in again if one not in known]
        return await self._look_through(deque(second), inquiry, give_up_at, last=True)

    async def _look_through(
        self, waiting: deque[Activity], inquiry: Inquiry, give_up_at: float, *, last: bool
    ) -> bool:
        """Ask about all of these, however long it takes. Returns whether it came to the end."""
        while True:
            found, trouble = await self._ask_portion(waiting, inquiry)
            if trouble is not None and self._clock() >= give_up_at:
                self._give_up(waiting, trouble)
            await self._record(found, done=last and not waiting)
            if not waiting:
                return True
            if trouble is not None:
                await self._rest(trouble)
            if self._gap.has_changed:
                # A further gap does not wait for what is left of this one: begin with both.
                return False

    async def _choose(self) -> tuple[Sequence[Activity], int]:
        """Where to look, the latest first, and in how many places not.

        What is known to be a conversation goes before posts: of those there may be many, and most
        never become one.
        """
        active = await self._store.find_active(MOST_ACTIVITIES)
        active = tuple(sorted(active, key=lambda one: one.names != "conversation"))
        return active[:MOST_CONVERSATIONS], len(active) - MOST_CONVERSATIONS

    async def _ask_portion(
        self, waiting: deque[Activity], inquiry: Inquiry
    ) -> tuple[list[Found], Retryable | AuthRejected | None]:
        """Ask about those that wait, each once, until there is trouble or it is time to record.

        Who met trouble goes to the end. A permission may be wanting for one conversation only, so
        one that is refused stops the others only if none was answered before.
        """
        found: list[Found] = []
        refusal: AuthRejected | None = None
        was_answered = False
        record_at = self._clock() + PORTION_S
        for _ in range(len(waiting)):
            activity = waiting.popleft()
            try:
                found += await inquiry.ask(activity)
                was_answered = True
            except Retryable as error:
                waiting.append(activity)
                return found, error
            except AuthRejected as error:
                waiting.append(activity)
                refusal = error
                if not was_answered:
                    break
            if found and self._clock() >= record_at:
                return found, None
        return found, refusal

    def _give_up(self, waiting: deque[Activity], trouble: Retryable | AuthRejected) -> None:
        self._context.skipped("conversation_given_up", len(waiting))
        cause = {"why": str(trouble), "action": trouble.action}
        self._log.error("reconciling given up", **self._fields(len(waiting)), **cause)
        waiting.clear()

    async def _record(self, found: Sequence[Found], *, done: bool) -> None:
        """Record all of these in one step, oldest first; with the last of them it is done."""
        if not found and not done:
            return
        intakes = [one.intake for one in sorted(found, key=attrgetter("sent_at"))]
        recorded = await self._patiently(
            lambda: self._store.record(
                [item for intake in intakes for item in intake.items],
                dead_letters=[letter for intake in intakes for letter in intake.letters],
                active=[activity for intake in intakes for activity in intake.active],
                values=[_forget(RECONCILING_SINCE)] if done else (),
            )
        )
        skipped = Counter(intake.skipped for intake in intakes if intake.skipped is not None)
        for reason, count in skipped.items():
            self._context.skipped(reason, count)
        carried = sum(
            isinstance(item.payload, AgentMessage)
            for intake in intakes
            for item in intake.items
            if item.item_id in recorded.new
        )
        self._context.succeeded(carried)
        told = {"done": done, "messages": carried, "skipped": dict(skipped)}
        self._log.info("reconciled", actor=self._context.name, **told)

    async def _rest(self, trouble: Retryable | AuthRejected) -> None:
        if isinstance(trouble, Retryable):
            await self._context.back_off(trouble)
            return
        # Not shown as the actor's state: that would say that no webhooks are taken in.
        self._context.failed(explain(trouble))
        await self._be_idle(self._gap.wait_changed, NOT_PERMITTED_S)

    def _fields(self, conversations: int) -> dict[str, object]:
        return {"actor": self._context.name, "conversations": conversations}

    async def _patiently(self, ask: Callable[[], Awaitable[R]]) -> R:
        """Ask the store, as long as it is away."""
        met_trouble = False
        while True:
            try:
                answer = await ask()
            except StoreUnavailable as error:
                met_trouble = True
                await self._context.back_off(error)
            else:
                if met_trouble:
                    self._context.succeeded(0)
                return answer

    async def _be_idle(
        self, wait: Callable[[], Awaitable[None]], at_most_s: float = math.inf
    ) -> None:
        """Wait while the deadline does not run."""

        async def run_out() -> None:
            await self._context.sleep(at_most_s)
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_out)
            await wait()
            nursery.cancel_scope.cancel()


def explain(error: AuthRejected) -> AuthRejected:
    """The same refusal; of a permission with the choice that a person has."""
    if not isinstance(error, PermissionMissing):
        return error
    return PermissionMissing(str(error), action=f"{error.action} {_CHOICE}")


def _forget(name: str) -> Value:
    return Value("cursor", name, "", keep_s=0)
