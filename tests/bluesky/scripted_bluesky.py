"""A Bluesky that is scripted, with places where something can go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import regex
import trio

from actors.bluesky.client import Parameters
from actors.messages import Json
from runtime.errors import Rejected

BRAND = "did:plc:brand"
ALICE = "did:plc:alice"
ROOT = f"at://{ALICE}/app.bsky.feed.post/3aaaaaaaaaaa2"
TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


class Crash(Exception):
    """A defect somewhere: nobody is meant to catch it."""


class Points:
    """The places at which something can go wrong, counted as they are reached.

    Args:
        trouble: by the number of the place (from 1), whether a crash comes out of it or whoever
            is there is cancelled, by ``cancel``.
    """

    def __init__(self, trouble: Mapping[int, Literal["raise", "cancel"]] | None = None) -> None:
        self.trouble = trouble or {}
        self.reached = 0
        self.cancel: Callable[[], None] = lambda: None

    async def reach(self) -> None:
        self.reached += 1
        happens = self.trouble.get(self.reached)
        if happens == "raise":
            raise Crash
        if happens == "cancel":
            self.cancel()
        await trio.lowlevel.checkpoint()


def view_post(uri: str, *, root: str | None = None, **more: object) -> dict[str, Any]:
    """``app.bsky.feed.defs#postView``."""
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": "Help!"}
    if root is not None:
        reference = {"uri": root, "cid": make_cid(root)}
        record["reply"] = {"root": reference, "parent": reference}
    author = {"did": uri.split("/")[2], "handle": "alice.test", "viewer": {}}
    return {
        "uri": uri,
        "cid": make_cid(uri),
        "author": author,
        "record": record,
        "indexedAt": "2026-01-01T00:00:00.000Z",
        "viewer": {},
        **more,
    }


def make_cid(value: object) -> str:
    """A valid CID (version 1, dag-cbor, sha-256), though not the one that a server would make."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


def make_blob_cid(content: bytes) -> str:
    """A valid CID (version 1, raw, sha-256)."""
    digest = hashlib.sha256(content).digest()
    return "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().lower().rstrip("=")


def find_blobs(value: object) -> list[dict[str, Any]]:
    """The blobs that a record refers to, in their order."""
    if isinstance(value, dict):
        if value.get("$type") == "blob":
            return [value]
        return [blob for inner in value.values() for blob in find_blobs(inner)]
    if isinstance(value, list):
        return [blob for inner in value for blob in find_blobs(inner)]
    return []


class ScriptedBluesky:
    """Fulfils :class:`actors.bluesky.client.Bluesky` as a server was measured to behave.

    Attributes:
        trouble: errors by NSID, one for each of the next calls of that method (``None``: none);
            they are raised before anything happens.
        lost: the same, but raised when it has happened.
        answers: by NSID, what a method answers without doing anything; ``once``: what each of
            the next calls is answered so; ``before_answer``: what happens before its answer.
        commits: the keys of records that were really written, in order.
        removals: the keys of records that were really deleted, in order.
        blobs: what was uploaded, by its CID.
    """

    def __init__(self, points: Points | None = None) -> None:
        self.points = points or Points()
        self.trouble: dict[str, list[Exception | None]] = {}
        self.lost: dict[str, list[Exception | None]] = {}
        self.answers: dict[str, Json] = {}
        self.once: dict[str, list[Json]] = {}
        self.before_answer: dict[str, list[Callable[[], Awaitable[None]]]] = {}
        self.calls: list[tuple[str, Json]] = []
        self.posts: dict[str, Any] = {ROOT: view_post(ROOT)}
        self.profiles: dict[str, Json] = {ALICE: {"did": ALICE, "viewer": {}}}
        self.handles = {"alice.test": ALICE}
        self.repo: dict[tuple[str, str], Json] = {}
        self.commits: list[tuple[str, str]] = []
        self.removals: list[tuple[str, str]] = []
        self.muted: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.messages: list[dict[str, Any]] = []
        self.page = 100
        self.convo_rev: str | None = None
        self._rev = 1

    @property
    def texts(self) -> list[str]:
        """The texts of our own posts, in the order of writing."""
        return [self.repo[key]["text"] for key in self.commits]

    @property
    def sent(self) -> list[str]:
        """The texts of our own direct messages, oldest first."""
        return [one["text"] for one in self.messages if one["sender"]["did"] == BRAND]

    def count(self, nsid: str) -> int:
        return sum(1 for called, _ in self.calls if called == nsid)

    def receive(self, text: str, sender: str = ALICE) -> dict[str, Any]:
        """Put a direct message in the conversation with Alice."""
        message = {
            "$type": "chat.bsky.convo.defs#messageView",
            "id": f"m{len(self.messages)}",
            "rev": self._next_rev(),
            "text": text,
            "sender": {"did": sender},
            "sentAt": "2026-01-01T00:00:00.000Z",
        }
        self.messages.append(message)
        return message

    async def did(self) -> str:
        await self.points.reach()
        return BRAND

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        assert chat == nsid.startswith("chat.")
        return await self._call(nsid, parameters)

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        assert chat == nsid.startswith("chat.")
        return await self._call(nsid, json.loads(json.dumps(body)))

    async def upload(self, content: bytes, mime: str) -> Json:
        nsid = "com.atproto.repo.uploadBlob"
        self.calls.append((nsid, {"mime": mime, "size": len(content)}))
        await self.points.reach()
        _raise_next(self.trouble, nsid)
        cid = make_blob_cid(content)
        self.blobs[cid] = content
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(content)}
        await self.points.reach()
        _raise_next(self.lost, nsid)
        return {"blob": blob}

    async def _call(self, nsid: str, given: Json) -> Json:
        self.calls.append((nsid, given))
        await self.points.reach()
        _raise_next(self.trouble, nsid)
        answer = self.once[nsid].pop(0) if self.once.get(nsid) else self.answers.get(nsid)
        if answer is None:
            answer = getattr(self, f"_{nsid.rpartition('.')[2]}")(given)
        await self.points.reach()
        if self.before_answer.get(nsid):
            await self.before_answer[nsid].pop(0)()
        _raise_next(self.lost, nsid)
        assert isinstance(answer, dict)
        return answer

    def _getPosts(self, given: Json) -> Json:  # noqa: N802 - named as the method is
        return {"posts": [self.posts[uri] for uri in given["uris"] if uri in self.posts]}

    def _getProfiles(self, given: Json) -> Json:  # noqa: N802
        shown = [self.profiles[one] for one in given["actors"] if one in self.profiles]
        return {"profiles": [self._show(profile) for profile in shown]}

    def _show(self, profile: Json) -> Json:
        viewer = {"muted": profile["did"] in self.muted, **profile["viewer"]}
        return {**profile, "viewer": viewer}

    def _getSession(self, given: Json) -> Json:  # noqa: N802
        return {"did": BRAND}

    def _resolveHandle(self, given: Json) -> Json:  # noqa: N802
        if given["handle"] not in self.handles:
            raise Rejected("HandleNotFound", "Unable to resolve handle")
        return {"did": self.handles[given["handle"]]}

    def _putRecord(self, given: Json) -> Json:  # noqa: N802
        assert set(given) == {"repo", "collection", "rkey", "record", "swapRecord"}
        assert given["repo"] == BRAND
        assert TID.fullmatch(given["rkey"])
        key, record = (given["collection"], given["rkey"]), given["record"]
        assert record["$type"] == given["collection"]
        graphemes = len(regex.findall(r"\X", record.get("text", "")))
        if graphemes > 300:
            raise Rejected(
                "InvalidRequest",
                "Invalid app.bsky.feed.post record: grapheme too big "
                f"(maximum 300, got {graphemes}) at $.record.text",
            )
        answer = {"uri": f"at://{BRAND}/{key[0]}/{key[1]}", "cid": make_cid(record)}
        standing = make_cid(self.repo[key]) if key in self.repo else None
        if standing == answer["cid"]:
            return answer
        if standing != given["swapRecord"]:
            raise Rejected("InvalidSwap", f"Record was at {standing or 'null'}")
        for blob in find_blobs(record):
            if blob["ref"]["$link"] not in self.blobs:
                raise Rejected("BlobNotFound", f"Could not find blob: {blob['ref']['$link']}")
        self.repo[key] = record
        self.commits.append(key)
        return {**answer, "commit": {"cid": "x", "rev": "y"}, "validationStatus": "valid"}

    def _deleteRecord(self, given: Json) -> Json:  # noqa: N802
        assert set(given) == {"repo", "collection", "rkey"}
        assert given["repo"] == BRAND
        key = (given["collection"], given["rkey"])
        if self.repo.pop(key, None) is None:
            return {}
        self.removals.append(key)
        return {"commit": {"cid": "x", "rev": "y"}}

    def _muteActor(self, given: Json) -> Json:  # noqa: N802
        self.muted.add(given["actor"])
        return {}

    def _unmuteActor(self, given: Json) -> Json:  # noqa: N802
        self.muted.discard(given["actor"])
        return {}

    def _getRecord(self, given: Json) -> Json:  # noqa: N802
        key = (given["collection"], given["rkey"])
        if key not in self.repo:
            raise Rejected("RecordNotFound", f"Could not locate record: {key}")
        uri = f"at://{BRAND}/{key[0]}/{key[1]}"
        return {"uri": uri, "cid": make_cid(self.repo[key]), "value": self.repo[key]}

    def _getConvoForMembers(self, given: Json) -> Json:  # noqa: N802
        assert given["members"] == [ALICE]
        newest = self.messages[-1]["rev"] if self.messages else "2222222222222"
        rev = self.convo_rev or newest
        convo: dict[str, Any] = {"id": "convo", "rev": rev, "members": [], "muted": False}
        if self.messages:
            convo["lastMessage"] = self.messages[-1]
        return {"convo": convo}

    def _getMessages(self, given: Json) -> Json:  # noqa: N802
        older = [
            one
            for one in reversed(self.messages)
            if one["rev"] < given.get("cursor", "zzzzzzzzzzzzz")
        ]
        page = older[: min(self.page, given["limit"])]
        answer: dict[str, Any] = {"messages": page}
        if len(older) > len(page):
            answer["cursor"] = page[-1]["rev"]
        return answer

    def _sendMessage(self, given: Json) -> Json:  # noqa: N802
        assert given["convoId"] == "convo"
        assert set(given["message"]) <= {"text", "facets"}
        return self.receive(given["message"]["text"], BRAND)

    def _next_rev(self) -> str:
        self._rev += 1
        return f"3{self._rev:012}"


def _raise_next(trouble: dict[str, list[Exception | None]], nsid: str) -> None:
    waiting = trouble.get(nsid)
    error = waiting.pop(0) if waiting else None
    if error is not None:
        raise error
