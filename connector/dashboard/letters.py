"""Dead letters on the dashboard: which there are, and what may be done about one."""

from __future__ import annotations

from typing import Any

from actors.dead_letters import Envelope, Replayed
from actors.store import Store
from connector.letter_lines import make_printable
from connector.replaying import Left, judge_unread, put_back

PAGE = 50

_GONE = "Somebody else has put it back or dropped it meanwhile."


class NotDone(Exception):
    """It was understood and is not done; the message says why, and what to do instead."""


class Letters:
    """Asks DedupStore about dead letters. Never shows what is in one.

    Args:
        store: the asking side.
        own_handle: of the company's account, whose own posts are not put back.
    """

    def __init__(self, store: Store, own_handle: str) -> None:
        self._store = store
        self._own_handle = own_handle

    async def list(self, start: int) -> dict[str, Any]:
        """:data:`PAGE` letters from the ``start``-th on, the latest to die first, and how many."""
        letter_ids = await self._store.list_letters()
        page = await self._store.read_envelopes(letter_ids[start : start + PAGE])
        return {
            "total": len(letter_ids),
            "start": start,
            "letters": [_describe(one) for one in page],
        }

    async def replay(self, letter_id: str) -> str:
        """Put a letter back; returns what became of it.

        Raises:
            NotDone: it stays a letter, or is gone.
        """
        match await put_back(self._store, letter_id, self._own_handle):
            case Replayed.APPENDED:
                return "Put back: it is carried as if it had just come."
            case Replayed.KNOWN:
                return "It was taken in another way already; the letter is removed."
            case Replayed.GONE:
                raise NotDone(_GONE)
            case Left(why=why, action=action):
                raise NotDone(f"{why} {action}")

    async def drop(self, letter_id: str) -> str:
        """Remove a letter for good; returns that.

        Raises:
            NotDone: it is gone.
        """
        if not await self._store.drop_letter(letter_id):
            raise NotDone(_GONE)
        return "Dropped for good."


def _describe(envelope: Envelope) -> dict[str, Any]:
    never = judge_unread(envelope)
    return {
        "id": envelope.letter_id,
        "source": envelope.source,
        "conversation": make_printable(envelope.conversation),
        "code": make_printable(envelope.code),
        "why": make_printable(envelope.why),
        "attempts": envelope.attempts,
        "recorded_at": envelope.recorded_at,
        "died_at": envelope.died_at,
        "never": None if never is None else f"{never.why} {never.action}",
    }
