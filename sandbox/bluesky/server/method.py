"""What a method is: where it is found, what it takes, who may call it and what it does."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sandbox.bluesky.accounts import Account
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.limits import Charge
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.schema import Array, Boolean, Integer, Object, Text
from sandbox.bluesky.sessions import Credentials
from sandbox.bluesky.views import Views

ADDRESS = "127.0.0.1"
"""Every caller of a server on loopback."""

JSON_LIMIT = 150 * 1024
"""How large a JSON body may be, in bytes, where a method does not say otherwise."""


class Access(enum.Enum):
    """Who may call a method: anybody, an access token, or a refresh token."""

    PUBLIC = enum.auto()
    ACCESS = enum.auto()
    REFRESH = enum.auto()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter."""

    schema: Text | Integer | Boolean | Array
    required: bool = False
    default: int | str | bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A call that passed all checks.

    ``params`` holds what was given and the defaults. ``body`` is the JSON body, ``content`` the
    bytes of any other. ``token`` is a refresh token where one was asked for.
    """

    network: BlueskyNetwork
    base_url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""
    content_type: str = ""
    credentials: Credentials | None = None
    token: str = ""

    @property
    def account(self) -> Account:
        """Who calls.

        Raises:
            LookupError: the method is public.
        """
        if self.credentials is None:
            raise LookupError("a public method has no caller")
        return self.credentials.account

    @property
    def views(self) -> Views:
        """What the caller sees."""
        network = self.network
        return Views(network.accounts, network.index, self.account.did, self.base_url)


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is not JSON."""

    content: bytes
    mime: str
    headers: Mapping[str, str]


Answer: TypeAlias = Json | File | None
"""What a method answers; ``None`` is 200 with an empty body."""


def _no_charges(request: Request) -> Sequence[Charge]:
    del request
    return ()


@dataclass(frozen=True, slots=True)
class Method:
    """An XRPC method.

    ``body`` is the schema of a JSON body, ``"bytes"`` for any other, ``None`` if there is none.
    ``privileged`` ones refuse app passwords without access to direct messages.
    """

    nsid: str
    kind: Literal["query", "procedure"]
    handle: Callable[[Request], Answer]
    params: Mapping[str, Parameter] = field(default_factory=dict)
    body: Object | Literal["bytes"] | None = None
    access: Access = Access.ACCESS
    privileged: bool = False
    json_limit: int = JSON_LIMIT
    charges: Callable[[Request], Sequence[Charge]] = _no_charges

    @property
    def http_method(self) -> str:
        """GET or POST."""
        return "GET" if self.kind == "query" else "POST"


def limit(default: int) -> Parameter:
    """The usual ``limit``: 1 to 100."""
    return Parameter(Integer(minimum=1, maximum=100), default=default)


CURSOR = Parameter(Text())
AT_URI = Parameter(Text("at-uri"), required=True)
ACTOR = Parameter(Text("at-identifier"), required=True)
