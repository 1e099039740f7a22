"""Jetstream: the whole network's posts as JSON, over a websocket.

The ``/subscribe`` of github.com/bluesky-social/jetstream. It is asked for posts only, without
compression: that would take its own dictionary, and saves traffic but no time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import trio_websocket

from actors.bluesky.live_matching import POST
from runtime.errors import Retryable

LONGEST = 1_000_000
"""Characters of one event. Longer ones Jetstream is asked to leave out."""
CONNECT_WITHIN_S = 15.0
CLOSE_WITHIN_S = 2.0
READ_BYTES = 65_536


class Jetstream:
    """One connection to Jetstream."""

    def __init__(self, connection: trio_websocket.WebSocketConnection) -> None:
        self._connection = connection

    async def read(self) -> str | bytes:
        """The next event. If cancelled, none was taken.

        Raises:
            Retryable: the connection is closed.
        """
        try:
            return await self._connection.get_message()
        except trio_websocket.ConnectionClosed as error:
            raise Retryable(f"Jetstream: {_describe(error)}") from error

    async def ping(self) -> None:
        """Return when the other side answers.

        Raises:
            Retryable: the connection is closed.
        """
        try:
            await self._connection.ping()
        except trio_websocket.ConnectionClosed as error:
            raise Retryable(f"Jetstream: {_describe(error)}") from error


@asynccontextmanager
async def open_jetstream(
    url: str, cursor_us: int | None, *, user_agent: str
) -> AsyncIterator[Jetstream]:
    """Connect, and disconnect when the block ends.

    Args:
        url: of ``/subscribe``, ``wss://`` or ``ws://``; it may have a query.
        cursor_us: from when on to tell what was missed, in unix microseconds; ``None``: from now.

    Raises:
        Retryable: it cannot be reached.
    """
    wrong = (trio_websocket.HandshakeError, trio_websocket.ConnectionClosed, OSError)
    parts = urlsplit(url)
    asked = [*parse_qsl(parts.query), ("wantedCollections", POST)]
    asked.append(("maxMessageSizeBytes", str(LONGEST)))
    if cursor_us is not None:
        asked.append(("cursor", str(cursor_us)))
    try:
        async with trio_websocket.open_websocket_url(
            urlunsplit(parts._replace(query=urlencode(asked))),
            httpx.create_ssl_context() if parts.scheme == "wss" else None,
            extra_headers=[(b"User-Agent", user_agent.encode())],
            max_message_size=LONGEST,
            receive_buffer_size=READ_BYTES,
            connect_timeout=CONNECT_WITHIN_S,
            disconnect_timeout=CLOSE_WITHIN_S,
        ) as connection:
            yield Jetstream(connection)
    except wrong as error:
        raise Retryable(f"Jetstream at {parts.netloc}: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    cause = error.__cause__ or error
    match cause:
        case trio_websocket.ConnectionRejected(status_code=status):
            return f"answered {status}"
        case trio_websocket.ConnectionClosed(reason=reason):
            return f"closed ({reason.code} {reason.reason or ''})" if reason else "closed"
        case _:
            return f"{type(cause).__name__}: {cause}".rstrip(": ")
