"""What a sweep needs of a listing, and what it gathers while walking down one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from actors.bluesky.noise import Skip
from actors.items import make_post_id
from actors.messages import DeadLetter, InboundPost, InboundReason, Json
from actors.translation.times import find_time
from runtime.clock import format_time

CURSOR_STEP_S = 0.001


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listed post. Small, because thousands may be waiting until they are fetched.

    ``view`` is set where the listing shows the post itself, so that it need not be fetched.
    """

    uri: str
    author_did: str
    time_s: float
    reason: InboundReason
    view: Json | None = None

    @property
    def order(self) -> tuple[float, str]:
        """Sorts the oldest first; the keys of one author's posts of one time grow with each."""
        return self.time_s, self.uri.rpartition("/")[2]


Admit: TypeAlias = Callable[[Candidate], bool]
"""Says whether a listed post is to be recorded now, or left to a later sweep."""


def admit_all(_: Candidate) -> bool:
    """All that is listed."""
    return True


def admit_until(heard: Collection[Candidate]) -> Admit:
    """These, and what comes before the last of them.

    The network does not list posts in their order. What is listed after the last that was heard of
    may come after something that is not listed yet, and not heard of either.
    """
    uris = {one.uri for one in heard}
    last = max(one.order for one in heard)
    return lambda candidate: candidate.uri in uris or candidate.order <= last


@dataclass(frozen=True, slots=True)
class Page:
    """One page, newest first.

    Attributes:
        candidates: the posts on it.
        letters: what on it cannot be read.
        reached_s: the time down to which the listing is read with this page, if that is known.
        cursor: for the next page; ``None`` at the end.
    """

    candidates: tuple[Candidate, ...]
    letters: tuple[DeadLetter, ...]
    reached_s: float | None
    cursor: str | None


Found: TypeAlias = InboundPost | DeadLetter | Skip
"""A listed post that was read, or why it cannot be, or why nobody wants to."""


class Listing(Protocol):
    """Posts of interest, newest first."""

    async def read_page(self, cursor: str | None) -> Page:
        """Read the first page, or the one that ``cursor`` leads to."""

    async def fetch(self, candidates: Sequence[Candidate]) -> Mapping[str, Found]:
        """The posts by uri. Those that are gone are left out."""


@dataclass(slots=True)
class Walk:
    """What was found on the way down a listing.

    At most ``capacity`` unseen posts are held, the oldest ones: what is dropped is newer, and the
    next sweep finds it again. ``marks`` are the ids of all else that is listed, gathered where
    ``marking`` says that they are to be marked anew. ``left_s`` are the times of what is left to a
    later sweep.
    """

    capacity: int
    marking: bool = False
    unseen: OrderedDict[str, Candidate] = field(default_factory=OrderedDict)
    marks: list[str] = field(default_factory=list)
    letters: dict[str, DeadLetter] = field(default_factory=dict)
    newest_s: float | None = None
    oldest_s: float | None = None
    oldest_dropped_s: float | None = None
    left_s: list[float] = field(default_factory=list)
    ended: bool = False

    def note(
        self,
        candidates: Sequence[Candidate],
        new: Mapping[str, Candidate],
        choose_mark: Callable[[Candidate], str],
    ) -> None:
        """Note a page: the range of its times, and which of its posts are ``new``, by item id."""
        times = [one.time_s for one in candidates]
        if times:
            self.newest_s = max(times if self.newest_s is None else [*times, self.newest_s])
            self.oldest_s = min(times if self.oldest_s is None else [*times, self.oldest_s])
        if self.marking:
            known = (one for one in candidates if make_post_id(one.uri) not in new)
            self.marks.extend(choose_mark(one) for one in known)
        for item_id, candidate in new.items():
            self._hold(item_id, candidate)

    def leave(self, admit: Admit) -> None:
        """Leave what is not admitted to a later sweep."""
        for item_id, candidate in list(self.unseen.items()):
            if not admit(candidate):
                del self.unseen[item_id]
                self.left_s.append(candidate.time_s)

    def _hold(self, item_id: str, candidate: Candidate) -> None:
        """Hold an unseen post, and drop the one listed first if there are too many."""
        self.unseen[item_id] = candidate
        if len(self.unseen) > self.capacity:
            _, dropped = self.unseen.popitem(last=False)
            self.oldest_dropped_s = min(self.oldest_dropped_s or dropped.time_s, dropped.time_s)


def choose_cursor(asked: str | None, given: str | None) -> str | None:
    """The cursor for the next page.

    The server's is the time of the last item, and the next page holds what is strictly older. Of
    several items with that time some may not have been on this page, so ours is a little newer;
    the items that come again are known. Where a whole page has one time that leads to the same
    page again, and only the server's own cursor leads on.
    """
    time_s = find_time(given)
    if given is None or given == asked:
        return None
    if time_s is None:
        return given
    own = format_time(time_s + CURSOR_STEP_S)
    return given if own == asked else own
