"""What nobody wants to hear of is left out, counted by reason, and not judged again."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.noise import NO_NOISE, Noise, Skip
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.search_poller import SearchPoller
from actors.items import make_hit_id, make_noise_id
from actors.messages import InboundPost, InboundReason
from actors.translation.inbound_views import PostView, ProfileView
from tests.bluesky.network import Network, profile, time_at
from tests.support.context import FakeContext
from tests.support.memory_store import NEW_YEAR_2026, MemoryStore, virtual_wall_clock

DAY_S = 86_400.0
PROFILES = "app.bsky.actor.getProfiles"


def make_noise(**given: Any) -> Noise:  # noqa: ANN401
    """As it is set, with nothing else."""
    nothing = {"langs": (), "exclude": (), "min_account_age_s": 0.0, "labels": ()}
    return Noise.make(**{**nothing, **given})


def make_view(text: str = "hello", *, author: object = None, **more: Any) -> PostView:  # noqa: ANN401
    """A post by Alice; ``labels`` are the view's, all else the record's."""
    view: dict[str, Any] = {
        "uri": "at://did:plc:alice/app.bsky.feed.post/3k",
        "cid": "c",
        "author": author or profile("alice"),
        "labels": more.pop("labels", []),
        "record": {"text": text, **more},
    }
    return PostView.model_validate(view)


def judge(noise: Noise, post: PostView, reason: InboundReason = "search") -> str | None:
    """The reason for which a post is left out."""
    skip = noise.judge(post, reason, NEW_YEAR_2026, None)
    return skip.reason if skip else None


@pytest.mark.parametrize(
    ("wanted", "langs", "reason"),
    [
        (["en"], ["en"], None),
        (["en", "de"], ["fr", "de"], None),
        (["en"], ["EN-gb"], None),
        (["pt-BR"], ["pt-br"], None),
        (["pt-BR"], ["pt"], "language"),
        (["en"], ["enm"], "language"),
        (["en"], ["fr"], "language"),
        (["en"], [], None),
        (["en"], None, None),
        ([], ["fr"], None),
    ],
)
def test_only_the_wanted_languages_are_taken(
    wanted: list[str], langs: list[str] | None, reason: str | None
) -> None:
    """A language stands for its variants; a post that names none is not lost."""
    assert judge(make_noise(langs=wanted), make_view(langs=langs)) == reason


@pytest.mark.parametrize(
    ("excluded", "text", "reason"),
    [
        ("giveaway", "A GIVEAWAY, today!", "excluded_word"),
        ("giveaway", "no giveaways", None),
        ("air drop", "the air drop is on", "excluded_word"),
        ("#ad", "buy this #ad", "excluded_word"),
        ("ad", "an address", None),
        ("c++", "I write C++.", "excluded_word"),
        ("straße", "STRASSE", "excluded_word"),
        ("acme.example", "see acme.example/shop", "excluded_word"),
        ("@acme.example", "see acme.example/shop", None),
        ("cats", "hello", None),
    ],
)
def test_words_are_found_by_themselves_in_any_case(
    excluded: str, text: str, reason: str | None
) -> None:
    """Not within other words."""
    assert judge(make_noise(exclude=[excluded]), make_view(text)) == reason


def test_tags_beside_the_text_are_words_too() -> None:
    """Clients can put hashtags where nobody sees them."""
    assert judge(make_noise(exclude=["cats"]), make_view(tags=["Cats"])) == "excluded_word"


@pytest.mark.parametrize("excluded", ["alice.test", "@Alice.Test", "did:plc:ALICE"])
@pytest.mark.parametrize("reason", ["search", "mention", "reply", "quote"])
def test_an_excluded_account_is_never_heard(excluded: str, reason: InboundReason) -> None:
    """By handle or DID, whatever it does."""
    noise = make_noise(exclude=[excluded])
    assert judge(noise, make_view(), reason) == "excluded_account"
    assert judge(noise, make_view(author=profile("alice2")), reason) is None


@pytest.mark.parametrize(
    "post",
    [
        make_view(labels=[{"src": "did:plc:l", "val": "spam"}]),
        make_view(author={**profile("alice"), "labels": [{"src": "did:plc:l", "val": "spam"}]}),
    ],
    ids=["post", "author"],
)
@pytest.mark.parametrize("reason", ["search", "mention"])
def test_what_is_labelled_is_left_out(post: PostView, reason: InboundReason) -> None:
    """The post itself, or who wrote it."""
    assert judge(make_noise(labels=["rude", "spam"]), post, reason) == "label"
    assert judge(make_noise(labels=["rude"]), post, reason) is None


def test_young_accounts_are_left_out() -> None:
    """As far as the age is known: from the view, or from the profile."""
    noise = make_noise(min_account_age_s=DAY_S)
    young = {**profile("alice"), "createdAt": time_at(-DAY_S + 60)}
    assert judge(noise, make_view(author=young)) == "young_account"
    assert judge(noise, make_view(author={**young, "createdAt": time_at(-DAY_S)})) is None
    assert judge(noise, make_view()) is None
    account = ProfileView.model_validate(young)
    assert noise.judge(make_view(), "search", NEW_YEAR_2026, account) == Skip(
        "young_account", "24.0 h", as_hit=True
    )


@pytest.mark.parametrize("reason", ["mention", "reply", "quote"])
def test_whoever_speaks_to_the_brand_is_heard(reason: InboundReason) -> None:
    """In any language, with any word, from an account of any age."""
    noise = make_noise(langs=["de"], exclude=["giveaway"], min_account_age_s=DAY_S)
    author = {**profile("alice"), "createdAt": time_at(-1)}
    assert judge(noise, make_view("giveaway?", langs=["fr"], author=author), reason) is None


class World:
    """A network and a memory; a search and the notifications can be polled."""

    def __init__(self, noise: Noise = NO_NOISE) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.noise = noise
        self.context = FakeContext("SearchPoller")

    async def search(self, noise: Noise | None = None) -> None:
        """Run a new incarnation of SearchPoller for a moment."""
        poller = SearchPoller(
            self.context,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            queries=["acme"],
            interval_s=300.0,
            lookback_s=3600.0,
            at_once=500,
            noise=noise or self.noise,
        )
        with trio.move_on_after(1):
            await poller.run()

    async def listen(self) -> None:
        """Run a new incarnation of NotificationPoller for a moment."""
        poller = NotificationPoller(
            self.context,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=60.0,
            lookback_s=3600.0,
            deep_sweep_s=3600.0,
            at_once=500,
            noise=self.noise,
        )
        with trio.move_on_after(1):
            await poller.run()

    def hit(self, *, author: str = "alice", **record: object) -> str:
        """A post that the server finds."""
        view = self.network.post(-5, author=author, key=None, **record)
        self.network.hits.setdefault("acme", []).append(view)
        return str(view["uri"])

    @property
    def uris(self) -> list[str]:
        return [one.post.uri for one in self.memory.payloads if isinstance(one, InboundPost)]


async def test_a_skip_is_counted_by_reason_and_marked_as_seen(autojump_clock: Clock) -> None:
    """It is not judged again, whatever is set later; and nobody asks about its author."""
    world = World(make_noise(langs=["en"], exclude=["giveaway", "@mallory.test"]))
    french = world.hit(langs=["fr"], author="fleur")
    wanted = world.hit(langs=["en"])
    spam = world.hit(text="a giveaway", author="spammer")
    excluded = world.hit(author="mallory")
    await world.search()
    assert world.uris == [wanted]
    assert world.context.skips == {"language": 1, "excluded_word": 1, "excluded_account": 1}
    assert {
        "reason": "language",
        "message": f"post:{french}",
        "detail": "fr",
    } in world.context.skipped_about
    left_out = [make_hit_id(french), make_hit_id(spam), make_noise_id(excluded)]
    assert not await world.memory.store.find_unseen(left_out)
    asked = [parameters["actors"] for nsid, parameters in world.network.calls if nsid == PROFILES]
    assert asked == [["did:plc:alice"]]
    await world.search(NO_NOISE)
    assert world.uris == [wanted]


async def test_a_hit_that_is_noise_is_heard_when_it_speaks_to_the_brand(
    autojump_clock: Clock,
) -> None:
    """Whichever poller finds the post first."""
    world = World(make_noise(langs=["de"]))
    uri = world.network.notify(-1)
    view = world.network.posts[uri]
    view["record"]["langs"] = ["fr"]
    world.network.hits["acme"] = [view]
    await world.search()
    assert world.uris == []
    await world.listen()
    assert world.uris == [uri]
    await world.search()
    assert world.uris == [uri]
    assert world.context.skips == {"language": 1}


async def test_an_age_that_only_the_profile_tells_counts(autojump_clock: Clock) -> None:
    """Views of posts may leave it out."""
    world = World(make_noise(min_account_age_s=DAY_S))
    world.network.profiles["did:plc:alice"] = {**profile("alice"), "createdAt": time_at(-60)}
    world.hit()
    kept = world.hit(author="bob")
    await world.search()
    assert world.uris == [kept]
    assert world.context.skips == {"young_account": 1}


async def test_an_excluded_account_is_left_out_of_the_notifications(
    autojump_clock: Clock,
) -> None:
    """And those behind it go on."""
    world = World(make_noise(langs=["de"], exclude=["mallory.test"]))
    world.network.notify(-2, author="mallory")
    uri = world.network.notify(-1)
    await world.listen()
    assert world.uris == [uri]
    assert world.context.skips == {"excluded_account": 1}


async def test_what_cannot_be_read_is_no_noise(autojump_clock: Clock) -> None:
    """It is kept as a dead letter."""
    world = World(make_noise(langs=["de"]))
    world.hit(text=5)
    await world.search()
    assert len(world.memory.letters) == 1
    assert world.context.skips == {}
