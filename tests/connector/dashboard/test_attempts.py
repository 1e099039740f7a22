"""What another site, or whoever shares the browser, could try with the dashboard."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.connector.connected import open_connected
from tests.connector.dashboard.test_served import TOKEN, look, open_dashboard, read_until

PAGE = ROOT / "connector/dashboard/page"
ELSEWHERE = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


async def test_no_other_site_reads_the_events(tmp_path: Path) -> None:
    """No answer lets it, not even to a browser that sends the cookie along; no preflight passes."""
    async with open_dashboard(tmp_path) as (_, client), await look(client) as stream:
        head = (await read_until(stream, "\r\n\r\n")).lower()
        assert "200" in head.splitlines()[0]
        assert "access-control" not in head
        assert "cross-origin-resource-policy: same-origin" in head
        for path in ("/", "/dashboard/session", "/dashboard/letters", "/dashboard/page.js"):
            answer = await client.get(path, headers=ELSEWHERE)
            assert not any(name.startswith("access-control") for name in answer.headers), path
            assert answer.headers["cross-origin-resource-policy"] == "same-origin", path
            preflight = await client.options(
                path, headers={**ELSEWHERE, "Access-Control-Request-Method": "POST"}
            )
            assert not any(name.startswith("access-control") for name in preflight.headers), path


async def test_no_other_site_logs_anybody_in_or_out(tmp_path: Path) -> None:
    """Not even with the right token: who is shown a page must have asked for it."""
    async with open_dashboard(tmp_path) as (connected, client):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            answer = await connected.http.post(
                f"{connected.url}/login", data={"token": TOKEN}, headers=headers
            )
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
            assert (await client.post("/logout", headers=headers)).status_code == 403
        assert (await client.get("/dashboard/session")).status_code == 200


async def test_a_cookie_that_was_planted_opens_nothing(tmp_path: Path) -> None:
    """A login makes a secret of its own, whatever the browser had before, and a new one each."""
    async with open_connected(tmp_path, {"ADMIN_TOKEN": TOKEN}) as connected:
        planted = "planted-by-somebody-else"
        secrets = []
        async with httpx.AsyncClient(base_url=connected.url) as client:
            for _ in range(2):
                cookie = {"Cookie": f"bluesky_genesys_session={planted}"}
                answer = await client.post("/login", data={"token": TOKEN}, headers=cookie)
                secrets.append(answer.cookies["bluesky_genesys_session"])
            client.cookies.clear()
            answer = await client.get("/dashboard/session", headers=cookie)
            assert answer.status_code == 401
        assert len({planted, *secrets}) == 3


@pytest.mark.parametrize(
    "path", ["/", "/login", "/dashboard/events", "/dashboard/none.js", "/dashboard/letters"]
)
async def test_what_a_stranger_sees_is_neither_framed_nor_kept(tmp_path: Path, path: str) -> None:
    """Also what turns them away."""
    async with open_connected(tmp_path, {"ADMIN_TOKEN": TOKEN}) as connected:
        answer = await connected.http.get(f"{connected.url}{path}")
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_people_wrote_is_never_read_as_html() -> None:
    """The page has no way to make elements or scripts of a text."""
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write"
        r"|srcdoc|DOMParser|\beval\b|new Function|javascript:"
    )
    files = [path for path in PAGE.iterdir() if path.suffix in {".js", ".html"}]
    assert len(files) > 5
    for path in files:
        assert ways.search(path.read_text("utf-8")) is None, path.name
    # Nothing in the pages themselves either: a policy without 'unsafe-inline' would not run it.
    for path in (one for one in files if one.suffix == ".html"):
        assert re.search(r"<script(?![^>]*\bsrc=)|\son\w+=", path.read_text("utf-8")) is None
