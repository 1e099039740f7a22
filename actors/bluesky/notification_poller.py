"""NotificationPoller: mentions, replies and quotes, from Bluesky's notifications to the journal."""

from __future__ import annotations

from collections.abc import Sequence

from actors.bluesky.attention import Attention
from actors.bluesky.client import Bluesky
from actors.bluesky.deletions import DeletionWatch
from actors.bluesky.following import Follower
from actors.bluesky.known_posts import KnownPosts
from actors.bluesky.lag import Lag
from actors.bluesky.listing import Admit, Candidate, admit_all
from actors.bluesky.live_finds import LiveFinds
from actors.bluesky.live_intake import LiveIntake, TakeIn
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.notification_listing import NotificationListing
from actors.bluesky.pace import NO_HASTE, Haste, Pace
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.post_reader import PostReader
from actors.bluesky.reactions import ReactionWatch
from actors.bluesky.sweep import Reach, Sweeper
from actors.bluesky.thread_context import ThreadContext
from actors.bluesky.turns import Turn, run_in_turn
from actors.recent import Recent
from actors.store import Store
from runtime.actor import Context
from runtime.clock import WallClock

CAPACITY = 10_000
"""Waiting notifications that one sweep holds, a few hundred bytes each."""


class NotificationPoller:
    """Polls ``app.bsky.notification.listNotifications``, and looks after what came of it.

    Between its polls it follows threads, counts reactions and watches for deletions, one after the
    other in one task. So whatever else there is to do, mentions come first as soon as a round is
    over (each is bounded), and two ways to the same post never race: what is said in a thread is
    recorded in its order whichever of them finds it.

    Neither ``isRead`` nor ``seenAt`` is looked at or changed: a person may have the app open.

    Args:
        interval_s: seconds from one poll to the next.
        lookback_s: how far the first start looks back.
        deep_sweep_s: how often to look further down than the watermark asks for.
        at_once: the most posts to fetch and record together.
        noise: what is left out.
        attention: what it looks at besides.
        haste: how much quicker than ``interval_s`` it polls while something is new.
        finds: what LiveListener has heard; ``None`` if nobody listens.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        *,
        interval_s: float,
        lookback_s: float,
        deep_sweep_s: float,
        at_once: int,
        noise: Noise = NO_NOISE,
        attention: Attention | None = None,
        haste: Haste = NO_HASTE,
        finds: LiveFinds | None = None,
    ) -> None:
        self._context = context
        self._bluesky = PacedBluesky(bluesky, context)
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._finds = finds
        self._pace = Pace(interval_s, context, haste, finds)
        self._lookback_s = lookback_s
        self._at_once = at_once
        self._attention = attention or Attention()
        self._reach = Reach(capacity=CAPACITY, at_once=at_once, deep_every_s=deep_sweep_s)
        self._reader = PostReader(self._bluesky, context, clock, noise)

    async def run(self) -> None:
        """Poll for ever. If cancelled or failed, the next incarnation sweeps anew: nothing is lost.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        own_did = await self._bluesky.did()
        known = Recent()
        sweeper = self._make_sweeper(own_did, known)

        async def sweep(heard: Sequence[Candidate] = (), admit: Admit = admit_all) -> None:
            while await sweeper.sweep(heard, admit):
                pass

        async def poll() -> None:
            before = sweeper.recorded
            await sweep()
            self._pace.note(sweeper.recorded - before)

        live = None
        if self._finds is not None:
            live = LiveIntake(
                self._context,
                self._bluesky,
                self._store,
                self._finds,
                known=known,
                take_in=sweep,
            )
        turns = [Turn(self._interval_s, poll, self._pace)]
        turns += self._make_looks(own_did, known, sweep)
        await run_in_turn(self._context, turns, live)

    def _make_sweeper(self, own_did: str, known: Recent) -> Sweeper:
        ancestors = self._attention.ancestors
        return Sweeper(
            self._context,
            self._store,
            NotificationListing(self._bluesky, self._context, self._reader),
            self._clock,
            name="notifications",
            own_did=own_did,
            lookback_s=self._lookback_s,
            reach=self._reach,
            known=known,
            lag=Lag(self._context, self._clock),
            finds=self._finds,
            thread_context=None
            if ancestors is None
            else ThreadContext(
                self._context,
                self._bluesky,
                self._store,
                self._reader,
                own_did=own_did,
                ancestors=ancestors,
                known=known,
            ),
        )

    def _make_looks(self, own_did: str, known: Recent, sweep: TakeIn) -> list[Turn]:
        """What is done besides, as far as it is turned on."""
        context, bluesky, store, clock = self._context, self._bluesky, self._store, self._clock
        wanted = self._attention
        posts = KnownPosts(store, clock, keep_s=max(wanted.follow_s, wanted.watch_s))
        turns: list[Turn] = []
        if wanted.follow_s > 0:
            follower = Follower(
                context,
                bluesky,
                store,
                posts,
                own_did=own_did,
                follow_s=wanted.follow_s,
                at_once=self._at_once,
                known=known,
                finds=self._finds,
            )

            async def follow() -> None:
                # With what notifies by now: a thread is recorded in one order, however its posts
                # are found.
                if additions := await follower.look():
                    await sweep(additions, admit_all)

            turns.append(Turn(wanted.follow_every_s, follow))
        if wanted.reactions_every_s > 0:
            reactions = ReactionWatch(
                context, bluesky, store, clock, own_did=own_did, lookback_s=self._lookback_s
            )
            turns.append(Turn(wanted.reactions_every_s, reactions.look))
        if wanted.watch_s > 0:
            deletions = DeletionWatch(
                context, bluesky, store, posts, clock, own_did=own_did, watch_s=wanted.watch_s
            )
            turns.append(Turn(wanted.watch_every_s, deletions.look))
        return turns
