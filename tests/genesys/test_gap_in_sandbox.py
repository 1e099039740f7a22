"""The wing before the sandbox, in virtual time: what Genesys gave up is found and answered."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import trio
from trio.testing import MockClock

from actors.genesys.gap import MISSED_SINCE, RECONCILING_SINCE, make_missed_since
from actors.genesys.reconciler import SECOND_LOOK_S
from actors.genesys.signature import SIGNATURE_HEADER
from actors.items import make_direct_message_item, make_post_item, make_receipt_item
from actors.messages import AgentMessage, Destination, Receipt
from actors.translation.webhook import read_webhook
from sandbox.genesys import GenesysOrganization, OutboundMessage, create_app
from sandbox.genesys import WebhookDelivery as WebhookPoster
from sandbox.genesys.wire import encode
from tests.conftest import find_contracts
from tests.contracts.swagger import Swagger
from tests.genesys.sandbox_house import House
from tests.genesys.sender_bench import make_message, make_post, make_uri
from tests.support.memory_store import virtual_wall_clock

LONG = "We are sorry to hear that. " * 30


class Connected:
    """The wing, the organization, and whether anybody is there to take webhooks in."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.organization = house.organization
        self.is_up = True

    async def receive(self, request: httpx.Request) -> httpx.Response:
        """What the address of the webhook answers."""
        if not self.is_up:
            raise httpx.ConnectError("connection refused")
        answer = await self.house.take(request.content, request.headers.get(SIGNATURE_HEADER))
        return httpx.Response(answer.value)

    async def come_back(self, down_since: float) -> None:
        """The next process knows since when there was none, and looks back."""
        self.is_up = True
        await self.house.memory.store.save(make_missed_since(down_since))
        with trio.move_on_after(SECOND_LOOK_S + 60):
            await self.house.receiver.run()

    async def answer_all(self) -> None:
        """What BlueskySender does: each is delivered, oldest first, and has its receipt."""
        memory = self.house.memory
        for entry in list(memory.entries.values()):
            if isinstance(entry.payload, AgentMessage):
                message = entry.payload
                receipt = Receipt(message.message_id, message.recipient_did, "Delivered")
                del memory.entries[entry.entry_id]
                await self.house.send(make_receipt_item(receipt))

    @property
    def found(self) -> list[AgentMessage]:
        payloads = self.house.memory.payloads
        return [one for one in payloads if isinstance(one, AgentMessage)]

    @property
    def is_done(self) -> bool:
        values = self.house.memory.values
        return not {("cursor", MISSED_SINCE), ("cursor", RECONCILING_SINCE)} & values.keys()


@asynccontextmanager
async def connect() -> AsyncIterator[Connected]:
    """Everything, in memory. Afterwards all that was asked and answered is checked."""
    rng = random.Random(1)  # noqa: S311 - the ids of a sandbox guard nothing
    organization = GenesysOrganization(
        rng=rng,
        now=lambda: datetime.fromtimestamp(virtual_wall_clock(), UTC),
        webhook_url="https://connector.test/webhook",
    )
    transport = httpx.ASGITransport(app=create_app(organization))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport) as http:
        house = House(organization, "https://api.test", http, virtual_wall_clock)
        house.duty.begin(float("inf"))
        connected = Connected(house)
        webhook = httpx.MockTransport(connected.receive)
        async with httpx.AsyncClient(transport=webhook) as client, trio.open_nursery() as nursery:
            await nursery.start(WebhookPoster(organization, client).run)
            yield connected
            nursery.cancel_scope.cancel()
    assert find_faults(organization) == []


def find_faults(organization: GenesysOrganization) -> list[str]:
    """Whatever was asked that may not be asked, or answered that may not be answered."""
    contracts = find_contracts()
    if contracts is None:
        return []
    official = Swagger.load(contracts)
    return [
        fault
        for call in organization.calls
        if call.path.startswith("/api/")
        for fault in (
            *official.check_request(call.method, call.path, call.body),
            *official.check_response(call.method, call.path, call.status, call.answer),
        )
    ]


async def given_up(organization: GenesysOrganization, *sent: OutboundMessage) -> None:
    await organization.wait_until(lambda: all(one.status == "failed" for one in sent))


async def test_all_that_agents_wrote_while_nobody_was_there_is_found_and_answered_once(
    autojump_clock: MockClock,
) -> None:
    """In public and in private, a command and a long text, oldest first, as its webhook was."""
    async with connect() as connected:
        organization, house = connected.organization, connected.house
        await house.send(make_post_item(make_post(1)), make_direct_message_item(make_message(2)))
        thread = organization.public_conversation(make_uri(1))
        chat = organization.private_conversation("did:plc:2")
        assert thread is not None
        assert chat is not None
        await trio.sleep(1000)
        connected.is_up, down_since = False, virtual_wall_clock()
        sent = []
        for conversation, public, text in (
            (thread, True, "Sorry!"),
            (chat, False, "Hello"),
            (thread, True, "!like"),
            (thread, False, "In private"),
            (chat, False, LONG),
        ):
            await trio.sleep(1)
            sent.append(organization.agent_reply(conversation, text, public=public))
        await given_up(organization, *sent)
        assert connected.found == []

        await connected.come_back(down_since)
        assert connected.found == [read_webhook(encode(one.body), "") for one in sent]

        await connected.answer_all()
        await connected.come_back(down_since)
        assert connected.found == []
        assert connected.is_done
        assert [len(one.receipts) for one in sent] == [1] * 5


async def test_what_came_in_or_was_answered_is_left(autojump_clock: MockClock) -> None:
    """Before the gap, after it, and by somebody else."""
    async with connect() as connected:
        organization, house = connected.organization, connected.house
        await house.send(make_direct_message_item(make_message(1)))
        chat = organization.private_conversation("did:plc:1")
        assert chat is not None
        before = organization.agent_reply(chat, "before", public=False)
        await organization.wait_until(lambda: before.status == "delivered")
        connected.is_up, down_since = False, virtual_wall_clock()
        answered = organization.agent_reply(chat, "answered", public=False)
        await given_up(organization, answered)
        await house.send(make_receipt_item(Receipt(answered.message_id, "did:plc:1", "Failed")))
        late = organization.agent_reply(chat, "late", public=False)
        await trio.sleep(4)

        await connected.come_back(down_since)
        await organization.wait_until(lambda: late.status == "delivered")
        assert [one.text for one in connected.found] == ["before", "late"]
        assert house.context.skips == {"duplicate": 1}


async def test_a_file_that_was_missed_comes_with_its_address(autojump_clock: MockClock) -> None:
    """It is fetched like that of any message."""
    async with connect() as connected:
        organization, house = connected.organization, connected.house
        await house.send(make_post_item(make_post(1)))
        thread = organization.public_conversation(make_uri(1))
        assert thread is not None
        connected.is_up, down_since = False, virtual_wall_clock()
        image = organization.files.add(b"png", "image/png", "invoice.png")
        sent = organization.agent_reply(thread, "", public=True, attachments=[image])
        await given_up(organization, sent)
        await connected.come_back(down_since)
        (message,) = connected.found
        assert [one.url for one in message.attachments] == [image.url]


async def test_a_missing_permission_is_named(autojump_clock: MockClock) -> None:
    """In the words of the platform, with the other choice."""
    named = "conversation:message:view"
    async with connect() as connected:
        organization, house = connected.organization, connected.house
        await house.send(make_post_item(make_post(1)))
        organization.permissions.discard(named)
        await connected.come_back(virtual_wall_clock() - 60)
        (failure,) = house.context.failures
        action = getattr(failure, "action", "")
        assert named in action
        assert "RECONCILE_WINDOW=0" in action
        assert not connected.is_done


async def test_the_journal_keeps_what_was_found_in_order(autojump_clock: MockClock) -> None:
    """BlueskySender is given one at a time of each conversation."""
    async with connect() as connected:
        organization, house = connected.organization, connected.house
        await house.send(make_direct_message_item(make_message(1)))
        chat = organization.private_conversation("did:plc:1")
        assert chat is not None
        connected.is_up, down_since = False, virtual_wall_clock()
        sent = [organization.agent_reply(chat, str(n), public=False) for n in range(3)]
        await given_up(organization, *sent)
        await connected.come_back(down_since)
        (first,) = house.memory.deliverable(Destination.BLUESKY_SENDER)
        assert first.item_id == f"agent:{sent[0].message_id}"
        assert [one.text for one in connected.found] == ["0", "1", "2"]
