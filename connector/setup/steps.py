"""What a plan is made of: for each thing, what is to become of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal, TypeAlias


class Kind(enum.StrEnum):
    """The things that a connector needs in Genesys Cloud, in the order in which they are made."""

    SOURCE = "external source"
    INTEGRATION = "Open Messaging integration"
    IDENTITY = "identity resolution"
    TOPIC = "social listening topic"
    RULE = "open data ingestion rule"


VARIABLES = {
    Kind.SOURCE: "GC_EXTERNAL_SOURCE_ID",
    Kind.INTEGRATION: "GC_INTEGRATION_ID",
    Kind.TOPIC: "GC_SOCIAL_TOPIC_ID",
    Kind.RULE: "GC_SOCIAL_RULE_ID",
}
"""Where the id of each is kept. Identity resolution has none of its own."""


@dataclass(frozen=True, slots=True)
class Keep:
    """It is there, and right. ``beware`` is said about it, if anything."""

    kind: Kind
    id: str
    name: str
    beware: str | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """It is not there."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of a thing that is there.

    Args:
        part: what of it.
        value: the new one.
        says: what changes, without secrets.
        question: what a person is asked before it is done; ``None`` if nothing is overwritten.
        otherwise: what is so when it is left as it is.
    """

    part: Literal["webhook_url", "secret", "identity"]
    value: str = field(repr=False)
    says: str
    question: str | None
    otherwise: str


@dataclass(frozen=True, slots=True)
class Amend:
    """It is there, and not as it has to be."""

    kind: Kind
    id: str
    name: str
    amendments: tuple[Amendment, ...]


@dataclass(frozen=True, slots=True)
class Blocked:
    """It can be neither found nor made, until a person does something.

    With ``permissions`` those are what is missing; one that ``waits`` follows by itself when
    another thing is there.
    """

    kind: Kind
    why: str
    remedy: str
    permissions: tuple[str, ...] = ()
    waits: bool = False


Step: TypeAlias = Keep | Create | Amend | Blocked
