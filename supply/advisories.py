"""Advisories in the OSV format, and whether they are about a pinned version.

The format: https://ossf.github.io/osv-schema/, of which only what tells versions is kept.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

import pydantic
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from supply.pins import Pin


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class Package(_Part):
    """Whom it is about; other ecosystems than PyPI are passed over."""

    ecosystem: str
    name: str


class Event(_Part):
    """Exactly one is set. ``introduced: "0"`` is before every version."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class Range(_Part):
    """Versions from an ``introduced`` to before the next ``fixed``."""

    type: str
    events: tuple[Event, ...]


class Affected(_Part):
    """Which versions: by the ranges, or one by one."""

    package: Package
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _shorten(self) -> Self:
        """Versions one by one are as long as the history, and say what the ranges say."""
        ranges = tuple(one for one in self.ranges if one.type == "ECOSYSTEM")
        return self if not ranges else self.model_copy(update={"ranges": ranges, "versions": ()})


class Advisory(_Part):
    """One; ``withdrawn`` ones are about nothing."""

    id: str
    aliases: tuple[str, ...] = ()
    modified: str = ""
    withdrawn: str | None = None
    summary: str = ""
    affected: tuple[Affected, ...] = ()
    database_specific: dict[str, Any] = {}


class Record(_Part):
    """What was asked, of whom, and when.

    Args:
        complete: whether the source was asked about every package in ``asked``, and answered.
    """

    recorded: str
    source: str
    complete: bool
    asked: tuple[str, ...]
    advisories: tuple[Advisory, ...]


class Finding(NamedTuple):
    """A pinned version that an advisory is about; ``fixed`` is ``None`` while none is known."""

    pin: Pin
    advisory: Advisory
    fixed: Version | None

    def __str__(self) -> str:
        names = ", ".join((self.advisory.id, *self.advisory.aliases))
        mended = f"fixed in {self.fixed}" if self.fixed else "no fixed version is known"
        return f"{self.pin.name} {self.pin.version}: {names}: {mended}. {self.advisory.summary}"


def find(advisory: Advisory, pin: Pin) -> Finding | None:
    """What the advisory has to say of the pinned version."""
    about = [
        one
        for one in advisory.affected
        if one.package.ecosystem == "PyPI" and canonicalize_name(one.package.name) == pin.name
    ]
    if advisory.withdrawn or not any(_is_affected(one, pin.version) for one in about):
        return None
    fixes = (
        _read(event.fixed)
        for one in about
        for within in one.ranges
        for event in within.events
        if event.fixed
    )
    return Finding(pin, advisory, min((one for one in fixes if one > pin.version), default=None))


def _is_affected(affected: Affected, version: Version) -> bool:
    return str(version) in affected.versions or any(
        _is_within(within, version) for within in affected.ranges
    )


def _is_within(within: Range, version: Version) -> bool:
    """By the schema's own rule: the last event up to the version decides."""
    kinds: dict[Literal["introduced", "fixed", "last_affected"], bool]
    kinds = {"introduced": True, "fixed": False, "last_affected": False}
    found = False
    events = [
        (_read(text), kind, affected)
        for event in within.events
        for kind, affected in kinds.items()
        if (text := getattr(event, kind)) is not None
    ]
    for at, kind, affected in sorted(events, key=lambda event: event[0]):
        if version > at or (version == at and kind != "last_affected"):
            found = affected
    return found


def _read(text: str) -> Version:
    try:
        return Version("0.dev0" if text == "0" else text)
    except InvalidVersion as error:
        raise ValueError(f"an advisory has {text!r} where a version of PyPI belongs") from error
