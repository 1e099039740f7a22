"""The real network, as a test sees it: its accounts, its AppView, and the front's control."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import trio

from tests.interop.session import Json, Session, XrpcError

T = TypeVar("T")
WITHIN_S = 15.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the network. Only the brand has app passwords."""

    name: str
    handle: str
    did: str
    display_name: str
    password: str
    app_password: str | None = None
    app_password_without_messages: str | None = None

    @classmethod
    def take(cls, body: Mapping[str, Any]) -> Account:
        """Of an account in the READY line."""
        return cls(
            name=body["name"],
            handle=body["handle"],
            did=body["did"],
            display_name=body["displayName"],
            password=body["password"],
            app_password=body.get("appPassword"),
            app_password_without_messages=body.get("appPasswordNoDm"),
        )


class Net:
    """Drives a network that runs.

    Sessions talk to the real PDS, so that faults and the log of the front concern only what is
    tested, which is given :attr:`service_url`.

    Args:
        http: its owner closes it.
        ready: what the network said of itself when it was up.
    """

    def __init__(self, http: httpx.AsyncClient, ready: Json) -> None:
        self._http = http
        self._ready = ready
        self._sessions: dict[str, Session] = {}
        listed = (Account.take(body) for body in (ready["brand"], *ready["customers"]))
        self.accounts = {account.name: account for account in listed}

    @property
    def service_url(self) -> str:
        """The PDS's address for the connector: the front, which records and misbehaves."""
        return str(self._ready["pds"])

    @property
    def pds_url(self) -> str:
        """The real PDS's own address."""
        return str(self._ready["realPds"])

    @property
    def brand(self) -> Account:
        """The company's account."""
        return self.accounts["brand"]

    def find_did(self, handle: str) -> str | None:
        """The DID of a handle of this network."""
        for account in self.accounts.values():
            if account.handle == handle:
                return account.did
        return None

    async def add_account(self, name: str, allow_incoming: str = "all") -> Account:
        """Make an account, ``NAME.test``; ``allow_incoming`` as in ``Session.allow_messages``."""
        body = await self.control(
            "POST", "/accounts", {"name": name, "allowIncoming": allow_incoming}
        )
        self.accounts[name] = Account.take(body)
        return self.accounts[name]

    def open_session(self, base: str) -> Session:
        """A session that is not logged in, with the PDS at an address."""
        return Session(self._http, base, self.find_did)

    async def log_in(self, name: str) -> Session:
        """The account's session with the real PDS, made at the first call."""
        if name not in self._sessions:
            account = self.accounts[name]
            session = self.open_session(str(self._ready["realPds"]))
            await session.log_in(account.handle, account.password)
            self._sessions[name] = session
        return self._sessions[name]

    # -- the AppView, asked without a session

    async def ask_appview(self, nsid: str, **parameters: str | int) -> Json:
        """An XRPC query to the AppView itself."""
        url = f"{self._ready['appview']}/xrpc/{nsid}"
        response = await self._http.get(url, params=parameters)
        if response.status_code >= 400:
            raise XrpcError(nsid, response)
        body: Json = response.json()
        return body

    async def get_thread(self, uri: str) -> Json:
        """A post's thread as anybody sees it (``app.bsky.feed.getPostThread``)."""
        answer = await self.ask_appview("app.bsky.feed.getPostThread", uri=uri, depth=100)
        thread: Json = answer["thread"]
        return thread

    async def is_image(self, url: str) -> bool:
        """Whether an address that the AppView gave shows a picture."""
        response = await self._http.get(url)
        return response.is_success and response.headers["content-type"].startswith("image/")

    # -- waiting

    async def wait_indexed(self) -> None:
        """Return when the AppView has indexed all that the PDS has."""
        await self.control("POST", "/process")

    async def wait_for(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """Look until there is something to see; the network is real, and so is the time.

        Raises:
            TimeoutError: there was nothing within 15 s; ``what`` was awaited.
        """
        with trio.move_on_after(WITHIN_S):
            while True:
                if seen := await look():
                    return seen
                await trio.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"not seen within {WITHIN_S:g} s: {what}")

    # -- the front

    async def control(self, method: str, path: str, body: Json | None = None, **query: Any) -> Json:  # noqa: ANN401 (what httpx takes)
        """A call of the front's control API: see the network's README."""
        url = f"{self._ready['control']}{path}"
        response = await self._http.request(method, url, json=body, params=query)
        response.raise_for_status()
        answer: Json = response.json()
        return answer

    async def add_fault(self, match: str, kind: str, **rest: str | int | float | bool) -> None:
        """Let the calls whose NSID matches misbehave, once unless ``count`` says more."""
        await self.control("POST", "/faults", {"match": match, "kind": kind, **rest})

    async def list_calls(self, match: str = "") -> list[Json]:
        """The calls that went through the front, oldest first; ``match`` is a regex on the NSID."""
        answer = await self.control("GET", "/log", nsid=match)
        calls: list[Json] = answer["calls"]
        return calls

    async def limit_access(self, seconds: int) -> None:
        """Let access tokens that the front gives out live so long; 0 for as long as usual."""
        await self.control("POST", "/session-ttl", {"access_ttl_s": seconds})

    async def behave(self) -> None:
        """End all faults, limits and lags of earlier tests, and forget their calls."""
        await self.control("DELETE", "/faults")
        await self.control("POST", "/session-ttl", {"access_ttl_s": 0})
        await self.control("POST", "/indexing", {"on": True})
        await self.control("DELETE", "/log")
