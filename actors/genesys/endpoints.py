"""Where the operations of the Genesys Cloud API are that the connector uses."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

CONTACTS = "/api/v2/externalcontacts/contacts"
ENRICH_CONTACT = f"{CONTACTS}/enrich"
LOOK_UP_CONTACT = "/api/v2/externalcontacts/identifierlookup/contacts"
EXTERNAL_SOURCES = "/api/v2/externalcontacts/externalsources"
INTEGRATIONS = "/api/v2/conversations/messaging/integrations/open"
TOPICS = "/api/v2/socialmedia/topics"
_IDENTITIES = "/api/v2/conversations/messaging/identityresolution/integrations/open"
_MESSAGES = "/api/v2/conversations/messages"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses that messages go to: one topic, one ingestion rule, one integration."""

    topic_id: str
    rule_id: str
    integration_id: str

    @property
    def public_messages(self) -> str:
        """Takes an array of ``OpenSocialMediaNormalizedMessage``."""
        return f"{self.rule}/messages/bulk"

    @property
    def reactions(self) -> str:
        """Takes one ``OpenSocialMediaReactionsRequest``."""
        return f"{self.rule}/reactions/bulk"

    @property
    def private_message(self) -> str:
        """Takes one ``OpenInboundNormalizedMessage``."""
        return f"{self._inbound}/message"

    @property
    def receipt(self) -> str:
        """Takes one ``OpenInboundNormalizedReceipt``."""
        return f"{self._inbound}/receipt"

    @property
    def topic(self) -> str:
        """The ``SocialTopic``."""
        return f"{TOPICS}/{quote(self.topic_id, safe='')}"

    @property
    def rule(self) -> str:
        """The topic's ``OpenDataIngestionRule``."""
        return f"{self.open_rules}/{quote(self.rule_id, safe='')}"

    @property
    def rules(self) -> str:
        """Lists all rules of the topic, whatever they take in (``DataIngestionRuleResponse``)."""
        return f"{self.topic}/dataingestionrules"

    @property
    def open_rules(self) -> str:
        """Takes an ``OpenDataIngestionRuleRequest`` for a new rule."""
        return f"{self.rules}/open"

    @property
    def integration(self) -> str:
        """The ``OpenIntegration``."""
        return f"{INTEGRATIONS}/{quote(self.integration_id, safe='')}"

    @property
    def identity(self) -> str:
        """The integration's ``OpenMessagingIdentityResolutionConfig``."""
        return f"{_IDENTITIES}/{quote(self.integration_id, safe='')}"

    @property
    def _inbound(self) -> str:
        integration = quote(self.integration_id, safe="")
        return f"{_MESSAGES}/{integration}/inbound/open"


def make_conversation_path(conversation_id: str) -> str:
    """The ``MessageConversation``: who takes part, and which messages there are."""
    return f"{_MESSAGES}/{quote(conversation_id, safe='')}"


def make_conversation_messages_path(conversation_id: str) -> str:
    """Takes an array of message ids of that conversation and answers a ``TextMessageListing``."""
    return f"{make_conversation_path(conversation_id)}/messages/bulk"


def make_message_path(message_id: str) -> str:
    """The ``MessageData`` of one message."""
    return f"{_MESSAGES}/{quote(message_id, safe='')}/details"


def make_contact_path(contact_id: str) -> str:
    """One external contact."""
    return f"{CONTACTS}/{quote(contact_id, safe='')}"


def make_external_source_path(source_id: str) -> str:
    """One external source."""
    return f"{EXTERNAL_SOURCES}/{quote(source_id, safe='')}"
