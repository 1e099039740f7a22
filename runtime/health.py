"""The documents that tell how the process is, made from statistics alone.

Nothing in here waits or does I/O, so ``/health`` is answered while any actor is down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from runtime.clock import format_time
from runtime.statistics import ActorStatistics, LastError, State

Overall: TypeAlias = Literal["ok", "degraded", "down"]
"""``degraded``: something is not running, and a restart would not help. ``down``: it might."""

_AS_MEANT: frozenset[State] = frozenset({"running", "standby", "disabled"})
_NOT_READY: frozenset[State] = frozenset({"failed", "stuck", "starting", "stopped"})


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How the store is.

    Args:
        status: whether it can be used.
        kind: what it is, for example ``redis``.
        reason: why it cannot be used, or ``None``.
        depth: entries waiting in the journal.
        oldest_s: the age of the oldest of them, in seconds.
        dead_letters: how many dead letters are kept.
    """

    status: Literal["ok", "unavailable"]
    kind: str
    reason: str | None
    depth: int
    oldest_s: float
    dead_letters: int


def overall(actors: Sequence[ActorStatistics], store: StoreHealth) -> Overall:
    """Sum up: ``down`` if a critical actor has failed, ``degraded`` if anything is amiss."""
    if any(actor.critical and actor.state == "failed" for actor in actors):
        return "down"
    if store.status != "ok" or any(actor.state not in _AS_MEANT for actor in actors):
        return "degraded"
    return "ok"


def http_status(status: Overall) -> int:
    """The status code of ``/health``: 503 only when the process is no use."""
    return 503 if status == "down" else 200


def describe(
    actors: Sequence[ActorStatistics],
    store: StoreHealth,
    *,
    version: str,
    role: str,
    uptime_s: float,
    warnings: Sequence[str] = (),
) -> dict[str, object]:
    """The JSON document of ``/health``; ``warnings`` is a key only if there are any."""
    document: dict[str, object] = {
        "status": overall(actors, store),
        "version": version,
        "role": role,
        "uptime_s": round(uptime_s, 1),
        "store": {"status": store.status, "kind": store.kind, "reason": store.reason},
        "journal": {"depth": store.depth, "oldest_s": round(store.oldest_s, 1)},
        "dead_letters": store.dead_letters,
        "actors": {actor.name: _describe_actor(actor) for actor in actors},
    }
    if warnings:
        document["warnings"] = list(warnings)
    return document


def _describe_actor(actor: ActorStatistics) -> dict[str, object]:
    mailbox = actor.mailbox
    return {
        "state": actor.state,
        "concurrency": actor.concurrency,
        "busy": actor.busy,
        "mailbox": {
            "depth": 0 if mailbox is None else mailbox.depth,
            "capacity": 0 if mailbox is None else mailbox.capacity,
        },
        "handled": actor.handled,
        "failed": actor.failed,
        "skipped": dict(actor.skipped),
        "restarts": actor.restarts,
        "last_success": None if actor.last_success is None else format_time(actor.last_success),
        "last_error": _describe_error(actor.last_error),
        "rate": {"limit": str(actor.rate), "waiting_s": round(actor.waiting_s, 3)},
        "lag_s": None if actor.lag_s is None else round(actor.lag_s, 3),
    }


def _describe_error(error: LastError | None) -> dict[str, object] | None:
    if error is None:
        return None
    return {
        "type": error.type,
        "message": error.message,
        "action": error.action,
        "at": format_time(error.at),
    }


def readiness(actors: Sequence[ActorStatistics]) -> tuple[str, ...]:
    """What keeps the process from taking requests, a line per critical actor; empty if ready.

    For ``/readyz``. An actor that is backing off still takes requests and answers for itself.
    """
    return tuple(
        f"{actor.name} is {actor.state}"
        for actor in actors
        if actor.critical and actor.state in _NOT_READY
    )


def liveness(actors: Sequence[ActorStatistics]) -> tuple[str, ...]:
    """Why only a new process would help, a line per actor; empty if all is well.

    For ``/livez``: that a unit was cancelled at its deadline and does not end. Everything else is
    mended from within.
    """
    return tuple(
        f"{actor.name} does not end"
        for actor in actors
        if any(unit.state == "stuck" for unit in actor.units)
    )
