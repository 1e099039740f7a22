"""Values that the lexicons allow, as hypothesis strategies: any of them, however unlikely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.contracts.lexicon import Definition, Lexicons

Strategy = st.SearchStrategy[Any]

CIDS = ("bafyreidlq2zhh7zu7tqz224aj37vup2xi6w2j2vcf4outqa6klo3pb23jm",)
DIDS = ("did:plc:ylbmjtet5zztcimiyag46us5", "did:web:shop.example")
TEXTS = st.text(max_size=30) | st.sampled_from(("shop.example/ma...", "👨‍👩‍👧‍👦 äöü", "a\nb", " "))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
_FORMATS: Mapping[str, Strategy] = {
    "at-identifier": st.sampled_from((*DIDS, "shop.example")),
    "at-uri": st.sampled_from(
        tuple(
            f"at://{did}/{collection}/3k6qg6mlpajq7"
            for did in DIDS
            for collection in ("app.bsky.feed.post", "app.bsky.graph.list", "x.y.z")
        )
    ),
    "cid": st.sampled_from(CIDS),
    "datetime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.sampled_from(("2026-01-02T03:04:05.678+14:00", "0001-01-01T00:00:00Z")),
    "did": st.sampled_from(DIDS),
    "handle": st.sampled_from(("anna.test", "handle.invalid", "xn--ls8h.example")),
    "language": st.sampled_from(("en", "pt-BR", "i-klingon")),
    "uri": st.sampled_from(("https://shop.example/manual", "at://x", "mailto:a@b.example")),
}


class Samples:
    """Strategies for what a lexicon defines.

    Args:
        lexicons: the official ones.
        depth: how many references deep what is optional is filled in.
    """

    def __init__(self, lexicons: Lexicons, depth: int = 4) -> None:
        self._lexicons = lexicons
        self._depth = depth
        self._made: dict[tuple[str, int], Strategy] = {}
        self._kinds: Mapping[str, Callable[[Definition, str, int], Strategy]] = {
            "object": self._object,
            "record": lambda definition, *rest: self._object(definition["record"], *rest),
            "array": self._array,
            "string": self._string,
            "union": self._union,
            "ref": lambda definition, *rest: self._refer(definition["ref"], *rest),
            "integer": lambda *_: st.integers(0, 400),
            "boolean": lambda *_: st.booleans(),
            "unknown": lambda *_: st.dictionaries(TEXTS, JSON, max_size=3),
            "blob": lambda *_: _BLOBS,
            "bytes": lambda *_: st.just({"$bytes": "AA"}),
            "cid-link": lambda *_: st.just({"$link": CIDS[0]}),
        }

    def of(self, reference: str) -> Strategy:
        """Values of ``nsid#name``."""
        return self._refer(reference, reference.partition("#")[0], self._depth)

    def _make(self, definition: Definition, home: str, depth: int) -> Strategy:
        return self._kinds[definition["type"]](definition, home, depth)

    def _refer(self, reference: str, home: str, depth: int) -> Strategy:
        found_home, definition = self._lexicons.find(reference, home)
        key = (f"{found_home}#{reference.partition('#')[2]}", depth)
        if key not in self._made:
            self._made[key] = st.deferred(lambda: self._make(definition, found_home, depth - 1))
        return self._made[key]

    def _object(self, definition: Definition, home: str, depth: int) -> Strategy:
        properties = definition.get("properties", {})
        required = set(definition.get("required", ()))
        made = {
            name: self._make(one, home, depth)
            for name, one in properties.items()
            if name in required or depth > 0
        }
        return st.fixed_dictionaries(
            {name: one for name, one in made.items() if name in required},
            optional={name: one for name, one in made.items() if name not in required},
        )

    def _array(self, definition: Definition, home: str, depth: int) -> Strategy:
        most = min(3, definition.get("maxLength", 3)) if depth > 0 else 0
        return st.lists(self._make(definition["items"], home, depth), max_size=most)

    def _string(self, definition: Definition, home: str, depth: int) -> Strategy:
        if "format" in definition:
            return _FORMATS[definition["format"]]
        known = definition.get("knownValues", definition.get("enum", ()))
        return st.sampled_from(tuple(known)) if known else TEXTS

    def _union(self, definition: Definition, home: str, depth: int) -> Strategy:
        later = st.just({"$type": "app.bsky.later#view"})
        if depth <= 0:
            return later
        return st.one_of(later, *(self._member(one, home, depth) for one in definition["refs"]))

    def _member(self, reference: str, home: str, depth: int) -> Strategy:
        kind = f"{home}{reference}" if reference.startswith("#") else reference
        named = {"$type": kind.removesuffix("#main")}
        return self._refer(reference, home, depth).map(
            lambda value: value | named if isinstance(value, dict) else value
        )


_BLOBS = st.fixed_dictionaries(
    {
        "$type": st.just("blob"),
        "ref": st.just({"$link": CIDS[0]}),
        "mimeType": st.sampled_from(("image/png", "image/x-odd", "video/mp4", "")),
        "size": st.integers(0, 2_000_000),
    }
)
