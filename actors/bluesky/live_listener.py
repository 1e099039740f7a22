"""LiveListener: hears of posts as they are written, and tells the pollers which to take in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from actors.bluesky.client import Bluesky
from actors.bluesky.listing import Candidate
from actors.bluesky.live_finds import Listeners, LiveFind
from actors.bluesky.live_matching import Match, Matcher, find_time_us
from actors.items import make_post_id
from actors.store import SEEN_KEEP_S, Store, Value
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed, Retryable

NAME = "live"
REWIND_S = 5.0
"""Events are not quite in the order of their times: a resumption begins so much earlier."""
RESUME_WITHIN_S = 600.0
"""What was missed for longer the pollers list, and listening begins now."""
KEEP_PLACE_EVERY_S = 120.0
"""Each time costs Redis three commands, of the ten that an idle minute may."""
PING_EVERY_S = 30.0
PONG_WITHIN_S = 10.0
AHEAD_S = 60.0
"""A place so far ahead of our clock is none."""
_PLACE = re.compile("[0-9]{1,18}")


class Stream(Protocol):
    """A connection on which events come."""

    async def read(self) -> Sequence[str | bytes]:
        """The next events, if any; raises :class:`Retryable` when the connection is closed."""

    async def ping(self) -> None:
        """Return when the other side answers; raises as :meth:`read`."""


Connect = Callable[[int | None], AbstractAsyncContextManager[Stream]]
"""Opens a stream that begins at a place, in unix microseconds, or now; raises Retryable."""


def read_place(text: str | None) -> int | None:
    """A kept place, in unix microseconds; ``None`` if there is none, or none that can be one."""
    return int(text) if text is not None and _PLACE.fullmatch(text) else None


class LiveListener:
    """Reads Jetstream, and records nothing itself: what it finds the pollers take in.

    So a post has one way into the journal, and nothing depends on this actor: what it misses, or
    cannot tell, the pollers list. While it is connected they are a safety net at a slower pace.

    Its place in the stream is kept every two minutes. It is never beyond a find that is not
    recorded, so what was waiting in a process that died is heard again.

    Args:
        connect: opens the stream.
        listeners: whom to tell.
        queries: the words of each query, lower case.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        *,
        connect: Connect,
        listeners: Listeners,
        queries: Sequence[tuple[str, ...]],
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._clock = clock
        self._connect = connect
        self._listeners = listeners
        self._queries = queries
        self._time_us: int | None = None
        self._kept_us: int | None = None

    async def run(self) -> None:
        """Listen for ever. If cancelled or failed, the next incarnation resumes at the kept place.

        Raises:
            Retryable, AuthRejected: from Bluesky or the store.
        """
        matcher = Matcher(await self._bluesky.did(), self._queries)
        for finds in self._listeners.list_all():
            finds.clear()
        self._time_us = self._kept_us = read_place(await self._store.read("cursor", NAME))
        while True:
            try:
                fault = await self._listen(matcher)
            except Retryable as error:
                fault = error
            await self._context.back_off(fault)

    async def _listen(self, matcher: Matcher) -> Retryable:
        """Listen until the connection is lost; returns why."""
        await self._context.acquire()
        resumption, began_us = self._find_resumption(), int(self._clock() * 1e6)
        async with self._connect(resumption) as stream:
            if resumption is None:
                # It is told all from now on: here it resumes if it is cut off before an event came.
                self._time_us = self._kept_us = began_us
            fault: Retryable | None = None
            try:
                self._tell_hearing(True)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._keep_alive, stream, nursery.cancel_scope)
                    nursery.start_soon(self._keep_place)
                    fault = await self._follow(stream, matcher)
                    nursery.cancel_scope.cancel()
            finally:
                self._tell_hearing(False)
        return fault or Retryable(f"Jetstream: no answer to a ping in {PONG_WITHIN_S:g} s")

    def _find_resumption(self) -> int | None:
        place = self._find_place()
        oldest_us = (self._clock() - RESUME_WITHIN_S) * 1e6
        return None if place is None or place < oldest_us else place - int(REWIND_S * 1e6)

    def _find_place(self) -> int | None:
        """The place up to which all that was heard is recorded."""
        waiting = [finds.oldest_us for finds in self._listeners.list_all()]
        return min((one for one in (self._time_us, *waiting) if one is not None), default=None)

    def _tell_hearing(self, is_hearing: bool) -> None:
        for finds in self._listeners.list_all():
            finds.is_hearing = is_hearing
            finds.wake()

    async def _follow(self, stream: Stream, matcher: Matcher) -> Retryable:
        is_first = True
        while True:
            try:
                events = await stream.read()
            except Retryable as fault:
                return fault
            for event in events:
                self._hear(event, matcher)
            if events and is_first:
                self._context.succeeded(0)
                is_first = False

    def _hear(self, event: str | bytes, matcher: Matcher) -> None:
        """What cannot be read is left out: if it is of interest, the pollers list it."""
        if isinstance(event, bytes):
            self._context.skipped("unreadable")
            return
        try:
            match = matcher.match(event)
        except Malformed:
            self._context.skipped("unreadable")
            match = None
        if match is not None:
            self._tell(match)
        time_us = find_time_us(event)
        if time_us is not None and time_us <= (self._clock() + AHEAD_S) * 1e6:
            self._time_us = max(self._time_us or 0, time_us)

    def _tell(self, match: Match) -> None:
        now_s = self._clock()
        indexed_s = min(now_s, match.time_us / 1e6, match.created_s or now_s)
        is_hit = match.reason == "search"
        if is_hit and now_s - indexed_s > SEEN_KEEP_S:
            self._context.skipped("too_old", message=make_post_id(match.uri))
            return
        finds = self._listeners.hits if is_hit else self._listeners.notifications
        candidate = Candidate(match.uri, match.author_did, indexed_s, match.reason)
        find = LiveFind(
            candidate, match.root_uri, match.is_certain, match.time_us, trio.current_time()
        )
        if finds.put(find):
            self._context.succeeded(1)
        else:
            self._context.skipped("left_to_poller", message=make_post_id(match.uri))

    async def _keep_alive(self, stream: Stream, listening: trio.CancelScope) -> None:
        """End the listening when the other side does not answer any more."""
        while True:
            await trio.sleep(PING_EVERY_S)
            try:
                with trio.fail_after(PONG_WITHIN_S):
                    await stream.ping()
            except trio.TooSlowError:
                listening.cancel()
                return
            except Retryable:
                return  # it is closed, as who reads will find
            self._context.succeeded(0)
            if self._time_us is not None:
                self._context.lag(max(0.0, self._clock() - self._time_us / 1e6))

    async def _keep_place(self) -> None:
        while True:
            await trio.sleep(KEEP_PLACE_EVERY_S)
            place = self._find_place()
            if place is None or place == self._kept_us:
                continue
            try:
                await self._store.save(Value("cursor", NAME, str(place)))
            except Retryable as error:
                self._context.failed(error)
            else:
                self._kept_us = place
