"""Record keys that depend on nothing but the message: the reason that a repeat is harmless."""

from __future__ import annotations

import hashlib

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_LENGTH = 13
_CLOCK_IDS = 1024

_WINDOW_START_US = 1_672_531_200_000_000  # 2023-01-01T00:00:00Z
_WINDOW_US = 365 * 86_400 * 1_000_000
_APART_S = 86_400.0


def make_record_key(message_id: str, part: int) -> str:
    """The TID under which one part of a Genesys message is written.

    A post's key must be a TID (a microsecond and a 10-bit clock id). Nothing of the moment goes
    into this one: the same message may come again by another way, after the journal was lost or
    through another process, and must find its own record there instead of making a second. So
    message id and part are hashed into a moment of the year 2023, which is plausible to every
    server, never in the future, and gives some 3 * 10^16 keys. No reader orders posts by key;
    ``createdAt`` does that.

    Args:
        message_id: the platform's id of the agent's message.
        part: 0 for the first record that the message becomes.
    """
    digest = hashlib.sha256(f"{part}:{message_id}".encode()).digest()
    clock_id, offset_us = divmod(int.from_bytes(digest) % (_WINDOW_US * _CLOCK_IDS), _WINDOW_US)
    number = (_WINDOW_START_US + offset_us) << 10 | clock_id
    digits = [_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return "".join(digits)


def is_made_key(record_key: str, created_s: float) -> bool:
    """Whether a record of the account with this key is one that the connector wrote.

    An app takes the moment of writing as the key; here the two have nothing to do with each other.

    Args:
        created_s: the record's ``createdAt``, in unix seconds.
    """
    if len(record_key) != _LENGTH or not set(record_key) <= set(_ALPHABET):
        return False
    number = 0
    for digit in record_key:
        number = number << 5 | _ALPHABET.index(digit)
    offset_us = (number >> 10) - _WINDOW_START_US
    apart_s = abs(created_s - (offset_us + _WINDOW_START_US) / 1e6)
    return 0 <= offset_us < _WINDOW_US and apart_s > _APART_S
