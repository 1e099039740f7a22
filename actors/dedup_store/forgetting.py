"""Removing one person's traces from the store, past the actors, beside whatever runs on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from actors.dead_letters import DropLetter, ListLetters, ReadLetter
from actors.dedup_store.answers import Result
from actors.dedup_store.codec import Head, decode_payload, open_payload
from actors.dedup_store.commands import ENVELOPE_FIELDS, Command, Commands
from actors.dedup_store.database import Database
from actors.items import make_receipt_items
from actors.messages import (
    AgentMessage,
    InboundDirectMessage,
    InboundPost,
    JournalItem,
    Payload,
    ReactionCounts,
    Receipt,
    ResolveContact,
)
from actors.reasons import FORGOTTEN
from runtime.clock import WallClock
from runtime.errors import Fault, Malformed

_PAGE = 500

Kind: TypeAlias = str
"""What was removed, in words for a person, in the plural."""

ENTRIES: Kind = "messages that waited to go to Genesys Cloud"
CONTACTS: Kind = "contacts that waited to be kept"
AGENTS: Kind = "agents' messages that waited to go to Bluesky, each answered as failed"
LETTERS: Kind = "dead letters"
STATES: Kind = "last states of the contact"
POSTS: Kind = "known posts"
REFERENCES: Kind = "thread references"
WRITTEN: Kind = "notes of what was written to or about this account"
ACTIVE: Kind = "conversations that would be looked through for missed answers"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many of each kind were removed, or would be.

    ``in_hand`` may be under way at this moment and were left; ``receipts`` go out by themselves.
    """

    removed: Counter[Kind]
    in_hand: int
    receipts: int


class Forgetting:
    """Looks through the store for one account.

    Args:
        database: where the store is.
        commands: the namespace, and the keys of what is sealed.
        clock: unix time in seconds.
        did: the account.
        dry_run: only look.
    """

    def __init__(
        self, database: Database, commands: Commands, clock: WallClock, did: str, *, dry_run: bool
    ) -> None:
        self._database = database
        self._commands = commands
        self._clock = clock
        self._did = did
        # Not the beginning of another one.
        self._name = re.compile(re.escape(did) + r"(?![\w:%-]|\.\w)")
        self._dry_run = dry_run
        self._removed: Counter[Kind] = Counter()
        self._in_hand = self._receipts = 0

    async def run(self) -> Forgotten:
        """Look through everything once. If cancelled, the rest is still there.

        Raises:
            StoreUnavailable: the store is away, and a part may have been removed.
            KeyMissing: something is sealed with a key that is not there, so that nobody can tell
                whose it is.
            Fault: the store refuses something.
        """
        await self._forget_entries()
        await self._forget_letters()
        await self._forget_keys("value:contact:", STATES, lambda name: name == self._did)
        await self._forget_keys("value:written:", WRITTEN, self._is_named)
        await self._forget_references()
        open_post = self._commands.sealer.open
        await self._forget_members("posts", POSTS, lambda member: open_post(member, "post"))
        await self._forget_members("active", ACTIVE, str)
        if self._removed.total() and not self._dry_run and self._database.kind == "embedded":
            # The append-only file remembers what was removed until it is written anew.
            await self._ask([Command(("BGREWRITEAOF",))])
        return Forgotten(+self._removed, self._in_hand, self._receipts)

    def _is_named(self, text: str) -> bool:
        return self._name.search(text) is not None

    # --- the journal -----------------------------------------------------------------------

    async def _forget_entries(self) -> None:
        prefix = self._commands.keys.queue("", "")[:-1]
        for key in await self._find_keys(prefix):
            destination, _, conversation = key.removeprefix(prefix).partition(":")
            await self._forget_queue(key, destination, conversation)

    async def _forget_queue(self, key: str, destination: str, conversation: str) -> None:
        start = 0
        while elements := await self._ask_one(
            Command(("LRANGE", key, str(start), str(start + _PAGE - 1)))
        ):
            gone = 0
            for element in elements:
                try:
                    head = Head.parse(destination, conversation, element)
                except Malformed:
                    # As what is in an entry and cannot be read.
                    continue
                gone += await self._forget_entry(head, element)
            start += len(elements) - gone

    async def _forget_entry(self, head: Head, element: str) -> int:
        """Remove an entry, if it is this account's; returns how many places it left empty."""
        payload = self._read(head)
        if payload is None or _owner(payload) != self._did:
            return 0
        if isinstance(payload, Receipt):
            self._receipts += 1
            return 0
        answer = 1
        if not self._dry_run:
            command = self._commands.forget(head.entry_id, element, _answer(payload), self._clock())
            answer = await self._ask_one(command)
        self._removed[_kind(payload)] += answer > 0
        self._in_hand += answer < 0
        return int(answer > 0 and not self._dry_run)

    def _read(self, head: Head) -> Payload | None:
        """What is in an entry; ``None`` if it is nothing that this release can read."""
        try:
            return decode_payload(head.unseal(self._commands.sealer).payload)
        except Malformed:
            # It becomes a dead letter as soon as it is handed over.
            return None

    # --- dead letters ----------------------------------------------------------------------

    async def _forget_letters(self) -> None:
        now = self._clock()
        letter_ids = await self._ask_one(self._commands.make(ListLetters(), now))
        for letter_id in letter_ids:
            fields = await self._ask_one(self._commands.make(ReadLetter(letter_id), now))
            if fields[-1] is None or not self._concerns(fields):
                continue
            self._removed[LETTERS] += 1
            if not self._dry_run:
                await self._ask_one(self._commands.make(DropLetter(letter_id), now))

    def _concerns(self, fields: Sequence[str]) -> bool:
        *envelope, kept = fields
        told = dict(zip(ENVELOPE_FIELDS, envelope, strict=True))
        place = (told["source"], told["conversation"], told["letter_id"])
        try:
            text = open_payload(self._commands.sealer, kept, *place)
        except Malformed:
            return self._is_named(told["letter_id"])
        try:
            return _owner(decode_payload(text)) == self._did
        except Malformed:
            # As it came from a platform: whoever is named in it.
            return self._is_named(text) or self._is_named(told["letter_id"])

    # --- what is kept beside ---------------------------------------------------------------

    async def _forget_keys(
        self, beginning: str, kind: Kind, is_theirs: Callable[[str], bool]
    ) -> None:
        prefix = self._commands.keys.prefix + beginning
        keys = await self._find_keys(prefix)
        await self._delete(kind, [one for one in keys if is_theirs(one.removeprefix(prefix))])

    async def _forget_references(self) -> None:
        keys = await self._find_keys(f"{self._commands.keys.prefix}reference:")
        for start in range(0, len(keys), _PAGE):
            page = keys[start : start + _PAGE]
            texts = await self._ask_one(Command(("MGET", *page)))
            both = zip(page, texts, strict=True)
            theirs = [key for key, text in both if self._is_named(f"{key} {text}")]
            await self._delete(REFERENCES, theirs)

    async def _forget_members(self, name: str, kind: Kind, read: Callable[[str], str]) -> None:
        key = self._commands.keys.prefix + name
        members = await self._ask_one(Command(("ZRANGE", key, "0", "-1")))
        theirs = [one for one in members if self._is_named(_try(read, one))]
        self._removed[kind] += len(theirs)
        if theirs and not self._dry_run:
            await self._ask_one(Command(("ZREM", key, *theirs)))

    async def _delete(self, kind: Kind, keys: list[str]) -> None:
        self._removed[kind] += len(keys)
        if keys and not self._dry_run:
            await self._ask_one(Command(("DEL", *keys)))

    # --- asking ----------------------------------------------------------------------------

    async def _find_keys(self, beginning: str) -> list[str]:
        """The keys that begin so, each once."""
        pattern = re.sub(r"([\\*?\[\]])", r"\\\1", beginning) + "*"
        cursor, found = "0", dict[str, None]()
        while True:
            command = Command(("SCAN", cursor, "MATCH", pattern, "COUNT", str(_PAGE)))
            following, keys = await self._ask_one(command)
            found.update(dict.fromkeys(keys))
            cursor = str(following)
            if cursor == "0":
                return list(found)

    async def _ask(self, commands: Sequence[Command]) -> list[Result]:
        return await self._database.execute(commands)

    async def _ask_one(self, command: Command) -> Result:
        (result,) = await self._ask([command])
        if isinstance(result, Fault):
            raise result
        return result


def _owner(payload: Payload) -> str | None:
    """Whose it is: who wrote it, or whom it is for."""
    match payload:
        case InboundPost() | InboundDirectMessage() | ResolveContact():
            return payload.author.did
        case AgentMessage() | Receipt():
            return payload.recipient_did
        case ReactionCounts():
            return None


def _kind(payload: Payload) -> Kind:
    match payload:
        case ResolveContact():
            return CONTACTS
        case AgentMessage():
            return AGENTS
        case _:
            return ENTRIES


def _answer(payload: Payload) -> Iterable[JournalItem]:
    """What comes in the place of an entry: the agent is told."""
    if not isinstance(payload, AgentMessage):
        return ()
    return make_receipt_items(payload, "Failed", FORGOTTEN.code, FORGOTTEN.sentence)


def _try(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except Malformed:
        return text
