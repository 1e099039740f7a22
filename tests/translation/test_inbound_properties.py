"""Whatever may stand in a post or message, it is translated or refused, and no more happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.messages import InboundDirectMessage, InboundPost
from actors.translation.inbound import translate_message, translate_post, translate_reaction
from actors.translation.inbound_text import expand_links, find_mentions, read_features
from actors.translation.inbound_views import ProfileView
from actors.translation.open_message import make_private_message, make_public_message
from runtime.errors import Malformed
from tests.conftest import find_contracts
from tests.contracts.lexicon import Lexicons
from tests.contracts.samples import JSON, Samples
from tests.contracts.swagger import Swagger
from tests.golden.cases import list_cases, read

BULK = "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk"
INBOUND = "/api/v2/conversations/messages/i/inbound/open/message"
SENDER = ProfileView(did="did:plc:alice", handle="alice.test")
FEATURE = "app.bsky.richtext.facet#"
WRITTEN = st.text("aä€👋 ", min_size=3, max_size=15) | st.text(max_size=60)
"""Characters of one to four bytes; and any."""

many = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Of the official lexicons."""
    found = find_contracts()
    if found is None:
        pytest.skip("no contracts on this machine: CONNECTOR_CONTRACTS may name them")
    return Samples(Lexicons(Path(found) / "lexicons"))


@many
@given(data=st.data())
def test_every_post_that_the_lexicons_allow_can_be_sent(
    data: st.DataObject, samples: Samples, swagger: Swagger
) -> None:
    """Translated without an exception, and the body is one that the Swagger allows."""
    view = data.draw(samples.of("app.bsky.feed.defs#postView"))
    record = data.draw(samples.of("app.bsky.feed.post"))
    view["record"] = record
    view["uri"] = "at://did:plc:ylbmjtet5zztcimiyag46us5/app.bsky.feed.post/3k6qg6mlpajq7"
    body = make_public_message(translate_post(view, "search"))
    assert swagger.check_request("POST", BULK, [body]) == []
    assert_speaks(view, body)


@many
@given(data=st.data())
def test_every_message_that_the_lexicons_allow_can_be_sent(
    data: st.DataObject, samples: Samples, swagger: Swagger
) -> None:
    """The same of direct messages and reactions."""
    view = data.draw(samples.of("chat.bsky.convo.defs#messageView"))
    reaction = data.draw(samples.of("chat.bsky.convo.defs#reactionView"))
    try:
        translated = translate_message(view, "convo", SENDER)
        note = translate_reaction(reaction, view, "convo", SENDER)
    except Malformed:
        # The lexicon does not say so, but a message has an id, and a reaction an emoji.
        assert not view["id"] or not reaction["value"]
        return
    for one in (translated, note):
        assert swagger.check_request("POST", INBOUND, make_private_message(one)) == []
    assert_speaks(view, make_private_message(translated))


def assert_speaks(view: dict[str, Any], body: dict[str, Any]) -> None:
    """An embed says something: below the text, or beside it."""
    embed = view.get("embed")
    empty = {"app.bsky.embed.images#view": "images", "app.bsky.embed.gallery#view": "items"}
    if not isinstance(embed, dict) or embed.get(empty.get(str(embed.get("$type")), ""), 1) == []:
        return
    text = view.get("record", view).get("text", "").strip().replace("\x00", "")
    assert body.get("content") or body["text"] != text


INPUTS = [read(case.input_file) for case in list_cases()]
POSTS = [one["post"] for one in INPUTS if "post" in one]
MESSAGES = [one["message"] for one in INPUTS if "message" in one]
ODD = JSON | st.sampled_from(("\ud800", {"$type": "\udfff"}, [[]], {"uri": "\ud83d"}))


@many
@given(data=st.data())
def test_a_view_with_anything_in_any_place_is_translated_or_malformed(
    data: st.DataObject,
) -> None:
    """No other exception, and nothing that could not be stored or sent."""
    post = put_in(data, data.draw(st.sampled_from(POSTS)))
    message = put_in(data, data.draw(st.sampled_from(MESSAGES)))
    found: list[InboundPost | InboundDirectMessage] = []
    for translate in (
        lambda: translate_post(post, "mention"),
        lambda: translate_message(message, "convo", SENDER),
    ):
        try:
            found.append(translate())
        except Malformed as error:
            str(error).encode()
    for one in found:
        if isinstance(one, InboundPost):
            json.dumps(make_public_message(one), ensure_ascii=False).encode()
        else:
            json.dumps(make_private_message(one), ensure_ascii=False).encode()


def put_in(data: st.DataObject, value: Any) -> Any:  # noqa: ANN401 (JSON)
    """The value with something odd at one place in it; the rest is shared with the original."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 5)) == 0:
        return data.draw(ODD)
    if isinstance(value, list):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], put_in(data, value[at]), *value[at + 1 :]]
    key = data.draw(st.sampled_from(sorted(value)))
    return {**value, key: put_in(data, value[key])}


def facets_of(kind: str, value: str) -> st.SearchStrategy[Any]:
    """Facets of one kind with any byte ranges at all."""
    at = st.integers(0, 12) | st.integers(-2, 40) | st.integers()
    ranges = st.tuples(at, at) | st.tuples(at, at).map(lambda ends: (min(ends), max(ends)))
    key = "uri" if kind == "link" else "did"
    feature = {"$type": f"{FEATURE}{kind}", key: value}
    return st.lists(
        ranges.map(
            lambda ends: {
                "index": {"byteStart": ends[0], "byteEnd": ends[1]},
                "features": [feature],
            }
        ),
        max_size=6,
    )


@settings(deadline=None)
@given(text=WRITTEN, facets=facets_of("link", "https://x.example/long"))
@example(
    text="0X",
    facets=[
        {
            "index": {"byteStart": 1, "byteEnd": 2},
            "features": [{"$type": f"{FEATURE}link", "uri": "https://x.example/long"}],
        }
    ],
)
def test_no_facet_loses_a_word_or_an_address(text: str, facets: list[Any]) -> None:
    """The text without the addresses is the text that was written, whatever facets point at."""
    uri = "https://x.example/long"
    expanded = expand_links(text, read_features(facets))
    readable = [one for one in facets if min(one["index"].values()) >= 0]
    assert (uri in expanded) or not readable
    assert remove(expanded, uri) == remove(text, uri)


def remove(text: str, uri: str) -> str:
    """The text without an address as it is added: alone, in brackets, or on a line of its own."""
    bare = text.removesuffix(f"\n{uri}").replace(f" ({uri})", "")
    return bare.replace(uri, "")


@settings(deadline=None)
@given(text=WRITTEN, facets=facets_of("mention", "did:plc:bob"))
def test_no_mention_changes_the_text(text: str, facets: list[Any]) -> None:
    """A mention is kept as the handle that stands there; it is known once."""
    assert expand_links(text, read_features(facets)) == text
    readable = any(min(one["index"].values()) >= 0 for one in facets)
    assert find_mentions(read_features(facets)) == (("did:plc:bob",) if readable else ())
