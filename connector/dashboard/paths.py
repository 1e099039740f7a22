"""The way of the latest messages through the actors, from the steps that DedupStore tells."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, assert_never

from actors.steps import Step

MOST_MESSAGES = 100

_MOST_STAGES = 8
"""Of one message: more would be a defect, and must not fill the memory."""

Outcome: TypeAlias = Literal["waiting", "in hand", "retrying", "done", "refused"]
FindText: TypeAlias = Callable[[str], str | None]


@dataclass(slots=True)
class _Stage:
    """One item of a message with the actor that it is for. Times are unix seconds."""

    actor: str
    recorded_at: float
    delivered_at: float | None = None
    ended_at: float | None = None
    retries: int = 0
    outcome: Outcome = "waiting"
    why: str | None = None

    def hear(self, step: Step) -> None:
        self.retries = step.attempts
        self.why = step.why
        match step.name:
            case "recorded":
                pass
            case "delivered":
                self.delivered_at, self.outcome = step.at, "in hand"
            case "retried":
                self.outcome = "retrying"
            case "done" | "refused":
                self.ended_at, self.outcome = step.at, step.name
            case _:
                assert_never(step.name)


@dataclass(slots=True)
class _Path:
    kind: str
    conversation: str
    written_at: float | None
    stages: dict[str, _Stage] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        outcomes = {stage.outcome for stage in self.stages.values()}
        order: tuple[Outcome, ...] = ("refused", "retrying", "in hand", "waiting")
        return next((one for one in order if one in outcomes), "done")


class Paths:
    """The latest :data:`MOST_MESSAGES` messages, and what became of them so far.

    It knows no text; ``find_text`` may, for those who are allowed to see it.
    """

    def __init__(self, find_text: FindText = lambda _: None) -> None:
        self._find_text = find_text
        self._paths: OrderedDict[str, _Path] = OrderedDict()

    def hear(self, step: Step) -> None:
        """Take note of a step: a :class:`actors.steps.StepListener`."""
        path = self._paths.get(step.message)
        if path is None:
            path = _Path(step.kind, step.conversation, step.written_at)
            self._paths[step.message] = path
            while len(self._paths) > MOST_MESSAGES:
                self._paths.popitem(last=False)
        stage = path.stages.get(step.item_id)
        if stage is None:
            if len(path.stages) >= _MOST_STAGES:
                return
            stage = path.stages[step.item_id] = _Stage(step.destination.value, step.recorded_at)
        stage.hear(step)

    def describe(self) -> list[dict[str, Any]]:
        """All of them as JSON, the newest first."""
        return [self._describe(message, path) for message, path in reversed(self._paths.items())]

    def _describe(self, message: str, path: _Path) -> dict[str, Any]:
        described: dict[str, Any] = {
            "id": message,
            "kind": path.kind,
            "conversation": path.conversation,
            "written_at": path.written_at,
            "outcome": path.outcome,
            "stages": [
                {
                    "actor": stage.actor,
                    "recorded_at": stage.recorded_at,
                    "delivered_at": stage.delivered_at,
                    "ended_at": stage.ended_at,
                    "retries": stage.retries,
                    "outcome": stage.outcome,
                    "why": stage.why,
                }
                for stage in path.stages.values()
            ],
        }
        text = self._find_text(message)
        if text is not None:
            described["text"] = text
        return described
