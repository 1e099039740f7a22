"""XRPC over httpx, with the errors typed by what to do next."""

from __future__ import annotations

from typing import Protocol

from actors.bluesky.errors import TokenRefused
from actors.bluesky.session import SessionOwner
from actors.bluesky.xrpc import Call, Parameters, Xrpc
from actors.messages import Json

__all__ = ["Bluesky", "BlueskyClient", "Parameters", "UploadingBluesky"]


class Bluesky(Protocol):
    """What the Bluesky actors need of the network: one logged-in account."""

    async def did(self) -> str:
        """The account's DID, logging in first if need be."""

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """An XRPC query (GET). ``chat`` goes through ``did:web:api.bsky.chat#bsky_chat``."""

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """An XRPC procedure (POST). An empty answer is an empty mapping.

        Raises (as ``query`` does):
            RateLimited: with the server's own waiting time.
            Retryable: network, 5xx; ``effect`` is ``UNKNOWN`` when it may have happened.
            AuthRejected: the login is refused, with the action.
            Rejected: ``code`` is the XRPC ``error`` name, the message is the server's.
            Malformed: the answer is not the JSON object that was promised.
        """


class UploadingBluesky(Bluesky, Protocol):
    """The same for those who also upload files."""

    async def upload(self, content: bytes, mime: str) -> Json:
        """``com.atproto.repo.uploadBlob``; raises as ``query`` does. Repeating it is harmless."""


class BlueskyClient:
    """:class:`Bluesky` over the network: each request with the session's access token.

    A request whose token is refused is sent once more, with a renewed one: a server that refuses
    the token has not acted.

    Args:
        xrpc: how requests are sent.
        sessions: the one owner of the account's session.
    """

    def __init__(self, xrpc: Xrpc, sessions: SessionOwner) -> None:
        self._xrpc = xrpc
        self._sessions = sessions

    async def did(self) -> str:
        """The account's DID, logging in first if need be."""
        return (await self._sessions.current()).did

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """An XRPC query. If cancelled, nothing has happened."""
        return await self._send(Call("GET", nsid, parameters=parameters, chat=chat))

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """An XRPC procedure. If cancelled, it may have taken effect."""
        return await self._send(Call("POST", nsid, body=body, chat=chat))

    async def upload(self, content: bytes, mime: str) -> Json:
        """Upload a blob. If cancelled, it may be there; uploaded again, it is the same one."""
        nsid = "com.atproto.repo.uploadBlob"
        return await self._send(Call("POST", nsid, content=content, mime=mime, repeatable=True))

    def spare(self) -> float:
        """The share of the platform's budget that is left now, from 0 to 1."""
        return self._xrpc.spare()

    async def _send(self, call: Call) -> Json:
        session = await self._sessions.current()
        try:
            return await self._xrpc.send(call, service=session.service, token=session.access)
        except TokenRefused:
            renewed = await self._sessions.renew(session)
        return await self._xrpc.send(call, service=renewed.service, token=renewed.access)
