"""What NotificationPoller looks at besides the notifications of posts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attention:
    """How far it goes; times are seconds, and 0 turns a part off.

    Args:
        ancestors: how many of the nearest posts above a reply are taken in with it, besides the
            root, if its thread was never seen; ``None`` to take it as it is.
        follow_s: threads in which something was said within this time are followed.
        follow_every_s: from one look at them to the next.
        reactions_every_s: from one look at the reactions to our posts to the next.
        watch_s: for how long after its recording a post is watched for being deleted.
        watch_every_s: from one look at them to the next.
    """

    ancestors: int | None = None
    follow_s: float = 0.0
    follow_every_s: float = 120.0
    reactions_every_s: float = 0.0
    watch_s: float = 0.0
    watch_every_s: float = 300.0
