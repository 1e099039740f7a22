"""From an agent's words to the records and direct messages that they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from actors.messages import (
    DirectMessagePart,
    Json,
    PostReference,
    RecordPlan,
    RecordWrite,
    ThreadReference,
)
from actors.translation.facets import Link, Span, find_spans, make_facet
from actors.translation.record_key import make_record_key
from actors.translation.splitting import Limit, Range, split
from runtime.clock import format_time

POST_COLLECTION = "app.bsky.feed.post"
QUOTE = "app.bsky.embed.record"
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


def make_parts(
    text: str, limit: Limit, dids: Mapping[str, str], *, numbered: bool = False
) -> tuple[Part, ...]:
    """Cut a cleaned text into parts with their facets.

    Args:
        dids: of the handles that the text mentions; one that is missing stays plain text.
        numbered: end each of several parts with its number, as in ``(1/3)``, within the limit.
    """
    spans = find_spans(text)
    ranges = _split(text, limit, [(span.start, span.end) for span in spans], numbered)
    parts = tuple(_make_part(text, start, end, spans, dids) for start, end in ranges)
    if not numbered or len(parts) < 2:
        return parts
    total = len(parts)
    return tuple(
        replace(part, text=part.text + _make_number(number, total))
        for number, part in enumerate(parts, start=1)
    )


def make_reply_plan(
    message_id: str,
    parts: Iterable[Part],
    target: ThreadReference,
    created_at: float,
    languages: tuple[str, ...] = (),
    embeds: Mapping[int, Json] | None = None,
) -> RecordPlan:
    """A chain of replies (``app.bsky.feed.post``): the first answers the target.

    Args:
        created_at: unix time of the first; each later one is a millisecond younger.
        languages: BCP 47 tags of what is written, at most three; none are named if empty.
        embeds: what is shown below a text (``app.bsky.embed.*``), by the number of the part.
    """
    root = _strong_reference(target.root)
    writes: list[RecordWrite] = []
    for number, part in enumerate(parts):
        reply = {"root": root}
        if number == 0:
            reply["parent"] = _strong_reference(target.post)
        record = _make_post(part, created_at + number * ONE_MS, languages) | {"reply": reply}
        if embeds and number in embeds:
            record["embed"] = embeds[number]
        key = make_record_key(message_id, number)
        writes.append(RecordWrite(POST_COLLECTION, key, record, reply_to_previous=number > 0))
    return RecordPlan(tuple(writes))


def make_post_plan(
    message_id: str,
    parts: Iterable[Part],
    created_at: float,
    languages: tuple[str, ...] = (),
    *,
    quoted: PostReference | None = None,
    embeds: Mapping[int, Json] | None = None,
) -> RecordPlan:
    """A post that begins a thread, with the rest of its text as a chain of replies below it.

    Args:
        embeds: what is shown below a text, by the number of the part, where it quotes nothing.
        quoted: the post that the first one shows (``app.bsky.embed.record``).
    """
    writes: list[RecordWrite] = []
    for number, part in enumerate(parts):
        record = _make_post(part, created_at + number * ONE_MS, languages)
        later = number > 0
        if later:
            record["reply"] = {}
        if quoted is not None and not later:
            record["embed"] = {"$type": QUOTE, "record": _strong_reference(quoted)}
        elif embeds and number in embeds:
            record["embed"] = embeds[number]
        key = make_record_key(message_id, number)
        write = RecordWrite(
            POST_COLLECTION, key, record, reply_to_previous=later, root_is_first=later
        )
        writes.append(write)
    return RecordPlan(tuple(writes))


def make_relation_plan(
    message_id: str, collection: str, subject: PostReference | str, created_at: float
) -> RecordPlan:
    """The one record by which the account likes or reposts a post, follows or blocks a DID."""
    record = {
        "$type": collection,
        "subject": subject if isinstance(subject, str) else _strong_reference(subject),
        "createdAt": format_time(created_at),
    }
    return RecordPlan((RecordWrite(collection, make_record_key(message_id, 0), record),))


def make_direct_message_parts(parts: Iterable[Part]) -> tuple[DirectMessagePart, ...]:
    """The direct messages that the parts become."""
    return tuple(DirectMessagePart(part.text, part.facets) for part in parts)


def _split(text: str, limit: Limit, keep_whole: list[Range], numbered: bool) -> tuple[Range, ...]:
    """The ranges of the parts; if they are to be numbered, with room left for the number."""
    ranges = split(text, limit, keep_whole)
    if not numbered or len(ranges) < 2:
        return ranges
    for digits in count(1):
        widest = 10**digits - 1
        width = len(_make_number(widest, widest))
        room = Limit(limit.graphemes - width, limit.utf8_bytes - width)
        ranges = split(text, room, keep_whole)
        if len(ranges) <= widest:
            break
    return ranges


def _make_number(number: int, total: int) -> str:
    return f" ({number}/{total})"


def _make_post(part: Part, created_at: float, languages: tuple[str, ...]) -> dict[str, object]:
    record: dict[str, object] = {
        "$type": POST_COLLECTION,
        "text": part.text,
        "createdAt": format_time(created_at),
    }
    if part.facets:
        record["facets"] = list(part.facets)
    if languages:
        record["langs"] = list(languages)
    return record


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
