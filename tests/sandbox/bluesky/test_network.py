"""The network without HTTP: what tests, the demo page and the story use."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bluesky import Account, BlueskyNetwork, Image, Link, Video
from sandbox.bluesky.errors import XrpcError
from sandbox.bluesky.formats import is_did, is_tid
from sandbox.bluesky.identifiers import TidClock, format_time, normalize_time, sortable
from sandbox.bluesky.richtext import detect_facets
from tests.sandbox.bluesky.client import Clock


def test_a_thread_is_seen_as_it_stands(
    network: BlueskyNetwork, alice: Account, bob: Account, brand: Account
) -> None:
    """Replies the oldest first; who liked and reposted; parent, root and quote."""
    root = network.post(alice, "root")
    first = network.post(brand, "first", reply_to=root)
    network.post(bob, "second", reply_to=root, quote=first)
    nested = network.post(alice, "nested", reply_to=first)
    network.like(brand, root)
    network.repost(bob, root)
    thread = network.thread(root)
    assert [reply.post.text for reply in thread.replies] == ["first", "second"]
    assert [account.handle for account in thread.post.liked_by] == ["brand.test"]
    assert [account.handle for account in thread.post.reposted_by] == ["bob.test"]
    (reply,) = thread.replies[0].replies
    assert (reply.post.reference, reply.post.parent) == (nested, first.uri)
    assert (reply.post.root, thread.replies[1].post.quoted) == (root.uri, first.uri)
    assert [post.text for post in network.posts(alice)] == ["nested", "root"]
    network.delete(nested)
    network.delete(nested)
    assert network.find_post(nested) is None
    with pytest.raises(LookupError):
        network.thread(nested)
    with pytest.raises(LookupError):
        network.post(alice, "late", reply_to=nested)


def test_the_same_rules_hold_as_over_http(network: BlueskyNetwork, alice: Account) -> None:
    """Posts that are too long and messages that are not wanted are refused."""
    with pytest.raises(XrpcError, match="grapheme too big"):
        network.post(alice, "x" * 301)
    with pytest.raises(ValueError, match="taken"):
        network.create_account("alice.test", password="x")
    closed = network.create_account("closed.test", password="x", allow_incoming="none")
    with pytest.raises(XrpcError, match="disabled incoming"):
        network.direct_messages.send(alice, closed, "hi")


def test_a_post_shows_one_kind_of_media(network: BlueskyNetwork, alice: Account) -> None:
    """Up to four images, more as a gallery, a video, or a card; two kinds at once are refused."""
    image, video = Image(b"image", "what it shows", size=(4, 3)), Video(b"video", "what it shows")
    link = Link("https://a.example/", thumb=image)
    network.post(alice, "four", images=[image] * 4)
    network.post(alice, "five", images=[image] * 5)
    network.post(alice, "video", video=video)
    network.post(alice, "card", link=link)
    embeds = [post.record["embed"] for post in reversed(network.posts(alice))]
    kinds = [embed["$type"].removeprefix("app.bsky.embed.") for embed in embeds]
    assert kinds == ["images", "gallery", "video", "external"]
    assert [len(embeds[0]["images"]), len(embeds[1]["items"])] == [4, 5]
    assert embeds[2]["alt"] == "what it shows"
    assert embeds[3]["external"]["thumb"]["size"] == len(b"image")
    with pytest.raises(ValueError, match="choose one"):
        network.post(alice, "both", images=[image], link=link)
    with pytest.raises(XrpcError):
        network.post(alice, "a gallery without sizes", images=[Image(b"image")] * 5)


def test_records_are_at_hand(network: BlueskyNetwork, alice: Account, brand: Account) -> None:
    """By collection, the newest first."""
    posts = [network.post(alice, f"{number}") for number in range(3)]
    found = network.records(alice, "app.bsky.feed.post")
    assert [record.reference for record in found] == posts[::-1]
    network.follow(alice, brand)
    (follow,) = network.records(alice, "app.bsky.graph.follow")
    assert follow.value["subject"] == brand.did


def test_two_networks_of_one_seed_are_alike() -> None:
    """Nothing but the clock and the generator of random numbers decides."""

    def build() -> list[str]:
        network = BlueskyNetwork(clock=Clock(), rng=random.Random(3))  # noqa: S311
        account = network.create_account("one.test", password="x")
        post = network.post(account, "hi", images=[Image(b"x")])
        return [account.did, post.uri, post.cid]

    assert build() == build()
    assert is_did(build()[0])


async def test_waiting_for_a_change_misses_nothing(
    network: BlueskyNetwork, alice: Account, brand: Account, autojump_clock: object
) -> None:
    """What happened since one looked counts, posts and messages alike; then it waits."""
    seen = network.changes.count
    network.post(alice, "one")
    network.direct_messages.send(alice, brand, "two")
    with trio.fail_after(1):
        now = await network.changes.wait(seen)
    assert now >= seen + 2
    woken: list[int] = []

    async def wait() -> None:
        woken.append(await network.changes.wait(now))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert woken == []
        network.post(alice, "three")
    assert woken == [now + 1]


def test_tids_grow_while_the_clock_stands_still() -> None:
    """And when it goes back."""
    moments = iter([datetime(2026, 1, 1, tzinfo=UTC)] * 3 + [datetime(2025, 1, 1, tzinfo=UTC)] * 3)
    tids = TidClock(lambda: next(moments), random.Random(1))  # noqa: S311
    given_out = [tids.next() for _ in range(6)]
    assert given_out == sorted(set(given_out))
    assert all(map(is_tid, given_out))


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_sortable_numbers_sort_as_numbers(one: int, other: int) -> None:
    """13 characters each."""
    assert (sortable(one) < sortable(other)) == (one < other)
    assert len(sortable(one)) == 13


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.123Z"),
        ("yesterday", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_normalized_to_utc(text: str, expected: str) -> None:
    """So that they sort as text."""
    assert normalize_time(text) == expected
    assert format_time(datetime.fromisoformat(expected)) == expected


@given(st.text(), st.text(alphabet="äß€😀 x.", max_size=20))
def test_facets_cut_the_text_at_characters(before: str, after: str) -> None:
    """Byte offsets of a mention, link and tag, whatever stands around them."""
    text = f"{before} @brand.test {after} https://example.com/ä #größe {after}"
    encoded = text.encode()
    known = {"brand.test": "did:plc:brand"}
    cut = {
        encoded[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        for facet in detect_facets(text, known.get)
    }
    assert {"@brand.test", "https://example.com/ä", "#größe"} <= cut


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail me@brand.test", []),
        ("@nobody.test", []),
        ("(@brand.test)", ["@brand.test"]),
        ("see https://a.test/x.", ["https://a.test/x"]),
        ("a#b #1 #a1!", ["#a1"]),
    ],
)
def test_what_is_no_facet(text: str, found: list[str]) -> None:
    """E-mail addresses, unknown handles, closing punctuation, numbers."""
    known = {"brand.test": "did:plc:brand"}
    facets = detect_facets(text, known.get)
    starts = [facet["index"] for facet in facets]
    assert [text[one["byteStart"] : one["byteEnd"]] for one in starts] == found
