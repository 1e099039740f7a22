"""What lies in Redis, where another release, another program or a stranger may have written it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from hypothesis import strategies as st

from actors.bluesky.dm_place import LogPlace
from actors.bluesky.live_listener import read_place
from actors.bluesky.logins import LoginHistory
from actors.bluesky.place import Place
from actors.bluesky.tokens import Session
from actors.bluesky.written import parse_answers
from actors.dedup_store.codec import (
    EntryId,
    Head,
    decode_activity,
    decode_payload,
    decode_post,
    decode_reference,
    encode_payload,
    open_value,
)
from actors.dedup_store.inherited import read_inherited
from actors.dedup_store.sealing import KeyMissing, Sealer
from actors.translation.contact import read_contact_state
from runtime.errors import Malformed
from tests.dedup_store.test_codec import PAYLOADS
from tests.fuzz.making import BYTES, TEXTS, make_bytes, make_text, mutate
from tests.fuzz.target import Arguments, Target, expect

KEY = base64.b64encode(bytes(32)).decode()
_PLAIN, _SEALED = Sealer.parse("fuzz", None), Sealer.parse("fuzz", KEY)
_PLACE = ("GenesysSender", "dm:1")

_KEPT: tuple[Callable[[str], object], ...] = (
    Place.parse,
    LogPlace.parse,
    read_place,
    LoginHistory.parse,
    lambda text: Session.parse(text, "fingerprint"),
    parse_answers,
    read_contact_state,
    lambda text: read_inherited("at://did:plc:a/app.bsky.feed.post/1", text, text),
)
"""What was written once, and is begun anew if it cannot be read."""


def _check_entry(pieces: Arguments) -> None:
    """The element of a queue, its payload plain or sealed."""
    element = make_text(pieces[0])
    try:
        head = Head.parse(*_PLACE, element)
    except Malformed as error:
        _check_told(error, element)
        return
    EntryId.parse(str(head.entry_id))
    for sealer in (_PLAIN, _SEALED):
        head.find_text("kind")
        head.find_together()
        try:
            entry = head.unseal(sealer).open()
        except (KeyMissing, Malformed) as error:
            _check_told(error, head.payload)
        else:
            expect(decode_payload(encode_payload(entry.payload)) == entry.payload)


def _check_kept(pieces: Arguments) -> None:
    text = make_text(pieces[0])
    for read in _KEPT:
        read(text)
    for decode in (decode_reference, decode_activity, decode_post, EntryId.parse):
        try:
            decode(text)
        except Malformed as error:
            str(error).encode("utf-8", "replace")


def _check_sealed(pieces: Arguments) -> None:
    """What nobody sealed opens nowhere; what somebody did opens, and only where it belongs."""
    text, kept = map(make_text, pieces)
    whole = text.encode("utf-8", "replace").decode()
    expect(_SEALED.open(_SEALED.seal(text, *_PLACE), *_PLACE) == whole)
    forged = f"sealed:1:{_SEALED.seal('', 'x').split(':')[2]}:{kept}"
    for attempt in (
        kept,
        forged,
        _SEALED.seal(text, "elsewhere"),
        _SEALED.seal(text, *_PLACE)[:-2],
    ):
        try:
            opened = _SEALED.open(attempt, *_PLACE)
        except (KeyMissing, Malformed) as error:
            _check_told(error, text)
        else:
            raise AssertionError(f"it opened as {opened!r}")
    expect(open_value(_PLAIN, "session", "x", text) == text or text.startswith("sealed:1:"))


def _check_told(error: Exception, text: str) -> None:
    """A reason is logged: it repeats nothing of what somebody wrote."""
    told = str(error)
    expect(len(told) < 300)
    expect(len(text) < 40 or text not in told)


_PAYLOADS = [json.loads(encode_payload(one)) for one in PAYLOADS]
_HEADERS = st.sampled_from(
    ["1 0 1767225600.000001", "1 0", "", "x 0 1", "1 0 nan", "1 0 inf", "1 0 1e400", "-1 -1 -1",
     "1 0 1 1", "9" * 5000 + " 0 1", "1 0 ٣", "1 0 x"]
)  # fmt: skip
_ELEMENTS = st.builds(
    lambda header, payload, name: make_bytes(f"{header}\n") + payload + make_bytes(f"\n{name}"),
    _HEADERS | TEXTS,
    mutate(_PAYLOADS) | BYTES,
    st.text(max_size=10),
)
_SAMPLES = [
    json.loads(Place(1.0, 2.0, None, 3.0).dump()),
    json.loads(LogPlace(1.0, "c", 2.0, ("a",), (("b", "c"),)).dump()),
    json.loads(LoginHistory((1.0,), (2.0,)).dump()),
    [["m", ["k"]]],
    {"fingerprint": "fingerprint", "did": "d", "handle": "h", "service": "s", "access": "a",
     "refresh": "r", "renew_at": 1.0},
    {"cid": "c", "rootUri": "at://did:plc:a/x/1"},
    {"version": 1, "payload": {"post": {"uri": "u", "cid": "c"}, "root": {"uri": "u", "cid": "c"},
     "author_did": "d"}},
    {"version": 1, "payload": {"conversation": "c", "by": "message", "name": "n"}},
]  # fmt: skip

TARGETS = {
    "entry": Target(_check_entry, st.tuples(_ELEMENTS | BYTES)),
    "kept": Target(
        _check_kept, st.tuples(mutate(_SAMPLES) | BYTES | st.integers().map(lambda n: b"%d" % n))
    ),
    "sealed": Target(
        _check_sealed, st.tuples(TEXTS.map(make_bytes), BYTES | BYTES.map(base64.b64encode))
    ),
}
