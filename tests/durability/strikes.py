"""When and how to kill, drawn beforehand: the same seed draws the same."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

import trio

from sandbox.faults import Delay, DropAfter, Fault, Faults
from tests.durability.trial import Trial

BLUESKY_WRITES = ("putRecord", "sendMessage")
GENESYS_WRITES = ("/messages/bulk", "/inbound/open/message", "/inbound/open/receipt")
BLUESKY_PATHS = (
    *BLUESKY_WRITES,
    "getMessages",
    "listNotifications",
    "getPosts",
    "searchPosts",
    "getLog",
    "getProfiles",
    "updateRead",
    "refreshSession",
)
GENESYS_PATHS = (*GENESYS_WRITES, "/contacts/enrich", "/oauth/token")
REQUEST_WITHIN_S = 4.0
_LOOK_EVERY_S = 0.005
_FROZEN_S = 1.0
_ACTS_LATE, _NEVER_ACTS = Delay(0.3), Delay(math.inf)

Moment: TypeAlias = Literal["starting", "whenever", "request", "recording"]
_WEIGHTS: dict[Moment, int] = {"starting": 2, "whenever": 1, "request": 5, "recording": 3}
_LONGEST_S: dict[Moment, float] = {
    "starting": 3.0,
    "whenever": 3.0,
    "request": 0.1,
    "recording": _FROZEN_S,
}


@dataclass(frozen=True, slots=True)
class Strike:
    """One ``kill -9``.

    ``moment`` is while it starts, at any time, in the middle of a request to ``path``, or while it
    waits for its store, which stands still. The request gets ``fault``, or is dealt with as usual;
    ``after_s`` later the process is dead.
    """

    moment: Moment
    after_s: float
    path: str
    fault: Fault | None
    skip: int
    store_too: bool
    pause_s: float


def draw_strike(rng: random.Random) -> Strike:
    """Draw one."""
    (moment,) = rng.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))
    return Strike(
        moment=moment,
        after_s=rng.uniform(0.0, _LONGEST_S[moment]),
        path=rng.choice(
            BLUESKY_PATHS + GENESYS_PATHS if rng.random() < 0.3 else BLUESKY_WRITES + GENESYS_WRITES
        ),
        fault=rng.choice((None, _ACTS_LATE, _NEVER_ACTS, _NEVER_ACTS, DropAfter())),
        skip=rng.randrange(4),
        store_too=rng.random() < 0.25,
        pause_s=rng.uniform(0.0, 0.5),
    )


async def carry_out(strike: Strike, trial: Trial) -> None:
    """Start the connector, kill it as drawn, and wait a little."""
    await trial.connector.start()
    if strike.moment != "starting":
        await trial.connector.wait_ready(trial.http)
    if strike.moment == "request":
        await _await_request(strike, trial)
    async with trio.open_nursery() as nursery:
        if strike.moment == "recording":
            await trio.sleep(strike.pause_s)
            nursery.start_soon(trial.store.be_away, "frozen", _FROZEN_S)
        await trio.sleep(strike.after_s)
        await trial.connector.kill()
    if strike.store_too:
        await trial.store.kill()
    trial.world.bluesky.faults.clear()
    trial.world.genesys.faults.clear()
    await trio.sleep(strike.pause_s)


async def _await_request(strike: Strike, trial: Trial) -> None:
    """Return as soon as the request is under way, or when there was none for a while."""
    bluesky = strike.path in BLUESKY_PATHS
    faults: Faults = trial.world.bluesky.faults if bluesky else trial.world.genesys.faults
    rule = faults.add(strike.path, strike.fault or Delay(0.0), skip=strike.skip)
    with trio.move_on_after(REQUEST_WITHIN_S):
        while rule.hits == 0:  # noqa: ASYNC110 - a rule has no event
            await trio.sleep(_LOOK_EVERY_S)
