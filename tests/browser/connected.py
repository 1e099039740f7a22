"""Both platforms and the connector in a thread of their own, for tests that drive a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import trio
import trio.from_thread

from tests.browser.person import WITHIN_S
from tests.connector.connected import Connected, open_connected

T = TypeVar("T")


class Beside:
    """The connector between two sandbox platforms, beside the test.

    Args:
        connected: what runs.
        token: of the run that it runs in.
    """

    def __init__(self, connected: Connected, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self.connected = connected
        self.url = connected.url

    def does(self, act: Callable[[Connected], T]) -> T:
        """Do something where it runs."""
        return trio.from_thread.run_sync(act, self.connected, trio_token=self._token)


@contextmanager
def run_beside(state_dir: Path, variables: Mapping[str, str]) -> Iterator[Beside]:
    """Run it in a thread until the block ends, and stop it in order."""
    started = threading.Event()
    found: list[Beside] = []
    ends: list[trio.Event] = []

    async def main() -> None:
        async with open_connected(state_dir, variables) as connected:
            ends.append(trio.Event())
            found.append(Beside(connected, trio.lowlevel.current_trio_token()))
            started.set()
            await ends[0].wait()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    try:
        assert started.wait(WITHIN_S), "the connector did not start"
        yield found[0]
    finally:
        if found:
            found[0].does(lambda _: ends[0].set())
        thread.join(WITHIN_S)
        assert not thread.is_alive()
