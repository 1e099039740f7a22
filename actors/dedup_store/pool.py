"""The connections to one Redis: opened when needed, and kept."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import closing

import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.connection import (
    Answer,
    Arguments,
    Connection,
    NoAnswer,
    connect,
    is_error,
    tell,
)


class ConnectionPool:
    """All connections to one server. Opens none before it is asked something.

    Args:
        address: where the server is.
        timeout_s: see :func:`connect`.
        most: how many round trips may be under way.
        make_tls: whom to trust, if the address wants TLS.
    """

    def __init__(
        self,
        address: RedisAddress,
        *,
        timeout_s: float,
        most: int,
        make_tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._limiter = trio.CapacityLimiter(most)
        self._make_tls = make_tls
        self._tls: ssl.SSLContext | None = None
        self._idle: list[Connection] = []

    async def ask(self, commands: Sequence[Arguments]) -> list[Answer]:
        """One round trip. If cancelled before it is sent, nothing was sent.

        Raises:
            NoAnswer: not all answers came.
        """
        async with self._limiter:
            connection = await self._take()
            try:
                answers = await connection.ask(commands)
            except BaseException:
                # Answers that are still to come are for nobody.
                connection.close()
                raise
            self._idle.append(connection)
            return answers

    async def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """Call ``hear`` with each text that is published, and first with nothing. No end.

        On a connection of its own, which is closed if it is cancelled.

        Raises:
            NoAnswer: nothing more is to be heard.
        """
        connection = await self._connect()
        try:
            (answer,) = await connection.ask([("SUBSCRIBE", channel)], to_the_end=False)
            if is_error(answer):
                raise NoAnswer(tell(answer))
            hear("")
            while True:
                hear(await connection.wait_for_message())
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections. No round trip may be under way."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_stale:
                return connection
            connection.close()
        return await self._connect()

    async def _connect(self) -> Connection:
        if self._address.tls and self._tls is None:
            # Once: it reads a hundred certificates.
            self._tls = self._make_tls()
        return await connect(self._address, timeout_s=self._timeout_s, tls=self._tls)


async def ask_once(address: RedisAddress, *arguments: str, timeout_s: float) -> Answer:
    """Ask one thing on a connection for that alone.

    Raises:
        NoAnswer: none came.
    """
    with closing(ConnectionPool(address, timeout_s=timeout_s, most=1)) as pool:
        (answer,) = await pool.ask([arguments])
        return answer
