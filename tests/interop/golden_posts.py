"""The posts that are recorded for ``tests/golden``: one for each embed and kind of rich text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.interop.content import make_png
from tests.interop.net import Net
from tests.interop.recording import TIME
from tests.interop.session import Json, Reference, Session

_FACET = "app.bsky.richtext.facet#"
MP4 = bytes.fromhex("000000186674797069736f6d0000020069736f6d69736f32") + bytes(64)
RATIO = {"width": 8, "height": 8}


@dataclass(frozen=True, slots=True)
class Stage:
    """Two customers and the brand, on a network that they have for themselves."""

    net: Net
    anna: Session
    bert: Session
    brand: Session

    async def post(self, text: str, *, by: Session | None = None, **record: Any) -> Reference:  # noqa: ANN401
        """Post by Anna, or somebody else, at the one time that all is written at."""
        return await (by or self.anna).post(text, createdAt=TIME, langs=["en"], **record)

    async def images(self, count: int, kind: str = "images", *, alt: str = "picture") -> Json:
        """An embed of so many pictures; each is another one."""
        items = []
        for number in range(count):
            blob = await self.anna.upload(make_png(rgb=(40 * number, 80, 120)))
            item = {"image": blob, "alt": f"{alt} {number + 1}", "aspectRatio": RATIO}
            items.append(item if kind == "images" else {"$type": f"{GALLERY}#image", **item})
        key = "images" if kind == "images" else "items"
        return {"$type": f"app.bsky.embed.{kind}", key: items}

    async def card(self) -> Json:
        """A link card with a picture."""
        thumb = await self.anna.upload(make_png(rgb=(1, 2, 3)))
        external = {"uri": "https://shop.example/manual?page=1", "thumb": thumb}
        about = {"title": "The manual", "description": "All that the Model 3 can do."}
        return {"$type": "app.bsky.embed.external", "external": {**external, **about}}

    async def video(self, **more: str) -> Json:
        """A video, of which the AppView shows a playlist."""
        blob = await self.anna.upload(MP4, "video/mp4")
        return {"$type": "app.bsky.embed.video", "video": blob, "aspectRatio": RATIO, **more}

    def record(self, of: Reference) -> Json:
        """An embed that shows a record."""
        return {"$type": "app.bsky.embed.record", "record": of.to_json()}

    def both(self, of: Reference, media: Json) -> Json:
        """An embed that shows a record and media."""
        kind = "app.bsky.embed.recordWithMedia"
        return {"$type": kind, "record": {"record": of.to_json()}, "media": media}


GALLERY = "app.bsky.embed.gallery"
Make = Callable[[Stage], Awaitable[Reference]]


def facet(text: str, shown: str, **feature: str) -> Json:
    """A facet on the words ``shown``; the one key of the feature tells its kind."""
    start = len(text[: text.index(shown)].encode())
    kind = {"uri": "link", "did": "mention", "tag": "tag"}[next(iter(feature))]
    return _facet(start, start + len(shown.encode()), kind, **feature)


def _facet(start: int, end: int, kind: str, **feature: str) -> Json:
    index = {"byteStart": start, "byteEnd": end}
    return {"index": index, "features": [{"$type": f"{_FACET}{kind}", **feature}]}


async def plain(stage: Stage) -> Reference:
    """A mention and nothing else."""
    return await stage.post("Hello @brand.test, are you there?")


async def rich_text(stage: Stage) -> Reference:
    """A mention, a shortened link, words with a link behind them, a tag; after an emoji."""
    text = "Grüße 👋🏽 @brand.test: see shop.example/manual/mod... and here #Hilfe"
    facets = [
        facet(text, "@brand.test", did=stage.brand.did),
        facet(
            text, "shop.example/manual/mod...", uri="https://shop.example/manual/model-3?lang=de"
        ),
        facet(text, "here", uri="https://shop.example/"),
        facet(text, "#Hilfe", tag="Hilfe"),
    ]
    return await stage.post(text, facets=facets)


async def odd_facets(stage: Stage) -> Reference:
    """Links beyond the text, over each other, on nothing, and through a character."""
    facets = [
        _facet(0, 99, "link", uri="https://a.example/beyond"),
        _facet(0, 7, "link", uri="https://a.example/first"),
        _facet(4, 12, "link", uri="https://a.example/overlapping"),
        _facet(8, 8, "link", uri="https://a.example/empty"),
        _facet(14, 15, "link", uri="https://a.example/through"),
    ]
    return await stage.post("one two three ü", facets=facets)


async def entities(stage: Stage) -> Reference:
    """What stood for facets in the first posts."""
    text = "👋 see shop.example/ma..."
    index = {"start": 7, "end": 25}
    link = {"index": index, "type": "link", "value": "https://shop.example/manual"}
    return await stage.post(text, entities=[link])


async def labels_and_tags(stage: Stage) -> Reference:
    """What the author says of the post beside its text."""
    values = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]}
    return await stage.post("Ceci n'est pas une pipe", labels=values, tags=["art", "pipe"])


async def reply(stage: Stage) -> Reference:
    """An answer to an answer: root and parent differ."""
    root = await stage.post("We have news.", by=stage.brand)
    parent = await stage.post("Tell us!", by=stage.bert, reply_to=root)
    return await stage.post("Yes, do", reply_to=parent)


async def images(stage: Stage) -> Reference:
    """Four pictures with alt text."""
    return await stage.post("look", embed=await stage.images(4))


async def image_without_words(stage: Stage) -> Reference:
    """A picture alone."""
    embed = await stage.images(1)
    embed["images"][0]["alt"] = ""
    return await stage.post("", embed=embed)


async def gallery(stage: Stage) -> Reference:
    """More pictures than four."""
    return await stage.post("many", embed=await stage.images(6, "gallery"))


async def external(stage: Stage) -> Reference:
    """A link card."""
    return await stage.post("Where is this?", embed=await stage.card())


async def video(stage: Stage) -> Reference:
    """A video with alt text."""
    return await stage.post("it does this", embed=await stage.video(alt="It blinks twice."))


async def quote(stage: Stage) -> Reference:
    """A post of the brand is quoted, with a link of its own."""
    text = "We have news: shop.example/ne..."
    facets = [facet(text, "shop.example/ne...", uri="https://shop.example/news")]
    quoted = await stage.post(text, by=stage.brand, facets=facets)
    return await stage.post("Really?", embed=stage.record(quoted))


async def quote_of_a_quote(stage: Stage) -> Reference:
    """Each with its author."""
    first = await stage.post("I like it.", by=stage.bert)
    second = await stage.post("So do we.", by=stage.brand, embed=stage.record(first))
    return await stage.post("And I", embed=stage.record(second))


async def quote_of_images(stage: Stage) -> Reference:
    """Pictures of the quoted post."""
    quoted = await stage.post("like these", embed=await stage.images(2, alt="quoted"))
    return await stage.post("These?", embed=stage.record(quoted))


async def quote_of_a_card(stage: Stage) -> Reference:
    """A link card of the quoted post."""
    quoted = await stage.post("read this", embed=await stage.card())
    return await stage.post("I have", embed=stage.record(quoted))


async def quote_with_images(stage: Stage) -> Reference:
    """Pictures in the post, and others in the one that it quotes; one is in both."""
    quoted = await stage.post("mine", embed=await stage.images(1))
    embed = stage.both(quoted, await stage.images(2))
    return await stage.post("and mine", embed=embed)


async def quote_with_a_card(stage: Stage) -> Reference:
    """A post and a link card."""
    quoted = await stage.post("Where is the manual?", by=stage.bert)
    return await stage.post("Here", embed=stage.both(quoted, await stage.card()))


async def quote_with_a_video(stage: Stage) -> Reference:
    """A post and a video."""
    quoted = await stage.post("What does it do?", by=stage.bert)
    return await stage.post("This", embed=stage.both(quoted, await stage.video()))


async def quote_with_a_gallery(stage: Stage) -> Reference:
    """A post and a gallery."""
    quoted = await stage.post("Show me", by=stage.bert)
    media = await stage.images(5, "gallery")
    return await stage.post("There", embed=stage.both(quoted, media))


async def quote_with_media_of_quotes(stage: Stage) -> Reference:
    """What is quoted has both a quote and media itself."""
    first = await stage.post("Which one?", by=stage.bert)
    second = await stage.post("This one", embed=stage.both(first, await stage.images(1)))
    return await stage.post("I see", embed=stage.record(second))


async def quote_that_was_deleted(stage: Stage) -> Reference:
    """Nobody can see it any more."""
    quoted = await stage.post("soon gone", by=stage.bert)
    made = await stage.post("Did you see this?", embed=stage.record(quoted))
    await stage.net.wait_indexed()
    await stage.bert.delete(quoted.uri)
    return made


async def quote_that_was_detached(stage: Stage) -> Reference:
    """Its author did not want to be quoted (``app.bsky.feed.postgate``)."""
    quoted = await stage.post("do not quote me", by=stage.bert)
    made = await stage.post("Look what they say", embed=stage.record(quoted))
    gate = {"post": quoted.uri, "detachedEmbeddingUris": [made.uri], "createdAt": TIME}
    await stage.bert.put("app.bsky.feed.postgate", quoted.uri.rpartition("/")[2], gate)
    return made


async def quote_behind_a_block(stage: Stage) -> Reference:
    """Who is quoted has blocked who quotes."""
    await stage.net.add_account("emil")
    emil = await stage.net.log_in("emil")
    quoted = await stage.post("leave me alone", by=emil)
    made = await stage.post("What?", embed=stage.record(quoted))
    await stage.net.wait_indexed()
    await emil.block(stage.anna.did)
    return made


async def feed(stage: Stage) -> Reference:
    """A feed generator."""
    record = {"did": "did:web:feeds.example", "displayName": "Cats", "createdAt": TIME}
    made = await stage.bert.create("app.bsky.feed.generator", record)
    return await stage.post("Follow this", embed=stage.record(made))


async def user_list(stage: Stage) -> Reference:
    """A list of accounts."""
    purpose = "app.bsky.graph.defs#curatelist"
    record = {"purpose": purpose, "name": "Cat people", "createdAt": TIME}
    made = await stage.bert.create("app.bsky.graph.list", record)
    return await stage.post("These are good", embed=stage.record(made))


async def starter_pack(stage: Stage) -> Reference:
    """A starter pack."""
    purpose = "app.bsky.graph.defs#referencelist"
    listed = {"purpose": purpose, "name": "Cat people", "createdAt": TIME}
    members = await stage.bert.create("app.bsky.graph.list", listed)
    record = {"name": "Start with cats", "list": members.uri, "createdAt": TIME}
    made = await stage.bert.create("app.bsky.graph.starterpack", record)
    return await stage.post("Start here", embed=stage.record(made))


async def labeler(stage: Stage) -> Reference:
    """A labeling service."""
    record = {"policies": {"labelValues": ["spam"]}, "createdAt": TIME}
    made = await stage.bert.put("app.bsky.labeler.service", "self", record)
    return await stage.post("They label", embed=stage.record(Reference.take(made)))


async def unknown_embed(stage: Stage) -> Reference:
    """What the PDS accepts and the AppView knows nothing of."""
    embed = {"$type": "app.bsky.embed.poll", "question": "Which one?"}
    return await stage.post("Vote!", embed=embed)


CASES: tuple[Make, ...] = (
    plain,
    rich_text,
    odd_facets,
    entities,
    labels_and_tags,
    reply,
    images,
    image_without_words,
    gallery,
    external,
    video,
    quote,
    quote_of_a_quote,
    quote_of_images,
    quote_of_a_card,
    quote_with_images,
    quote_with_a_card,
    quote_with_a_video,
    quote_with_a_gallery,
    quote_with_media_of_quotes,
    quote_that_was_deleted,
    quote_that_was_detached,
    feed,
    user_list,
    starter_pack,
    unknown_embed,
    # From here on somebody is not what they were before.
    quote_behind_a_block,
    labeler,
)
