"""A connection to a Redis, on trio.

redis-py waits either on asyncio, which does not run on trio, or in a thread; a thread for each
round trip, and the interpreter's lock that it shares, took a fifth of the time of a webhook. So the
waiting is done here. The protocol is read and written by hiredis, as redis-py does.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeGuard

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


class TooLate(NoAnswer):
    """None came in time. The server may still be at it."""


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
        """Whether the server has closed it, or said something that nobody asked for.

        Of what TLS has already taken from the socket nothing is known.
        """
        return self._reader.has_data() or bool(self._poll.poll(0))

    async def ask(self, commands: Sequence[Arguments], *, to_the_end: bool = True) -> list[Answer]:
        """Send all of these together; returns as many answers.

        The time-out begins anew with each piece of them that comes.

        Args:
            commands: at least one.
            to_the_end: do not yield to cancellation, as what comes back is somebody's.

        Raises:
            NoAnswer: not all answers came.
        """
        packed = b"".join(map(_pack, commands))
        answers: list[Answer] = []
        with trio.CancelScope(deadline=self._late(), shield=to_the_end) as scope:
            try:
                await self._stream.send_all(packed)
                await self._read(answers, len(commands), scope)
                return answers
            except (trio.BrokenResourceError, hiredis.ProtocolError) as error:
                with suppress(trio.BrokenResourceError, hiredis.ProtocolError):
                    # One that turns a client away is gone before it is asked, but has said why.
                    await self._read(answers, 1, scope)
                raise NoAnswer(self._explain(error, answers)) from error
        raise TooLate(f"Timeout: {self._where} was silent for {self._timeout_s:g} s")

    async def wait_for_message(self) -> str:
        """What is published next, after ``SUBSCRIBE``. May be cancelled.

        Raises:
            NoAnswer: nothing more is.
        """
        try:
            while True:
                said = self._reader.gets()
                if said is _NOTHING_YET:
                    await self._feed()
                elif is_error(said):
                    raise NoAnswer(tell(said))
                elif isinstance(said, list) and len(said) == 3 and said[0] == "message":
                    return str(said[2])
        except (trio.BrokenResourceError, hiredis.ProtocolError) as error:
            raise NoAnswer(self._explain(error, [])) from error

    def close(self) -> None:
        """Close it at once. Nobody may be waiting for it."""
        # By the descriptor: so it may be done when trio does not run any more.
        socket.close(self._raw.socket.detach())

    async def _read(self, answers: list[Answer], most: int, scope: trio.CancelScope) -> None:
        while len(answers) < most:
            answer = self._reader.gets()
            if answer is not _NOTHING_YET:
                answers.append(answer)
                continue
            await self._feed()
            scope.deadline = self._late()

    async def _feed(self) -> None:
        data = await self._stream.receive_some(_READ_AT_ONCE)
        if not data:
            raise trio.BrokenResourceError("closed by the server")
        self._reader.feed(bytes(data))

    def _explain(self, error: Exception, answers: Sequence[Answer]) -> str:
        said = f": {tell(answers[-1])}" if answers and is_error(answers[-1]) else ""
        return f"{self._where}: {error.__cause__ or error}{said}"

    def _late(self) -> float:
        return trio.current_time() + self._timeout_s


def is_error(answer: Answer) -> TypeGuard[hiredis.ReplyError]:
    """Whether the server refused what it was asked."""
    return isinstance(answer, hiredis.ReplyError)


def tell(error: hiredis.ReplyError) -> str:
    """What the server said, without the word that stands before what has no word of its own."""
    return str(error).removeprefix("ERR ")


async def connect(
    address: RedisAddress, *, timeout_s: float, tls: ssl.SSLContext | None
) -> Connection:
    """Open a connection and log in.

    If cancelled, it is closed.

    Args:
        address: where the server is.
        timeout_s: the longest that all of this may take, and see :class:`Connection`.
        tls: whom to trust; ``None`` for a connection without TLS.

    Raises:
        NoAnswer: with what is in the way.
    """
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = address.path or f"{host}:{address.port}"
    with trio.move_on_after(timeout_s):
        try:
            raw = await _open(address)
        except (OSError, UnicodeError) as error:
            raise NoAnswer(f"{where} cannot be reached: {_describe(error)}") from error
        try:
            stream = raw if tls is None else await _secure(raw, address.host, tls)
            connection = Connection(stream, raw, where=where, timeout_s=timeout_s)
            await _log_in(connection, address)
        except trio.BrokenResourceError as error:
            raw.socket.close()
            raise NoAnswer(f"{where}: {error.__cause__ or error}") from error
        except BaseException:
            raw.socket.close()
            raise
        return connection
    raise TooLate(f"Timeout: {where} was not reached within {timeout_s:g} s")


async def _open(address: RedisAddress) -> trio.SocketStream:
    if address.path is not None:
        return await trio.open_unix_socket(address.path)
    raw = await trio.open_tcp_stream(address.host, address.port)
    # Of a connection that is closed already some systems will not hear of it.
    with suppress(OSError):
        _keep_alive(raw)
    return raw


def _keep_alive(raw: trio.SocketStream) -> None:
    """Notice a server that is gone without a word within a minute: who listens asks nothing."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE"
    for name, value in {idle: 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}.items():
        if hasattr(socket, name):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _secure(
    raw: trio.SocketStream, host: str, tls: ssl.SSLContext
) -> trio.SSLStream[trio.SocketStream]:
    stream = trio.SSLStream(raw, tls, server_hostname=host)
    await stream.do_handshake()
    return stream


async def _log_in(connection: Connection, address: RedisAddress) -> None:
    password = address.password or ""
    commands: list[Arguments] = []
    if address.username is not None:
        commands.append(("AUTH", address.username, password))
    elif password:
        commands.append(("AUTH", password))
    if address.database:
        commands.append(("SELECT", str(address.database)))
    # One that turns a client away says so before it is asked: that must be no request's answer.
    for command in commands or [("PING",)]:
        (answer,) = await connection.ask([command], to_the_end=False)
        # One that still reads its data takes some commands already.
        if is_error(answer) and not tell(answer).startswith("LOADING"):
            # A server that does not know AUTH repeats what it was given.
            raise NoAnswer(tell(answer).partition(", with args")[0])


def _describe(error: Exception) -> str:
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
