"""Why a message will never go out, in words for the agent who wrote it."""

from __future__ import annotations

from typing import NamedTuple

from actors.messages import ReasonCode
from runtime.errors import Rejected

_MOST_TEXT = 200


class Refusal(Exception):
    """The message will not go out, now or later.

    Args:
        code: for the Failed receipt.
        sentence: what happened and what the agent can do, in one or two sentences.
    """

    def __init__(self, code: ReasonCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code: ReasonCode = code
        self.sentence = sentence

    def after(self, done: int, total: int) -> Refusal:
        """The same, when ``done`` of ``total`` parts are out already and stay there."""
        if done == 0:
            return self
        how_many = "part" if done == 1 else f"{done} parts"
        said = f"Only the first {how_many} of {total} went out, the rest did not. {self.sentence}"
        return Refusal(self.code, said)


class _Known(NamedTuple):
    names: frozenset[str]
    text: str
    code: ReasonCode
    sentence: str


_DIRECT_MESSAGES = (
    _Known(
        frozenset({"MessagesDisabled"}),
        "recipient has disabled incoming messages",
        "RecipientOptedOut",
        "This person does not accept direct messages on Bluesky. Answer in public instead.",
    ),
    _Known(
        frozenset({"NotFollowedBySender"}),
        "incoming messages to come from someone they follow",
        "RecipientOptedOut",
        "This person accepts direct messages only from accounts that they follow on Bluesky. "
        "Answer in public instead.",
    ),
    _Known(
        frozenset({"BlockedActor", "BlockedSubject"}),
        "block between recipient and sender",
        "MessageNotAllowed",
        "This person and the company's account cannot exchange direct messages: "
        "one has blocked the other on Bluesky.",
    ),
    _Known(
        frozenset({"RecipientNotFound"}),
        "recipient does not exist",
        "InvalidDestination",
        "This person's Bluesky account does not exist any more.",
    ),
    _Known(
        frozenset({"InvalidConvo"}),
        "convo not found",
        "InvalidDestination",
        "The conversation with this person does not exist on Bluesky any more.",
    ),
    _Known(
        frozenset({"ConvoLocked"}),
        "convo is locked",
        "MessageNotAllowed",
        "The conversation with this person is locked on Bluesky.",
    ),
)
"""``chat.bsky.convo.getConvoForMembers`` and ``sendMessage``. The service has been seen to answer
``InvalidRequest`` with the same texts, so both the name and the text are looked at."""

_ACCOUNT = (
    _Known(
        frozenset({"AccountTakedown", "AccountSuspended", "AccountDeactivated", "RepoTakendown"}),
        "account has been taken down",
        "GeneralError",
        "The company's Bluesky account is suspended or deactivated. Tell its administrator.",
    ),
    _Known(
        frozenset({"PayloadTooLarge", "PayloadTooLargeError"}),
        "request entity too large",
        "InvalidMessageStructure",
        "The message is too large for Bluesky. Shorten it.",
    ),
)


def explain_direct_message(error: Rejected) -> Refusal:
    """What it means that the chat service rejected a call."""
    return _explain(error, (*_DIRECT_MESSAGES, *_ACCOUNT))


def explain_record(error: Rejected) -> Refusal:
    """What it means that the server rejected a record."""
    return _explain(error, _ACCOUNT)


def _explain(error: Rejected, table: tuple[_Known, ...]) -> Refusal:
    said = " ".join(str(error).split())
    for known in table:
        if error.code in known.names or known.text in said.lower():
            return Refusal(known.code, known.sentence)
    code: ReasonCode = "GeneralError"
    if error.code == "InvalidRequest":
        code = "InvalidMessageStructure"
    if len(said) > _MOST_TEXT:
        said = said[:_MOST_TEXT] + "…"
    return Refusal(code, f"Bluesky refused it: {said or error.code}")
