"""A webhook that somebody kept and sends again."""

from __future__ import annotations

from actors.genesys.webhook_receiver import OLDEST_S, WebhookAnswer
from actors.store import SEEN_KEEP_S
from runtime.clock import format_time
from tests.genesys.webhook_desk import Desk, make_body
from tests.support.memory_store import NEW_YEAR_2026


def make_old_body(age_s: float) -> dict[str, object]:
    """A message that was written so long ago."""
    body = make_body()
    body["channel"]["time"] = format_time(NEW_YEAR_2026 - age_s)
    return body


async def test_an_old_webhook_sent_again_takes_no_effect(desk: Desk) -> None:
    """Although nobody remembers its id any more; it is kept as a dead letter, once."""
    for _ in range(2):
        assert await desk.deliver(make_old_body(OLDEST_S + 1)) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == []
    assert desk.context.skips == {"too_old": 2}
    (letter,) = desk.memory.letters.values()
    assert letter.code == "too_old"


async def test_a_late_webhook_takes_effect(desk: Desk) -> None:
    """Genesys Cloud tries for minutes; the limit is days."""
    assert await desk.deliver(make_old_body(OLDEST_S - 60)) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == ["agent:message-1"]


def test_what_is_young_enough_to_be_carried_is_still_known_by_its_id() -> None:
    """There is no age at which a webhook can be sent again with effect."""
    assert OLDEST_S < SEEN_KEEP_S
