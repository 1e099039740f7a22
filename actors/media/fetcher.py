"""Fetching from addresses that strangers name, without being led to where they should not lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message

import httpx
import trio

from actors.media.addresses import Resolve, is_public, resolve_host
from actors.media.decoding import read_content
from actors.media.fetching import Fetched, Sign, Wanted
from runtime.errors import Rejected, Retryable

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}
_LAST_PORT = 65_535


def make_http(user_agent: str, **more: object) -> httpx.AsyncClient:
    """The connections of a :class:`Fetcher`: none is used twice, and no proxy.

    A connection belongs to one address and one name; kept for another name at the same address,
    its certificate would not have been checked for that name.
    """
    return httpx.AsyncClient(
        headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
        limits=httpx.Limits(max_keepalive_connections=0),
        timeout=None,  # noqa: S113 (each fetch has its own limit)
        trust_env=False,
        **more,  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request goes: the address as it was named, and those that were checked."""

    url: httpx.URL
    host: str
    addresses: tuple[str, ...]


class Fetcher:
    """Fetches over https, from public addresses only.

    A host name is resolved here, every address that it has is checked, and the connection is made
    to the very address that was checked, under the name that was given (``Host`` and TLS). Each
    redirection is checked like the first address.

    Args:
        http: see :func:`make_http`; not closed here.
        resolve: how names become addresses.
        admit: for tests: which other addresses are let through nevertheless, without TLS too.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        resolve: Resolve = resolve_host,
        admit: Callable[[str], bool] = lambda _address: False,
    ) -> None:
        self._http = http
        self._resolve = resolve
        self._admit = admit

    async def fetch(self, url: str, wanted: Wanted, sign: Sign | None = None) -> Fetched:
        """Fetch it, as :class:`actors.media.fetching.Fetch` says.

        Args:
            url: the address.
            wanted: what may come.
            sign: asked anew for each address on the way which headers go there.
        """
        with trio.move_on_after(wanted.within_s):
            return await self._follow(_parse(url), wanted, sign)
        raise Retryable(f"{_name(url)}: not fetched within {wanted.within_s:g} s")

    async def _follow(self, url: httpx.URL, wanted: Wanted, sign: Sign | None) -> Fetched:
        for _ in range(MOST_REDIRECTS + 1):
            place = await self._check(url)
            signed = await sign(str(url)) if sign is not None else {}
            found = await self._request(place, wanted, signed)
            if isinstance(found, Fetched):
                return found
            url = found
        raise Rejected("redirects", f"{url.host}: more than {MOST_REDIRECTS} redirections")

    async def _check(self, url: httpx.URL) -> _Place:
        if url.scheme not in _PORTS or not url.host or url.userinfo:
            raise Rejected("address", f"{_name(url)}: only plain https addresses are fetched")
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        if "%" in host or port > _LAST_PORT:
            raise Rejected("address", f"{_name(url)} is no place on the internet")
        try:
            found = await self._resolve(host, port)
        except UnicodeError as error:
            raise Rejected("address", f"{_name(url)} is no name of a host") from error
        except OSError as error:
            raise Retryable(f"{_name(url)} cannot be found: {error}") from error
        if not found:
            raise Retryable(f"{_name(url)} has no address")
        if not all(is_public(one) or self._admit(one) for one in found):
            raise Rejected("address", f"{_name(url)} is not on the public internet")
        if url.scheme != "https" and any(is_public(one) for one in found):
            raise Rejected("address", f"{_name(url)}: only https addresses are fetched")
        return _Place(url, host, tuple(found))

    async def _request(
        self, place: _Place, wanted: Wanted, signed: Mapping[str, str]
    ) -> Fetched | httpx.URL:
        """The content, or the address of the next redirection."""
        try:
            response = await self._open(place, wanted, signed)
            try:
                if response.status_code in _REDIRECTS:
                    return _read_location(place.url, response)
                _check_status(place.host, response)
                return await _read(place.url, response, wanted)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            why = f"{place.host}: {type(error).__name__} {error}"
            raise Retryable(why.strip()) from error

    async def _open(
        self, place: _Place, wanted: Wanted, signed: Mapping[str, str]
    ) -> httpx.Response:
        """The answer of the first address that can be connected to, its content not yet read."""
        accept = (f"{one}*" if one.endswith("/") else one for one in wanted.types)
        host = place.url.netloc.decode("ascii")
        headers = {"Host": host, "Accept": ", ".join(accept), **signed}
        *others, last = place.addresses
        for address in (*others, last):
            request = self._http.build_request(
                "GET",
                place.url.copy_with(host=address),
                headers=headers,
                extensions={"sni_hostname": place.host},
            )
            try:
                return await self._http.send(request, stream=True, follow_redirects=False)
            except httpx.ConnectError:
                if address == last:
                    raise
        raise AssertionError("there is a last address")


async def _read(url: httpx.URL, response: httpx.Response, wanted: Wanted) -> Fetched:
    host = _name(url)
    media_type, charset = _read_type(response)
    if not media_type.startswith(wanted.types):
        raise Rejected("type", f"{host} sent {media_type[:60] or 'something without a type'}")
    content = await read_content(response, wanted.most_bytes)
    if len(content) > wanted.most_bytes and not wanted.cut:
        raise Rejected("size", f"{host} sent more than {wanted.most_bytes} bytes")
    return Fetched(str(url), media_type, charset, content[: wanted.most_bytes])


def _read_type(response: httpx.Response) -> tuple[str, str | None]:
    header = Message()
    header["content-type"] = response.headers.get("content-type", "")
    media_type = header.get_content_type() if header["content-type"] else ""
    return media_type, header.get_content_charset()


def _read_location(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    try:
        return url.join(response.headers["location"]).copy_with(fragment=None)
    except (KeyError, ValueError, httpx.InvalidURL) as error:
        raise Rejected("redirects", f"{_name(url)} redirects to nowhere") from error


def _check_status(host: str, response: httpx.Response) -> None:
    status = response.status_code
    if status in (408, 425, 429) or status >= 500:
        raise Retryable(f"{host} answered {status}")
    if status == httpx.codes.UNAUTHORIZED:
        raise Rejected("unauthorized", f"{host} answered {status}")
    if status != httpx.codes.OK:
        raise Rejected("status", f"{host} answered {status}")


def _parse(url: str) -> httpx.URL:
    try:
        return httpx.URL(url).copy_with(fragment=None)
    except (httpx.InvalidURL, UnicodeError, TypeError) as error:
        raise Rejected("address", "this is not an address on the web") from error


def _name(url: str | httpx.URL) -> str:
    """How an address is called in errors: without its path, which may hold a key."""
    return _parse(url).host[:100] if isinstance(url, str) else url.host[:100]
