"""A small Bluesky for the pollers, with the listing habits that were measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import trio

from actors.bluesky.client import Parameters
from actors.messages import Json
from runtime.clock import format_time
from runtime.errors import Fault, Rejected
from tests.support.memory_store import NEW_YEAR_2026

BRAND = "did:plc:brand"


def time_at(seconds: float) -> str:
    """The time so many seconds after the virtual clock's zero."""
    return format_time(NEW_YEAR_2026 + seconds)


def profile(name: str) -> dict[str, Any]:
    """A profile as views carry it."""
    return {"did": f"did:plc:{name}", "handle": f"{name}.test", "displayName": name.title()}


class Network:
    """Fulfils ``Bluesky`` for the posts side.

    Attributes:
        calls: method and parameters of every request, oldest first.
        faults: errors to raise by method, the next first.
        before: called before each answer, e.g. to let something happen in the middle of a sweep.
        profiles: what ``getProfiles`` knows, by DID.
        refused_uris: those that make ``getPosts`` refuse a request.
        batches: the number of uris of each ``getPosts`` that was answered.
        blocked: uris of posts that a block hides.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Parameters]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.before: Callable[[str, Parameters], None] = lambda nsid, parameters: None
        self.notifications: list[dict[str, Any]] = []
        self.posts: dict[str, Any] = {}
        self.hits: dict[str, list[Any]] = {}
        self.profiles: dict[str, Any] = {}
        self.refused_uris: set[str] = set()
        self.batches: list[int] = []
        self.blocked: set[str] = set()
        self.busy = self.most_busy = 0
        self._next = 0

    def count(self, nsid: str) -> int:
        """How often a method was called."""
        return Counter(name for name, _ in self.calls)[nsid]

    def post(
        self, at_s: float, *, author: str = "alice", key: str | None = None, **record: object
    ) -> dict[str, Any]:
        """A post view that ``getPosts`` knows; ``at_s`` is its ``indexedAt``."""
        self._next += 1
        uri = f"at://did:plc:{author}/app.bsky.feed.post/{key or f'{self._next:013d}'}"
        view = {
            "uri": uri,
            "cid": f"cid{self._next}",
            "author": profile(author),
            "record": {"text": f"post {self._next}", "createdAt": time_at(at_s), **record},
            "indexedAt": time_at(at_s),
        }
        self.posts[uri] = view
        return view

    def notify(self, at_s: float, *, reason: str = "mention", author: str = "alice") -> str:
        """Somebody mentions the brand; returns the post's uri."""
        return self.announce(self.post(at_s, author=author), reason)

    def announce(self, view: dict[str, Any], reason: str) -> str:
        """The brand is notified of a post; returns its uri."""
        kept = ("uri", "cid", "author", "record", "indexedAt")
        self.notifications.append({key: view[key] for key in kept} | {"reason": reason})
        return str(view["uri"])

    def reply(
        self,
        at_s: float,
        parent: dict[str, Any],
        *,
        author: str = "alice",
        key: str | None = None,
        **record: object,
    ) -> dict[str, Any]:
        """A post that answers another one, and notifies nobody."""
        above = parent["record"].get("reply", {"root": _refer(parent)})
        reply = {"root": above["root"], "parent": _refer(parent)}
        return self.post(at_s, author=author, key=key, reply=reply, **record)

    def react(self, at_s: float, uri: str, kind: str = "like", *, author: str = "alice") -> None:
        """Somebody likes, reposts or quotes a post of the brand, which is notified."""
        self._next += 1
        self.posts[uri][f"{kind}Count"] = self.posts[uri].get(f"{kind}Count", 0) + 1
        self.notifications.append(
            {
                "uri": f"at://did:plc:{author}/app.bsky.feed.{kind}/{self._next:013d}",
                "author": profile(author),
                "reason": kind,
                "reasonSubject": uri,
                "indexedAt": time_at(at_s),
            }
        )

    def delete(self, uri: str) -> None:
        """The post is gone from the AppView, and from the list of notifications."""
        del self.posts[uri]
        self.notifications = [one for one in self.notifications if one.get("uri") != uri]

    async def did(self) -> str:
        """The brand."""
        return BRAND

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Answer like the AppView, after a moment."""
        self.calls.append((nsid, parameters))
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await trio.sleep(0.01)
        finally:
            self.busy -= 1
        self.before(nsid, parameters)
        if self.faults.get(nsid):
            raise self.faults[nsid].pop(0)
        match nsid:
            case "app.bsky.notification.listNotifications":
                return self._list_notifications(parameters)
            case "app.bsky.feed.getPosts":
                return self._get_posts(parameters)
            case "app.bsky.actor.getProfiles":
                return self._get_profiles(parameters)
            case "app.bsky.feed.getPostThread":
                return self._get_thread(parameters)
            case "app.bsky.feed.searchPosts":
                return self._search(parameters)
        raise Rejected("MethodNotImplemented", nsid)

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """The posts side of the pollers changes nothing."""
        raise Rejected("MethodNotImplemented", nsid)

    def _list_notifications(self, parameters: Parameters) -> Json:
        cursor = str(parameters.get("cursor", "9999"))
        limit = int(str(parameters["limit"]))
        # A missing or odd indexedAt cannot be paged by; such an item stands on the first page.
        older = [one for one in self.notifications if str(one.get("indexedAt", "")) < cursor]
        older.sort(key=lambda one: str(one.get("indexedAt", "9")), reverse=True)
        page = older[:limit]
        reasons = parameters.get("reasons", ())
        shown = [one for one in page if one.get("reason", "mention") in str(reasons)]
        answer: dict[str, Any] = {"notifications": shown}
        if len(page) == limit:
            answer["cursor"] = page[-1]["indexedAt"]
        return answer

    def _get_posts(self, parameters: Parameters) -> Json:
        uris = parameters["uris"]
        if isinstance(uris, int) or len(uris) > 25 or self.refused_uris.intersection(uris):
            raise Rejected("InvalidRequest", "uris")
        self.batches.append(len(uris))
        # In another order than asked for: nobody may rely on it.
        found = [self.posts[uri] for uri in uris if uri in self.posts and uri not in self.blocked]
        return {"posts": found[::-1]}

    def _get_profiles(self, parameters: Parameters) -> Json:
        actors = parameters["actors"]
        if isinstance(actors, int) or len(actors) > 25:
            raise Rejected("InvalidRequest", "actors")
        return {"profiles": [self.profiles[did] for did in actors if did in self.profiles]}

    def _get_thread(self, parameters: Parameters) -> Json:
        uri, depth = str(parameters["uri"]), int(str(parameters["depth"]))
        if uri not in self.posts:
            raise Rejected("NotFound", f"Post not found: {uri}")
        thread = self._show(uri)
        if "post" in thread:
            self._add_parents(thread, int(str(parameters["parentHeight"])))
            self._add_replies(thread, depth)
        return {"thread": thread}

    def _show(self, uri: str) -> dict[str, Any]:
        if uri in self.blocked:
            return {"$type": "app.bsky.feed.defs#blockedPost", "uri": uri, "blocked": True}
        if uri not in self.posts:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        return {"$type": "app.bsky.feed.defs#threadViewPost", "post": self.posts[uri]}

    def _add_parents(self, thread: dict[str, Any], height: int) -> None:
        reply = thread["post"]["record"].get("reply")
        if reply and height > 0:
            thread["parent"] = self._show(reply["parent"]["uri"])
            if "post" in thread["parent"]:
                self._add_parents(thread["parent"], height - 1)

    def _add_replies(self, thread: dict[str, Any], depth: int) -> None:
        if depth == 0:
            return
        uri = thread["post"]["uri"]
        below = [
            self._show(one["uri"])
            for one in self.posts.values()
            if one["record"].get("reply", {}).get("parent", {}).get("uri") == uri
        ]
        thread["replies"] = below
        for reply in below:
            if "post" in reply:
                self._add_replies(reply, depth - 1)

    def _search(self, parameters: Parameters) -> Json:
        hits = self.hits.get(str(parameters["q"]), [])
        ordered = sorted(hits, key=lambda one: str(one.get("indexedAt", "9")), reverse=True)
        start = int(str(parameters.get("cursor", "0")))
        end = start + int(str(parameters["limit"]))
        answer: dict[str, Any] = {"posts": ordered[start:end]}
        if end < len(ordered):
            answer["cursor"] = str(end)
        return answer


def _refer(view: dict[str, Any]) -> dict[str, str]:
    return {"uri": view["uri"], "cid": view["cid"]}
