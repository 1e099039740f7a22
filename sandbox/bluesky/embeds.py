"""How embeds look to a viewer (``app.bsky.embed.*#view``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.bluesky import records
from sandbox.bluesky.identifiers import Json, authority
from sandbox.bluesky.index import Post

if TYPE_CHECKING:
    from sandbox.bluesky.views import Views

_GALLERY_SHOWN = 10


def view(views: Views, post: Post, embed: Json, depth: int) -> dict[str, Any] | None:
    """The view of a post's embed; ``None`` for a kind that nobody knows."""
    match embed["$type"]:
        case records.EMBED_RECORD:
            return record_view(views, embed, depth)
        case records.EMBED_RECORD_WITH_MEDIA:
            media = _media(views, post.author, embed["media"])
            if media is None:
                return None
            return {
                "$type": "app.bsky.embed.recordWithMedia#view",
                "media": media,
                "record": _record(views, embed["record"], depth),
            }
        case _:
            return _media(views, post.author, embed)


def record_view(views: Views, embed: Json, depth: int = 1) -> dict[str, Any]:
    """``app.bsky.embed.record#view``: the embedded post, or why it is not shown."""
    return {"$type": "app.bsky.embed.record#view", **_record(views, embed, depth)}


def _media(views: Views, did: str, embed: Json) -> dict[str, Any] | None:
    match embed["$type"]:
        case records.EMBED_IMAGES:
            shown = [_image(views, did, image, "thumb") for image in embed["images"]]
            return {"$type": "app.bsky.embed.images#view", "images": shown}
        case records.EMBED_GALLERY:
            return _gallery(views, did, embed)
        case records.EMBED_EXTERNAL:
            return _external(views, did, embed["external"])
        case records.EMBED_VIDEO:
            return _video(views, did, embed)
        case _:
            return None


def _image(views: Views, did: str, image: Json, thumbnail_key: str) -> dict[str, Any]:
    cid = image["image"]["ref"]["$link"]
    shown = {
        thumbnail_key: views.image_url("feed_thumbnail", did, cid),
        "fullsize": views.image_url("feed_fullsize", did, cid),
        "alt": image["alt"],
    }
    return shown | _copied(image, "aspectRatio")


def _gallery(views: Views, did: str, embed: Json) -> dict[str, Any]:
    kind = f"{records.EMBED_GALLERY}#image"
    images = [item for item in embed["items"][:_GALLERY_SHOWN] if item["$type"] == kind]
    shown = [
        {"$type": f"{records.EMBED_GALLERY}#viewImage", **_image(views, did, item, "thumbnail")}
        for item in images
    ]
    return {"$type": f"{records.EMBED_GALLERY}#view", "items": shown}


def _external(views: Views, did: str, external: Json) -> dict[str, Any]:
    shown = _copied(external, "uri", "title", "description", "associatedRefs")
    if "thumb" in external:
        cid = external["thumb"]["ref"]["$link"]
        shown["thumb"] = views.image_url("feed_thumbnail", did, cid)
    return {"$type": "app.bsky.embed.external#view", "external": shown}


def _video(views: Views, did: str, embed: Json) -> dict[str, Any]:
    cid = embed["video"]["ref"]["$link"]
    base = f"{views.base_url}/vid/{did}/{cid}"
    return {
        "$type": "app.bsky.embed.video#view",
        "cid": cid,
        "playlist": f"{base}/playlist.m3u8",
        "thumbnail": f"{base}/thumbnail.jpg",
    } | _copied(embed, "alt", "aspectRatio")


def _record(views: Views, embed: Json, depth: int) -> dict[str, Any]:
    uri = embed["record"]["uri"]
    owner = authority(uri)
    if views.blocked(owner):
        return {
            "record": {
                "$type": "app.bsky.embed.record#viewBlocked",
                "uri": uri,
                "blocked": True,
                "author": views.blocked_author(owner),
            }
        }
    post = views.index.post(uri)
    if post is None:
        kind = "app.bsky.embed.record#viewNotFound"
        return {"record": {"$type": kind, "uri": uri, "notFound": True}}
    return {"record": _quoted(views, post, depth)}


def _quoted(views: Views, post: Post, depth: int) -> dict[str, Any]:
    shown = views.post(post, depth)
    view: dict[str, Any] = {
        "$type": "app.bsky.embed.record#viewRecord",
        "value": shown["record"],
    }
    counts = ("likeCount", "replyCount", "repostCount", "quoteCount")
    view |= _copied(shown, "uri", "cid", "author", "labels", *counts, "indexedAt")
    if depth <= 1:
        view["embeds"] = [shown["embed"]] if "embed" in shown else []
    return view


def _copied(source: Json, *keys: str) -> dict[str, Any]:
    return {key: source[key] for key in keys if key in source}
