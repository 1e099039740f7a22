"""How the house is put together: who gets what, and in which order they start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import trio

from actors.bluesky.client import BlueskyClient
from actors.dedup_store import (
    Commands,
    DedupStore,
    InHand,
    Keys,
    Lease,
    Route,
    Sealer,
    StoreGauge,
    give_up_lease,
    load_scripts,
    refuse_poison,
)
from actors.genesys.client import GenesysClient
from actors.genesys.gap import WebhookGap
from actors.genesys.predecessors import Predecessors
from actors.genesys.reconciler import Reconciler
from actors.genesys.webhook_receiver import WebhookAnswer, WebhookDelivery, WebhookReceiver
from actors.messages import Destination, JournalEntry
from actors.steps import StepListener, tell_nobody
from actors.store import Store, StoreRequest
from connector.clients import Budgets, Outside
from connector.parts import Parts, make_parts
from connector.pollers import (
    make_dm_poller,
    make_live_listener,
    make_notification_poller,
    make_search_poller,
)
from connector.senders import make_bluesky_sender, make_contact_resolver, make_genesys_sender
from connector.settings import Settings
from runtime.actor import ActorSpec, Context
from runtime.clock import WallClock
from runtime.duty import Duty
from runtime.mailbox import Mailbox
from runtime.pause import Pauses
from runtime.supervisor import Supervisor

STORE_BATCH = 128
WEBHOOK_BATCH = 32

Alter: TypeAlias = Callable[[ActorSpec[Any]], ActorSpec[Any]]


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs, and what its front needs. ``warnings`` say what to beware of."""

    supervisor: Supervisor
    webhooks: Mailbox[WebhookDelivery]
    gauge: StoreGauge
    duty: Duty
    store: Store
    pauses: Pauses
    gap: WebhookGap
    budgets: Budgets
    bluesky: BlueskyClient
    genesys: GenesysClient
    warnings: tuple[str, ...]
    give_up_lease: Callable[[], Awaitable[None]]

    def turn_away(self) -> None:
        """Answer the webhooks that came too late: Genesys delivers them again, to the next one."""
        while (delivery := self.webhooks.receive_nowait()) is not None:
            delivery.reply.answer(WebhookAnswer.UNAVAILABLE)

    async def turn_away_in_pauses(self, clock: WallClock) -> None:
        """Answer for WebhookReceiver while it is paused, for ever: what it missed is a gap.

        Cancelled: a webhook that was taken is answered.
        """
        pause = self.pauses.find("WebhookReceiver")
        while pause is not None:
            await pause.wait_begun()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._turn_away, clock)
                await pause.wait_over()
                nursery.cancel_scope.cancel()

    async def _turn_away(self, clock: WallClock) -> None:
        while True:
            delivery = await self.webhooks.receive()
            self.gap.begin(clock())
            delivery.reply.answer(WebhookAnswer.UNAVAILABLE)


def build_house(
    settings: Settings,
    outside: Outside,
    *,
    told: StepListener = tell_nobody,
    alter: Alter = lambda spec: spec,
) -> House:
    """Make the actors and the supervisor that keeps them alive. Starts nothing.

    They are eight, and LiveListener if it is asked for.

    Args:
        settings: what was set.
        outside: what the house stands on.
        told: hears of each step of a message.
        alter: may exchange a specification, for those who want to see an actor fail.
    """
    parts = make_parts(settings, outside)
    senders = [make_genesys_sender(parts), make_bluesky_sender(parts), make_contact_resolver(parts)]
    pollers = [make_notification_poller(parts), make_search_poller(parts), make_dm_poller(parts)]
    if settings.listen_live:
        pollers.append(make_live_listener(parts))
    # They stop in the reverse order: webhooks are taken while the senders finish.
    lease = Lease(parts.duty, alone_since=outside.database.alone_since)
    store = make_dedup_store(parts, senders, lease, told)
    gap = WebhookGap(outside.clock)
    specs: list[ActorSpec[Any]] = [store, _webhook_receiver(parts, lease, gap)]
    specs += [*senders, *pollers]
    supervisor = Supervisor(
        [alter(spec) for spec in specs],
        policy=parts.policy,
        wall_clock=outside.clock,
        rng=outside.rng,
        log=outside.log,
    )
    commands = make_commands(parts.settings)
    give_up = partial(give_up_lease, lease, outside.database, commands, outside.clock, outside.log)
    return House(
        supervisor=supervisor,
        webhooks=parts.webhooks,
        gauge=parts.gauge,
        duty=parts.duty,
        store=parts.store,
        pauses=parts.pauses,
        gap=gap,
        budgets=parts.budgets,
        bluesky=parts.bluesky,
        genesys=parts.genesys,
        warnings=() if (beware := outside.database.warning) is None else (beware,),
        give_up_lease=give_up,
    )


def make_dedup_store(
    parts: Parts,
    senders: list[ActorSpec[JournalEntry]],
    lease: Lease | None = None,
    told: StepListener = tell_nobody,
) -> ActorSpec[StoreRequest]:
    """DedupStore. Without a ``lease`` it takes no part in who leads, and hands nothing over."""
    settings = parts.settings
    routes = {}
    for sender in senders:
        if sender.disabled is not None:
            continue
        destination = Destination(sender.name)
        mailbox = parts.entries[destination]
        limit = min(mailbox.capacity, sender.concurrency * sender.batch)
        routes[destination] = Route(mailbox, limit)
    in_hand, commands = InHand(), make_commands(parts.settings)

    def create(context: Context) -> DedupStore:
        return DedupStore(
            context,
            database=parts.outside.database,
            commands=commands,
            routes=routes,
            in_hand=in_hand,
            gauge=parts.gauge,
            clock=parts.outside.clock,
            log=parts.outside.log,
            told=told,
            lease=lease,
            pauses=parts.pauses,
        )

    return ActorSpec(
        name="DedupStore",
        create=create,
        rate=settings.dedup_store.rate,
        mailbox=parts.requests,
        concurrency=settings.dedup_store.concurrency,
        batch=STORE_BATCH,
        stop_within_s=settings.stop_within_s,
        critical=True,
        on_poison=refuse_poison,
        # The store cannot keep that it is not to be asked.
        pause=parts.pauses.make("DedupStore", kept=False),
    )


def make_commands(settings: Settings) -> Commands:
    """What may be asked of the store, in the namespace and with the keys of these settings."""
    namespace, key = settings.gc_integration_id, settings.state_key
    sealer = Sealer.parse(namespace, key.get_secret_value() if key is not None else None)
    return Commands(Keys(namespace), load_scripts(), sealer)


def _webhook_receiver(parts: Parts, lease: Lease, gap: WebhookGap) -> ActorSpec[WebhookDelivery]:
    settings = parts.settings
    clock = parts.outside.clock

    def create(context: Context) -> WebhookReceiver:
        reconciler = Reconciler(
            context,
            parts.leader_store,
            parts.genesys,
            duty=parts.duty,
            gap=gap,
            window_s=settings.reconcile_window,
            clock=clock,
            log=parts.outside.log,
        )
        predecessors = Predecessors(
            context,
            parts.store,
            parts.genesys,
            gap=gap,
            window_s=settings.reconcile_window,
            clock=clock,
            wait_known=lease.wait_known,
        )
        return WebhookReceiver(
            context,
            parts.store,
            secrets=settings.webhook_secrets(),
            max_bytes=settings.webhook_max_bytes,
            clock=clock,
            gap=gap,
            reconciler=reconciler,
            predecessors=predecessors,
        )

    return ActorSpec(
        name="WebhookReceiver",
        create=create,
        rate=settings.webhook_receiver.rate,
        mailbox=parts.webhooks,
        concurrency=settings.webhook_receiver.concurrency,
        batch=WEBHOOK_BATCH,
        deadline_s=4 * settings.request_deadline_s,
        stop_within_s=settings.stop_within_s,
        critical=True,
        on_poison=_answer_poison,
        sends_to=("DedupStore",),
        pause=parts.pauses.make("WebhookReceiver"),
    )


async def _answer_poison(delivery: WebhookDelivery, attempts: int, error: Exception) -> None:
    """Genesys delivers again what is answered 503, and in the end tells the agent."""
    delivery.reply.answer(WebhookAnswer.UNAVAILABLE)
