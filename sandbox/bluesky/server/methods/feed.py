"""``app.bsky.feed.*``: posts, threads, search, and who liked or reposted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.bluesky import search
from sandbox.bluesky.errors import internal_error
from sandbox.bluesky.formats import is_did
from sandbox.bluesky.identifiers import Json, authority, format_time, normalize_time
from sandbox.bluesky.index import Post
from sandbox.bluesky.relations import Edge
from sandbox.bluesky.schema import Array, Integer, Text
from sandbox.bluesky.server.method import AT_URI, CURSOR, Method, Parameter, Request, limit
from sandbox.bluesky.threads import thread


def _get_posts(request: Request) -> Json:
    views = request.views
    if not all(is_did(authority(uri)) for uri in request.params["uris"]):
        raise internal_error(502)  # a handle in the uri: the AppView fails, the PDS passes it on
    found = [views.index.post(uri) for uri in dict.fromkeys(request.params["uris"])]
    shown = [views.post(post) for post in found if post and not views.blocked(post.author)]
    return {"posts": shown}


def _get_post_thread(request: Request) -> Json:
    params = request.params
    height = params["parentHeight"]
    shown = thread(request.views, params["uri"], depth=params["depth"], parent_height=height)
    return {"thread": shown}


def _search_posts(request: Request) -> Json:
    views, params = request.views, request.params
    before = _unpack(params["cursor"]) if "cursor" in params else None
    page, more = search.find(views.index, _query(request), limit=params["limit"], before=before)
    answer: dict[str, Any] = {
        "posts": [views.post(post) for post in page if not views.blocked(post.author)]
    }
    return answer | ({"cursor": _pack(page[-1])} if more else {})


def _query(request: Request) -> search.Query:
    params = request.params

    def resolve(actor: str) -> str:
        account = request.network.accounts.find(actor)
        return account.did if account else actor

    terms, author = search.parse(params["q"], resolve)
    return search.Query(
        terms=terms,
        author=author or (resolve(params["author"]) if "author" in params else None),
        since=normalize_time(params["since"]) if "since" in params else None,
        until=normalize_time(params["until"]) if "until" in params else None,
        mentions=resolve(params["mentions"]) if "mentions" in params else None,
        tags=tuple(tag.casefold() for tag in params.get("tag", ())),
    )


def _pack(post: Post) -> str:
    milliseconds = round(datetime.fromisoformat(post.sort_at).timestamp() * 1000)
    return f"{milliseconds}__{post.record.cid}"


def _unpack(cursor: str) -> tuple[str, str]:
    milliseconds, _, cid = cursor.partition("__")
    if not milliseconds.isdecimal() or not cid:
        raise internal_error(502)  # what the PDS makes of the AppView's failure
    return format_time(datetime.fromtimestamp(int(milliseconds) / 1000, UTC)), cid


def _get_likes(request: Request) -> Json:
    edges, rest = _edges(request, request.network.index.likes.of(request.params["uri"]))
    shown = [
        {
            "actor": request.views.profile(edge.did),
            "createdAt": normalize_time(edge.record.value["createdAt"]),
            "indexedAt": edge.sort_at,
        }
        for edge in edges
    ]
    return {"likes": shown, **rest}


def _get_reposted_by(request: Request) -> Json:
    edges, rest = _edges(request, request.network.index.reposts.of(request.params["uri"]))
    return {"repostedBy": [request.views.profile(edge.did) for edge in edges], **rest}


def _edges(request: Request, edges: Sequence[Edge]) -> tuple[list[Edge], dict[str, Any]]:
    """One page of who pointed at the post, and what stands beside it in the answer."""
    params, views = request.params, request.views
    start = int(params["cursor"]) if params.get("cursor", "").isdecimal() else 0
    end = start + params["limit"]
    page = [edge for edge in edges[start:end] if not views.blocked(edge.did)]
    rest = {key: params[key] for key in ("uri", "cid") if key in params}
    return page, rest | ({"cursor": str(end)} if end < len(edges) else {})


METHODS = (
    Method(
        "app.bsky.feed.getPosts",
        "query",
        _get_posts,
        params={"uris": Parameter(Array(Text("at-uri"), max_length=25), required=True)},
    ),
    Method(
        "app.bsky.feed.getPostThread",
        "query",
        _get_post_thread,
        params={
            "uri": AT_URI,
            "depth": Parameter(Integer(minimum=0, maximum=1000), default=6),
            "parentHeight": Parameter(Integer(minimum=0, maximum=1000), default=80),
        },
    ),
    Method(
        "app.bsky.feed.searchPosts",
        "query",
        _search_posts,
        params={
            "q": Parameter(Text(), required=True),
            "sort": Parameter(Text(), default="latest"),
            "since": Parameter(Text()),
            "until": Parameter(Text()),
            "mentions": Parameter(Text("at-identifier")),
            "author": Parameter(Text("at-identifier")),
            "lang": Parameter(Text("language")),
            "domain": Parameter(Text()),
            "url": Parameter(Text("uri")),
            "tag": Parameter(Array(Text(max_bytes=640, max_graphemes=64))),
            "limit": limit(25),
            "cursor": CURSOR,
        },
    ),
    Method(
        "app.bsky.feed.getLikes",
        "query",
        _get_likes,
        params={
            "uri": AT_URI,
            "cid": Parameter(Text("cid")),
            "limit": limit(50),
            "cursor": CURSOR,
        },
    ),
    Method(
        "app.bsky.feed.getRepostedBy",
        "query",
        _get_reposted_by,
        params={
            "uri": AT_URI,
            "cid": Parameter(Text("cid")),
            "limit": limit(50),
            "cursor": CURSOR,
        },
    ),
)
