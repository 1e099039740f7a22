"""Every operation that takes a body, with a good one that leaves nothing out."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from sandbox.genesys import contact_models, message_models, setup_models, social_models
from tests.sandbox.genesys import bodies
from tests.sandbox.genesys.bodies import ALICE

SECRET = "a secret of more than 15 characters"
SOURCE = {"id": "s", "name": "Bluesky"}
IDENTIFIER = {"type": "ExternalId", "value": ALICE, "externalSource": SOURCE}
PHONE = {"display": "+1 704 298 4733", "acceptsSMS": True, "extension": 7}
CONTACT = {
    "firstName": "Alice",
    "title": "@alice.test",
    "workEmail": "alice@alice.test",
    "cellPhone": PHONE,
    "address": {"city": "Paris", "countryCode": "FR"},
    "externalSystemUrl": "https://bsky.app/profile/alice.test",
    "externalIds": [{"externalSource": SOURCE, "value": ALICE}],
    "identifiers": [IDENTIFIER],
    "division": {"id": "d"},
    "surveyOptOut": False,
}
ENRICHMENT = {
    "id": "1",
    "action": "Upsert",
    "division": {"id": "d"},
    "matchingIdentifiers": [IDENTIFIER],
    "contact": CONTACT,
    "fieldRules": {
        "defaultAction": "PreferProvided",
        "defaultArrayAction": "Fill",
        "rules": [{"field": "$.firstName", "action": "PreferExisting", "arrayAction": "Replace"}],
    },
    "options": {"promote": True},
}
INTEGRATION = {
    "name": "Bluesky",
    "outboundNotificationWebhookUrl": "https://connector.test/webhook",
    "outboundNotificationWebhookSignatureSecretToken": SECRET,
    "webhookHeaders": {"x-route": "blue"},
    "supportedContent": {"id": "c"},
    "messagingSetting": {"id": "m"},
}
TEXT_CONTENT = {"contentType": "Text", "text": {"body": "more", "type": "Text"}}
REACTION_CONTENT = {"contentType": "Reactions", "reaction": {"reactionType": "Like", "count": 1}}
PUBLIC = bodies.public_message("at://a/1")
PUBLIC["content"] += [TEXT_CONTENT, REACTION_CONTENT]
PUBLIC["channel"]["to"] = {"id": "did:plc:brand", "idType": "Opaque"}
CHANGE = {"field": "$.firstName", "action": "Update", "value": "Alice"}

TOPIC = "/api/v2/socialmedia/topics"
OPEN = f"{TOPIC}/t/dataingestionrules/open"
INBOUND = "/api/v2/conversations/messages/i/inbound/open"
CONTACTS = "/api/v2/externalcontacts"
INTEGRATIONS = "/api/v2/conversations/messaging/integrations/open"
IDENTITY = "/api/v2/conversations/messaging/identityresolution/integrations/open/i"

# Method, path, the sandbox's own check, a good body.
OPERATIONS: dict[str, tuple[str, str, TypeAdapter[Any], Any]] = {
    "ingest": ("POST", f"{OPEN}/r/messages/bulk", social_models.SOCIAL_MESSAGES, [PUBLIC]),
    "react": ("POST", f"{OPEN}/r/reactions/bulk", social_models.REACTIONS, bodies.reactions()),
    "message": (
        "POST",
        f"{INBOUND}/message",
        message_models.PRIVATE_MESSAGE,
        bodies.private_message(),
    ),
    "event": ("POST", f"{INBOUND}/event", message_models.EVENT, bodies.typing_event()),
    "receipt": (
        "POST",
        f"{INBOUND}/receipt",
        message_models.RECEIPT,
        bodies.receipt("m", "Failed"),
    ),
    "several messages": (
        "POST",
        "/api/v2/conversations/messages/c/messages/bulk",
        message_models.MESSAGE_IDS,
        ["1", "2", "3", "4"],
    ),
    "contact": ("POST", f"{CONTACTS}/contacts", contact_models.CONTACT, CONTACT),
    "replaced contact": ("PUT", f"{CONTACTS}/contacts/c", contact_models.CONTACT, CONTACT),
    "patch": (
        "PATCH",
        f"{CONTACTS}/contacts/c",
        contact_models.PATCH,
        {"changes": [CHANGE]},
    ),
    "enrich": ("POST", f"{CONTACTS}/contacts/enrich", contact_models.ENRICH, ENRICHMENT),
    "bulk enrich": (
        "POST",
        f"{CONTACTS}/bulk/contacts/enrich",
        contact_models.BULK_ENRICH,
        {"entities": [ENRICHMENT]},
    ),
    "lookup": (
        "POST",
        f"{CONTACTS}/identifierlookup/contacts",
        contact_models.IDENTIFIER,
        IDENTIFIER,
    ),
    "source": (
        "POST",
        f"{CONTACTS}/externalsources",
        contact_models.EXTERNAL_SOURCE,
        {"name": "Bluesky", "active": True, "linkConfiguration": {"uriTemplate": "https://x"}},
    ),
    "association": (
        "PUT",
        f"{CONTACTS}/conversations/c",
        setup_models.ASSOCIATION,
        {
            "conversationId": "c",
            "communicationId": "x",
            "mediaType": "MESSAGE",
            "externalContactId": "e",
        },
    ),
    "topic": (
        "POST",
        TOPIC,
        setup_models.TOPIC,
        {"name": "Bluesky", "divisionId": "d", "description": "posts"},
    ),
    "rule": (
        "POST",
        OPEN,
        setup_models.RULE,
        {"name": "Bluesky", "externalSource": {"id": "s"}, "description": "posts"},
    ),
    "integration": ("POST", INTEGRATIONS, setup_models.INTEGRATION, INTEGRATION),
    "changed integration": (
        "PATCH",
        f"{INTEGRATIONS}/i",
        setup_models.INTEGRATION_UPDATE,
        INTEGRATION,
    ),
    "identity resolution": (
        "PUT",
        IDENTITY,
        setup_models.IDENTITY_RESOLUTION,
        {"resolveIdentities": True, "division": {"id": "d"}, "externalSource": {"id": "s"}},
    ),
}
