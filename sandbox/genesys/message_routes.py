"""Social ingestion, open messaging, and what can be read of conversations."""

from __future__ import annotations

from sandbox.genesys.api import Answer, Api, Request
from sandbox.genesys.conversation_views import conversation_json, details_json
from sandbox.genesys.conversations import InboundMessage
from sandbox.genesys.errors import ApiError, not_found
from sandbox.genesys.message_models import EVENT, MESSAGE_IDS, PRIVATE_MESSAGE, RECEIPT
from sandbox.genesys.organization import GenesysOrganization
from sandbox.genesys.social_models import REACTIONS, SOCIAL_MESSAGES
from sandbox.genesys.wire import Json

_INGESTION = "/api/v2/socialmedia/topics/<topic_id>/dataingestionrules/open/<rule_id>"
_MESSAGES = "/api/v2/conversations/messages"
_INBOUND = f"{_MESSAGES}/<integration_id>/inbound/open"
_VIEW = ("conversation:message:view", "conversation:webmessaging:view")


def add_message_routes(api: Api, organization: GenesysOrganization) -> None:
    """Add these operations."""
    _add_ingestion(api, organization)
    _add_inbound(api, organization)
    _add_reading(api, organization)


def _add_ingestion(api: Api, organization: GenesysOrganization) -> None:
    setup, messaging = organization.setup, organization.messaging

    @api.operation("POST", f"{_INGESTION}/messages/bulk", all_of=("socialmedia:message:receive",))
    def ingest(request: Request, topic_id: str, rule_id: str) -> Answer:
        # One bad message refuses them all: nothing is taken in before everything is checked.
        setup.rule(topic_id, rule_id)
        messages = request.parse(SOCIAL_MESSAGES)
        if not messages:
            raise ApiError(400, "empty.open.messages", "A list of messages is required.")
        if len(messages) > organization.bulk_limit:
            raise ApiError(400, "open.messages.too.large", "Max bulk messages exceeded.")
        accepted = messaging.ingest(messages, request.body)
        return 202, _listing([_ingested_json(message, topic_id) for message in accepted])

    @api.operation("POST", f"{_INGESTION}/reactions/bulk", all_of=("socialmedia:reaction:receive",))
    def react(request: Request, topic_id: str, rule_id: str) -> Answer:
        setup.rule(topic_id, rule_id)
        events = request.parse(REACTIONS).events
        if len(events) > organization.bulk_limit:
            message = "Max bulk reaction events exceeded."
            raise ApiError(400, "open.reaction.events.too.large", message)
        messaging.reactions.extend(request.body["events"])
        return 202, _listing(
            [{"id": organization.ids.message_id(), **event} for event in request.body["events"]]
        )


def _add_inbound(api: Api, organization: GenesysOrganization) -> None:
    setup, messaging = organization.setup, organization.messaging
    receive = ("conversation:message:receive",)

    @api.operation("POST", f"{_INBOUND}/message", all_of=receive)
    def receive_message(request: Request, integration_id: str) -> Answer:
        setup.integration(integration_id)
        message = request.parse(PRIVATE_MESSAGE)
        accepted = messaging.receive(integration_id, message, request.body)
        return 202, {
            **_normalized(accepted.body, accepted.message_id, integration_id, "Text"),
            "conversationId": accepted.conversation_id,
        }

    @api.operation("POST", f"{_INBOUND}/event", all_of=receive)
    def receive_event(request: Request, integration_id: str) -> Answer:
        setup.integration(integration_id)
        request.parse(EVENT)
        messaging.typing.append(request.body)
        return 202, _normalized(
            request.body, organization.ids.message_id(), integration_id, "Event"
        )

    @api.operation("POST", f"{_INBOUND}/receipt", all_of=receive)
    def receive_receipt(request: Request, integration_id: str) -> Answer:
        setup.integration(integration_id)
        receipt = request.parse(RECEIPT)
        messaging.record_receipt(receipt)
        body = _normalized(request.body, receipt.id, integration_id, "Receipt")
        return 202, body | {"direction": "Outbound"}


def _add_reading(api: Api, organization: GenesysOrganization) -> None:
    @api.operation("GET", f"{_MESSAGES}/<conversation_id>")
    def read_conversation(request: Request, conversation_id: str) -> Answer:
        found = organization.conversations.get(conversation_id)
        if found is None:
            message = "The conversation does not exist."
            raise not_found("conversation.error.conversation.not.found", message)
        return 200, conversation_json(found, organization.division_id)

    @api.operation("GET", f"{_MESSAGES}/<message_id>/details", any_of=_VIEW)
    def read_details(request: Request, message_id: str) -> Answer:
        return 200, details_json(organization.messaging.message(message_id))

    @api.operation("POST", f"{_MESSAGES}/<conversation_id>/messages/bulk", any_of=_VIEW)
    def read_several(request: Request, conversation_id: str) -> Answer:
        wanted = request.parse(MESSAGE_IDS)
        conversation = organization.conversations.get(conversation_id)
        if conversation is None:
            raise not_found()
        # Those that are not of the conversation are not among the answers.
        found = [one for one in conversation.messages if one.message_id in wanted]
        return 200, {"entities": [details_json(message) for message in found]}


def _ingested_json(message: InboundMessage, topic_id: str) -> Json:
    channel = {
        **message.body["channel"],
        "id": topic_id,
        "platform": "Open",
        "type": "Public",
    }
    return {**message.body, "id": message.message_id, "type": "Text", "channel": channel}


def _normalized(body: Json, message_id: str, integration_id: str, kind: str) -> Json:
    recipient = {"id": integration_id}
    sender = {"id": integration_id, "idType": "Opaque"}
    channel = {
        "to": recipient,
        "from": sender,
        **body["channel"],
        "id": integration_id,
        "platform": "Open",
        "type": "Private",
    }
    answer = {**body, "id": message_id, "channel": channel, "type": kind}
    if "content" in body:
        # Said in the answer and not in the request.
        answer["content"] = [{"contentType": "Attachment", **part} for part in body["content"]]
    return answer


def _listing(entities: list[Json]) -> Json:
    count = len(entities)
    return {
        "entities": entities,
        "pageSize": count,
        "pageNumber": 1,
        "total": count,
        "pageCount": 1,
    }
