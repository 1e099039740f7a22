"""``STATE_KEY``: who has no key reads nothing, and what is sealed opens only where it belongs."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.dedup_store.keys import KEY_AWAITED_S
from actors.dedup_store.sealing import KeyMissing, Sealer, parse_keys
from actors.messages import (
    Author,
    DeadLetter,
    Destination,
    Done,
    InboundDirectMessage,
    JournalEntry,
    JournalItem,
    KnownPost,
    Receipt,
    Refused,
    Retry,
)
from actors.store import Value
from runtime.errors import Malformed
from tests.dedup_store.house import House

OLD, NEW = (base64.b64encode(bytes([one]) * 32).decode() for one in (1, 2))
PLACE = ("entry", "GenesysSender", "dm:1", "dm:1:2")
WORDS = "Zürich 🎉 is where I live"
ALICE = Author("did:plc:alice", "alice.example", "Alice Wonder")


def test_a_sealed_text_opens_where_it_was_sealed_and_with_its_key() -> None:
    """One line of ASCII that shows nothing of the text, and the same each time."""
    sealer = Sealer.parse("acme", OLD)
    sealed = sealer.seal(WORDS, *PLACE)
    assert sealed == sealer.seal(WORDS, *PLACE)
    assert sealed.isascii()
    assert sealed.isprintable()
    assert "live" not in sealed
    assert sealer.open(sealed, *PLACE) == WORDS
    assert sealer.open(sealer.seal("", *PLACE), *PLACE) == ""


@pytest.mark.parametrize("part", range(len(PLACE)))
def test_a_sealed_text_opens_nowhere_else(part: int) -> None:
    """Whoever can write the store cannot make one message of another."""
    sealer = Sealer.parse("acme", OLD)
    elsewhere = [*PLACE]
    elsewhere[part] += "x"
    with pytest.raises(Malformed, match="another place"):
        sealer.open(sealer.seal(WORDS, *PLACE), *elsewhere)
    with pytest.raises(Malformed, match="another place"):
        Sealer.parse("other", OLD).open(sealer.seal(WORDS, *PLACE), *PLACE)


def test_a_sealed_text_that_was_changed_does_not_open() -> None:
    """Not by a bit, nor cut short."""
    sealer = Sealer.parse("acme", OLD)
    sealed = sealer.seal(WORDS, *PLACE)
    for spoiled in (sealed[:-8] + "AAAA" + sealed[-4:], sealed[:30], sealed[:18], sealed + "!"):
        with pytest.raises(Malformed):
            sealer.open(spoiled, *PLACE)


def test_keys_are_rotated() -> None:
    """The first seals, all open, and one that is missing is named."""
    sealed = Sealer.parse("acme", OLD).seal(WORDS, *PLACE)
    both = Sealer.parse("acme", f"{NEW}, {OLD}")
    assert both.open(sealed, *PLACE) == WORDS
    fresh = both.seal(WORDS, *PLACE)
    assert fresh != sealed
    assert Sealer.parse("acme", NEW).open(fresh, *PLACE) == WORDS
    with pytest.raises(KeyMissing, match=sealed.split(":")[2]) as caught:
        Sealer.parse("acme", NEW).open(sealed, *PLACE)
    assert caught.value.action is not None


def test_plain_texts_are_read_only_if_it_is_said() -> None:
    """Else whoever can write the store could write messages of his own."""
    assert Sealer.parse("acme", None).open(WORDS, *PLACE) == WORDS
    assert Sealer.parse("acme", f"{NEW},plain").open(WORDS, *PLACE) == WORDS
    with pytest.raises(KeyMissing, match="not sealed"):
        Sealer.parse("acme", NEW).open(WORDS, *PLACE)
    off = Sealer.parse("acme", f"plain,{OLD}")
    assert off.seal(WORDS, *PLACE) == WORDS
    assert off.open(Sealer.parse("acme", OLD).seal(WORDS, *PLACE), *PLACE) == WORDS


@pytest.mark.parametrize("text", ["", "secret!", f"{OLD},", OLD[:-4], "c2hvcnQ=", f"{OLD} {NEW}"])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    """An administrator learns how to make one; the log does not learn the secret."""
    with pytest.raises(ValueError, match="openssl rand -base64 32") as caught:
        parse_keys(text)
    assert OLD[:8] not in str(caught.value)
    assert "secret!" not in str(caught.value)


def direct_message(name: str) -> JournalItem:
    """What a customer wrote in private."""
    payload = InboundDirectMessage(name, "1", ALICE, WORDS, "2026-01-01T00:00:00.000Z")
    return JournalItem(f"dm:1:{name}", Destination.GENESYS_SENDER, "dm:1", payload)


async def read_all(house: House) -> str:
    """Everything that lies in the store, as one text."""
    kinds = {
        "string": ("GET",),
        "list": ("LRANGE", "0", "-1"),
        "zset": ("ZRANGE", "0", "-1"),
        "hash": ("HVALS",),
    }
    found: list[Any] = []
    (keys,) = await house.database.execute([Command(("KEYS", "*"))])
    for key in (one for one in keys if house.keys.namespace in one):
        (kind,) = await house.database.execute([Command(("TYPE", key))])
        name, *rest = kinds[kind]
        found += [key, *await house.database.execute([Command((name, key, *rest))])]
    return repr(found)


async def fill(house: House) -> None:
    """One of everything that is sealed."""
    await house.store.record(
        [direct_message("a"), direct_message("b")],
        values=[
            Value("session", "bluesky", f'{{"access":"{WORDS}"}}'),
            Value("contact", ALICE.did, WORDS),
            Value("cursor", "DMPoller", "17"),
        ],
        dead_letters=[DeadLetter("webhook:1", "WebhookReceiver", "odd", "no", WORDS)],
        posts=[KnownPost("at://a/b/c", "at://a/b/c", ALICE, 1.0)] * 2,
    )


async def test_nothing_that_people_wrote_is_to_be_read_in_the_store(database: Database) -> None:
    """Messages, names, tokens and dead letters are sealed; the scripts do without them."""
    house = House(database, state_key=NEW)
    async with house.open():
        await fill(house)
        first = await house.next()
        assert first.payload == direct_message("a").payload
        assert [one.payload for one in await house.store.read_queue(first.entry_id, 5)] == [
            direct_message("a").payload,
            direct_message("b").payload,
        ]
        assert await house.store.amend(first, Receipt("m", "did", "Failed", "GeneralError", WORDS))
        await house.store.settle(first.entry_id, Retry(0.0, "busy"))
        again = await house.next()
        assert isinstance(again.payload, Receipt)
        assert again.payload.sentence == WORDS
        await house.store.settle(again.entry_id, Refused("no", "never"))
        assert (await house.next()).payload == direct_message("b").payload
        everything = await read_all(house)
        assert "Zürich" not in everything
        assert "live" not in everything
        assert "Wonder" not in everything
        assert '"17"' in everything or "'17'" in everything
        assert await house.store.read("session", "bluesky") == f'{{"access":"{WORDS}"}}'
        assert await house.store.read("contact", ALICE.did) == WORDS
        assert [one.post.author for one in await house.store.find_posts(0.0)] == [ALICE]
        letter = await house.store.read_letter("webhook:1")
        assert letter is not None
        assert letter.payload == WORDS
        letter = await house.store.read_letter("dm:1:a")
        assert letter is not None
        assert WORDS in letter.payload


async def test_a_dead_letter_is_put_back_as_it_is_sealed(database: Database) -> None:
    """The script moves what it cannot read, and it opens in its queue again."""
    house = House(database, state_key=NEW)
    async with house.open():
        await house.store.record([direct_message("a")])
        await house.store.settle((await house.next()).entry_id, Refused("no", "never"))
        await house.store.replay_letter("dm:1:a")
        assert (await house.next()).payload == direct_message("a").payload


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, f"{NEW},plain"), (OLD, f"{NEW},{OLD}"), (OLD, f"plain,{OLD}")],
    ids=["turned on", "rotated", "turned off"],
)
async def test_keys_may_change_while_entries_wait(
    database: Database, before: str | None, after: str
) -> None:
    """What waits, what is kept and what died is read by the process that has the new keys."""
    house = House(database, state_key=before)
    async with house.open(dispatcher=False):
        await fill(house)
    house = House(database, namespace=house.keys.namespace, state_key=after)
    async with house.open():
        first = await house.next()
        assert first.payload == direct_message("a").payload
        await house.store.settle(first.entry_id, Done())
        assert (await house.next()).payload == direct_message("b").payload
        assert await house.store.read("contact", ALICE.did) == WORDS
        assert {one.post.author for one in await house.store.find_posts(0.0)} == {ALICE}
        letter = await house.store.read_letter("webhook:1")
        assert letter is not None
        assert letter.payload == WORDS


@pytest.mark.parametrize(
    ("before", "wrong", "right"),
    [(OLD, NEW, f"{NEW},{OLD}"), (OLD, None, OLD), (None, NEW, f"{NEW},plain")],
    ids=["wrong key", "no key", "plain not allowed"],
)
async def test_what_lacks_its_key_waits_for_it(
    database: Database, before: str | None, wrong: str | None, right: str
) -> None:
    """Nobody gets it, nothing dies, health says what to do; with the key it goes on in order."""
    house = House(database, state_key=before)
    async with house.open(dispatcher=False):
        await fill(house)
    locked = House(database, namespace=house.keys.namespace, state_key=wrong)
    async with locked.open():
        assert await locked.names() == []
        assert locked.gauge.read().depth == 2
        assert locked.gauge.read().dead_letters == 1
        told = [*locked.runner.failures, *locked.worker.failures]
        assert [type(one) for one in told] == [KeyMissing]
        assert "STATE_KEY" in str(told[0])
        assert getattr(told[0], "action", None)
        assert await locked.store.read("session", "bluesky") is None
        assert await locked.store.find_posts(0.0) == ()
        with pytest.raises(KeyMissing):
            await locked.store.read_letter("webhook:1")
    mended = House(database, namespace=house.keys.namespace, state_key=right)
    mended.clock.now += 61
    async with mended.open():
        entry = await mended.next()
        assert (entry.item_id, entry.payload) == ("dm:1:a", direct_message("a").payload)
        await mended.store.settle(entry.entry_id, Done())
        assert (await mended.next()).item_id == "dm:1:b"


async def test_what_waited_a_week_for_its_key_is_a_dead_letter(database: Database) -> None:
    """A key that was lost for good does not keep its entries in the journal for ever."""
    house = House(database, state_key=OLD)
    async with house.open(dispatcher=False):
        await house.store.record([direct_message("a")])
    locked = House(database, namespace=house.keys.namespace, state_key=NEW)
    locked.clock.now += KEY_AWAITED_S + 1
    async with locked.open():
        assert await locked.names() == []
        (letter,) = await locked.store.read_envelopes(["dm:1:a"])
        assert letter.code == "Unreadable"
        assert "STATE_KEY" in letter.why


async def test_entries_that_changed_places_are_dead_letters(database: Database) -> None:
    """Whoever writes the store cannot put one person's message into another's conversation."""
    house = House(database, state_key=NEW)
    async with house.open(dispatcher=False):
        await house.store.record([direct_message("a")])
        mine = house.keys.queue("GenesysSender", "dm:1")
        theirs = house.keys.queue("GenesysSender", "dm:2")
        ready = f"{house.keys.prefix}ready:GenesysSender"
        await house.database.execute(
            [Command(("RENAME", mine, theirs)), Command(("ZADD", ready, "1", "dm:2"))]
        )
    again = House(database, namespace=house.keys.namespace, state_key=NEW)
    async with again.open():
        entries: list[JournalEntry] = await again.handed_over()
        assert entries == []
        (letter,) = await again.store.read_envelopes(["dm:1:a"])
        assert letter.code == "Unreadable"
        assert "another place" in letter.why
