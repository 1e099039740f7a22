"""Agents' files are fetched with the token, and nobody else ever sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from actors.genesys.files import AgentFiles
from actors.genesys.token import TokenKeeper
from actors.media.fetcher import Fetcher, make_http
from actors.media.fetching import Wanted
from runtime.errors import Rejected
from runtime.rate import Budget, Rate
from tests.media.server import ByteServer, open_server

IMAGES = Wanted(("image/",), most_bytes=1000, within_s=5.0)


async def resolve(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def open_files() -> AsyncIterator[tuple[AgentFiles, ByteServer, list[str]]]:
    """The files of an organization whose logins are counted; every name is this machine."""
    logins: list[str] = []

    def log_in(_request: httpx.Request) -> httpx.Response:
        logins.append(f"token-{len(logins)}")
        return httpx.Response(200, json={"access_token": logins[-1], "expires_in": 3600})

    async with (
        open_server() as server,
        make_http("tests") as http,
        httpx.AsyncClient(transport=httpx.MockTransport(log_in)) as login_http,
    ):
        tokens = TokenKeeper(
            login_http,
            login_url="https://login.genesys.test",
            client_id="id",
            client_secret="secret",
            deadline_s=5.0,
        )
        fetcher = Fetcher(http, resolve=resolve, admit=lambda _address: True)
        files = AgentFiles(
            fetcher,
            tokens=tokens,
            budget=Budget(Rate(300, 60.0)),
            api_url=f"http://api.genesys.test:{server.port}",
            region="genesys.test",
        )
        yield files, server, logins


async def test_the_token_goes_to_the_api_and_no_further() -> None:
    """Its answer leads elsewhere, by an address that is signed itself."""
    async with open_files() as (files, server, _):
        to = f"http://bucket.test:{server.port}/file?signature=s"
        server.answer("/api/v2/downloads/1", status=303, location=to)
        server.answer("/file?signature=s", b"pixels", content_type="image/png")
        url = f"http://api.genesys.test:{server.port}/api/v2/downloads/1"
        assert (await files.fetch(url, IMAGES)).content == b"pixels"
    first, second = server.requests
    assert "authorization: bearer token-0" in first
    assert "authorization" not in second


@pytest.mark.parametrize(
    "host", ["evil.test", "api.genesys.test.evil.test", "evil-api.genesys.test", "genesys.test"]
)
async def test_the_token_goes_to_no_other_host(host: str) -> None:
    """Whatever it is called; not to another port either, for want of TLS there."""
    async with open_files() as (files, server, logins):
        server.answer("/a", b"pixels", content_type="image/png")
        await files.fetch(f"http://{host}:{server.port}/a", IMAGES)
        with pytest.raises(Rejected, match="only plain https"):
            await files.fetch(f"http://api.genesys.test@{host}:{server.port}/a", IMAGES)
    assert "authorization" not in server.requests[0]
    assert logins == []


async def test_the_token_does_not_go_to_another_port() -> None:
    """Somebody else may listen there."""
    async with open_files() as (files, server, logins), open_server() as other:
        other.answer("/a", b"pixels", content_type="image/png")
        await files.fetch(f"http://api.genesys.test:{other.port}/a", IMAGES)
        assert server.requests == []
    assert "authorization" not in other.requests[0]
    assert logins == []


async def test_a_refused_token_is_renewed_once() -> None:
    """It may have been revoked before its time."""
    async with open_files() as (files, server, logins):
        server.answer("/a", status=401)
        with pytest.raises(Rejected) as caught:
            await files.fetch(f"http://api.genesys.test:{server.port}/a", IMAGES)
    assert caught.value.code == "unauthorized"
    assert [f"bearer {token}" in head for token, head in zip(logins, server.requests, strict=True)]
    assert len(logins) == 2


async def test_only_what_needs_no_token_is_public() -> None:
    """And what has TLS: it is to be opened by customers."""
    async with open_files() as (files, server, _):
        assert files.is_public("https://shop.example/manual.pdf")
        for url in (
            f"http://api.genesys.test:{server.port}/api/v2/downloads/1",
            "https://api.genesys.test/api/v2/downloads/1",
            "https://api-downloads.genesys.test/1",
            "http://shop.example/manual.pdf",
            "file:///etc/passwd",
            "nonsense",
            "",
        ):
            assert not files.is_public(url)
