"""A bad day: all kinds of messages in both directions, and all that can go wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import trio

from sandbox.bluesky import Account, Image
from sandbox.faults import DropAfter, Fault, RateLimit, Reset, Status
from sandbox.genesys.conversations import Conversation
from sandbox.genesys.outbound import SIGNATURE_HEADER, sign
from sandbox.world import SEARCH_QUERY, World
from tests.canaries.marks import HANDLE, NAME, POISON, SAID, TEXT, WEBHOOK_SECRET

WITHIN_S = 60.0
LETTERS = 6
"""At least so many things cannot be carried."""

TROUBLES: tuple[Fault, ...] = (
    Status(500, "InternalServerError", f"it broke at {SAID}"),
    Status(503, "UpstreamFailure", f"{SAID} is away"),
    RateLimit(0.2),
    Reset(),
    DropAfter(),
)
BODIES = (
    f"{TEXT} is no JSON",
    f'{{"id":"1","text":"{TEXT}","text":"{TEXT}"',
    json.dumps({"id": "w2", "type": "Hologram", "text": TEXT}),
    json.dumps({"id": "w3", "type": "Hologram", "text": TEXT, "channel": {"type": TEXT}}),
    json.dumps({"id": "w4", "type": "Text", "text": TEXT, "channel": {"to": {"id": NAME}}}),
    json.dumps({"id": "w5", "type": "Text", "text": [TEXT], "channel": {"messageId": {NAME: 1}}}),
    json.dumps([TEXT]),
)


async def live(world: World, url: str, http: httpx.AsyncClient) -> None:
    """Let it all happen."""
    customer = _create_customer(world)
    for faults in (world.bluesky.faults, world.genesys.faults):
        for number, trouble in enumerate(TROUBLES):
            faults.add("", trouble, skip=10 + 7 * number)
    await _write(world, customer)
    public, private = await _wait_for_conversations(world, customer)
    await _answer(world, public, private)
    await _spoil_webhooks(url, http)
    world.genesys.faults.add("/messages/bulk$", Status(400, "bad.request", f"no to {TEXT} no"))
    world.bluesky.post(customer, f"@{world.brand.handle} {TEXT} no")
    world.genesys.faults.add("/inbound/open/message", Status(400, "bad.request", f"no to {TEXT} 4"))
    world.bluesky.direct_messages.send(customer, world.brand, f"no to {TEXT} 4")
    world.bluesky.post(customer, f"@{world.brand.handle} {POISON}")


def _create_customer(world: World) -> Account:
    customer = world.bluesky.create_account(
        f"{HANDLE}.example", password="x", display_name=f"Doctor {NAME}"
    )
    world.bluesky.allow_incoming(customer, "all")
    return customer


async def _write(world: World, customer: Account) -> None:
    brand = world.brand
    post = world.bluesky.post(customer, f"@{brand.handle} {TEXT} 1")
    world.bluesky.post(customer, f"{TEXT} {SEARCH_QUERY}")
    world.bluesky.post(customer, f"{TEXT} behind", reply_to=post)
    picture = Image(b"no picture", alt=f"{TEXT} on a picture")
    world.bluesky.post(customer, f"@{brand.handle} {TEXT} look", images=[picture])
    for number in range(3):
        world.bluesky.direct_messages.send(customer, brand, f"{TEXT} in private {number}")


async def _wait_for_conversations(
    world: World, customer: Account
) -> tuple[Conversation, Conversation]:
    def find() -> list[Conversation]:
        return [
            one
            for visibility in ("public", "private")
            for one in world.genesys.conversations.values()
            if one.visibility == visibility and one.inbound[0].sender_id == customer.did
        ]

    await until(lambda: len({one.visibility for one in find()}) == 2)
    return find()[0], find()[-1]


async def _answer(world: World, public: Conversation, private: Conversation) -> None:
    genesys = world.genesys
    bluesky = world.bluesky.faults
    sent = [
        genesys.agent_reply(public, f"{TEXT} answer", public=True),
        genesys.agent_reply(public, f"!{TEXT}", public=True),
        genesys.agent_reply(public, "!like", public=True),
        genesys.agent_reply(public, f"!quote {TEXT}", public=True),
        genesys.agent_reply(private, f"{TEXT} private answer", public=False),
        genesys.agent_reply(private, f"{TEXT} " * 9000, public=False),
        genesys.agent_reply(private, POISON, public=False),
    ]
    await until(lambda: all(one.receipt is not None for one in sent))
    bluesky.add("putRecord", Status(400, "InvalidRequest", f"bad record: {TEXT} refused"))
    refused = genesys.agent_reply(public, f"{TEXT} refused", public=True)
    await until(lambda: refused.receipt is not None)


async def _spoil_webhooks(url: str, http: httpx.AsyncClient) -> None:
    for body in BODIES:
        for secret in (WEBHOOK_SECRET, f"{TEXT} is wrong"):
            headers = {SIGNATURE_HEADER: sign(secret, body.encode())}
            await http.post(f"{url}/webhook", content=body, headers=headers)


async def until(holds: Callable[[], bool]) -> None:
    """Return when it does."""
    with trio.fail_after(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - a process and two platforms
            await trio.sleep(0.05)
