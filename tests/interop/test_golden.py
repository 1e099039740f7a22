"""The inputs of ``tests/golden/posts`` are what the real AppView shows of real records.

``GOLDEN=write pytest -m interop tests/interop/test_golden.py`` records them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest
import trio

from tests.golden.cases import Case, read, write
from tests.interop.golden_posts import CASES, Make, Stage
from tests.interop.launch import find_missing, running_network
from tests.interop.net import Net
from tests.interop.recording import settle
from tests.interop.session import Json

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def recorded() -> Iterator[dict[str, Json]]:
    """What the AppView shows of each case, on a network that nobody else has used."""
    if missing := find_missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with running_network() as ready:
        yield trio.run(_record, ready)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_an_input_is_what_the_appview_shows(make: Make, recorded: dict[str, Json]) -> None:
    """A new release of the server that shows something else is noticed here."""
    case = Case("posts", make.__name__)
    if os.environ.get("GOLDEN") == "write":
        write(case.input_file, recorded[make.__name__])
    assert read(case.input_file) == recorded[make.__name__]


async def _record(ready: Json) -> dict[str, Json]:
    async with httpx.AsyncClient(timeout=30) as http:
        net = Net(http, ready)
        await net.add_account("anna")
        await net.add_account("bert")
        sessions = [await net.log_in(name) for name in ("anna", "bert", "brand")]
        stage = Stage(net, *sessions)
        return {make.__name__: await _record_one(stage, make) for make in CASES}


async def _record_one(stage: Stage, make: Make) -> Json:
    made = await make(stage)
    await stage.net.wait_indexed()
    answer = await stage.brand.get("app.bsky.feed.getPosts", uris=[made.uri])
    (post,) = answer["posts"]
    did = post["author"]["did"]
    accounts = (await stage.brand.get("app.bsky.actor.getProfiles", actors=[did]))["profiles"]
    return settle({"reason": "mention", "post": post, "account": accounts[0]})
