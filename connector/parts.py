"""What several actors share, made once for the life of the process."""

from __future__ import annotations

from dataclasses import dataclass

from actors.bluesky.client import BlueskyClient
from actors.bluesky.live_finds import Listeners, LiveFinds
from actors.bluesky.media import Media
from actors.dedup_store import StoreGauge
from actors.genesys.client import GenesysClient
from actors.genesys.webhook_receiver import WebhookDelivery
from actors.messages import Destination, JournalEntry
from actors.store import Store, StoreRequest
from connector.clients import (
    Budgets,
    Outside,
    make_bluesky,
    make_budgets,
    make_genesys,
    make_media,
    make_tokens,
)
from connector.settings import Settings
from runtime.backoff import RestartPolicy
from runtime.duty import Duty
from runtime.mailbox import Mailbox
from runtime.pause import Pauses


@dataclass(frozen=True, slots=True)
class Parts:
    """All of it outlives every incarnation of the actors that have it.

    ``store`` is for those who may write at any time; ``leader_store`` for what the leader alone may
    write, on ``duty``.
    """

    settings: Settings
    outside: Outside
    policy: RestartPolicy
    duty: Duty
    pauses: Pauses
    store: Store
    leader_store: Store
    requests: Mailbox[StoreRequest]
    webhooks: Mailbox[WebhookDelivery]
    entries: dict[Destination, Mailbox[JournalEntry]]
    bluesky: BlueskyClient
    genesys: GenesysClient
    media: Media
    gauge: StoreGauge
    budgets: Budgets
    listeners: Listeners


def make_parts(settings: Settings, outside: Outside) -> Parts:
    """Make the mailboxes and the two clients. Nothing is opened or started."""
    requests = Mailbox[StoreRequest]("DedupStore", settings.dedup_store.mailbox)
    duty = Duty()
    within_s = settings.store_deadline_s
    tokens = make_tokens(settings, outside.genesys_http)
    budgets = make_budgets(settings)
    leader_store = Store(requests, answer_within_s=within_s, duty=duty)
    return Parts(
        settings=settings,
        outside=outside,
        policy=settings.make_restart_policy(),
        duty=duty,
        pauses=Pauses(),
        store=Store(requests, answer_within_s=within_s),
        leader_store=leader_store,
        requests=requests,
        webhooks=Mailbox("WebhookReceiver", settings.webhook_receiver.mailbox),
        entries={
            Destination.GENESYS_SENDER: Mailbox("GenesysSender", settings.genesys_sender.mailbox),
            Destination.BLUESKY_SENDER: Mailbox("BlueskySender", settings.bluesky_sender.mailbox),
            Destination.CONTACT_RESOLVER: Mailbox(
                "ContactResolver", settings.contact_resolver.mailbox
            ),
        },
        bluesky=make_bluesky(settings, outside, leader_store, budgets.bluesky),
        genesys=make_genesys(settings, outside.genesys_http, tokens, budgets.genesys),
        media=make_media(settings, outside, tokens, budgets.genesys),
        gauge=StoreGauge(outside.database.kind, outside.database.warning),
        budgets=budgets,
        listeners=Listeners(LiveFinds(), LiveFinds()),
    )
