"""What strangers send to the port: signatures, bodies, and who they say that they are."""

from __future__ import annotations

import ipaddress
import json

from hypothesis import strategies as st

from actors.genesys.intake import make_intake
from actors.genesys.signature import is_signed, make_signature
from actors.translation.guarded_json import MOST_DEPTH, UnreadableJson, read_json
from actors.translation.webhook import read_webhook
from connector.callers import find_caller
from runtime.networks import find_client, parse_address, parse_networks
from tests.fuzz.making import BYTES, VALUES
from tests.fuzz.target import Arguments, Target, expect

SECRET = "fuzz-secret"
PROXIES = parse_networks("10.0.0.0/8, fd00::/8")


def _check_signature(pieces: Arguments) -> None:
    body, given = pieces
    right = make_signature(body, SECRET)
    for header in (given, given.decode("latin-1"), given.decode("utf-8", "replace")):
        as_bytes = header if isinstance(header, bytes) else header.encode(errors="replace")
        assert is_signed(body, header, (SECRET,)) is (as_bytes == right.encode())
    assert is_signed(body, right, ("another", SECRET))


def _check_json(pieces: Arguments) -> None:
    (body,) = pieces
    try:
        found = read_json(body)
    except UnreadableJson as error:
        expect(error.reason in ("not_json", "too_deep", "duplicate_key", "not_finite"))
        return
    # Any other reader understands the same, since what it may read differently is refused.
    again = json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    assert read_json(again) == found
    assert _measure(found) <= MOST_DEPTH


def _measure(value: object) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(_measure, inner), default=0)


def _check_webhook(pieces: Arguments) -> None:
    (body,) = pieces
    intake = make_intake(read_webhook(body, "2026-01-01T00:00:00Z"), body)
    # What is taken in, and what is kept of it, can be written down.
    assert intake.items or intake.letters or intake.skipped
    repr(intake).encode()


def _check_caller(pieces: Arguments) -> None:
    peer, *forwarded = pieces
    named = peer.decode("latin-1")
    caller = find_caller(named, forwarded, PROXIES)
    if not any(parse_address(named) in network for network in PROXIES if parse_address(named)):
        # What a stranger writes into the header changes nothing.
        assert caller == parse_address(named)
    if caller is not None:
        assert ipaddress.ip_address(str(caller)) == caller
        assert find_client(str(caller)) == find_client(find_client(str(caller)).partition("/")[0])


_NAMES = st.sampled_from(
    ["id", "type", "text", "channel", "content", "direction", "to", "time", "messageId", "events",
     "publicMetadata", "rootId", "replyToId", "contentType", "attachment", "mediaType", "url"]
)  # fmt: skip
_WORDS = st.sampled_from(
    ["Text", "Public", "Private", "Event", "Receipt", "Attachment", "Image", "m"]
)
_BODIES = st.dictionaries(
    _NAMES,
    st.recursive(
        _WORDS | VALUES,
        lambda inner: st.dictionaries(_NAMES, inner, max_size=6) | st.lists(inner, max_size=3),
        max_leaves=25,
    ),
    max_size=10,
)
_JSON = VALUES.map(lambda value: json.dumps(value).encode())
_ADDRESSES = (
    st.ip_addresses().map(str)
    | st.integers(0, 255).map(lambda last: f"10.0.0.{last}")
    | st.sampled_from(["unknown", "", "[::1]:80", "fe80::1%eth0", "1.2.3.4:5", "::ffff:10.0.0.1"])
    | st.text(st.characters(max_codepoint=255), max_size=20)
).map(lambda text: text.encode("latin-1"))

TARGETS = {
    "signature": Target(_check_signature, st.tuples(st.binary(max_size=500), BYTES)),
    "json": Target(_check_json, st.tuples(BYTES | _JSON)),
    "webhook": Target(
        _check_webhook, st.tuples(BYTES | _BODIES.map(lambda body: json.dumps(body).encode()))
    ),
    "caller": Target(
        _check_caller,
        st.tuples(_ADDRESSES, st.lists(_ADDRESSES, max_size=5).map(b", ".join), _ADDRESSES),
    ),
}
