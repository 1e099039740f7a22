"""What the latest messages say, for a dashboard that may show it (``DASHBOARD_SHOW_TEXT``)."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, assert_never

from actors.messages import (
    AgentMessage,
    InboundDirectMessage,
    InboundPost,
    JournalItem,
    ReactionCounts,
    Receipt,
    ResolveContact,
)
from actors.steps import find_message
from actors.store import Record, Settle, StoreRequest
from runtime.actor import ActorSpec, Context, HandlesBatch, Runs

MOST_TEXTS = 100
LONGEST = 500
"""Characters of a text that are kept."""


class Texts:
    """Sees what DedupStore is given to record, and keeps the texts of the latest in memory."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()

    def find(self, message: str) -> str | None:
        """What the message says, if it came by lately."""
        return self._texts.get(message)

    def alter(self, spec: ActorSpec[Any]) -> ActorSpec[Any]:
        """The same DedupStore, but one that lets us see; any other actor as it is."""
        if spec.name != "DedupStore":
            return spec

        def create(context: Context) -> object:
            return self._see(spec.create(context))

        return dataclasses.replace(spec, create=create)

    def _see(self, actor: object) -> object:
        if not (isinstance(actor, HandlesBatch) and isinstance(actor, Runs)):
            raise TypeError("DedupStore is not what it was")

        async def handle_batch(messages: Sequence[StoreRequest]) -> None:
            for request in messages:
                if isinstance(request, Record | Settle):
                    self._keep(request.items)
            await actor.handle_batch(messages)

        return SimpleNamespace(handle_batch=handle_batch, run=actor.run)

    def _keep(self, items: Sequence[JournalItem]) -> None:
        for item in items:
            match item.payload:
                case InboundPost() | InboundDirectMessage() | AgentMessage() as payload:
                    self._texts[find_message(item.item_id)] = payload.text[:LONGEST]
                case ReactionCounts() | Receipt() | ResolveContact():
                    continue
                case _:
                    assert_never(item.payload)
            while len(self._texts) > MOST_TEXTS:
                self._texts.popitem(last=False)
