"""Interrupted anywhere and run again, it goes on, and makes nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.environment import load_settings
from sandbox.faults import DropAfter, Fault, Reset, Status
from tests.connector.setup.administrator import ONE_OF_EACH, Administrator, open_office
from tests.connector.setup.conftest import forget_everything

FEWEST = 9
"""More requests than that are made in any case: four things, and questions about permissions."""


@pytest.mark.parametrize(
    ("fault", "method", "shows_secrets"),
    [(Reset(), None, True), (DropAfter(), "POST", True), (DropAfter(), None, False)],
    ids=["before", "after", "after, and the secret is not shown"],
)
async def test_every_request_may_be_the_last(
    tmp_path: Path,
    store: dict[str, str],
    fault: Fault,
    method: str | None,
    shows_secrets: bool,
) -> None:
    """Cut off before or after any request to Genesys Cloud, the next run completes the set-up."""
    async with open_office(tmp_path, store) as office:
        office.world.genesys.setup.shows_secrets = shows_secrets
        office.world.genesys.access.rate_limit = 10_000
        number = 0
        while await _is_interrupted(office, number, fault, method):
            await _check_second_run(office)
            _begin_anew(office, store["REDIS_URL"])
            number += 1
        assert number > FEWEST


async def _is_interrupted(
    office: Administrator, number: int, fault: Fault, method: str | None
) -> bool:
    """Run it, and cut it off at that request; ``False`` if there are not so many."""
    rule = office.world.genesys.faults.add("/api/", fault, skip=number, method=method)
    status = await office.set_up()
    office.world.genesys.faults.clear()
    assert status == (1 if rule.hits else 0)
    return bool(rule.hits)


async def _check_second_run(office: Administrator) -> None:
    assert await office.set_up() == 0, office.told
    assert office.things() == ONE_OF_EACH
    assert office.count_logins() == 1
    settings = load_settings({**office.environ, **office.env})
    integration = office.world.genesys.setup.integration(settings.gc_integration_id)
    assert settings.gc_webhook_secret.get_secret_value() == integration.webhook_secret


def _begin_anew(office: Administrator, redis_url: str) -> None:
    office.world.genesys.setup.clear()
    office.world.bluesky.calls.clear()
    office.env_path.unlink()
    forget_everything(redis_url)


async def test_what_stopped_it_is_said_with_what_to_do(office: Administrator) -> None:
    """Where it stopped, and that it may be run again."""
    office.world.genesys.faults.add("/topics$", Status(503, "service.unavailable"), method="POST")

    status = await office.set_up()

    assert status == 1
    assert "POST /api/v2/socialmedia/topics: 503" in office.told
    assert "Run this again: it goes on where it stopped." in office.told
