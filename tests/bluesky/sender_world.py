"""Everything that BlueskySender needs to be tried out, and messages to try it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import trio

from actors.bluesky.answering import Style
from actors.bluesky.bluesky_sender import BlueskySender
from actors.bluesky.claims import Claims
from actors.bluesky.media import Media
from actors.bluesky.planning import Rules
from actors.items import make_agent_item
from actors.media.workshop import Workshop
from actors.messages import (
    AgentMessage,
    Attachment,
    Destination,
    JournalEntry,
    Payload,
    Receipt,
    Retry,
)
from actors.recent import Recent
from actors.store import Record, Settle, Store, StoreRequest, Value
from runtime.mailbox import Mailbox
from runtime.rate import Budget, Rate
from tests.bluesky.scripted_bluesky import ALICE, ROOT, Points, ScriptedBluesky
from tests.bluesky.scripted_files import GENESYS, ScriptedFiles
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

R = TypeVar("R")

LONG = " ".join(f"word{number:03}" for number in range(100))
"""799 characters: three posts."""
VERY_LONG = " ".join(f"word{number:03}" for number in range(200))
"""1599 characters: two direct messages."""


UNNUMBERED = Rules(style=Style(numbered=False))


class TroubledMailbox(Mailbox[StoreRequest]):
    """DedupStore's mailbox, with a place for trouble before and after each request."""

    def __init__(self, memory: MemoryStore, points: Points) -> None:
        super().__init__("DedupStore", 1)
        self._memory = memory
        self._points = points

    async def send(self, message: StoreRequest) -> None:
        await self._points.reach()
        self._memory.take(message)
        await self._points.reach()


def agent_message(text: str = "We are on it.", **more: Any) -> AgentMessage:  # noqa: ANN401 - any field of it
    message = AgentMessage(
        message_id="0b2e6d0a4c3f4f0bb1d5a8f39e7c6d22",
        channel="public",
        recipient_did=ALICE,
        text=text,
        sent_at="2026-01-01T00:00:00.000Z",
        conversation_id="66666666-7777-4888-8999-aaaaaaaaaaaa",
        reply_to_uri=ROOT,
        root_uri=ROOT,
    )
    return replace(message, **more)


def image(width: int, text: str | None = None) -> Attachment:
    """An image of so many pixels, as Genesys announces it."""
    return Attachment("Image", f"{GENESYS}{width}", "image/png", text, f"{width}.png")


def image_message(width: int, text: str = "", **more: Any) -> AgentMessage:  # noqa: ANN401 - any field of it
    more = {"message_id": f"image {width}", "attachments": (image(width),), **more}
    return agent_message(text, **more)


def private_message(text: str = "We are on it.", **more: Any) -> AgentMessage:  # noqa: ANN401 - any field of it
    return agent_message(text, channel="private", reply_to_uri=None, root_uri=None, **more)


class Bench(Workshop):
    """Works at once: a thread takes no virtual time, but the clock would not wait for it."""

    async def run(self, work: Callable[[], R]) -> R:
        await trio.lowlevel.checkpoint()
        return work()


@dataclass
class World:
    """One BlueskySender with its surroundings. ``start`` makes a new incarnation."""

    bluesky: ScriptedBluesky
    context: FakeContext
    memory: MemoryStore = field(default_factory=MemoryStore)
    writes: Budget = field(default_factory=lambda: Budget(Rate(5000, 3600.0)))
    begun: Recent = field(default_factory=Recent)
    claims: Claims = field(default_factory=Claims)
    rules: Rules = UNNUMBERED
    files: ScriptedFiles = field(default_factory=ScriptedFiles)
    window_s: float = 3.0
    cards: bool = True
    link_in_direct_messages: bool = False
    give_up_after_s: float = 900.0

    @classmethod
    def make(cls, points: Points | None = None, context: FakeContext | None = None) -> World:
        return cls(ScriptedBluesky(points), context=context or FakeContext("BlueskySender"))

    def start(self) -> BlueskySender:
        store = Store(TroubledMailbox(self.memory, self.bluesky.points), answer_within_s=5.0)
        return BlueskySender(
            self.context,
            self.bluesky,
            store,
            writes=self.writes,
            media=Media(
                files=self.files,
                pages=self.files if self.cards else None,
                workshop=Bench(),
                window_s=self.window_s,
                link_in_direct_messages=self.link_in_direct_messages,
            ),
            clock=virtual_wall_clock,
            begun=self.begun,
            claims=self.claims,
            rules=self.rules,
            give_up_after_s=self.give_up_after_s,
        )

    def restart(self) -> None:
        """What comes next is done by another process, which remembers nothing of this one."""
        self.begun, self.claims = Recent(), Claims()

    def add(self, message: AgentMessage) -> JournalEntry:
        return self.memory.add(make_agent_item(message))

    async def handle(self, message: AgentMessage) -> Receipt:
        """Record a message and handle it until it is settled for good; the receipt that it got."""
        self.add(message)
        await self.work()
        return self.receipt()

    async def handle_only(self, message: AgentMessage) -> None:
        """Record a message and handle it once."""
        await self.start().handle(self.add(message))

    async def work(self) -> None:
        """Handle what the journal has, with the delays that were asked for, until it is empty."""
        sender = self.start()
        while waiting := self.memory.deliverable(Destination.BLUESKY_SENDER):
            await sender.handle(waiting[0])
            if waiting[0].entry_id in self.memory.entries:
                await trio.sleep(self.retries()[-1].after_s)

    def keep(self, name: str, text: str) -> None:
        """What the account wrote, as it is remembered."""
        self.memory.take(Record(values=(Value("written", name, text),)))

    def receipt(self) -> Receipt:
        """The one receipt in the journal."""
        (receipt,) = (one for one in self.memory.payloads if isinstance(one, Receipt))
        return receipt

    def retries(self) -> list[Retry]:
        asked = (one.outcome for one in self.memory.requests if isinstance(one, Settle))
        return [outcome for outcome in asked if isinstance(outcome, Retry)]

    def payload(self) -> Payload:
        """What the only open entry carries."""
        (payload,) = self.memory.payloads
        return payload
