"""A stand-in for Bluesky: one account with mentions that wait, and a repository to write in."""

from __future__ import annotations

import base64
import json
import time
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime
from typing import TypeAlias

from bench.content import (
    BRAND_DID,
    BRAND_HANDLE,
    AgentAnswer,
    DirectMessage,
    Json,
    Mention,
    make_mentions,
)
from bench.wire import Answer, Request, encode
from sandbox.bluesky.identifiers import format_time, record_cid

_NEVER = 4_102_444_800
_LIMITS = (
    ("ratelimit-limit", "1000000"),
    ("ratelimit-remaining", "999999"),
    ("ratelimit-reset", str(_NEVER)),
    ("ratelimit-policy", "1000000;w=300"),
)
_NO_CONVERSATIONS: dict[str, Json] = {
    "chat.bsky.convo.listConvos": {"convos": []},
    "chat.bsky.convo.listConvoRequests": {"requests": []},
}
Texts: TypeAlias = Counter[str]


class Bluesky:
    """Answers XRPC calls, and remembers what was written.

    Args:
        waiting: how many mentions wait.
    """

    def __init__(self, waiting: int) -> None:
        mentions = make_mentions(waiting, datetime.now(UTC))
        self.written: Texts = Counter()
        """How many different records there are with each text."""
        self._times = [mention.indexed_at for mention in mentions]
        self._lines = [encode(mention.notification()) for mention in mentions]
        self._views = {mention.uri: encode(mention.view()) for mention in mentions}
        self._profiles = {mention.did: encode(mention.profile()) for mention in mentions}
        self._waiting = waiting
        self._live: list[str] = []
        self._records: dict[str, Json] = {}
        self._events: list[Json] = []
        self.written_at: dict[str, float] = {}
        """When customers wrote while it ran, by the text, in ``time.perf_counter``."""
        self.shown_at: dict[str, float] = {}
        """When that was first listed."""
        self._conversations: dict[str, Json] = {}

    def answer(self, nsid: str, request: Request) -> Answer | None:
        """``None`` for what it does not know."""
        match nsid:
            case "com.atproto.server.createSession":
                return _json(_make_session())
            case "app.bsky.notification.listNotifications":
                return self._list(request)
            case "app.bsky.feed.getPosts":
                return self._get_posts(request.query["uris"])
            case "app.bsky.actor.getProfiles":
                return self._get_profiles(request.query["actors"])
            case "app.bsky.feed.getPostThread":
                return self._get_thread(request.query["uri"][0])
            case "com.atproto.repo.putRecord":
                return self._put(json.loads(request.body))
            case "chat.bsky.convo.getLog":
                return self._get_log(request)
            case "chat.bsky.convo.getConvo":
                return _json({"convo": self._conversations[request.query["convoId"][0]]})
            case "chat.bsky.convo.updateRead":
                return _json({"convo": self._conversations[json.loads(request.body)["convoId"]]})
            case _:
                empty = _NO_CONVERSATIONS.get(nsid)
                return None if empty is None else _json(empty)

    def _list(self, request: Request) -> Answer:
        """Going back in time from the cursor; lines of the cursor's own time are not shown.

        Nobody has liked anything.
        """
        if "mention" not in request.query["reasons"]:
            return _json({"notifications": []})
        limit = int(request.query["limit"][0])
        before = request.query.get("cursor")
        end = bisect_left(self._times, before[0]) if before else len(self._times)
        start = max(0, end - limit)
        for text in self._live[max(0, start - self._waiting) : max(0, end - self._waiting)]:
            self.shown_at.setdefault(text, time.perf_counter())
        lines = b",".join(reversed(self._lines[start:end]))
        cursor = encode({"cursor": self._times[start]})[1:-1] + b"," if start else b""
        return _answer(b"{" + cursor + b'"notifications":[' + lines + b"]}")

    def write_mention(self, number: int) -> None:
        """Have a customer mention the company now."""
        mention = Mention(number, format_time(datetime.now(UTC)))
        self._times.append(mention.indexed_at)
        self._lines.append(encode(mention.notification()))
        self._live.append(mention.text)
        self._views[mention.uri] = encode(mention.view())
        self._profiles[mention.did] = encode(mention.profile())
        self.written_at[mention.text] = time.perf_counter()

    def write_directly(self, number: int) -> None:
        """Have a customer write a direct message now."""
        message = DirectMessage(number)
        self._events.append(message.event(f"{len(self._events):013d}"))
        self._conversations[message.convo_id] = message.conversation()
        profile = Mention(number, "").profile()
        self._profiles[message.did] = encode(profile)
        self.written_at[message.text] = time.perf_counter()

    def _get_log(self, request: Request) -> Answer:
        """What came after the cursor. Without one it begins now."""
        came = len(self._events)
        cursor = int(request.query["cursor"][0]) if "cursor" in request.query else came
        for event in self._events[cursor:]:
            self.shown_at.setdefault(event["message"]["text"], time.perf_counter())
        return _json({"logs": self._events[cursor:], "cursor": str(came)})

    def _get_posts(self, uris: list[str]) -> Answer:
        found = [self._views[uri] for uri in uris]
        return _answer(b'{"posts":[' + b",".join(found) + b"]}")

    def _get_profiles(self, dids: list[str]) -> Answer:
        found = [self._profiles[did] for did in dids]
        return _answer(b'{"profiles":[' + b",".join(found) + b"]}")

    def _get_thread(self, uri: str) -> Answer:
        """Nobody has answered."""
        kind = b'"$type":"app.bsky.feed.defs#threadViewPost"'
        post = self._views[uri]
        return _answer(b'{"thread":{' + kind + b',"post":' + post + b',"replies":[]}}')

    def _put(self, body: Json) -> Answer:
        """A record is written once; the same again changes nothing, another one is refused."""
        record, key = body["record"], f"{body['collection']}/{body['rkey']}"
        standing = self._records.setdefault(key, record)
        if standing is not record and standing != record:
            return Answer(encode({"error": "InvalidSwap", "message": "Record was at another"}), 400)
        if standing is record:
            self.written[_check_reply(record)] += 1
        written = {"uri": f"at://{BRAND_DID}/{key}", "cid": record_cid(record)}
        return _json({**written, "validationStatus": "valid"})

    def expect_answers(self, count: int) -> None:
        """Show the mentions that so many answers are to, without listing them."""
        for mention in make_mentions(count, datetime.now(UTC)):
            self._views.setdefault(mention.uri, encode(mention.view()))


def _check_reply(record: Json) -> str:
    """The record's text, and what is wrong with what it answers, if anything is."""
    text = str(record["text"])
    number = text.rpartition("order ")[2].partition(".")[0]
    if not number.isdecimal() or text != AgentAnswer(int(number)).text:
        return f"another text: {text}"
    reply, uri = record["reply"], Mention(int(number), "").uri
    if {reply["root"]["uri"], reply["parent"]["uri"]} != {uri}:
        return f"to another post: {text}"
    return text


def _make_session() -> Json:
    return {
        "did": BRAND_DID,
        "handle": BRAND_HANDLE,
        "accessJwt": _make_token(7200),
        "refreshJwt": _make_token(7_776_000),
        "active": True,
    }


def _make_token(life_s: int) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"sub": BRAND_DID, "iat": now, "exp": now + life_s}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims, {}))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _json(body: Json) -> Answer:
    return _answer(encode(body))


def _answer(body: bytes) -> Answer:
    return Answer(body, headers=_LIMITS)
