"""From Bluesky's views to the messages that go to Genesys. Pure: it waits for nothing."""

from __future__ import annotations

from actors.messages import (
    Attachment,
    Author,
    InboundDirectMessage,
    InboundPost,
    InboundReason,
    PostReference,
    ThreadReference,
)
from actors.translation.inbound_embeds import read_embed
from actors.translation.inbound_media import Content, type_of
from actors.translation.inbound_text import (
    expand_links,
    find_mentions,
    read_features,
    read_post_features,
)
from actors.translation.inbound_views import (
    MessageView,
    PostView,
    ProfileView,
    ReactionView,
    StrongReference,
    as_texts,
    find_view,
    parse_view,
)
from actors.translation.inbound_who import describe_account, describe_sender, find_post_labels
from actors.translation.links import make_link, make_profile_link
from actors.translation.times import find_time
from runtime.clock import format_time
from runtime.errors import Malformed


def translate_post(
    view: object, reason: InboundReason, account: ProfileView | None = None
) -> InboundPost:
    """Translate ``app.bsky.feed.defs#postView``, whose record is an ``app.bsky.feed.post``.

    Args:
        view: as the server gave it, or as it was parsed.
        reason: why it is of interest.
        account: the author's ``app.bsky.actor.defs#profileViewDetailed``, if it is known.

    Raises:
        Malformed: if it is no such view, with the fields that are wrong.
    """
    post = parse_view(PostView, view)
    link = make_link(post.uri, post.author.handle)
    own = PostReference(post.uri, post.cid)
    reply = post.record.reply
    features = read_post_features(post.record)
    content = read_embed(post.embed, post.record.embed, link)
    created_s = _find_time(post)
    return InboundPost(
        post=own,
        root=_refer(reply.root) if reply else own,
        parent_uri=reply.parent.uri if reply else None,
        author=translate_author(post.author),
        text=_compose(expand_links(post.record.text, features), content),
        created_at=format_time(created_s),
        url=link,
        reason=reason,
        mentioned_dids=find_mentions(features),
        attachments=_list_once(content.attachments),
        metadata=_describe_post(post, reason, link)
        | describe_account(post.author, account, created_s),
    )


def translate_message(
    view: object, convo_id: str, sender: ProfileView, account: ProfileView | None = None
) -> InboundDirectMessage:
    """Translate ``chat.bsky.convo.defs#messageView``.

    Args:
        view: as the server gave it.
        convo_id: of its conversation.
        sender: whom the sender's DID names.
        account: their ``app.bsky.actor.defs#profileViewDetailed``, if it is known.

    Raises:
        Malformed: if it is no such view, with the fields that are wrong.
    """
    message = parse_view(MessageView, view)
    profile = make_profile_link(sender.did, sender.handle)
    content = Content(_quote_message(message.reply_to)) + read_embed(message.embed, None, profile)
    sent_s = find_time(message.sent_at)
    if sent_s is None:
        raise Malformed("not a MessageView: sentAt is no time")
    return InboundDirectMessage(
        message_id=message.id,
        convo_id=convo_id,
        author=translate_author(sender),
        text=_compose(expand_links(message.text, read_features(message.facets)), content),
        sent_at=format_time(sent_s),
        attachments=_list_once(content.attachments),
        metadata=describe_sender(sender, account, sent_s),
    )


def translate_reaction(
    reaction: object,
    view: object,
    convo_id: str,
    sender: ProfileView,
    account: ProfileView | None = None,
) -> InboundDirectMessage:
    """Translate ``chat.bsky.convo.defs#reactionView`` to a note.

    The same emoji on the same message has the same ``message_id``, whenever it was put there.

    Args:
        reaction: as the server gave it.
        view: the ``chat.bsky.convo.defs#messageView`` that it was put on.
        convo_id: of its conversation.
        sender: who reacted.
        account: their ``app.bsky.actor.defs#profileViewDetailed``, if it is known.

    Raises:
        Malformed: if they are no such views, with the fields that are wrong.
    """
    given = parse_view(ReactionView, reaction)
    message = parse_view(MessageView, view)
    reacted_s = find_time(given.created_at)
    if reacted_s is None:
        raise Malformed("not a ReactionView: createdAt is no time")
    emoji = "-".join(f"{ord(character):x}" for character in given.value)
    text = expand_links(message.text, read_features(message.facets))
    lines = (f"[Reacted with {given.value} to:]", *(f"> {line}" for line in text.splitlines()))
    return InboundDirectMessage(
        message_id=f"{message.id}:reaction:{emoji}",
        convo_id=convo_id,
        author=translate_author(sender),
        text="\n".join(lines).replace("\x00", ""),
        sent_at=format_time(reacted_s),
        metadata=describe_sender(sender, account, reacted_s) | {"reaction": given.value},
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


def _list_once(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """What a post has in common with the one that it quotes is attached once."""
    first: dict[str, Attachment] = {}
    for attachment in attachments:
        first.setdefault(attachment.url, attachment)
    return tuple(first.values())


def _find_time(post: PostView) -> float:
    """The author's time, unless it is missing, senseless or later than the server's.

    ``indexedAt`` is the earlier of the two, so a clock that runs ahead never leads.
    """
    created_s = find_time(post.record.created_at)
    indexed_s = find_time(post.indexed_at)
    known = [moment for moment in (created_s, indexed_s) if moment is not None]
    if not known:
        raise Malformed("not a PostView: neither createdAt nor indexedAt is a time")
    return min(known)


def _describe_post(post: PostView, reason: InboundReason, link: str) -> dict[str, str]:
    described = {
        "reason": reason,
        "langs": ",".join(as_texts(post.record.langs)),
        "tags": ",".join(as_texts(post.record.tags)),
        "postLabels": ",".join(find_post_labels(post.labels, post.record)),
        "postUrl": link,
    }
    return {name: value for name, value in described.items() if value}


def _quote_message(answered: object) -> tuple[str, ...]:
    """The message that this one answers to, of the union ``replyTo``."""
    if type_of(answered) == "chat.bsky.convo.defs#deletedMessageView":
        return ("[In answer to a message that was deleted]",)
    message = find_view(MessageView, answered)
    if message is None:
        return ()
    text = expand_links(message.text, read_features(message.facets))
    return ("In answer to:", *(f"> {line}" for line in text.splitlines()))
