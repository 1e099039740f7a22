"""What is embedded in a post or message, as lines of text and attachments.

Every embed says something: what is not known, or not readable, becomes a line that names it, with
the address where a person can look.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.translation.inbound_embed_views import (
    GoneView,
    JoinLinkPreview,
    JoinLinkView,
    NamedView,
    QuotedView,
    RecordEmbedView,
    RecordWithMediaView,
)
from actors.translation.inbound_media import (
    Content,
    name_unknown,
    read_external,
    read_gallery,
    read_images,
    read_video,
    type_of,
)
from actors.translation.inbound_text import expand_links, read_post_features
from actors.translation.inbound_views import ProfileView, as_object, find_view
from actors.translation.links import make_link

_CHATS = "https://bsky.app/chat"
_GONE = {
    "app.bsky.embed.record#viewNotFound": "The quoted post was deleted",
    "app.bsky.embed.record#viewBlocked": "The quoted post is hidden by a block",
    "app.bsky.embed.record#viewDetached": "The quoted post was detached by its author",
}
_INVITATIONS = {
    "chat.bsky.group.defs#disabledJoinLinkPreviewView": ", switched off",
    "chat.bsky.group.defs#invalidJoinLinkPreviewView": ", not valid any more",
}
_NAMED = {
    "app.bsky.feed.defs#generatorView": "Feed",
    "app.bsky.graph.defs#listView": "List",
    "app.bsky.labeler.defs#labelerView": "Labeler",
    "app.bsky.graph.defs#starterPackViewBasic": "Starter pack",
}


def read_embed(view: object, recorded: object, link: str) -> Content:
    """Read the ``embed`` of a view.

    Args:
        view: the hydrated embed; ``None`` when the server made none.
        recorded: the embed as the record has it; it knows the true media types.
        link: where a person can see the whole.
    """
    if view is None:
        return name_unknown(recorded, link) if recorded is not None else Content()
    read = _READERS.get(type_of(view))
    content = read(view, recorded, link) if read else None
    return content if content is not None else name_unknown(view, link)


def _read_record(view: object, recorded: object, link: str) -> Content | None:
    embed = find_view(RecordEmbedView, view)
    if embed is None:
        return None
    kind = type_of(embed.record)
    gone = find_view(GoneView, embed.record)
    target = make_link(gone.uri) if gone else None
    if kind in _GONE:
        return Content((f"[{_GONE[kind]}{f': {target}' if target else ''}]",))
    if kind in _NAMED:
        return _read_named(_NAMED[kind], embed.record)
    quoted = find_view(QuotedView, embed.record)
    return _read_quote(quoted) if quoted else name_unknown(embed.record, target or link)


def _read_named(kind: str, record: object) -> Content | None:
    subject = find_view(NamedView, record)
    if subject is None:
        return None
    creator = find_view(ProfileView, subject.creator)
    inner = find_view(NamedView, {"uri": subject.uri, **as_object(subject.record)})
    name = subject.display_name or subject.name or (inner.name if inner else None)
    by = f"by @{creator.handle}" if creator else None
    link = make_link(subject.uri, creator.handle if creator else None)
    return Content((f"[{kind}: {' '.join(part for part in (name, by, link) if part)}]",))


def _read_quote(quoted: QuotedView) -> Content:
    """Who is quoted, the text, and what is in it; its files are attached, and named in their place.

    What one post quotes may quote another; the server ends that after two.
    """
    link = make_link(quoted.uri, quoted.author.handle)
    inside = Content()
    embeds = quoted.embeds if isinstance(quoted.embeds, list) else []
    for embed in embeds:
        inside += read_embed(embed, quoted.value.embed, link)
    text = expand_links(quoted.value.text, read_post_features(quoted.value))
    body = "\n".join(part for part in (text, *inside.lines, *inside.captions) if part)
    lines = tuple(f"> {line}" for line in body.splitlines())
    return Content((f"Quoting @{quoted.author.handle} ({link}):", *lines), inside.attachments)


def _read_record_with_media(view: object, recorded: object, link: str) -> Content | None:
    both = find_view(RecordWithMediaView, view)
    if both is None:
        return None
    known = as_object(recorded)
    media = read_embed(both.media, known.get("media"), link)
    # The union inside has no $type of its own here: it is a ref in the lexicon.
    record = {**both.record, "$type": "app.bsky.embed.record#view"}
    return media + read_embed(record, known.get("record"), link)


def _read_join_link(view: object, recorded: object, link: str) -> Content | None:
    embed = find_view(JoinLinkView, view)
    preview = find_view(JoinLinkPreview, embed.join_link_preview) if embed else None
    if preview is None:
        return None
    owner = find_view(ProfileView, preview.owner)
    state = _INVITATIONS.get(type_of(embed.join_link_preview) if embed else "", "")
    words = [f"[Invitation to a group chat{state}:"]
    words += [f"“{preview.name}”"] if preview.name else []
    words += [f"by @{owner.handle}"] if owner else []
    return Content((f"{' '.join(words)} {_CHATS}/{preview.code}]",))


_READERS: dict[str, Callable[[object, object, str], Content | None]] = {
    "app.bsky.embed.images#view": read_images,
    "app.bsky.embed.gallery#view": read_gallery,
    "app.bsky.embed.video#view": read_video,
    "app.bsky.embed.external#view": read_external,
    "app.bsky.embed.record#view": _read_record,
    "app.bsky.embed.recordWithMedia#view": _read_record_with_media,
    "chat.bsky.embed.joinLink#view": _read_join_link,
}
