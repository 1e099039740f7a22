"""Both stand-ins in a process of their own: ``python -m bench.platforms``.

It prints the port that it listens on. ``/bench/...`` is for whoever measures: ``held`` answers when
the first request of the held kind has come, ``release`` lets them go, ``finished`` answers when all
that is expected has come, and ``report`` says what came so far.
"""

from __future__ import annotations

import time

import click
import trio

from bench.bluesky import Bluesky
from bench.content import Json
from bench.genesys import Genesys
from bench.wire import Answer, Request, encode, serve

_XRPC = "/xrpc/"
_UNKNOWN = 501


class Platforms:
    """What both have taken in, and when.

    Args:
        mentions: how many wait on Bluesky, and are expected in Genesys.
        answers: how many answers of agents, and receipts for them, are expected.
        hold: XRPC calls of this name wait until they are released.
    """

    def __init__(self, mentions: int, answers: int, hold: str | None) -> None:
        self._bluesky = Bluesky(mentions)
        self._bluesky.expect_answers(answers)
        self._genesys = Genesys()
        self._expected = mentions, answers
        self._hold = hold
        self._held, self._released, self._finished = trio.Event(), trio.Event(), trio.Event()
        self._released_at: float | None = None
        self._finished_at: float | None = None
        self._unknown: list[str] = []

    async def answer(self, request: Request) -> Answer:
        """Answer anything."""
        if request.path.startswith("/bench/"):
            return await self._control(request.path.removeprefix("/bench/"))
        if request.path.startswith(_XRPC):
            nsid = request.path.removeprefix(_XRPC)
            if nsid == self._hold:
                self._held.set()
                await self._released.wait()
            answer = self._bluesky.answer(nsid, request)
        else:
            answer = self._genesys.answer(request)
            self._look_if_finished()
        if answer is None:
            self._unknown.append(f"{request.method} {request.path}")
            return Answer(encode({"error": "MethodNotImplemented", "message": ""}), _UNKNOWN)
        return answer

    async def _control(self, command: str) -> Answer:
        match command:
            case "held":
                await self._held.wait()
            case "release":
                self._released_at = time.perf_counter()
                self._released.set()
            case "finished":
                await self._finished.wait()
            case "report":
                return Answer(encode(self._report()))
            case _:
                return Answer(encode({}), _UNKNOWN)
        return Answer()

    def _look_if_finished(self) -> None:
        came = len(self._genesys.ingested), len(self._genesys.receipts)
        if self._finished_at is None and came == self._expected:
            self._finished_at = time.perf_counter()
            self._finished.set()

    def _report(self) -> Json:
        """Times are those of ``time.perf_counter``, which all processes of a machine share."""
        return {
            "released_at": self._released_at,
            "finished_at": self._finished_at,
            "ingested": self._genesys.ingested,
            "written": self._bluesky.written,
            "receipts": self._genesys.receipts,
            "bulk_requests": self._genesys.bulk_requests,
            "unknown": self._unknown,
        }


@click.command()
@click.option("--mentions", default=0)
@click.option("--answers", default=0)
@click.option("--hold", default=None)
def main(mentions: int, answers: int, hold: str | None) -> None:
    """Serve until killed."""
    trio.run(_run, Platforms(mentions, answers, hold))


async def _run(platforms: Platforms) -> None:
    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(serve, platforms.answer)
        click.echo(port)


if __name__ == "__main__":
    main()
