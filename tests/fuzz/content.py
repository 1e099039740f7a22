"""What people write: any record on Bluesky, and agents in Genesys Cloud."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import strategies as st

from actors.messages import DeadLetter, InboundDirectMessage, InboundPost
from actors.translation.facets import find_spans
from actors.translation.inbound import translate_message, translate_post, translate_reaction
from actors.translation.inbound_views import ProfileView
from actors.translation.open_message import make_private_message, make_public_message
from actors.translation.plans import Part, clean_text, make_parts
from actors.translation.splitting import DIRECT_MESSAGE, POST, Limit, count_graphemes, split
from runtime.errors import Malformed
from tests.fuzz.making import BYTES, TEXTS, make_bytes, make_text, mutate
from tests.fuzz.target import Arguments, Target, expect
from tests.golden.cases import list_cases, read

SENDER = ProfileView(did="did:plc:alice", handle="alice.test")
_GOLDEN = [read(case.input_file) for case in list_cases()]
_DIDS = {"alice.example": "did:plc:alice"}


def _check_post(pieces: Arguments) -> None:
    (body,) = pieces
    given = _read(body)
    if given is None:
        return
    try:
        post = translate_post(given, "mention")
    except Malformed as error:
        _check_told(error)
    else:
        _check_sendable(post)


def _check_message(pieces: Arguments) -> None:
    (body,) = pieces
    given = _read(body)
    message = given.get("message") if isinstance(given, dict) else given
    reaction = given.get("reaction") if isinstance(given, dict) else None
    attempts: tuple[Callable[[], InboundDirectMessage], ...] = (
        lambda: translate_message(message, "convo", SENDER),
        lambda: translate_reaction(reaction, message, "convo", SENDER),
    )
    for translate in attempts:
        try:
            translated = translate()
        except Malformed as error:
            _check_told(error)
        else:
            _check_sendable(translated)


def _read(body: bytes) -> object:
    """As an answer of Bluesky's is read; ``None`` if it is no JSON."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _check_told(error: Malformed) -> None:
    """It can be logged, and kept with the letter."""
    DeadLetter("x", "x", "x", str(error), "").why.encode()


def _check_sendable(translated: InboundPost | InboundDirectMessage) -> None:
    if isinstance(translated, InboundPost):
        body = make_public_message(translated)
    else:
        body = make_private_message(translated)
    json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    expect(bool(body.get("text", "").strip()) or bool(body.get("content")))


def _check_splitting(pieces: Arguments) -> None:
    (data,) = pieces
    text = clean_text(make_text(data))
    text.encode()
    for limit in (POST, DIRECT_MESSAGE, Limit(10, 30)):
        keep_whole = [(span.start, span.end) for span in find_spans(text)]
        place = 0
        for start, end in split(text, limit, keep_whole):
            assert place <= start < end
            assert not text[place:start].strip()
            assert count_graphemes(text[start:end]) <= limit.graphemes
            assert len(text[start:end].encode()) <= limit.utf8_bytes
            place = end
        assert not text[place:].strip()
    for numbered in (False, True):
        for part in make_parts(text, POST, _DIDS, numbered=numbered):
            _check_part(part)


def _check_part(part: Part) -> None:
    """It fits, and its facets lie within it, one behind the other."""
    assert count_graphemes(part.text) <= POST.graphemes
    assert len(part.text.encode()) <= POST.utf8_bytes
    place = 0
    for facet in part.facets:
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert place <= start < end <= len(part.text.encode())
        part.text.encode()[start:end].decode()
        place = end


TARGETS = {
    "post": Target(
        _check_post,
        st.tuples(BYTES | mutate([one["post"] for one in _GOLDEN if "post" in one])),
    ),
    "message": Target(
        _check_message, st.tuples(BYTES | mutate([one for one in _GOLDEN if "message" in one]))
    ),
    "splitting": Target(_check_splitting, st.tuples(TEXTS.map(make_bytes) | BYTES)),
}
