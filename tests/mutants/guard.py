"""What a guard is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A piece of code that keeps a promise.

    Args:
        promise: what does not hold without it.
        module: its file, without the suffix.
        piece: the code, which is there exactly once.
        without: what stands there instead.
        tests: what has to notice.
    """

    promise: str
    module: str
    piece: str
    without: str
    tests: tuple[str, ...] = ("tests/runtime",)
