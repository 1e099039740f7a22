"""What Jetstream sends: anybody's records, over a websocket to a server that anybody may run."""

from __future__ import annotations

from collections.abc import Sequence

import trio
import trio.testing
from hypothesis import strategies as st

from actors.bluesky.jetstream import Jetstream
from actors.bluesky.live_matching import Matcher, find_time_us
from runtime.errors import Malformed, Retryable
from tests.fuzz.making import BYTES, make_text, mutate
from tests.fuzz.target import Arguments, Target, expect

OWN = "did:plc:brand"
_MATCHER = Matcher(OWN, [("acme",)])
_POST = {
    "did": "did:plc:alice",
    "time_us": 1_767_225_600_000_000,
    "kind": "commit",
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "3kabc",
        "record": {
            "$type": "app.bsky.feed.post",
            "text": "acme and @brand.example",
            "tags": ["acme"],
            "createdAt": "2026-01-01T00:00:00Z",
            "facets": [
                {
                    "index": {"byteStart": 0, "byteEnd": 4},
                    "features": [{"$type": "app.bsky.richtext.facet#mention", "did": OWN}],
                }
            ],
            "embed": {"record": {"uri": f"at://{OWN}/app.bsky.feed.post/1", "cid": "c"}},
            "reply": {
                "root": {"uri": f"at://{OWN}/app.bsky.feed.post/1", "cid": "c"},
                "parent": {"uri": f"at://{OWN}/app.bsky.feed.post/2", "cid": "c"},
            },
        },
    },
}


def _check_event(pieces: Arguments) -> None:
    line = make_text(pieces[0])
    find_time_us(line)
    try:
        match = _MATCHER.match(line)
    except Malformed as error:
        expect(len(str(error)) < 300)
        return
    if match is not None:
        match.uri.encode()
        expect(
            match.uri == f"at://{match.author_did}/app.bsky.feed.post/{match.uri.split('/')[-1]}"
        )
        expect(match.author_did != OWN)
        expect(match.created_s is None or abs(match.created_s) < 1e12)


def _check_websocket(pieces: Arguments) -> None:
    """Each piece comes by itself, after a handshake or instead of one."""
    trio.run(_receive, pieces)


async def _receive(pieces: Sequence[bytes]) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    jetstream = Jetstream(ours)
    for piece in pieces:
        await theirs.send_all(piece)
        try:
            for message in await jetstream.read() if piece else ():
                expect(isinstance(message, str | bytes))
        except Retryable as fault:
            str(fault).encode("utf-8", "replace")
            return


_HANDSHAKES = st.sampled_from(
    [b"HTTP/1.1 101 \r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"",
     b"HTTP/1.1 101 x\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n"]
)  # fmt: skip
_FRAMES = st.builds(
    lambda first, length, payload: bytes([first, length]) + payload,
    st.sampled_from([0x81, 0x82, 0x88, 0x89, 0x8A, 0x01, 0x00, 0x80, 0xF1, 0x83]),
    st.integers(0, 255),
    BYTES,
)

TARGETS = {
    "event": Target(_check_event, st.tuples(mutate([_POST]) | BYTES)),
    "websocket": Target(
        _check_websocket,
        st.builds(lambda first, rest: (first, *rest), _HANDSHAKES, st.lists(_FRAMES, max_size=4)),
    ),
}
