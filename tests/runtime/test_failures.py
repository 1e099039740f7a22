"""What is made of an error."""

from __future__ import annotations

import pytest
import trio

from runtime.errors import AuthRejected, Malformed, RateLimited, Retryable
from runtime.failures import CoveredUp, Verdict, judge, leaves


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    """Errors as a nursery raises them."""
    return ExceptionGroup("from a nursery", errors)


GONE = Retryable("away", after_s=3)
SLOW = RateLimited("slow", after_s=7)
DENIED = AuthRejected("no", action="Mend it.")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (GONE, Verdict.RETRY),
        (SLOW, Verdict.RETRY),
        (group(GONE, group(SLOW)), Verdict.RETRY),
        (DENIED, Verdict.ASK_A_PERSON),
        (group(GONE, DENIED), Verdict.ASK_A_PERSON),
        (group(DENIED, ValueError()), Verdict.CRASH),
        (Malformed("no shape"), Verdict.CRASH),
        (ValueError(), Verdict.CRASH),
    ],
)
def test_a_group_is_as_bad_as_its_worst_error(error: Exception, verdict: Verdict) -> None:
    """Flattened first: nesting changes nothing."""
    assert judge(error).verdict is verdict


def test_what_is_told_of_a_group() -> None:
    """Each type once, the longest wait, the first action."""
    failure = judge(group(GONE, group(SLOW, DENIED, GONE)))
    assert failure.type == "Retryable, RateLimited, AuthRejected"
    assert (failure.after_s, failure.action, failure.message) == (7, "Mend it.", "away")
    assert leaves(group(GONE, group(SLOW))) == [GONE, SLOW]


def test_what_is_told_is_bounded() -> None:
    """I10: however much was raised, and however much the other side said."""
    kinds = [type(f"Error{number}", (Exception,), {}) for number in range(50)]
    failure = judge(group(*(kind("secret") for kind in kinds)))
    assert failure.type == "Error0, Error1, Error2, Error3, Error4"
    assert len(judge(Retryable("x" * 10_000)).message) == 300
    assert "secret" not in failure.message


def test_the_place_is_told_and_not_the_machine() -> None:
    """The last two parts of the path are enough to find the line."""
    try:
        int("customer's words")
    except ValueError as error:
        failure = judge(error)
    assert failure.message.startswith("raised at runtime/test_failures.py:")
    assert failure.trace[-1].endswith("in test_the_place_is_told_and_not_the_machine")


async def test_a_handled_lock_is_no_error_covered_up() -> None:
    """Trio's own WouldBlock, which a cancelled lock has as context, is not told."""
    lock = trio.Lock()
    covered = CoveredUp()
    await lock.acquire()

    async def wait() -> None:
        with covered:
            await lock.acquire()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert covered.error is None


async def test_an_error_covered_up_in_a_child_is_found() -> None:
    """Also when the cancellation comes out of a nursery as a group."""
    covered = CoveredUp()

    async def cover_up() -> None:
        try:
            raise KeyError("real")
        finally:
            await trio.sleep_forever()

    async def parent() -> None:
        with covered:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cover_up)
                nursery.start_soon(trio.sleep_forever)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(parent)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert isinstance(covered.error, KeyError)
