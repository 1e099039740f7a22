"""Why a message will never go out, in words for the agent who wrote it."""

from __future__ import annotations

from typing import NamedTuple

from actors import reasons
from actors.bluesky.errors import XrpcRejected
from actors.messages import ReasonCode
from actors.reasons import Reason
from runtime.errors import Rejected

_MOST_TEXT = 200
_TYPED = frozenset({"typed", "name"})
"""The places of sentences that repeat what an agent typed."""


class Refusal(Exception):
    """The message will not go out, now or later.

    Args:
        reason: what happened and what the agent can do.
        said: fills in the places of the reason's sentence.

    Attributes:
        sentence: for the agent.
        why: the same for logs and dead letters, without what somebody typed or a file is called.
        done: how many parts of the message are, or may be, on Bluesky all the same.
    """

    def __init__(self, reason: Reason, **said: object) -> None:
        self.reason = reason
        self.sentence = reason.sentence.format(**said)
        self.why = reason.sentence.format(**said | dict.fromkeys(_TYPED & said.keys(), "…"))
        self.done = 0
        super().__init__(self.sentence)

    @property
    def code(self) -> ReasonCode:
        """For the Failed receipt."""
        return self.reason.code

    def after(self, done: int, total: int, partly: str = reasons.PARTLY) -> Refusal:
        """Say as well that ``done`` of ``total`` parts are done already, and remain so."""
        if done > 0:
            how_many = "part" if done == 1 else f"{done} parts"
            said = partly.format(done=how_many, total=total)
            self.sentence, self.why = f"{said} {self.sentence}", f"{said} {self.why}"
            self.done = done
        return self


class _Known(NamedTuple):
    names: frozenset[str]
    texts: tuple[str, ...]
    reason: Reason


_DIRECT_MESSAGES = (
    _Known(
        frozenset({"MessagesDisabled"}),
        ("recipient has disabled incoming messages",),
        reasons.MESSAGES_DISABLED,
    ),
    _Known(
        frozenset({"NotFollowedBySender"}),
        ("incoming messages to come from someone they follow",),
        reasons.MESSAGES_FROM_FOLLOWED,
    ),
    _Known(
        frozenset({"BlockedActor", "BlockedSubject"}),
        ("block between recipient and sender",),
        reasons.MESSAGES_BLOCKED,
    ),
    _Known(
        frozenset({"RecipientNotFound", "AccountSuspended", "AccountTakedown"}),
        ("recipient does not exist",),
        reasons.ACCOUNT_GONE,
    ),
    _Known(frozenset({"InvalidConvo"}), ("convo not found",), reasons.CONVERSATION_GONE),
    _Known(frozenset({"ConvoLocked"}), ("convo is locked",), reasons.CONVERSATION_LOCKED),
)
"""``chat.bsky.convo.getConvoForMembers`` and ``sendMessage``. The service has been seen to answer
``InvalidRequest`` with the same texts, so both the name and the text are looked at."""

_RECORDS = (
    _Known(
        frozenset({"AccountTakedown", "AccountSuspended", "AccountDeactivated", "RepoTakendown"}),
        ("account has been taken down",),
        reasons.OWN_ACCOUNT_CLOSED,
    ),
    _Known(
        frozenset({"BlobNotFound", "BlobTooLarge", "InvalidSize", "InvalidMimeType"}),
        ("blob too big", ".mimetype"),
        reasons.MEDIA_REFUSED,
    ),
    _Known(
        frozenset({"PayloadTooLarge", "PayloadTooLargeError"}),
        ("request entity too large", "too big", "must not be longer than"),
        reasons.RECORD_TOO_LONG,
    ),
)


def explain_direct_message(error: Rejected) -> Refusal:
    """What it means that the chat service rejected a call."""
    return _explain(error, (*_DIRECT_MESSAGES, *_RECORDS))


def explain_record(error: Rejected) -> Refusal:
    """What it means that the server rejected a record."""
    return _explain(error, _RECORDS)


def _explain(error: Rejected, table: tuple[_Known, ...]) -> Refusal:
    text = " ".join(str(error).split())
    said = text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
    said = said or error.code
    whole = error.said if isinstance(error, XrpcRejected) else text
    whole = " ".join(whole.lower().split())
    for known in table:
        if error.code in known.names or any(one in whole for one in known.texts):
            return Refusal(known.reason, said=said)
    fallback = reasons.INVALID if error.code == "InvalidRequest" else reasons.REFUSED
    return Refusal(fallback, said=said)
