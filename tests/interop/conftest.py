"""The real network, started once for all interop tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.interop.launch import find_missing, running_network
from tests.interop.net import Net
from tests.interop.places import Place, open_place
from tests.interop.session import Json


@pytest.fixture(scope="session")
def network() -> Iterator[Json]:
    """The network itself; what it says of its addresses and accounts.

    Where it is not installed, the tests are skipped, but not in CI: there they are owed.
    """
    if missing := find_missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with running_network() as ready:
        yield ready


@pytest.fixture
async def net(network: Json) -> AsyncIterator[Net]:
    """The network as one test drives it: without the faults and the log of the test before."""
    async with httpx.AsyncClient(timeout=30) as http:
        net = Net(http, network)
        await net.behave()
        yield net


@pytest.fixture(params=[pytest.param("network", marks=pytest.mark.interop), "sandbox"])
def told(request: pytest.FixtureRequest) -> Json | None:
    """What the real network says of itself; ``None`` for the sandbox, which needs no set-up."""
    return request.getfixturevalue("network") if request.param == "network" else None


@pytest.fixture
async def place(told: Json | None) -> AsyncIterator[Place]:
    """The real network and the sandbox, one after the other."""
    async with open_place(told) as place:
        yield place
