"""How the store is doing, for ``/health``: read at once, without asking Redis."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, TypeAlias

StoreKind: TypeAlias = Literal["redis", "embedded", "memory"]


@dataclass(frozen=True, slots=True)
class StoreState:
    """The store as last seen.

    ``reason`` says why it is unavailable or, when it is not, what to beware of. ``depth`` counts
    the entries in the journal; ``oldest_recorded_at`` is unix time in seconds.
    """

    kind: StoreKind
    status: Literal["ok", "unavailable"]
    reason: str | None
    depth: int = 0
    oldest_recorded_at: float | None = None
    dead_letters: int = 0


class StoreGauge:
    """Holds the latest :class:`StoreState`. Outlives DedupStore's incarnations.

    Args:
        kind: what the store is.
        warning: what to beware of while it works, e.g. that it forgets everything at exit.
    """

    def __init__(self, kind: StoreKind, warning: str | None = None) -> None:
        self._warning = warning
        self._state = StoreState(kind, "unavailable", "not reached yet")

    def read(self) -> StoreState:
        """Read without I/O or waiting."""
        return self._state

    @property
    def is_available(self) -> bool:
        """Whether the store answered and took writes when last asked."""
        return self._state.status == "ok"

    def note_available(self) -> None:
        """It answers, and takes writes."""
        self._state = dataclasses.replace(self._state, status="ok", reason=self._warning)

    def note_unavailable(self, reason: str) -> None:
        """It does not. The last counts stay."""
        self._state = dataclasses.replace(self._state, status="unavailable", reason=reason)

    def note_counts(self, depth: int, oldest_recorded_at: float | None, dead_letters: int) -> None:
        """What the journal holds now."""
        self._state = dataclasses.replace(
            self._state,
            depth=depth,
            oldest_recorded_at=oldest_recorded_at,
            dead_letters=dead_letters,
        )
