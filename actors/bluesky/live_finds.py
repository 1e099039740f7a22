"""What was heard of one poller's posts, until it has recorded them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import inf

import trio

from actors.bluesky.listing import Candidate

CAPACITY = 1000
"""So many finds are kept, a few hundred bytes each; what is heard beyond that the poller lists."""
AT_ONCE = 100
"""So many are dealt with together, each whole in memory."""
RETRY_MIN_S = 0.1
RETRY_MAX_S = 2.0


@dataclass(frozen=True, slots=True)
class LiveFind:
    """A post that was heard of.

    Attributes:
        candidate: the post, and why it is of interest.
        root_uri: of its thread.
        is_certain: whether it is of interest for certain; else only the poller's listing can tell.
        time_us: its place in the stream, in unix microseconds.
        heard_at: when it was heard of, in monotonic seconds.
    """

    candidate: Candidate
    root_uri: str
    is_certain: bool
    time_us: int
    heard_at: float

    @property
    def uri(self) -> str:
        """The post's."""
        return self.candidate.uri


class LiveFinds:
    """A bounded list of finds in the order of the stream, which wakes the poller.

    It is passed in by whoever puts the house together, and outlives every incarnation of both
    sides: a find leaves it when it is recorded, and not before.

    Attributes:
        is_hearing: whether somebody listens, and so the poller is only a safety net.
        held: the roots of threads in which a post was heard of that cannot be fetched yet: what
            is listed of them waits for it.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.is_hearing = False
        self.held: frozenset[str] = frozenset()
        self._capacity = capacity
        self._finds: OrderedDict[str, LiveFind] = OrderedDict()
        self._resting: trio.CancelScope | None = None
        self._due_at = inf
        self._rounds = 0

    def __len__(self) -> int:
        return len(self._finds)

    @property
    def oldest_us(self) -> int | None:
        """The place in the stream of the first that is not recorded yet."""
        return min((one.time_us for one in self._finds.values()), default=None)

    @property
    def wait_s(self) -> float:
        """Seconds until something is to be done; for ever if nothing waits."""
        return max(0.0, self._due_at - trio.current_time())

    def put(self, find: LiveFind) -> bool:
        """Keep a find and wake the poller; says whether there was room. Twice is once."""
        if find.uri not in self._finds:
            if len(self._finds) >= self._capacity:
                return False
            self._finds[find.uri] = find
        self._due_at, self._rounds = trio.current_time(), 0
        self.wake()
        return True

    def wake(self) -> None:
        """End the poller's rest: something has changed."""
        if self._resting is not None:
            self._resting.cancel()

    def clear(self) -> None:
        """Forget all finds: the stream begins anew where it is known that all was recorded."""
        self._finds.clear()
        self.held = frozenset()
        self._due_at, self._rounds = inf, 0

    def first(self) -> Sequence[LiveFind]:
        """Those that came first, at most :data:`AT_ONCE`."""
        return list(islice(self._finds.values(), AT_ONCE))

    def close(self, taken: Sequence[LiveFind], late: Collection[str]) -> None:
        """Forget those of ``taken`` that are not ``late``, which are to be looked for again."""
        for find in taken:
            if find.uri not in late:
                self._finds.pop(find.uri, None)
        if not self._finds:
            self._due_at = inf
        elif len(self._finds) > len(late) < AT_ONCE:
            self._due_at = trio.current_time()
        else:
            delay_s = min(RETRY_MAX_S, RETRY_MIN_S * 2.0**self._rounds)
            self._due_at, self._rounds = trio.current_time() + delay_s, self._rounds + 1

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """A block that ends as soon as something is heard; at once if something is due."""
        with trio.CancelScope() as self._resting:
            if self.wait_s == 0.0:
                self._resting.cancel()
            try:
                yield
            finally:
                self._resting = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """To whom finds are given: ``notifications`` those about us, ``hits`` what a query matches."""

    notifications: LiveFinds
    hits: LiveFinds

    def list_all(self) -> tuple[LiveFinds, ...]:
        """Both."""
        return self.notifications, self.hits
