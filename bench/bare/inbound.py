"""Mentions from Bluesky to Genesys Cloud, by a bare loop."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import httpx
import trio

from bench.bare.calls import get, open_client, post, run_together
from bench.content import Json
from bench.genesys import INGEST

LIST_PAGE = 100
POSTS_PER_REQUEST = 25
BULK = 50


async def carry_in(url: str, at_once: int) -> None:
    """List, fetch and ingest all mentions that wait; then be idle."""
    async with open_client(url) as client:
        uris = await _list(client)
        batches = [uris[start : start + BULK] for start in range(0, len(uris), BULK)]
        await run_together(partial(_ingest, client), batches, at_once)
        await trio.sleep_forever()


async def _list(client: httpx.AsyncClient) -> list[str]:
    uris: list[str] = []
    parameters: Json = {"limit": LIST_PAGE, "reasons": ["mention", "reply", "quote"]}
    while True:
        answer = await get(client, "app.bsky.notification.listNotifications", parameters)
        uris += [one["uri"] for one in answer["notifications"]]
        if "cursor" not in answer:
            return uris
        parameters["cursor"] = answer["cursor"]


async def _ingest(client: httpx.AsyncClient, uris: Sequence[str]) -> None:
    bodies: list[Json] = []
    for start in range(0, len(uris), POSTS_PER_REQUEST):
        some = {"uris": uris[start : start + POSTS_PER_REQUEST]}
        answer = await get(client, "app.bsky.feed.getPosts", some)
        views = answer["posts"]
        actors = {"actors": [view["author"]["did"] for view in views]}
        found = (await get(client, "app.bsky.actor.getProfiles", actors))["profiles"]
        followers = {profile["did"]: profile["followersCount"] for profile in found}
        bodies += [_make_body(view, followers[view["author"]["did"]]) for view in views]
    await post(client, INGEST, bodies)


def _make_body(view: Json, followers: int) -> Json:
    author, record = view["author"], view["record"]
    sender = {
        "id": author["did"],
        "idType": "Opaque",
        "nickname": author["handle"],
        "firstName": author["displayName"],
        "image": author["avatar"],
    }
    channel = {
        "messageId": view["uri"],
        "from": sender,
        "time": record["createdAt"],
        "publicMetadata": {"rootId": view["uri"]},
    }
    metadata = {"authorFollowers": str(followers)}
    return {"channel": channel, "text": record["text"], "metadata": metadata}
