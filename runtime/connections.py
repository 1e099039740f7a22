"""Connections of an HTTP server: how long each may take, and how many there may be.

A client that is slow must not keep others out. So nobody is refused while there is a connection
that waits for its client: the one that has waited longest is closed instead. A request that comes
as fast as a network carries it always finds room.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import h11
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState

from runtime.networks import find_client

_READ_AT_ONCE = 16 * 1024

Refused: TypeAlias = Callable[[str, str], None]
"""Told of what was turned away: the reason in one of few words, and the address it came from."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may do.

    Args:
        head_s: seconds from the first byte of a request to the end of its headers, and from
            connecting to the first request's.
        silence_s: seconds that a client may be silent in a body or between two requests, and that
            it may take to take in what is sent to it.
        connections: how many there may be.
        per_address: how many from one address; of IPv6 from one network of 64 bits.
    """

    head_s: float = 10.0
    silence_s: float = 30.0
    connections: int = 512
    per_address: int = 128


class Crowd:
    """All connections of a server.

    Args:
        limits: how many there may be.
        is_shared: whether an address stands for many clients, as a proxy's does; it may have as
            many connections as there are.
        refused: told of each connection that is closed for another one, or not taken.
    """

    def __init__(
        self, limits: Limits, *, is_shared: Callable[[str], bool], refused: Refused
    ) -> None:
        self._limits = limits
        self._is_shared = is_shared
        self._refused = refused
        self._all: set[Connection] = set()
        self._per_network: Counter[str] = Counter()

    def admit(self, connection: Connection) -> bool:
        """Make room for a connection, if there is any to be made."""
        network, limits = connection.network, self._limits
        if self._per_network[network] >= limits.per_address and not self._is_shared(
            connection.address
        ):
            same = (one for one in self._all if one.network == network)
            if not self._make_room(same, "connections_per_address"):
                self._refused("connections_per_address", connection.address)
                return False
        if len(self._all) >= limits.connections and not self._make_room(self._all, "connections"):
            self._refused("connections", connection.address)
            return False
        self._all.add(connection)
        self._per_network[network] += 1
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self._all:
            self._all.remove(connection)
            self._per_network[connection.network] -= 1
            if not self._per_network[connection.network]:
                del self._per_network[connection.network]

    def close_idle(self) -> None:
        """Close all that have no request in hand."""
        for connection in tuple(self._all):
            if connection.is_idle:
                connection.cut()

    def _make_room(self, among: Iterable[Connection], reason: str) -> bool:
        waiting = (one for one in among if one.waits_for_client)
        longest = min(waiting, key=lambda one: one.waiting_since, default=None)
        if longest is None:
            return False
        if not longest.is_idle:
            # One that is only kept alive loses nothing.
            self._refused(reason, longest.address)
        longest.cut()
        self.leave(longest)
        return True


class _UnwelcomeError(Exception):
    """A protocol that is not spoken here."""


class _PlainHttp(H11Protocol):
    """HTTP/1.0 and 1.1, and no way to anything else: nobody who is expected here needs one."""

    async def _check_protocol(self, event: h11.Request) -> None:
        if event.http_version not in (b"1.0", b"1.1"):
            raise _UnwelcomeError

    async def _create_stream(self, request: h11.Request) -> None:
        plain = [(name, value) for name, value in request.headers if name != b"upgrade"]
        if len(plain) < len(request.headers):
            request = h11.Request(
                method=request.method,
                target=request.target,
                headers=plain,
                http_version=request.http_version,
            )
        await super()._create_stream(request)


class Connection:
    """One connection, from accepting to closing it.

    Args:
        app: what answers.
        config: hypercorn's.
        context: knows when the server ends.
        stream: the connection.
        limits: how long a client may take.
        refused: told if it takes longer.

    Raises:
        OSError: it is closed already.
    """

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        stream: trio.SocketStream,
        limits: Limits,
        refused: Refused,
    ) -> None:
        self._app = app
        self._config = config
        self._context = context
        self._stream = stream
        self._limits = limits
        self._refused = refused
        self._protocol: H11Protocol | None = None
        self._receiving = trio.CancelScope()
        self._sending = trio.Lock()
        self._head_began = False
        self._was_cut = False
        self._client = _read_address(stream.socket.getpeername())
        self._server = _read_address(stream.socket.getsockname())
        self.address = self._client[0]
        self.network = find_client(self.address)
        self.waiting_since = trio.current_time()
        self._deadline = self.waiting_since + limits.head_s

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: no whole request is in hand."""
        return self._state in (h11.IDLE, h11.SEND_BODY)

    @property
    def is_idle(self) -> bool:
        """Whether no byte of a request has come."""
        return self._state is h11.IDLE and not self._head_began

    @property
    def _state(self) -> type[h11.IDLE] | object:
        return h11.IDLE if self._protocol is None else self._protocol.connection.their_state

    def cut(self) -> None:
        """Close it at once, although its client would go on."""
        self._was_cut = True
        self._receiving.cancel()

    async def run(self) -> None:
        """Serve its requests until either side closes it. If cancelled, it is closed at once."""
        try:
            async with TaskGroup() as task_group:
                self._protocol = _PlainHttp(
                    self._app,
                    self._config,
                    self._context,
                    task_group,
                    ConnectionState({}),
                    False,
                    self._client,
                    self._server,
                    self._send,
                )
                await self._read(self._protocol)
        finally:
            await self._close()

    async def _read(self, protocol: H11Protocol) -> None:
        try:
            while not self._was_cut:
                data = await self._receive()
                if data is None:
                    break
                await protocol.handle(RawData(data))
                if not data:
                    break
                self._set_deadline(protocol)
        except _UnwelcomeError:
            self._refused("protocol", self.address)
        await protocol.handle(Closed())

    async def _receive(self) -> bytes | None:
        """The next bytes; none at the end, and ``None`` if it is not to go on."""
        with trio.CancelScope(deadline=self._deadline) as self._receiving:
            try:
                return bytes(await self._stream.receive_some(_READ_AT_ONCE))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
        if not self._was_cut and not self.is_idle:
            self._refused("slow_headers" if self._head_began else "slow_body", self.address)
        return None

    def _set_deadline(self, protocol: H11Protocol) -> None:
        now = trio.current_time()
        state = protocol.connection.their_state
        if state is h11.SEND_BODY:
            self._head_began = False
            self._deadline = now + self._limits.silence_s
        elif state is not h11.IDLE:
            self._head_began = False
            self._deadline = math.inf
        elif protocol.connection.trailing_data[0] and not self._head_began:
            self._head_began = True
            self.waiting_since = now
            self._deadline = now + self._limits.head_s

    def _wait_for_next(self) -> None:
        self._head_began = False
        self.waiting_since = trio.current_time()
        self._deadline = self.waiting_since + self._limits.silence_s
        self._receiving.deadline = self._deadline

    async def _send(self, event: Event) -> None:
        match event:
            case RawData():
                if event.data:
                    await self._write(event.data)
            case Closed():
                await self._close()
                await self._tell_closed()
            case Updated(idle=True):
                self._wait_for_next()

    async def _write(self, data: bytes) -> None:
        # Half an answer would be taken for a whole one by nobody, but a task of the application
        # that is cancelled in the middle must not leave it either.
        within_s = self._limits.silence_s
        try:
            async with self._sending:
                with trio.move_on_after(within_s, shield=True) as writing:
                    await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await self._tell_closed()
            return
        if writing.cancelled_caught:
            self._refused("slow_reading", self.address)
            await trio.aclose_forcefully(self._stream)
            await self._tell_closed()

    async def _tell_closed(self) -> None:
        if self._protocol is not None:
            await self._protocol.handle(Closed())

    async def _close(self) -> None:
        # It may be gone already, or closed while the other task still writes.
        with suppress(trio.BrokenResourceError, trio.BusyResourceError, trio.ClosedResourceError):
            await self._stream.send_eof()
        await self._stream.aclose()


def _read_address(name: object) -> tuple[str, int]:
    match name:
        case (str(host), int(port), *_):
            return host, port
    return "", 0
