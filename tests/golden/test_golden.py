"""What is written on Bluesky reaches Genesys Cloud as it stands beside it in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.lexicon import Lexicons
from tests.contracts.swagger import Swagger
from tests.golden.cases import EXPECTED, HERE, Case, list_cases, read

CASES = list_cases()
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}/{case.name}")

BULK = "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk"
MESSAGE = "/api/v2/conversations/messages/i/inbound/open/message"

BEYOND_THE_LEXICONS = {"posts/unknown_embed_view", "posts/gallery_with_a_new_item"}
"""Inputs that show what a later Bluesky may bring."""
NOT_HERE = {
    "chat.bsky.convo.defs#messageBeforeUserJoinedGroupView": "groups are not taken in",
}


@each_case
def test_an_input_becomes_what_stands_beside_it(case: Case) -> None:
    """Every embed and every kind of rich text."""
    assert case.translate() == read(case.expected_file)


@each_case
def test_what_is_expected_may_be_sent(case: Case, swagger: Swagger) -> None:
    """The official Swagger allows it."""
    body = read(case.expected_file)
    if case.kind == "posts":
        assert swagger.check_request("POST", BULK, [body]) == []
    else:
        assert swagger.check_request("POST", MESSAGE, body) == []


@each_case
def test_an_input_is_what_the_lexicons_say(case: Case, contracts_dir: Path) -> None:
    """No case proves what Bluesky would never show."""
    if f"{case.kind}/{case.name}" in BEYOND_THE_LEXICONS:
        pytest.skip("of a later Bluesky")
    lexicons = Lexicons(contracts_dir / "lexicons")
    given = read(case.input_file)
    if case.kind == "posts":
        lexicons.check_definition("app.bsky.feed.defs#postView", given["post"])
        lexicons.check_record("app.bsky.feed.post", given["post"]["record"])
        if "account" in given:
            lexicons.check_definition("app.bsky.actor.defs#profileViewDetailed", given["account"])
    else:
        lexicons.check_definition("chat.bsky.convo.defs#messageView", given["message"])
        lexicons.check_definition("chat.bsky.actor.defs#profileViewBasic", given["sender"])
        if "reaction" in given:
            lexicons.check_definition("chat.bsky.convo.defs#reactionView", given["reaction"])


UNIONS = (
    ("app.bsky.feed.post#main", "record.properties.embed"),
    ("app.bsky.feed.defs#postView", "properties.embed"),
    ("app.bsky.embed.record#view", "properties.record"),
    ("app.bsky.embed.record#viewRecord", "properties.embeds.items"),
    ("app.bsky.embed.recordWithMedia#main", "properties.media"),
    ("app.bsky.embed.recordWithMedia#view", "properties.media"),
    ("app.bsky.embed.gallery#view", "properties.items.items"),
    ("app.bsky.richtext.facet#main", "properties.features.items"),
    ("chat.bsky.convo.defs#messageView", "properties.embed"),
    ("chat.bsky.convo.defs#messageView", "properties.replyTo"),
    ("chat.bsky.embed.joinLink#view", "properties.joinLinkPreview"),
)
"""Where a lexicon lets a post or message hold one of several things."""


@pytest.mark.parametrize(("home", "place"), UNIONS, ids=lambda value: str(value))
def test_every_kind_that_the_lexicons_know_has_a_case(
    home: str, place: str, contracts_dir: Path
) -> None:
    """A new embed in the lexicons makes this fail until somebody has looked at it."""
    nsid = home.partition("#")[0]
    lexicons = Lexicons(contracts_dir / "lexicons")
    _, definition = lexicons.find(home, nsid)
    union: object = definition
    for key in place.split("."):
        assert isinstance(union, dict)
        union = union[key]
    assert isinstance(union, dict)
    named = {f"{nsid}{one}" if one.startswith("#") else one for one in union["refs"]}
    known = {one.removesuffix("#main") for one in named} - NOT_HERE.keys()
    shown = {kind for case in CASES for kind in _find_kinds(read(case.input_file))}
    assert known - shown == set()


def test_nothing_is_expected_without_an_input() -> None:
    """A file that belongs to no case proves nothing."""
    expected = set(HERE.glob(f"*/*{EXPECTED}"))
    assert expected == {case.expected_file for case in CASES}
    assert CASES


def _find_kinds(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield str(value.get("$type", ""))
        for inner in value.values():
            yield from _find_kinds(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_kinds(inner)
