"""Who sends a request, and which of them have failed too often lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import trio

from runtime.networks import Address, Networks, find_client, is_in, parse_address

MOST_FAILURES = 60
WINDOW_S = 60.0
"""An address that has had more requests refused than this in so many seconds is limited."""

PROVEN_FOR_S = 24 * 3600.0
"""So long after a webhook of Genesys Cloud came from an address, it is not limited."""

MOST_ADDRESSES = 4096
"""How many are remembered of either sort: those that were heard of last."""


def find_caller(peer: str, forwarded: Sequence[bytes], proxies: Networks) -> Address | None:
    """Who sent a request that may have come through proxies.

    Each proxy adds at the right of ``X-Forwarded-For`` whom it has it from. So it is read from the
    right, as long as what is named there is a proxy of ours; whatever stands further left, anybody
    may have written.

    Args:
        peer: the address at the other end of the connection.
        forwarded: the values of all ``X-Forwarded-For`` headers in their order.
        proxies: whose word is taken.

    Returns:
        ``None`` if one of our own proxies names something that is no address.
    """
    caller = parse_address(peer)
    named = b",".join(forwarded).split(b",") if forwarded else []
    while named and is_in(caller, proxies):
        caller = parse_address(named.pop().decode("latin-1"))
    return caller


class Failures:
    """Counts refused requests by address, and knows which addresses Genesys Cloud writes from.

    Only who fails is counted, so a caller that is what it says is never limited, however much it
    sends. The tables are bounded; IPv6 counts by networks of 64 bits.
    """

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._proven: OrderedDict[str, float] = OrderedDict()

    def note_failure(self, caller: str) -> None:
        """A request from this address was refused."""
        key, now = find_client(caller), trio.current_time()
        began_at, count = self._failed.pop(key, (now, 0))
        if now - began_at >= WINDOW_S:
            began_at, count = now, 0
        self._failed[key] = (began_at, count + 1)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)

    def note_authentic(self, caller: str) -> None:
        """A webhook with a right signature came from this address."""
        key = find_client(caller)
        self._proven.pop(key, None)
        self._proven[key] = trio.current_time()
        if len(self._proven) > MOST_ADDRESSES:
            self._proven.popitem(last=False)

    def limited_for_s(self, caller: str) -> float:
        """For how many seconds requests from this address are not to be looked at; mostly 0."""
        key, now = find_client(caller), trio.current_time()
        proven_at = self._proven.get(key)
        if proven_at is not None and now - proven_at < PROVEN_FOR_S:
            return 0.0
        began_at, count = self._failed.get(key, (now, 0))
        return max(0.0, began_at + WINDOW_S - now) if count >= MOST_FAILURES else 0.0
