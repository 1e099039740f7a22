"""What is said when something is fetched: how much of what is wanted, and what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may come.

    Args:
        types: media types as they begin, in lower case: ``image/`` takes every image. What says
            that it is something else is refused; that it says so proves nothing.
        most_bytes: the most that is taken, decompressed.
        within_s: how long all of it may take, redirections included.
        cut: whether the beginning of something larger will do.
    """

    types: tuple[str, ...]
    most_bytes: int
    within_s: float
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the address that it came from in the end, and what its sender calls it."""

    url: str
    media_type: str
    charset: str | None
    content: bytes


class Fetch(Protocol):
    """Fetches what anybody may see."""

    async def fetch(self, url: str, wanted: Wanted) -> Fetched:
        """Fetch it. If cancelled, nothing has changed anywhere.

        Raises:
            Rejected: it cannot be had. ``code`` is ``address`` (not an address from which anything
                is fetched), ``type``, ``size``, ``encoding``, ``redirects``, ``unauthorized`` or
                ``status``.
            Retryable: not now: no answer in time, a network fault, 429 or 5xx.
        """


class Files(Protocol):
    """Fetches what an agent attached."""

    async def fetch(self, url: str, wanted: Wanted) -> Fetched:
        """Fetch it, as :class:`Fetch` does; with a token where one is due.

        Raises:
            AuthRejected: the token is refused.
        """

    def is_public(self, url: str) -> bool:
        """Whether it is an address that anybody may fetch, as far as can be told from it."""


class Sign(Protocol):
    """Says which headers a request carries to prove who asks."""

    async def __call__(self, url: str) -> Mapping[str, str]:
        """Those for this address; none if it is not one that may see them."""
