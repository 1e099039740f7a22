"""Agents' answers from Genesys Cloud to Bluesky, by a bare loop."""

from __future__ import annotations

from functools import partial

import httpx
import trio

from bench.bare.calls import get, open_client, post, run_together
from bench.content import BRAND_DID, AgentAnswer, Mention
from bench.genesys import RECEIPT

_TIME = "2026-01-01T00:00:00.000Z"


async def carry_out(url: str, at_once: int, count: int) -> None:
    """Carry out so many answers with the two calls that write; then be idle."""
    async with open_client(url) as client:
        answers = [AgentAnswer(number) for number in range(count)]
        await run_together(partial(write, client, cid="unknown"), answers, at_once)
        await trio.sleep_forever()


async def look_and_write(client: httpx.AsyncClient, answer: AgentAnswer) -> None:
    """The three calls that the connector makes: look at the post, reply to it, send a receipt."""
    uris = [Mention(answer.number, "").uri]
    found = await get(client, "app.bsky.feed.getPosts", {"uris": uris})
    await write(client, answer, cid=found["posts"][0]["cid"])


async def write(client: httpx.AsyncClient, answer: AgentAnswer, *, cid: str) -> None:
    """Reply to the post, and send a receipt."""
    mention = Mention(answer.number, "")
    target = {"uri": mention.uri, "cid": cid}
    record = {
        "$type": "app.bsky.feed.post",
        "text": answer.text,
        "reply": {"root": target, "parent": target},
        "createdAt": _TIME,
    }
    body = {
        "repo": BRAND_DID,
        "collection": "app.bsky.feed.post",
        "rkey": f"{answer.number:013d}",
        "record": record,
        "swapRecord": None,
    }
    await post(client, "/xrpc/com.atproto.repo.putRecord", body)
    receipt = {
        "id": answer.message_id,
        "channel": {"to": {"id": mention.did}, "time": _TIME},
        "status": "Delivered",
        "isFinalReceipt": True,
    }
    await post(client, RECEIPT, receipt)
