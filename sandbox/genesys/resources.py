"""Integrations, topics with their rules, and external sources, as they are kept and answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.genesys.wire import Json, timestamp


@dataclass(slots=True)
class Integration:
    """An open messaging integration (``OpenIntegration``)."""

    integration_id: str
    name: str
    webhook_url: str
    webhook_secret: str
    created_at: datetime
    modified_at: datetime
    webhook_headers: dict[str, str] = field(default_factory=dict)
    identity_resolution: Json = field(default_factory=lambda: {"resolveIdentities": False})
    reads_until_created: int = 0

    def as_json(self) -> Json:
        """As it is answered to those who may see the secret."""
        return {
            "id": self.integration_id,
            "name": self.name,
            "outboundNotificationWebhookUrl": self.webhook_url,
            "outboundNotificationWebhookSignatureSecretToken": self.webhook_secret,
            "webhookHeaders": self.webhook_headers,
            "status": "Active",
            "createStatus": "Initiated" if self.reads_until_created else "Completed",
            "recipient": {"id": self.integration_id},
            "dateCreated": timestamp(self.created_at),
            "dateModified": timestamp(self.modified_at),
            "selfUri": f"/api/v2/conversations/messaging/integrations/open/{self.integration_id}",
        }


@dataclass(slots=True)
class Source:
    """An external source (``ExternalSource``)."""

    source_id: str
    name: str
    active: bool = True
    link_configuration: Json | None = None

    def as_json(self) -> Json:
        """As it is answered."""
        body: Json = {
            "id": self.source_id,
            "name": self.name,
            "active": self.active,
            "selfUri": f"/api/v2/externalcontacts/externalsources/{self.source_id}",
        }
        if self.link_configuration is not None:
            body["linkConfiguration"] = self.link_configuration
        return body


@dataclass(slots=True)
class Rule:
    """An open data ingestion rule (``OpenDataIngestionRuleResponse``)."""

    rule_id: str
    topic_id: str
    name: str
    description: str
    source: Source
    created_at: datetime

    def as_json(self) -> Json:
        """As it is answered."""
        when = timestamp(self.created_at)
        uri = f"/api/v2/socialmedia/topics/{self.topic_id}/dataingestionrules/open/{self.rule_id}"
        return {
            **self.as_listed(),
            "externalSource": {"id": self.source.source_id, "name": self.source.name},
            "dateCreated": when,
            "dateModified": when,
            "selfUri": uri,
        }

    def as_listed(self) -> Json:
        """As it stands in the list of a topic's rules (``DataIngestionRuleResponse``)."""
        return {
            "id": self.rule_id,
            "name": self.name,
            "description": self.description,
            "status": "Active",
            "version": 1,
            "platform": "Open",
        }


@dataclass(slots=True)
class Topic:
    """A social topic (``SocialTopicResponse``)."""

    topic_id: str
    name: str
    description: str
    division_id: str
    created_at: datetime
    rules: dict[str, Rule] = field(default_factory=dict)

    def as_json(self) -> Json:
        """As it is answered when it is created."""
        when = timestamp(self.created_at)
        return {
            "id": self.topic_id,
            "name": self.name,
            "description": self.description,
            "divisionId": self.division_id,
            "status": "Active",
            "dateCreated": when,
            "dateModified": when,
            "selfUri": f"/api/v2/socialmedia/topics/{self.topic_id}",
        }

    def as_json_with_rules(self) -> Json:
        """As it is answered when it is read."""
        count = len(self.rules)
        counted = {"platform": "Open", "totalCount": count, "countByStatus": {"Active": count}}
        return {**self.as_json(), "dataIngestionRulesMetadata": [counted]}
