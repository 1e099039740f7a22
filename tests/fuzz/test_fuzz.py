"""A short run of ``scripts/fuzz``: every corpus, and some inputs made up anew."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import CORPUS
from tests.fuzz.targets import TARGETS

EXAMPLES = 100
"""Of each target; ``scripts/fuzz`` goes on for minutes."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_stays_mended(name: str) -> None:
    """Every input of the corpus."""
    target = TARGETS[name]
    inputs = target.read_corpus(name)
    assert inputs
    for pieces in inputs:
        target.check(pieces)


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    """Some dozens of inputs that nobody has chosen."""
    target = TARGETS[name]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        target.check(data.draw(target.inputs))

    check()


def test_every_corpus_has_its_target() -> None:
    """And the other way round."""
    assert {path.stem for path in CORPUS.glob("*.jsonl")} == set(TARGETS)
