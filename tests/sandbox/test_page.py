"""The page's server: what it hands out, and what it takes."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox.page.app import create_page
from sandbox.page.picture import take_picture
from sandbox.serving import serve
from sandbox.world import World, open_world

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17)).decode()
IMAGE = {"name": "a.png", "mime": "image/png", "alt": "A phone", "size": [4, 3], "content": PNG}
VIDEO = {"name": "a.mp4", "mime": "video/mp4", "alt": "It blinks", "content": "AAAA"}
CARD = {"uri": "https://a.example/", "title": "A", "description": "B", "thumb": IMAGE}


@dataclass(frozen=True, slots=True)
class Open:
    """A page that is served, without a connector."""

    world: World
    client: httpx.AsyncClient

    async def posts(self, **body: object) -> httpx.Response:
        sent = {"customer": "alice.example", "text": "look", **body}
        return await self.client.post("/api/customer/post", json=sent)

    async def published(self, **body: object) -> dict[str, Any]:
        """Post this, and return what the page shows of it."""
        answer = await self.posts(**body)
        assert answer.status_code == 200, answer.text
        post: dict[str, Any] = take_picture(self.world, None)["threads"][0]["post"]
        return post


@pytest.fixture
async def page() -> AsyncIterator[Open]:
    # The ids of a sandbox guard nothing.
    rng = random.Random(5)  # noqa: S311
    async with (
        open_world(rng) as world,
        serve(create_page(world, lambda: None, lambda name: False)) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        yield Open(world, client)


async def test_the_page_lets_nothing_in_from_outside(page: Open) -> None:
    """Scripts, styles and requests are its own; pictures come from the two servers besides."""
    answer = await page.client.get("/")
    policy = dict(
        rule.strip().partition(" ")[::2]
        for rule in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    servers = f"{page.world.bluesky_url} {page.world.genesys_url}"
    assert policy["img-src"] == f"'self' data: {servers}"


async def test_only_the_files_of_the_page_are_handed_out(page: Open) -> None:
    """Each module that another one imports is there; the server's own code is not."""
    assert (await page.client.get("/desk.js")).status_code == 200
    assert (await page.client.get("/style.css")).status_code == 200
    for name in ("app.py", "picture.py", "nothing.js"):
        assert (await page.client.get(f"/{name}")).status_code == 404


async def test_an_image_keeps_its_alt_text_and_size(page: Open) -> None:
    """What the customer chose is embedded, and is found where the view says."""
    embed = (await page.published(files=[IMAGE]))["embed"]
    (image,) = embed["images"]
    assert (embed["$type"], image["alt"]) == ("app.bsky.embed.images#view", "A phone")
    assert image["aspectRatio"] == {"width": 4, "height": 3}
    async with httpx.AsyncClient() as client:
        shown = await client.get(image["fullsize"])
    assert (shown.headers["content-type"], base64.b64encode(shown.content).decode()) == (
        "image/png",
        PNG,
    )


async def test_more_than_four_images_are_a_gallery(page: Open) -> None:
    """All of them are shown, in their order."""
    files = [{**IMAGE, "alt": str(number)} for number in range(5)]
    embed = (await page.published(files=files))["embed"]
    assert embed["$type"] == "app.bsky.embed.gallery#view"
    assert [item["alt"] for item in embed["items"]] == ["0", "1", "2", "3", "4"]


async def test_a_card_beside_a_quote(page: Open) -> None:
    """Both are there: title, description and thumb of the one, author and text of the other."""
    quoted = await page.published(text="quote me")
    embed = (await page.published(card=CARD, quote=quoted["uri"]))["embed"]
    assert embed["$type"] == "app.bsky.embed.recordWithMedia#view"
    card = embed["media"]["external"]
    assert [card[key] for key in ("uri", "title", "description")] == [
        "https://a.example/",
        "A",
        "B",
    ]
    assert card["thumb"].startswith(page.world.bluesky_url)
    assert embed["record"]["record"]["value"]["text"] == "quote me"


async def test_a_video_has_a_still_and_itself_behind_it(page: Open) -> None:
    """The view's addresses lead somewhere: to a picture, and to the file."""
    embed = (await page.published(files=[VIDEO]))["embed"]
    assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video#view", "It blinks")
    async with httpx.AsyncClient() as client:
        still = await client.get(embed["thumbnail"])
        video = await client.get(embed["playlist"])
        unknown = await client.get(embed["thumbnail"].replace(embed["cid"], "bafkunknown"))
    assert still.headers["content-type"].startswith("image/")
    assert (video.headers["content-type"], video.content) == ("video/mp4", bytes(3))
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"files": [IMAGE, VIDEO]}, "choose one of them"),
        ({"files": [IMAGE], "card": CARD}, "choose one of them"),
        ({"files": [VIDEO, VIDEO]}, "one video"),
        ({"files": [{**IMAGE, "content": "?"}]}, "base64"),
        ({"customer": "nobody.example"}, "no account nobody.example"),
        ({"quote": "at://did:plc:a/app.bsky.feed.post/b"}, "no post"),
    ],
)
async def test_what_cannot_be_posted_is_refused_in_words(
    page: Open, body: dict[str, object], why: str
) -> None:
    """400 with a message for the person at the page, and no post."""
    answer = await page.posts(**body)
    assert answer.status_code == 400
    assert why in answer.json()["message"]
    assert take_picture(page.world, None)["threads"] == []


async def test_replies_stand_below_what_they_answer(page: Open) -> None:
    """A thread is a tree; an answer to a post that was deleted stands for itself."""
    root = await page.published(text="root")
    await page.posts(text="reply", reply_to=root["uri"])
    (thread,) = take_picture(page.world, None)["threads"]
    (reply,) = thread["replies"]
    assert (thread["post"]["text"], reply["post"]["text"]) == ("root", "reply")
    page.world.bluesky.delete(root["uri"])
    (alone,) = take_picture(page.world, None)["threads"]
    assert alone["post"]["text"] == "reply"


async def test_an_agents_image_is_on_the_desk_and_on_its_way(page: Open) -> None:
    """The page gets an address that needs no token; the webhook the one of the API."""
    root = page.world.bluesky.post(page.world.customers[0], "root").uri
    conversation = await _take_in(page.world, root)
    body = {"conversation": conversation, "text": "this", "public": True, "files": [IMAGE]}
    assert (await page.client.post("/api/agent/reply", json=body)).status_code == 200
    (shown,) = take_picture(page.world, None)["conversations"]
    inbound, outbound = shown["messages"]
    assert (inbound["answers"], outbound["answers"]) == (None, "Alice")
    (attachment,) = outbound["attachments"]
    assert (attachment["mediaType"], attachment["text"]) == ("Image", "A phone")
    async with httpx.AsyncClient() as client:
        assert (await client.get(attachment["url"])).headers["content-type"] == "image/png"
    (sent,) = page.world.genesys.conversations[conversation].outbound
    carried = sent.body["content"][0]["attachment"]
    assert carried["url"].startswith(f"{page.world.genesys_url}/api/v2/downloads/")
    assert carried["text"] == "A phone"


async def _take_in(world: World, root: str) -> str:
    """Tell Genesys of a post, as the connector would; returns the conversation."""
    genesys = world.genesys
    async with httpx.AsyncClient(base_url=world.genesys_url) as client:
        token = await client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(genesys.client_id, genesys.client_secret),
        )
        channel = {
            "messageId": root,
            "from": {"id": world.customers[0].did, "idType": "Opaque", "firstName": "Alice"},
            "time": "2026-01-01T00:00:00.000Z",
            "publicMetadata": {"rootId": root},
        }
        rule = f"{genesys.topic_id}/dataingestionrules/open/{genesys.rule_id}"
        answer = await client.post(
            f"/api/v2/socialmedia/topics/{rule}/messages/bulk",
            json=[{"channel": channel, "text": "root"}],
            headers={"Authorization": f"Bearer {token.json()['access_token']}"},
        )
        assert answer.status_code == 202, answer.text
    (conversation,) = genesys.conversations
    return conversation
