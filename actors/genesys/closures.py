"""Endpoints that are refused to the connector until a person mends something."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import trio

from runtime.actor import Context
from runtime.errors import AuthRejected, Retryable


class EndpointRefused(Retryable):
    """This endpoint is not to be called for a while; the others may work."""


@dataclass(frozen=True, slots=True)
class _Closure:
    error: AuthRejected
    until: float


class Closures:
    """Remembers which endpoints are refused, so that they hold up no other, and shows it.

    Shared by the units of one actor. It belongs to whoever puts the house together, and outlives
    the incarnations of the actor.
    """

    def __init__(self) -> None:
        self._closures: dict[str, _Closure] = {}
        self._changed = trio.Event()

    @property
    def error(self) -> AuthRejected | None:
        """What a person should mend: all that was refused and has not been taken since."""
        errors = [closure.error for closure in self._closures.values()]
        if len(errors) < 2:
            return errors[0] if errors else None
        actions = dict.fromkeys(error.action for error in errors if error.action)
        return AuthRejected("; ".join(map(str, errors)), action=" ".join(actions))

    def find(self, path: str, rng: random.Random) -> EndpointRefused | None:
        """Why not to call this endpoint now, and when to try; ``None`` if it may be called."""
        closure = self._closures.get(path)
        left_s = closure.until - trio.current_time() if closure is not None else 0.0
        if closure is None or left_s <= 0:
            return None
        after_s = left_s * rng.uniform(1.0, 1.5)
        return EndpointRefused(str(closure.error), after_s=after_s, action=closure.error.action)

    def close(self, path: str, error: AuthRejected, for_s: float) -> EndpointRefused:
        """Remember a refusal for so many seconds; then the endpoint may be tried again."""
        before = self._closures.get(path)
        self._closures[path] = _Closure(error, trio.current_time() + for_s)
        if before is None or before.error.action != error.action:
            self._tell()
        return EndpointRefused(str(error), after_s=for_s, action=error.action)

    def open(self, path: str) -> None:
        """The endpoint took something."""
        if self._closures.pop(path, None) is not None:
            self._tell()

    async def show(self, context: Context) -> None:
        """Show ``failed``, and what to mend, as long as anything is refused. Never returns."""
        shown: AuthRejected | None = None
        while True:
            before, shown = shown, self.error
            if before is not None and shown is None:
                context.succeeded(0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_dwell, context, shown)
                await self._changed.wait()
                nursery.cancel_scope.cancel()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


async def _dwell(context: Context, error: AuthRejected | None) -> None:
    while error is not None:
        await context.back_off(error)
    await context.sleep(math.inf)
