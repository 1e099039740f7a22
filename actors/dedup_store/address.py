"""Where Redis is, from ``REDIS_URL`` and ``REDIS_TOKEN``. Nothing here touches the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_FORMS = "redis://HOST:6379/0, rediss://, unix:///PATH, or https://HOST of Upstash"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis is and how to log in. ``path`` is set for a unix socket, else ``host``."""

    host: str = ""
    port: int = 6379
    path: str | None = None
    database: int = 0
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_address(url: str, token: str | None = None) -> RedisAddress:
    """Read ``REDIS_URL`` and, for Upstash, ``REDIS_TOKEN``.

    Upstash shows an ``https://`` address and a token; the token is also the password of the user
    ``default`` over TLS on port 6379.

    Raises:
        ValueError: with what is expected. It never repeats the address, which may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"REDIS_URL is no address: write {_FORMS}") from None
    if parts.scheme == "https":
        return _parse_upstash(parts, token)
    if token is not None:
        raise ValueError("REDIS_TOKEN goes only with an https:// REDIS_URL, as Upstash shows them")
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    database = _parse_database(parts)
    if parts.scheme == "unix":
        path = unquote(parts.path)
        if parts.hostname or not path.startswith("/"):
            raise ValueError("REDIS_URL: unix:// is followed by an absolute path: unix:///PATH")
        return RedisAddress(path=path, database=database, username=username, password=password)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError(f"REDIS_URL is no such address: write {_FORMS}")
    return RedisAddress(
        host=parts.hostname,
        port=port or 6379,
        database=database,
        tls=parts.scheme == "rediss",
        username=username,
        password=password,
    )


def _parse_upstash(parts: SplitResult, token: str | None) -> RedisAddress:
    if not token:
        raise ValueError("REDIS_URL is Upstash's https:// address: REDIS_TOKEN is missing")
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or "@" in parts.netloc:
        raise ValueError("REDIS_URL: Upstash's address is https://HOST and nothing more")
    return RedisAddress(host=parts.hostname, tls=True, username="default", password=token)


def _parse_database(parts: SplitResult) -> int:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    number = options.pop("db", None)
    if number is None and parts.scheme != "unix":
        number = parts.path.strip("/")
    if options or parts.fragment:
        raise ValueError("REDIS_URL: no option is understood but ?db=NUMBER")
    if not number:
        return 0
    if not number.isdecimal():
        raise ValueError("REDIS_URL: the database is a number, for example redis://HOST:6379/0")
    return int(number)
