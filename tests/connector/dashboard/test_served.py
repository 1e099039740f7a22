"""What the dashboard answers over HTTP, between two sandbox platforms."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from connector.dashboard.feed import MOST_VIEWERS
from sandbox.faults import Status
from sandbox.world import open_world
from tests.connector.connected import WITHIN_S, Connected, connect, open_connected

TOKEN = "0123456789abcdef"
CANARY = "CanaryOfTheCoalMine"


@asynccontextmanager
async def open_dashboard(
    state_dir: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Connected, httpx.AsyncClient]]:
    """A connector with a dashboard, and a client that has logged in."""
    given = {"ADMIN_TOKEN": TOKEN, **(variables or {})}
    async with (
        open_connected(state_dir, given) as connected,
        httpx.AsyncClient(base_url=connected.url) as client,
    ):
        answer = await client.post("/login", data={"token": TOKEN})
        assert answer.status_code == 303
        session = (await client.get("/dashboard/session")).json()
        client.headers["X-Lever-Token"] = session["lever_token"]
        yield connected, client


async def look(client: httpx.AsyncClient) -> trio.SocketStream:
    """Ask for the events as a browser does, on a connection of its own."""
    url = client.base_url
    stream = await trio.open_tcp_stream(url.host, url.port or 80)
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    head = f"GET /dashboard/events HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nCookie: {cookies}"
    await stream.send_all(f"{head}\r\n\r\n".encode())
    return stream


async def read_until(stream: trio.SocketStream, text: str) -> str:
    """What comes until there is this text in it."""
    come = ""
    with trio.fail_after(WITHIN_S):
        while text not in come:
            come += (await stream.receive_some()).decode()
    return come


async def read_events(client: httpx.AsyncClient) -> dict[str, Any]:
    """Both parts of the picture."""
    async with await look(client) as stream:
        come = ""
        while come.count("\n\n\r\n") < 3:
            come += await read_until(stream, "\n\n\r\n")
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", come)
    return {name: json.loads(data) for name, data in found}


async def test_without_a_token_there_is_no_dashboard(tmp_path: Path) -> None:
    """One line says how to have it, and nothing else is there."""
    async with open_connected(tmp_path) as connected:
        answer = await connected.http.get(f"{connected.url}/")
        assert (answer.status_code, "ADMIN_TOKEN" in answer.text) == (404, True)
        assert answer.text.count("\n") == 1
        for path in ("/login", "/dashboard/events", "/dashboard/style.css"):
            assert (await connected.http.get(f"{connected.url}{path}")).status_code == 404


async def test_everything_is_behind_the_login(tmp_path: Path) -> None:
    """Without one no page, no event, no script and no lever; the probes and the webhook stay."""
    async with open_connected(tmp_path, {"ADMIN_TOKEN": TOKEN}) as connected:
        get, post = connected.http.get, connected.http.post
        home = await get(f"{connected.url}/")
        assert (home.status_code, home.headers["location"]) == (303, "login")
        for path in ("events", "session", "letters", "page.js", "index.html"):
            assert (await get(f"{connected.url}/dashboard/{path}")).status_code == 401, path
        for path in ("actors/DMPoller/pause", "actors/DMPoller/resume", "letters/drop"):
            assert (await post(f"{connected.url}/dashboard/{path}")).status_code == 401, path
        wrong = await post(f"{connected.url}/login", data={"token": "wrong"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        assert "That is not the token" in wrong.text
        for path in ("health", "livez", "readyz"):
            assert (await get(f"{connected.url}/{path}")).status_code == 200
        assert (await post(f"{connected.url}/webhook")).status_code == 401


async def test_the_cookie_and_the_headers_are_strict(tmp_path: Path) -> None:
    """No script reads the cookie, no other site sends it; nothing is cached, framed or foreign."""
    async with open_dashboard(tmp_path) as (connected, client):
        plain = await client.post("/login", data={"token": TOKEN})
        tls = await client.post(
            "/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}
        )
        for answer, is_secure in ((plain, False), (tls, True)):
            cookie = answer.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert ("Secure" in cookie) is is_secure
        page = await client.get("/")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert "http://" not in page.text
        assert "https://" not in page.text
        assert (await connected.http.get(f"{connected.url}/health")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Lever-Token": ""},
        {"X-Lever-Token": "guess"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_a_lever_is_pulled_from_our_page_alone(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    """Another site that has the browser send the cookie gets nothing done."""
    async with open_dashboard(tmp_path) as (connected, client):
        path = "/dashboard/actors/DMPoller/pause"
        assert (await client.post(path, headers=headers)).status_code == 403
        assert (await client.get(path)).status_code == 405
        assert (await connected.actor("DMPoller"))["state"] != "paused"


async def test_the_sandbox_is_open_to_who_sits_there(tmp_path: Path) -> None:
    """Without a login, but not under a foreign name, and its levers are as strict as ever."""
    async with open_connected(tmp_path, is_sandbox=True) as connected:
        assert (await connected.http.get(f"{connected.url}/")).status_code == 200
        answer = await connected.http.get(f"{connected.url}/dashboard/session")
        lever_token = answer.json()["lever_token"]
        foreign = {"Host": "rebound.example"}
        for path in ("/", "/dashboard/session", "/dashboard/events"):
            answer = await connected.http.get(connected.url + path, headers=foreign)
            assert answer.status_code in {401, 403}, path
        path = f"{connected.url}/dashboard/actors/DMPoller/pause"
        assert (await connected.http.post(path)).status_code == 403
        headers = {"X-Lever-Token": lever_token}
        assert (await connected.http.post(path, headers=headers)).status_code == 200
    async with open_connected(tmp_path, {"ADMIN_TOKEN": TOKEN}, is_sandbox=True) as connected:
        assert (await connected.http.get(f"{connected.url}/")).status_code == 303


async def test_logging_out_ends_the_session(tmp_path: Path) -> None:
    """The cookie is worth nothing afterwards, even to whoever kept it."""
    async with open_dashboard(tmp_path) as (connected, client):
        connected.http.cookies = client.cookies
        session = f"{connected.url}/dashboard/session"
        assert (await connected.http.get(session)).status_code == 200
        assert (await client.post("/logout")).status_code == 200
        assert (await connected.http.get(session)).status_code == 401


async def test_pause_and_resume(tmp_path: Path) -> None:
    """``/health`` shows it; what comes meanwhile is taken in afterwards."""
    async with open_dashboard(tmp_path) as (connected, client):
        # A pause in the middle of the login counts as an attempt, and the next one waits 30 s.
        await connected.until("NotificationPoller", lambda actor: actor["last_success"] is not None)
        paused = await client.post("/dashboard/actors/NotificationPoller/pause")
        assert paused.json() == {"said": "NotificationPoller is paused."}
        assert (await connected.actor("NotificationPoller"))["state"] == "paused"
        assert (await connected.health())["status"] == "degraded"
        world = connected.world
        post = world.bluesky.post(world.customers[0], f"Hello @{world.brand.handle}!")
        await trio.sleep(0.5)
        assert not world.genesys.ingested
        await client.post("/dashboard/actors/NotificationPoller/resume")
        await connected.arrives(post)
        assert (await client.post("/dashboard/actors/Nobody/pause")).status_code == 404


async def test_a_pause_outlives_the_process(tmp_path: Path) -> None:
    """An agent's answer waits for who resumes the sender, even in the next process.

    DedupStore's own pause ends with the process.
    """
    variables = {"ADMIN_TOKEN": TOKEN}
    async with open_world(random.SystemRandom()) as world:
        async with connect(world, tmp_path, variables) as connected:
            conversation = await connected.conversation()
            await pull(connected, "BlueskySender", "pause")
            await pull(connected, "DedupStore", "pause")
        async with connect(world, tmp_path, variables) as connected:
            await connected.until("BlueskySender", lambda actor: actor["state"] == "paused")
            sent = world.genesys.agent_reply(conversation, "Here we are.", public=True)
            await connected.until("WebhookReceiver", lambda actor: actor["handled"] > 0)
            await trio.sleep(0.5)
            assert sent.receipt is None
            await pull(connected, "BlueskySender", "resume")
            assert await connected.concluded(sent) == "Delivered"


async def test_webhooks_in_a_pause_are_answered_503_and_carried_later(tmp_path: Path) -> None:
    """Genesys tries again, and what it gave up is looked for when the receiver goes on."""
    async with open_dashboard(tmp_path) as (connected, client):
        conversation = await connected.conversation()
        await client.post("/dashboard/actors/WebhookReceiver/pause")
        with trio.fail_after(2):
            refused = await connected.http.post(f"{connected.url}/webhook", content=b"{}")
        assert refused.status_code == 503
        assert (await connected.http.get(f"{connected.url}/readyz")).status_code == 200
        sent = connected.world.genesys.agent_reply(conversation, "Patience.", public=True)
        await trio.sleep(0.5)
        assert sent.receipt is None
        await client.post("/dashboard/actors/WebhookReceiver/resume")
        assert await connected.concluded(sent) == "Delivered"


async def test_dedup_store_can_be_paused_and_resumed(tmp_path: Path) -> None:
    """Everything stands still, and goes on."""
    async with open_dashboard(tmp_path) as (connected, client):
        await client.post("/dashboard/actors/DedupStore/pause")
        assert (await connected.actor("DedupStore"))["state"] == "paused"
        await client.post("/dashboard/actors/DedupStore/resume")
        await connected.conversation()


async def test_a_letter_is_put_back(tmp_path: Path) -> None:
    """What Genesys refused once is carried when a person says so."""
    async with open_dashboard(tmp_path) as (connected, client):
        world = connected.world
        rule = world.genesys.faults.add("/messages/bulk$", Status(400, "bad.request"), count=None)
        post = world.bluesky.post(world.customers[0], f"Hello @{world.brand.handle}!")
        await until_letters(client, 1)
        world.genesys.faults.remove(rule)
        (letter,) = (await client.get("/dashboard/letters")).json()["letters"]
        assert (letter["source"], letter["never"]) == ("GenesysSender", None)
        answer = await client.post("/dashboard/letters/replay", data={"id": letter["id"]})
        assert answer.json()["said"].startswith("Put back")
        await connected.arrives(post)
        again = await client.post("/dashboard/letters/replay", data={"id": letter["id"]})
        assert again.status_code == 409


async def test_an_agents_letter_is_never_put_back_and_can_be_dropped(tmp_path: Path) -> None:
    """The list says so, without a word of the message; what is dropped is gone."""
    async with open_dashboard(tmp_path) as (connected, client):
        conversation = await connected.conversation()
        sent = connected.world.genesys.agent_reply(conversation, f"!dance {CANARY}", public=True)
        assert await connected.concluded(sent) == "Failed"
        await until_letters(client, 1)
        listed = (await client.get("/dashboard/letters")).json()
        (letter,) = listed["letters"]
        assert "never put back" in letter["never"]
        assert CANARY not in json.dumps(listed)
        refused = await client.post("/dashboard/letters/replay", data={"id": letter["id"]})
        assert (refused.status_code, "never put back" in refused.text) == (409, True)
        dropped = await client.post("/dashboard/letters/drop", data={"id": letter["id"]})
        assert dropped.json() == {"said": "Dropped for good."}
        again = await client.post("/dashboard/letters/drop", data={"id": letter["id"]})
        assert again.status_code == 409
        assert (await client.get("/dashboard/letters")).json()["total"] == 0


@pytest.mark.parametrize("shows", [False, True])
async def test_text_is_nowhere_unless_it_is_asked_for(tmp_path: Path, *, shows: bool) -> None:
    """A customer's and an agent's words are in no event and on no page by default."""
    variables = {"DASHBOARD_SHOW_TEXT": "true"} if shows else {}
    async with open_dashboard(tmp_path, variables) as (connected, client):
        world = connected.world
        post = world.bluesky.post(world.customers[0], f"@{world.brand.handle} {CANARY}")
        message = await connected.arrives(post)
        conversation = world.genesys.conversations[message.conversation_id]
        for text in (f"Thank you, {CANARY}", f"!post{CANARY}", "x" * 3000 + CANARY):
            sent = world.genesys.agent_reply(conversation, text, public=True)
            await connected.concluded(sent)
        world.bluesky.direct_messages.send(world.customers[1], world.brand, CANARY)
        await connected.receives(CANARY)
        await trio.sleep(1)
        parts = await read_events(client)
        assert len(parts["messages"]) >= 5
        assert {actor["name"] for actor in parts["state"]["actors"]} > {"DMPoller", "DedupStore"}
        told = json.dumps(parts)
        for path in ("/", "/dashboard/letters", "/dashboard/session", "/health"):
            told += (await client.get(path)).text
        assert (CANARY in told) is shows


async def test_viewers_are_bounded(tmp_path: Path) -> None:
    """One too many is told so, and a place that is left is free again."""
    async with open_dashboard(tmp_path) as (_, client), AsyncExitStack() as streams:
        for _ in range(MOST_VIEWERS):
            stream = await streams.enter_async_context(await look(client))
            assert "text/event-stream" in await read_until(stream, "retry: 100")
        assert (await client.get("/dashboard/events")).status_code == 503
        await stream.aclose()
        with trio.fail_after(WITHIN_S):
            while True:
                async with await look(client) as again:
                    if " 200 " in await read_until(again, "\r\n"):
                        return
                await trio.sleep(0.1)


async def test_a_port_of_its_own(tmp_path: Path) -> None:
    """With ``ADMIN_PORT`` the dashboard and the metrics are there, and no longer on ``PORT``."""
    variables = {"ADMIN_TOKEN": TOKEN, "ADMIN_PORT": "0"}
    async with open_connected(tmp_path, variables) as connected:
        assert connected.admin_url != connected.url
        for path, here, there in (
            ("/", 404, 303),
            ("/login", 404, 200),
            ("/metrics", 404, 200),
            ("/health", 200, 404),
        ):
            assert (await connected.http.get(connected.url + path)).status_code == here, path
            assert (await connected.http.get(connected.admin_url + path)).status_code == there, path
        assert (await connected.http.post(connected.admin_url + "/webhook")).status_code == 404


async def pull(connected: Connected, name: str, lever: str) -> None:
    """Log in and pull a lever."""
    async with httpx.AsyncClient(base_url=connected.url) as client:
        await client.post("/login", data={"token": TOKEN})
        session = (await client.get("/dashboard/session")).json()
        client.headers["X-Lever-Token"] = session["lever_token"]
        answer = await client.post(f"/dashboard/actors/{name}/{lever}")
        assert answer.status_code == 200


async def until_letters(client: httpx.AsyncClient, total: int) -> None:
    """Return when there are so many dead letters."""
    with trio.fail_after(WITHIN_S):
        while (await client.get("/dashboard/letters")).json()["total"] != total:  # noqa: ASYNC110
            await trio.sleep(0.05)
