"""What those who send to Genesys have in common: their pace, and what becomes of an entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.faults import GenesysRejected
from actors.messages import JournalEntry, Json, Outcome, Refused, Retry
from runtime.actor import Context
from runtime.backoff import RestartPolicy
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Rejected, Retryable

PATIENCE = 5
"""How many attempts are made at what Genesys neither takes nor refuses for good."""

NOT_FOUND = 404
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long, and at what intervals, an entry is tried again.

    Args:
        policy: of the delays.
        keep_s: an entry that fails when it is older than this becomes a dead letter.
    """

    policy: RestartPolicy
    keep_s: float
    clock: WallClock

    def put_off(self, context: Context, entry: JournalEntry, error: Retryable) -> Outcome:
        """Try again: later each time, with jitter, and not before the other side said."""
        if self.clock() - entry.recorded_at > self.keep_s:
            return Refused("Expired", f"not taken within {self.keep_s:g} s; at last {error}")
        return self.postpone(context, entry, error)

    def postpone(self, context: Context, entry: JournalEntry, error: Retryable) -> Retry:
        """The same for an entry that was not even tried: however old it is, it is not given up."""
        delay_s = self.policy.delay_s(entry.attempts, context.rng)
        return Retry(max(error.after_s or 0.0, delay_s), str(error))

    def judge(self, context: Context, entry: JournalEntry, error: Rejected) -> Outcome:
        """A refusal is final, but for a conflict with something that may pass."""
        if has_status(error, CONFLICT) and entry.attempts < PATIENCE:
            return self.put_off(context, entry, Retryable(str(error)))
        return Refused(error.code, str(error))


async def call(
    context: Context, client: GenesysClient, method: str, path: str, body: object = None
) -> Json:
    """Make a request at the pace of the actor and of the platform; raises as the client does.

    Waiting for either is no reason to call the actor stuck. If cancelled, the request may have
    taken effect.
    """
    await context.acquire()
    wait_s = client.waiting_s()
    if wait_s > 0:
        await context.sleep(wait_s)
    context.progress()
    return await client.request(method, path, body)


def has_status(error: Rejected, status: int) -> bool:
    """Whether Genesys refused with this HTTP status."""
    return isinstance(error, GenesysRejected) and error.status == status


def make_setting_fault(error: Rejected, *settings: str) -> AuthRejected:
    """The error for a refusal that blames what was set up, not what was sent."""
    action = f"Check {' and '.join(settings)}: Genesys Cloud does not know what they name."
    return AuthRejected(str(error), action=action)


async def run_all(jobs: Iterable[Callable[[], Awaitable[None]]], *, at_once: int) -> None:
    """Begin the jobs in their order, run each to its end, and only then raise what went wrong.

    If cancelled, all are.

    Raises:
        Exception: what a job raised; an ``ExceptionGroup`` if several did.
    """
    places = trio.Semaphore(at_once)
    raised: list[Exception] = []

    async def run(job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - one must not keep the others from ending
            raised.append(error)
        finally:
            places.release()

    async with trio.open_nursery() as nursery:
        for job in jobs:
            await places.acquire()
            nursery.start_soon(run, job)
    raise_all(raised)


def raise_all(errors: Sequence[Exception]) -> None:
    """Raise the only one as it is, several as an ``ExceptionGroup``; nothing if there are none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("several failed", errors)
