"""What one key of ``STATE_KEY`` does: AES-SIV (RFC 5297)."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


class Cipher:
    """One key. Its ``name`` tells it from others and gives nothing of it away."""

    def __init__(self, secret: bytes) -> None:
        self.name = hashlib.sha256(b"name of " + secret).hexdigest()[:8]
        expand = HKDFExpand(algorithm=SHA512(), length=64, info=b"bluesky-genesys state 1")
        self._cipher = AESSIV(expand.derive(secret))

    def encrypt(self, plain: bytes, bound: list[bytes]) -> bytes:
        """The same bytes, bound to the same, become the same."""
        return self._cipher.encrypt(plain, bound)

    def decrypt(self, data: bytes, bound: list[bytes]) -> bytes:
        """The reverse of :meth:`encrypt`.

        Raises:
            ValueError: it was changed, or is bound to something else.
        """
        try:
            return self._cipher.decrypt(data, bound)
        except InvalidTag as error:
            raise ValueError("the tag is wrong") from error
