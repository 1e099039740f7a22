"""What strangers name is fetched from where they say, or not at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from actors.media.addresses import is_public, resolve_host
from actors.media.decoding import make_decoder
from actors.media.fetcher import Fetcher, make_http
from actors.media.fetching import Wanted
from runtime.errors import Rejected, Retryable
from tests.media.server import ByteServer, Send, make_contexts, open_server

IMAGES = Wanted(("image/",), most_bytes=1000, within_s=5.0)
LOOPBACK = ("127.0.0.1",)


class Names:
    """A resolver that answers as it is told; the last answer stays."""

    def __init__(self, **answers: list[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): found for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        await trio.lowlevel.checkpoint()
        found = self.answers.get(host)
        if found is None:
            return await resolve_host(host, port)
        return found.pop(0) if len(found) > 1 else found[0]


@asynccontextmanager
async def open_fetcher(
    *, allow_private: bool = True, names: Names | None = None
) -> AsyncIterator[tuple[Fetcher, ByteServer]]:
    async with open_server() as server, make_http("tests") as http:
        allowed = LOOPBACK if allow_private else ()
        yield Fetcher(http, resolve=names or Names(), admit=allowed.__contains__), server


async def refuse(fetcher: Fetcher, url: str, wanted: Wanted = IMAGES) -> str:
    """The code with which an address is refused."""
    with pytest.raises(Rejected) as caught:
        await fetcher.fetch(url, wanted)
    return caught.value.code


async def test_what_is_there_comes_with_its_type() -> None:
    """The content, and what its sender calls it."""
    async with open_fetcher() as (fetcher, server):
        server.answer("/a.png?key=1", b"pixels", content_type='Image/PNG; charset="UTF-8"')
        found = await fetcher.fetch(f"http://127.0.0.1:{server.port}/a.png?key=1#x", IMAGES)
    assert (found.content, found.media_type, found.charset) == (b"pixels", "image/png", "utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "nonsense", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_on_the_internet_is_known(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, and those hidden in IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_on_the_internet_is_known(address: str) -> None:
    """In both versions, and of one in the other."""
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"],
)
async def test_loopback_is_refused_in_every_notation(host: str) -> None:
    """Nothing is sent there."""
    async with open_fetcher(allow_private=False) as (fetcher, server):
        server.answer("/", b"secret", content_type="image/png")
        for scheme in ("http", "https"):
            assert await refuse(fetcher, f"{scheme}://{host}:{server.port}/") == "address"
    assert server.requests == []


async def test_a_name_with_one_private_address_is_refused() -> None:
    """Whatever stands beside it."""
    names = Names(both_test=[["93.184.216.34", "10.0.0.1"]])
    async with open_fetcher(allow_private=False, names=names) as (fetcher, _):
        assert await refuse(fetcher, "https://both.test/") == "address"


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "data:,x",
        "https://", "https://user:word@1.1.1.1/", "//1.1.1.1/", "nonsense", "", "https://[::1",
        "https://a b/", "https://1.1.1.1:99999/", "https://" + "a" * 64 + ".test/",
    ],
)  # fmt: skip
async def test_only_plain_https_addresses_are_fetched(url: str) -> None:
    """Even if private ones are allowed."""
    for allow_private in (False, True):
        async with open_fetcher(allow_private=allow_private) as (fetcher, _):
            assert await refuse(fetcher, url) == "address"


async def test_a_redirection_to_a_private_address_is_refused() -> None:
    """Each step is checked like the first."""
    async with open_fetcher() as (fetcher, server):
        for place in ("10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.1.2.3]"):
            server.answer("/", status=302, location=f"https://{place}/secret")
            assert await refuse(fetcher, f"http://127.0.0.1:{server.port}/") == "address"


async def test_the_address_that_was_checked_is_the_one_that_is_used(tmp_path: Path) -> None:
    """A name that is somewhere else a moment later (DNS rebinding) is asked for once."""
    server_tls, client_tls = make_contexts(tmp_path, "files.test")
    names = Names(files_test=[LOOPBACK, ["192.0.2.1"]])
    async with open_server(server_tls) as server, make_http("tests", verify=client_tls) as http:
        server.answer("/a", b"pixels", content_type="image/png")
        fetcher = Fetcher(http, resolve=names, admit=LOOPBACK.__contains__)
        found = await fetcher.fetch(f"https://files.test:{server.port}/a", IMAGES)
    assert found.content == b"pixels"
    assert names.asked == ["files.test"]
    assert server.names == ["files.test"]
    assert f"host: files.test:{server.port}\r\n" in server.requests[0]


async def test_the_certificate_is_that_of_the_name(tmp_path: Path) -> None:
    """Not of whatever stands at the address; and no connection serves two names."""
    server_tls, client_tls = make_contexts(tmp_path, "files.test")
    names = Names(files_test=[LOOPBACK], other_test=[LOOPBACK])
    async with open_server(server_tls) as server, make_http("tests", verify=client_tls) as http:
        server.answer("/a", b"pixels", content_type="image/png")
        fetcher = Fetcher(http, resolve=names, admit=LOOPBACK.__contains__)
        await fetcher.fetch(f"https://files.test:{server.port}/a", IMAGES)
        with pytest.raises(Retryable, match="ConnectError"):
            await fetcher.fetch(f"https://other.test:{server.port}/a", IMAGES)
    assert len(server.requests) == 1


async def test_redirections_are_followed_five_times() -> None:
    """And then no more."""
    async with open_fetcher() as (fetcher, server):
        for step in range(7):
            server.answer(f"/{step}", status=302, location=f"/{step + 1}")
        server.answer("/5", b"pixels", content_type="image/png")
        base = f"http://127.0.0.1:{server.port}"
        assert (await fetcher.fetch(f"{base}/0", IMAGES)).url == f"{base}/5"
        server.answer("/5", status=307, location="/6")
        server.answer("/6", b"pixels", content_type="image/png")
        assert await refuse(fetcher, f"{base}/0") == "redirects"
        server.answer("/0", status=302)
        assert await refuse(fetcher, f"{base}/0") == "redirects"
        server.answer("/0", status=302, location="file:///etc/passwd")
        assert await refuse(fetcher, f"{base}/0") == "address"


async def test_something_endless_is_cut_off() -> None:
    """No more is read than is wanted, whether its length is told or not."""
    sent = 0

    async def flood(send: Send) -> None:
        nonlocal sent
        await send(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n")
        while True:
            await send(b"x" * 1000)
            sent += 1000

    async with open_fetcher() as (fetcher, server):
        server.plays["/"] = flood
        url = f"http://127.0.0.1:{server.port}/"
        assert await refuse(fetcher, url) == "size"
        found = await fetcher.fetch(url, Wanted(("image/",), 1500, 5.0, cut=True))
        assert found.content == b"x" * 1500
        server.answer("/", b"x" * 1000, content_type="image/png")
        assert len((await fetcher.fetch(url, IMAGES)).content) == 1000
        server.answer("/", b"x" * 1001, content_type="image/png")
        assert await refuse(fetcher, url) == "size"
    assert sent < 30_000_000  # what fits in the buffers of the sockets


async def test_something_slow_is_given_up() -> None:
    """However often a little comes, the time for all of it is limited."""

    async def trickle(send: Send) -> None:
        await send(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n")
        while True:
            await send(b"x")
            await trio.sleep(0.02)

    async def nothing(_send: Send) -> None:
        await trio.sleep_forever()

    async with open_fetcher() as (fetcher, server):
        for play in (trickle, nothing):
            server.plays["/"] = play
            with pytest.raises(Retryable, match="not fetched within"):
                await fetcher.fetch(
                    f"http://127.0.0.1:{server.port}/", Wanted(("image/",), 1000, 0.2)
                )


@pytest.mark.parametrize("name", ["gzip", "deflate"])
async def test_what_is_compressed_is_unpacked_no_further_than_wanted(name: str) -> None:
    """A bomb of 50 MB in 50 kB stops after the first kilobyte."""
    pack = gzip.compress if name == "gzip" else zlib.compress
    async with open_fetcher() as (fetcher, server):
        url = f"http://127.0.0.1:{server.port}/"
        server.answer("/", pack(b"pixels"), content_type="image/png", content_encoding=name)
        assert (await fetcher.fetch(url, IMAGES)).content == b"pixels"
        bomb = pack(bytes(50_000_000))
        assert len(make_decoder(name)(bomb, 1001)) == 1001
        server.answer("/", bomb, content_type="image/png", content_encoding=name)
        assert await refuse(fetcher, url) == "size"
        server.answer("/", b"no such thing", content_type="image/png", content_encoding=name)
        assert await refuse(fetcher, url) == "encoding"
        server.answer("/", b"?", content_type="image/png", content_encoding="br")
        assert await refuse(fetcher, url) == "encoding"
    assert "accept-encoding: identity" in server.requests[0]


@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "imagery/png", "", "image"])
async def test_another_type_is_refused(media_type: str) -> None:
    """Before anything of it is read."""
    async with open_fetcher() as (fetcher, server):
        server.answer("/", b"pixels", content_type=media_type)
        assert await refuse(fetcher, f"http://127.0.0.1:{server.port}/") == "type"


async def test_a_failure_is_told_by_what_to_do_next() -> None:
    """What is gone stays gone; a server in trouble may be asked again."""
    async with open_fetcher() as (fetcher, server):
        url = f"http://127.0.0.1:{server.port}/"
        for status in (204, 304, 401, 403, 404, 410):
            server.answer("/", status=status)
            assert await refuse(fetcher, url) == ("unauthorized" if status == 401 else "status")
        for status in (429, 500, 503):
            server.answer("/", status=status)
            with pytest.raises(Retryable):
                await fetcher.fetch(url, IMAGES)

        async def break_off(send: Send) -> None:
            await send(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 9\r\n\r\nab")

        server.plays["/broken"] = break_off
        with pytest.raises(Retryable):
            await fetcher.fetch(f"{url}broken", IMAGES)
        with pytest.raises(Retryable):
            await fetcher.fetch("https://no-such-name.invalid/", IMAGES)


async def test_errors_do_not_tell_the_path() -> None:
    """It may hold a key."""
    async with open_fetcher() as (fetcher, server):
        server.answer("/k?signature=hush", status=404)
        with pytest.raises(Rejected) as caught:
            await fetcher.fetch(f"http://127.0.0.1:{server.port}/k?signature=hush", IMAGES)
    assert "hush" not in str(caught.value)


async def test_a_signature_is_asked_for_at_each_step() -> None:
    """What is due to one address does not go to the next."""
    names = Names(ours_test=[LOOPBACK], theirs_test=[LOOPBACK])

    async def sign(url: str) -> dict[str, str]:
        return {"Authorization": "Bearer token"} if "//ours.test" in url else {}

    async with open_fetcher(names=names) as (fetcher, server):
        to = f"http://theirs.test:{server.port}/there"
        server.answer("/here", status=302, location=to)
        server.answer("/there", b"pixels", content_type="image/png")
        await fetcher.fetch(f"http://ours.test:{server.port}/here", IMAGES, sign)
    assert "authorization: bearer token" in server.requests[0]
    assert "authorization" not in server.requests[1]
