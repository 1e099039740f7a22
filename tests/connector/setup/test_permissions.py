"""Each permission that the OAuth client lacks is named, and what it is for."""

from __future__ import annotations

import pytest

from sandbox.genesys.access import ALL_PERMISSIONS
from tests.connector.setup.administrator import ONE_OF_EACH, Administrator

NOT_OURS = {"externalContacts:conversation:associate"}
"""What the connector never does."""

ONLY_TO_ADD = {"externalContacts:contact:add"}
"""Needed only without the permission to enrich, and told only by a contact that is made."""

ONE_OF_SEVERAL = {"externalContacts:externalSource:view"}
"""The source can also be seen by those who may see contacts."""


@pytest.mark.parametrize(
    "permission", sorted(ALL_PERMISSIONS - NOT_OURS - ONLY_TO_ADD - ONE_OF_SEVERAL)
)
async def test_the_missing_permission_is_named(office: Administrator, permission: str) -> None:
    """It and no other, with where to give it; given then, the next run makes what was left."""
    office.world.genesys.permissions.discard(permission)

    status = await office.set_up()

    assert status == 1, office.told
    assert {name for name in ALL_PERMISSIONS if f"  {name}: for " in office.told} == {permission}
    assert "Admin → Integrations → OAuth → your client → Roles" in office.told
    assert "1 to mend" in office.told

    office.world.genesys.permissions.add(permission)
    assert await office.set_up() == 0, office.told
    assert office.things() == ONE_OF_EACH


async def test_a_source_that_cannot_be_seen_names_its_own_permission(
    office: Administrator,
) -> None:
    """Of the three that would do it is the one that is made for it."""
    for name in ("externalContacts:externalSource:view", "externalContacts:contact:view"):
        office.world.genesys.permissions.discard(name)

    await office.set_up()

    assert "  externalContacts:externalSource:view: for seeing the external source" in office.told
    assert "externalOrganization" not in office.told


async def test_several_missing_permissions_are_named_together(office: Administrator) -> None:
    """An administrator need not come back for each one."""
    lacking = {"socialmedia:message:receive", "messaging:integration:add", "socialmedia:topic:add"}
    office.world.genesys.permissions.difference_update(lacking)

    await office.set_up()

    assert {name for name in ALL_PERMISSIONS if f"  {name}: for " in office.told} == lacking


async def test_nothing_at_all_is_permitted(office: Administrator) -> None:
    """It still ends in words, and nothing is made."""
    office.world.genesys.permissions.clear()

    status = await office.set_up()

    assert status == 1
    assert office.changes() == []
    assert "messaging:integration:view" in office.told


async def test_what_is_not_used_needs_no_permission(office: Administrator) -> None:
    """Contacts, reactions and missed answers can be done without, and are not asked about then."""
    office.environ |= {
        "ENABLE_EXTERNAL_CONTACTS": "false",
        "REACTIONS_EVERY": "0",
        "RECONCILE_WINDOW": "0",
    }
    office.world.genesys.permissions.difference_update(
        {
            "socialmedia:reaction:receive",
            "conversation:message:view",
            "externalContacts:contact:enrich",
            "externalContacts:contact:edit",
            "messaging:identityResolutionOpen:edit",
        }
    )

    assert await office.set_up() == 0, office.told


async def test_the_questions_about_permissions_change_nothing(office: Administrator) -> None:
    """Whatever is not a question about nothing is one of the five things that are made."""
    await office.set_up()

    assert len(office.changes()) == 5
    assert len(office.world.genesys.ingested) == 0
    assert office.world.genesys.receipts == []
    assert office.world.genesys.contacts.search("") == []
