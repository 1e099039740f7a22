"""The three actors that the journal delivers to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import trio

from actors.bluesky.answering import Style
from actors.bluesky.bluesky_sender import BlueskySender
from actors.bluesky.claims import Claims
from actors.bluesky.planning import Rules
from actors.genesys.closures import Closures
from actors.genesys.contact_resolver import ContactResolver
from actors.genesys.delivery import Persistence
from actors.genesys.genesys_sender import GenesysSender
from actors.messages import Destination, JournalEntry
from actors.recent import Recent
from actors.settlement import bury
from actors.steps import find_message
from connector.clients import make_endpoints
from connector.parts import Parts
from connector.settings import Settings
from runtime.actor import ActorSpec, Context

BULK_LIMIT = 50


def make_genesys_sender(parts: Parts) -> ActorSpec[JournalEntry]:
    """GenesysSender, with what its workers share."""
    settings = parts.settings
    settled = Recent()
    contacts = Recent() if settings.enable_external_contacts else None
    closures = Closures()
    places = trio.Semaphore(settings.genesys_sender.concurrency)
    persistence = _make_persistence(parts)

    def create(context: Context) -> GenesysSender:
        return GenesysSender(
            context,
            parts.leader_store,
            parts.genesys,
            make_endpoints(settings),
            persistence,
            batch_limit=BULK_LIMIT,
            settled=settled,
            contacts=contacts,
            closures=closures,
            places=places,
        )

    # While the posts of one request are settled, those of another are under way.
    return _sender(parts, Destination.GENESYS_SENDER, create, batch=2 * BULK_LIMIT)


def make_bluesky_sender(parts: Parts) -> ActorSpec[JournalEntry]:
    """BlueskySender, with what its workers share."""
    begun = Recent()
    claims = Claims()
    rules = _make_rules(parts.settings)

    def create(context: Context) -> BlueskySender:
        return BlueskySender(
            context,
            parts.bluesky,
            parts.leader_store,
            writes=parts.budgets.bluesky_writes,
            media=parts.media,
            clock=parts.outside.clock,
            begun=begun,
            claims=claims,
            rules=rules,
            give_up_after_s=parts.settings.outbound_give_up_after,
        )

    return _sender(parts, Destination.BLUESKY_SENDER, create)


def _make_rules(settings: Settings) -> Rules:
    style = Style(numbered=settings.split_numbering == "auto", languages=settings.post_langs)
    return Rules(settings.agent_commands, style)


def make_contact_resolver(parts: Parts) -> ActorSpec[JournalEntry]:
    """ContactResolver, disabled unless contacts are wanted."""
    settings = parts.settings

    def create(context: Context) -> ContactResolver:
        return ContactResolver(
            context,
            parts.leader_store,
            parts.genesys,
            _make_persistence(parts),
            source_id=settings.gc_external_source_id,
            division_id=settings.gc_ec_division_id,
        )

    off = None if settings.enable_external_contacts else "ENABLE_EXTERNAL_CONTACTS is false"
    return _sender(parts, Destination.CONTACT_RESOLVER, create, disabled=off)


def _sender(
    parts: Parts,
    destination: Destination,
    create: Callable[[Context], object],
    *,
    batch: int = 1,
    disabled: str | None = None,
) -> ActorSpec[JournalEntry]:
    field = {
        Destination.GENESYS_SENDER: parts.settings.genesys_sender,
        Destination.BLUESKY_SENDER: parts.settings.bluesky_sender,
        Destination.CONTACT_RESOLVER: parts.settings.contact_resolver,
    }[destination]
    return ActorSpec(
        name=destination.value,
        create=create,
        rate=field.rate,
        mailbox=parts.entries[destination],
        concurrency=field.concurrency,
        batch=batch,
        deadline_s=4 * parts.settings.request_deadline_s,
        stop_within_s=parts.settings.stop_within_s,
        on_poison=partial(bury, parts.leader_store),
        name_message=lambda entry: find_message(entry.item_id),
        sends_to=("DedupStore",),
        disabled=disabled,
        duty=parts.duty,
        pause=parts.pauses.make(destination.value),
    )


def _make_persistence(parts: Parts) -> Persistence:
    return Persistence(parts.policy, parts.settings.inbound_keep, parts.outside.clock)
