"""A contact is known by its DID, kept up to date, and never takes an agent's words away."""

from __future__ import annotations

import pytest

from actors.messages import Author
from actors.translation.contact import (
    ContactState,
    find_own_fields,
    make_contact,
    make_contact_changes,
    make_contact_state,
    make_enrichment,
    make_identifier,
    read_contact_state,
    write_contact_state,
)
from tests.contracts.swagger import Swagger

DID = "did:plc:alice"
CONTACTS = "/api/v2/externalcontacts/contacts"


def make_state(author: Author | None = None) -> ContactState:
    author = author or Author(DID, "alice.test", " Alice ")
    return make_contact_state(author, source_id="source-1", division_id="division-1")


def test_name_and_profile_are_what_a_contact_holds() -> None:
    assert make_state().fields() == {
        "firstName": "Alice",
        "externalSystemUrl": "https://bsky.app/profile/alice.test",
    }


@pytest.mark.parametrize(
    ("author", "name", "profile"),
    [
        (Author(DID, "alice.test"), "alice.test", "alice.test"),
        (Author(DID, "alice.test", "  "), "alice.test", "alice.test"),
        (Author(DID, "handle.invalid", "Alice"), "Alice", DID),
        (Author(DID, "handle.invalid"), DID, DID),
        (Author(DID, "alice.test", "x" * 2000), "x" * 1000, "alice.test"),
    ],
)
def test_a_contact_always_has_a_name_and_an_address(
    author: Author, name: str, profile: str
) -> None:
    state = make_state(author)
    assert state.first_name == name
    assert state.profile_url == f"https://bsky.app/profile/{profile}"


def test_a_state_survives_being_kept_as_text() -> None:
    assert read_contact_state(write_contact_state(make_state())) == make_state()


def test_a_state_that_another_release_kept_is_read() -> None:
    """As it lies in Redis, and with a field that is not known."""
    written = (
        '{"did": "did:plc:alice", "division_id": "division-1", "first_name": "Alice", '
        '"profile_url": "https://bsky.app/profile/alice.example", "source_id": "source-1"'
    )
    state = ContactState(
        source_id="source-1",
        division_id="division-1",
        did="did:plc:alice",
        first_name="Alice",
        profile_url="https://bsky.app/profile/alice.example",
    )
    assert read_contact_state(written + "}") == state
    assert read_contact_state(written + ', "added": {"later": 1}}') == state


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"first_name": "x"}', '{"a": 1}'])
def test_a_state_that_cannot_be_read_counts_as_none(text: str | None) -> None:
    assert read_contact_state(text) is None


def test_a_field_is_our_own_only_while_it_holds_what_we_wrote() -> None:
    known = make_state()
    ours = {"firstName": "Alice", "externalSystemUrl": known.profile_url}
    assert find_own_fields(known, dict(known.fields())) == set(ours)
    assert find_own_fields(
        known, {"firstName": "Dr Alice", "externalSystemUrl": known.profile_url}
    ) == {"externalSystemUrl"}
    assert find_own_fields(known, {"firstName": None, "externalSystemUrl": "https://crm"}) == set()
    assert find_own_fields(None, dict(known.fields())) == set()


def test_an_upsert_on_first_sight_overwrites_nothing(swagger: Swagger) -> None:
    body = make_enrichment(make_state(), "Bluesky", frozenset())
    source = {"id": "source-1", "name": "Bluesky"}
    assert body == {
        "division": {"id": "division-1"},
        "action": "Upsert",
        "matchingIdentifiers": [{"type": "ExternalId", "value": DID, "externalSource": source}],
        "contact": {
            "firstName": "Alice",
            "externalSystemUrl": "https://bsky.app/profile/alice.test",
            "externalIds": [{"externalSource": source, "value": DID}],
        },
        "fieldRules": {"defaultAction": "PreferExisting", "rules": []},
    }
    assert swagger.check_request("POST", f"{CONTACTS}/enrich", body) == []


def test_an_upsert_of_a_change_overwrites_what_is_our_own(swagger: Swagger) -> None:
    body = make_enrichment(make_state(), "Bluesky", frozenset({"firstName"}))
    rules = [{"field": "$.firstName", "action": "PreferProvided"}]
    assert body["fieldRules"] == {"defaultAction": "PreferExisting", "rules": rules}
    assert swagger.check_request("POST", f"{CONTACTS}/enrich", body) == []


def test_without_enrich_a_contact_is_looked_up_created_and_changed(swagger: Swagger) -> None:
    state = make_state()
    lookup = make_identifier(state, "Bluesky")
    path = "/api/v2/externalcontacts/identifierlookup/contacts"
    assert swagger.check_request("POST", path, lookup) == []
    assert swagger.check_request("POST", CONTACTS, make_contact(state, "Bluesky")) == []
    changes = make_contact_changes(state, frozenset({"externalSystemUrl"}))
    assert changes == {
        "changes": [
            {"field": "$.firstName", "action": "UpdateIfEmpty", "value": "Alice"},
            {
                "field": "$.externalSystemUrl",
                "action": "Update",
                "value": "https://bsky.app/profile/alice.test",
            },
        ]
    }
    assert swagger.check_request("PATCH", f"{CONTACTS}/contact-1", changes) == []
