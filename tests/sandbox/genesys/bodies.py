"""Good bodies, to be sent as they are or spoiled."""

from __future__ import annotations

from typing import Any

from sandbox.genesys import GenesysOrganization

TIME = "2026-06-10T21:05:40.900Z"
ALICE = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
ROOT = f"at://{ALICE}/app.bsky.feed.post/3lrbi7scmqc2e"

Json = dict[str, Any]


def bulk_path(organization: GenesysOrganization) -> str:
    return (
        f"/api/v2/socialmedia/topics/{organization.topic_id}"
        f"/dataingestionrules/open/{organization.rule_id}/messages/bulk"
    )


def reactions_path(organization: GenesysOrganization) -> str:
    return bulk_path(organization).replace("messages/bulk", "reactions/bulk")


def inbound_path(organization: GenesysOrganization, kind: str) -> str:
    return f"/api/v2/conversations/messages/{organization.integration_id}/inbound/open/{kind}"


def public_message(message_id: str = ROOT, root_id: str = ROOT) -> Json:
    metadata: Json = {"rootId": root_id, "url": "https://bsky.app/profile/alice/post/3lrbi7scmqc2e"}
    if message_id != root_id:
        metadata["replyToId"] = root_id
    return {
        "channel": {
            "messageId": message_id,
            "from": {
                "id": ALICE,
                "idType": "Opaque",
                "nickname": "alice.test",
                "firstName": "Alice",
                "image": "https://cdn.test/alice.jpg",
            },
            "time": TIME,
            "publicMetadata": metadata | {"mentionIds": ["did:plc:brand"]},
        },
        "text": "My parcel is lost @mycompany",
        "content": [
            {
                "contentType": "Attachment",
                "attachment": {
                    "mediaType": "Image",
                    "url": "https://cdn.test/parcel.jpg",
                    "mime": "image/jpeg",
                    "text": "an empty doorstep",
                },
            }
        ],
        "metadata": {"reason": "mention"},
    }


def private_message(message_id: str = "3lrbi", sender_id: str = ALICE) -> Json:
    return {
        "channel": {
            "messageId": message_id,
            "from": {
                "id": sender_id,
                "idType": "Opaque",
                "nickname": "alice.test",
                "firstName": "Alice",
            },
            "time": TIME,
        },
        "text": "Hello?",
        "content": [
            {
                "attachment": {
                    "mediaType": "Link",
                    "url": "https://bsky.app/profile/alice/post/3lrbi7scmqc2e",
                    "mime": "text/html",
                }
            }
        ],
        "metadata": {"convoId": "c1"},
    }


def typing_event() -> Json:
    sender = {"id": ALICE, "idType": "Opaque"}
    return {"channel": {"from": sender, "time": TIME}, "events": [{"eventType": "Typing"}]}


def reactions() -> Json:
    reaction = {"reactionType": "Like", "count": 3}
    event = {"channel": {"messageId": ROOT, "time": TIME}, "events": [{"reactions": [reaction]}]}
    return {"events": [event]}


def receipt(message_id: str, status: str = "Delivered", recipient_id: str = ALICE) -> Json:
    body: Json = {
        "id": message_id,
        "channel": {"to": {"id": recipient_id}, "time": TIME},
        "status": status,
        "isFinalReceipt": True,
    }
    if status == "Failed":
        body["reasons"] = [{"code": "MessageNotAllowed", "message": "DMs are closed"}]
    return body


def contact(organization: GenesysOrganization, did: str = ALICE, name: str = "Alice") -> Json:
    return {
        "firstName": name,
        "title": "@alice.test",
        "externalSystemUrl": f"https://bsky.app/profile/{did}",
        "externalIds": [{"externalSource": source(organization), "value": did}],
    }


def source(organization: GenesysOrganization) -> Json:
    return {"id": organization.external_source_id, "name": "Bluesky"}


def identifier(organization: GenesysOrganization, did: str = ALICE) -> Json:
    return {"type": "ExternalId", "value": did, "externalSource": source(organization)}


def enrichment(organization: GenesysOrganization, did: str = ALICE, name: str = "Alice") -> Json:
    return {
        "action": "Upsert",
        "division": {"id": organization.division_id},
        "matchingIdentifiers": [identifier(organization, did)],
        "contact": contact(organization, did, name),
    }
