"""External contacts of the sandbox: one per identity, however often they are sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.genesys import GenesysOrganization
from tests.sandbox.genesys.bodies import ALICE, contact, enrichment, identifier, source

BASE = "/api/v2/externalcontacts"


async def test_enrich_creates_then_updates(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = f"{BASE}/contacts/enrich"
    created = await client.post(path, json=enrichment(organization))
    renamed = enrichment(organization, name="Alice B.")
    updated = await client.post(path, json=renamed)
    assert (created.status_code, updated.status_code) == (201, 200)
    assert created.json()["id"] == updated.json()["id"]
    (kept,) = organization.contacts.by_id.values()
    assert kept["firstName"] == "Alice B."
    assert len(kept["externalIds"]) == 1


async def test_what_an_enrichment_leaves_out_stays(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = f"{BASE}/contacts/enrich"
    await client.post(path, json=enrichment(organization))
    body = enrichment(organization)
    body["contact"] = {"lastName": "Doe"}
    await client.post(path, json=body)
    (kept,) = organization.contacts.by_id.values()
    assert (kept["firstName"], kept["lastName"]) == ("Alice", "Doe")


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ({"defaultAction": "PreferExisting"}, "Alice"),
        ({"defaultAction": "AlwaysUseProvided"}, "Bob"),
        (
            {
                "defaultAction": "AlwaysUseProvided",
                "rules": [{"field": "$.firstName", "action": "PreferExisting"}],
            },
            "Alice",
        ),
    ],
)
async def test_field_rules_say_which_data_win(
    organization: GenesysOrganization,
    client: httpx.AsyncClient,
    rules: dict[str, Any],
    name: str,
) -> None:
    path = f"{BASE}/contacts/enrich"
    await client.post(path, json=enrichment(organization))
    await client.post(path, json=enrichment(organization, name="Bob") | {"fieldRules": rules})
    (kept,) = organization.contacts.by_id.values()
    assert kept["firstName"] == name


async def test_a_contact_is_only_found_by_what_its_own_data_claim(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    body = enrichment(organization)
    del body["contact"]["externalIds"]
    answers = [await client.post(f"{BASE}/contacts/enrich", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize(
    ("action", "exists", "status", "code"),
    [
        ("Update", False, 404, "matching.contact.not.found"),
        ("Insert", True, 409, "matching.contact.found"),
    ],
)
async def test_update_needs_a_match_and_insert_none(
    organization: GenesysOrganization,
    client: httpx.AsyncClient,
    action: str,
    exists: bool,
    status: int,
    code: str,
) -> None:
    if exists:
        await client.post(f"{BASE}/contacts", json=contact(organization))
    body = enrichment(organization) | {"action": action}
    answer = await client.post(f"{BASE}/contacts/enrich", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_bulk_enrichment_reports_each_operation(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    good = enrichment(organization) | {"id": "good"}
    bad = enrichment(organization) | {"id": "bad", "action": "Insert"}
    answer = await client.post(f"{BASE}/bulk/contacts/enrich", json={"entities": [good, bad]})
    assert answer.status_code == 200
    results = {result["id"]: result for result in answer.json()["results"]}
    assert (results["good"]["success"], results["good"]["status"]) == (True, 201)
    assert (results["bad"]["success"], results["bad"]["error"]["status"]) == (False, 409)
    assert answer.json()["errorIndexes"] == [1]


async def test_without_enrich_a_contact_is_looked_up_created_and_patched(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    lookup = f"{BASE}/identifierlookup/contacts"
    assert (await client.post(lookup, json=identifier(organization))).status_code == 404
    created = await client.post(f"{BASE}/contacts", json=contact(organization))
    assert created.status_code == 200
    found = await client.post(lookup, json=identifier(organization))
    assert found.json() == created.json()
    change = {"field": "$.firstName", "action": "Update", "value": "Alice B."}
    path = f"{BASE}/contacts/{found.json()['id']}"
    patched = await client.patch(path, json={"changes": [change]})
    assert patched.status_code == 200
    assert (await client.get(path)).json()["firstName"] == "Alice B."


async def test_creating_a_claimed_identity_again_is_a_conflict(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    answers = [await client.post(f"{BASE}/contacts", json=contact(organization)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert len(organization.contacts.by_id) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"field": "$.lastName", "action": "UpdateIfEmpty", "value": "Doe"}, ("Alice", "Doe")),
        ({"field": "$.firstName", "action": "UpdateIfEmpty", "value": "X"}, ("Alice", None)),
        ({"field": "$.lastName", "action": "UpdateIfExists", "value": "Doe"}, ("Alice", None)),
        ({"field": "$.firstName", "action": "Remove"}, (None, None)),
    ],
)
async def test_each_patch_action_does_what_it_says(
    organization: GenesysOrganization,
    client: httpx.AsyncClient,
    change: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    created = (await client.post(f"{BASE}/contacts", json=contact(organization))).json()
    path = f"{BASE}/contacts/{created['id']}"
    patched = (await client.patch(path, json={"changes": [change]})).json()
    assert (patched.get("firstName"), patched.get("lastName")) == expected


async def test_collections_are_patched_item_by_item_and_claims_follow(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    created = (await client.post(f"{BASE}/contacts", json=contact(organization))).json()
    path = f"{BASE}/contacts/{created['id']}"
    lookup = f"{BASE}/identifierlookup/contacts"
    new = {"externalSource": source(organization), "value": "did:plc:new"}
    old = {"externalSource": source(organization), "value": ALICE}
    changes = [
        {"field": "$.externalIds", "action": "AppendToCollection", "value": [new]},
        {"field": "$.externalIds", "action": "RemoveFromCollection", "value": [old]},
    ]
    assert (await client.patch(path, json={"changes": changes})).status_code == 200
    assert (await client.post(lookup, json=identifier(organization))).status_code == 404
    found = await client.post(lookup, json=identifier(organization, "did:plc:new"))
    assert found.json()["id"] == created["id"]


async def test_a_patch_cannot_make_a_contact_that_could_not_be_sent(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    created = (await client.post(f"{BASE}/contacts", json=contact(organization))).json()
    path = f"{BASE}/contacts/{created['id']}"
    for field, value in (("$.handle", "alice"), ("$.firstName", "x" * 1001)):
        change = {"field": field, "action": "Update", "value": value}
        assert (await client.patch(path, json={"changes": [change]})).status_code == 400
    assert (await client.get(path)).json() == created


async def test_replacing_a_contact_leaves_nothing_of_the_old_one(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    created = (await client.post(f"{BASE}/contacts", json=contact(organization))).json()
    path = f"{BASE}/contacts/{created['id']}"
    replaced = await client.put(path, json={"lastName": "Doe"})
    assert replaced.status_code == 200
    assert "firstName" not in (await client.get(path)).json()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"firstName": "x" * 1001}, 400),
        ({"firstName": ""}, 400),
        ({"handle": "alice.test"}, 400),
        ({"type": "Curated"}, 400),
        ({"externalSystemUrl": "bsky.app/profile/alice"}, 400),
        ({"externalIds": [{"externalSource": {"id": "x", "name": "x"}, "value": "a"}]}, 422),
        ({"externalIds": [{"externalSource": {"name": "Bluesky"}, "value": "a"}]}, 422),
        ({"division": {"id": "x"}}, 400),
    ],
)
async def test_what_a_contact_cannot_hold_is_refused(
    organization: GenesysOrganization,
    client: httpx.AsyncClient,
    change: dict[str, Any],
    status: int,
) -> None:
    answer = await client.post(f"{BASE}/contacts", json=contact(organization) | change)
    assert answer.status_code == status
    assert not organization.contacts.by_id


async def test_an_external_source_is_named_even_where_it_is_only_referred_to(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    body = identifier(organization)
    del body["externalSource"]["name"]
    answer = await client.post(f"{BASE}/identifierlookup/contacts", json=body)
    assert answer.status_code == 400


async def test_a_search_is_fuzzy_and_paged(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    for number in range(3):
        body = contact(organization, f"did:plc:{number}", f"Alice {number}")
        await client.post(f"{BASE}/contacts", json=body)
    page = (await client.get(f"{BASE}/contacts?q=alice&pageSize=2&pageNumber=2")).json()
    assert (len(page["entities"]), page["total"], page["pageCount"]) == (1, 3, 2)
    assert (await client.get(f"{BASE}/contacts?q=bob")).json()["entities"] == []
    assert (await client.get(f"{BASE}/contacts?pageSize=0")).status_code == 400
