"""A value that an older release kept is read by this one: the texts are as they lie in Redis."""

from __future__ import annotations

import json

import pytest

from actors.bluesky.dm_place import LogPlace
from actors.bluesky.logins import Hold, LoginHistory
from actors.bluesky.place import Place
from actors.bluesky.tokens import Session

FIRST_PLACE = '{"since":1767225600.5,"watermark":null,"floor":null,"marked_at":0.0}'
PLACE = (
    '{"since":1767225600.5,"watermark":1767229200.25,"floor":1767139200.0,"marked_at":1767229300.0}'
)
FIRST_LOG_PLACE = '{"since":1767225600.5,"cursor":null,"saved_at":0.0,"accepting":[]}'
LOG_PLACE = (
    '{"since":1767225600.5,"cursor":"3lcursor","saved_at":1767229200.25,'
    '"accepting":["convo-1","convo-2"]}'
)
SESSION = (
    '{"fingerprint": "f1", "did": "did:plc:acme", "handle": "acme.example", '
    '"service": "https://pds.example", "access": "token-1", "refresh": "token-2", '
    '"renew_at": 1767229200.0}'
)
LOGINS = (
    '{"attempts": [1767225600.0], "successes": [1767225601.0], "hold": {"kind": "refused", '
    '"until": 1767229200.0, "why": "Wrong.", "action": "Mend it.", "fingerprint": "f1"}}'
)


def add_field(text: str) -> str:
    """As a newer release would have written it."""
    return json.dumps({**json.loads(text), "added": {"later": [1, "two"]}})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (FIRST_PLACE, Place(since=1767225600.5)),
        (
            PLACE,
            Place(
                since=1767225600.5,
                watermark=1767229200.25,
                floor=1767139200.0,
                marked_at=1767229300.0,
            ),
        ),
    ],
)
def test_a_place_in_a_listing_is_read(text: str, place: Place) -> None:
    """Else the poller would begin with the look-back, and leave out what waits before it."""
    assert Place.parse(text) == Place.parse(add_field(text)) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (FIRST_LOG_PLACE, LogPlace(since=1767225600.5)),
        (
            LOG_PLACE,
            LogPlace(
                since=1767225600.5,
                cursor="3lcursor",
                saved_at=1767229200.25,
                accepting=("convo-1", "convo-2"),
            ),
        ),
    ],
)
def test_a_place_in_the_log_is_read(text: str, place: LogPlace) -> None:
    """Else messages that wait in the log would be left out, and requests never accepted."""
    assert LogPlace.parse(text) == LogPlace.parse(add_field(text)) == place


def test_a_session_is_read() -> None:
    """Else each new release would cost a login, of which there are few."""
    session = Session(
        did="did:plc:acme",
        handle="acme.example",
        service="https://pds.example",
        access="token-1",
        refresh="token-2",
        renew_at=1767229200.0,
    )
    assert Session.parse(SESSION, "f1") == Session.parse(add_field(SESSION), "f1") == session
    assert Session.parse(SESSION, "f2") is None


def test_a_history_of_logins_is_read() -> None:
    """Else a refused password would be tried again with each new release."""
    history = LoginHistory(
        attempts=(1767225600.0,),
        successes=(1767225601.0,),
        hold=Hold("refused", 1767229200.0, "Wrong.", "Mend it.", "f1"),
    )
    assert LoginHistory.parse(LOGINS) == LoginHistory.parse(add_field(LOGINS)) == history
