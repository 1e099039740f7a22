"""What the variables look like: how each kind of text is read, and how it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr

from actors.dedup_store import parse_keys
from actors.store import POSTS_KEEP_S, SEEN_KEEP_S
from actors.translation.commands import EVERY_WORD
from runtime.networks import Networks, parse_networks
from runtime.rate import Rate

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
MOST_LANGUAGES = 3
SHORTEST_OF_TWO = 8
"""Half of a secret that has a comma in it would else be a secret that is easy to guess."""
_UNIT_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> float:
    """Seconds, from a time such as ``90``, ``30s``, ``15m``, ``1h`` or ``2d``.

    Raises:
        ValueError: with what is expected.
    """
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("expected a time such as 90, 30s, 15m, 1h or 2d")
    return float(match[1]) * _UNIT_S[match[2]]


def _check_secrets(secret: SecretStr) -> SecretStr:
    """One webhook secret, or two with a comma between them while one replaces the other."""
    parts = split_secrets(secret.get_secret_value())
    if len(parts) == 1:
        return secret
    if len(parts) > 2 or any(len(part) < SHORTEST_OF_TWO for part in parts):
        raise ValueError(
            f"a comma parts two secrets, of {SHORTEST_OF_TWO} characters or more each; one that "
            "has a comma in it cannot be used: make another one in Genesys Cloud"
        )
    return secret


def split_secrets(text: str) -> tuple[str, ...]:
    """The secrets that are parted by commas."""
    return tuple(part.strip() for part in text.split(","))


def _parse_networks(value: object) -> object:
    return parse_networks(value) if isinstance(value, str) else value


def _check_address(address: str) -> str:
    """A bare address, with nothing in it that would be sent along."""
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("it has a user, a query or a fragment; expected a plain https:// address")
    return address


def _check_look_back(seconds: float) -> float:
    if seconds > SEEN_KEEP_S:
        raise ValueError(
            f"more than {SEEN_KEEP_S / _UNIT_S['d']:g}d; what was taken in longer ago than that "
            "is not remembered, and would be taken in again"
        )
    return seconds


def _check_attention(seconds: float) -> float:
    if seconds > POSTS_KEEP_S:
        raise ValueError(
            f"more than {POSTS_KEEP_S / _UNIT_S['d']:g}d; which posts are concerned is not "
            "remembered for longer"
        )
    return seconds


def _check_keys(keys: SecretStr) -> SecretStr:
    parse_keys(keys.get_secret_value())
    return keys


def _parse_rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(str(value))


def _parse_queries(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(query.strip() for query in re.split(r"[\n;]", value) if query.strip())


def _parse_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(entry.strip() for entry in re.split(r"[\n,]", value) if entry.strip())


def _check_langs(langs: tuple[str, ...]) -> tuple[str, ...]:
    for lang in langs:
        if not _LANGUAGE.fullmatch(lang):
            raise ValueError(f"{lang!r} is no language; expected such as en, de or pt-BR")
    return langs


def _parse_commands(value: object) -> object:
    """``all``, ``none``, or words with or without their ``!``."""
    if not isinstance(value, str):
        return value
    words = frozenset(word.removeprefix("!") for word in _words(value.lower()))
    if words in ({"all"}, {"none"}):
        return EVERY_WORD if "all" in words else frozenset()
    if unknown := sorted(words - EVERY_WORD):
        raise ValueError(
            f"{unknown[0]!r} is no command; expected all, none, or some of "
            f"{', '.join(sorted(EVERY_WORD))}"
        )
    return words


def _parse_languages(value: object) -> object:
    """Language tags of BCP 47; a post names three at most (``app.bsky.feed.post``: ``langs``)."""
    if not isinstance(value, str):
        return value
    tags = tuple(_words(value))
    if wrong := [tag for tag in tags if not _LANGUAGE.fullmatch(tag)]:
        raise ValueError(f"{wrong[0]!r} is no language; expected tags such as en or de-CH")
    if len(tags) > MOST_LANGUAGES:
        raise ValueError(f"more than {MOST_LANGUAGES} languages; a post names no more")
    return tags


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]


def _parse_handle(value: object) -> object:
    return value.strip().removeprefix("@").lower() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Shape:
    """What a variable looks like, in words that fit behind "expected": metadata of its type."""

    text: str


Duration = Annotated[float, BeforeValidator(parse_duration), Shape("a time")]
Seconds = Annotated[Duration, Field(gt=0), Shape("a time, more than 0")]
Window = Annotated[Duration, Field(ge=0, le=86400), Shape("a time, at most 1d")]
ShortWindow = Annotated[Duration, Field(ge=0, le=30), Shape("a time, at most 30s")]
LookBack = Annotated[
    Duration, Field(ge=0), AfterValidator(_check_look_back), Shape("a time, at most 30d")
]
Attention = Annotated[
    Duration, Field(ge=0), AfterValidator(_check_attention), Shape("a time, at most 7d")
]
Queries = Annotated[
    tuple[str, ...],
    BeforeValidator(_parse_queries),
    Shape("queries, separated by `;` or newlines"),
]
Listed = Annotated[
    tuple[str, ...],
    BeforeValidator(_parse_list),
    Shape("entries, separated by commas or newlines"),
]
Langs = Annotated[
    Listed, AfterValidator(_check_langs), Shape("languages, separated by commas or newlines")
]
PostLangs = Annotated[
    tuple[str, ...],
    BeforeValidator(_parse_languages),
    Shape("at most three languages, separated by commas"),
]
CommandWords = Annotated[
    frozenset[str],
    BeforeValidator(_parse_commands),
    Shape("`all`, `none`, or commands, separated by commas"),
]
StateKeys = Annotated[
    SecretStr, AfterValidator(_check_keys), Shape("keys of 32 bytes in base64, parted by commas")
]
Limit = Annotated[Rate, PlainValidator(_parse_rate), Shape("a count and seconds")]
StreamAddress = Annotated[
    str, Field(pattern=r"^wss?://[^\s/]+(/.*)?$"), Shape("a websocket's address")
]
Address = Annotated[
    str,
    Field(pattern=r"^https?://[^\s/]+(/.*)?$"),
    AfterValidator(_check_address),
    Shape("a web address"),
]
WebhookSecret = Annotated[
    SecretStr, AfterValidator(_check_secrets), Shape("a text, or two with a comma between them")
]
AllowedNetworks = Annotated[
    Networks,
    BeforeValidator(_parse_networks),
    Shape("networks and addresses, separated by commas"),
]
Host = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"), Shape("a domain")]
Handle = Annotated[
    str,
    BeforeValidator(_parse_handle),
    Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"),
    Shape("a handle, with or without its `@`"),
]
Id = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]+$"), Shape("an id: letters, digits, dots and dashes")
]
Text = Annotated[str, Field(min_length=1), Shape("a text")]
AdminToken = Annotated[
    Annotated[SecretStr, Field(min_length=16)] | None,
    Shape("a long random text, at least 16 characters"),
]
AdminPort = Annotated[
    Annotated[int, Field(ge=0, le=65535)] | None, Shape("a whole number from 0 to 65535")
]
Count = Annotated[int, Field(ge=1, le=10_000), Shape("a whole number from 1 to 10000")]
