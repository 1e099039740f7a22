"""An answer's way out and its receipt's way back, as the predecessor did not keep them apart."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from actors.genesys.signature import SIGNATURE_HEADER
from sandbox.faults import DropAfter, Fault, Reset, Status
from sandbox.genesys.outbound import sign
from sandbox.world import open_world
from tests.connector.connected import connect, open_connected

RECEIPT = "inbound/open/receipt"


@pytest.mark.parametrize(
    "fault",
    [Status(503, "service.unavailable"), Status(500, "internal.server.error"), Reset()],
    ids=["unavailable", "failing", "cut"],
)
async def test_4_a_receipt_that_does_not_get_through_is_no_failed_message(
    fault: Fault, tmp_path: Path
) -> None:
    """It is tried until it does; the post is made once, and called delivered once."""
    async with open_connected(tmp_path) as connected:
        world = connected.world
        conversation = await connected.conversation()
        rule = world.genesys.faults.add(RECEIPT, fault, count=3)
        message = world.genesys.agent_reply(conversation, "It is on its way.", public=True)
        assert await connected.concluded(message) == "Delivered"
        assert rule.hits == 3
        assert [one.status for one in message.receipts] == ["Delivered"]
        assert len(world.bluesky.posts(world.brand)) == 1


async def test_4_a_receipt_whose_answer_is_lost_says_the_same_again(tmp_path: Path) -> None:
    """Never "Failed" after "Delivered"."""
    async with open_connected(tmp_path) as connected:
        world = connected.world
        conversation = await connected.conversation()
        rule = world.genesys.faults.add(RECEIPT, DropAfter(), count=2)
        message = world.genesys.agent_reply(conversation, "It is on its way.", public=True)
        await connected.first(lambda: [True] if len(message.receipts) == 3 else [])
        assert rule.hits == 2
        assert {one.status for one in message.receipts} == {"Delivered"}
        assert [one.repeat for one in message.receipts] == [False, True, True]
        assert len(world.bluesky.posts(world.brand)) == 1


async def test_4_a_receipt_that_is_refused_is_kept_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    """The message went out; that Genesys does not want to know is for a person to look at."""
    async with open_connected(tmp_path) as connected:
        world = connected.world
        conversation = await connected.conversation()
        refused = world.genesys.faults.add(RECEIPT, Status(400, "bad.request"), count=1)
        message = world.genesys.agent_reply(conversation, "First.", public=True)
        await connected.first(lambda: [True] if refused.hits else [])
        second = world.genesys.agent_reply(conversation, "Second.", public=True)
        assert await connected.concluded(second) == "Delivered"
        assert message.receipts == []
        assert [post.text for post in world.bluesky.posts(world.brand)] == ["Second.", "First."]
        assert (await connected.health())["dead_letters"] == 1


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "forgotten"])
async def test_7_an_answer_is_under_the_true_root_although_the_root_was_never_taken_in(
    remembered: bool, tmp_path: Path
) -> None:
    """Bob's post is none of the brand's business; Alice's reply to it mentions the brand."""
    async with open_world(random.SystemRandom()) as world:
        alice, bob, _ = world.customers
        root = world.bluesky.post(bob, "Does anybody know a good phone?")
        reply = world.bluesky.post(alice, f"Ask @{world.brand.handle}", reply_to=root)
        async with connect(world, tmp_path / "first") as connected:
            inbound = await connected.arrives(reply)
        conversation = world.genesys.conversations[inbound.conversation_id]
        async with connect(
            world, tmp_path / ("first" if remembered else "second"), {"START_LOOKBACK": "0"}
        ) as connected:
            message = world.genesys.agent_reply(conversation, "Ours!", public=True)
            assert await connected.concluded(message) == "Delivered"
        (record,) = world.bluesky.records(world.brand, "app.bsky.feed.post")
        assert record.value["reply"] == {
            "root": {"uri": root.uri, "cid": root.cid},
            "parent": {"uri": reply.uri, "cid": reply.cid},
        }


async def test_9_a_webhook_is_judged_by_the_bytes_that_came(tmp_path: Path) -> None:
    """However the JSON is written; a signature of other bytes, or of no length, is a 401."""
    async with open_connected(tmp_path) as connected:
        world = connected.world
        alice, genesys = world.customers[0], world.genesys
        body = (
            '{ "type":"Text",\n\t"text" : "Gr\\u00fc\\u00DFe \\/ 1.0",\r\n "big": 1e2, "one": 1.0,'
            ' "id": "message-1" , "direction": "Outbound", "conversationId": "conversation-1",'
            f' "channel":{{"type":"Private","to":{{"id":"{alice.did}"}}}} }}\n'
        ).encode()
        again = json.dumps(json.loads(body)).encode()
        assert again != body

        async def post(signature: str | None) -> int:
            headers = {} if signature is None else {SIGNATURE_HEADER: signature}
            answer = await connected.http.post(
                f"{connected.url}/webhook", content=body, headers=headers
            )
            return answer.status_code

        right = sign(genesys.webhook_secret, body)
        wrong = (sign(genesys.webhook_secret, again), right[:-2], right + "=", "sha256=", "", None)
        for signature in wrong:
            assert await post(signature) == 401
        assert await post(right) == 200

        def received() -> list[str]:
            messages = world.bluesky.direct_messages.between(alice, world.brand)
            return [one.text for one in messages]

        await connected.first(received)
        assert received() == ["Grüße / 1.0"]
        receiver = await connected.actor("WebhookReceiver")
        assert receiver["skipped"] == {"wrong_signature": len(wrong)}
