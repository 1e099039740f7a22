"""DMPoller: direct messages, from Bluesky's chat log to the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.client import Bluesky
from actors.bluesky.conversations import Conversation, Conversations
from actors.bluesky.dm_chores import DirectMessageChores, add_chores
from actors.bluesky.dm_deletions import Deletion, DeletionReader, find_deletion
from actors.bluesky.dm_history import DirectMessageHistory
from actors.bluesky.dm_intake import Arrival, DirectMessageReader, Intake, RequestPolicy
from actors.bluesky.dm_place import LogPlace
from actors.bluesky.lag import Lag
from actors.bluesky.letters import make_letter
from actors.bluesky.pace import NO_HASTE, Haste, Pace
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.profiles import Profiles
from actors.bluesky.turns import Turn, run_in_turn
from actors.messages import DeadLetter
from actors.recent import Recent
from actors.store import SEEN_KEEP_S, Store, Value
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed, Rejected

NAME = "direct_messages"
OVERLAP_S = 600.0

_LOG = "chat.bsky.convo.defs#log"
_REACTION = f"{_LOG}AddReaction"
_ARRIVALS = {f"{_LOG}CreateMessage", _REACTION}
_CHANGES = {f"{_LOG}{change}" for change in ("BeginConvo", "AcceptConvo", "LeaveConvo")}


class DMPoller:
    """Polls ``chat.bsky.convo.getLog``; the first start takes the look-back from the messages.

    Args:
        interval_s: seconds from one poll to the next.
        lookback_s: how far the first start looks back.
        requests: whether conversations that customers start are accepted and taken in, or ignored.
        at_once: about how many messages of the look-back are recorded together.
        watch_deletes_s: a message that is deleted within this time after it was sent is noted; 0
            for none.
        haste: how much quicker than that it polls while something is new.
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
        requests: RequestPolicy,
        at_once: int,
        watch_deletes_s: float = 0.0,
        haste: Haste = NO_HASTE,
    ) -> None:
        self._context = context
        self._bluesky = PacedBluesky(bluesky, context)
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._pace = Pace(interval_s, context, haste)
        self._recorded = 0
        self._lookback_s = lookback_s
        self._requests: RequestPolicy = requests
        self._at_once = at_once
        self._watch_deletes_s = watch_deletes_s
        self._conversations = Conversations(self._bluesky)
        self._history = DirectMessageHistory(self._bluesky, context, self._conversations)
        self._chores = DirectMessageChores(self._bluesky, context, self._conversations)
        self._profiles = Profiles(self._bluesky, context)
        self._known = Recent()
        self._lag = Lag(context, clock)

    async def run(self) -> None:
        """Poll for ever. If cancelled or failed, the next incarnation goes on at the stored place.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        own_did = await self._bluesky.did()
        reader = self._make_reader(own_did)
        deletions = DeletionReader(
            self._store,
            self._conversations,
            self._clock,
            own_did=own_did,
            watch_s=self._watch_deletes_s,
        )
        place = await self._find_place()

        async def poll() -> None:
            nonlocal place
            before = self._recorded
            place = await self._chores.accept(place)
            if place.cursor is not None:
                place = await self._follow(place, reader, deletions)
            if place.cursor is None:
                place = await self._look_back(place, reader)
                if place.cursor is not None:
                    place = await self._follow(place, reader, deletions)
            place = await self._chores.mark_read(place)
            self._pace.note(self._recorded - before)

        await run_in_turn(self._context, [Turn(self._interval_s, poll, self._pace)])

    async def take_in(self) -> None:
        """Take in once what was sent within the look-back, with all that goes with it.

        If cancelled or failed, it can be done again: nothing doubles.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        reader = self._make_reader(await self._bluesky.did())
        place = LogPlace(since=self._clock() - self._lookback_s)
        place = await self._look_back(place, reader)
        left = len(place.reading) + 1
        while 0 < len(place.reading) < left:
            left = len(place.reading)
            place = await self._chores.mark_read(place)

    def _make_reader(self, own_did: str) -> DirectMessageReader:
        return DirectMessageReader(
            self._context,
            self._conversations,
            self._profiles,
            own_did=own_did,
            requests=self._requests,
            known=self._known,
        )

    async def _find_place(self) -> LogPlace:
        place = LogPlace.parse(await self._store.read("cursor", NAME))
        if place is None:
            # Kept at once: however long Bluesky is away, the look-back counts from now.
            place = LogPlace(since=self._clock() - self._lookback_s)
            await self._store.save(Value("cursor", NAME, place.dump()))
        return place

    async def _look_back(self, place: LogPlace, reader: DirectMessageReader) -> LogPlace:
        """Take in what was sent since ``place.since``, and the cursor that goes on from there.

        Whoever has waited longest for an answer comes first.
        """
        # The cursor first: what is sent meanwhile is in both, and recorded once.
        answer = await self._bluesky.query("chat.bsky.convo.getLog", {}, chat=True)
        cursor = read_cursor(answer)
        intake = Intake()
        conversations = await self._history.list_conversations(place.since)
        for conversation in sorted(conversations, key=_find_last_sent):
            if not reader.wants(conversation):
                continue
            if conversation.last_sent_at is not None:
                self._lag.tell(NAME, _find_last_sent(conversation))
            arrivals = await self._read_messages(conversation.convo_id, place.since)
            intake.add(await reader.read(arrivals))
            if len(intake.items) >= self._at_once:
                place = await self._record(intake, place, place.cursor)
                intake = Intake()
        place = await self._record(intake, place, cursor)
        if place.cursor is None:
            self._lag.tell(NAME, None)
        return await self._chores.accept(place)

    async def _read_messages(self, convo_id: str, since_s: float) -> list[Arrival]:
        try:
            return await self._history.read_messages(convo_id, since_s)
        except Rejected as error:
            # It was left or deleted since it was listed.
            self._context.failed(error)
            return []

    async def _follow(
        self, place: LogPlace, reader: DirectMessageReader, deletions: DeletionReader
    ) -> LogPlace:
        """Take in the log from the cursor to its end, page by page.

        A cursor that the log does not know any more is taken away: the messages themselves are
        there. Not every page tells how far it leads; those that do not leave the lag as it was.
        """
        behind = False
        while True:
            try:
                answer = await self._bluesky.query(
                    "chat.bsky.convo.getLog", {"cursor": place.cursor or ""}, chat=True
                )
            except Rejected as error:
                self._context.failed(error)
                return replace(place, since=self._find_since(place), cursor=None)
            logs = read_list(answer, "logs")
            if not logs:
                self._lag.tell(NAME, None)
                self._context.succeeded(0)
                return place
            cursor = read_cursor(answer) or place.cursor
            arrivals, letters = self._read_log(logs)
            times = [one for one in (arrival.find_time() for arrival in arrivals) if one]
            if times and not behind:
                self._lag.tell(NAME, min(times))
            intake = await reader.read(arrivals)
            intake.items += await deletions.read(_list_deletions(logs), intake.ids)
            intake.letters += letters
            stuck = cursor == place.cursor
            place = await self._chores.accept(await self._record(intake, place, cursor))
            if stuck:
                self._lag.tell(NAME, None)
                return place
            if times:
                self._lag.tell(NAME, max(times))
                behind = True

    def _find_since(self, place: LogPlace) -> float:
        """From when on messages may be new although the log was followed to ``place``.

        Of those that are older than the store remembers it cannot be asked: they are recorded.
        """
        remembered_s = self._clock() - SEEN_KEEP_S
        return max(place.saved_at - OVERLAP_S, min(place.saved_at, remembered_s))

    def _read_log(self, logs: Iterable[object]) -> tuple[list[Arrival], list[DeadLetter]]:
        arrivals: list[Arrival] = []
        letters: list[DeadLetter] = []
        for event in logs:
            try:
                arrivals += self._read_event(event)
            except Malformed as error:
                letter = make_letter(self._context.name, event, error)
                letters += [] if letter.letter_id in self._known else [letter]
        return arrivals, letters

    def _read_event(self, event: object) -> list[Arrival]:
        """A message or reaction; of all else only what changes a conversation matters."""
        if not isinstance(event, dict) or not isinstance(event.get("$type"), str):
            raise Malformed("not an event of the chat log: it has no $type")
        convo_id = event.get("convoId")
        if event["$type"] in _ARRIVALS:
            if not isinstance(convo_id, str) or not convo_id:
                raise Malformed("not a message or reaction of the chat log: it has no convoId")
            reaction = event.get("reaction", {}) if event["$type"] == _REACTION else None
            message, profiles = event.get("message"), event.get("relatedProfiles")
            return [Arrival(convo_id, message, profiles, reaction)]
        if event["$type"] in _CHANGES and isinstance(convo_id, str):
            self._conversations.forget(convo_id)
        return []

    async def _record(self, intake: Intake, place: LogPlace, cursor: str | None) -> LogPlace:
        left = add_chores(place, intake.requests, intake.read_up_to)
        moved = replace(left, cursor=cursor)
        count = 0
        if intake.items or intake.letters or moved != place:
            moved = replace(moved, saved_at=self._clock())
            recorded = await self._store.record(
                intake.items,
                values=[Value("cursor", NAME, moved.dump())],
                dead_letters=intake.letters,
            )
            count = len(recorded.new)
            self._recorded += count
        self._known.add(intake.ids)
        for letter in intake.letters:
            self._context.failed(Malformed(letter.why))
        self._context.succeeded(count)
        return moved


def _list_deletions(logs: Iterable[object]) -> list[Deletion]:
    kind = f"{_LOG}DeleteMessage"
    events = (one for one in logs if isinstance(one, dict) and one.get("$type") == kind)
    return [deletion for one in events if (deletion := find_deletion(one)) is not None]


def _find_last_sent(conversation: Conversation) -> float:
    return find_time(conversation.last_sent_at) or 0.0
