"""How a person is told and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.setup.questions import Ask


@dataclass(frozen=True, slots=True)
class Console:
    """Where words go. ``ask`` and ``confirm`` are ``None`` without a terminal.

    ``yes`` answers every confirmation; ``dry_run`` changes nothing.
    """

    tell: Callable[[str], None]
    complain: Callable[[str], None]
    ask: Ask | None
    confirm: Callable[[str], bool] | None
    yes: bool
    dry_run: bool

    def agree(self, question: str) -> bool:
        """Whether something that exists may be overwritten."""
        if self.yes:
            return True
        if self.dry_run:
            self.tell(f"  It would be asked first: {question}")
            return True
        return self.confirm is not None and self.confirm(question)


class Declined(Exception):
    """Nobody agreed to what nothing can go on without; the message says what to do."""
