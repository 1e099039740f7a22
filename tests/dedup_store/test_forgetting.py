"""A person who asks for it is forgotten, and nobody else."""

from __future__ import annotations

import base64
import re
from collections import Counter

import pytest

from actors.dedup_store import forgetting
from actors.dedup_store.database import Database
from actors.dedup_store.forgetting import Forgetting, Forgotten
from actors.dedup_store.sealing import KeyMissing
from actors.items import (
    make_agent_item,
    make_contact_item,
    make_direct_message_item,
    make_post_item,
)
from actors.messages import (
    AgentMessage,
    Author,
    DeadLetter,
    Destination,
    InboundDirectMessage,
    InboundPost,
    KnownPost,
    PostReference,
    Receipt,
    Refused,
    Retry,
    ThreadReference,
)
from actors.store import Activity, Value
from tests.dedup_store.house import House
from tests.dedup_store.test_lease import LONG, Process
from tests.dedup_store.test_sealing import read_all

KEY = base64.b64encode(bytes(32)).decode()
ALICE = Author("did:plc:alice", "alice.example", "Alice")
NEARLY = Author("did:plc:alicebob", "alicebob.example", "Bob")
BRAND = Author("did:plc:brand", "acme.example", "Acme")
SENT_AT = "2026-01-01T00:00:00.000Z"


def post_by(author: Author, name: str) -> InboundPost:
    post = PostReference(f"at://{author.did}/app.bsky.feed.post/{name}", "cid")
    return InboundPost(post, post, None, author, "words", SENT_AT, "https://x", "mention")


def message_to(author: Author, name: str) -> AgentMessage:
    return AgentMessage(name, "private", author.did, "words", SENT_AT, conversation_id=name)


def trace(everything: str) -> set[str]:
    """In which keys Alice is named, by the beginnings of their names."""
    parts = re.split(r"'\{bluesky-genesys:[0-9a-f]+\}:", everything)
    named = [part for part in parts if re.search(r"did:plc:alice\b", part)]
    return {":".join(part.partition("'")[0].split(":")[:3]) for part in named}


async def meet(house: House, author: Author) -> None:
    """All that the store can have of somebody."""
    did, post = author.did, post_by(author, "1")
    ours = PostReference(f"at://{BRAND.did}/app.bsky.feed.post/to-{did}", "cid")
    direct = InboundDirectMessage("1", f"convo-{did}", author, "words", SENT_AT)
    letter = DeadLetter(f"webhook:{did}", "WebhookReceiver", "m", "w", f'{{"to":"{did}"}}')
    await house.store.record(
        [
            make_post_item(post),
            make_direct_message_item(direct),
            make_contact_item(author, f"post:{did}"),
            make_agent_item(message_to(author, f"to {did}")),
        ],
        values=[
            Value("contact", did, author.handle),
            Value("written", f"app.bsky.graph.follow:{did}", "at://x"),
            Value("cursor", "DMPoller", "1"),
        ],
        dead_letters=[letter],
        references=[
            ThreadReference(post.post, post.root, did),
            ThreadReference(ours, post.root, BRAND.did),
        ],
        active=[Activity(f"thread:{post.root.uri}", "conversation", did[-5:])],
        posts=[
            KnownPost(post.post.uri, post.root.uri, author, 1.0),
            KnownPost(ours.uri, post.root.uri, BRAND, 2.0),
        ],
    )


async def forget(house: House, author: Author, *, dry_run: bool = False) -> Forgotten:
    database, commands = house.database, house.commands
    return await Forgetting(database, commands, house.clock, author.did, dry_run=dry_run).run()


EVERYTHING = Counter(
    {
        forgetting.ENTRIES: 2,
        forgetting.CONTACTS: 1,
        forgetting.AGENTS: 1,
        forgetting.LETTERS: 1,
        forgetting.STATES: 1,
        forgetting.WRITTEN: 1,
        forgetting.REFERENCES: 2,
        forgetting.POSTS: 2,
        forgetting.ACTIVE: 1,
    }
)


@pytest.mark.parametrize("state_key", [None, KEY], ids=["plain", "sealed"])
async def test_all_traces_of_one_account_go_and_no_other(
    database: Database, state_key: str | None
) -> None:
    """Somebody whose DID begins alike keeps everything."""
    house = House(database, state_key=state_key)
    async with house.open(dispatcher=False):
        await meet(house, NEARLY)
        await meet(house, ALICE)
        assert (await forget(house, ALICE, dry_run=True)).removed == EVERYTHING
        forgotten = await forget(house, ALICE)
        assert forgotten.removed == EVERYTHING
        assert forgotten.in_hand == 0
        again = await forget(house, ALICE)
        assert again.removed.total() == 0
        assert again.receipts == 1
        assert trace(await read_all(house)) == {
            "seen",
            "queue:GenesysSender:receipt",
            "ready:GenesysSender",
        }
    house = House(database, namespace=house.keys.namespace, state_key=state_key)
    async with house.open():
        (told,) = [one.payload for one in await house.handed_over() if "to did" in one.item_id]
        assert isinstance(told, Receipt)
        assert (told.message_id, told.status) == ("to did:plc:alice", "Failed")
    house = House(database, namespace=house.keys.namespace, state_key=state_key)
    async with house.open(dispatcher=False):
        assert (await forget(house, NEARLY, dry_run=True)).removed == EVERYTHING


async def test_a_refused_message_of_theirs_goes_too(house: House) -> None:
    """The dead letter of an entry belongs to whoever wrote it, whatever thread it is in."""
    async with house.open():
        for author in (ALICE, NEARLY):
            await house.store.record([make_post_item(post_by(author, "1"))])
            await house.store.settle((await house.next()).entry_id, Refused("no", "never"))
        assert (await forget(house, ALICE)).removed == {forgetting.LETTERS: 1}
        assert await house.store.list_letters() == (f"post:at://{NEARLY.did}/app.bsky.feed.post/1",)


async def test_what_a_leader_may_have_in_hand_is_left_to_it(database: Database) -> None:
    """It is settled as ever; what waits behind it or for later goes at once."""
    process = Process(database, LONG)
    house = process.house
    async with process.alive():
        await process.leads()
        root = post_by(ALICE, "1")
        posts = [post_by(ALICE, name) for name in ("1", "2", "3")]
        items = [
            make_post_item(
                InboundPost(one.post, root.root, None, ALICE, "w", SENT_AT, "u", "reply")
            )
            for one in posts
        ]
        await house.store.record(items[:2])
        await house.store.record([make_agent_item(message_to(ALICE, "m"))])
        message = await house.next(Destination.BLUESKY_SENDER)
        await process.leader_store.settle(message.entry_id, Retry(60.0, "busy"))
        entry = await house.next()
        forgotten = await forget(house, ALICE)
        assert forgotten.in_hand == 1
        assert forgotten.removed == {forgetting.ENTRIES: 1, forgetting.AGENTS: 1}
        # As the leader hears from the store that another process has recorded something.
        house.in_hand.want()
        receipt = await house.next()
        assert isinstance(receipt.payload, Receipt)
        await process.leader_store.settle(entry.entry_id, Retry(0.0, "busy"))
        assert (await house.next()).item_id == items[0].item_id
        assert house.gauge.read().depth == 2


async def test_what_nobody_can_open_is_no_ones(database: Database) -> None:
    """Without its key it cannot be told whose an entry is, and the command says so."""
    house = House(database, state_key=KEY)
    async with house.open(dispatcher=False):
        await meet(house, ALICE)
    locked = House(database, namespace=house.keys.namespace)
    with pytest.raises(KeyMissing):
        await forget(locked, ALICE)
