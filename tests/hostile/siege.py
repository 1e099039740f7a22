"""Normal load on the real process, in turns left alone and under attack.

In turns, because whatever else this machine does then falls on both alike.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.conftest import ROOT
from tests.durability.process import ConnectorProcess
from tests.durability.trial import Trial, open_trial
from tests.hostile.attacker import Order
from tests.hostile.stopwatch import open_stopwatch

LOAD = 6.0
"""Acts of customers and agents in a second: both platforms, the clock and the attackers have to
share the machine with the connector, and what is full already says nothing about an attack."""
WARM_UP_S = 5.0
PAUSE_S = 2.0
"""After each turn, until what was begun in it has ended."""
MOST_MORE_MB = 30.0
MOST_TIMES = 2.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Args:
        count: hostile webhooks.
        rate: of them in a second.
        alone_s: how long the load is left alone, in all.
        rounds: how often it is left alone and then attacked.
        addresses: see :class:`tests.hostile.attacker.Order`.
    """

    count: int = 10_000
    rate: float = 80.0
    alone_s: float = 120.0
    rounds: int = 6
    addresses: int = 0


@dataclass(slots=True)
class Turns:
    """What was measured in all turns of one sort.

    Attributes:
        seconds: how long they took.
        busy_s: seconds of processor that the connector took.
        times_ms: of the normal webhooks.
    """

    seconds: float = 0.0
    busy_s: float = 0.0
    times_ms: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """How much of one processor the connector took."""
        return self.busy_s / self.seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    ended: dict[str, Counter[str]]
    alone: Turns
    attacked: Turns
    more_mb: float
    refused: dict[str, int]
    problems: list[str]

    @property
    def count(self) -> int:
        """Hostile webhooks."""
        return sum(sum(ways.values()) for ways in self.ended.values())

    @property
    def cost_ms(self) -> float:
        """Milliseconds of the connector's processor for each of them."""
        more = (self.attacked.share - self.alone.share) * self.attacked.seconds
        return 1000.0 * more / self.count


async def lay_siege(size: Size, seed: str) -> Outcome:
    """Run the connector under load, attack it, and audit what everybody said and received."""
    with tempfile.TemporaryDirectory(prefix="siege-") as name:
        folder = Path(name)
        proxies = {"TRUSTED_PROXIES": "127.0.0.1"} if size.addresses else {}
        async with open_trial(seed, folder, variables=proxies) as trial:
            return await _attack(trial, size, seed, folder)


async def _attack(trial: Trial, size: Size, seed: str, folder: Path) -> Outcome:
    connector, copies = trial.connector, folder / "copies"
    alone, attacked = Turns(), Turns()
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
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
            await connector.health(trial.http)
            before_mb = connector.peak_mb
            for number in range(size.rounds):
                with _measured(alone, connector, read_times):
                    await trio.sleep(size.alone_s / size.rounds)
                with _measured(attacked, connector, read_times):
                    ways = await _send_attacker(trial, size, f"{seed} {number}", copies, number)
                for kind, counts in ways.items():
                    ended[kind].update(counts)
                await trio.sleep(PAUSE_S)
            health = await connector.health(trial.http)
            more_mb = connector.peak_mb - before_mb
        # Each of the two signed bodies that cannot be read is kept once, however often it came.
        trial.more_letters = sum(kind in ended for kind in ("deep", "duplicate keys"))
        findings = await trial.conclude()
    refused = health["actors"]["WebhookReceiver"]["skipped"] if health is not None else {}
    problems = [*findings.wrongs, *trial.defects]
    return Outcome(ended, alone, attacked, more_mb, refused, problems)


@contextmanager
def _measured(
    turns: Turns, connector: ConnectorProcess, read_times: Callable[[], list[float]]
) -> Iterator[None]:
    """Add to a sort of turns what happens in the block."""
    began, busy_s, known = trio.current_time(), connector.read_busy_s(), len(read_times())
    yield
    turns.seconds += trio.current_time() - began
    turns.busy_s += connector.read_busy_s() - busy_s
    turns.times_ms += read_times()[known:]


async def _send_attacker(
    trial: Trial, size: Size, seed: str, copies: Path, number: int
) -> dict[str, dict[str, int]]:
    first, last = (size.count * at // size.rounds for at in (number, number + 1))
    order = Order(
        port=int(trial.connector.url.rpartition(":")[2]),
        count=last - first,
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
