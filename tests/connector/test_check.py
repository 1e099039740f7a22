"""``bluesky-genesys check``: what is wrong is said in a line, with the remedy."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from trio.abc import Clock

from actors.dedup_store import ServerFacts
from connector.check.items import Finding, Item, NotAsItShouldBe, look_at
from connector.check.platform import make_platform_items
from connector.check.store import judge_disk, judge_latency, judge_server
from connector.check.webhook import try_address
from connector.platform_headers import Allowance, PlatformHeaders
from sandbox.serving import serve
from sandbox.world import open_world
from tests.connector.connected import connect, open_connected
from tests.connector.test_command_line import call

NOBODY = "http://127.0.0.1:9/webhook"
START = "Start the connector there"
NOW_S = 1_767_225_600.0
GOOD = ServerFacts("7.4.1", 10_000_000, 100_000_000, "noeviction", appends=True, saves=True)
KEYS = [
    "store",
    "store_latency",
    "store_persistence",
    "bluesky_login",
    "notifications",
    "direct_messages",
    "search",
    "bluesky_clock",
    "bluesky_budget",
    "genesys_login",
    "integration",
    "topic",
    "rule",
    "missed_answers",
    "external_source",
    "division",
    "genesys_clock",
    "genesys_budget",
    "webhook_secret",
    "webhook",
]


def find_remedies(told: bytes) -> list[str]:
    """All but that of the webhook, behind which nobody is."""
    lines = told.decode().splitlines()
    return [line for line in lines if "→" in line and START not in line]


async def test_check_finds_nothing_to_mend(tmp_path: Path) -> None:
    """All is set up: each item but the webhook, behind which nobody is yet, is ok; exit code 0."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = NOBODY
        done = await call("check", environ=world.environ(), folder=tmp_path)

    told = done.stdout.decode()
    assert done.returncode == 0, told
    assert told.count("  ok  ") == 19
    assert told.count("warning ") == 1
    assert "@acme.example is did:plc:" in told


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("BLUESKY_APP_PASSWORD", "wrong", "BLUESKY_APP_PASSWORD"),
        ("BLUESKY_APP_PASSWORD", "no-chat", "Allow access to your direct messages"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "REDIS_URL"),
        ("GC_CC_CLIENT_SECRET", "wrong", "GC_CC_CLIENT_SECRET"),
        ("GC_INTEGRATION_ID", "wrong", "GC_INTEGRATION_ID"),
        ("GC_SOCIAL_TOPIC_ID", "wrong", "GC_SOCIAL_TOPIC_ID"),
        ("GC_SOCIAL_RULE_ID", "wrong", "GC_SOCIAL_RULE_ID"),
        ("GC_EXTERNAL_SOURCE_ID", "wrong", "GC_EXTERNAL_SOURCE_ID"),
        ("GC_EC_DIVISION_ID", "wrong", "GC_EC_DIVISION_ID"),
    ],
)
async def test_check_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, variable: str, value: str, named: str
) -> None:
    """Exit code 1, and the remedy names the variable or the setting."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = NOBODY
        world.bluesky.add_app_password(world.brand, "no-chat", direct_messages=False)
        done = await call("check", environ={**world.environ(), variable: value}, folder=tmp_path)

    assert done.returncode == 1
    remedies = [
        line for line in done.stdout.decode().splitlines() if "→" in line and START not in line
    ]
    assert len(remedies) == 1
    assert named in remedies[0]


async def test_check_says_what_a_permission_is_for_that_is_missing(tmp_path: Path) -> None:
    """What would be lost, and that one may choose to do without."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = NOBODY
        world.genesys.permissions.discard("conversation:message:view")
        missing = await call("check", environ=world.environ(), folder=tmp_path)
        without = await call(
            "check", environ={**world.environ(), "RECONCILE_WINDOW": "0"}, folder=tmp_path
        )

    (remedy,) = [
        line for line in missing.stdout.decode().splitlines() if "→" in line and START not in line
    ]
    assert missing.returncode == 1
    assert "conversation:message:view" in remedy
    assert "set RECONCILE_WINDOW=0: then" in remedy
    assert without.returncode == 0


async def test_json_is_one_document_with_the_same_keys_whatever_is_wrong(tmp_path: Path) -> None:
    """Nothing else is printed; what was not tried is listed too."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = NOBODY
        environ = world.environ()
        right = await call("check", "--json", environ=environ, folder=tmp_path)
        broken = {**environ, "REDIS_URL": "redis://127.0.0.1:1", "GC_CC_CLIENT_SECRET": "wrong"}
        wrong = await call("check", "--json", environ=broken, folder=tmp_path)

    for done, status, code in ((right, "warning", 0), (wrong, "failed", 1)):
        document: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == code
        assert done.stderr == b""
        assert set(document) == {"version", "status", "items"}
        assert document["status"] == status
        assert [item["key"] for item in document["items"]] == KEYS
        for item in document["items"]:
            assert set(item) == {"key", "name", "status", "found", "remedy"}
            assert (item["remedy"] is not None) is (item["status"] in {"warning", "failed"})
    tried = {item["key"]: item["status"] for item in json.loads(wrong.stdout)["items"]}
    assert tried["store"] == tried["genesys_login"] == "failed"
    assert tried["bluesky_login"] == tried["webhook"] == "not_tried"


# --- the webhook -----------------------------------------------------------------------------


async def test_a_running_connector_is_reached_and_nothing_comes_of_it(tmp_path: Path) -> None:
    """By the integration's own address, and by one that is given; it is counted, and no more."""
    async with open_connected(tmp_path / "state") as connected:
        environ = {**connected.world.environ(), "STATE_DIR": str(tmp_path / "state")}
        own = await call("check", environ=environ, folder=tmp_path)
        url = f"{connected.url}/webhook"
        given = await call("check", "--webhook-url", url, environ=environ, folder=tmp_path)
        receiver = await connected.actor("WebhookReceiver")
        health = await connected.health()
    for done in (own, given):
        assert done.returncode == 0, done.stdout.decode()
        assert f"{url} is reached, and signs alike" in done.stdout.decode()
        assert "Use https" in done.stdout.decode()
    assert receiver["skipped"] == {"wrong_signature": 2, "check": 2}
    assert (health["journal"]["depth"], health["dead_letters"]) == (0, 0)


async def test_while_one_secret_replaces_the_other_both_are_known(tmp_path: Path) -> None:
    """The integration may have either; what is sent on trial is signed with the first."""
    statuses = []
    async with open_connected(tmp_path / "state") as connected:
        environ = {**connected.world.environ(), "STATE_DIR": str(tmp_path / "state")}
        theirs = environ["GC_WEBHOOK_SECRET"]
        for both in (f"{theirs}, another-one", f"another-one,{theirs}"):
            environ["GC_WEBHOOK_SECRET"] = both
            done = await call("check", "--json", environ=environ, folder=tmp_path)
            found = {item["key"]: item for item in json.loads(done.stdout)["items"]}
            assert "one of the two" in found["webhook_secret"]["found"]
            statuses.append((found["webhook_secret"]["status"], found["webhook"]["status"]))
    # The connector that runs has the one alone.
    assert statuses == [("ok", "warning"), ("ok", "failed")]


async def test_another_secret_is_told_from_a_wrong_address(tmp_path: Path) -> None:
    """What the connector there is signed with, and what Genesys Cloud has."""
    async with open_world(random.SystemRandom()) as world:
        async with connect(world, tmp_path, {"GC_WEBHOOK_SECRET": "another"}) as connected:
            done = await call("check", environ=world.environ(), folder=tmp_path)
            url = f"{connected.url}/elsewhere"
            lost = await call(
                "check", "--webhook-url", url, environ=world.environ(), folder=tmp_path
            )
        other = {**world.environ(), "GC_WEBHOOK_SECRET": "another"}
        stale = await call("check", environ=other, folder=tmp_path)
    assert done.returncode == 1
    assert "answers 401 to what is signed with GC_WEBHOOK_SECRET" in done.stdout.decode()
    assert lost.returncode == 1
    assert "Let the address end in /webhook" in lost.stdout.decode()
    assert stale.returncode == 1
    assert "GC_WEBHOOK_SECRET is not the integration's" in stale.stdout.decode()


def answering(*statuses: int, headers: dict[str, str] | None = None) -> httpx.MockTransport:
    """Somebody who answers one after the other."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(left.pop(0), headers=headers)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("statuses", "said", "remedy"),
    [
        ((200,), "answers 200 to a wrong signature", "Start the connector there"),
        ((302,), "answers 302, elsewhere: https://b.example/", "follows no redirection"),
        ((403,), "answers 403", "allow-list"),
        ((404,), "answers 404", "end in /webhook"),
        ((405,), "answers 405", "pass POST on"),
        ((429,), "answers 429", "how often"),
        ((500,), "answers 500", "log of the connector"),
        ((502,), "answers 502", "nobody behind it"),
        ((503,), "answers 503", "/health"),
        ((504,), "answers 504", "/health"),
        ((401, 401), "answers 401", "GC_WEBHOOK_SECRET"),
        ((401, 503), "answers 503", "/health"),
    ],
)
async def test_each_answer_says_what_it_means_there(
    statuses: tuple[int, ...], said: str, remedy: str
) -> None:
    """And what to do about it."""
    transport = answering(*statuses, headers={"Location": "https://b.example/"})
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(NotAsItShouldBe, match=said) as raised:
            await try_address(http, "https://a.example/webhook", "secret", sure=True)
    assert remedy in (raised.value.action or "")


async def test_before_the_connector_is_started_that_nobody_answers_is_a_warning() -> None:
    """An address that answers for somebody else is not: it would lose what agents write."""
    for status in (404, 502, 503):
        async with httpx.AsyncClient(transport=answering(status)) as http:
            finding = await try_address(http, "https://a.example/webhook", "secret", sure=False)
        assert finding.remedy is not None
    async with httpx.AsyncClient(transport=answering(200)) as http:
        with pytest.raises(NotAsItShouldBe):
            await try_address(http, "https://a.example/webhook", "secret", sure=False)


async def test_silence_is_waited_for_as_long_as_genesys_waits(autojump_clock: Clock) -> None:
    """Ten seconds, and then it is said that something swallows what is sent."""

    async def say_nothing(request: httpx.Request) -> httpx.Response:
        await trio.sleep_forever()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(say_nothing)) as http:
        with pytest.raises(NotAsItShouldBe, match="no answer within 10 s"):
            await try_address(http, "https://a.example/webhook", "secret", sure=True)
    assert trio.current_time() == pytest.approx(10.0)


async def _say_ok(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.mark.parametrize(
    ("make_url", "said", "remedy"),
    [
        (lambda url: url.replace("http:", "https:"), "no secure connection", "certificate"),
        (lambda _: "http://127.0.0.1:9/webhook", "cannot be reached", "Start the connector"),
        (lambda _: "http://nobody.invalid/webhook", "this name leads nowhere", "DNS"),
        (lambda _: "a.example/webhook", "is no address", "https://YOUR-ADDRESS"),
        (lambda _: "", "is no address", "https://YOUR-ADDRESS"),
    ],
    ids=["tls", "refused", "name", "scheme", "empty"],
)
async def test_what_is_in_the_way_is_told_apart(
    make_url: Callable[[str], str], said: str, remedy: str
) -> None:
    """Over real sockets."""
    async with serve(_say_ok) as url, httpx.AsyncClient() as http:
        with pytest.raises(NotAsItShouldBe, match=said) as raised:
            await try_address(http, make_url(f"{url}/webhook"), "secret", sure=True)
    assert remedy in (raised.value.action or "")


# --- clocks and budgets ----------------------------------------------------------------------


async def look(items: list[Item], key: str) -> tuple[str, str, str | None]:
    (item,) = [one for one in items if one.key == key]
    result = await look_at(item, {})
    return result.status, result.found, result.remedy


@pytest.mark.parametrize(
    ("ahead_s", "status", "said"),
    [
        (None, "ok", "not known"),
        (0.4, "ok", "agrees"),
        (-4.9, "ok", "agrees"),
        (60.0, "warning", "60 s behind"),
        (-60.0, "warning", "60 s ahead of"),
        (-3600.0, "failed", "3600 s ahead of"),
    ],
)
async def test_a_wrong_clock_is_said_and_which_way(
    ahead_s: float | None, status: str, said: str
) -> None:
    """Some seconds are none; minutes are a failure."""
    headers = PlatformHeaders(lambda: NOW_S)
    headers.ahead_s = ahead_s
    items = make_platform_items("bluesky", "Bluesky", headers, needs="bluesky_login")
    found = await look(items, "bluesky_clock")
    assert found[0] == status
    assert said in found[1]
    assert (found[2] is not None) is (status != "ok")


@pytest.mark.parametrize(("left", "status"), [(300, "ok"), (60, "ok"), (59, "warning")])
async def test_a_budget_that_is_nearly_used_up_is_a_warning(left: int, status: str) -> None:
    """Somebody else uses the same address, or the same OAuth client."""
    headers = PlatformHeaders(lambda: NOW_S)
    headers.allowance = Allowance(300, left, NOW_S + 30)
    items = make_platform_items("genesys", "Genesys Cloud", headers, needs="genesys_login")
    found = await look(items, "genesys_budget")
    assert found[0] == status
    assert f"{left} of 300 requests left" in found[1]


async def test_what_answers_say_besides_is_read_of_both_platforms() -> None:
    """The clock by the answer that disagrees least, the budget by the last that tells it."""
    dates = ["Thu, 01 Jan 2026 00:00:09 GMT", "Thu, 01 Jan 2026 00:00:03 GMT", "nonsense"]
    answers = [
        {"Date": dates[0], "inin-ratelimit-allowed": "300", "inin-ratelimit-count": "12"},
        {"Date": dates[1], "RateLimit-Limit": "3000", "RateLimit-Remaining": "2990"},
        {"Date": dates[2], "RateLimit-Limit": "5000", "RateLimit-Remaining": "1"}
        | {"RateLimit-Policy": "5000;w=3600"},
    ]
    headers = PlatformHeaders(lambda: NOW_S)
    seen: list[Allowance | None] = []
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=answers[len(seen)]))
    ) as http:
        headers.watch(http)
        for _ in answers:
            await http.get("https://a.example/")
            seen.append(headers.allowance)
    assert headers.ahead_s == pytest.approx(3.5)
    assert seen[0] is not None
    assert (seen[0].limit, seen[0].remaining) == (300, 288)
    assert seen[1] == seen[2] == Allowance(3000, 2990, NOW_S)


# --- the store -------------------------------------------------------------------------------


def test_a_slow_store_is_a_warning() -> None:
    """The one in the middle decides; the worst is shown."""
    assert judge_latency([0.001, 0.002, 0.9]) == Finding(
        "2.0 ms in the middle, 900.0 ms at worst of 3"
    )
    assert judge_latency([0.2]).remedy is not None


def facts(**changes: Any) -> ServerFacts:  # noqa: ANN401 (as ``replace`` takes them)
    return dataclasses.replace(GOOD, **changes)


@pytest.mark.parametrize(
    ("found", "said", "remedy"),
    [
        (GOOD, "10.0 MB of 100.0 MB used, maxmemory-policy noeviction, appendonly yes", None),
        (facts(memory_used=90_000_000), "90.0 MB of 100.0 MB", "more memory"),
        (facts(appends=False), "what came since its last snapshot is lost", "appendonly yes"),
        (facts(appends=False, saves=False), "everything is lost", "appendonly yes"),
        (facts(eviction="allkeys-lru", memory_most=0), "allkeys-lru", "before you set maxmemory"),
        (facts(eviction=None), "does not tell", "console"),
        (facts(appends=None, saves=None), "does not tell", "console"),
        (facts(version="unknown"), "release unknown", None),
    ],
)
def test_how_a_redis_keeps_what_it_is_told(
    found: ServerFacts, said: str, remedy: str | None
) -> None:
    """What may be lost is a warning, and so is what it does not tell."""
    finding = judge_server(found)
    assert said in finding.text
    assert (remedy is None) is (finding.remedy is None)
    assert (remedy or "") in (finding.remedy or "")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (facts(eviction="volatile-ttl"), "noeviction"),
        (facts(eviction="allkeys-lru", memory_most=None), "noeviction"),
        (facts(version="6.0.16"), "6.2"),
    ],
)
def test_a_redis_that_evicts_or_is_too_old_cannot_be_used(found: ServerFacts, said: str) -> None:
    """It would lose messages while all looks well."""
    with pytest.raises(NotAsItShouldBe) as raised:
        judge_server(found)
    assert said in (raised.value.action or "")


def test_a_full_disk_is_told_before_it_is_full() -> None:
    """Of the embedded store."""
    assert judge_disk(20_000_000_000, GOOD).remedy is None
    assert judge_disk(200_000_000, GOOD).remedy is not None
    with pytest.raises(NotAsItShouldBe):
        judge_disk(1_000_000, GOOD)
