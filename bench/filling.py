"""Fills a journal before the connector starts: what has piled up while Genesys was away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from actors.items import make_post_item
from actors.messages import Author, InboundPost, PostReference
from bench.content import Mention, make_mentions
from connector.environment import load_settings
from connector.lone_store import open_lone_store

_TOGETHER = 500


async def fill_journal(variables: Mapping[str, str], count: int) -> None:
    """Record so many mentions in the store that these variables of the connector name."""
    mentions = make_mentions(count, datetime.now(UTC))
    async with open_lone_store(load_settings(variables)) as parts:
        for start in range(0, count, _TOGETHER):
            some = mentions[start : start + _TOGETHER]
            await parts.store.record([make_post_item(_make_post(one)) for one in some])


def _make_post(mention: Mention) -> InboundPost:
    author = mention.author()
    post = PostReference(mention.uri, mention.cid)
    return InboundPost(
        post=post,
        root=post,
        parent_uri=None,
        author=Author(mention.did, author["handle"], author["displayName"], author["avatar"]),
        text=mention.text,
        created_at=mention.indexed_at,
        url=f"https://bsky.app/profile/{mention.did}/post/{mention.uri.rpartition('/')[2]}",
        reason="mention",
    )
