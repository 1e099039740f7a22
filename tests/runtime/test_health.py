"""The documents of /health, /readyz and /livez."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import Context
from runtime.errors import AuthRejected
from runtime.health import (
    Overall,
    StoreHealth,
    describe,
    http_status,
    liveness,
    overall,
    readiness,
)
from runtime.mailbox import MailboxStatistics
from runtime.rate import Rate
from runtime.statistics import ActorStatistics, LastError, State, UnitStatistics
from tests.runtime.scripted import NOON, World, idle, running

STORE = StoreHealth("ok", "redis", None, depth=3, oldest_s=1.26, dead_letters=2)
AWAY = replace(STORE, status="unavailable", reason="connection refused")

ACTOR = ActorStatistics(
    name="NotificationPoller",
    state="running",
    critical=False,
    paused=False,
    disabled=None,
    concurrency=1,
    busy=0,
    mailbox=MailboxStatistics(depth=1, capacity=64, waiting_senders=0),
    handled=7,
    failed=1,
    skipped={"own_post": 3},
    restarts=2,
    last_success=NOON,
    last_error=LastError("RateLimited", "slow down", None, NOON + 0.5),
    rate=Rate(60, 60),
    waiting_s=0.0,
    lag_s=0.4,
    units=(UnitStatistics("run", "running", 1, None),),
)


def actor(state: State, *, critical: bool = False) -> ActorStatistics:
    """An actor in a state."""
    return replace(ACTOR, name=f"{state}-{critical}", state=state, critical=critical)


def test_the_document_is_exactly_as_documented() -> None:
    """Every key, in its order, with its unit; and it is JSON."""
    found = describe([ACTOR], STORE, version="1.0.0", role="leader", uptime_s=12.345)
    expected = {
        "status": "ok",
        "version": "1.0.0",
        "role": "leader",
        "uptime_s": 12.3,
        "store": {"status": "ok", "kind": "redis", "reason": None},
        "journal": {"depth": 3, "oldest_s": 1.3},
        "dead_letters": 2,
        "actors": {
            "NotificationPoller": {
                "state": "running",
                "concurrency": 1,
                "busy": 0,
                "mailbox": {"depth": 1, "capacity": 64},
                "handled": 7,
                "failed": 1,
                "skipped": {"own_post": 3},
                "restarts": 2,
                "last_success": "2026-01-01T12:00:00.000Z",
                "last_error": {
                    "type": "RateLimited",
                    "message": "slow down",
                    "action": None,
                    "at": "2026-01-01T12:00:00.500Z",
                },
                "rate": {"limit": "60/60s", "waiting_s": 0.0},
                "lag_s": 0.4,
            }
        },
    }
    assert json.dumps(found) == json.dumps(expected)


def test_what_is_not_known_is_null() -> None:
    """A fresh actor has neither success nor error nor lag, and perhaps no mailbox."""
    fresh = replace(ACTOR, mailbox=None, last_success=None, last_error=None, lag_s=None)
    found: Any = describe([fresh], AWAY, version="1", role="standby", uptime_s=0)
    told = found["actors"]["NotificationPoller"]
    assert (told["last_success"], told["last_error"], told["lag_s"]) == (None, None, None)
    assert told["mailbox"] == {"depth": 0, "capacity": 0}
    assert found["store"]["reason"] == "connection refused"


def test_warnings_are_told_only_if_there_are_any() -> None:
    """The key appears beside the documented ones when it has something to say."""
    plain = describe([ACTOR], STORE, version="1", role="leader", uptime_s=0)
    warned = describe([ACTOR], STORE, version="1", role="leader", uptime_s=0, warnings=["memory"])
    assert "warnings" not in plain
    assert warned["warnings"] == ["memory"]


@pytest.mark.parametrize(
    ("actors", "store", "expected"),
    [
        ([actor("running"), actor("disabled"), actor("standby")], STORE, "ok"),
        ([actor("running", critical=True)], AWAY, "degraded"),
        ([actor("backing_off")], STORE, "degraded"),
        ([actor("starting")], STORE, "degraded"),
        ([actor("stuck", critical=True)], STORE, "degraded"),
        ([actor("paused")], STORE, "degraded"),
        ([actor("stopped")], STORE, "degraded"),
        ([actor("failed")], STORE, "degraded"),
        ([actor("failed"), actor("failed", critical=True)], AWAY, "down"),
    ],
)
def test_the_sum_of_all_states(
    actors: Sequence[ActorStatistics], store: StoreHealth, expected: Overall
) -> None:
    """Down only if a critical actor has failed; degraded if anything else is amiss."""
    assert overall(actors, store) == expected
    assert http_status(expected) == (503 if expected == "down" else 200)


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        ("running", True),
        ("backing_off", True),
        ("standby", True),
        ("starting", False),
        ("stuck", False),
        ("failed", False),
        ("stopped", False),
    ],
)
def test_readiness_asks_the_critical_actors_only(state: State, ready: bool) -> None:
    """Whether requests can be taken; the name and state of each obstacle is told."""
    obstacles = readiness([actor("failed"), actor(state, critical=True)])
    assert obstacles == (() if ready else (f"{state}-True is {state}",))


def test_liveness_asks_for_a_new_process_only_when_nothing_else_helps() -> None:
    """Failed actors are tried again from within; one that does not end cannot be."""
    stuck = UnitStatistics("worker-2", "stuck", 1, None)
    assert liveness([actor("failed", critical=True)]) == ()
    assert liveness([replace(actor("failed"), units=(*ACTOR.units, stuck))]) != ()


async def test_health_is_told_while_actors_are_down(autojump_clock: MockClock) -> None:
    """I14: one hangs, one has wrong credentials, one crashes: at once, and true of each."""

    async def denied(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        raise AuthRejected("wrong password", action="Make a new app password.")

    async def crash(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("always")

    release = trio.Event()

    async def hang(_: Context) -> None:
        with trio.move_on_after(5000, shield=True):
            await release.wait()

    world = World(
        running("Denied", denied),
        running("Crashing", crash),
        running("Hanging", hang, deadline_s=10),
        running("Well", idle),
        running("Store", idle, critical=True),
    )
    async with world.running():
        await trio.sleep(200)
        before = trio.current_time()
        statistics = world.supervisor.statistics()
        found: Any = describe(statistics, STORE, version="1", role="leader", uptime_s=200)
        assert trio.current_time() == before
        states = {name: told["state"] for name, told in found["actors"].items()}
        assert states == {
            "Denied": "failed",
            "Crashing": "failed",
            "Hanging": "stuck",
            "Well": "running",
            "Store": "running",
        }
        assert found["status"] == "degraded"
        assert found["actors"]["Denied"]["last_error"]["action"] == "Make a new app password."
        assert readiness(statistics) == ()
        assert liveness(statistics) == ("Hanging does not end",)
        release.set()
