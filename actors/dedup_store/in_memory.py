"""A Redis in this process, which forgets everything with it: the last resort."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import fakeredis
import hiredis
import redis
import trio
from redis.exceptions import RedisError, ResponseError

from actors.dedup_store.connection import Answer, Arguments, NoAnswer

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
"""What redis-py cuts off an error where it knows it."""


class InMemoryServer:
    """Answers as a Redis does.

    In a thread, as a script may take its time; in one alone, as its Lua is not made for more.

    Args:
        data: all that it knows.
    """

    def __init__(self, data: fakeredis.FakeServer) -> None:
        self._client: redis.Redis = fakeredis.FakeRedis(
            server=data, protocol=2, decode_responses=True, encoding_errors="replace"
        )
        # As the server says it, not as redis-py shows it.
        self._client.response_callbacks.clear()
        self._limiter = trio.CapacityLimiter(1)

    async def ask(self, commands: Sequence[Arguments]) -> list[Answer]:
        """See :meth:`actors.dedup_store.pool.ConnectionPool.ask`."""
        return await trio.to_thread.run_sync(self._ask, commands, limiter=self._limiter)

    async def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """There is nobody else to be heard."""

    def close(self) -> None:
        """Nothing may be asked any more."""
        self._client.close()

    def _ask(self, commands: Sequence[Arguments]) -> list[Answer]:
        return [self._ask_one(arguments) for arguments in commands]

    def _ask_one(self, arguments: Arguments) -> Answer:
        name, *rest = arguments
        # As on the way to a server: half a surrogate pair has no place in UTF-8.
        encoded = [one.encode("utf-8", "replace") for one in rest]
        try:
            return self._client.execute_command(name, *encoded)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            code = _CODES.get(type(error).__name__)
            text = str(error)
            return hiredis.ReplyError(
                f"{code} {text}" if code and not text.startswith(code) else text
            )
        except RedisError as error:
            raise NoAnswer(str(error)) from error
