"""What is in a record: its blobs, mentions, tags, quotes and subjects."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.bluesky import formats
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.records import EMBED_RECORD, EMBED_RECORD_WITH_MEDIA, MENTION, TAG
from sandbox.bluesky.schema import is_blob


def blobs_in(value: object) -> Iterator[Json]:
    """All blob references inside a record, in order."""
    if is_blob(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from blobs_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from blobs_in(item)


def mentioned_dids(post: Json) -> list[str]:
    """Whom a post mentions by facet, in the order of the facets."""
    return [feature["did"] for feature in _features(post) if feature["$type"] == MENTION]


def tags_in(post: Json) -> list[str]:
    """The hashtags of a post, in its text and beside it."""
    in_text = [feature["tag"] for feature in _features(post) if feature["$type"] == TAG]
    return [*in_text, *post.get("tags", ())]


def _features(post: Json) -> list[Json]:
    return [feature for facet in post.get("facets", ()) for feature in facet["features"]]


def subject_of(record: Json) -> str:
    """What a like, repost, follow or block points at: the uri of a record or a DID."""
    subject = record.get("subject")
    return str(subject.get("uri") if isinstance(subject, dict) else subject)


def quoted_uri(post: Json) -> str | None:
    """The uri of the record that a post embeds, alone or beside media."""
    embed = post.get("embed") or {}
    kind = embed.get("$type")
    if kind == EMBED_RECORD:
        uri = embed["record"]["uri"]
    elif kind == EMBED_RECORD_WITH_MEDIA:
        uri = embed["record"]["record"]["uri"]
    else:
        return None
    return uri if formats.is_at_uri(uri) else None
