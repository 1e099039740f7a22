"""A small Genesys Cloud: one organization behind the operations that a connector needs.

:class:`GenesysOrganization` is its state and the hands of its agents, :func:`create_app` its HTTP
side, :class:`WebhookDelivery` what posts agents' messages to the connector.
"""

from __future__ import annotations

from sandbox.genesys.app import create_app
from sandbox.genesys.conversations import (
    Attachment,
    Conversation,
    InboundMessage,
    OutboundMessage,
    Receipt,
)
from sandbox.genesys.delivery import WebhookDelivery
from sandbox.genesys.organization import Call, GenesysOrganization

__all__ = [
    "Attachment",
    "Call",
    "Conversation",
    "GenesysOrganization",
    "InboundMessage",
    "OutboundMessage",
    "Receipt",
    "WebhookDelivery",
    "create_app",
]
