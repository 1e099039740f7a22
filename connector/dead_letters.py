"""``bluesky-genesys dead-letters``: what could not be carried, in the hands of a person.

Each command opens the store, beside a connector that runs or without one, and asks DedupStore.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from actors.dead_letters import Envelope, KeptLetter, Replayed
from actors.dedup_store import KeyMissing
from actors.store import Store
from connector.letter_lines import LetterList, describe_letter, make_printable, read_id
from connector.lone_store import open_lone_store
from connector.parts import Parts
from connector.replaying import Left, Outcome, put_back, read_letter
from connector.settings import Settings
from runtime.errors import Fault

R = TypeVar("R")

_DONE = 0
_REFUSED = 1

_PUT_BACK = "put back"
_TAKEN = "removed, because taken in another way already"
_GONE = "put back or dropped by somebody else meanwhile"
_AGENTS = "left: agents' messages, which are never put back"
_LEFT = "left: these cannot be put back; `bluesky-genesys dead-letters replay ID` says why"
_OUTCOMES = (_PUT_BACK, _TAKEN, _GONE, _AGENTS, _LEFT)

_PAGE = 100
_MOST_CANDIDATES = 10
_SEE_LIST = "`bluesky-genesys dead-letters list` shows what there is."
_CHECK_STORE = "Check REDIS_URL and REDIS_TOKEN, or STATE_DIR."


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command speaks.

    ``width`` is that of the terminal in columns, and ``confirm`` asks whoever sits there; both are
    ``None`` where there is no terminal.
    """

    tell: Callable[[str], None]
    complain: Callable[[str], None]
    width: int | None
    confirm: Callable[[str], bool] | None


class NotDone(Fault):
    """The command was understood and is not done; the message says why."""


async def explain(console: Console, command: Callable[[], Awaitable[None]]) -> int:
    """Run a command and say in a line or two what was in its way; returns the exit status."""
    try:
        await command()
    except (NotDone, KeyMissing) as error:
        console.complain(str(error))
        if error.action is not None:
            console.complain(f"→ {error.action}")
        return _REFUSED
    except Fault as error:
        console.complain(f"The store cannot be used: {error}")
        console.complain(f"→ {error.action or _CHECK_STORE}")
        return _REFUSED
    return _DONE


async def list_letters(settings: Settings, console: Console) -> None:
    """Show all, the latest to die first, one to a line and some at a time."""

    async def show(parts: Parts) -> None:
        letter_ids = await parts.store.list_letters()
        if not letter_ids:
            console.tell(f"There are no dead letters in {_name_store(parts)}.")
            return
        table = LetterList(letter_ids, console.width)
        for start in range(0, len(letter_ids), _PAGE):
            page = await parts.store.read_envelopes(letter_ids[start : start + _PAGE])
            for line in table.lay_out(page):
                console.tell(line)

    await with_store(settings, show)


async def show_letter(settings: Settings, console: Console, text: str) -> None:
    """Show one whole, its content included."""

    async def read(parts: Parts) -> KeptLetter:
        return await _read(parts.store, await _find(parts.store, text))

    for line in describe_letter(await with_store(settings, read)):
        console.tell(line)


async def replay_letter(settings: Settings, console: Console, text: str) -> None:
    """Put one back where it came from."""

    async def replay(parts: Parts) -> None:
        letter_id = await _find(parts.store, text)
        name = make_printable(letter_id)
        match await put_back(parts.store, letter_id, settings.bluesky_handle):
            case Replayed.APPENDED:
                console.tell(f"Put back: {name}")
            case Replayed.KNOWN:
                console.tell(f"Taken in another way already; the letter is removed: {name}")
            case Replayed.GONE:
                raise _make_gone(name)
            case Left(why=why, action=action):
                raise NotDone(f"Not put back: {name}\n{why}", action=action)

    await with_store(settings, replay)


async def replay_all(settings: Settings, console: Console) -> None:
    """Put all back that can be, in the order in which they came, and count the rest."""

    async def replay(parts: Parts) -> None:
        came: list[tuple[float, str]] = []
        letter_ids = (await parts.store.list_letters())[::-1]
        for start in range(0, len(letter_ids), _PAGE):
            page = await parts.store.read_envelopes(letter_ids[start : start + _PAGE])
            came += [(one.recorded_at, one.letter_id) for one in page]
        counts: Counter[str] = Counter()
        try:
            for _, letter_id in sorted(came, key=lambda one: one[0]):
                became = await put_back(parts.store, letter_id, settings.bluesky_handle)
                counts[_sort(became)] += 1
        finally:
            for outcome in _OUTCOMES:
                if counts[outcome]:
                    console.tell(f"{counts[outcome]:,} {outcome}.")
        if not came:
            console.tell(f"There are no dead letters in {_name_store(parts)}.")

    await with_store(settings, replay)


async def drop_letter(settings: Settings, console: Console, text: str, *, sure: bool) -> None:
    """Remove one for good.

    The store is not held open while a person thinks.

    Args:
        sure: do not ask.
    """
    if not sure and console.confirm is None:
        raise NotDone("Nothing was dropped: there is no terminal to ask on.", action="Add --yes.")

    async def find(parts: Parts) -> Envelope:
        letter_id = await _find(parts.store, text)
        envelopes = await parts.store.read_envelopes([letter_id])
        if not envelopes:
            raise _make_gone(make_printable(letter_id))
        return envelopes[0]

    envelope = await with_store(settings, find)
    if not sure and console.confirm is not None:
        for line in LetterList([envelope.letter_id], console.width).lay_out([envelope]):
            console.tell(line)
        if not console.confirm("Drop it for good?"):
            raise NotDone("Nothing was dropped.")

    async def drop(parts: Parts) -> None:
        name = make_printable(envelope.letter_id)
        if not await parts.store.drop_letter(envelope.letter_id):
            raise _make_gone(name)
        console.tell(f"Dropped: {name}")

    await with_store(settings, drop)


async def with_store(settings: Settings, work: Callable[[Parts], Awaitable[R]]) -> R:
    """Run ``work`` while DedupStore runs.

    Raises:
        Fault: what ``work`` raised; :class:`NotDone` if there is no store to look into.
    """
    async with open_lone_store(settings) as parts:
        try:
            if parts.outside.database.kind == "memory":
                raise NotDone(f"There is nothing to look into: {parts.outside.database.warning}.")
            return await work(parts)
        except Fault as error:
            # Carried out of the nurseries, which would wrap it.
            fault = error
    raise fault


async def _find(store: Store, text: str) -> str:
    """The id that was meant: a whole one, or the one that begins so."""
    beginning = read_id(text)
    letter_ids = await store.list_letters()
    if beginning in letter_ids:
        return beginning
    found = [one for one in letter_ids if beginning and one.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotDone(
            f"{len(found):,} dead letters have ids that begin with “{text}”:\n{_name_some(found)}",
            action="Write more of the id.",
        )
    similar = [one for one in letter_ids if beginning and beginning in one]
    also = f" It is part of:\n{_name_some(similar)}" if similar else ""
    raise NotDone(f"No dead letter has an id that begins with “{text}”.{also}", action=_SEE_LIST)


async def _read(store: Store, letter_id: str) -> KeptLetter:
    match await read_letter(store, letter_id):
        case None:
            raise _make_gone(make_printable(letter_id))
        case Left(why=why, action=action):
            raise NotDone(f"{make_printable(letter_id)}\n{why}", action=action)
        case letter:
            return letter


def _sort(outcome: Outcome) -> str:
    match outcome:
        case Replayed.APPENDED:
            return _PUT_BACK
        case Replayed.KNOWN:
            return _TAKEN
        case Replayed.GONE:
            return _GONE
        case Left(agents=agents):
            return _AGENTS if agents else _LEFT


def _make_gone(name: str) -> NotDone:
    return NotDone(f"Somebody else has put it back or dropped it meanwhile: {name}")


def _name_some(letter_ids: Sequence[str]) -> str:
    shown = [f"  {make_printable(one)}" for one in letter_ids[:_MOST_CANDIDATES]]
    more = len(letter_ids) - len(shown)
    return "\n".join([*shown, f"  and {more:,} more"] if more else shown)


def _name_store(parts: Parts) -> str:
    if parts.outside.database.kind == "embedded":
        return f"the store in {parts.settings.state_dir.resolve()}"
    return "the Redis of REDIS_URL"
