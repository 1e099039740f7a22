"""What may be sent to the operations that set an organization up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from sandbox.genesys.checks import Body, Text, WebAddress
from sandbox.genesys.contact_models import Division

SecretToken = Annotated[str, StringConstraints(min_length=16)]
WebhookHeaders = dict[str, str]


class Reference(Body):
    """``DomainEntityRef``."""

    id: Text | None = None
    name: Text | None = None


class IdReference(Body):
    """``SupportedContentReference`` and ``MessagingSettingRequestReference``."""

    id: Text


class TopicRequest(Body):
    """``SocialTopicRequest``."""

    name: Text
    division_id: Text
    description: str | None = None


class RuleRequest(Body):
    """``OpenDataIngestionRuleRequest``."""

    name: Text
    external_source: Reference
    description: str | None = None


class IntegrationRequest(Body):
    """``OpenIntegrationRequest``."""

    name: Text
    outbound_notification_webhook_url: WebAddress
    outbound_notification_webhook_signature_secret_token: SecretToken
    webhook_headers: WebhookHeaders | None = None
    supported_content: IdReference | None = None
    messaging_setting: IdReference | None = None


class IntegrationUpdate(Body):
    """``OpenIntegrationUpdateRequest``: the name is always needed."""

    name: Text
    outbound_notification_webhook_url: WebAddress | None = None
    outbound_notification_webhook_signature_secret_token: SecretToken | None = None
    webhook_headers: WebhookHeaders | None = None
    supported_content: IdReference | None = None
    messaging_setting: IdReference | None = None


class IdentityResolutionSource(Body):
    """``IdentityResolutionExternalSource``."""

    id: Text | None = None


class IdentityResolution(Body):
    """``OpenMessagingIdentityResolutionConfig``."""

    resolve_identities: bool
    division: Division | None = None
    external_source: IdentityResolutionSource | None = None


class Association(Body):
    """``ConversationAssociation``, for conversations of messages."""

    conversation_id: Text
    communication_id: Text
    media_type: Annotated[str, Field(pattern="^MESSAGE$")]
    external_contact_id: Text | None = None


TOPIC = TypeAdapter(TopicRequest)
RULE = TypeAdapter(RuleRequest)
INTEGRATION = TypeAdapter(IntegrationRequest)
INTEGRATION_UPDATE = TypeAdapter(IntegrationUpdate)
IDENTITY_RESOLUTION = TypeAdapter(IdentityResolution)
ASSOCIATION = TypeAdapter(Association)
