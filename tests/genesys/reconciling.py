"""A connector that comes back after a gap: its store, the platform it asks, and what it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.gap import MISSED_SINCE, RECONCILING_SINCE, WebhookGap, make_missed_since
from actors.genesys.reconciler import SECOND_LOOK_S, Reconciler
from actors.messages import AgentMessage
from actors.store import Activity
from runtime.actor import Context
from runtime.duty import Duty
from tests.genesys.fake_conversations import FakeConversations, Written
from tests.genesys.fake_platform import FakeGenesys
from tests.runtime.scripted import Recorder
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

WINDOW_S = 3600.0


class Return:
    """A reconciler on duty, with all that it is given. Virtual time only."""

    def __init__(
        self,
        client: GenesysClient,
        memory: MemoryStore,
        genesys: FakeGenesys,
        *,
        window_s: float = WINDOW_S,
    ) -> None:
        self.client = client
        self.memory = memory
        self.genesys = genesys
        self.window_s = window_s
        self.context = FakeContext("WebhookReceiver")
        self.duty = Duty()
        self.duty.begin(float("inf"))
        self.gap = WebhookGap(virtual_wall_clock)
        self.log = Recorder()

    @property
    def conversations(self) -> FakeConversations:
        """What the platform knows."""
        return self.genesys.conversations

    def create(self, context: Context | None = None) -> Reconciler:
        """A new incarnation, in its own context or in another."""
        return Reconciler(
            context or self.context,
            self.memory.store,
            self.client,
            duty=self.duty,
            gap=self.gap,
            window_s=self.window_s,
            clock=virtual_wall_clock,
            log=self.log,
        )

    def talk(self, number: int) -> str:
        """There is a conversation with an answer of before; returns its Genesys id."""
        conversation_id = f"conversation-{number}"
        self.memory.active.append(Activity(f"agent:{number}", "conversation", conversation_id))
        return conversation_id

    def write(self, name: str, conversation_id: str, ago_s: float, text: str = "Hi") -> Written:
        """An agent wrote so many seconds ago, and Genesys gave it up."""
        sent_at = virtual_wall_clock() - ago_s
        return self.conversations.add(Written(name, conversation_id, sent_at, text))

    async def miss(self, for_s: float) -> None:
        """Nobody was there for so long, until now; the new one knows since when."""
        await self.memory.store.save(make_missed_since(virtual_wall_clock() - for_s))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let it run while the block does."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.create().run)
            yield
            nursery.cancel_scope.cancel()

    async def run(self, for_s: float = SECOND_LOOK_S + 1.0) -> None:
        """Let it run for so long, by default until it has looked twice."""
        async with self.running():
            await trio.sleep(for_s)

    @property
    def texts(self) -> list[str]:
        """What was found to be carried, in the order of recording."""
        return [one.text for one in self.memory.payloads if isinstance(one, AgentMessage)]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to look for."""
        values = self.memory.values
        return not {("cursor", MISSED_SINCE), ("cursor", RECONCILING_SINCE)} & values.keys()
