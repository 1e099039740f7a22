"""A short run of ``scripts/fuzz``: every corpus, and some inputs made up anew."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS


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
    """A few hundred inputs."""
    target = TARGETS[name]

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        target.check(data.draw(target.inputs))

    check()


def test_every_corpus_has_its_target() -> None:
    """And the other way round."""
    assert {path.stem for path in CORPUS.glob("*.jsonl")} == set(TARGETS)
