"""How things are called in Redis, and how long they are kept.

The scripts make the rest of the names from the prefix (``scripts/common.lua``); ``docs/journal.md``
lists them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REFERENCE_KEEP_S = 90 * 24 * 3600
DEAD_KEEP_S = 30 * 24 * 3600
DEAD_MOST = 10_000
ACTIVE_KEEP_S = 24 * 3600
ACTIVE_MOST = 2_000

ENTRY_KEEP_S = 90 * 24 * 3600
"""So long a queue that nobody serves is kept after something was added to it. A connector that runs
is done with every entry sooner, by ``INBOUND_KEEP`` and ``OUTBOUND_GIVE_UP_AFTER``."""
LONGEST_KEEP_S = 400 * 24 * 3600
"""For what holds nothing of people and should outlast a quiet year: the place of a poller."""

KEY_AWAITED_S = 7 * 24 * 3600
"""So long after it was recorded an entry waits for the key that it was sealed with."""

LEASE_HOLDS_S = 12.0
"""A leader that has not renewed its lease for so long is one no more."""
LEASE_KEEP_S = 7 * 24 * 3600
"""So long it can still be seen when there last was a leader."""
MISSED_AFTER_S = 20.0
"""Genesys goes on for 25 s when a webhook is refused at once, and else for longer. Without a leader
for less than this, none was given up."""

_NAMESPACE = re.compile(r"[^{}\s]+")


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of one connector begin alike, with a hash tag: on a cluster they share a slot.

    Args:
        namespace: what tells this connector from others on the same Redis: the id of its Genesys
            integration. Two processes with the same namespace share one journal.

    Raises:
        ValueError: if it is empty, or has braces or white space.
    """

    namespace: str

    def __post_init__(self) -> None:
        if _NAMESPACE.fullmatch(self.namespace) is None:
            raise ValueError(f"{self.namespace!r} is no namespace: use letters, digits and dashes")

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return f"{{bluesky-genesys:{self.namespace}}}:"

    @property
    def seen(self) -> str:
        """Sorted set of the item ids ever recorded, by the time they were last marked."""
        return self.prefix + "seen"

    @property
    def posts(self) -> str:
        """Sorted set of the posts that were lately recorded, by the time of it."""
        return self.prefix + "posts"

    @property
    def probe(self) -> str:
        """Written to find out whether a store that was away takes writes again."""
        return self.prefix + "probe"

    @property
    def active(self) -> str:
        """Sorted set of the conversations in which something happened, by the time of it."""
        return self.prefix + "active"

    @property
    def paused(self) -> str:
        """Set of the names of the actors that are paused."""
        return self.prefix + "paused"

    @property
    def bell(self) -> str:
        """The channel on which processes wake each other."""
        return self.prefix + "bell"

    def queue(self, destination: str, conversation: str) -> str:
        """List of the entries of one conversation for one actor, oldest first."""
        return f"{self.prefix}queue:{destination}:{conversation}"

    def lease(self, token: str) -> str:
        """A lease: how much others have recorded since it was taken. It is kept by renewing it."""
        return f"{self.prefix}lease:{token}"

    @property
    def dead(self) -> str:
        """Sorted set of the ids of dead letters, by the time they died."""
        return self.prefix + "dead"

    def dead_letter(self, letter_id: str) -> str:
        """Hash of one dead letter."""
        return f"{self.prefix}dead:{letter_id}"

    def value(self, name: str) -> str:
        """One kept value; see :func:`value_name`."""
        return f"{self.prefix}value:{name}"


def value_name(space: str, name: str) -> str:
    """A value's name, unique over all spaces."""
    return f"{space}:{name}"
