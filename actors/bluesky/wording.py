"""An agent's text as the parts that are written, with the handles in it looked up."""

from __future__ import annotations

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.refusals import Refusal
from actors.translation.facets import find_handles
from actors.translation.plans import Part, make_parts
from actors.translation.splitting import DIRECT_MESSAGE, POST
from runtime.errors import Malformed, RateLimited, Rejected, Retryable

MOST_PARTS = 25
"""A longer message is more likely a slip than an answer: nobody reads 7,500 characters there."""


async def word_posts(calls: Calls, text: str, *, patient: bool, numbered: bool) -> tuple[Part, ...]:
    """The posts that a text becomes.

    Raises:
        Refusal: it is too long.
        Retryable, AuthRejected, Malformed: as the client says, and if not ``patient`` only where
            no message could be sent either.
    """
    _check_length(len(make_parts(text, POST, {}, numbered=numbered)))
    dids = await _resolve(calls, text, patient)
    return make_parts(text, POST, dids, numbered=numbered)


async def word_direct_messages(calls: Calls, text: str, *, patient: bool) -> tuple[Part, ...]:
    """The direct messages that a text becomes; they stand one below the other without numbers.

    Raises: as :func:`word_posts`.
    """
    _check_length(len(make_parts(text, DIRECT_MESSAGE, {})))
    return make_parts(text, DIRECT_MESSAGE, await _resolve(calls, text, patient))


def _check_length(parts: int) -> None:
    if parts > MOST_PARTS:
        raise Refusal(reasons.TOO_LONG, parts=parts, most=MOST_PARTS)


async def _resolve(calls: Calls, text: str, patient: bool) -> dict[str, str]:
    """The DIDs of the handles in a text (``com.atproto.identity.resolveHandle``).

    A handle that nobody has stays plain text. So does, once patience has run out, one whose
    server does not answer: the message is worth more than the mention.
    """
    dids: dict[str, str] = {}
    for handle in find_handles(text):
        try:
            answer = await calls.query("com.atproto.identity.resolveHandle", {"handle": handle})
        except Rejected:
            continue
        except RateLimited:
            raise
        except (Retryable, Malformed):
            if patient:
                raise
            continue
        did = answer.get("did")
        if isinstance(did, str) and did.startswith("did:"):
            dids[handle] = did
    return dids
