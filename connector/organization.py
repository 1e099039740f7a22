"""What Genesys Cloud answers about things that are set up in it, as far as it matters here."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from actors.genesys.client import GenesysClient
from actors.genesys.models import read_answer
from connector.clients import make_endpoints
from connector.settings import Settings

URL_FIELD = "outboundNotificationWebhookUrl"
SECRET_FIELD = "outboundNotificationWebhookSignatureSecretToken"  # noqa: S105 (a field's name)

SHORTEST_SECRET = 16
"""How many characters an integration's secret has at least (``OpenIntegrationRequest``)."""


class _Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )


class Reference(_Answer):
    """``DomainEntityRef``, ``WritableStarrableDivision``, ``IdentityResolutionExternalSource``."""

    id: str | None = None


class Source(_Answer):
    """``ExternalSource``."""

    id: str
    name: str
    active: bool = True


class Topic(_Answer):
    """``SocialTopicResponse``."""

    id: str
    name: str
    status: str | None = None
    division_id: str | None = None


class Rule(_Answer):
    """``OpenDataIngestionRuleResponse``."""

    id: str
    name: str
    status: str | None = None
    external_source: Reference | None = None


class Integration(_Answer):
    """``OpenIntegration``."""

    id: str
    name: str
    webhook_url: str = Field(default="", alias=URL_FIELD)
    token: str = Field(default="", alias=SECRET_FIELD, repr=False)
    create_status: Literal["Initiated", "Completed", "Error"] | None = None

    @property
    def secret(self) -> str | None:
        """The secret, if it is shown and not masked."""
        shown = len(self.token) >= SHORTEST_SECRET and not {"*", "•"} & {*self.token}
        return self.token if shown else None


class Identity(_Answer):
    """``OpenMessagingIdentityResolutionConfig``."""

    resolve_identities: bool
    division: Reference | None = None
    external_source: Reference | None = None

    @property
    def is_unset(self) -> bool:
        """Whether nobody has chosen anything here."""
        chosen = (self.division and self.division.id) or (
            self.external_source and self.external_source.id
        )
        return not self.resolve_identities and not chosen

    def resolves(self, division_id: str, source_id: str) -> bool:
        """Whether it looks customers up in that source, and makes contacts in that division."""
        return (
            self.resolve_identities
            and self.division is not None
            and self.division.id == division_id
            and self.external_source is not None
            and self.external_source.id == source_id
        )


async def read_integration(settings: Settings, genesys: GenesysClient) -> Integration:
    """The integration that the settings name.

    Raises:
        Fault: it cannot be read.
    """
    path = make_endpoints(settings).integration
    return read_answer(Integration, await genesys.request("GET", path))
