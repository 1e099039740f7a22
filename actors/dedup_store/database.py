"""One round trip to the server, whichever it is, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import trio

from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.connection import Answer, Arguments, NoAnswer, is_error, tell
from actors.dedup_store.gauge import StoreKind
from actors.dedup_store.scripts import Script, ScriptName
from actors.store import Deposed, StoreUnavailable
from runtime.errors import Effect, Rejected

# Answers that say something of the server, not of the command: any other would get them too.
# Old servers put the code of a command that a script made into the middle.
_AWAY = re.compile(
    r"(?:^|-)(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|BUSY|UNKILLABLE|MASTERDOWN|CLUSTERDOWN"
    r"|TRYAGAIN|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM|NOSCRIPT|DENIED)\b|limit exceeded"
    r"|^max number of clients"
)

_WHERE = re.compile(r" script: [0-9a-f]{40}, on @user_script:\d+\.$")
"""Where in a script it happened, as Redis 7 adds it: of no use to whoever has to mend it."""

_DEPOSED = "DEPOSED "
"""What ``depose`` in ``scripts/common.lua`` answers."""

_ACTIONS = {
    "OOM": "Give Redis more memory: its maxmemory is reached.",
    "READONLY": "Point REDIS_URL at the primary, not at a replica.",
    "MISCONF": "See the log of Redis: it cannot write to its disk.",
    "MOVED|ASK|CLUSTERDOWN": "Point REDIS_URL at a Redis that is no cluster.",
    "DENIED": "Set a password for Redis: without one it serves its own machine alone.",
    "max number of clients": "Raise maxclients of Redis, or let fewer clients connect.",
    "NOPERM": "Allow the user of REDIS_URL all commands on the connector's keys.",
    "NOAUTH|WRONGPASS|username-password|Authentication": "Correct REDIS_URL or REDIS_TOKEN.",
}


class Server(Protocol):
    """Whoever answers commands: a Redis, or what stands for one in this process."""

    async def ask(self, commands: Sequence[Arguments]) -> list[Answer]:
        """See :meth:`actors.dedup_store.pool.ConnectionPool.ask`."""

    async def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """See :meth:`actors.dedup_store.pool.ConnectionPool.listen`."""

    def close(self) -> None:
        """Let go of it. No round trip may be under way."""


class Database:
    """What commands become: answers, and errors that say what to do next.

    Args:
        server: whom to ask.
        scripts: loaded into the server whenever it does not have them.
        kind: as shown in ``/health``.
        warning: what to beware of although it works.
        explain: what else is known when it does not answer, or ``None``.
        alone_since: when no other process could be using the same data (monotonic seconds), or
            ``None`` if that is not known.
    """

    def __init__(
        self,
        server: Server,
        scripts: Mapping[ScriptName, Script],
        *,
        kind: StoreKind,
        warning: str | None = None,
        explain: Callable[[], str | None] = lambda: None,
        alone_since: float | None = None,
    ) -> None:
        self.kind = kind
        self.warning = warning
        self.alone_since = alone_since
        self._server = server
        self._scripts = tuple(scripts.values())
        self._explain = explain

    async def execute(self, commands: Sequence[Command]) -> list[Result]:
        """Send all commands together and read all answers, each a value or a
        :class:`runtime.errors.Fault`.

        All single reads are one command: a hosted Redis is paid by the command.

        If cancelled while it waits for a connection, nothing was sent; once sent, it does not
        yield to cancellation, so no answer is lost.

        Raises:
            StoreUnavailable: no answer came. Each command may have taken effect.
        """
        keys = [command.arguments[1] for command in commands if _reads_one(command)]
        if len(keys) < 2:
            return await self._carry_out(commands)
        others = [command for command in commands if not _reads_one(command)]
        *results, read = await self._carry_out([*others, Command(("MGET", *keys), reads=True)])
        found = iter(read if isinstance(read, list) else [read] * len(keys))
        rest = iter(results)
        return [next(found if _reads_one(command) else rest) for command in commands]

    async def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """Call ``hear`` with each text that is published on a channel, and first with nothing.

        Costs the server one command. Returns at once where there is nobody else to be heard. May
        be cancelled at any time.

        Raises:
            StoreUnavailable: nothing more is to be heard.
        """
        try:
            await self._server.listen(channel, hear)
        except NoAnswer as error:
            raise self._make_unavailable(str(error), Effect.NOT_DONE) from error

    def close(self) -> None:
        """Close all connections. No round trip may be under way."""
        self._server.close()

    async def _carry_out(self, commands: Sequence[Command]) -> list[Result]:
        try:
            results = await self._round_trip(commands)
            missing = {at for at, result in enumerate(results) if _is_no_script(result)}
            if missing:
                # What was read beside a missing script was read too early.
                early = {at for at, command in enumerate(commands) if command.reads}
                again = sorted(missing | early)
                # What the others answered is somebody's already.
                with trio.CancelScope(shield=True):
                    fresh = await self._round_trip([commands[at] for at in again], scripts=True)
                for at, result in zip(again, fresh, strict=True):
                    results[at] = result
        except NoAnswer as error:
            raise self._make_unavailable(str(error), Effect.UNKNOWN) from error
        return [self._translate(result) for result in results]

    async def _round_trip(
        self, commands: Sequence[Command], *, scripts: bool = False
    ) -> list[Result]:
        """Ask these; with ``scripts``, load all that there are before."""
        texts = [script.text for script in self._scripts] if scripts else []
        loading = [("SCRIPT", "LOAD", text) for text in texts]
        answers = await self._server.ask([*loading, *(command.arguments for command in commands)])
        return answers[len(loading) :]

    def _translate(self, result: Result) -> Result:
        if not is_error(result):
            return result
        text = _WHERE.sub("", tell(result))
        if text.startswith(_DEPOSED):
            return Deposed("another process leads")
        if _AWAY.search(text):
            return self._make_unavailable(text, Effect.NOT_DONE)
        return Rejected("StoreRefused", f"Redis refused a request: {text}")

    def _make_unavailable(self, reason: str, effect: Effect) -> StoreUnavailable:
        known = self._explain()
        if known is not None:
            reason = f"{known} ({reason})"
        actions = (
            action for sign, action in _ACTIONS.items() if re.search(rf"\b(?:{sign})\b", reason)
        )
        return StoreUnavailable(reason, effect=effect, action=next(actions, None))


def _reads_one(command: Command) -> bool:
    return command.arguments[0] == "GET"


def _is_no_script(result: Result) -> bool:
    return is_error(result) and tell(result).startswith("NOSCRIPT")
