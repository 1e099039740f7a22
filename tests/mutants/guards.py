"""The guards of ``runtime/``: what is taken out, and which promise it breaks."""

from __future__ import annotations

from tests.mutants.guard import Guard

GUARDS = (
    # --- what is in hand --------------------------------------------------------------------
    Guard(
        "a message in hand survives the crash of its worker",
        "runtime/slot",
        "handed_out, self._handed_out = self._handed_out, 0",
        "handed_out, self._handed_out = self._handed_out, 0\n        self._parcels.clear()",
    ),
    Guard(
        "what was dealt with is forgotten",
        "runtime/slot",
        "            self._parcels.popleft()",
        "            pass",
    ),
    Guard(
        "each crash on a message is counted",
        "runtime/slot",
        "parcel.attempts += 1",
        "parcel.attempts += 0",
    ),
    Guard(
        "after a crash the messages of a batch go one by one",
        "runtime/slot",
        "alone = any(parcel.attempts for parcel in self._parcels)",
        "alone = False",
    ),
    Guard(
        "trouble of the other side is nobody's attempt",
        "runtime/slot",
        "        if crash is None:\n            return\n",
        "        crash = crash or ValueError()\n",
    ),
    Guard(
        "a poisonous message is given up",
        "runtime/worker",
        "if parcel.error is not None and parcel.attempts >= self._poison_after:",
        "if False:",
    ),
    Guard(
        "it is given up only after so many attempts",
        "runtime/worker",
        "parcel.attempts >= self._poison_after:",
        "parcel.attempts >= self._poison_after - 1:",
    ),
    Guard(
        "what is given up is forgotten only when somebody else keeps it",
        "runtime/worker",
        "            await self._on_poison(message, attempts, error)\n        self.slot.give_up()",
        "            self.slot.give_up()\n"
        "            await self._on_poison(message, attempts, error)",
    ),
    Guard(
        "giving up has a deadline",
        "runtime/worker",
        "        with self._deadline.guard():\n            await self._on_poison",
        "        if True:\n            await self._on_poison",
    ),
    Guard(
        "a message has a deadline",
        "runtime/worker",
        "        with self._deadline.guard():\n            await handling",
        "        if True:\n            await handling",
    ),
    Guard(
        "a batch is no larger than allowed",
        "runtime/worker",
        "while len(self.slot) < most:",
        "while len(self.slot) <= most:",
    ),
    Guard(
        "the lives of workers are not the lives of messages: what is in hand goes first",
        "runtime/worker",
        "        if not self.slot:\n            await self._receive(handling",
        "        if True:\n            await self._receive(handling",
    ),
    # --- crashes and restarts ---------------------------------------------------------------
    Guard(
        "a crash never leaves its unit",
        "runtime/unit",
        "            return self._decide(error)",
        "            raise",
    ),
    Guard(
        "cancellation is never swallowed",
        "runtime/unit",
        "            raise (others or group) from None",
        "            return self._decide(errors or ValueError())",
    ),
    Guard(
        "an incarnation is never used twice",
        "runtime/unit",
        "        if not self._closing.asked:\n            self.begin()\n\n    def _tell_given_up",
        "        self.context.condition.begin(trio.current_time())\n\n    def _tell_given_up",
    ),
    Guard(
        "a run that returns is a crash",
        "runtime/unit",
        'raise ReturnedEarly("run() returned although nobody asked")',
        "await trio.sleep_forever()",
    ),
    Guard(
        "only a crash counts as a restart",
        "runtime/unit",
        "self._crashed = failure.verdict is Verdict.CRASH",
        "self._crashed = True",
    ),
    Guard(
        "restarts are counted",
        "runtime/unit",
        "self._shared.counters.restarts += 1",
        "self._shared.counters.restarts += 0",
    ),
    Guard(
        "nothing is started while stopping",
        "runtime/unit",
        "        try:\n            with self._life:\n",
        "        self._closing = Closing()\n        try:\n            with self._life:\n",
    ),
    Guard(
        "an error in the constructor is a crash like any other",
        "runtime/unit",
        "            self._not_created = error\n            return",
        "            raise",
    ),
    Guard(
        "delays grow",
        "runtime/backoff",
        "exponent = min(n + 1, _LARGEST_EXPONENT)",
        "exponent = 1",
    ),
    Guard(
        "delays are bounded",
        "runtime/backoff",
        "return min(self.backoff_max_s, self.backoff_min_s * 2.0**exponent)",
        "return self.backoff_min_s * 2.0**exponent",
    ),
    Guard(
        "delays have jitter",
        "runtime/backoff",
        "return rng.uniform(self.backoff_min_s, self.cap_s(n))",
        "return self.cap_s(n)",
    ),
    Guard(
        "what only a person can mend is tried rarely",
        "runtime/backoff",
        "return rng.uniform(0.5 * self.backoff_max_s, self.backoff_max_s)",
        "return rng.uniform(self.backoff_min_s, self.backoff_max_s)",
    ),
    Guard(
        "a policy under which nothing is ever seen as failed is refused",
        "runtime/backoff",
        "if longest_s >= self.period_s:",
        "if False:",
    ),
    Guard(
        "too many crashes are a failure",
        "runtime/condition",
        "return len(self._times) > self._limit and now - self._times[0] <= self._period_s",
        "return False",
    ),
    Guard(
        "old crashes are forgotten",
        "runtime/condition",
        "return len(self._times) > self._limit and now - self._times[0] <= self._period_s",
        "return len(self._times) > self._limit",
    ),
    Guard(
        "the other side's own waiting time is kept",
        "runtime/condition",
        "max(delay_s, failure.after_s or 0.0)",
        "delay_s",
    ),
    Guard(
        "after a quiet time delays are short again",
        "runtime/condition",
        "            self._crashes_in_a_row = 0\n",
        "            pass\n",
    ),
    Guard(
        "trouble shows until the message in hand is through",
        "runtime/condition",
        'if self._phase == "alive" and not self._redelivers and quiet:',
        'if self._phase == "alive" and quiet:',
    ),
    Guard(
        "wrong credentials are failed, not backing off",
        "runtime/condition",
        "if failure.verdict is Verdict.ASK_A_PERSON:",
        "if False:",
    ),
    # --- deadlines --------------------------------------------------------------------------
    Guard(
        "being idle is no reason to be called stuck",
        "runtime/context",
        '            self._scope.deadline = float("inf")',
        "            pass",
    ),
    Guard(
        "a sign of life gives the whole time again",
        "runtime/context",
        "            self._scope.deadline = trio.current_time() + self._limit_s",
        "            pass",
    ),
    Guard(
        "a deadline that passed is a crash",
        "runtime/context",
        "            raise Stuck(reason)",
        "            return",
    ),
    # --- rates ------------------------------------------------------------------------------
    Guard(
        "no window sees more than the rate allows",
        "runtime/rate",
        "missing = self._in_use + cost - self.rate.count",
        "missing = self._in_use - self.rate.count",
    ),
    Guard(
        "tokens come back one by one, not all at once",
        "runtime/rate",
        "while self._taken and self._taken[0][0] + self.rate.per_s <= now:",
        "while self._taken and self._taken[0][0] + self.rate.per_s / 2 <= now:",
    ),
    Guard(
        "waiters are served in their order",
        "runtime/rate",
        "        async with self._turn:\n",
        "        if True:\n",
    ),
    Guard(
        "a block by the other side is kept",
        "runtime/rate",
        "wait_s = self._blocked_until - now",
        "wait_s = 0.0",
    ),
    Guard(
        "a block is never shortened",
        "runtime/rate",
        "max(self._blocked_until, trio.current_time() + seconds)",
        "trio.current_time() + seconds",
    ),
    # --- duty -------------------------------------------------------------------------------
    Guard(
        "who stood still past the end of its duty does nothing more",
        "runtime/duty",
        "with trio.CancelScope(deadline=self._until) as scope:",
        "with trio.CancelScope() as scope:",
    ),
    Guard(
        "a duty that is over cannot be extended",
        "runtime/duty",
        "        if self.is_on:\n            self._until = max",
        "        if True:\n            self._until = max",
    ),
    Guard(
        "the end of a duty cancels what is done on it",
        "runtime/duty",
        "            scope.cancel()",
        "            pass",
    ),
    Guard(
        "each duty has a number of its own",
        "runtime/duty",
        "        self.term += 1",
        "        self.term += 0",
    ),
    Guard(
        "no duty begins while somebody acts on the one before it",
        "runtime/duty",
        "        if self._scopes:\n            raise",
        "        if False:\n            raise",
    ),
    Guard(
        "the next duty begins with nothing in hand",
        "runtime/supervised",
        "                self.units = self._make_units()\n\n    async def stop",
        "\n    async def stop",
    ),
    # --- stopping ---------------------------------------------------------------------------
    Guard(
        "what is in hand may be finished when stopping",
        "runtime/supervised",
        "        with trio.move_on_at(until):\n            await self.ended.wait()\n",
        "",
    ),
    Guard(
        "who does not finish in time is cancelled",
        "runtime/supervised",
        "            unit.cancel()",
        "            pass",
    ),
    Guard(
        "actors stop in the reverse order",
        "runtime/supervisor",
        "for actor in reversed(self._enabled()):",
        "for actor in self._enabled():",
    ),
    Guard(
        "an actor that does not end is named",
        "runtime/supervisor",
        "tuple(actor.spec.name for actor in self._enabled() if not actor.ended.is_set())",
        "()",
    ),
    Guard(
        "actors that would wait on each other for ever are refused",
        "runtime/supervisor",
        "graphlib.TopologicalSorter({spec.name: spec.sends_to for spec in specs}).prepare()",
        "pass",
    ),
    Guard(
        "no message without a place for poison",
        "runtime/supervisor",
        "        if spec.mailbox is not None and spec.on_poison is None:",
        "        if False:",
    ),
    # --- mailboxes --------------------------------------------------------------------------
    Guard(
        "a question is answered once",
        "runtime/mailbox",
        "        if not self._answered.is_set():\n            self._values.append(value)",
        "        if True:\n            self._values.append(value)",
    ),
    Guard(
        "who is not answered is told",
        "runtime/mailbox",
        "with trio.move_on_after(within_s):\n                await self._answered.wait()",
        "if True:\n                await self._answered.wait()",
    ),
    Guard(
        "a full mailbox takes nothing more at once",
        "runtime/mailbox",
        "        except trio.WouldBlock:\n            return False\n        return True",
        "        except trio.WouldBlock:\n            return True\n        return True",
    ),
)
