"""The way of a message is told in its steps, and never what it says."""

from __future__ import annotations

from actors.messages import Destination
from actors.steps import Step, StepName
from connector.dashboard.paths import MOST_MESSAGES, Paths

AT = 1_767_225_600.0


def step(
    name: StepName,
    at: float,
    *,
    message: str = "post:1",
    item_id: str | None = None,
    destination: Destination = Destination.GENESYS_SENDER,
    attempts: int = 0,
    why: str | None = None,
) -> Step:
    """A step of a message."""
    return Step(
        name=name,
        message=message,
        item_id=item_id or message,
        kind="inbound_post",
        destination=destination,
        conversation="thread:1",
        at=AT + at,
        recorded_at=AT,
        written_at=AT - 5,
        attempts=attempts,
        why=why,
    )


def test_a_message_is_followed_through_all_its_stages() -> None:
    """Each item with its actor, its times and its outcome; together they say how it went."""
    paths = Paths()
    paths.hear(step("recorded", 0))
    paths.hear(step("delivered", 1))
    assert paths.describe()[0]["outcome"] == "in hand"
    paths.hear(step("retried", 2, attempts=1, why="away"))
    assert paths.describe()[0]["outcome"] == "retrying"
    paths.hear(step("delivered", 3, attempts=1))
    paths.hear(step("done", 4, attempts=1))
    contact = {"item_id": "contact:post:1", "destination": Destination.CONTACT_RESOLVER}
    paths.hear(step("recorded", 4, **contact))  # type: ignore[arg-type]
    assert paths.describe()[0]["outcome"] == "waiting"
    paths.hear(step("refused", 5, why="no such source", **contact))  # type: ignore[arg-type]
    (told,) = paths.describe()
    assert (told["id"], told["outcome"]) == ("post:1", "refused")
    first, second = told["stages"]
    assert (first["actor"], first["delivered_at"], first["ended_at"], first["retries"]) == (
        "GenesysSender",
        AT + 3,
        AT + 4,
        1,
    )
    assert (second["actor"], second["outcome"], second["why"]) == (
        "ContactResolver",
        "refused",
        "no such source",
    )


def test_only_the_latest_are_kept() -> None:
    """The newest comes first, and memory is bounded by number and by stages."""
    paths = Paths()
    for number in range(MOST_MESSAGES + 5):
        paths.hear(step("recorded", number, message=f"post:{number}"))
    told = paths.describe()
    assert [one["id"] for one in told[:2]] == ["post:104", "post:103"]
    assert len(told) == MOST_MESSAGES
    for number in range(50):
        paths.hear(step("recorded", 0, message="post:104", item_id=f"item:{number}"))
    assert len(paths.describe()[0]["stages"]) <= 8


def test_text_is_there_only_for_who_may_see_it() -> None:
    """Without a place to look it up there is none."""
    paths, open_paths = Paths(), Paths({"post:1": "Hello"}.get)
    for one in (paths, open_paths):
        one.hear(step("recorded", 0))
    assert "text" not in paths.describe()[0]
    assert open_paths.describe()[0]["text"] == "Hello"
