"""What Bluesky knows of accounts beyond what comes with their posts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import trio

from actors.bluesky.answers import read_list
from actors.bluesky.pacing import PacedBluesky
from actors.translation.inbound_views import ProfileView, find_view
from runtime.actor import Context
from runtime.errors import Fault, Retryable

CAPACITY = 2000
"""Each is 1 kB, and each poller remembers its own. Who is forgotten is asked for again."""
FRESH_FOR_S = 3600.0
PROFILES_PER_REQUEST = 25
"""``app.bsky.actor.getProfiles`` takes no more actors."""
PATIENCE_S = 5.0
"""So long a batch of messages waits for its authors' profiles, and no longer."""
REST_S = 60.0
"""So long nothing is asked after a failure."""


class Profiles:
    """Asks ``app.bsky.actor.getProfiles``, and remembers the answers for an hour.

    It is a courtesy to agents: a failure is counted, and holds up no message.
    """

    def __init__(self, bluesky: PacedBluesky, context: Context) -> None:
        self._bluesky = bluesky
        self._context = context
        self._kept: OrderedDict[str, tuple[float, ProfileView | None]] = OrderedDict()
        self._rests_until = float("-inf")

    async def find(self, dids: Iterable[str]) -> Mapping[str, ProfileView]:
        """Those of these accounts of which something is known. If cancelled, nothing has happened.

        Only what the connector uses is kept of them: age and followers.
        """
        wanted = list(dict.fromkeys(dids))
        missing = [did for did in wanted if not self._is_fresh(did)]
        if missing and trio.current_time() >= self._rests_until:
            await self._ask(missing)
        found = ((did, self._kept.get(did)) for did in wanted)
        return {did: kept[1] for did, kept in found if kept is not None and kept[1] is not None}

    def _is_fresh(self, did: str) -> bool:
        kept = self._kept.get(did)
        return kept is not None and trio.current_time() < kept[0] + FRESH_FOR_S

    async def _ask(self, dids: list[str]) -> None:
        error: Fault = Retryable(f"app.bsky.actor.getProfiles: no answer in {PATIENCE_S:g} s")
        with trio.move_on_after(PATIENCE_S):
            try:
                for start in range(0, len(dids), PROFILES_PER_REQUEST):
                    await self._ask_once(dids[start : start + PROFILES_PER_REQUEST])
            except Fault as fault:
                error = fault
            else:
                return
        self._context.failed(error)
        self._rests_until = trio.current_time() + REST_S

    async def _ask_once(self, dids: list[str]) -> None:
        answer = await self._bluesky.query("app.bsky.actor.getProfiles", {"actors": dids})
        views = (find_view(ProfileView, one) for one in read_list(answer, "profiles"))
        known = {view.did: view for view in views if view}
        for did in dids:
            # Accounts that are gone are left out of the answer; they are not asked for again.
            self._keep(did, known.get(did))

    def _keep(self, did: str, view: ProfileView | None) -> None:
        small = view and ProfileView(
            did=did,
            handle=view.handle,
            created_at=view.created_at,
            followers_count=view.followers_count,
        )
        self._kept[did] = (trio.current_time(), small)
        self._kept.move_to_end(did)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
