"""``STATE_KEY``: what the store keeps, made unreadable to those who have no key.

A sealed text is ``sealed:1:KEY:DATA``, one line of ASCII: which key, and what AES-SIV (RFC 5297)
made of the text. With the text it authenticates the place that it was written for, so that it
opens nowhere else. The same text at the same place is the same sealed text: there is no nonce that
could be used twice, and a set keeps one member for it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from runtime.errors import Fault, Malformed

if TYPE_CHECKING:
    from actors.dedup_store.cipher import Cipher

PLAIN = "plain"
"""In place of a key: the text as it is."""

_MARK = "sealed:1:"
_KEY_BYTES = 32
_FORMS = "a key is 32 random bytes in base64, as `openssl rand -base64 32` prints them"


class KeyMissing(Fault):
    """It may be in order, but cannot be read with the keys that are set."""


class Sealer:
    """Seals with the first key, and opens with any.

    Args:
        namespace: a text that was sealed for one connector does not open for another.
        keys: each 32 bytes, or ``None`` for no sealing at all. If ``None`` is the first, texts
            are kept as they are; if it is among the others, such texts are still read.
    """

    def __init__(self, namespace: str, keys: Iterable[bytes | None] = (None,)) -> None:
        made = [None if key is None else _make_cipher(key) for key in keys]
        self._namespace = namespace.encode()
        self._first = made[0]
        self._keys = {key.name: key for key in made if key is not None}
        self._takes_plain = None in made

    @classmethod
    def parse(cls, namespace: str, text: str | None) -> Self:
        """Made from ``STATE_KEY``.

        Raises:
            ValueError: as :func:`parse_keys` does.
        """
        return cls(namespace, (None,) if text is None else parse_keys(text))

    @property
    def seals(self) -> bool:
        """Whether what is written from now on is sealed."""
        return self._first is not None

    def seal(self, text: str, *place: str) -> str:
        """The text as it is to be kept at that place."""
        if self._first is None:
            return text
        plain = text.encode("utf-8", "replace")
        data = self._first.encrypt(plain, self._bind(place))
        return f"{_MARK}{self._first.name}:{base64.b64encode(data).decode()}"

    def open(self, kept: str, *place: str) -> str:
        """The reverse of :meth:`seal`.

        Raises:
            KeyMissing: with what to add to ``STATE_KEY``.
            Malformed: somebody changed it, or brought it from another place.
        """
        if not kept.startswith(_MARK):
            if self._takes_plain:
                return kept
            raise KeyMissing(
                "it is not sealed, and STATE_KEY does not say that such texts are read",
                action=f"If it was written before STATE_KEY was set, add “,{PLAIN}” to it.",
            )
        name, _, data = kept.removeprefix(_MARK).partition(":")
        key = self._keys.get(name)
        if key is None:
            raise KeyMissing(
                f"it is sealed with the key {name}, which STATE_KEY does not hold",
                action="Add the key that was used before to STATE_KEY, behind a comma.",
            )
        try:
            plain = key.decrypt(base64.b64decode(data, validate=True), self._bind(place))
        except (binascii.Error, ValueError) as error:
            raise Malformed("it was changed in the store, or comes from another place") from error
        return plain.decode()

    def _bind(self, place: tuple[str, ...]) -> list[bytes]:
        return [self._namespace, *(part.encode("utf-8", "replace") for part in place)]


def _make_cipher(secret: bytes) -> Cipher:
    # Only here: cryptography is 7 MB that nobody needs without a key.
    from actors.dedup_store.cipher import Cipher

    return Cipher(secret)


def parse_keys(text: str) -> tuple[bytes | None, ...]:
    """Read the keys of ``STATE_KEY``, parted by commas; ``None`` stands for ``plain``.

    Raises:
        ValueError: with what is expected; it never repeats what it was given.
    """
    return tuple(_parse_key(at, part.strip()) for at, part in enumerate(text.split(","), start=1))


def _parse_key(at: int, text: str) -> bytes | None:
    if text == PLAIN:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"number {at} is no base64; {_FORMS}") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"number {at} has {len(key)} bytes; {_FORMS}")
    return key
