"""Which actors are paused, as the store has it for all processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from actors.dedup_store.commands import Commands
from actors.dedup_store.exchange import Exchange
from actors.store import StoreUnavailable
from runtime.pause import Pauses

_TRY_AGAIN_S = 1.0


class KeptPauses:
    """Reads which pauses are kept, for one incarnation of DedupStore, and has them followed.

    Nothing is asked as long as nobody says that there may be a change.

    Args:
        exchange: asks the store.
        commands: the namespace.
        pauses: told what the store has.
        sleep: waits, as :meth:`runtime.actor.Context.sleep`.
    """

    def __init__(
        self,
        exchange: Exchange,
        commands: Commands,
        pauses: Pauses,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._exchange = exchange
        self._commands = commands
        self._pauses = pauses
        self._sleep = sleep
        self._wanted = trio.Event()

    def want(self) -> None:
        """There may be a change."""
        self._wanted.set()

    async def read(self) -> None:
        """Read them now, and have them followed. Cancelled: nothing changes.

        Raises:
            StoreUnavailable: they could not be read.
        """
        names = await self._exchange.ask_one(self._commands.read_paused())
        self._pauses.follow(frozenset(names))

    async def run(self) -> None:
        """Read them whenever there may be a change, for ever. Cancelled: nothing changes."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            try:
                await self.read()
            except StoreUnavailable:
                # The dispatcher, or whoever asks for something, tells of it.
                self.want()
                await self._sleep(_TRY_AGAIN_S)
