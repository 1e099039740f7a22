"""The person that a message is about, and what stands between them and the account."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.refusals import Refusal, explain_record
from actors.messages import AgentMessage, Json
from actors.reasons import Reason
from runtime.errors import Rejected

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+")
_AUTHORITY = re.compile(rf"at://({_DID.pattern})/")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. ``viewer`` is ``app.bsky.actor.defs#viewerState``."""

    did: str
    viewer: Json


async def find_person(calls: Calls, message: AgentMessage, word: str) -> Person:
    """Whom a command is about: the author of the post that is answered, else the recipient.

    Raises:
        Refusal: it is nobody, the account itself, or an account that is gone.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    own_did = await calls.did()
    did = choose_person(message, own_did)
    if did == own_did:
        raise Refusal(reasons.OWN_ACCOUNT, word=word)
    viewer = await read_viewer(calls, did)
    if viewer is None:
        raise Refusal(reasons.ACCOUNT_GONE)
    return Person(did, viewer)


def choose_person(message: AgentMessage, own_did: str) -> str:
    """The DID of the author of the post that is answered if that is not ours, else the recipient's.

    Raises:
        Refusal: it is nobody's.
    """
    uri = message.reply_to_uri if message.channel == "public" else None
    author = _AUTHORITY.match(uri or "")
    if author is not None and author[1] != own_did:
        return author[1]
    if not _DID.fullmatch(message.recipient_did):
        raise Refusal(reasons.NO_PERSON)
    return message.recipient_did


async def read_viewer(calls: Calls, did: str) -> Json | None:
    """What stands between an account and ours (``app.bsky.actor.getProfiles``).

    Returns ``None`` if the account is gone: that method leaves it out. (``getProfile`` would
    answer with ``AccountTakedown``, as a server does that speaks of our own account.)

    Raises:
        Retryable, AuthRejected, Malformed: as the client says.
    """
    try:
        answer = await calls.query("app.bsky.actor.getProfiles", {"actors": [did]})
    except Rejected as error:
        raise explain_record(error) from error
    match answer.get("profiles"):
        case [{"viewer": dict(viewer)}]:
            return viewer
        case [_]:
            return {}
    return None


def find_block(viewer: Json) -> Reason | None:
    """The block between somebody and the account, if there is one."""
    if viewer.get("blockedBy"):
        return reasons.BLOCKED_BY
    if viewer.get("blocking") or viewer.get("blockingByList"):
        return reasons.BLOCKING
    return None
