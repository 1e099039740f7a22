"""One round trip to Redis, whichever Redis it is, and what its errors mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

import hiredis
import redis
import trio
from redis.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.gauge import StoreKind
from actors.dedup_store.scripts import Script, ScriptName
from actors.store import Deposed, StoreUnavailable
from runtime.errors import Effect, Rejected

# Answers that say something of the server, not of the command: any other would get them too.
# Old servers put the code of a command that a script made into the middle.
_AWAY = re.compile(
    r"(?:^|-)(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|BUSY|UNKILLABLE|MASTERDOWN|CLUSTERDOWN"
    r"|TRYAGAIN|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM|NOSCRIPT)\b|limit exceeded"
)

_WHERE = re.compile(r" script: [0-9a-f]{40}, on @user_script:\d+\.$")
"""Where in a script it happened, as Redis 7 adds it: of no use to whoever has to mend it."""

_DEPOSED = "DEPOSED "
"""What ``depose`` in ``scripts/common.lua`` answers."""

_HARK_S = 1.0

# Its stub has a tuple of one for a tuple of any length.
_PACK: Callable[[tuple[str | bytes, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]

_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "TryAgainError": "TRYAGAIN",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
}

_ACTIONS = {
    "OOM": "Give Redis more memory: its maxmemory is reached.",
    "READONLY": "Point REDIS_URL at the primary, not at a replica.",
    "MISCONF": "See the log of Redis: it cannot write to its disk.",
    r"\b(MOVED|ASK|CLUSTERDOWN)\b": "Point REDIS_URL at a Redis that is no cluster.",
    "NOPERM": "Allow the user of REDIS_URL all commands on the connector's keys.",
    "NOAUTH|WRONGPASS|username-password|Authentication": "Correct REDIS_URL or REDIS_TOKEN.",
}


class Database:
    """A connection to Redis that trio tasks can wait for.

    redis-py is synchronous: its asyncio side does not run on trio. So each round trip runs in a
    thread, which nobody can cancel; the client's socket time-outs bound it.

    Args:
        client: made by :mod:`actors.dedup_store.connection`.
        scripts: loaded into the server whenever it does not have them.
        kind: as shown in ``/health``.
        threads: how many round trips there may be at once.
        warning: what to beware of although it works.
        explain: what else is known when it does not answer, or ``None``.
        alone_since: when no other process could be using the same data (monotonic seconds), or
            ``None`` if that is not known.
    """

    def __init__(
        self,
        client: redis.Redis,
        scripts: Mapping[ScriptName, Script],
        *,
        kind: StoreKind,
        threads: int,
        warning: str | None = None,
        explain: Callable[[], str | None] = lambda: None,
        alone_since: float | None = None,
    ) -> None:
        self.kind = kind
        self.warning = warning
        self.alone_since = alone_since
        self._client = client
        self._scripts = tuple(scripts.values())
        self._limiter = trio.CapacityLimiter(threads)
        self._ear = trio.CapacityLimiter(1)
        self._explain = explain

    async def execute(self, commands: Sequence[Command]) -> list[Result]:
        """Send all commands together and read all answers, each a value or a
        :class:`runtime.errors.Fault`.

        If cancelled while it waits for a thread, nothing was sent; once sent, it does not yield
        to cancellation, so no answer is lost.

        Raises:
            StoreUnavailable: no answer came. Each command may have taken effect.
        """
        return await trio.to_thread.run_sync(self._execute, commands, limiter=self._limiter)

    async def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """Call ``hear`` with each text that is published on a channel, and first with nothing.

        Costs the server one command. Returns at once where there is nobody else to be heard. If
        cancelled, it returns at once, and its thread within :data:`_HARK_S`.

        Raises:
            StoreUnavailable: nothing more is to be heard.
        """
        if self.kind == "memory":
            return
        enough = threading.Event()
        try:
            await trio.to_thread.run_sync(
                self._listen, channel, hear, enough, abandon_on_cancel=True, limiter=self._ear
            )
        finally:
            enough.set()

    def close(self) -> None:
        """Close all connections. No round trip may be under way."""
        self._client.close()

    def _listen(self, channel: str, hear: Callable[[str], None], enough: threading.Event) -> None:
        try:
            with closing(self._client.pubsub()) as subscription:  # type: ignore[no-untyped-call]
                subscription.subscribe(channel)
                while not enough.is_set():
                    heard = subscription.get_message(timeout=_HARK_S)
                    if heard is not None:
                        text = str(heard["data"]) if heard["type"] == "message" else ""
                        trio.from_thread.run_sync(hear, text)
        except RedisError as error:
            raise self._make_unavailable(str(error), Effect.NOT_DONE) from error

    def _execute(self, commands: Sequence[Command]) -> list[Result]:
        """All single reads are one command: a hosted Redis is paid by the command."""
        keys = [command.arguments[1] for command in commands if _reads_one(command)]
        if len(keys) < 2:
            return self._carry_out(commands)
        others = [command for command in commands if not _reads_one(command)]
        *results, read = self._carry_out([*others, Command(("MGET", *keys), reads=True)])
        found = iter(read if isinstance(read, list) else [read] * len(keys))
        rest = iter(results)
        return [next(found if _reads_one(command) else rest) for command in commands]

    def _carry_out(self, commands: Sequence[Command]) -> list[Result]:
        try:
            results = self._round_trip(commands)
            missing = {at for at, result in enumerate(results) if _is_no_script(result)}
            if missing:
                # What was read beside a missing script was read too early.
                early = {at for at, command in enumerate(commands) if command.reads}
                again = sorted(missing | early)
                fresh = self._round_trip([commands[at] for at in again], load_scripts=True)
                for at, result in zip(again, fresh, strict=True):
                    results[at] = result
        except RedisError as error:
            raise self._make_unavailable(str(error), Effect.UNKNOWN) from error
        return [self._translate(result) for result in results]

    def _round_trip(
        self, commands: Sequence[Command], *, load_scripts: bool = False
    ) -> list[Result]:
        scripts = self._scripts if load_scripts else ()
        loading = [("SCRIPT", "LOAD", script.text) for script in scripts]
        asking = [*loading, *(command.arguments for command in commands)]
        # Not a Pipeline: packing everything at once takes half the time, and sends it as one.
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            packed = b"".join(map(_pack, asking))
            connection.send_packed_command([packed])  # type: ignore[no-untyped-call]
            results = [self._read(connection, arguments[0]) for arguments in asking]
        except BaseException:
            # Answers that are still to come are for nobody.
            connection.disconnect()  # type: ignore[no-untyped-call]
            raise
        finally:
            pool.release(connection)
        return results[len(scripts) :]

    def _read(self, connection: AbstractConnection, name: str) -> Result:
        try:
            return self._client.parse_response(connection, name)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            return error

    def _translate(self, result: Result) -> Result:
        if not isinstance(result, RedisError):
            return result
        text = _describe(result)
        if text.startswith(_DEPOSED):
            return Deposed("another process leads")
        if _AWAY.search(text) or not isinstance(result, ResponseError):
            return self._make_unavailable(text, Effect.NOT_DONE)
        return Rejected("StoreRefused", f"Redis refused a request: {text}")

    def _make_unavailable(self, reason: str, effect: Effect) -> StoreUnavailable:
        known = self._explain()
        if known is not None:
            reason = f"{known} ({reason})"
        actions = (action for sign, action in _ACTIONS.items() if re.search(sign, reason))
        return StoreUnavailable(reason, effect=effect, action=next(actions, None))


def _pack(arguments: tuple[str, ...]) -> bytes:
    try:
        return _PACK(arguments)
    except UnicodeEncodeError:
        # Text from outside may hold half a surrogate pair, which strict UTF-8 has not.
        return _PACK(tuple(argument.encode("utf-8", "replace") for argument in arguments))


def _reads_one(command: Command) -> bool:
    return command.arguments[0] == "GET"


def _is_no_script(result: Result) -> bool:
    return isinstance(result, NoScriptError)


def _describe(error: RedisError) -> str:
    """The error as the server meant it: redis-py cuts the code off where it knows it."""
    text = _WHERE.sub("", str(error))
    code = _CODES.get(type(error).__name__)
    return f"{code} {text}" if code and not text.startswith(code) else text
