"""What a sandbox's faults promise to those who order them, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import trio
from quart import request
from quart_trio import QuartTrio

from sandbox.faults import (
    Delay,
    DropAfter,
    Faults,
    RateLimit,
    Refusal,
    Reset,
    Status,
    inject_faults,
)
from sandbox.serving import serve


def refuse(fault: Status | RateLimit) -> Refusal:
    match fault:
        case Status(status, error, message, headers):
            return Refusal(status, headers, f"{error}: {message}".encode())
        case RateLimit(retry_after_s):
            return Refusal(429, {"Retry-After": str(retry_after_s)}, b"slow down")


@dataclass
class Server:
    """A server that keeps what it was posted, behind faults."""

    faults: Faults = field(default_factory=Faults)
    kept: list[bytes] = field(default_factory=list)
    kept_one: trio.Event = field(default_factory=trio.Event)
    client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        app = QuartTrio("kept")

        @app.post("/<name>")
        async def keep(name: str) -> str:
            self.kept.append(await request.body)
            self.kept_one.set()
            return name

        async with (
            serve(inject_faults(app, self.faults, refuse)) as base_url,
            httpx.AsyncClient(base_url=base_url, timeout=5) as self.client,
        ):
            yield


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with server.run():
        yield server


async def test_a_status_is_answered_in_the_platforms_words_and_nothing_is_done(
    server: Server,
) -> None:
    server.faults.add("/a", Status(503, "Away", "gone fishing", {"X-Why": "fish"}))
    answer = await server.client.post("/a", content=b"1" * 200_000)
    assert (answer.status_code, answer.text) == (503, "Away: gone fishing")
    assert answer.headers["x-why"] == "fish"
    assert server.kept == []


async def test_a_rate_limit_names_the_time_to_wait(server: Server) -> None:
    server.faults.add("/a", RateLimit(retry_after_s=3))
    answer = await server.client.post("/a", content=b"1")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


async def test_drop_after_acts_and_loses_the_answer(server: Server) -> None:
    server.faults.add("/a", DropAfter())
    with pytest.raises(httpx.RemoteProtocolError):
        await server.client.post("/a", content=b"1")
    assert server.kept == [b"1"]
    assert (await server.client.post("/a", content=b"2")).text == "a"


async def test_reset_cuts_and_does_nothing(server: Server) -> None:
    server.faults.add("/a", Reset())
    with pytest.raises(httpx.ReadError):
        await server.client.post("/a", content=b"1" * 1_000_000)
    assert server.kept == []


async def test_delay_acts_even_when_the_caller_has_given_up(server: Server) -> None:
    server.faults.add("/a", Delay(0.2))
    with pytest.raises(httpx.ReadTimeout):
        await server.client.post("/a", content=b"1", timeout=0.05)
    assert server.kept == []
    with trio.fail_after(5):
        await server.kept_one.wait()
    assert server.kept == [b"1"]


async def test_a_fault_strikes_only_its_path_and_count(server: Server) -> None:
    server.faults.add("/a$", Status(), count=2)
    statuses = [
        (await server.client.post(path, content=b"")).status_code
        for path in ("/b", "/a", "/ab", "/a?x=1", "/a")
    ]
    assert statuses == [200, 500, 200, 500, 200]


def test_a_rule_skips_first_then_strikes_and_counts() -> None:
    faults = Faults()
    rule = faults.add("/a", Reset(), skip=1, count=2)
    taken = [faults.take("GET", "/a") for _ in range(4)]
    assert taken == [None, Reset(), Reset(), None]
    assert rule.hits == 2


def test_a_rule_for_one_method_leaves_the_others_alone() -> None:
    faults = Faults()
    faults.add("/a", Reset(), method="POST", count=None)
    assert faults.take("GET", "/a") is None
    assert faults.take("POST", "/a") == Reset()


def test_the_first_rule_that_strikes_decides_and_spares_the_others() -> None:
    faults = Faults()
    faults.add("/a", Reset())
    second = faults.add("/a", DropAfter())
    assert faults.take("POST", "/a") == Reset()
    assert second.hits == 0
    assert faults.take("POST", "/a") == DropAfter()


def test_a_removed_rule_strikes_no_more() -> None:
    faults = Faults()
    rule = faults.add("/a", Reset(), count=None)
    faults.remove(rule)
    assert faults.take("POST", "/a") is None
    faults.add("/a", Reset(), count=None)
    faults.clear()
    assert faults.rules == ()
