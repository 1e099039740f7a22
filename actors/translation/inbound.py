"""From Bluesky's views to the messages that go to Genesys. Pure: it waits for nothing."""

from __future__ import annotations

from actors.messages import (
    Author,
    InboundDirectMessage,
    InboundPost,
    InboundReason,
    PostReference,
    ThreadReference,
)
from actors.translation.inbound_embeds import Content, read_embed
from actors.translation.inbound_text import expand_links, find_mentions
from actors.translation.inbound_views import (
    MessageView,
    PostRecord,
    PostView,
    ProfileView,
    StrongReference,
    as_texts,
    find_view,
    parse_view,
)
from actors.translation.links import make_link, make_profile_link
from actors.translation.times import find_time
from runtime.clock import format_time
from runtime.errors import Malformed


def translate_post(view: object, reason: InboundReason) -> InboundPost:
    """Translate ``app.bsky.feed.defs#postView``, whose record is an ``app.bsky.feed.post``.

    Raises:
        Malformed: if it is no such view, with the fields that are wrong.
    """
    post = parse_view(PostView, view)
    link = make_link(post.uri, post.author.handle)
    own = PostReference(post.uri, post.cid)
    reply = post.record.reply
    content = read_embed(post.embed, post.record.embed, link)
    return InboundPost(
        post=own,
        root=_refer(reply.root) if reply else own,
        parent_uri=reply.parent.uri if reply else None,
        author=translate_author(post.author),
        text=_compose(expand_links(post.record.text, post.record.facets), content),
        created_at=_read_time(post),
        url=link,
        reason=reason,
        mentioned_dids=find_mentions(post.record.facets),
        attachments=content.attachments,
        metadata=_describe_post(post.record, reason, link, post.author),
    )


def translate_message(view: object, convo_id: str, author: Author) -> InboundDirectMessage:
    """Translate ``chat.bsky.convo.defs#messageView``. ``author`` is whom its sender's DID names.

    Raises:
        Malformed: if it is no such view, with the fields that are wrong.
    """
    message = parse_view(MessageView, view)
    profile = make_profile_link(author.did, author.handle)
    answered = find_view(MessageView, message.reply_to)
    context = Content(_quote_message(answered)) if answered else Content()
    content = context + read_embed(message.embed, None, profile)
    sent_s = find_time(message.sent_at)
    if sent_s is None:
        raise Malformed("not a MessageView: sentAt is no time")
    return InboundDirectMessage(
        message_id=message.id,
        convo_id=convo_id,
        author=author,
        text=_compose(expand_links(message.text, message.facets), content),
        sent_at=format_time(sent_s),
        attachments=content.attachments,
        metadata={"profileUrl": profile},
    )


def translate_author(profile: ProfileView) -> Author:
    """Translate a profile view of the ``app`` or the ``chat`` lexicons. What is empty is absent."""
    return Author(
        did=profile.did,
        handle=profile.handle,
        display_name=profile.display_name or None,
        avatar=profile.avatar or None,
    )


def make_reference(post: InboundPost) -> ThreadReference:
    """What a reply to this post must name."""
    return ThreadReference(post=post.post, root=post.root, author_did=post.author.did)


def _refer(reference: StrongReference) -> PostReference:
    return PostReference(reference.uri, reference.cid)


def _compose(text: str, content: Content) -> str:
    # An address that stands in the text already is not repeated below it.
    lines = [line for line in content.lines if not (line.startswith("http") and line in text)]
    parts = (text.strip(), "\n".join(lines))
    return "\n\n".join(part for part in parts if part).replace("\x00", "")


def _read_time(post: PostView) -> str:
    """The author's time, unless it is missing, senseless or later than the server's.

    ``indexedAt`` is the earlier of the two, so a clock that runs ahead never leads.
    """
    created_s = find_time(post.record.created_at)
    indexed_s = find_time(post.indexed_at)
    known = [moment for moment in (created_s, indexed_s) if moment is not None]
    if not known:
        raise Malformed("not a PostView: neither createdAt nor indexedAt is a time")
    return format_time(min(known))


def _describe_post(
    record: PostRecord, reason: InboundReason, link: str, author: ProfileView
) -> dict[str, str]:
    described = {
        "reason": reason,
        "langs": ",".join(as_texts(record.langs)),
        "tags": ",".join(as_texts(record.tags)),
        "postUrl": link,
        "profileUrl": make_profile_link(author.did, author.handle),
    }
    return {name: value for name, value in described.items() if value}


def _quote_message(answered: MessageView) -> tuple[str, ...]:
    return ("In answer to:", *(f"> {line}" for line in answered.text.splitlines()))
