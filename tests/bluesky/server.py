"""A small PDS as a handler for ``httpx.MockTransport``: sessions, and a scripted answer."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import trio

from actors.bluesky.client import BlueskyClient
from actors.bluesky.session import SessionOwner
from actors.bluesky.tokens import Credentials
from actors.bluesky.xrpc import Xrpc
from runtime.rate import Budget, Rate
from tests.support.memory_store import MemoryStore, virtual_wall_clock

SERVICE = "https://pds.test"
PASSWORD = "app-pass-word-1"
DID = "did:plc:brand"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def error(status: int, name: str, message: str = "", **headers: str) -> httpx.Response:
    """An XRPC error as the PDS writes it."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.Response(status, json={"error": name, "message": message}, headers=named)


class Server:
    """Knows one account. Tokens end, and can be revoked, as the real ones do.

    Attributes:
        requests: all that came, oldest first.
        script: what to answer instead, by method, the next first.
        password: the app password that is right at the moment.
        life_s: of access tokens.
        clock_error_s: how far the server's clock is ahead of ours.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.script: dict[str, deque[Answer]] = {}
        self.password = PASSWORD
        self.life_s = 7200.0
        self.clock_error_s = 0.0
        self.extra: dict[str, Any] = {}
        self.answer_after_s = 0.1
        self._tokens: dict[str, float] = {}
        self._refreshable: set[str] = set()
        self._issued = 0

    def count(self, nsid: str) -> int:
        """How often a method was called."""
        return sum(one.url.path == f"/xrpc/{nsid}" for one in self.requests)

    def revoke(self) -> None:
        """The app password is deleted: refresh tokens end at once, access tokens in time."""
        self._refreshable.clear()

    def expire(self) -> None:
        """All access tokens end now."""
        self._tokens.clear()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        await trio.sleep(self.answer_after_s)
        nsid = request.url.path.removeprefix("/xrpc/")
        scripted = self.script.get(nsid)
        if scripted:
            answer = scripted.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx.Response) else answer(request)
        return self._answer(nsid, request)

    def _answer(self, nsid: str, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if nsid == "com.atproto.server.createSession":
            body = json.loads(request.content)
            if body != {"identifier": "brand.test", "password": self.password}:
                return error(401, "AuthenticationRequired", "Invalid identifier or password")
            return self._give()
        if nsid == "com.atproto.server.refreshSession":
            if token not in self._refreshable:
                return error(400, "ExpiredToken", "Token has been revoked")
            return self._give()
        if self._tokens.get(token, 0.0) <= trio.current_time():
            return error(400, "ExpiredToken", "Token has expired")
        return httpx.Response(200, json={"nsid": nsid, "host": request.url.host})

    def _give(self) -> httpx.Response:
        self._issued += 1
        now_s = virtual_wall_clock() + self.clock_error_s
        access = make_token({"iat": now_s, "exp": now_s + self.life_s, "n": self._issued})
        refresh = f"refresh-{self._issued}"
        self._tokens[access] = trio.current_time() + self.life_s
        self._refreshable.add(refresh)
        answer = {"did": DID, "handle": "brand.test", "accessJwt": access, "refreshJwt": refresh}
        return httpx.Response(200, json={**answer, "active": True, **self.extra})


def make_token(claims: dict[str, Any]) -> str:
    """A JWT, of which only the claims matter to a client."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


class World:
    """A server, a memory, and clients of them: one per process that is played."""

    def __init__(self) -> None:
        self.server = Server()
        self.memory = MemoryStore()
        self.budget = Budget(Rate(3000, 300.0))

    def client(
        self, *, password: str = PASSWORD, identifier: str = "brand.test", service: str = SERVICE
    ) -> BlueskyClient:
        """What a new process would make."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.server))
        xrpc = Xrpc(http, self.budget, virtual_wall_clock, timeout_s=30.0)
        credentials = Credentials(service, identifier, password)
        owner = SessionOwner(xrpc, self.memory.store, virtual_wall_clock, credentials)
        return BlueskyClient(xrpc, owner)
