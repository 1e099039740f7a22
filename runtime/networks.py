"""Addresses and networks, as they are written in settings, headers and sockets."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks: TypeAlias = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

_REMEMBERED = 256
"""The same few clients come again and again, and reading an address takes its time."""

_LONGEST = 128
"""No address is longer, with its zone: what anybody may write is not remembered."""

_CLIENT_PREFIX = 64
"""Whoever has one address of IPv6 has as a rule all of a network of this size."""


def parse_networks(text: str) -> Networks:
    """Networks and addresses, parted by commas or white space: ``10.0.0.0/8, 2001:db8::/32``.

    Raises:
        ValueError: one of them is none, or has bits set behind its prefix.
    """
    return tuple(ipaddress.ip_network(one) for one in text.replace(",", " ").split())


def parse_address(text: str) -> Address | None:
    """An address as a peer or a proxy writes it: bare, with a port, in brackets, with a zone.

    IPv4 written as IPv6 is IPv4. ``None`` if it is none.
    """
    return None if len(text) > _LONGEST else _parse_address(text)


@lru_cache(maxsize=_REMEMBERED)
def _parse_address(text: str) -> Address | None:
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_in(address: Address | None, networks: Networks) -> bool:
    """Whether an address belongs to one of the networks."""
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=_REMEMBERED)
def find_client(text: str) -> str:
    """What counts as one client: an IPv4 address, or a network of 64 bits of IPv6.

    What is no address counts as it is written.
    """
    address = parse_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, _CLIENT_PREFIX), strict=False))
    return text if address is None else str(address)
