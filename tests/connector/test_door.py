"""What does not come through the door, on the virtual clock: the ASGI application alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import trio
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)
from trio.testing import MockClock

from connector.callers import MOST_FAILURES, Failures
from connector.door import (
    BODY_WITHIN_S,
    MOST_BODIES_BYTES,
    MOST_HEADERS,
    MOST_OTHER_BYTES,
    Door,
    Rules,
)
from connector.refusals import TELL_EVERY_S, Refusals
from runtime.networks import parse_networks
from tests.support.silence import Silence

MOST_BYTES = 1_000_000
Headers = Sequence[tuple[bytes, bytes]]


@dataclass
class Inside:
    """What is behind the door: remembers what it saw, and answers with ``status``."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    release: trio.Event | None = None

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        event = await receive()
        assert event["type"] == "http.request"
        assert not event["more_body"]
        self.bodies.append(event["body"])
        if self.release is not None:
            await self.release.wait()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Log(Silence):
    """Remembers what was told at warning."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def warning(self, event: str, **fields: object) -> None:
        self.told.append(fields)


class Street:
    """Where callers come from: a door, and what was counted and told."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.inside = Inside()
        self.counted: Counter[str] = Counter()
        self.log = Log()
        refusals = Refusals(lambda reason: self.counted.update([reason]), self.log)
        self.door = Door(self.inside, rules or Rules(MOST_BYTES), Failures(), refusals)

    async def call(
        self,
        *parts: bytes,
        path: str = "/webhook",
        headers: Headers = (),
        peer: str = "10.0.0.1",
        drip_s: float = 0.0,
    ) -> int:
        """The status that is answered to a body that comes in parts; 0 if there is none."""
        statuses: list[int] = []
        coming = [*parts] or [b""]

        async def receive() -> ASGIReceiveEvent:
            await trio.sleep(drip_s)
            if not coming:
                await trio.sleep_forever()
            body = coming.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(coming)}

        async def send(event: ASGISendEvent) -> None:
            await trio.lowlevel.checkpoint()
            if event["type"] == "http.response.start":
                statuses.append(event["status"])

        await self.door(make_scope(path, headers, peer), receive, send)
        return statuses[0] if statuses else 0


def make_scope(path: str, headers: Headers, peer: str) -> HTTPScope:
    """A POST as hypercorn describes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.1"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8080),
        "state": {},  # type: ignore[typeddict-item]
        "extensions": {},
    }


async def test_a_whole_request_comes_through_as_it_is() -> None:
    """However many parts it came in."""
    street = Street()
    assert await street.call(b"a" * 70_000, b"b", b"") == 200
    assert street.inside.bodies == [b"a" * 70_000 + b"b"]
    assert not street.counted


@pytest.mark.parametrize(
    ("headers", "parts", "status", "reason"),
    [
        ([(b"content-length", b"%d" % (MOST_BYTES + 1))], [b""], 413, "too_large"),
        ([(b"content-length", b"9" * 5000)], [b""], 413, "too_large"),
        ([], [b"a" * 65_536] * 17, 413, "too_large"),
        ([(b"x", b"y")] * (MOST_HEADERS + 1), [b""], 431, "headers"),
        ([(b"x", b"y" * 17_000)], [b""], 431, "headers"),
        (
            [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
            [b"abc"],
            400,
            "ambiguous_length",
        ),
    ],
)
async def test_what_is_too_much_or_ambiguous_is_refused_unseen(
    headers: Headers, parts: list[bytes], status: int, reason: str
) -> None:
    """Each with its status, counted by its reason."""
    street = Street()
    assert await street.call(*parts, headers=headers) == status
    assert street.counted == {reason: 1}
    assert street.inside.bodies == []


@pytest.mark.parametrize("path", ["*", "http://[::1/webhook", "http://x/webhook", ""])
async def test_a_target_that_is_no_path_is_refused(path: str) -> None:
    """Those behind the door read paths only."""
    street = Street()
    assert await street.call(b"{}", path=path) == 400
    assert street.counted == {"target": 1}


async def test_only_a_webhook_may_be_large() -> None:
    """Nothing else that is asked for has a body of such a size."""
    street = Street()
    body = b"a" * (MOST_OTHER_BYTES + 1)
    assert await street.call(body, path="/health") == 413
    assert await street.call(body) == 200


async def test_a_body_that_drips_is_cut_off_after_a_fixed_time(autojump_clock: MockClock) -> None:
    """A byte a second is no silence, and ends all the same; with a status that is repeated."""
    street = Street()
    assert await street.call(*[b"a"] * 60, drip_s=1.0) == 503
    assert trio.current_time() <= BODY_WITHIN_S + 1.0
    assert street.counted == {"slow_body": 1}


async def test_many_large_slow_bodies_keep_no_small_one_out(autojump_clock: MockClock) -> None:
    """The largest that is not whole yet goes first: memory is bounded, and nobody honest waits."""
    street = Street()
    answers: list[int] = []

    async def attack() -> None:
        answers.append(await street.call(*[b"x" * 60_000] * 16, b"", drip_s=0.3))

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(attack)
        for _ in range(40):
            await trio.sleep(0.1)
            assert await street.call(b"{}") == 200
            assert sum(one.size for one in street.door._bodies._held) <= MOST_BODIES_BYTES
    assert street.counted["no_room"] > 10
    assert len(answers) == 40


async def test_an_address_outside_the_allowed_networks_is_refused() -> None:
    """Before its body is read; the other paths are open to all."""
    street = Street(Rules(MOST_BYTES, allow=parse_networks("192.0.2.0/24, 2001:db8::/32")))
    assert await street.call(b"{}", peer="192.0.2.7") == 200
    assert await street.call(b"{}", peer="2001:db8::7") == 200
    assert await street.call(b"{}", peer="198.51.100.1") == 403
    assert await street.call(b"", peer="198.51.100.1", path="/livez") == 200
    spoofed = [(b"x-forwarded-for", b"192.0.2.7")]
    assert await street.call(b"{}", peer="198.51.100.1", headers=spoofed) == 403
    assert street.counted == {"forbidden_address": 2}


BEHIND = Rules(MOST_BYTES, proxies=parse_networks("10.0.0.0/8"))
GENESYS = [(b"x-forwarded-for", b"192.0.2.1")]
STRANGER = [(b"x-forwarded-for", b"192.0.2.1, 198.51.100.1")]


async def test_an_address_whose_requests_keep_failing_is_turned_away_unread() -> None:
    """And nobody else, although all come through one proxy, and it names another one first."""
    street = Street(BEHIND)
    street.inside.status = 401
    for _ in range(MOST_FAILURES):
        assert await street.call(b"{}", headers=STRANGER) == 401
    street.inside.status = 200
    assert await street.call(b"{}", headers=STRANGER) == 429
    assert await street.call(b"{}", headers=GENESYS) == 200
    assert await street.call(b"", headers=STRANGER, path="/health") == 200
    assert street.counted == {"too_many_failures": 1}


async def test_genesys_is_never_limited_however_much_it_sends() -> None:
    """What succeeds is not counted, and who has succeeded is not limited."""
    street = Street(BEHIND)
    for _ in range(20 * MOST_FAILURES):
        assert await street.call(b"{}", headers=GENESYS) == 200
    street.inside.status = 401
    for _ in range(2 * MOST_FAILURES):
        assert await street.call(b"{}", headers=GENESYS) == 401


async def test_nobody_is_limited_where_callers_cannot_be_told_apart() -> None:
    """Behind a proxy that is not named, Genesys has the same address as everybody else."""
    street = Street()
    street.inside.status = 401
    for _ in range(2 * MOST_FAILURES):
        assert await street.call(b"{}", headers=STRANGER) == 401


async def test_a_store_that_is_away_is_no_failure_of_the_caller() -> None:
    """503 is our fault: Genesys must come again."""
    street = Street(BEHIND)
    street.inside.status = 503
    for _ in range(2 * MOST_FAILURES):
        assert await street.call(b"{}", headers=GENESYS) == 503


async def test_refusals_are_all_counted_and_seldom_told(autojump_clock: MockClock) -> None:
    """An attack does not fill the log: each reason once a minute, with how many there were."""
    street = Street()
    for _ in range(100):
        await street.call(b"", headers=[(b"x", b"y" * 17_000)])
    assert street.counted == {"headers": 100}
    assert street.log.told == [{"reason": "headers", "count": 1, "latest": "10.0.0.1"}]
    await trio.sleep(TELL_EVERY_S)
    await street.call(b"", headers=[(b"x", b"y" * 17_000)])
    assert street.log.told[1]["count"] == 100
