"""Mentions from Bluesky to Genesys Cloud, by a bare loop."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import httpx
import trio

from bench.bare.calls import get, open_client, post, run_together
from bench.content import DIVISION_ID, SOURCE_ID, Json
from bench.genesys import ENRICH, INGEST

LIST_PAGE = 100
CONTACTS_AT_ONCE = 2
"""For each of the batches that are under way at once."""
POSTS_PER_REQUEST = 25
BULK = 50


async def carry_in(url: str, at_once: int, contacts: bool) -> None:
    """List, fetch and ingest all mentions that wait, with their contacts or not; then be idle."""
    async with open_client(url) as client:
        uris = await _list(client)
        batches = [uris[start : start + BULK] for start in range(0, len(uris), BULK)]
        await run_together(partial(_ingest, client, contacts=contacts), batches, at_once)
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


async def _ingest(client: httpx.AsyncClient, uris: Sequence[str], *, contacts: bool) -> None:
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
    if contacts:
        senders = [body["channel"]["from"] for body in bodies]
        await run_together(partial(_enrich, client), senders, CONTACTS_AT_ONCE)


async def _enrich(client: httpx.AsyncClient, sender: Json) -> None:
    source = {"id": SOURCE_ID, "name": "Bluesky"}
    contact = {
        "firstName": sender["firstName"],
        "externalSystemUrl": f"https://bsky.app/profile/{sender['nickname']}",
        "externalIds": [{"externalSource": source, "value": sender["id"]}],
    }
    identifier = {"type": "ExternalId", "value": sender["id"], "externalSource": source}
    body = {
        "division": {"id": DIVISION_ID},
        "action": "Upsert",
        "matchingIdentifiers": [identifier],
        "contact": contact,
        "fieldRules": {"defaultAction": "PreferExisting", "rules": []},
    }
    await post(client, ENRICH, body)


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
