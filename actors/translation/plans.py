"""From an agent's words to the records and direct messages that they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from actors.messages import (
    DirectMessagePart,
    Json,
    PostReference,
    RecordPlan,
    RecordWrite,
    ThreadReference,
)
from actors.translation.commands import Command
from actors.translation.facets import Link, Span, find_spans, make_facet
from actors.translation.record_key import make_record_key
from actors.translation.splitting import Limit, split
from runtime.clock import format_time

POST_COLLECTION = "app.bsky.feed.post"
ONE_MS = 0.001


@dataclass(frozen=True, slots=True)
class Part:
    """A text within the limits, with its facets (``app.bsky.richtext.facet``)."""

    text: str
    facets: tuple[Json, ...] = ()

    def links_to(self, uri: str) -> bool:
        """Whether there is a link to this address in it."""
        features = (feature for facet in self.facets for feature in facet["features"])
        return any(feature.get("uri") == uri for feature in features)


def clean_text(text: str) -> str:
    """Take out what Bluesky would choke on.

    A null character is accepted by a server and then never shown to anybody; half a surrogate
    pair cannot be written in UTF-8 and becomes U+FFFD. White space at both ends goes.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "").strip()


def make_parts(text: str, limit: Limit, dids: Mapping[str, str]) -> tuple[Part, ...]:
    """Cut a cleaned text into parts with their facets.

    Args:
        dids: of the handles that the text mentions; one that is missing stays plain text.
    """
    spans = find_spans(text)
    ranges = split(text, limit, ((span.start, span.end) for span in spans))
    return tuple(_make_part(text, start, end, spans, dids) for start, end in ranges)


def make_reply_plan(
    message_id: str,
    parts: Iterable[Part],
    target: ThreadReference,
    created_at: float,
    embeds: Mapping[int, Json] | None = None,
) -> RecordPlan:
    """A chain of replies (``app.bsky.feed.post``): the first answers the target.

    Args:
        created_at: unix time of the first; each later one is a millisecond younger.
        embeds: what is shown below a text (``app.bsky.embed.*``), by the number of the part.
    """
    root = _strong_reference(target.root)
    writes: list[RecordWrite] = []
    for number, part in enumerate(parts):
        reply = {"root": root}
        if number == 0:
            reply["parent"] = _strong_reference(target.post)
        record: dict[str, object] = {
            "$type": POST_COLLECTION,
            "text": part.text,
            "reply": reply,
            "createdAt": format_time(created_at + number * ONE_MS),
        }
        if part.facets:
            record["facets"] = list(part.facets)
        if embeds and number in embeds:
            record["embed"] = embeds[number]
        key = make_record_key(message_id, number)
        writes.append(RecordWrite(POST_COLLECTION, key, record, reply_to_previous=number > 0))
    return RecordPlan(tuple(writes))


def make_command_plan(
    message_id: str, command: Command, target: PostReference, created_at: float
) -> RecordPlan:
    """The one record (like, repost) that a command becomes."""
    record = {
        "$type": command.collection,
        "subject": _strong_reference(target),
        "createdAt": format_time(created_at),
    }
    key = make_record_key(message_id, 0)
    return RecordPlan((RecordWrite(command.collection, key, record),))


def make_direct_message_parts(parts: Iterable[Part]) -> tuple[DirectMessagePart, ...]:
    """The direct messages that the parts become."""
    return tuple(DirectMessagePart(part.text, part.facets) for part in parts)


def _make_part(
    text: str, start: int, end: int, spans: tuple[Span, ...], dids: Mapping[str, str]
) -> Part:
    shown = text[start:end]
    inside = (_shift(span, start, end) for span in spans)
    facets = (make_facet(shown, span, dids) for span in inside if span is not None)
    return Part(shown, tuple(facet for facet in facets if facet is not None))


def _shift(span: Span, start: int, end: int) -> Span | None:
    """The span as seen from one part. Of a link that was cut every piece leads to the whole."""
    left, right = max(span.start, start), min(span.end, end)
    whole = (left, right) == (span.start, span.end)
    if left >= right or not (whole or isinstance(span.feature, Link)):
        return None
    return replace(span, start=left - start, end=right - start)


def _strong_reference(post: PostReference) -> dict[str, str]:
    return {"uri": post.uri, "cid": post.cid}
