"""A poller's requests: at the actor's own rate, and several at once where that helps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from actors.bluesky.client import Bluesky, Parameters
from actors.messages import Json
from runtime.actor import Context
from runtime.errors import Fault, Retryable

V = TypeVar("V")
R = TypeVar("R")

PATIENCE = 3
"""How often in a row Bluesky may fail in the middle of something long before it is given up."""


class PacedBluesky:
    """:class:`Bluesky` at one actor's rate; each answer is a sign of life of the actor."""

    def __init__(self, bluesky: Bluesky, context: Context) -> None:
        self._bluesky = bluesky
        self._context = context

    async def did(self) -> str:
        """The account's DID."""
        return await self._bluesky.did()

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """An XRPC query. If cancelled, nothing has happened."""
        await self._context.acquire()
        answer = await self._bluesky.query(nsid, parameters, chat=chat)
        self._context.progress()
        return answer

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """An XRPC procedure. If cancelled, it may have taken effect."""
        await self._context.acquire()
        answer = await self._bluesky.procedure(nsid, body, chat=chat)
        self._context.progress()
        return answer


async def map_together(
    function: Callable[[V], Awaitable[R]], values: Sequence[V], *, limit: int
) -> list[R]:
    """Apply ``function`` to all values, ``limit`` at a time; the results in the values' order.

    The first :class:`Fault` cancels the rest and is raised as it is, so that the caller sees what
    to do next. If cancelled, all are cancelled.
    """
    waiting = iter(enumerate(values))
    results: dict[int, R] = {}
    faults: list[Fault] = []

    async def work(scope: trio.CancelScope) -> None:
        for position, value in waiting:
            try:
                results[position] = await function(value)
            except Fault as fault:
                faults.append(fault)
                scope.cancel()

    async with trio.open_nursery() as nursery:
        for _ in range(min(limit, len(values))):
            nursery.start_soon(work, nursery.cancel_scope)
    if faults:
        raise faults[0]
    return [results[position] for position in range(len(values))]


async def look_ahead(work: Callable[[], Awaitable[None]], look: Callable[[], Awaitable[R]]) -> R:
    """Do both at once, and return what comes of ``look``.

    A :class:`Fault` of the work is raised at once; one of looking, when the work is done: it takes
    nothing from what was found before. If cancelled, both are.
    """
    outcomes: list[R | Fault] = []

    async def attempt() -> None:
        try:
            outcomes.append(await look())
        except Fault as fault:
            outcomes.append(fault)

    await map_together(lambda job: job(), [work, attempt], limit=2)
    (outcome,) = outcomes
    if isinstance(outcome, Fault):
        raise outcome
    return outcome


async def patiently(context: Context, ask: Callable[[], Awaitable[R]]) -> R:
    """Ask Bluesky in the middle of something long, and wait while it is in trouble.

    A backlog may take more requests than the server allows at a time: were the whole begun anew at
    each refusal, it would never come to its end. If cancelled, nothing has happened.

    Raises:
        Retryable: Bluesky failed more often in a row than there is patience.
        AuthRejected, Rejected, Malformed: as ``ask`` does, at once.
    """
    troubles = 0
    while True:
        try:
            answer = await ask()
        except Retryable as error:
            if troubles == PATIENCE:
                raise
            troubles += 1
            await context.back_off(error)
        else:
            if troubles:
                context.succeeded(0)
            return answer
