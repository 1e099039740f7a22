"""One contact for each account, kept up to date, with what people wrote in it left alone."""

from __future__ import annotations

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.genesys.contact_resolver import WITHOUT_ENRICH_S
from actors.genesys.delivery import PATIENCE
from actors.items import make_receipt_item
from actors.messages import (
    Author,
    Done,
    Receipt,
    Refused,
)
from runtime.errors import AuthRejected
from tests.genesys.contact_register import Register
from tests.genesys.fake_platform import FakeGenesys, error
from tests.support.memory_store import MemoryStore

DID = "did:plc:alice"
ALICE = Author(DID, "alice.test", "Alice")
RENAMED = Author(DID, "alice.example", "Alice B.")
PROFILE = "https://bsky.app/profile"
ENRICH = "POST contacts/enrich"
LOOK_UP = "POST identifierlookup/contacts"
READ_SOURCE = "GET externalsources/source-1"
CREATE = "POST externalcontacts/contacts"
PATCH = "PATCH contacts/contact-1"


@pytest.fixture
def register(client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys) -> Register:
    return Register(client, memory, genesys)


async def test_an_account_gets_a_contact_at_first_sight(register: Register) -> None:
    await register.resolve(ALICE)
    contact = register.only_contact()
    assert contact["firstName"] == "Alice"
    assert contact["externalSystemUrl"] == f"{PROFILE}/alice.test"
    assert contact["division"] == {"id": "division-1"}
    source = {"id": "source-1", "name": "Bluesky"}
    assert contact["externalIds"] == [{"externalSource": source, "value": DID}]
    assert register.paths() == [READ_SOURCE, ENRICH]
    assert register.last_outcome() == Done()


async def test_an_account_that_did_not_change_costs_no_request(register: Register) -> None:
    await register.resolve(ALICE)
    register.paths()
    await register.resolve(ALICE)
    register.resolver = register.create()
    await register.resolve(ALICE)
    assert register.paths() == []
    assert register.context.handled == 3


async def test_the_source_is_read_once(register: Register) -> None:
    await register.resolve(ALICE, Author("did:plc:bob", "bob.test"))
    assert register.paths().count(READ_SOURCE) == 1


async def test_a_new_handle_and_name_reach_the_contact(register: Register) -> None:
    await register.resolve(ALICE)
    await register.resolve(RENAMED)
    contact = register.only_contact()
    assert contact["firstName"] == "Alice B."
    assert contact["externalSystemUrl"] == f"{PROFILE}/alice.example"
    assert register.paths() == [READ_SOURCE, ENRICH, LOOK_UP, ENRICH]


@pytest.mark.parametrize("enrich", [True, False])
async def test_what_an_agent_wrote_stays_when_the_account_changes(
    register: Register, genesys: FakeGenesys, enrich: bool
) -> None:
    if not enrich:
        genesys.denied = {"/enrich": "externalContacts:contact:enrich"}
    await register.resolve(ALICE)
    register.only_contact().update(firstName="Dr Alice Smith", title="Physician")
    await register.resolve(RENAMED)
    contact = register.only_contact()
    assert (contact["firstName"], contact["title"]) == ("Dr Alice Smith", "Physician")
    assert contact["externalSystemUrl"] == f"{PROFILE}/alice.example"
    await register.resolve(ALICE)
    assert contact["firstName"] == "Dr Alice Smith"
    assert contact["externalSystemUrl"] == f"{PROFILE}/alice.test"


@pytest.mark.parametrize("enrich", [True, False])
async def test_a_contact_that_was_there_before_is_only_filled_where_it_is_empty(
    register: Register, genesys: FakeGenesys, enrich: bool
) -> None:
    if not enrich:
        genesys.denied = {"/enrich": "externalContacts:contact:enrich"}
    own = {"externalSource": {"id": "source-1", "name": "Bluesky"}, "value": DID}
    genesys.contacts["contact-1"] = {
        "id": "contact-1",
        "firstName": "Mrs Smith",
        "externalIds": [own],
    }
    await register.resolve(ALICE)
    contact = register.only_contact()
    assert contact["firstName"] == "Mrs Smith"
    assert contact["externalSystemUrl"] == f"{PROFILE}/alice.test"


async def test_without_the_permission_to_enrich_a_contact_is_looked_up_and_created(
    register: Register, genesys: FakeGenesys, mock_clock: MockClock
) -> None:
    genesys.denied = {"/enrich": "externalContacts:contact:enrich"}
    await register.resolve(ALICE)
    assert register.paths() == [READ_SOURCE, ENRICH, LOOK_UP, CREATE]
    assert register.only_contact()["firstName"] == "Alice"
    await register.resolve(RENAMED)
    assert register.paths() == [LOOK_UP, PATCH]
    assert register.only_contact()["firstName"] == "Alice B."
    assert register.context.failures == []
    mock_clock.jump(WITHOUT_ENRICH_S)
    genesys.denied = {}
    await register.resolve(ALICE)
    assert register.paths() == [LOOK_UP, ENRICH]


async def test_a_contact_that_somebody_else_creates_meanwhile_is_patched(
    register: Register, genesys: FakeGenesys
) -> None:
    genesys.denied = {"/enrich": "externalContacts:contact:enrich"}
    own = {"externalSource": {"id": "source-1", "name": "Bluesky"}, "value": DID}

    def create(call: object) -> None:
        if call == genesys.calls[-1] and genesys.paths()[-1] == CREATE:
            genesys.contacts["contact-1"] = {"id": "contact-1", "externalIds": [own]}

    genesys.before = create
    await register.resolve(ALICE)
    assert register.paths() == [READ_SOURCE, ENRICH, LOOK_UP, CREATE, LOOK_UP, PATCH]
    assert register.only_contact()["firstName"] == "Alice"
    assert register.last_outcome() == Done()


async def test_a_permission_that_no_way_can_do_without_is_for_a_person(
    register: Register, genesys: FakeGenesys
) -> None:
    genesys.denied = {
        "/enrich": "externalContacts:contact:enrich",
        "identifierlookup": "externalContacts:contact:view",
    }
    with pytest.raises(AuthRejected) as caught:
        await register.resolve(ALICE)
    assert "externalContacts:contact:view" in (caught.value.action or "")
    assert len(register.waiting()) == 1
    genesys.denied = {}
    await register.resolve()
    assert register.waiting() == []


@pytest.mark.parametrize(
    ("fault", "setting"),
    [
        (error(404, "entity.not.found"), "GC_EXTERNAL_SOURCE_ID"),
        (error(400, "invalid.division.id"), "GC_EC_DIVISION_ID"),
    ],
)
async def test_a_wrong_id_in_the_settings_is_for_a_person(
    register: Register, genesys: FakeGenesys, fault: httpx.Response, setting: str
) -> None:
    genesys.faults = [fault]
    with pytest.raises(AuthRejected) as caught:
        await register.resolve(ALICE)
    assert setting in (caught.value.action or "")
    assert len(register.waiting()) == 1


async def test_an_upsert_whose_answer_was_lost_is_done_again_and_makes_one_contact(
    register: Register, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    await register.resolve(Author("did:plc:bob", "bob.test"))
    genesys.lost_answers = 1
    await register.resolve(ALICE)
    assert len(register.waiting()) == 1
    assert len(register.context.back_offs) == 1
    await register.resolve()
    assert register.waiting() == []
    assert len(genesys.contacts) == 2


async def test_an_answer_that_is_no_contact_is_asked_for_again(
    register: Register, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    await register.resolve(ALICE)
    genesys.faults = [httpx.Response(200, json={"name": "no id"})]
    await register.resolve(RENAMED)
    assert len(register.waiting()) == 1
    await register.resolve()
    assert register.only_contact()["firstName"] == "Alice B."


async def test_a_refused_contact_is_a_dead_letter(register: Register, genesys: FakeGenesys) -> None:
    await register.resolve(ALICE)
    genesys.faults = [error(422, "validation.failed")]
    await register.resolve(Author("did:plc:bob", "bob.test"))
    outcome = register.last_outcome()
    assert isinstance(outcome, Refused)
    assert outcome.code == "validation.failed"


async def test_a_conflict_is_tried_again_but_not_for_ever(
    register: Register, genesys: FakeGenesys
) -> None:
    await register.resolve(ALICE)
    register.ask(RENAMED)
    for _ in range(PATIENCE + 1):
        assert len(register.waiting()) == 1
        genesys.faults = [error(409, "identifier.entity.missing")]
        await register.resolve()
    outcome = register.last_outcome()
    assert isinstance(outcome, Refused)
    assert outcome.code == "identifier.entity.missing"


async def test_an_entry_waits_while_the_store_is_away(
    register: Register, memory: MemoryStore, autojump_clock: MockClock
) -> None:
    register.ask(ALICE)
    memory.away = True

    async def bring_back() -> None:
        await trio.sleep(30)
        memory.away = False

    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring_back)
        nursery.start_soon(register.resolve)
    await register.resolve()
    assert register.waiting() == []
    assert register.only_contact()["firstName"] == "Alice"


async def test_another_source_or_division_is_another_contact(
    register: Register, genesys: FakeGenesys
) -> None:
    await register.resolve(ALICE)
    register.resolver = register.create(division_id="division-2")
    register.paths()
    await register.resolve(ALICE)
    assert register.paths() == [READ_SOURCE, ENRICH]


async def test_what_is_no_contact_is_a_dead_letter(register: Register) -> None:
    entry = register.memory.add(make_receipt_item(Receipt("m", DID, "Delivered")))
    await register.resolver.handle(entry)
    outcome = register.last_outcome()
    assert isinstance(outcome, Refused)
    assert outcome.code == "Malformed"


async def test_if_cancelled_the_account_is_dealt_with_again(register: Register) -> None:
    register.ask(ALICE)
    with trio.CancelScope() as scope:
        scope.cancel()
        await register.resolve()
    assert scope.cancelled_caught
    await register.resolve()
    assert register.waiting() == []
