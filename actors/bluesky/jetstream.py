"""Jetstream: the whole network's posts as JSON, over a websocket.

The ``/subscribe`` of github.com/bluesky-social/jetstream. It is asked for posts only, without
compression: that would take its own dictionary, and saves traffic but no time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import httpx
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from actors.bluesky.live_matching import POST
from runtime.errors import Retryable

LONGEST = 1_000_000
"""Characters of one event. Longer ones Jetstream is asked to leave out."""
CONNECT_WITHIN_S = 15.0
READ_BYTES = 65_536


class Jetstream:
    """One connection to Jetstream. One task reads, another one may ping.

    Args:
        stream: closed by its owner.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._sending = trio.Lock()
        self._accepted = False
        self._pong = trio.Event()
        self._fault: Retryable | None = None
        self._parts: list[str] = []
        self._length = 0

    async def shake_hands(self, request: Request) -> None:
        """Ask for the stream, and wait until it is granted. Raises as :meth:`read`."""
        await self._send(request)
        while not self._accepted:
            await self.read()

    async def read(self) -> Sequence[str | bytes]:
        """The next events, as many as have come; none if only a part of one has.

        If cancelled, the connection is no use any more.

        Raises:
            Retryable: the connection is closed, or what comes is no websocket.
        """
        if self._fault is not None:
            raise self._fault
        messages: list[str | bytes] = []
        try:
            data = await self._stream.receive_some(READ_BYTES)
            self._protocol.receive_data(bytes(data) or None)
            for event in self._protocol.events():
                messages += await self._deal_with(event)
        except (trio.BrokenResourceError, ProtocolError) as error:
            self._fault = _make_fault(error)
        except Retryable as fault:
            self._fault = fault
        if self._fault is not None and not messages:
            raise self._fault
        return messages

    async def ping(self) -> None:
        """Return when the other side answers; somebody has to read meanwhile.

        Raises:
            Retryable: the connection is closed.
        """
        await self._send(Ping())
        await self._pong.wait()

    async def _deal_with(self, event: Event) -> list[str | bytes]:
        match event:
            case TextMessage() | BytesMessage():
                return self._gather(event)
            case Ping():
                await self._send(event.response())
            case Pong():
                self._pong.set()
                self._pong = trio.Event()
            case AcceptConnection():
                self._accepted = True
            case RejectConnection(status_code=status):
                raise Retryable(f"Jetstream answered {status}")
            case CloseConnection(code=code, reason=reason):
                raise Retryable(f"Jetstream closed the connection ({code} {reason or ''})")
        return []

    def _gather(self, event: TextMessage | BytesMessage) -> list[str | bytes]:
        if isinstance(event, BytesMessage):
            return [bytes(event.data)]
        self._length += len(event.data)
        if self._length > LONGEST:
            raise Retryable(f"Jetstream sent an event of more than {LONGEST} characters")
        self._parts.append(event.data)
        if not event.message_finished:
            return []
        whole = "".join(self._parts)
        self._parts, self._length = [], 0
        return [whole]

    async def _send(self, event: Event) -> None:
        try:
            async with self._sending:
                await self._stream.send_all(self._protocol.send(event))
        except (trio.BrokenResourceError, trio.ClosedResourceError, ProtocolError) as error:
            raise _make_fault(error) from error


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
    address = urlsplit(url)
    asked = [*parse_qsl(address.query), ("wantedCollections", POST)]
    asked.append(("maxMessageSizeBytes", str(LONGEST)))
    if cursor_us is not None:
        asked.append(("cursor", str(cursor_us)))
    request = Request(
        host=address.netloc,
        target=f"{address.path or '/'}?{urlencode(asked)}",
        extra_headers=[(b"User-Agent", user_agent.encode())],
    )
    async with await _connect(address) as stream:
        jetstream = Jetstream(stream)
        with trio.move_on_after(CONNECT_WITHIN_S) as waiting:
            await jetstream.shake_hands(request)
        if waiting.cancelled_caught:
            raise Retryable(f"{address.netloc}: no answer in {CONNECT_WITHIN_S:g} s")
        try:
            yield jetstream
        finally:
            # The other side learns soon enough: nobody waits for it to say goodbye.
            await trio.aclose_forcefully(stream)


async def _connect(address: SplitResult) -> trio.abc.Stream:
    host, is_open = address.hostname or "", address.scheme == "ws"
    with trio.move_on_after(CONNECT_WITHIN_S):
        try:
            plain = await trio.open_tcp_stream(host, address.port or (80 if is_open else 443))
        except OSError as error:
            raise Retryable(f"{address.netloc}: {_find_cause(error)}") from error
        return plain if is_open else await _encrypt(plain, address)
    raise Retryable(f"{address.netloc}: no connection in {CONNECT_WITHIN_S:g} s")


async def _encrypt(plain: trio.SocketStream, address: SplitResult) -> trio.abc.Stream:
    stream = trio.SSLStream(
        plain,
        httpx.create_ssl_context(),
        server_hostname=address.hostname,
        https_compatible=True,
    )
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError as error:
        await trio.aclose_forcefully(plain)
        raise Retryable(f"{address.netloc}: {error.__cause__ or error}") from error
    except trio.Cancelled:
        await trio.aclose_forcefully(plain)
        raise
    return stream


def _find_cause(error: OSError) -> BaseException:
    """What went wrong with one of several addresses, if that is all that it says."""
    cause: BaseException = error.__cause__ or error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause


def _make_fault(error: Exception) -> Retryable:
    return Retryable(f"the connection to Jetstream broke: {error}".rstrip(": "))
