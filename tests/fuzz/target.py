"""What a target is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"

Arguments: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader.

    Args:
        check: raises if something does not hold for this input.
        inputs: what to make up; each input is some pieces of bytes.
    """

    check: Callable[[Arguments], None]
    inputs: st.SearchStrategy[Arguments]

    def read_corpus(self, name: str) -> list[Arguments]:
        """The inputs that are tried each time: each line a JSON array of texts in Latin-1."""
        lines = (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines()
        return [tuple(one.encode("latin-1") for one in json.loads(line)) for line in lines]


def expect(holds: bool) -> None:
    """Else a promise is broken."""
    assert holds
