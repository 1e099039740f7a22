"""Two places where the same is tried: the real network, and the sandbox's Bluesky."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

import httpx
import pytest

from sandbox.bluesky.accounts import AllowIncoming
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.server.app import create_app
from sandbox.serving import serve
from tests.interop.net import Net
from tests.interop.session import Json, Session, XrpcError

Refusal: TypeAlias = tuple[int, str | None, str | None]
_numbers = itertools.count()


async def refused(call: Awaitable[object]) -> Refusal:
    """Status, error name and message of a call that must be refused."""
    with pytest.raises(XrpcError) as caught:
        await call
    return caught.value.status, caught.value.error, caught.value.message


class Place(Protocol):
    """A Bluesky with accounts that nobody else uses."""

    async def make_account(self, name: str, allow_incoming: AllowIncoming = "all") -> Session:
        """A new account, logged in; its handle begins with ``name``."""

    async def make_app_password(self, account: Session) -> str:
        """An app password that may not use direct messages."""

    async def limit_access(self, seconds: int) -> None:
        """Let access tokens that are given out from now on live so long."""

    async def settle(self) -> None:
        """Return when all that was written can be seen."""


def _choose_name(name: str) -> str:
    return f"{name}-{next(_numbers)}"


class RealPlace:
    """The real network."""

    def __init__(self, net: Net) -> None:
        self._net = net

    async def make_account(self, name: str, allow_incoming: AllowIncoming = "all") -> Session:
        """As :class:`Place` says."""
        account = await self._net.add_account(_choose_name(name), allow_incoming)
        session = self._net.open_session(self._net.service_url)
        await session.log_in(account.handle, account.password)
        return session

    async def make_app_password(self, account: Session) -> str:
        """As :class:`Place` says."""
        answer = await account.call("com.atproto.server.createAppPassword", {"name": "plain"})
        return str(answer["password"])

    async def limit_access(self, seconds: int) -> None:
        """As :class:`Place` says."""
        await self._net.limit_access(seconds)

    async def settle(self) -> None:
        """As :class:`Place` says."""
        await self._net.wait_indexed()


class SandboxPlace:
    """The sandbox's Bluesky, served at ``base``."""

    def __init__(self, http: httpx.AsyncClient, base: str, network: BlueskyNetwork) -> None:
        self._http = http
        self._base = base
        self._network = network

    async def make_account(self, name: str, allow_incoming: AllowIncoming = "all") -> Session:
        """As :class:`Place` says."""
        handle = f"{_choose_name(name)}.test"
        account = self._network.create_account(handle, password="password")
        self._network.allow_incoming(account, allow_incoming)
        session = Session(self._http, self._base, self._find_did)
        await session.log_in(handle, "password")
        return session

    def _find_did(self, handle: str) -> str | None:
        account = self._network.accounts.find(handle)
        return account.did if account else None

    async def make_app_password(self, account: Session) -> str:
        """As :class:`Place` says."""
        found = self._network.account(account.did)
        self._network.add_app_password(found, "app-password", direct_messages=False)
        return "app-password"

    async def limit_access(self, seconds: int) -> None:
        """As :class:`Place` says."""
        self._network.sessions.access_ttl_s = seconds

    async def settle(self) -> None:
        """Nothing to wait for: here all is seen at once."""


@asynccontextmanager
async def open_place(network: Json | None) -> AsyncIterator[Place]:
    """The real network that has said this of itself, or a new sandbox."""
    async with httpx.AsyncClient(timeout=30) as http:
        if network is not None:
            net = Net(http, network)
            await net.behave()
            yield RealPlace(net)
            return
        sandbox = BlueskyNetwork(clock=lambda: datetime.now(UTC), rng=random.Random(0))  # noqa: S311 (no secrets)
        async with serve(create_app(sandbox)) as base:
            yield SandboxPlace(http, base, sandbox)
