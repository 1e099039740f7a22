"""The string formats of the lexicon language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import libipld

Format: TypeAlias = Literal[
    "at-identifier",
    "at-uri",
    "cid",
    "datetime",
    "did",
    "handle",
    "language",
    "nsid",
    "record-key",
    "tid",
    "uri",
]

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?")
_NSID = re.compile(
    rf"[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?(?:\.{_LABEL})+\.[a-zA-Z]\w{{0,62}}"
)
_RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}")
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,20})?(?:Z|[+-]\d\d:\d\d)")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9.+-]*:(?://)?[^\s/]\S*")
_LANGUAGE = re.compile(r"(?:i|[a-z]{2,8})(?:-[a-zA-Z0-9]{1,8})*")


def is_did(text: str) -> bool:
    """``did:plc:...`` or ``did:web:...``."""
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def is_handle(text: str) -> bool:
    """A domain name whose last label does not start with a digit."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_at_identifier(text: str) -> bool:
    """A DID or a handle."""
    return is_did(text) or is_handle(text)


def is_nsid(text: str) -> bool:
    """The id of a lexicon: ``app.bsky.feed.post``."""
    return len(text) <= 317 and text.isascii() and _NSID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """What may stand last in an at-uri."""
    return _RECORD_KEY.fullmatch(text) is not None and text not in (".", "..")


def is_tid(text: str) -> bool:
    """A record key that is a time: 13 characters."""
    return _TID.fullmatch(text) is not None


def is_at_uri(text: str) -> bool:
    """``at://`` and a DID or handle, perhaps with a collection, perhaps with a record key."""
    if not text.startswith("at://") or len(text) > 8192:
        return False
    authority, *path = text.removeprefix("at://").split("/")
    if not is_at_identifier(authority) or len(path) > 2:
        return False
    return (not path or is_nsid(path[0])) and (len(path) < 2 or is_record_key(path[1]))


def is_cid(text: str) -> bool:
    """A content id in its text form."""
    try:
        libipld.decode_cid(text)
    except ValueError:
        return False
    return True


def is_datetime(text: str) -> bool:
    """RFC 3339 with seconds and a zone; ``-00:00`` is none."""
    if _DATETIME.fullmatch(text) is None or text.endswith("-00:00"):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_uri(text: str) -> bool:
    """Anything with a scheme and no spaces."""
    return len(text) <= 8192 and _URI.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """A BCP 47 tag."""
    return _LANGUAGE.fullmatch(text) is not None


CHECKS: Mapping[Format, Callable[[str], bool]] = {
    "at-identifier": is_at_identifier,
    "at-uri": is_at_uri,
    "cid": is_cid,
    "datetime": is_datetime,
    "did": is_did,
    "handle": is_handle,
    "language": is_language,
    "nsid": is_nsid,
    "record-key": is_record_key,
    "tid": is_tid,
    "uri": is_uri,
}
