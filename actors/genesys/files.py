"""Files that agents attach: they lie in Genesys Cloud, which hands them out for a token."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from actors.genesys.token import TokenKeeper
from actors.media.fetcher import Fetcher
from actors.media.fetching import Fetched, Wanted
from runtime.errors import Rejected
from runtime.rate import Budget


class AgentFiles:
    """:class:`actors.media.fetching.Files` of one organization.

    An attachment's address asks for the token and, as a rule, redirects to a signed one elsewhere
    that does not. The token goes to the API's own address and to the host of its region that hands
    out files, and to nobody else, however one is led there.

    Args:
        fetcher: what is fetched with.
        tokens: shared with all who call the API.
        budget: the same; an address that asks for the token is a call of the API.
        api_url: for example ``https://api.mypurecloud.com``.
        region: the region's domain, for example ``mypurecloud.com``.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        tokens: TokenKeeper,
        budget: Budget,
        api_url: str,
        region: str,
    ) -> None:
        self._fetcher = fetcher
        self._tokens = tokens
        self._budget = budget
        own = (api_url, f"https://api.{region}", f"https://api-downloads.{region}")
        self._origins = {_find_origin(url) for url in own}

    async def fetch(self, url: str, wanted: Wanted) -> Fetched:
        """Fetch it; raises as the protocol says. A refused token is renewed once."""
        sign = _Signature(self)
        try:
            return await self._fetcher.fetch(url, wanted, sign)
        except Rejected as error:
            if error.code != "unauthorized" or sign.token is None:
                raise
            await self._tokens.renew(refused=sign.token)
        return await self._fetcher.fetch(url, wanted, _Signature(self))

    def is_public(self, url: str) -> bool:
        """Whether it is an https address that asks for no token of ours."""
        origin = _find_origin(url)
        return origin is not None and origin[0] == "https" and origin not in self._origins

    async def sign(self, url: str) -> str | None:
        """The token, if the address may see it. Raises as :meth:`TokenKeeper.get`."""
        if _find_origin(url) not in self._origins:
            return None
        await self._budget.acquire()
        return await self._tokens.get()


class _Signature:
    """Signs one fetch, and remembers with which token."""

    def __init__(self, files: AgentFiles) -> None:
        self._files = files
        self.token: str | None = None

    async def __call__(self, url: str) -> Mapping[str, str]:
        token = await self._files.sign(url)
        if token is None:
            return {}
        self.token = token
        return {"Authorization": f"Bearer {token}"}


def _find_origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, the port ``None`` where it is the usual one; ``None`` if there are
    none."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return None
    return (parsed.scheme, parsed.host, parsed.port) if parsed.host else None
