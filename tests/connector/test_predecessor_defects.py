"""What the connector that this one replaces got wrong, and what is promised instead.

1.  New mentions are found whatever the history, across restarts, and whoever reads them in the app
    hides none: here, and ``tests/bluesky/test_catching_up``.
2.  What could not be ingested is kept, wherever the pollers are: here; what could not be recorded:
    ``tests/bluesky/test_notification_poller`` (a store that was away, an interrupted sweep).
3.  An agent's words reach no shell, and a typing event sends nothing: ``test_predecessor_shell``.
4.  A receipt that fails is no failure of the message: ``test_predecessor_answers``. A crash before
    or after the effect neither loses nor doubles it: ``test_crashes``, ``tests/durability`` and
    ``tests/bluesky/test_bluesky_sender_crashes``.
5.  A burst is fetched 25 posts at a time: ``tests/bluesky/test_notification_poller`` (oldest first;
    one uri that is refused), and over sockets ``tests/bluesky/test_over_sockets`` (a crowd).
6.  A post is matched by its uri, whatever else has vanished:
    ``tests/bluesky/test_notification_poller`` (a vanished post).
7.  An answer is threaded under the true root, remembered or not: ``test_predecessor_answers``.
8.  A slow poll is never overtaken by the next: here.
9.  A webhook is judged by its raw bytes: ``test_predecessor_answers``, and for every signature
    ``tests/genesys/test_signature``. A contact is found by its identifier, and nobody else's is
    touched: here, and ``tests/genesys/test_contact_resolver``. Name and handle are not swapped:
    here.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from trio.abc import Clock

from runtime.clock import format_time
from sandbox.bluesky import RecordReference
from sandbox.faults import Status
from sandbox.genesys.contact_models import CONTACT
from sandbox.genesys.organization import GenesysOrganization
from sandbox.world import World as Platforms
from sandbox.world import open_world
from tests.bluesky.backlog import MINUTE_S, World
from tests.connector.connected import connect, open_connected

HISTORY = 120
"""More than a page of notifications."""


def mention(world: Platforms, text: str) -> RecordReference:
    return world.bluesky.post(world.customers[0], f"@{world.brand.handle} {text}")


def ingested(genesys: GenesysOrganization) -> list[str]:
    """The public messages that were taken, repeats not counted."""
    return sorted(one.provider_message_id for one in genesys.ingested if not one.repeat)


async def test_1_a_new_mention_is_found_whatever_the_history_and_after_a_restart(
    tmp_path: Path,
) -> None:
    """Each poll begins with what is newest, the place is kept, and what was read is no filter."""
    async with open_world(random.SystemRandom()) as world:
        posts = [mention(world, f"number {number}") for number in range(HISTORY)]
        async with connect(world, tmp_path) as connected:
            for post in posts:
                await connected.arrives(post)
            posts.append(mention(world, "while it runs"))
            await connected.arrives(posts[-1])
        posts.append(mention(world, "while it is away"))
        world.bluesky.notifications.mark_seen(
            world.brand.did, format_time(datetime.now(UTC).timestamp())
        )
        async with connect(world, tmp_path) as connected:
            posts.append(mention(world, "when it is back"))
            await connected.arrives(posts[-1])
            await connected.arrives(posts[-2])
        assert ingested(world.genesys) == sorted(post.uri for post in posts)
        assert len(world.genesys.ingested) == len(posts)


async def test_2_what_genesys_does_not_take_is_kept_wherever_the_pollers_are(
    tmp_path: Path,
) -> None:
    """It is refused for as long as one process lives and another begins; then it arrives once."""
    async with open_world(random.SystemRandom()) as world:
        refusal = world.genesys.faults.add(
            r"messages/bulk|inbound/open/message", Status(503, "service.unavailable"), count=None
        )
        async with connect(world, tmp_path) as connected:
            post = mention(world, "are you there?")
            world.bluesky.direct_messages.send(world.customers[1], world.brand, "In private.")
            for name in ("NotificationPoller", "DMPoller"):
                await connected.until(name, lambda actor: actor["handled"] == 1)
            await connected.first(lambda: [True] if refusal.hits >= 2 else [])
            later = mention(world, "hello?")
            await connected.until("NotificationPoller", lambda actor: actor["handled"] == 2)
        hits = refusal.hits
        async with connect(world, tmp_path) as connected:
            await connected.first(lambda: [True] if refusal.hits >= hits + 2 else [])
            world.genesys.faults.remove(refusal)
            await connected.arrives(post)
            await connected.arrives(later)
            await connected.receives("In private.")
        assert ingested(world.genesys) == sorted([post.uri, later.uri])
        assert len(world.genesys.private_messages) == 1


@pytest.mark.parametrize("name", ["notifications", "search", "messages"])
async def test_8_a_slow_poll_is_never_overtaken_by_the_next(
    name: str, autojump_clock: Clock
) -> None:
    """Every answer takes ten minutes, ten times the interval: nothing is asked or taken twice."""
    world = World()
    for watched in (world.watched, world.watched_chat):
        watched.answers_after_s = 10 * MINUTE_S
    polls: dict[str, Callable[[], Awaitable[None]]] = {
        "notifications": lambda: world.take_notifications(300 * MINUTE_S),
        "search": lambda: world.search(300 * MINUTE_S, "acme"),
        "messages": lambda: world.take_messages(300 * MINUTE_S),
    }
    world.network.notify(-1)
    world.hit(-1, "acme")
    world.chat.write(world.chat.convo("alice"), -1)

    await polls[name]()

    assert len(world.memory.items) == len(set(world.memory.items)) == 1
    assert max(world.watched.most_busy, world.watched_chat.most_busy) == 1


async def test_9_a_contact_is_its_own_and_no_other_is_touched(tmp_path: Path) -> None:
    """Two that any search for the customer would find first stay as they are."""
    async with open_connected(tmp_path) as connected:
        world, alice = connected.world, connected.world.customers[0]
        contacts = world.genesys.contacts
        source = {"id": world.genesys.external_source_id, "name": "Bluesky"}
        namesake = {"firstName": "Alice", "workEmail": "alice@example.com"}
        mistaken = {"externalIds": [{"externalSource": source, "value": f"not {alice.did}"}]}
        for contact in (namesake, mistaken):
            contacts.create(CONTACT.validate_python(contact))
        others = copy.deepcopy(contacts.by_id)
        mention(world, "hello")
        await connected.first(lambda: [True] if len(contacts.by_id) == 3 else [])
        await connected.until("ContactResolver", lambda actor: actor["handled"] == 1)
        assert {key: contacts.by_id[key] for key in others} == others
        (own,) = (one for key, one in contacts.by_id.items() if key not in others)
        assert own["firstName"] == "Alice"
        assert [one["value"] for one in own["externalIds"]] == [alice.did]


async def test_9_name_and_handle_of_a_direct_message_are_not_swapped(tmp_path: Path) -> None:
    """The agent sees who writes, and so does the contact."""
    async with open_connected(tmp_path) as connected:
        world, alice = connected.world, connected.world.customers[0]
        world.bluesky.direct_messages.send(alice, world.brand, "In private.")
        message = await connected.receives("In private.")
        assert message.sender == {
            "id": alice.did,
            "idType": "Opaque",
            "nickname": "alice.example",
            "firstName": "Alice",
        }
        contact = await connected.first(lambda: list(world.genesys.contacts.by_id.values()))
        assert contact["firstName"] == "Alice"
        assert contact["externalSystemUrl"].endswith("/alice.example")
