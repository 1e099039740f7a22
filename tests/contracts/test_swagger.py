"""The strict reading of the Swagger refuses what the platform would, and says where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.contracts.swagger import Swagger

BULK = "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk"
MESSAGE = "/api/v2/conversations/messages/i/inbound/open/message"
RECEIPT = "/api/v2/conversations/messages/i/inbound/open/receipt"
SOURCES = "/api/v2/externalcontacts/externalsources"
TIME = "2026-06-10T21:05:40.900Z"


def public(**changes: object) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "messageId": "at://did:plc:a/app.bsky.feed.post/1",
        "from": {"id": "did:plc:a", "idType": "Opaque"},
        "time": TIME,
        "publicMetadata": {"rootId": "at://did:plc:a/app.bsky.feed.post/1"},
    }
    return {"channel": channel | changes, "text": "hello"}


def test_a_good_message_has_no_faults(swagger: Swagger) -> None:
    assert swagger.check_request("POST", BULK, [public(), public()]) == []


def test_a_whole_address_with_query_is_understood(swagger: Swagger) -> None:
    address = f"https://api.example.org{MESSAGE}?prefetchConversationId=true"
    body = {"channel": {"from": {"id": "a", "idType": "Opaque"}, "time": TIME}}
    assert swagger.check_request("post", address, body) == []
    assert swagger.check_request("post", address + "&x=1", body) == ["query x is unknown"]
    assert swagger.check_request("post", f"{MESSAGE}?prefetchConversationId=1", body) == [
        "query prefetchConversationId is not a boolean"
    ]


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({}, "body[0].channel is missing"),
        (public(publicMetadata={}), "body[0].channel.publicMetadata.rootId is missing"),
        (public(type="Private"), "body[0].channel.type is read-only"),
        (public() | {"type": "Text"}, "body[0].type is read-only"),
        (public() | {"direction": "Inbound"}, "body[0].direction is unknown"),
        (public() | {"text": None}, "body[0].text is not a string"),
        (public() | {"text": 1}, "body[0].text is not a string"),
        (public(time="2026-06-10T21:05:40+00:00"), "body[0].channel.time is not a date-time"),
        (public(time="2026-02-30T21:05:40Z"), "body[0].channel.time is not a date-time"),
        (
            public(publicMetadata={"rootId": "r", "mentionIds": ["a", "b"]}),
            "body[0].channel.publicMetadata.mentionIds is longer than 1",
        ),
        (
            public() | {"metadata": {"a": {"b": "c"}}},
            "body[0].metadata.a is not a string",
        ),
        (
            public() | {"content": [{"contentType": "Attachment", "attachment": {}}]},
            "body[0].content[0].attachment.mediaType is missing",
        ),
        (
            public() | {"content": {"contentType": "Attachment"}},
            "body[0].content is not an array",
        ),
    ],
)
def test_each_fault_is_found_where_it_is(
    swagger: Swagger, message: Mapping[str, Any], fault: str
) -> None:
    assert swagger.check_request("POST", BULK, [message]) == [fault]


def test_an_enum_is_closed(swagger: Swagger) -> None:
    channel = {"to": {"id": "a"}, "time": TIME}
    body = {"id": "m", "channel": channel, "status": "Lost"}
    (fault,) = swagger.check_request("POST", RECEIPT, body)
    assert fault.startswith("body.status is not one of ['Sent', ")


def test_a_read_only_reference_is_refused(swagger: Swagger) -> None:
    contact = {"canonicalContact": {"id": "x"}}
    faults = swagger.check_request("POST", "/api/v2/externalcontacts/contacts", contact)
    assert faults == ["body.canonicalContact is read-only"]


def test_an_external_source_needs_its_name_even_as_a_reference(swagger: Swagger) -> None:
    lookup = {"type": "ExternalId", "value": "did:plc:a", "externalSource": {"id": "s"}}
    path = "/api/v2/externalcontacts/identifierlookup/contacts"
    assert swagger.check_request("POST", path, lookup) == ["body.externalSource.name is missing"]


def test_an_object_without_properties_is_any_json(swagger: Swagger) -> None:
    body = {"changes": [{"field": "$.firstName", "action": "Update", "value": "Alice"}]}
    assert swagger.check_request("PATCH", "/api/v2/externalcontacts/contacts/c", body) == []


def test_integers_are_no_booleans_and_have_their_size(swagger: Swagger) -> None:
    def faults(count: object) -> list[str]:
        return swagger.check_definition("ContentReaction", {"reactionType": "Like", "count": count})

    assert faults(2**31 - 1) == []
    assert faults(2**31) == ["ContentReaction.count is not an int32"]
    assert faults(True) == ["ContentReaction.count is not an integer"]


def test_unique_items_do_not_repeat(swagger: Swagger) -> None:
    identifier = {"value": "a", "externalSource": {"name": "Bluesky"}}
    faults = swagger.check_definition("ExternalContact", {"externalIds": [identifier, identifier]})
    assert faults == ["ExternalContact.externalIds repeats an item"]


@pytest.mark.parametrize(
    ("method", "path", "body", "fault"),
    [
        ("PUT", BULK, [], f"PUT {BULK} is not in the Swagger"),
        ("GET", "/api/v2/nowhere", None, "GET /api/v2/nowhere is not in the Swagger"),
        ("GET", SOURCES + "/", None, f"GET {SOURCES}/ is not in the Swagger"),
        ("GET", SOURCES, {}, f"{SOURCES} takes no body"),
        ("POST", SOURCES, None, "body is missing"),
    ],
)
def test_only_operations_of_the_swagger_with_their_bodies_pass(
    swagger: Swagger, method: str, path: str, body: object, fault: str
) -> None:
    assert swagger.check_request(method, path, body) == [fault]


def test_a_literal_path_wins_over_a_placeholder(swagger: Swagger) -> None:
    operation = swagger.find_operation("POST", "/api/v2/externalcontacts/contacts/enrich")
    assert operation is not None
    assert operation.template == "/api/v2/externalcontacts/contacts/enrich"


def test_a_swagger_with_words_the_checks_do_not_know_is_refused() -> None:
    document = {"paths": {}, "definitions": {"A": {"type": "string", "pattern": "x"}}}
    with pytest.raises(ValueError, match="pattern"):
        Swagger(document)


def test_an_answer_may_hold_read_only_properties_but_no_unknown_ones(swagger: Swagger) -> None:
    path = "/api/v2/externalcontacts/contacts/c"
    assert swagger.check_response("GET", path, 200, {"id": "c", "type": "Curated"}) == []
    assert swagger.check_response("GET", path, 200, {"handle": "a"}) == ["answer.handle is unknown"]
    assert swagger.check_response("GET", path, 207, {}) == [
        "/api/v2/externalcontacts/contacts/{contactId} does not answer 207"
    ]


def test_an_answer_without_body_has_none(swagger: Swagger) -> None:
    path = "/api/v2/externalcontacts/conversations/c"
    assert swagger.check_response("PUT", path, 202, None) == []
    assert swagger.check_response("PUT", path, 202, {}) != []
