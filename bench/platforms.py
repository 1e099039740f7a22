"""Both stand-ins in a process of their own: ``python -m bench.platforms``.

It prints the port that it listens on. ``/bench/...`` is for whoever measures: ``held`` answers when
the first request of the held kind has come, ``release`` lets them go, ``finished`` answers when all
that is expected has come, and ``report`` says what came so far. ``mention`` and ``message`` have a
customer write, by its ``number``, and ``waits`` says how long each of these took to be ingested.
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
        others: how many messages of customers are expected besides.
        contacts: how many contacts are expected.
        hold: calls of this XRPC name, or with this path, wait until they are released.
    """

    def __init__(
        self, mentions: int, answers: int, others: int, contacts: int, hold: str | None
    ) -> None:
        self._bluesky = Bluesky(mentions)
        self._bluesky.expect_answers(answers)
        self._genesys = Genesys()
        self._expected = mentions + others, answers, contacts
        self._hold = hold
        self._held, self._released, self._finished = trio.Event(), trio.Event(), trio.Event()
        self._released_at: float | None = None
        self._finished_at: float | None = None
        self._unknown: list[str] = []

    async def answer(self, request: Request) -> Answer:
        """Answer anything."""
        if request.path.startswith("/bench/"):
            return await self._control(request.path.removeprefix("/bench/"), request)
        name = request.path.removeprefix(_XRPC)
        if name == self._hold:
            self._held.set()
            await self._released.wait()
        if request.path.startswith(_XRPC):
            answer = self._bluesky.answer(name, request)
        else:
            answer = self._genesys.answer(request)
            self._look_if_finished()
        if answer is None:
            self._unknown.append(f"{request.method} {request.path}")
            return Answer(encode({"error": "MethodNotImplemented", "message": ""}), _UNKNOWN)
        return answer

    async def _control(self, command: str, request: Request) -> Answer:
        match command:
            case "held":
                await self._held.wait()
            case "release":
                self._released_at = time.perf_counter()
                self._released.set()
            case "finished":
                await self._finished.wait()
            case "mention":
                self._bluesky.write_mention(int(request.query["number"][0]))
            case "message":
                self._bluesky.write_directly(int(request.query["number"][0]))
            case "waits":
                return Answer(encode(self._tell_waits(float(request.query["interval_s"][0]))))
            case "report":
                return Answer(encode(self._report()))
            case _:
                return Answer(encode({}), _UNKNOWN)
        return Answer()

    def _tell_waits(self, interval_s: float) -> Json:
        """How long it took to ingest each message from when it was listed, or was to be listed."""
        shown_at, came_at = self._bluesky.shown_at, self._genesys.came_at
        written = self._bluesky.written_at.items()
        return {text: came_at[text] - min(shown_at[text], at + interval_s) for text, at in written}

    def _look_if_finished(self) -> None:
        genesys = self._genesys
        came = len(genesys.ingested), len(genesys.receipts), len(genesys.contacts)
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
            "contacts": self._genesys.contacts,
            "bulk_requests": self._genesys.bulk_requests,
            "unknown": self._unknown,
        }


@click.command()
@click.option("--mentions", default=0)
@click.option("--answers", default=0)
@click.option("--others", default=0)
@click.option("--contacts", default=0)
@click.option("--hold", default=None)
def main(mentions: int, answers: int, others: int, contacts: int, hold: str | None) -> None:
    """Serve until killed."""
    trio.run(_run, Platforms(mentions, answers, others, contacts, hold))


async def _run(platforms: Platforms) -> None:
    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(serve, platforms.answer)
        click.echo(port)


if __name__ == "__main__":
    main()
