"""Which agent's message each direct message of ours is: two equal ones are not mistaken."""

from __future__ import annotations

from collections import OrderedDict, deque

from actors.bluesky.calls import Calls, until_answered
from actors.store import Store, Value

KEEP_S = 7 * 86400.0
CAPACITY = 10_000
WRITTEN = 500
"""So many are remembered although they are written down: who asked the store just before was told
of nobody. No more can be written down in the time that one question takes."""


class Claims:
    """What the workers of this process have found or sent, shared by all of them.

    A direct message belongs to the first that takes it. What is taken is written down when the
    agent's message is settled; whoever looks later asks the store as well.
    """

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._written: deque[str] = deque()

    def take(self, sent_id: str, message_id: str) -> bool:
        """Whether the direct message is this agent's message, now at the latest."""
        owner = self._owners.setdefault(sent_id, message_id)
        while len(self._owners) > CAPACITY:
            self._owners.popitem(last=False)
        return owner == message_id

    def owned_by(self, message_id: str) -> tuple[str, ...]:
        """The direct messages that an agent's message has become so far."""
        return tuple(sent for sent, owner in self._owners.items() if owner == message_id)

    def close(self, message_id: str) -> None:
        """What an agent's message has become is written down, and soon forgotten here."""
        self._written.extend(self.owned_by(message_id))
        while len(self._written) > WRITTEN:
            self._owners.pop(self._written.popleft(), None)


async def take_found(
    calls: Calls, store: Store, claims: Claims, sent_id: str, message_id: str
) -> bool:
    """Take a direct message that was found, unless it is known to be another's.

    If cancelled, it may have been taken, which is harmless: a repeat takes it again.
    """
    owner = await until_answered(calls.context, lambda: store.read("written", _name(sent_id)))
    return owner in (None, message_id) and claims.take(sent_id, message_id)


def remember_claims(claims: Claims, message_id: str) -> tuple[Value, ...]:
    """What to keep of the direct messages that an agent's message became."""
    return tuple(
        Value("written", _name(sent_id), message_id, KEEP_S)
        for sent_id in claims.owned_by(message_id)
    )


def _name(sent_id: str) -> str:
    return f"message:{sent_id}"
