"""What a Redis says of itself: its release, its memory, and whether it keeps what it is told."""

from __future__ import annotations

from dataclasses import dataclass

from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from runtime.errors import Fault

OLDEST = (6, 2)
"""The first release that knows ``GETEX`` and ``ZMSCORE``."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """``None`` wherever the server does not tell; hosted ones often do not.

    Attributes:
        version: as it calls its release, for example ``7.4.1``.
        memory_used: in bytes.
        memory_most: in bytes; 0 if there is no limit.
        eviction: ``maxmemory-policy``.
        appends: whether it writes an append-only file.
        saves: whether it writes snapshots by itself.
    """

    version: str | None
    memory_used: int | None
    memory_most: int | None
    eviction: str | None
    appends: bool | None
    saves: bool | None

    @property
    def is_too_old(self) -> bool:
        """Whether its release is known to be older than the connector needs."""
        numbers = (self.version or "").split(".")[:2]
        if len(numbers) < len(OLDEST) or not all(one.isdecimal() for one in numbers):
            return False
        return tuple(map(int, numbers)) < OLDEST


async def ask_server(database: Database) -> ServerFacts:
    """Ask by ``INFO``, and by ``CONFIG GET`` what that does not say.

    If cancelled, nothing has changed.

    Raises:
        StoreUnavailable: no answer came.
    """
    names = ("maxmemory-policy", "appendonly", "save")
    told, *configured = await database.execute(
        [
            Command(("INFO",), reads=True),
            *(Command(("CONFIG", "GET", name), reads=True) for name in names),
        ]
    )
    info = _read_info(told) if isinstance(told, str) else {}
    eviction, appends, saves = (_read_setting(answer) for answer in configured)
    appends = info.get("aof_enabled") or appends
    return ServerFacts(
        version=info.get("redis_version"),
        memory_used=_read_number(info.get("used_memory")),
        memory_most=_read_number(info.get("maxmemory")),
        eviction=info.get("maxmemory_policy") or eviction,
        appends=None if appends is None else appends in {"1", "yes"},
        saves=None if saves is None else bool(saves.strip()),
    )


def _read_info(text: str) -> dict[str, str]:
    """``INFO``: a line for each fact, with a colon behind its name, under headings."""
    facts = (line.partition(":") for line in text.splitlines())
    return {name: value for name, colon, value in facts if colon and value}


def _read_setting(answer: Result) -> str | None:
    """The value of a ``CONFIG GET``; ``None`` if it may not be asked for, or is not there."""
    if isinstance(answer, Fault) or not isinstance(answer, list) or len(answer) < 2:
        return None
    return str(answer[1])


def _read_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
