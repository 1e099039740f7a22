"""Ids and secrets, all drawn from one injected source of chance."""

from __future__ import annotations

import random
import uuid


class Ids:
    """Makes ids; the same seed makes the same ones."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def message_id(self) -> str:
        """Of a message: 32 hexadecimal digits."""
        return self.secret(128)

    def uuid(self) -> str:
        """Of anything else."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def secret(self, bits: int) -> str:
        """That many bits, in hexadecimal digits."""
        return f"{self._rng.getrandbits(bits):0{bits // 4}x}"
