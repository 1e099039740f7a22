"""One account's session with a Bluesky server: what a person does in the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from tests.interop.content import make_facets

CHAT_SERVICE = "did:web:api.bsky.chat#bsky_chat"
Json = dict[str, Any]


class XrpcError(Exception):
    """The server refused a call. ``error`` is the name in the body, ``nsid`` the method."""

    def __init__(self, nsid: str, response: httpx.Response) -> None:
        try:
            body = response.json()
        except ValueError:
            body = {}
        self.nsid = nsid
        self.status = response.status_code
        self.error: str | None = body.get("error")
        self.message: str | None = body.get("message")
        self.headers = response.headers
        super().__init__(f"{nsid}: {self.status} {self.error}: {self.message}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A record as it was written (lexicon ``com.atproto.repo.strongRef``)."""

    uri: str
    cid: str

    @classmethod
    def take(cls, body: Mapping[str, Any]) -> Self:
        """Of anything that has the keys ``uri`` and ``cid``."""
        return cls(body["uri"], body["cid"])

    def to_json(self) -> Json:
        """As records carry it."""
        return {"uri": self.uri, "cid": self.cid}


def now() -> str:
    """The time, as records carry it."""
    return ago()


def ago(**time: float) -> str:
    """A time in the past, as records carry it; ``days=-1`` is tomorrow."""
    then = datetime.now(UTC) - timedelta(**time)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Session:
    """A logged-in account. Every call raises :class:`XrpcError` when it is refused.

    Args:
        http: shared by all sessions; its owner closes it.
        base: the PDS's address.
        find_did: the DID of a handle, for the mentions in what is posted.
    """

    def __init__(
        self, http: httpx.AsyncClient, base: str, find_did: Callable[[str], str | None]
    ) -> None:
        self._http = http
        self._base = base
        self._find_did = find_did
        self.did = ""
        self.handle = ""
        self.access = ""
        self.refresh = ""

    async def log_in(self, identifier: str, password: str) -> Json:
        """Make a session (``com.atproto.server.createSession``); answers its body."""
        body = {"identifier": identifier, "password": password}
        return self._keep(await self.call("com.atproto.server.createSession", body, token=""))

    async def renew(self) -> Json:
        """Take the next pair of tokens (``com.atproto.server.refreshSession``)."""
        nsid = "com.atproto.server.refreshSession"
        return self._keep(await self.send("POST", nsid, token=self.refresh))

    def _keep(self, body: Json) -> Json:
        self.did, self.handle = body["did"], body["handle"]
        self.access, self.refresh = body["accessJwt"], body["refreshJwt"]
        return body

    async def send(self, method: str, nsid: str, *, token: str | None = None, **rest: Any) -> Json:  # noqa: ANN401 (what httpx takes)
        """One XRPC call; an empty answer is an empty mapping. An empty header is left out."""
        headers = dict(rest.pop("headers", {}))
        if authorization := self.access if token is None else token:
            headers["authorization"] = f"Bearer {authorization}"
        if nsid.startswith("chat.bsky."):
            headers.setdefault("atproto-proxy", CHAT_SERVICE)
        headers = {name: value for name, value in headers.items() if value}
        url = f"{self._base}/xrpc/{nsid}"
        response = await self._http.request(method, url, headers=headers, **rest)
        if response.status_code >= 400:
            raise XrpcError(nsid, response)
        body: Json = response.json() if response.content else {}
        return body

    async def get(self, nsid: str, **parameters: str | int | Sequence[str] | None) -> Json:
        """An XRPC query; parameters that are ``None`` are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self.send("GET", nsid, params=given)

    async def call(self, nsid: str, body: Mapping[str, Any], *, token: str | None = None) -> Json:
        """An XRPC procedure."""
        return await self.send("POST", nsid, json=body, token=token)

    # -- records

    async def create(self, collection: str, record: Mapping[str, Any]) -> Reference:
        """Write a record under a key of the server's choice."""
        body = {
            "repo": self.did,
            "collection": collection,
            "record": {"$type": collection, "createdAt": now(), **record},
        }
        return Reference.take(await self.call("com.atproto.repo.createRecord", body))

    async def put(
        self, collection: str, rkey: str, record: Mapping[str, Any], **rest: str | None
    ) -> Json:
        """Write a record under a key of our choice; ``swapRecord`` can be given."""
        body = {
            "repo": self.did,
            "collection": collection,
            "rkey": rkey,
            "record": {"$type": collection, **record},
            **rest,
        }
        return await self.call("com.atproto.repo.putRecord", body)

    async def delete(self, uri: str) -> None:
        """Delete a record of one's own."""
        repo, collection, rkey = uri.removeprefix("at://").split("/")
        body = {"repo": repo, "collection": collection, "rkey": rkey}
        await self.call("com.atproto.repo.deleteRecord", body)

    async def post(
        self,
        text: str,
        *,
        reply_to: Reference | None = None,
        quote: Reference | None = None,
        images: Sequence[bytes] = (),
        **rest: Any,  # noqa: ANN401 (any other key of the lexicon's record)
    ) -> Reference:
        """Post, with the facets that an app would find in the text (``app.bsky.feed.post``)."""
        record: Json = {"text": text, **rest}
        if facets := make_facets(text, self._find_did):
            record.setdefault("facets", facets)
        if reply_to:
            root = await self._find_root(reply_to)
            record["reply"] = {"root": root, "parent": reply_to.to_json()}
        if embed := await self._make_embed(quote, images):
            record["embed"] = embed
        return await self.create("app.bsky.feed.post", record)

    async def _find_root(self, parent: Reference) -> Json:
        repo, collection, rkey = parent.uri.removeprefix("at://").split("/")
        found = await self.get(
            "com.atproto.repo.getRecord", repo=repo, collection=collection, rkey=rkey
        )
        reply: Json = found["value"].get("reply", {})
        root: Json = reply.get("root", parent.to_json())
        return root

    async def _make_embed(self, quote: Reference | None, images: Sequence[bytes]) -> Json | None:
        record: Json | None = None
        if quote:
            record = {"$type": "app.bsky.embed.record", "record": quote.to_json()}
        if not images:
            return record
        media: Json = {
            "$type": "app.bsky.embed.images",
            "images": [{"image": await self.upload(image), "alt": "a picture"} for image in images],
        }
        if not record:
            return media
        return {"$type": "app.bsky.embed.recordWithMedia", "media": media, "record": record}

    async def upload(self, content: bytes, mime: str = "image/png") -> Json:
        """Upload a blob; answers what a record carries of it."""
        nsid = "com.atproto.repo.uploadBlob"
        answer = await self.send("POST", nsid, content=content, headers={"content-type": mime})
        blob: Json = answer["blob"]
        return blob

    async def like(self, post: Reference) -> Reference:
        """Like a post."""
        return await self.create("app.bsky.feed.like", {"subject": post.to_json()})

    async def repost(self, post: Reference) -> Reference:
        """Repost a post."""
        return await self.create("app.bsky.feed.repost", {"subject": post.to_json()})

    async def block(self, did: str) -> Reference:
        """Block an account."""
        return await self.create("app.bsky.graph.block", {"subject": did})

    async def allow_messages(self, whose: str) -> None:
        """Say who may write direct messages: ``all``, ``following`` or ``none``."""
        await self.put("chat.bsky.actor.declaration", "self", {"allowIncoming": whose})

    async def list_notifications(self) -> list[Json]:
        """The newest hundred notifications, newest first."""
        answer = await self.get("app.bsky.notification.listNotifications", limit=100)
        notifications: list[Json] = answer["notifications"]
        return notifications

    # -- direct messages

    async def open_conversation(self, did: str) -> str:
        """The id of the conversation with an account."""
        answer = await self.get("chat.bsky.convo.getConvoForMembers", members=did)
        return str(answer["convo"]["id"])

    async def send_message(self, did: str, text: str) -> Json:
        """Write a direct message; answers the message's view."""
        message: Json = {"text": text}
        if facets := make_facets(text, self._find_did):
            message["facets"] = facets
        body = {"convoId": await self.open_conversation(did), "message": message}
        return await self.call("chat.bsky.convo.sendMessage", body)

    async def list_messages(self, did: str) -> list[Json]:
        """All messages of the conversation with an account, oldest first."""
        convo_id = await self.open_conversation(did)
        messages: list[Json] = []
        cursor = None
        while True:
            page = await self.get(
                "chat.bsky.convo.getMessages", convoId=convo_id, limit=100, cursor=cursor
            )
            messages += page["messages"]
            cursor = page.get("cursor")
            if not cursor:
                return messages[::-1]
