"""What an administrator sets up: integrations, topics with their rules, external sources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sandbox.genesys.errors import ApiError, conflict, not_found
from sandbox.genesys.ids import Ids
from sandbox.genesys.resources import Integration, Rule, Source, Topic
from sandbox.genesys.wire import Json

Found = TypeVar("Found")

_SECRET = "outboundNotificationWebhookSignatureSecretToken"  # noqa: S105 (the name of it)


class Setup:
    """All of it, by id.

    ``shows_secrets`` says whether an integration's secret is in the answers; the Swagger promises
    the property, and not that it can be read. ``reads_until_created`` is how many times a new
    integration is read before it is ready (``createStatus``).
    """

    def __init__(self, *, division_id: str, ids: Ids, now: Callable[[], datetime]) -> None:
        self.division_id = division_id
        self.integrations: dict[str, Integration] = {}
        self.topics: dict[str, Topic] = {}
        self.sources: dict[str, Source] = {}
        self.shows_secrets = True
        self.reads_until_created = 0
        self._ids = ids
        self._now = now

    def clear(self) -> None:
        """As in an organization in which nobody has set anything up yet."""
        self.integrations.clear()
        self.topics.clear()
        self.sources.clear()

    def add_integration(
        self, name: str, webhook_url: str, webhook_secret: str, webhook_headers: dict[str, str]
    ) -> Integration:
        """Create an integration."""
        now = self._now()
        created = Integration(
            self._ids.uuid(),
            name,
            webhook_url,
            webhook_secret,
            now,
            now,
            webhook_headers,
            reads_until_created=self.reads_until_created,
        )
        self.integrations[created.integration_id] = created
        return created

    def add_topic(self, name: str, description: str, division_id: str) -> Topic:
        """Create a topic.

        Raises:
            ApiError: 400, a name twice or an unknown division.
        """
        if any(topic.name == name for topic in self.topics.values()):
            raise ApiError(400, "duplicate.name", "An active Topic with the same name exists")
        if division_id != self.division_id:
            raise ApiError(400, "validation.error", "Error validating the request.")
        created = Topic(self._ids.uuid(), name, description, division_id, self._now())
        self.topics[created.topic_id] = created
        return created

    def add_rule(self, topic_id: str, name: str, description: str, source_id: str | None) -> Rule:
        """Create an open data ingestion rule.

        Raises:
            ApiError: 404 or 400, an unknown topic, an unknown source or a name twice.
        """
        topic = self.topic(topic_id)
        if any(rule.name == name for rule in topic.rules.values()):
            message = "An active Data Ingestion Rule with the same name already exists."
            raise ApiError(400, "duplicate.name", message)
        source = self.sources.get(source_id or "")
        if source is None:
            message = "Failed to retrieve external source in organization."
            raise ApiError(400, "external.source.error", message)
        created = Rule(self._ids.uuid(), topic_id, name, description, source, self._now())
        topic.rules[created.rule_id] = created
        return created

    def add_source(
        self, name: str, *, active: bool = True, link_configuration: Json | None = None
    ) -> Source:
        """Create an external source.

        Raises:
            ApiError: 409, a name twice.
        """
        if any(source.name == name for source in self.sources.values()):
            message = "External Source with that name already exists"
            raise conflict("external.source.exists", message)
        created = Source(self._ids.uuid(), name, active, link_configuration)
        self.sources[created.source_id] = created
        return created

    def integration(self, integration_id: str) -> Integration:
        """The one with that id.

        Raises:
            ApiError: 404.
        """
        return _found(self.integrations.get(integration_id), not_found())

    def show(self, integration: Integration) -> Json:
        """An integration as it is answered."""
        hidden = {} if self.shows_secrets else {_SECRET: ""}
        return {**integration.as_json(), **hidden}

    def topic(self, topic_id: str) -> Topic:
        """The one with that id.

        Raises:
            ApiError: 404.
        """
        missing = not_found("topic.not.found", "No Topic found with id")
        return _found(self.topics.get(topic_id), missing)

    def rule(self, topic_id: str, rule_id: str) -> Rule:
        """The one with that id.

        Raises:
            ApiError: 404.
        """
        message = "No Open Data Ingestion Rule found with given id."
        missing = not_found("dataingestionrule.not.found", message)
        return _found(self.topic(topic_id).rules.get(rule_id), missing)

    def source(self, source_id: str) -> Source:
        """The one with that id.

        Raises:
            ApiError: 404.
        """
        message = "External source not found by external source ID."
        return _found(self.sources.get(source_id), not_found("entity.not.found", message))


def _found(resource: Found | None, missing: ApiError) -> Found:
    if resource is None:
        raise missing
    return resource
