"""XRPC over httpx, with the errors typed by what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from actors.messages import Json

Parameters: TypeAlias = Mapping[str, str | int | Sequence[str]]


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
