"""Makes an actor crash on purpose, for those who want to see what happens then."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import trio

from runtime.actor import ActorSpec, Context, Handles, HandlesBatch, Runs


class CrashOrderedError(Exception):
    """Somebody wanted to see the actor crash."""


class Crasher:
    """Arms actors: an armed one raises at its next message or, if it runs by itself, at once."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._armed: defaultdict[str, trio.Event] = defaultdict(trio.Event)

    def alter(self, spec: ActorSpec[Any]) -> ActorSpec[Any]:
        """The same actor, but one that can be armed."""
        self._names.add(spec.name)

        def create(context: Context) -> object:
            return self._make_fragile(spec.name, spec.create(context))

        return dataclasses.replace(spec, create=create)

    def crash(self, name: str) -> bool:
        """Arm an actor. Returns whether there is one of this name."""
        if name not in self._names:
            return False
        self._armed[name].set()
        return True

    def _make_fragile(self, name: str, actor: object) -> object:
        fragile = SimpleNamespace()
        if isinstance(actor, Runs):
            fragile.run = self._interrupt(name, actor.run)
        if isinstance(actor, HandlesBatch):
            fragile.handle_batch = self._refuse(name, actor.handle_batch)
        elif isinstance(actor, Handles):
            fragile.handle = self._refuse(name, actor.handle)
        return fragile

    def _refuse(
        self, name: str, handle: Callable[[Any], Awaitable[None]]
    ) -> Callable[[Any], Awaitable[None]]:
        async def handle_or_crash(work: object) -> None:
            if self._armed[name].is_set():
                self._fall(name)
            await handle(work)

        return handle_or_crash

    def _interrupt(
        self, name: str, run: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        async def wait_and_fall() -> None:
            # When it gets to run, a message may have made the actor fall already.
            while not self._armed[name].is_set():
                await self._armed[name].wait()
            self._fall(name)

        async def run_or_crash() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait_and_fall)
                await run()
                nursery.cancel_scope.cancel()

        return run_or_crash

    def _fall(self, name: str) -> None:
        del self._armed[name]
        raise CrashOrderedError(f"{name} was told to crash")
