"""What the receipt of a message says that is not tried any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.errors import AccountClosed
from actors.bluesky.refusals import Refusal
from actors.messages import DirectMessagePlan, Plan, RecordPlan
from runtime.errors import AuthRejected, Fault, RateLimited

GivenUp: TypeAlias = Callable[[int, int], Refusal]
"""Makes the refusal of a message of which so many parts of so many are on Bluesky."""


def give_up_on(
    plan: Plan | None, after_s: float, limited: RateLimited | None, now: float
) -> GivenUp:
    """Why a message is given up: it took too long, or Bluesky says that it will.

    Args:
        limited: what Bluesky said, if it did.
        now: unix time in seconds.
    """
    posted = plan is None or isinstance(plan, RecordPlan | DirectMessagePlan)
    verb, partly = ("posted", "parts went out") if posted else ("done", "parts are deleted")

    def give_up(done: int, total: int) -> Refusal:
        said = f"It was not {verb} and will not be."
        if done:
            said = f"Only {done} of {total} {partly}; the rest was not {verb} and will not be."
        if limited is None:
            refusal = Refusal(reasons.EXPIRED, minutes=f"{after_s / 60:g}", done=said)
        else:
            until = datetime.fromtimestamp(now + (limited.after_s or 0.0), UTC)
            refusal = Refusal(reasons.RATE_LIMITED, until=f"{until:%Y-%m-%d %H:%M} UTC", done=said)
        refusal.done = done
        return refusal

    return give_up


async def explain_trouble(calls: Calls, refusal: Refusal) -> Refusal:
    """The refusal of a message that was never planned, or a better one if the login is refused.

    If cancelled, nothing has happened.
    """
    try:
        await calls.query("com.atproto.server.getSession", {})
    except AccountClosed:
        return Refusal(reasons.OWN_ACCOUNT_CLOSED)
    except AuthRejected:
        return Refusal(reasons.LOGIN_REFUSED)
    except Fault:
        return refusal
    return refusal


def say_not_known(plan: Plan) -> Refusal:
    """All that can be said when even looking fails. What may be there can be deleted later."""
    refusal = Refusal(reasons.NOT_KNOWN)
    refusal.done = len(plan.writes) if isinstance(plan, RecordPlan) else 0
    return refusal
