"""What an error that came out of an actor means, and what may be told of it.

Text of an unexpected error may hold a customer's words. So of such an error only its type and the
place where it was raised are told; the text is told of the errors in :mod:`runtime.errors`, which
are worded to be shown.
"""

from __future__ import annotations

import enum
import traceback
from dataclasses import dataclass
from pathlib import PurePath
from types import TracebackType

import trio

from runtime.errors import AuthRejected, Fault, Retryable

_MOST_TEXT = 300
_MOST_NAMES = 5
_MOST_FRAMES = 8


class Stuck(Exception):
    """The deadline passed without a sign of life."""


class ReturnedEarly(Exception):
    """A ``run`` came to its end although nobody asked."""


class Verdict(enum.Enum):
    """What to do about a failure."""

    RETRY = "retry"
    """The other side is in trouble: wait and go on. It is nobody's fault here."""
    ASK_A_PERSON = "ask_a_person"
    """Only a person can mend it: try rarely."""
    CRASH = "crash"
    """A defect, here or in the message in hand: count it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One error, judged.

    ``type`` names the errors in it, ``message`` and ``trace`` are safe to be shown and logged,
    ``action`` is what a person should do, ``after_s`` how long the other side asked to wait.
    """

    verdict: Verdict
    type: str
    message: str
    trace: tuple[str, ...]
    action: str | None = None
    after_s: float | None = None


def judge(error: Exception) -> Failure:
    """Say what an error means. A group is as bad as the worst error in it."""
    found = leaves(error)
    names = list(dict.fromkeys(type(leaf).__name__ for leaf in found))
    actions = [leaf.action for leaf in found if isinstance(leaf, Fault) and leaf.action]
    waits = [leaf.after_s for leaf in found if isinstance(leaf, Retryable) and leaf.after_s]
    return Failure(
        verdict=_verdict(found),
        type=", ".join(names[:_MOST_NAMES]),
        message=_message(found[0]),
        trace=_trace(found[0]),
        action=actions[0] if actions else None,
        after_s=max(waits, default=None),
    )


def leaves(error: Exception) -> list[Exception]:
    """The single errors in a group of groups, in order; an error by itself is its own leaf."""
    if isinstance(error, ExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def _verdict(found: list[Exception]) -> Verdict:
    if not all(isinstance(leaf, Retryable | AuthRejected) for leaf in found):
        return Verdict.CRASH
    if any(isinstance(leaf, AuthRejected) for leaf in found):
        return Verdict.ASK_A_PERSON
    return Verdict.RETRY


def _message(leaf: Exception) -> str:
    if isinstance(leaf, Fault | Stuck | ReturnedEarly):
        return str(leaf)[:_MOST_TEXT]
    trace = _trace(leaf)
    return f"raised at {trace[-1]}" if trace else "raised at an unknown place"


def _trace(leaf: Exception) -> tuple[str, ...]:
    frames = traceback.extract_tb(leaf.__traceback__)[-_MOST_FRAMES:]
    return tuple(f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames)


def _short(filename: str) -> str:
    return "/".join(PurePath(filename).parts[-2:])


class CoveredUp:
    """A block that notices the error that a cancellation took the place of.

    When cleaning up waits for something and is cancelled there, ``Cancelled`` comes out and the
    error that made the clean-up necessary is only its context. Nothing is swallowed here.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> CoveredUp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.error = _covered_by(error)


def _covered_by(error: BaseException | None) -> Exception | None:
    if isinstance(error, BaseExceptionGroup):
        found = (_covered_by(inner) for inner in error.exceptions)
        return next((inner for inner in found if inner is not None), None)
    covered = error.__context__ if isinstance(error, trio.Cancelled) else None
    # A cancelled lock has WouldBlock as its context, by the way it is written.
    while isinstance(covered, trio.Cancelled | trio.WouldBlock):
        covered = covered.__context__
    return covered if isinstance(covered, Exception) else None
