"""What the company's account did on Bluesky, in the order in which it did it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import trio

from sandbox.bluesky.calls import Call
from sandbox.world import World

_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that others can see: a post, a like, a repost, a direct message.

    ``target`` is the post that it answers or points at, ``None`` for a direct message; ``name`` is
    its record key, or the conversation it was sent to.
    """

    collection: str
    name: str
    text: str
    target: str | None


@dataclass(slots=True)
class Effects:
    """Empties the sandbox's log of calls before it overflows, and keeps what had an effect.

    ``others`` are writing calls that the connector has no reason to make.
    """

    world: World
    done: list[Effect] = field(default_factory=list)
    repeats: int = 0
    others: list[str] = field(default_factory=list)
    _written: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self.gather()
            await trio.sleep(_LOOK_EVERY_S)

    def gather(self) -> None:
        """Take over what is in the log now."""
        calls = self.world.bluesky.calls.all()
        self.world.bluesky.calls.clear()
        for call in calls:
            if call.method == "POST" and call.status == 200:
                self._take(call)

    def _take(self, call: Call) -> None:
        match call.nsid:
            case "com.atproto.repo.putRecord":
                self._take_record(call.body)
            case "chat.bsky.convo.sendMessage":
                message = call.body["message"]
                self.done.append(Effect("message", call.body["convoId"], message["text"], None))
            case "com.atproto.server.createSession" | "com.atproto.server.refreshSession":
                pass
            case "chat.bsky.convo.acceptConvo" | "chat.bsky.convo.updateRead":
                pass
            case other:
                self.others.append(other)

    def _take_record(self, body: dict[str, Any]) -> None:
        key = (body["collection"], body["rkey"])
        if key in self._written:
            self.repeats += 1
            return
        self._written.add(key)
        record = body["record"]
        subject = record.get("subject") or record.get("reply", {}).get("parent", {})
        self.done.append(
            Effect(body["collection"], body["rkey"], record.get("text", ""), subject.get("uri"))
        )
