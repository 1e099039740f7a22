"""The attack, in a process of its own: what it sends, and what became of it.

    python -m tests.hostile.attacker ORDER

``ORDER`` is JSON: see :class:`Order`. Prints JSON: for each kind, how many ended in which way.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import trio

from actors.genesys.signature import make_signature

AT_ONCE = 24
LOITERS = 10
"""One in so many is a connection that does nothing, or as little as possible, to the end."""
LATEST = 500
"""So many of the webhooks that were captured last are sent again."""
PATIENCE_S = 30.0
DRIP_S = 0.5
_SIGNATURES = (
    b"",
    b"sha256=",
    b"sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    b"sha1=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    b"sha256=\xc3\xbc\xff",
    b"sha256=" + b"A" * 12_000,
    b"sha256=x\r\nX-Hub-Signature-256: sha256=y",
)
_NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 6000 + b"\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
    b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST http://[::1/webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 150 + b"content-length: 0\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 40_000 + b"\r\n\r\n",
    b"POST /%00/../webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to do.

    Args:
        port: of the connector, on this machine.
        count: how many hostile webhooks.
        rate: so many are begun in a second.
        seed: of what is drawn.
        captured: a file of authentic webhooks, a JSON array in each line, with signature and body
            first.
        secret: for those that are signed and yet not what they should be.
        addresses: how many callers a proxy in front would name; 0: there is none.
    """

    port: int
    count: int
    rate: float
    seed: str
    captured: str
    secret: str
    addresses: int

    def to_argument(self) -> str:
        """As it stands on the command line."""
        return json.dumps(asdict(self))


class Attacker:
    """Draws what to send, sends it, and notes how it ended."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._rng = random.Random(order.seed)  # noqa: S311 - to be repeated, not to be secret
        # A line that is written just now may be half a line.
        whole = Path(order.captured).read_text("ascii").rpartition("\n")[0]
        self._captured = whole.splitlines()[-LATEST:]
        self.ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._kinds: dict[str, tuple[int, Callable[[], Awaitable[str]]]] = {
            "wrong signature": (40, self._send_unsigned),
            "malformed HTTP": (15, self._send_no_http),
            "huge": (5, self._send_huge),
            "deep": (8, self._send_deep),
            "duplicate keys": (8, self._send_duplicate),
            "replayed": (24, self._replay),
        }

    async def run(self) -> None:
        """All of it."""
        order, limiter = self._order, trio.CapacityLimiter(AT_ONCE)
        async with trio.open_nursery() as loitering:
            async with trio.open_nursery() as nursery:
                for number in range(order.count):
                    if number % LOITERS == 0:
                        loitering.start_soon(self._loiter, number // LOITERS)
                    else:
                        name = self._draw_kind()
                        await limiter.acquire_on_behalf_of(ticket := object())
                        nursery.start_soon(self._act, name, limiter, ticket)
                    await trio.sleep(self._rng.uniform(0.0, 2.0 / order.rate))
            loitering.cancel_scope.cancel()

    def _draw_kind(self) -> str:
        weights = [weight for weight, _ in self._kinds.values()]
        (name,) = self._rng.choices(list(self._kinds), weights)
        return name

    async def _act(self, name: str, limiter: trio.CapacityLimiter, ticket: object) -> None:
        try:
            with trio.move_on_after(PATIENCE_S) as patience:
                self.ended[name][await self._kinds[name][1]()] += 1
            if patience.cancelled_caught:
                self.ended[name]["no answer"] += 1
        finally:
            limiter.release_on_behalf_of(ticket)

    async def _loiter(self, number: int) -> None:
        """Hold a connection: silent, in the headers, or in a large body that never ends."""
        kind = ("idle connections", "slow headers", "slow bodies")[number % 3]
        head = b"POST /webhook HTTP/1.1\r\nhost: x\r\n"
        first, drop = b"", b""
        if kind == "slow headers":
            first, drop = head, b"x: y\r\n"
        elif kind == "slow bodies":
            first, drop = head + b"content-length: 1000000\r\n\r\n", b"x" * 20_000
        ended = "held to the end"
        try:
            async with await trio.open_tcp_stream("127.0.0.1", self._order.port) as stream:
                await stream.send_all(first)
                with trio.move_on_after(PATIENCE_S):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(_drip, stream, drop)
                        await _read(stream)
                        ended = "cut off"
                        nursery.cancel_scope.cancel()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            ended = "cut off"
        finally:
            self.ended[kind][ended] += 1

    # --- what is sent ------------------------------------------------------------------------

    async def _send_unsigned(self) -> str:
        body = json.dumps({"id": f"hostile-{self._rng.random()}", "type": "Text", "text": "hi"})
        return await self._post(body.encode(), self._rng.choice(_SIGNATURES))

    async def _send_no_http(self) -> str:
        return await self._exchange(self._rng.choice(_NO_HTTP))

    async def _send_huge(self) -> str:
        if self._rng.random() < 0.5:
            head = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000000\r\n\r\n"
            return await self._exchange(head + b"x" * 100_000)
        head = b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        return await self._exchange(head + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 20)

    async def _send_deep(self) -> str:
        return await self._post_signed(b'{"a":' * 5_000 + b"1" + b"}" * 5_000)

    async def _send_duplicate(self) -> str:
        return await self._post_signed(b'{"id":"hostile","type":"Text","id":"hostile-2"}')

    async def _replay(self) -> str:
        if not self._captured:
            return await self._send_unsigned()
        signature, body, _ = json.loads(self._rng.choice(self._captured))
        return await self._post(body.encode("latin-1"), signature.encode("latin-1"))

    async def _post_signed(self, body: bytes) -> str:
        return await self._post(body, make_signature(body, self._order.secret).encode())

    async def _post(self, body: bytes, signature: bytes) -> str:
        head = b"POST /webhook HTTP/1.1\r\nhost: x\r\n"
        if self._order.addresses:
            number = self._rng.randrange(self._order.addresses)
            head += b"x-forwarded-for: 192.0.2.1, 198.51.100.%d\r\n" % number
        head += b"x-hub-signature-256: %b\r\ncontent-length: %d\r\n\r\n" % (signature, len(body))
        return await self._exchange(head + body)

    async def _exchange(self, sent: bytes) -> str:
        """The status of the answer, or that the connection was closed without one."""
        try:
            async with await trio.open_tcp_stream("127.0.0.1", self._order.port) as stream:
                with trio.move_on_after(PATIENCE_S):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(_send, stream, sent)
                        answer = await _read_some(stream)
                        nursery.cancel_scope.cancel()
        except (OSError, trio.BrokenResourceError):
            return "closed"
        return answer[9:12].decode("latin-1") if answer else "closed"


async def _send(stream: trio.SocketStream, data: bytes) -> None:
    try:
        await stream.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


async def _drip(stream: trio.SocketStream, part: bytes) -> None:
    while True:
        await trio.sleep(DRIP_S)
        await _send(stream, part)


async def _read_some(stream: trio.SocketStream) -> bytes:
    try:
        return bytes(await stream.receive_some())
    except trio.BrokenResourceError:
        return b""


async def _read(stream: trio.SocketStream) -> None:
    while await _read_some(stream):
        pass


def main() -> None:
    """Carry out the order on the command line."""
    attacker = Attacker(Order(**json.loads(sys.argv[1])))
    trio.run(attacker.run)
    json.dump({kind: dict(counts) for kind, counts in attacker.ended.items()}, sys.stdout)


if __name__ == "__main__":
    main()
