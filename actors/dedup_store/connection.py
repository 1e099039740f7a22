"""A connection to a Redis, on trio.

redis-py waits either on asyncio, which does not run on trio, or in a thread; a thread for each
round trip, and the interpreter's lock that it shares, took a fifth of the time of a webhook. So the
waiting is done here. The protocol is read and written by hiredis, as redis-py does.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import hiredis
import trio

from actors.dedup_store.address import RedisAddress
from runtime.failures import leaves

Arguments: TypeAlias = tuple[str, ...]
"""A command: its name, and what follows."""

Answer: TypeAlias = Any
"""Text, a number, nothing, a list of such, or a :class:`hiredis.ReplyError`."""

_READ_AT_ONCE = 64 * 1024
_NOTHING_YET = object()

# Its stub has a tuple of one for a tuple of any length.
_PACK: Callable[[tuple[str | bytes, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]


class NoAnswer(Exception):
    """There was none. What was sent may have taken effect."""


class Connection:
    """One connection. After any error it is of no use any more.

    Args:
        stream: what is sent and received through.
        raw: the socket below that.
        where: what to call the server in errors.
        timeout_s: the longest that it may be silent while an answer is waited for.
    """

    def __init__(
        self, stream: trio.abc.Stream, raw: trio.SocketStream, *, where: str, timeout_s: float
    ) -> None:
        self._stream = stream
        self._raw = raw
        self._where = where
        self._timeout_s = timeout_s
        self._reader = hiredis.Reader(
            encoding="utf-8", errors="replace", notEnoughData=_NOTHING_YET
        )
        self._poll = select.poll()
        self._poll.register(raw.socket.fileno(), select.POLLIN)

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed it, or said something that nobody asked for."""
        return bool(self._poll.poll(0))

    async def ask(self, commands: Sequence[Arguments], *, to_the_end: bool = True) -> list[Answer]:
        """Send all of these together; returns as many answers.

        Args:
            commands: at least one.
            to_the_end: do not yield to cancellation, as what comes back is somebody's.

        Raises:
            NoAnswer: not all answers came.
        """
        packed = b"".join(map(_pack, commands))
        with trio.CancelScope(deadline=self._late(), shield=to_the_end) as scope:
            try:
                await self._stream.send_all(packed)
                answers: list[Answer] = []
                while len(answers) < len(commands):
                    answer = self._reader.gets()
                    if answer is _NOTHING_YET:
                        await self._feed()
                        scope.deadline = self._late()
                    else:
                        answers.append(answer)
                return answers
            except (trio.BrokenResourceError, hiredis.ProtocolError) as error:
                raise NoAnswer(f"{self._where}: {error.__cause__ or error}") from error
        raise NoAnswer(f"Timeout: {self._where} was silent for {self._timeout_s:g} s")

    async def wait_for_message(self) -> list[Answer]:
        """What the server says next by itself, after ``SUBSCRIBE``. May be cancelled.

        Raises:
            NoAnswer: it says nothing more.
        """
        try:
            while True:
                message = self._reader.gets()
                if message is _NOTHING_YET:
                    await self._feed()
                elif isinstance(message, list):
                    return message
        except (trio.BrokenResourceError, hiredis.ProtocolError) as error:
            raise NoAnswer(f"{self._where}: {error.__cause__ or error}") from error

    def close(self) -> None:
        """Close it at once. Nobody may be waiting for it."""
        # By the descriptor: so it may be done when trio does not run any more.
        socket.close(self._raw.socket.detach())

    async def _feed(self) -> None:
        data = await self._stream.receive_some(_READ_AT_ONCE)
        if not data:
            raise NoAnswer(f"{self._where} closed the connection")
        self._reader.feed(bytes(data))

    def _late(self) -> float:
        return trio.current_time() + self._timeout_s


async def connect(
    address: RedisAddress, *, timeout_s: float, make_tls: Callable[[], ssl.SSLContext]
) -> Connection:
    """Open a connection and log in.

    If cancelled, it is closed.

    Args:
        address: where the server is.
        timeout_s: the longest that all of this may take, and see :class:`Connection`.
        make_tls: what to trust, if the address wants TLS.

    Raises:
        NoAnswer: with what is in the way.
    """
    where = address.path or f"{address.host}:{address.port}"
    with trio.move_on_after(timeout_s):
        try:
            raw = await _open(address)
        except OSError as error:
            raise NoAnswer(f"{where} cannot be reached: {_describe(error)}") from error
        try:
            stream = await _secure(raw, address.host, make_tls) if address.tls else raw
            connection = Connection(stream, raw, where=where, timeout_s=timeout_s)
            await _log_in(connection, address)
        except trio.BrokenResourceError as error:
            raw.socket.close()
            raise NoAnswer(f"{where}: {error.__cause__ or error}") from error
        except BaseException:
            raw.socket.close()
            raise
        return connection
    raise NoAnswer(f"Timeout: {where} was not reached within {timeout_s:g} s")


async def _open(address: RedisAddress) -> trio.SocketStream:
    if address.path is not None:
        return await trio.open_unix_socket(address.path)
    raw = await trio.open_tcp_stream(address.host, address.port)
    # A server that is gone without a word is noticed.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return raw


async def _secure(
    raw: trio.SocketStream, host: str, make_tls: Callable[[], ssl.SSLContext]
) -> trio.SSLStream[trio.SocketStream]:
    stream = trio.SSLStream(raw, make_tls(), server_hostname=host)
    await stream.do_handshake()
    return stream


async def _log_in(connection: Connection, address: RedisAddress) -> None:
    commands: list[Arguments] = []
    if address.password is not None:
        who = () if address.username is None else (address.username,)
        commands.append(("AUTH", *who, address.password))
    if address.database:
        commands.append(("SELECT", str(address.database)))
    for answer in await connection.ask(commands, to_the_end=False) if commands else ():
        if isinstance(answer, hiredis.ReplyError):
            raise NoAnswer(str(answer))


def _describe(error: OSError) -> str:
    """Every reason once: a name may stand for several addresses."""
    cause = error.__cause__
    found = leaves(cause) if isinstance(cause, Exception) else [error]
    return ", ".join(dict.fromkeys(str(one) for one in found))


def _pack(arguments: Arguments) -> bytes:
    try:
        return _PACK(arguments)
    except UnicodeEncodeError:
        # Text from outside may hold half a surrogate pair, which strict UTF-8 has not.
        return _PACK(tuple(argument.encode("utf-8", "replace") for argument in arguments))
