"""What can be put back, and what is refused with which reason."""

from __future__ import annotations

import json

import pytest

from actors.bluesky.letters import make_letter, make_post_letter
from actors.dead_letters import Envelope, KeptLetter
from actors.dedup_store.codec import encode_payload
from actors.items import make_post_item
from actors.messages import AgentMessage, Author, DeadLetter, Payload, Receipt, ResolveContact
from connector.replaying import Left, PutBack, judge
from runtime.errors import Malformed

OWN = "acme.example"
URI = "at://did:plc:alice/app.bsky.feed.post/3lalice"
BROKEN = Malformed("not a PostView: cid: Field required")
WEBHOOK = {
    "id": "message-1",
    "type": "Text",
    "text": "Hello",
    "channel": {"type": "Private", "to": {"id": "did:plc:alice"}},
}


def keep(letter: DeadLetter) -> KeptLetter:
    """As the store keeps it."""
    envelope = Envelope(
        letter_id=letter.letter_id,
        source=letter.source,
        conversation="",
        code=letter.code,
        why=letter.why,
        attempts=letter.attempts,
        recorded_at=1_767_225_600.0,
        died_at=1_767_225_600.0,
    )
    return KeptLetter(envelope, letter.payload)


def of_journal(source: str, payload: Payload, code: str = "Blocked") -> KeptLetter:
    return keep(DeadLetter("item", source, code, "no", encode_payload(payload)))


def of_webhook(body: object) -> KeptLetter:
    return keep(DeadLetter("webhook:1", "WebhookReceiver", "malformed", "x", json.dumps(body)))


def view(**changes: object) -> dict[str, object]:
    """A post as Bluesky shows it."""
    shown = {
        "uri": URI,
        "cid": "bafypost",
        "author": {"did": "did:plc:alice", "handle": "alice.example"},
        "record": {"text": "Hello", "createdAt": "2026-01-01T00:00:00.000Z"},
    }
    return {**shown, **changes}


def refusal(letter: KeptLetter) -> Left:
    left = judge(letter, OWN)
    assert isinstance(left, Left)
    assert left.action
    return left


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        ("GenesysSender", Receipt("m", "did:plc:alice", "Delivered")),
        ("ContactResolver", ResolveContact(Author("did:plc:alice", "alice.example"))),
    ],
)
def test_an_entry_of_the_journal_goes_back_as_it_was(source: str, payload: Payload) -> None:
    """Nothing is written anew: fields of a later release survive."""
    assert judge(of_journal(source, payload), OWN) == PutBack()


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ('{"version":2,"payload":{}}', "version 2"),
        ('{"version":1,"payload":{"kind":"hologram"}}', "hologram"),
        ("no JSON", "not JSON"),
    ],
)
def test_an_entry_that_this_release_cannot_read_stays(payload: str, named: str) -> None:
    """Back in the journal it would die at once."""
    letter = keep(DeadLetter("item", "GenesysSender", "Unreadable", "x", payload))
    assert named in refusal(letter).why


def test_an_agents_message_is_never_put_back() -> None:
    """The agent knows that it failed; a second copy is worse than none."""
    message = AgentMessage("m", "public", "did:plc:alice", "Hello", "2026-01-01T00:00:00.000Z")
    left = refusal(of_journal("BlueskySender", message))
    assert left.agents
    assert "Failed receipt" in left.why
    assert "let the agent send it again" in left.action
    unread = refusal(of_journal("BlueskySender", message, code="Unreadable"))
    assert unread.agents
    assert "there was no receipt" in unread.why


def test_a_post_that_can_be_read_now_goes_in_under_its_own_id() -> None:
    """With the reference that a reply to it needs."""
    for source, letter in (
        ("SearchPoller", make_post_letter("SearchPoller", view(), "search", BROKEN)),
        ("NotificationPoller", make_post_letter("NotificationPoller", view(), "quote", BROKEN)),
    ):
        verdict = judge(keep(letter), OWN)
        assert isinstance(verdict, PutBack), source
        assert verdict.item is not None
        assert verdict.item.item_id == f"post:{URI}"
        assert verdict.item == make_post_item(verdict.item.payload)  # type: ignore[arg-type]
        assert [one.post.uri for one in verdict.references] == [URI]
        assert verdict.unless_seen is None


def test_a_post_that_still_cannot_be_read_stays() -> None:
    """With what is wrong now, which may be less than what was wrong then."""
    letter = make_post_letter("SearchPoller", view(author={"handle": "x"}), "search", BROKEN)
    assert "author.did" in refusal(keep(letter)).why


def test_a_bare_notification_stays() -> None:
    """It looks like a post, and shows less of it."""
    letter = make_letter("NotificationPoller", {**view(), "reason": "mention"}, BROKEN)
    assert "not the post itself" in refusal(keep(letter)).why


def test_a_post_of_the_company_itself_stays() -> None:
    """The pollers leave it out, too, if they can read whose it is."""
    own = {"did": "did:plc:acme", "handle": "Acme.example"}
    letter = make_post_letter("SearchPoller", view(author=own), "search", BROKEN)
    assert "your own account" in refusal(keep(letter)).why


def test_a_direct_message_stays() -> None:
    """Nothing in it says whose handle the DID has, or whether it is a request."""
    value = {"convoId": "c", "message": {"id": "1", "text": "Hello"}}
    left = refusal(keep(make_letter("DMPoller", value, BROKEN)))
    assert "only Bluesky knows" in left.why
    assert not left.agents


def test_a_webhook_that_can_be_read_now_goes_to_its_agents_queue() -> None:
    """Unless its agent was told that it failed."""
    verdict = judge(of_webhook(WEBHOOK), OWN)
    assert isinstance(verdict, PutBack)
    assert verdict.item is not None
    assert verdict.item.item_id == "agent:message-1"
    assert verdict.unless_seen == "receipt:message-1"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**WEBHOOK, "channel": {"type": "Private"}}, "channel.to.id"),
        ({**WEBHOOK, "direction": "Inbound"}, "inbound_echo"),
        ({"type": "Receipt"}, "receipt"),
        ([], "no object"),
    ],
)
def test_a_webhook_with_nothing_to_carry_stays(body: object, named: str) -> None:
    """Whether it is still not understood, or understood to need nothing."""
    assert named in refusal(of_webhook(body)).why


def test_what_an_unknown_actor_kept_stays() -> None:
    """A later release may have more of them."""
    assert "Telepath" in refusal(keep(DeadLetter("x", "Telepath", "c", "w", "{}"))).why
