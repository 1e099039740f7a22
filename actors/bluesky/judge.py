"""Telling what of a listing is to be recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.bluesky.listing import Candidate
from actors.bluesky.place import Place
from actors.items import make_before_id, make_hit_id, make_noise_id, make_post_id
from actors.recent import Recent
from actors.store import Store
from runtime.actor import Context


class Judge:
    """Judges the posts of one listing by their ids and times.

    Args:
        own_did: whose own posts are left out.
        not_older_s: what is older than this is left out, even if it is not known.
        known: ids that are recorded, or of no interest to any of the actor's listings; these may
            share it.
        from_before: also what was left out because it was there before the first start is new.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        *,
        own_did: str,
        not_older_s: float,
        known: Recent,
        from_before: bool = False,
    ) -> None:
        self._context = context
        self._store = store
        self._own_did = own_did
        self._not_older_s = not_older_s
        self._known = known
        self._from_before = from_before
        # What is too old for this listing may be new to another, which began earlier.
        self._too_old = Recent()

    async def find_new(
        self, candidates: Sequence[Candidate], place: Place, now_s: float
    ) -> Mapping[str, Candidate]:
        """Those that are to be recorded, by item id. If cancelled, nothing has happened.

        Raises:
            StoreUnavailable: it is not known which were recorded before.
        """
        unknown: dict[str, Candidate] = {}
        for candidate in candidates:
            item_id = make_post_id(candidate.uri)
            if item_id in self._too_old or self._is_known(candidate):
                continue
            if candidate.author_did == self._own_did:
                self._leave_out(candidate, self._known, "own_post")
            elif now_s - candidate.time_s > self._not_older_s:
                self._leave_out(candidate, self._too_old, "too_old")
            elif not place.is_new(candidate.time_s, now_s):
                self._leave_out(candidate, self._too_old, "before_start")
            else:
                unknown[item_id] = candidate
        if not unknown:
            return {}
        if place.watermark is None:
            await self._leave_out_inherited(unknown)
        marks = [mark for candidate in unknown.values() for mark in self._list_marks(candidate)]
        unseen = await self._store.find_unseen(marks)
        self._known.add(mark for mark in marks if mark not in unseen)
        return {
            item_id: candidate
            for item_id, candidate in unknown.items()
            if all(mark in unseen for mark in self._list_marks(candidate))
        }

    def choose_mark(self, candidate: Candidate) -> str:
        """The id by which a post that is not to be recorded is known; ask right after judging."""
        before, item_id = make_before_id(candidate.uri), make_post_id(candidate.uri)
        return before if item_id in self._too_old or before in self._known else item_id

    async def _leave_out_inherited(self, unknown: dict[str, Candidate]) -> None:
        """What the predecessor took in is taken in, and marked so that later sweeps know it."""
        uris = await self._store.find_inherited(one.uri for one in unknown.values())
        inherited = [make_post_id(uri) for uri in uris]
        if not inherited:
            return
        await self._store.record(seen=inherited)
        for item_id in inherited:
            self._leave_out(unknown.pop(item_id), self._known, "taken_in_by_predecessor")

    def _is_known(self, candidate: Candidate) -> bool:
        return any(mark in self._known for mark in self._list_marks(candidate))

    def _list_marks(self, candidate: Candidate) -> tuple[str, ...]:
        marks = list_marks(candidate)
        before = make_before_id(candidate.uri)
        return tuple(one for one in marks if one != before) if self._from_before else marks

    def _leave_out(self, candidate: Candidate, memory: Recent, reason: str) -> None:
        memory.add([make_post_id(candidate.uri)])
        self._context.skipped(reason, message=make_post_id(candidate.uri))


def list_marks(candidate: Candidate) -> tuple[str, ...]:
    """The ids of which one is marked if the post is not to be recorded."""
    uri = candidate.uri
    marks = (make_post_id(uri), make_noise_id(uri), make_before_id(uri))
    return (*marks, make_hit_id(uri)) if candidate.reason == "search" else marks
