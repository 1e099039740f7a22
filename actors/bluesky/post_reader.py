"""From posts as Bluesky shows them to messages, or to the reason why they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.bluesky.answers import read_post
from actors.bluesky.listing import Candidate, Found
from actors.bluesky.noise import Noise, Skip
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.profiles import Profiles
from actors.translation.inbound_views import PostView, ProfileView, find_view
from runtime.actor import Context
from runtime.clock import WallClock


class PostReader:
    """Reads the posts of one actor's listings.

    Args:
        noise: what is left out.
    """

    def __init__(
        self, bluesky: PacedBluesky, context: Context, clock: WallClock, noise: Noise
    ) -> None:
        self._context = context
        self._clock = clock
        self._noise = noise
        self._profiles = Profiles(bluesky, context)

    async def read(self, candidates: Sequence[Candidate]) -> Mapping[str, Found]:
        """Read those that have a view, by uri. If cancelled, nothing has happened.

        What is noise by itself is left out before anything is asked about its author.
        """
        found: dict[str, Found] = {}
        for candidate in candidates:
            skip = self._judge(candidate, None)
            if skip is not None:
                found[candidate.uri] = skip
        rest = [one for one in candidates if one.uri not in found]
        accounts = await self._profiles.find(one.author_did for one in rest)
        for candidate in rest:
            account = accounts.get(candidate.author_did)
            found[candidate.uri] = self._judge(candidate, account) or self._read(candidate, account)
        return found

    def _judge(self, candidate: Candidate, account: ProfileView | None) -> Skip | None:
        """What cannot be read is no noise: it is kept as a dead letter."""
        post = find_view(PostView, candidate.view)
        if post is None:
            return None
        return self._noise.judge(post, candidate.reason, self._clock(), account)

    def _read(self, candidate: Candidate, account: ProfileView | None) -> Found:
        return read_post(
            candidate.view, candidate.uri, candidate.reason, self._context.name, account
        )
