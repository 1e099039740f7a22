"""The Genesys wing as a whole, before a sandbox."""

from __future__ import annotations

import time

import httpx
import trio
from quart import Response, request
from quart_trio import QuartTrio

from actors.genesys.client import GenesysClient
from actors.genesys.closures import Closures
from actors.genesys.contact_resolver import ContactResolver
from actors.genesys.delivery import Persistence
from actors.genesys.endpoints import Endpoints
from actors.genesys.gap import WebhookGap
from actors.genesys.genesys_sender import GenesysSender
from actors.genesys.reconciler import Reconciler
from actors.genesys.signature import SIGNATURE_HEADER
from actors.genesys.token import TokenKeeper
from actors.genesys.webhook_receiver import WebhookAnswer, WebhookDelivery, WebhookReceiver
from actors.items import make_contact_item
from actors.messages import Author, Destination, JournalItem, Outcome
from actors.recent import Recent
from runtime.backoff import RestartPolicy
from runtime.clock import WallClock
from runtime.duty import Duty
from runtime.rate import Budget, Rate
from sandbox.genesys import GenesysOrganization
from tests.genesys.sender_bench import KEEP_S
from tests.genesys.webhook_desk import NothingBefore
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore
from tests.support.silence import Silence


class House:
    """The three actors of the wing, with a store, before a Genesys Cloud.

    Args:
        organization: the Genesys Cloud.
        base_url: where it is served.
        http: to reach it with.
        clock: unix time in seconds.
    """

    def __init__(
        self,
        organization: GenesysOrganization,
        base_url: str,
        http: httpx.AsyncClient,
        clock: WallClock = time.time,
    ) -> None:
        self.organization = organization
        self.memory = MemoryStore(clock)
        self.context = FakeContext(back_off_s=0.01)
        tokens = TokenKeeper(
            http,
            login_url=base_url,
            client_id=organization.client_id,
            client_secret=organization.client_secret,
            deadline_s=5.0,
        )
        self.client = GenesysClient(
            http,
            api_url=base_url,
            tokens=tokens,
            budget=Budget(Rate(300, 60.0)),
            deadline_s=5.0,
        )
        self.persistence = Persistence(RestartPolicy(), KEEP_S, clock)
        self.closures = Closures()
        self.sender = self.make_sender(organization.rule_id)
        self.resolver = ContactResolver(
            self.context,
            self.memory.store,
            self.client,
            self.persistence,
            source_id=organization.external_source_id,
            division_id=organization.division_id,
        )
        self.gap = WebhookGap(clock)
        self.duty = Duty()
        self.reconciler = Reconciler(
            self.context,
            self.memory.store,
            self.client,
            duty=self.duty,
            gap=self.gap,
            window_s=3600.0,
            clock=clock,
            log=Silence(),
        )
        self.receiver = WebhookReceiver(
            self.context,
            self.memory.store,
            secrets=(organization.webhook_secret,),
            max_bytes=100_000,
            clock=clock,
            gap=self.gap,
            reconciler=self.reconciler,
            predecessors=NothingBefore(),
        )

    def make_sender(self, rule_id: str) -> GenesysSender:
        organization = self.organization
        endpoints = Endpoints(organization.topic_id, rule_id, organization.integration_id)
        return GenesysSender(
            self.context,
            self.memory.store,
            self.client,
            endpoints,
            self.persistence,
            batch_limit=50,
            settled=Recent(1000),
            closures=self.closures,
            places=trio.Semaphore(1),
            contacts=None,
        )

    async def send(self, *items: JournalItem) -> None:
        """Give the sender one batch: these items, and all that wait."""
        for item in items:
            self.memory.add(item)
        await self.sender.handle_batch(self.memory.deliverable(Destination.GENESYS_SENDER))

    async def resolve(self, author: Author, cause: str) -> None:
        entry = self.memory.add(make_contact_item(author, cause))
        await self.resolver.handle(entry)

    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.memory.settled]

    async def take(self, body: bytes, signature: str | None) -> WebhookAnswer:
        """What the receiver answers to a delivery."""
        delivery = WebhookDelivery(body, signature)
        await self.receiver.handle_batch([delivery])
        return await delivery.reply.wait(5.0, who="WebhookReceiver")

    def make_webhook_app(self) -> QuartTrio:
        app = QuartTrio("connector")

        @app.post("/webhook")
        async def receive() -> Response:
            body = await request.get_data()
            assert isinstance(body, bytes)
            answer = await self.take(body, request.headers.get(SIGNATURE_HEADER))
            return Response("", status=answer.value)

        return app
