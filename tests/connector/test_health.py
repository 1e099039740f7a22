"""``/health`` tells the truth while something is wrong."""

from __future__ import annotations

from pathlib import Path

from sandbox.faults import Status
from tests.connector.connected import open_connected


async def test_listing_notifications_alone_fails(tmp_path: Path) -> None:
    """NotificationPoller backs off, the other seven run, and the answer is 200 ``degraded``."""
    async with open_connected(tmp_path) as connected:
        connected.world.bluesky.faults.add(
            "listNotifications",
            Status(502, "InternalServerError", "Internal Server Error"),
            count=None,
        )
        await connected.until("NotificationPoller", lambda actor: actor["state"] == "backing_off")
        answer = await connected.http.get(f"{connected.url}/health")

    assert answer.status_code == 200
    document = answer.json()
    assert document["status"] == "degraded"
    states = {name: actor["state"] for name, actor in document["actors"].items()}
    assert states.pop("NotificationPoller") == "backing_off"
    assert set(states.values()) == {"running"}
    assert len(states) == 7


async def test_all_is_well(tmp_path: Path) -> None:
    """The document has the documented keys, and the probes agree."""
    async with open_connected(tmp_path) as connected:
        for name in ("NotificationPoller", "SearchPoller", "DMPoller"):
            await connected.until(name, lambda actor: actor["last_success"] is not None)
        document = await connected.health()
        live = await connected.http.get(f"{connected.url}/livez")
        ready = await connected.http.get(f"{connected.url}/readyz")

    assert document["status"] == "ok"
    assert list(document)[:8] == [
        "status",
        "version",
        "role",
        "uptime_s",
        "store",
        "journal",
        "dead_letters",
        "actors",
    ]
    assert (live.status_code, ready.status_code) == (200, 200)


async def test_a_wrong_password_is_said_and_not_tried_in_a_loop(tmp_path: Path) -> None:
    """The actors concerned are ``failed`` with what to do; webhooks are taken; one login only."""
    variables = {"BLUESKY_APP_PASSWORD": "wrong", "BACKOFF_MAX_S": "0.06"}
    async with open_connected(tmp_path, variables) as connected:
        failed = await connected.until("DMPoller", lambda actor: actor["state"] == "failed")
        await connected.until("NotificationPoller", lambda actor: actor["state"] == "failed")
        document = await connected.health()
        logins = [
            call
            for call in connected.world.bluesky.calls.all()
            if call.nsid == "com.atproto.server.createSession"
        ]

    assert "BLUESKY_APP_PASSWORD" in failed["last_error"]["action"]
    assert document["status"] == "degraded"
    assert document["actors"]["WebhookReceiver"]["state"] == "running"
    assert document["actors"]["GenesysSender"]["state"] == "running"
    assert len(logins) == 1


async def test_no_query_no_listening(tmp_path: Path) -> None:
    """Without a query SearchPoller is ``disabled``, which is no trouble."""
    async with open_connected(tmp_path, {"BLUESKY_SEARCH_QUERY": ""}) as connected:
        await connected.until("DMPoller", lambda actor: actor["last_success"] is not None)
        await connected.until("NotificationPoller", lambda actor: actor["last_success"] is not None)
        document = await connected.health()

    assert document["actors"]["SearchPoller"]["state"] == "disabled"
    assert document["status"] == "ok"
