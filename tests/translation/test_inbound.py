"""What somebody wrote on Bluesky reaches the agent whole: every word, link, picture and quote."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import Attachment, Author, InboundPost, PostReference
from actors.translation.inbound import make_reference, translate_message, translate_post
from actors.translation.inbound_views import ProfileView
from runtime.errors import Malformed

URI = "at://did:plc:alice/app.bsky.feed.post/3kabc"
LINK = "https://bsky.app/profile/alice.test/post/3kabc"
ALICE = {"did": "did:plc:alice", "handle": "alice.test", "displayName": "Alice", "avatar": ""}
BOB = {"did": "did:plc:bob", "handle": "bob.test"}
QUOTED = {
    "$type": "app.bsky.embed.record#viewRecord",
    "uri": "at://did:plc:bob/app.bsky.feed.post/3kq",
    "cid": "q",
    "author": BOB,
    "value": {"text": "first\nsecond", "createdAt": "2026-01-01T00:00:00Z"},
    "indexedAt": "2026-01-01T00:00:00Z",
}
IMAGE = {"thumb": "https://cdn/t", "fullsize": "https://cdn/f", "alt": "a cat"}
IMAGES = {"$type": "app.bsky.embed.images#view", "images": [IMAGE]}
RECORDED_IMAGES = {
    "$type": "app.bsky.embed.images",
    "images": [
        {"alt": "a cat", "image": {"ref": {"$link": "bafycat"}, "mimeType": "image/png", "size": 1}}
    ],
}
CARD = {
    "$type": "app.bsky.embed.external#view",
    "external": {"uri": "https://x.test/a", "title": "Title", "description": "About"},
}


def view(text: str = "hello", *, embed: object = None, **record: object) -> dict[str, Any]:
    """A post view; ``record`` overrides parts of the record."""
    post = {
        "uri": URI,
        "cid": "c",
        "author": ALICE,
        "record": {"text": text, "createdAt": "2026-01-02T03:04:05.678Z", **record},
        "indexedAt": "2026-01-02T03:04:06Z",
        "likeCount": 3,
    }
    return post if embed is None else {**post, "embed": embed}


def facet(text: str, shown: str, feature: dict[str, str]) -> dict[str, Any]:
    """A facet on the words ``shown``, by their UTF-8 bytes."""
    start = len(text[: text.index(shown)].encode())
    index = {"byteStart": start, "byteEnd": start + len(shown.encode())}
    kind = next(iter(feature))
    name = {"uri": "link", "did": "mention", "tag": "tag"}[kind]
    return {
        "index": index,
        "features": [{"$type": f"app.bsky.richtext.facet#{name}", **feature}],
    }


def translate(post: dict[str, Any]) -> InboundPost:
    return translate_post(post, "mention")


def test_a_plain_post_is_carried_whole() -> None:
    """What is empty is absent; a post that is no reply is its own root."""
    post = translate(view(langs=["de", "en"], tags=["cats"]))
    assert post.author == Author("did:plc:alice", "alice.test", "Alice", None)
    assert post.post == post.root == PostReference(URI, "c")
    assert (post.text, post.url, post.parent_uri) == ("hello", LINK, None)
    assert post.created_at == "2026-01-02T03:04:05.678Z"
    assert post.metadata == {
        "reason": "mention",
        "langs": "de,en",
        "tags": "cats",
        "postUrl": LINK,
        "profileUrl": "https://bsky.app/profile/alice.test",
    }
    assert all(isinstance(value, str) for value in post.metadata.values())


def test_a_reply_names_its_true_root_and_parent() -> None:
    """The root is the record's, whatever post was found."""
    root = {"uri": "at://did:plc:bob/app.bsky.feed.post/root", "cid": "r"}
    parent = {"uri": "at://did:plc:bob/app.bsky.feed.post/parent", "cid": "p"}
    post = translate(view(reply={"root": root, "parent": parent}))
    assert post.parent_uri == parent["uri"]
    reference = make_reference(post)
    assert reference.post.uri == URI
    assert reference.root == PostReference(root["uri"], "r")
    assert reference.author_did == "did:plc:alice"


@pytest.mark.parametrize("handle", ["handle.invalid", ""])
def test_a_handle_that_does_not_resolve_is_linked_by_did(handle: str) -> None:
    """A link by such a handle leads nowhere."""
    post = translate({**view(), "author": {**ALICE, "handle": handle}})
    assert post.url == "https://bsky.app/profile/did:plc:alice/post/3kabc"


@pytest.mark.parametrize(
    ("created", "indexed", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:09Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T04:04:05.1234567+01:00", "2026-02-01T00:00:00Z", "2026-01-02T03:04:05.123Z"),
        ("2035-01-01T00:00:00Z", "2026-01-02T03:04:09.5Z", "2026-01-02T03:04:09.500Z"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"),
        ("yesterday", "2026-01-02T03:04:09Z", "2026-01-02T03:04:09.000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:09Z", "2026-01-02T03:04:09.000Z"),
        ("0001-01-01T00:00:00+14:00", "1960-01-02T03:04:09Z", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.000Z"),
        (None, "2026-01-02T03:04:09Z", "2026-01-02T03:04:09.000Z"),
        ("2026-01-02T03:04:05Z", None, "2026-01-02T03:04:05.000Z"),
    ],
)
def test_the_time_is_the_authors_unless_it_cannot_be(
    created: object, indexed: object, expected: str
) -> None:
    """Never in the future; always UTC with milliseconds."""
    post = {**view(createdAt=created), "indexedAt": indexed}
    assert translate(post).created_at == expected


def test_links_are_shown_in_full_and_mentions_and_tags_kept() -> None:
    """Clients shorten addresses in the text; offsets count bytes."""
    text = "Grüße 👋 @bob.test: see x.test/a/long... and here #cats"
    facets = [
        facet(text, "@bob.test", {"did": "did:plc:bob"}),
        facet(text, "here", {"uri": "https://y.test/b"}),
        facet(text, "x.test/a/long...", {"uri": "https://x.test/a/long/way?home=1"}),
        facet(text, "#cats", {"tag": "cats"}),
    ]
    post = translate(view(text, facets=[*facets, facets[0]]))
    assert post.text == (
        "Grüße 👋 @bob.test: see https://x.test/a/long/way?home=1 and here (https://y.test/b) #cats"
    )
    assert post.mentioned_dids == ("did:plc:bob",)


@pytest.mark.parametrize(
    ("shown", "uri", "expected"),
    [
        ("go", "https://google.com/maps", "go (https://google.com/maps)"),
        ("X", "https://x.test/a", "X (https://x.test/a)"),
        ("x.test", "https://x.test/a", "https://x.test/a"),
        ("X.test/a…", "https://www.x.test/a/b", "https://www.x.test/a/b"),
        ("https://x.test/", "https://x.test", "https://x.test"),
    ],
)
def test_a_label_that_begins_as_the_address_does_keeps_its_words(
    shown: str, uri: str, expected: str
) -> None:
    """Only what has the whole host is a shortened address."""
    post = translate(view(shown, facets=[facet(shown, shown, {"uri": uri})]))
    assert post.text == expected


@pytest.mark.parametrize(
    "index",
    [
        {"byteStart": 0, "byteEnd": 999},
        {"byteStart": 3, "byteEnd": 3},
        {"byteStart": 1, "byteEnd": 2},
        {"byteStart": 5, "byteEnd": 2},
    ],
)
def test_a_link_that_points_nowhere_is_put_below(index: dict[str, int]) -> None:
    """Beyond the text, empty, or through the middle of a character: the address is not lost."""
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://x.test/"}
    post = translate(view("äöü", facets=[{"index": index, "features": [link]}]))
    assert post.text == "äöü\nhttps://x.test/"


def test_overlapping_links_lose_nothing() -> None:
    """The first keeps its place; the other follows below."""
    text = "one two three"
    facets = [
        facet(text, "one two", {"uri": "https://a.test"}),
        facet(text, "two three", {"uri": "https://b.test"}),
    ]
    assert translate(view(text, facets=facets)).text == (
        "one two (https://a.test) three\nhttps://b.test"
    )


@pytest.mark.parametrize("facets", ["x", [None], [{}], [{"index": {}, "features": "x"}], {}, 5])
def test_odd_facets_do_not_hold_up_a_post(facets: object) -> None:
    """The text is what matters."""
    assert translate(view("hello", facets=facets)).text == "hello"


def test_old_posts_have_entities_for_facets() -> None:
    """Their offsets count UTF-16 units: an emoji is two."""
    text = "👋 @bob.test x.test/a..."
    entities = [
        {"index": {"start": 3, "end": 12}, "type": "mention", "value": "did:plc:bob"},
        {"index": {"start": 13, "end": 24}, "type": "link", "value": "https://x.test/abc"},
        {"index": {"start": 13, "end": 99}, "type": "link"},
    ]
    post = translate(view(text, entities=entities))
    assert post.text == "👋 @bob.test https://x.test/abc"
    assert post.mentioned_dids == ("did:plc:bob",)


def test_what_is_known_of_the_author_is_told() -> None:
    """Labels that were taken back are none; the age is that at the time of the post."""
    labels = [
        {"src": "did:plc:l", "val": "spam"},
        {"src": "did:plc:l", "val": "rude"},
        {"src": "did:plc:l", "val": "rude", "neg": True},
        {"val": 5},
        "x",
    ]
    author = {
        **ALICE,
        "createdAt": "2025-12-01T00:00:00Z",
        "labels": labels,
        "viewer": {"followedBy": "at://did:plc:alice/app.bsky.graph.follow/3k"},
    }
    post = view(labels={"values": [{"val": "nudity"}]})
    post |= {"author": author, "labels": [{"src": "did:plc:l", "val": "rude"}]}
    account = ProfileView(did=ALICE["did"], handle="alice.test", followers_count=12)
    assert translate_post(post, "reply", account).metadata == {
        "reason": "reply",
        "postLabels": "rude,nudity",
        "authorLabels": "spam",
        "authorFollowers": "12",
        "authorAgeDays": "32",
        "authorFollowsUs": "true",
        "postUrl": LINK,
        "profileUrl": "https://bsky.app/profile/alice.test",
    }


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"createdAt": "long ago"}, "authorAgeDays"),
        ({"followersCount": True}, "authorFollowers"),
        ({"labels": "spam"}, "authorLabels"),
        ({"viewer": None}, "authorFollowsUs"),
    ],
)
def test_what_is_odd_in_an_account_is_left_out(change: dict[str, Any], missing: str) -> None:
    """A post waits for none of it."""
    author = {**ALICE, "viewer": {}, **change}
    account = ProfileView.model_validate(author)
    metadata = translate_post({**view(), "author": author}, "reply", account).metadata
    assert missing not in metadata
    assert metadata["profileUrl"]


def test_images_are_attached_with_their_type_and_alt_text() -> None:
    """The record knows the type, the view the address."""
    post = translate(view(embed=IMAGES) | {"record": view(embed=None)["record"]})
    assert post.attachments == (Attachment("Image", "https://cdn/f", None, "a cat", None),)
    whole = view(embed=IMAGES)
    whole["record"]["embed"] = RECORDED_IMAGES
    assert translate(whole).attachments == (
        Attachment("Image", "https://cdn/f", "image/png", "a cat", "bluesky-3kabc-1.png"),
    )
    assert translate(whole).text == "hello"


def test_a_gallery_is_attached_and_what_is_new_in_it_is_named() -> None:
    """Later kinds of items are not passed over in silence."""
    item = {"$type": "app.bsky.embed.gallery#viewImage", **IMAGE, "thumbnail": "https://cdn/t"}
    embed = {"$type": "app.bsky.embed.gallery#view", "items": [item, {"$type": "x#clip"}]}
    post = translate(view(embed=embed))
    assert [one.url for one in post.attachments] == ["https://cdn/f"]
    assert "app.bsky.embed.gallery" in post.text
    assert LINK in post.text


def test_a_video_is_a_thumbnail_a_link_and_a_line() -> None:
    """An agent can open the post to watch it."""
    embed = {
        "$type": "app.bsky.embed.video#view",
        "cid": "v",
        "playlist": "https://video/p.m3u8",
        "thumbnail": "https://video/t.jpg",
        "alt": "a dance",
    }
    post = translate(view(embed=embed))
    assert [(one.media_type, one.url, one.text) for one in post.attachments] == [
        ("Image", "https://video/t.jpg", "a dance"),
        ("Link", "https://video/p.m3u8", "a dance"),
    ]
    assert post.text == f"hello\n\n[Video: a dance {LINK}]"
    del embed["thumbnail"], embed["alt"]
    post = translate(view(embed=embed))
    assert len(post.attachments) == 1
    assert f"[Video: {LINK}]" in post.text


def test_a_card_is_a_link_with_its_title_and_description_below() -> None:
    """An address that is in the text already is not repeated."""
    post = translate(view(embed=CARD))
    assert post.text == "hello\n\nTitle\nAbout\nhttps://x.test/a"
    assert post.attachments == (Attachment("Link", "https://x.test/a", "text/html", "Title"),)
    assert translate(view("see https://x.test/a", embed=CARD)).text == (
        "see https://x.test/a\n\nTitle\nAbout"
    )


def test_a_quote_names_its_author_its_text_and_its_address() -> None:
    """Without it "what do you say to this?" makes no sense."""
    embed = {"$type": "app.bsky.embed.record#view", "record": QUOTED}
    assert translate(view(embed=embed)).text == (
        "hello\n\nQuoting @bob.test (https://bsky.app/profile/bob.test/post/3kq):\n"
        "> first\n> second"
    )


def test_a_quote_with_media_keeps_both() -> None:
    """Of the post itself, and of what it quotes; a picture that both have is attached once."""
    embed = {
        "$type": "app.bsky.embed.recordWithMedia#view",
        "media": IMAGES,
        "record": {"record": {**QUOTED, "embeds": [IMAGES, CARD]}},
    }
    post = translate(view(embed=embed))
    assert [one.url for one in post.attachments] == ["https://cdn/f", "https://x.test/a"]
    assert "> second\n> Title\n> About\n> https://x.test/a\n> [Image: a cat]" in post.text


QUOTED_LINK = "https://bsky.app/profile/did:plc:bob/post/3kq"


def gone(how: str) -> dict[str, Any]:
    """A quoted post that cannot be seen."""
    return {"$type": f"app.bsky.embed.record#view{how}", "uri": QUOTED["uri"]}


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (gone("NotFound"), f"[The quoted post was deleted: {QUOTED_LINK}]"),
        (gone("Blocked"), f"[The quoted post is hidden by a block: {QUOTED_LINK}]"),
        (gone("Detached"), f"[The quoted post was detached by its author: {QUOTED_LINK}]"),
        ({"$type": "app.bsky.embed.record#viewNotFound"}, "[The quoted post was deleted]"),
        (
            {
                "$type": "app.bsky.feed.defs#generatorView",
                "uri": "at://did:plc:bob/app.bsky.feed.generator/cats",
                "displayName": "Cats",
                "creator": BOB,
            },
            "[Feed: Cats by @bob.test https://bsky.app/profile/bob.test/feed/cats]",
        ),
        (
            {
                "$type": "app.bsky.graph.defs#listView",
                "uri": "at://did:plc:bob/app.bsky.graph.list/l",
                "name": "Friends",
            },
            "[List: Friends https://bsky.app/profile/did:plc:bob/lists/l]",
        ),
        (
            {
                "$type": "app.bsky.graph.defs#starterPackViewBasic",
                "uri": "at://did:plc:bob/app.bsky.graph.starterpack/s",
                "record": {"name": "Start"},
            },
            "[Starter pack: Start https://bsky.app/starter-pack/did:plc:bob/s]",
        ),
        (
            {
                "$type": "app.bsky.labeler.defs#labelerView",
                "uri": "at://did:plc:bob/app.bsky.labeler.service/self",
            },
            "[Labeler: https://bsky.app/profile/did:plc:bob]",
        ),
        ({"$type": "app.bsky.future#view"}, LINK),
        ({"$type": "app.bsky.future#view", "uri": QUOTED["uri"]}, QUOTED_LINK),
        ({**QUOTED, "author": None}, QUOTED_LINK),
    ],
)
def test_every_other_kind_of_quote_is_named(record: dict[str, Any], line: str) -> None:
    """Gone, hidden, no post at all, unknown or unreadable."""
    embed = {"$type": "app.bsky.embed.record#view", "record": record}
    assert line in translate(view(embed=embed)).text


@pytest.mark.parametrize(
    "embed",
    [
        {"$type": "app.bsky.embed.poll#view", "question": "?"},
        {"$type": "app.bsky.embed.images#view", "images": "none"},
        {"$type": "app.bsky.embed.external#view"},
        {"no": "type"},
        "nonsense",
    ],
)
def test_an_embed_that_cannot_be_read_is_named_with_the_address(embed: object) -> None:
    """A readable line, never silence."""
    text = translate(view(embed=embed)).text
    assert "[Content that cannot be shown here (" in text
    assert LINK in text


def test_an_embed_without_a_view_is_named() -> None:
    """A video that is not processed yet has none."""
    post = view()
    post["record"]["embed"] = {"$type": "app.bsky.embed.video"}
    assert "(app.bsky.embed.video)" in translate_post(post, "reply").text


def test_the_character_that_ends_strings_elsewhere_is_left_out() -> None:
    """Bluesky accepts it; what comes behind it must not be cut off."""
    assert translate(view("a\x00b 👋")).text == "ab 👋"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"uri": "https://x"}, "uri"),
        ({"cid": None}, "cid"),
        ({"author": {"handle": "x"}}, "author.did"),
        ({"record": None}, "record"),
        ({"record": {"text": 5, "createdAt": "2026-01-01T00:00:00Z"}}, "record.text"),
        ({"record": {"text": "x", "reply": {}}}, "record.reply.root"),
        ({"record": {"text": "secret"}, "indexedAt": "never"}, "time"),
    ],
)
def test_a_post_that_cannot_be_read_says_which_field_but_not_what_it_holds(
    change: dict[str, Any], named: str
) -> None:
    """The reason goes to logs, where no message text may be."""
    with pytest.raises(Malformed) as malformed:
        translate({**view(), **change})
    assert named in str(malformed.value)
    assert "secret" not in str(malformed.value)


@pytest.mark.parametrize("nothing", [None, [], "post", 5, {}])
def test_what_is_no_view_at_all_is_malformed(nothing: object) -> None:
    """Whatever stands in the list."""
    with pytest.raises(Malformed):
        translate_post(nothing, "quote")


SENDER = ProfileView(did="did:plc:alice", handle="alice.test")


def message(**change: object) -> dict[str, Any]:
    """A chat message view."""
    return {
        "$type": "chat.bsky.convo.defs#messageView",
        "id": "m1",
        "rev": "1",
        "text": "hi",
        "sender": {"did": "did:plc:alice"},
        "sentAt": "2026-01-02T03:04:05+00:00",
        **change,
    }


def test_a_direct_message_is_carried_whole() -> None:
    """With its links in full, what it answers to, and the post that it shows."""
    text = "see x.test/lo..."
    embed = {"$type": "app.bsky.embed.record#view", "record": QUOTED}
    translated = translate_message(
        message(
            text=text,
            facets=[facet(text, "x.test/lo...", {"uri": "https://x.test/long"})],
            embed=embed,
            replyTo=message(id="m0", text="earlier\nwords"),
        ),
        "convo",
        SENDER,
    )
    assert (translated.message_id, translated.convo_id) == ("m1", "convo")
    assert translated.sent_at == "2026-01-02T03:04:05.000Z"
    assert translated.text == (
        "see https://x.test/long\n\nIn answer to:\n> earlier\n> words\n"
        "Quoting @bob.test (https://bsky.app/profile/bob.test/post/3kq):\n> first\n> second"
    )
    assert translated.metadata == {"profileUrl": "https://bsky.app/profile/alice.test"}


def test_an_answer_to_a_deleted_message_says_so() -> None:
    """Otherwise "yes, that one" would stand alone."""
    gone = {"$type": "chat.bsky.convo.defs#deletedMessageView", "id": "m0"}
    translated = translate_message(message(replyTo=gone), "convo", SENDER)
    assert translated.text == "hi\n\n[In answer to a message that was deleted]"


@pytest.mark.parametrize(
    "change", [{"id": ""}, {"text": None}, {"sender": {}}, {"sentAt": "now"}, {"sentAt": None}]
)
def test_a_direct_message_that_cannot_be_read_is_malformed(change: dict[str, Any]) -> None:
    """It becomes a dead letter, and those behind it go on."""
    with pytest.raises(Malformed):
        translate_message(message(**change), "convo", SENDER)


def test_an_invitation_to_a_group_is_named() -> None:
    """By name, owner and address; a switched-off one has only the address."""
    preview = {"code": "abc", "name": "Cats", "owner": BOB}
    embed = {"$type": "chat.bsky.embed.joinLink#view", "joinLinkPreview": preview}
    translated = translate_message(message(embed=embed), "c", SENDER)
    assert translated.text == (
        "hi\n\n[Invitation to a group chat: “Cats” by @bob.test https://bsky.app/chat/abc]"
    )
    embed["joinLinkPreview"] = {"code": "abc"}
    translated = translate_message(message(embed=embed), "c", SENDER)
    assert translated.text == "hi\n\n[Invitation to a group chat: https://bsky.app/chat/abc]"
