"""Who a caller is, and who is limited."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from connector.callers import MOST_ADDRESSES, MOST_FAILURES, WINDOW_S, Failures, find_caller
from runtime.networks import find_client, parse_address, parse_networks

PROXIES = parse_networks("10.0.0.0/8, 2001:db8:1::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", [b"198.51.100.7"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [b"1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [b"1.2.3.4", b"198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", [b"10.1.1.1,10.2.2.2"], "10.1.1.1"),
        ("::ffff:10.0.0.1", [b"198.51.100.7:51234"], "198.51.100.7"),
        ("2001:db8:1::5", [b"[2001:db8:2::1]:443"], "2001:db8:2::1"),
        ("10.0.0.1", [b"::ffff:198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [b"198.51.100.7, unknown"], None),
        ("10.0.0.1", [b"198.51.100.7,"], None),
        ("10.0.0.1", [b"\xff\xfe"], None),
    ],
)
def test_x_forwarded_for_is_read_from_the_right_and_only_from_proxies_of_ours(
    peer: str, forwarded: list[bytes], caller: str | None
) -> None:
    """What a caller writes into the header itself changes nothing."""
    found = find_caller(peer, forwarded, PROXIES)
    assert (None if found is None else str(found)) == caller


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "1.2.3.4/8", "[::1", "::1]x", "1,2"])
def test_what_is_no_address_is_none(text: str) -> None:
    """And nothing raises."""
    assert parse_address(text) is None or text == "[::1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "acme.example", "300.0.0.0/8"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    """A slip of the pen must not let nobody in, or everybody."""
    with pytest.raises(ValueError, match=r"."):
        parse_networks(text)


def test_one_network_of_64_bits_is_one_client() -> None:
    """Else one attacker would be 2^64 callers."""
    assert find_client("2001:db8::1") == find_client("2001:db8::ffff:1") == "2001:db8::/64"
    assert find_client("2001:db8:0:1::1") != find_client("2001:db8::1")
    assert find_client("::ffff:192.0.2.1") == find_client("192.0.2.1") == "192.0.2.1"


async def test_who_fails_too_often_is_limited_for_a_while(autojump_clock: MockClock) -> None:
    """Until the window ends; others are not."""
    failures = Failures()
    for _ in range(MOST_FAILURES - 1):
        failures.note_failure("192.0.2.1")
    assert failures.limited_for_s("192.0.2.1") == 0
    failures.note_failure("192.0.2.1")
    assert 0 < failures.limited_for_s("192.0.2.1") <= WINDOW_S
    assert failures.limited_for_s("192.0.2.2") == 0
    await trio.sleep(WINDOW_S)
    assert failures.limited_for_s("192.0.2.1") == 0


async def test_whoever_sent_an_authentic_webhook_is_never_limited() -> None:
    """Although somebody else at the same address fails all the time."""
    failures = Failures()
    failures.note_authentic("192.0.2.1")
    for _ in range(10 * MOST_FAILURES):
        failures.note_failure("192.0.2.1")
    assert failures.limited_for_s("192.0.2.1") == 0


async def test_the_table_of_addresses_is_bounded() -> None:
    """Whoever has many addresses fills no memory, and does not push out those that are proven."""
    failures = Failures()
    failures.note_authentic("192.0.2.1")
    for number in range(3 * MOST_ADDRESSES):
        failures.note_failure(f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(failures._failed) == MOST_ADDRESSES
    for _ in range(MOST_FAILURES):
        failures.note_failure("192.0.2.1")
    assert failures.limited_for_s("192.0.2.1") == 0
