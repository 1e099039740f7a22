"""Mixed posts: those that the real AppView showed (``tests/golden``), and heavier ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bench.content import Json
from bench.processes import ROOT

RECORDED = ROOT / "tests" / "golden" / "posts"
_FACET = "app.bsky.richtext.facet#"


def make_posts(count: int) -> Iterator[Json]:
    """So many different posts (``app.bsky.feed.defs#postView``), parsed as they come."""
    lines = [json.dumps(view) for view in (*_read_recorded(), *make_heavy())]
    for number in range(count):
        view = json.loads(lines[number % len(lines)])
        view["uri"] = f"{view['uri'][:-6]}{number:06d}"
        yield view


def make_heavy() -> list[Json]:
    """As much of everything as a post can hold, and more than anybody writes."""
    plain = json.loads((RECORDED / "plain.input.json").read_text("utf-8"))["post"]
    quote = json.loads((RECORDED / "quote_with_images.input.json").read_text("utf-8"))["post"]
    family = "👨‍👩‍👧‍👦"
    return [
        _with_facets(plain, "a.example " * 30, 30),
        _with_facets(plain, family * 120, 120),
        _with_facets(plain, "x" * 3000, 3000),
        _with_gallery(plain, 20),
        _with_facets(quote, "look at this " * 20, 40),
        _with_facets(_make_nested(), "x" * 3000, 3000),
    ]


def _with_facets(view: Json, text: str, count: int) -> Json:
    """A link on each of so many pieces of the text."""
    size = len(text.encode()) // count
    facets = [
        {
            "index": {"byteStart": number * size, "byteEnd": (number + 1) * size},
            "features": [{"$type": f"{_FACET}link", "uri": f"https://a.example/{number}"}],
        }
        for number in range(count)
    ]
    return {**view, "record": {**view["record"], "text": text, "facets": facets}}


def _make_nested() -> Json:
    """A quote of a quote, and both of the quoted posts are links all over."""
    view = json.loads((RECORDED / "quote_of_a_quote.input.json").read_text("utf-8"))["post"]
    outer = view["embed"]["record"]
    inner = outer["embeds"][0]["record"]
    for quoted in (outer, inner):
        full = _with_facets({"record": quoted["value"]}, "y" * 3000, 3000)
        quoted["value"] = full["record"]
    nested: Json = view
    return nested


def _with_gallery(view: Json, count: int) -> Json:
    given = json.loads((RECORDED / "gallery.input.json").read_text("utf-8"))["post"]
    embed, recorded = given["embed"], given["record"]["embed"]
    items = [
        {**embed["items"][0], "fullsize": f"{embed['items'][0]['fullsize']}{number}"}
        for number in range(count)
    ]
    record = {**view["record"], "embed": {**recorded, "items": recorded["items"][:1] * count}}
    return {**view, "record": record, "embed": {**embed, "items": items}}


def _read_recorded() -> list[dict[str, Any]]:
    files = sorted(RECORDED.glob("*.input.json"))
    return [json.loads(file.read_text("utf-8"))["post"] for file in files]
