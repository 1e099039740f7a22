"""A contact is asked for when it is needed, and not with every message."""

from __future__ import annotations

import dataclasses

from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.messages import (
    Author,
    Destination,
    Receipt,
    ResolveContact,
)
from actors.recent import Recent
from tests.genesys.fake_platform import FakeGenesys, error
from tests.genesys.sender_bench import Bench, make_message, make_post, make_uri
from tests.support.memory_store import MemoryStore


async def test_our_own_posts_bring_no_contact(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """They are sent as context; the company is no customer of its own."""
    bench = Bench(client, memory, genesys, contacts=Recent())
    bench.add(make_post(1, own=True, reason="context"))
    await bench.send()
    assert bench.genesys.ingested == {make_uri(1): 1}
    assert bench.memory.payloads == []


async def test_no_contact_is_asked_for_when_contacts_are_off(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1), make_message(2))
    await bench.send()
    assert bench.memory.deliverable(Destination.CONTACT_RESOLVER) == []


async def test_a_contact_is_asked_for_with_the_first_message_and_after_a_change(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys
) -> None:
    bench = Bench(client, memory, genesys, contacts=Recent(100))
    alice = Author("did:plc:alice", "alice.test", "Alice")
    renamed = dataclasses.replace(alice, handle="alice2.test")
    for number, author in enumerate((alice, alice, renamed, renamed)):
        bench.add(make_post(number, author=author))
        await bench.send()
    bench.add(Receipt("agent-1", alice.did, "Delivered"))
    await bench.send()
    asked = bench.memory.deliverable(Destination.CONTACT_RESOLVER)
    assert [entry.conversation for entry in asked] == ["contact:did:plc:alice"]
    assert bench.memory.payloads == [ResolveContact(alice), ResolveContact(renamed)]


async def test_no_contact_is_asked_for_by_a_message_that_did_not_go(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    bench = Bench(client, memory, genesys, contacts=Recent(100))
    genesys.culprits = {"message-1"}
    genesys.faults = [error(503, "service.unavailable")]
    bench.add(make_post(1), make_message(1))
    await bench.send()
    assert bench.memory.deliverable(Destination.CONTACT_RESOLVER) == []
