"""From posts as Bluesky shows them to messages, or to the reason why they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.bluesky.letters import make_post_letter
from actors.bluesky.listing import Candidate, Found
from actors.bluesky.noise import Noise, Skip
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.profiles import Profiles
from actors.translation.inbound import translate_post
from actors.translation.inbound_views import PostView, ProfileView, find_view
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed


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
        wanted: list[tuple[Candidate, PostView | None]] = []
        for candidate in candidates:
            # What cannot be read is no noise: it is kept as a dead letter.
            post = find_view(PostView, candidate.view)
            skip = self._judge(candidate, post, None)
            if skip is None:
                wanted.append((candidate, post))
            else:
                found[candidate.uri] = skip
        accounts = await self._profiles.find(one.author_did for one, _ in wanted)
        for candidate, post in wanted:
            account = accounts.get(candidate.author_did)
            skip = self._judge(candidate, post, account)
            found[candidate.uri] = skip or self._read(candidate, post, account)
        return found

    def _judge(
        self, candidate: Candidate, post: PostView | None, account: ProfileView | None
    ) -> Skip | None:
        if post is None:
            return None
        return self._noise.judge(post, candidate.reason, self._clock(), account)

    def _read(
        self, candidate: Candidate, post: PostView | None, account: ProfileView | None
    ) -> Found:
        try:
            return translate_post(post or candidate.view, candidate.reason, account)
        except Malformed as error:
            reason, uri = candidate.reason, candidate.uri
            return make_post_letter(self._context.name, candidate.view, reason, error, uri=uri)
