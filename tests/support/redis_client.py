"""A look into a Redis from outside: redis-py, which the connector itself does not wait with."""

from __future__ import annotations

import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.database import Server
from actors.dedup_store.in_memory import InMemoryServer
from actors.dedup_store.pool import ConnectionPool


def connect(address: RedisAddress, *, timeout_s: float) -> redis.Redis:
    """A client for a server on a unix socket, which waits in the caller's thread."""
    return redis.Redis(
        unix_socket_path=address.path,
        socket_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=True,
    )


def open_both(address: RedisAddress | None) -> tuple[redis.Redis, Server]:
    """A client, and the same data for the connector; without an address both are in memory."""
    if address is None:
        data = fakeredis.FakeServer()
        client = fakeredis.FakeRedis(server=data, protocol=2, decode_responses=True)
        return client, InMemoryServer(data)
    pool = ConnectionPool(address, timeout_s=5.0, most=4)
    return connect(address, timeout_s=5.0), pool
