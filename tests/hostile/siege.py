"""Normal load on the real process, first left alone and then under attack."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.conftest import ROOT
from tests.durability.trial import Trial, open_trial
from tests.hostile.attacker import Order
from tests.hostile.stopwatch import open_stopwatch

LOAD = 20.0
"""Acts of customers and agents in a second."""
WARM_UP_S = 5.0
MOST_MORE_MB = 30.0
MOST_TIMES = 2.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Args:
        count: hostile webhooks.
        rate: of them in a second.
        alone_s: how long the load is left alone before.
        addresses: see :class:`tests.hostile.attacker.Order`.
    """

    count: int = 10_000
    rate: float = 170.0
    alone_s: float = 40.0
    addresses: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. Times are milliseconds of normal webhooks."""

    ended: dict[str, dict[str, int]]
    alone_ms: list[float]
    attacked_ms: list[float]
    more_mb: float
    refused: dict[str, int]
    problems: list[str]

    @property
    def count(self) -> int:
        """Hostile webhooks."""
        return sum(sum(ways.values()) for ways in self.ended.values())


async def lay_siege(size: Size, seed: str) -> Outcome:
    """Run the connector under load, attack it, and audit what everybody said and received."""
    with tempfile.TemporaryDirectory(prefix="siege-") as name:
        folder = Path(name)
        proxies = {"TRUSTED_PROXIES": "127.0.0.1"} if size.addresses else {}
        async with open_trial(seed, folder, variables=proxies) as trial:
            return await _attack(trial, size, seed, folder)


async def _attack(trial: Trial, size: Size, seed: str, folder: Path) -> Outcome:
    connector, copies = trial.connector, folder / "copies"
    trial.load.rate = LOAD
    await trial.start()
    async with open_stopwatch(
        f"{connector.url}/webhook", copies, behind_proxy=size.addresses > 0
    ) as (
        url,
        read_times,
    ):
        trial.world.genesys.webhook_url = url
        async with trial.under_load():
            await trio.sleep(WARM_UP_S)
            warm = len(read_times())
            await trio.sleep(size.alone_s)
            alone_ms = read_times()[warm:]
            await connector.health(trial.http)
            before_mb = connector.peak_mb
            ended = await _send_attacker(trial, size, seed, copies)
            attacked_ms = read_times()[warm + len(alone_ms) :]
            health = await connector.health(trial.http)
            more_mb = connector.peak_mb - before_mb
        # Each of the two signed bodies that cannot be read is kept once, however often it came.
        trial.more_letters = sum(kind in ended for kind in ("deep", "duplicate keys"))
        findings = await trial.conclude()
    refused = health["actors"]["WebhookReceiver"]["skipped"] if health is not None else {}
    problems = [*findings.wrongs, *trial.defects]
    return Outcome(ended, alone_ms, attacked_ms, more_mb, refused, problems)


async def _send_attacker(
    trial: Trial, size: Size, seed: str, copies: Path
) -> dict[str, dict[str, int]]:
    order = Order(
        port=int(trial.connector.url.rpartition(":")[2]),
        count=size.count,
        rate=size.rate,
        seed=seed,
        captured=str(copies),
        secret=trial.world.genesys.webhook_secret,
        addresses=size.addresses,
    )
    done = await trio.run_process(
        ["nice", sys.executable, "-m", "tests.hostile.attacker", order.to_argument()],
        capture_stdout=True,
        cwd=ROOT,
    )
    ended: dict[str, dict[str, int]] = json.loads(done.stdout)
    return ended


def find_p99(times_ms: list[float]) -> float:
    """The time that 99 of 100 do not exceed."""
    ordered = sorted(times_ms)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
