"""What is remembered of what was done lately stays small."""

from __future__ import annotations

import tracemalloc

import pytest

from actors.recent import Recent

CAPACITY = 1000


def name(number: int) -> str:
    """As long as the id of a post."""
    return f"post:at://did:plc:{number:024d}/app.bsky.feed.post/{number:013d}"


@pytest.mark.parametrize("count", [CAPACITY - 1, CAPACITY, CAPACITY + 1, 2 * CAPACITY, 4321])
def test_the_last_texts_are_remembered_and_older_ones_forgotten(count: int) -> None:
    """As many as the capacity for certain, and never twice as many."""
    recent = Recent(CAPACITY)
    recent.add(name(number) for number in range(count))
    assert min(count, CAPACITY) <= len(recent) < 2 * CAPACITY
    assert all(name(number) in recent for number in range(count - CAPACITY, count) if number >= 0)
    assert all(name(number) not in recent for number in range(count - 2 * CAPACITY))


def test_what_is_asked_for_again_and_again_is_not_forgotten() -> None:
    """A listing shows the same posts at each look, however much else is added meanwhile."""
    recent = Recent(CAPACITY)
    recent.add(["pinned"])
    for number in range(10 * CAPACITY):
        recent.add([name(number)])
        if number % (CAPACITY // 2) == 0:
            assert "pinned" in recent


def test_it_takes_little_memory_whatever_passes_through() -> None:
    """Some 60 bytes a text, where the text of an id alone has 130."""
    recent = Recent()
    tracemalloc.start()
    try:
        for number in range(100_000):
            recent.add([name(number)])
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held <= peak < 750_000
    assert len(recent) >= 5000
