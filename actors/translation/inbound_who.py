"""What an agent may want to know of who wrote, as flat texts for ``metadata``."""

from __future__ import annotations

from actors.translation.inbound_views import (
    PostRecord,
    ProfileView,
    as_object,
    as_text,
)
from actors.translation.links import make_profile_link
from actors.translation.times import find_time

_DAY_S = 86_400.0


def describe_account(
    profile: ProfileView, detailed: ProfileView | None, at_s: float
) -> dict[str, str]:
    """What is known of an account; what is not known is left out.

    Args:
        profile: as it came with the message, with the labels and relations of the moment.
        detailed: the same account's ``app.bsky.actor.defs#profileViewDetailed``, if it is known.
        at_s: unix time of the message, at which the account's age is told.
    """
    described = {
        "authorLabels": ",".join(find_labels(profile.labels)),
        "authorFollowers": _write_count(detailed.followers_count if detailed else None),
        "authorAgeDays": _write_age(find_created(profile, detailed), at_s),
        "authorFollowsUs": _write_following(profile.viewer),
        "profileUrl": make_profile_link(profile.did, profile.handle),
    }
    return {name: text for name, text in described.items() if text}


def describe_sender(
    profile: ProfileView, detailed: ProfileView | None, at_s: float
) -> dict[str, str]:
    """The same of who wrote a direct message, whose sender may have no image of its own."""
    avatar = {"avatarUrl": profile.avatar} if profile.avatar else {}
    return describe_account(profile, detailed, at_s) | avatar


def find_created(profile: ProfileView, detailed: ProfileView | None = None) -> float | None:
    """Unix time of an account's beginning, if one of its views tells."""
    known = find_time(profile.created_at)
    return known if known is not None or detailed is None else find_time(detailed.created_at)


def find_labels(labels: object) -> tuple[str, ...]:
    """The values of labels (``com.atproto.label.defs#label``), each once; not those taken back."""
    given: dict[tuple[str, str], bool] = {}
    for label in map(as_object, labels if isinstance(labels, list) else ()):
        key = as_text(label.get("src")), as_text(label.get("val"))
        given[key] = given.get(key, True) and label.get("neg") is not True
    return tuple(dict.fromkeys(value for (_, value), holds in given.items() if value and holds))


def find_post_labels(labels: object, record: PostRecord) -> tuple[str, ...]:
    """The labels of a post: others' in its view, and its author's (``#selfLabels``)."""
    own = as_object(record.labels).get("values")
    return tuple(dict.fromkeys((*find_labels(labels), *find_labels(own))))


def _write_count(count: object) -> str:
    return str(count) if isinstance(count, int) and not isinstance(count, bool) else ""


def _write_age(created_s: float | None, at_s: float) -> str:
    return "" if created_s is None else str(int(max(0.0, at_s - created_s) // _DAY_S))


def _write_following(viewer: object) -> str:
    """Without a viewer nobody has looked; then it is not known."""
    if not isinstance(viewer, dict):
        return ""
    return "true" if as_text(viewer.get("followedBy")) else "false"
