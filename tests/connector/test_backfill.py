"""``bluesky-genesys backfill``: what was said before the connector was there comes in, once."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
import trio
import trio.lowlevel

from connector.backfill import read_since
from sandbox.faults import Status
from sandbox.world import World, open_world
from tests.connector.connected import connect
from tests.connector.letters import make_environ
from tests.connector.test_command_line import COMMAND, WITHIN_S, call

NOW_S = 1_767_225_600.0
DAY_S = 86_400.0
LAST_HOUR = ("backfill", "--since", "1h")
FRESH = {"START_LOOKBACK": "0"}
"""A first start that takes in nothing of what is there."""


def speak(world: World) -> list[str]:
    """One of each kind; returns the words of those that concern the brand, a thread's in order."""
    alice, bob, carol = world.customers
    brand = world.brand
    ours = world.bluesky.post(brand, "The new phone is here.")
    question = world.bluesky.post(alice, f"Does it float, @{brand.handle}?")
    world.bluesky.post(alice, f"And it burns, @{brand.handle}", reply_to=question)
    world.bluesky.post(bob, "Nice one", reply_to=ours)
    world.bluesky.post(carol, "Look at this", quote=ours)
    world.bluesky.post(bob, "My acmephone is blue")
    world.bluesky.post(carol, "Nobody speaks of it")
    world.bluesky.direct_messages.send(bob, brand, "My order?")
    world.bluesky.direct_messages.send(bob, brand, "Number 7")
    return ["Does it float", "And it burns", "Nice one", "Look at this", "My acmephone"]


def arrived(world: World) -> list[str]:
    """The texts that Genesys has, of both kinds, each as often as it took it for new."""
    public = [one.text for one in world.genesys.ingested if not one.repeat]
    return public + [one.text for one in world.genesys.private_messages if not one.repeat]


def environ_of(world: World, state_dir: Path) -> dict[str, str]:
    return {**world.environ(), "STATE_DIR": str(state_dir)}


async def test_beside_a_connector_what_was_there_before_comes_in_once(tmp_path: Path) -> None:
    """Of each kind, a thread in its order; a second time there is nothing new."""
    state = tmp_path / "state"
    async with open_world(random.SystemRandom()) as world:
        expected = speak(world)
        async with connect(world, state, FRESH) as connected:
            for name in ("NotificationPoller", "SearchPoller", "DMPoller"):
                await connected.until(name, lambda actor: actor["last_success"] is not None)
            later = world.bluesky.post(world.customers[0], f"Live, @{world.brand.handle}")
            await connected.arrives(later)
            assert len(arrived(world)) == 1
            environ = environ_of(world, state)
            tried = await call(*LAST_HOUR, "--dry-run", environ=environ, folder=tmp_path)
            assert len(arrived(world)) == 1
            done = await call(*LAST_HOUR, environ=environ, folder=tmp_path)
            await connected.first(lambda: [1] if len(arrived(world)) == 9 else [])
            again = await call(*LAST_HOUR, environ=environ, folder=tmp_path)
        texts = arrived(world)

    counts = [
        "2  mentions",
        "1  posts that these answer",
        "1  replies",
        "1  quotes",
        "1  search hits",
        "2  direct messages",
    ]
    for ran in (tried, done):
        told = ran.stdout.decode()
        assert ran.returncode == 0, told + ran.stderr.decode()
        for line in counts:
            assert line in told
        assert "1  taken in already" in told
    assert "Would be taken in" in tried.stdout.decode()
    assert "Nothing was changed." in tried.stdout.decode()
    assert "nothing new" in again.stdout.decode()
    assert "8  taken in already" in again.stdout.decode()
    assert len(texts) == 9
    for words in expected:
        assert sum(words in text for text in texts) == 1
    assert _place(texts, "Does it float") < _place(texts, "And it burns")
    assert _place(texts, "My order?") < _place(texts, "Number 7")


def _place(texts: list[str], words: str) -> int:
    return next(place for place, text in enumerate(texts) if words in text)


async def test_without_a_connector_the_next_start_delivers_it(tmp_path: Path) -> None:
    """And that start's own look-back finds nothing twice."""
    state = tmp_path / "state"
    async with open_world(random.SystemRandom()) as world:
        speak(world)
        environ = environ_of(world, state)
        done = await call(*LAST_HOUR, environ=environ, folder=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        assert arrived(world) == []
        async with connect(world, state) as connected:
            await connected.first(lambda: [1] if len(arrived(world)) >= 8 else [])
            live = world.bluesky.post(world.customers[0], f"Live, @{world.brand.handle}")
            await connected.arrives(live)
        assert len(arrived(world)) == 9


async def test_a_dry_run_neither_marks_nor_accepts_nor_reads(tmp_path: Path) -> None:
    """On Bluesky nothing is written at all, and the store knows nothing afterwards."""
    async with open_world(random.SystemRandom()) as world:
        speak(world)
        environ = environ_of(world, tmp_path / "state")
        for _ in range(2):
            done = await call(*LAST_HOUR, "--dry-run", environ=environ, folder=tmp_path)
            assert "2  mentions" in done.stdout.decode()
            assert "taken in already" not in done.stdout.decode()
        written = {one.nsid for one in world.bluesky.calls.all() if one.method == "POST"}
        assert {one for one in written if not one.startswith("com.atproto.server.")} == set()


async def test_what_is_set_to_be_left_out_is_left_out_and_counted(tmp_path: Path) -> None:
    """By the reason, with the variable that says so."""
    async with open_world(random.SystemRandom()) as world:
        speak(world)
        environ = {
            **environ_of(world, tmp_path / "state"),
            "LISTEN_EXCLUDE": f"blue, {world.customers[0].handle}",
        }
        done = await call(*LAST_HOUR, "--dry-run", environ=environ, folder=tmp_path)
        told = done.stdout.decode()
    assert "2  of accounts in LISTEN_EXCLUDE" in told
    assert "1  with a word of LISTEN_EXCLUDE" in told
    assert "mentions" not in told


async def test_without_access_to_direct_messages_the_posts_come_in_all_the_same(
    tmp_path: Path,
) -> None:
    """It says what was in the way and how to mend it, and ends with 1."""
    async with open_world(random.SystemRandom()) as world:
        world.bluesky.add_app_password(world.brand, "no-chat", direct_messages=False)
        speak(world)
        environ = {**environ_of(world, tmp_path / "state"), "BLUESKY_APP_PASSWORD": "no-chat"}
        done = await call(*LAST_HOUR, environ=environ, folder=tmp_path)
    assert done.returncode == 1
    assert "2  mentions" in done.stdout.decode()
    assert "Allow access to your direct messages" in done.stderr.decode()
    assert "Run it again" in done.stdout.decode()


async def test_it_can_be_interrupted_and_repeated(tmp_path: Path) -> None:
    """Ctrl-C ends it at once with 130 and no traceback; then all comes in, once."""
    async with open_world(random.SystemRandom()) as world:
        speak(world)
        environ = environ_of(world, tmp_path / "state")
        away = world.bluesky.faults.add("listConvos", Status(503, "Unavailable"))
        process = await trio.lowlevel.open_process(
            [*COMMAND, *LAST_HOUR],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=make_environ(environ),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        with trio.fail_after(WITHIN_S):
            said = await process.stderr.receive_some()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
            told = await process.stdout.receive_some()
        assert b"Waiting 1 s: 503 Unavailable" in said
        assert b"2  mentions" in told
        assert b"Run it again" in told
        world.bluesky.faults.remove(away)
        done = await call(*LAST_HOUR, environ=environ, folder=tmp_path)
        assert done.returncode == 0
        async with connect(world, tmp_path / "state", FRESH) as connected:
            await connected.first(lambda: [1] if len(arrived(world)) == 8 else [])


@pytest.mark.parametrize(
    ("text", "since_s"),
    [
        ("2d", NOW_S - 2 * DAY_S),
        ("90", NOW_S - 90.0),
        ("30d", NOW_S - 30 * DAY_S),
        ("2025-12-31", NOW_S - DAY_S),
        ("2025-12-31T12:00:00+01:00", NOW_S - 13 * 3600.0),
    ],
)
def test_since_is_a_time_or_a_date(text: str, since_s: float) -> None:
    """A date begins at midnight in UTC."""
    assert read_since(text, NOW_S) == since_s


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("31d", "more than 30d ago"),
        ("2025-11-01", "more than 30d ago"),
        ("2026-02-01", "still to come"),
        ("yesterday", "expected a time such as 2d"),
        ("2025-12-31T12:00:00", "expected a time such as 2d"),
    ],
)
async def test_a_since_that_is_none_or_goes_too_far_back_is_refused(text: str, said: str) -> None:
    """Further back than is remembered it would double what was taken in."""
    with pytest.raises(ValueError, match=said):
        read_since(text, NOW_S)
