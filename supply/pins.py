"""What the locks pin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^[A-Za-z0-9].*?==.*?(?= \\$|$)", re.MULTILINE)


class Pin(NamedTuple):
    """A package at the one version that is installed."""

    name: NormalizedName
    version: Version


def read_pins(lock: str, environment: Mapping[str, str] | None = None) -> Iterator[Pin]:
    """The pins of a lock's text; with an environment, those of them that are for it.

    Args:
        environment: as far as it differs from this one, by the names of PEP 508.
    """
    for line in _PIN.findall(lock):
        requirement = Requirement(line)
        marker = requirement.marker
        if environment is not None and marker and not marker.evaluate(dict(environment)):
            continue
        (specifier,) = requirement.specifier
        yield Pin(canonicalize_name(requirement.name), Version(specifier.version))
