"""A client that takes no answer on trust: whatever comes back is checked against the lexicons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.bluesky import Account
from tests.contracts.lexicon import Lexicons

CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}


class Clock:
    """A wall clock that tests set. It ticks a millisecond with each look, so times differ."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Client:
    """Calls methods at a base URL. Answers with another status than expected fail the test."""

    def __init__(self, http: httpx.AsyncClient, lexicons: Lexicons | None) -> None:
        self.http = http
        self._lexicons = lexicons

    async def log_in(self, account: Account, password: str | None = None) -> Session:
        """Open a session with the account's password or another one."""
        body = {"identifier": account.handle, "password": password or account.password}
        answer = await self.call("com.atproto.server.createSession", body)
        return Session(self, account.did, answer["accessJwt"], answer["refreshJwt"])

    async def call(
        self,
        nsid: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 (an answer is any JSON)
        """POST if there is a body, GET if not; the answer after its check."""
        sent = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        if body is None:
            response = await self.http.get(f"/xrpc/{nsid}", params=params, headers=sent)
        else:
            response = await self.http.post(f"/xrpc/{nsid}", json=body, headers=sent)
        return self.check(nsid, response)

    def check(self, nsid: str, response: httpx.Response) -> Any:  # noqa: ANN401
        """The body of an answer that must be 200 and as the lexicon says."""
        assert response.status_code == 200, response.text
        body = response.json() if response.content else None
        if self._lexicons is not None:
            self._lexicons.check_output(nsid, body)
        return body


class Session:
    """An account that has logged in."""

    def __init__(self, client: Client, did: str, access: str, refresh: str) -> None:
        self.client = client
        self.did = did
        self.access = access
        self.refresh = refresh

    async def get(self, nsid: str, **params: Any) -> Any:  # noqa: ANN401
        """A query that succeeds."""
        chat = CHAT if nsid.startswith("chat.") else None
        return await self.client.call(nsid, params=params, token=self.access, headers=chat)

    async def post(self, nsid: str, **body: Any) -> Any:  # noqa: ANN401
        """A procedure that succeeds."""
        chat = CHAT if nsid.startswith("chat.") else None
        return await self.client.call(nsid, body, token=self.access, headers=chat)

    async def refused(self, nsid: str, /, **given: Any) -> tuple[int, str, str]:  # noqa: ANN401
        """Status, error and message of a call that is refused; ``body`` makes it a procedure."""
        response = await self.send(nsid, **given)
        assert response.status_code >= 400, response.text
        answer = response.json()
        assert answer.keys() == {"error", "message"}
        return response.status_code, answer["error"], answer["message"]

    async def send(
        self,
        nsid: str,
        /,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **params: Any,  # noqa: ANN401
    ) -> httpx.Response:
        """A call with whatever answer."""
        chat = CHAT if nsid.startswith("chat.") else {}
        sent = {"authorization": f"Bearer {self.access}", **chat, **(headers or {})}
        if body is None:
            return await self.client.http.get(f"/xrpc/{nsid}", params=params, headers=sent)
        return await self.client.http.post(f"/xrpc/{nsid}", json=body, headers=sent)

    async def put(self, record_key: str, record: Mapping[str, Any], **further: Any) -> Any:  # noqa: ANN401
        """putRecord of a post."""
        where = {"repo": self.did, "collection": "app.bsky.feed.post", "rkey": record_key}
        return await self.post("com.atproto.repo.putRecord", **where, record=record, **further)

    async def create(self, record: Mapping[str, Any], **further: Any) -> Any:  # noqa: ANN401
        """createRecord of a post."""
        where = {"repo": self.did, "collection": "app.bsky.feed.post"}
        return await self.post("com.atproto.repo.createRecord", **where, record=record, **further)


def make_post(text: str = "hi", **fields: object) -> dict[str, Any]:
    """A post's record, fixed to the second."""
    return {"text": text, "createdAt": "2026-01-01T00:00:00.000Z", **fields}
