"""Names of things: TIDs, DIDs, CIDs, at-uris and times."""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import libipld

Clock: TypeAlias = Callable[[], datetime]
"""The wall clock: an aware time in UTC."""

Json: TypeAlias = Mapping[str, Any]
"""One JSON object as it travels on the wire."""

BASE32_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAG_CBOR = 0x71
_RAW = 0x55


def sortable(number: int) -> str:
    """``number`` as 13 characters that sort as the number does: the alphabet of TIDs and revs."""
    digits = [BASE32_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5)]
    return "".join(digits)


class TidClock:
    """Gives TIDs: timestamps in microseconds with a clock id, each greater than the one before."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._clock_id = rng.randrange(1024)
        self._last = 0

    def next(self) -> str:
        """A TID greater than all before, also while the clock stands still."""
        now = (self._clock() - _EPOCH) // timedelta(microseconds=1)
        self._last = max(now, self._last + 1)
        return sortable(self._last << 10 | self._clock_id)


def make_did(rng: random.Random) -> str:
    """A new ``did:plc``."""
    return "did:plc:" + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=24))


class AtUri(NamedTuple):
    """The parts of ``at://<did>/<collection>/<record key>``."""

    did: str
    collection: str
    record_key: str

    def __str__(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.record_key}"


def parse_at_uri(uri: str) -> AtUri:
    """The parts of a record's uri.

    Raises:
        ValueError: it does not name a record.
    """
    parts = uri.removeprefix("at://").split("/")
    if not uri.startswith("at://") or len(parts) != 3 or not all(parts):
        raise ValueError(f"{uri!r} names no record")
    return AtUri(*parts)


def authority(uri: str) -> str:
    """Whose repository an at-uri points into."""
    return uri.removeprefix("at://").partition("/")[0]


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-01-01T00:00:00.000Z``. Such texts sort as times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The moment that an ISO 8601 text names; without a zone it is in UTC.

    Raises:
        ValueError: it names none.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def normalize_time(text: object) -> str:
    """A record's time as the AppView sorts by it; one it cannot read is the beginning of 1970."""
    try:
        return format_time(parse_time(str(text)))
    except (ValueError, OverflowError):
        return format_time(_EPOCH)


def record_cid(record: Json) -> str:
    """The CIDv1 of a record: SHA-256 over its DAG-CBOR. Equal records have equal CIDs."""
    return _cid(_DAG_CBOR, libipld.encode_dag_cbor(_to_ipld(record)))


def blob_cid(content: bytes) -> str:
    """The CIDv1 of a blob: SHA-256 over its bytes."""
    return _cid(_RAW, content)


def _cid(codec: int, content: bytes) -> str:
    raw = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def _to_ipld(value: object) -> object:
    """JSON to the data model: ``{"$link"}`` is a link and ``{"$bytes"}`` bytes."""
    if isinstance(value, Mapping):
        if value.keys() == {"$link"} or value.keys() == {"$bytes"}:
            return _special(value)
        return {key: _to_ipld(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_ipld(item) for item in value]
    return value


def _special(value: Json) -> object:
    try:
        if "$link" in value:
            return _cid_bytes(value["$link"])
        return base64.b64decode(value["$bytes"] + "==", validate=False)
    except (ValueError, TypeError, binascii.Error):
        return dict(value)


def _cid_bytes(cid: str) -> bytes:
    libipld.decode_cid(cid)
    if not cid.startswith("b"):
        raise ValueError(f"{cid!r} is no base32 CID")
    body = cid[1:].upper()
    return base64.b32decode(body + "=" * (-len(body) % 8))
