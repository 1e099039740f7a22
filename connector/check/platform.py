"""What both platforms tell with every answer: their time, and what is left of the budget."""

from __future__ import annotations

import time

from connector.check.items import Finding, Item, NotAsItShouldBe
from connector.platform_headers import PlatformHeaders

NOTED_S = 5.0
"""The times in headers are whole seconds and some milliseconds old; this is neither."""
WRONG_S = 300.0
"""So wrong, posts would be dated visibly wrong, and look-backs and receipts would go astray."""
SCARCE = 0.2

_SET_CLOCK = "Set this machine's clock, and let it be kept right (NTP, chrony, systemd-timesyncd)."


def make_platform_items(key: str, name: str, headers: PlatformHeaders, *, needs: str) -> list[Item]:
    """The items of one platform, after others have made it answer; they ask it nothing."""

    async def compare_clocks() -> Finding:
        ahead_s = headers.ahead_s
        if ahead_s is None:
            return Finding("not known: nothing that it answered tells its time")
        which = "behind" if ahead_s > 0 else "ahead of"
        text = f"ours is {abs(ahead_s):.0f} s {which} it"
        if abs(ahead_s) > WRONG_S:
            raise NotAsItShouldBe(text, action=_SET_CLOCK)
        if abs(ahead_s) > NOTED_S:
            return Finding(text, _SET_CLOCK)
        return Finding("ours agrees with it")

    async def read_allowance() -> Finding:
        allowance = headers.allowance
        if allowance is None:
            return Finding("not known: nothing that it answered tells what is left")
        reset_s = max(0.0, allowance.reset_s - time.time())
        text = (
            f"{allowance.remaining:,} of {allowance.limit:,} requests left, "
            f"all of them again in {reset_s:.0f} s"
        )
        if allowance.remaining < SCARCE * allowance.limit:
            return Finding(
                text,
                "Find out what else uses this "
                + ("address" if key == "bluesky" else "OAuth client")
                + ", or lower the actors' rates (`<ACTOR>_RATE`).",
            )
        return Finding(text)

    return [
        Item(f"{key}_clock", f"{name} clock", compare_clocks),
        Item(f"{key}_budget", f"{name} budget", read_allowance, needs=needs),
    ]
