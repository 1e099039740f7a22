"""One line of log for each message that was carried, and at debug one for each of its steps."""

from __future__ import annotations

from actors.steps import Step, StepListener
from connector.step_times import find_kind
from runtime.context import EventLog

_CARRIED = {"inbound_post", "inbound_direct_message", "reactions", "agent_message"}


def make_step_log(log: EventLog) -> StepListener:
    """Tells what became of messages. ``message`` is the same id at every step, in all actors."""

    def hear(step: Step) -> None:
        about = {"message": step.message, "kind": find_kind(step), "attempts": step.attempts + 1}
        if step.name == "done" and step.kind in _CARRIED:
            began_at = step.recorded_at if step.written_at is None else step.written_at
            log.info("carried", **about, seconds=round(max(0.0, step.at - began_at), 3))
        elif step.name == "refused":
            log.warning("refused", **about, actor=step.destination, code=step.code, why=step.why)
        fields = {**about, "item": step.item_id, "actor": step.destination, "why": step.why}
        log.debug(step.name, **fields)

    return hear
