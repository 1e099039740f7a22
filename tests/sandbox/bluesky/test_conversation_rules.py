"""Who may write to whom, what a message may be, and how chat is reached."""

from __future__ import annotations

import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.bluesky.accounts import AllowIncoming
from sandbox.bluesky.errors import XrpcError
from tests.sandbox.bluesky.client import CHAT, Client, Session

CONVO = "chat.bsky.convo."
LOG = f"{CONVO}getLog"
SEND = f"{CONVO}sendMessage"
FOR_MEMBERS = f"{CONVO}getConvoForMembers"
BAD_METHOD = (400, "InvalidToken", "Bad token method")
CLOSED = "recipient has disabled incoming messages"
FOLLOWED = "recipient requires incoming messages to come from someone they follow"


async def open_convo(session: Session, other: Account) -> str:
    """The id of the conversation with this account."""
    convo = (await session.get(FOR_MEMBERS, members=[other.did]))["convo"]
    return str(convo["id"])


async def test_chat_is_reached_by_its_proxy_header_only(session: Session) -> None:
    """Without it 501; with that of the AppView too; a service nobody knows is a 500."""
    url = f"/xrpc/{LOG}"
    token = {"authorization": f"Bearer {session.access}"}
    http = session.client.http
    for proxy in ({}, {"atproto-proxy": "did:web:api.bsky.app#bsky_appview"}):
        response = await http.get(url, headers={**token, **proxy})
        assert (response.status_code, response.json()["error"]) == (501, "MethodNotImplemented")
    unknown = {"atproto-proxy": "did:web:nope.invalid#chat"}
    assert (await http.get(url, headers={**token, **unknown})).status_code == 500
    assert (await http.get(url, headers=CHAT)).json()["error"] == "AuthMissing"
    wrong = await session.refused("app.bsky.actor.getProfile", headers=CHAT, actor=session.did)
    assert wrong[0] == 501


@pytest.mark.parametrize(
    ("name", "privileged"),
    [
        ("getLog", True),
        ("listConvos", True),
        ("getConvo", True),
        ("getConvoForMembers", True),
        ("getMessages", True),
        ("getConvoAvailability", False),
        ("listConvoRequests", False),
    ],
)
async def test_an_app_password_without_messages_is_refused_by_method(
    client: Client, brand: Account, alice: Account, name: str, privileged: bool
) -> None:
    """``Bad token method`` for the methods that the PDS guards; others pass it."""
    session = await client.log_in(brand, "without-messages")
    response = await session.send(CONVO + name, convoId="x", members=[alice.did])
    refused = response.status_code == 400 and response.json()["message"] == BAD_METHOD[2]
    assert refused is privileged
    body = {"convoId": "x", "message": {"text": "hi"}}
    assert await session.refused(SEND, body=body) == BAD_METHOD


async def test_a_conversation_is_of_its_members(
    network: BlueskyNetwork, client: Client, alice: Account, bob: Account, brand: Account
) -> None:
    """To others it is not there."""
    convo_id = network.direct_messages.send(alice, brand, "secret").convo_id
    other = await client.log_in(bob)
    invalid = (400, "InvalidConvo", "Convo not found")
    for name in ("getConvo", "getMessages", "getConvoMembers"):
        assert await other.refused(CONVO + name, convoId=convo_id) == invalid
    message = {"convoId": convo_id, "message": {"text": "hi"}}
    assert await other.refused(SEND, body=message) == invalid


@pytest.mark.parametrize(
    ("allowed", "follows", "refusal"),
    [
        ("all", False, None),
        ("following", True, None),
        ("following", False, ("NotFollowedBySender", FOLLOWED)),
        (None, False, ("NotFollowedBySender", FOLLOWED)),
        (None, True, None),
        ("none", True, ("MessagesDisabled", CLOSED)),
    ],
)
async def test_the_recipients_declaration_decides(
    network: BlueskyNetwork,
    session: Session,
    alice: Account,
    brand: Account,
    allowed: AllowIncoming | None,
    follows: bool,
    refusal: tuple[str, str] | None,
) -> None:
    """No declaration means ``following``."""
    if allowed is not None:
        network.allow_incoming(alice, allowed)
    if follows:
        network.follow(alice, brand)
    available = await session.get(f"{CONVO}getConvoAvailability", members=[alice.did])
    assert available["canChat"] is (refusal is None)
    if refusal is None:
        await open_convo(session, alice)
    else:
        assert await session.refused(FOR_MEMBERS, members=[alice.did]) == (400, *refusal)


async def test_blocks_and_unknown_accounts_are_refused(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Whichever side blocks."""
    network.allow_incoming(alice, "all")
    network.block(alice, brand)
    blocked = (400, "BlockedActor", "block between recipient and sender")
    assert await session.refused(FOR_MEMBERS, members=[alice.did]) == blocked
    unknown = await session.refused(FOR_MEMBERS, members=["did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"])
    assert unknown == (400, "RecipientNotFound", "recipient does not exist")
    with pytest.raises(XrpcError, match="block between"):
        network.direct_messages.send(alice, brand, "hi")


async def test_a_conversation_under_way_goes_on_whatever_the_setting(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """But one that was opened and never used does not."""
    network.allow_incoming(alice, "all")
    opened = await open_convo(session, alice)
    network.allow_incoming(alice, "none")
    body = {"convoId": opened, "message": {"text": "hi"}}
    assert await session.refused(SEND, body=body) == (400, "InvalidRequest", CLOSED)
    network.direct_messages.send(alice, brand, "I have a question")
    await session.post(SEND, convoId=opened, message={"text": "yes?"})


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"text": "x" * 1001}, "grapheme too big (maximum 1000, got 1001) at $.message.text"),
        (
            {"text": "\U0001f468‍\U0001f469‍\U0001f467‍\U0001f466" * 401},
            "string too big (maximum 10000, got 10025) at $.message.text",
        ),
        ({}, 'Missing required key "text" at $.message'),
    ],
)
async def test_messages_that_are_not_valid_are_refused(
    network: BlueskyNetwork,
    session: Session,
    alice: Account,
    brand: Account,
    message: dict[str, str],
    problem: str,
) -> None:
    """1000 graphemes and 10,000 bytes pass; so does nothing at all."""
    convo_id = network.direct_messages.send(alice, brand, "hi").convo_id
    for text in ("x" * 1000, "\U0001f468‍\U0001f469‍\U0001f467‍\U0001f466" * 400, ""):
        await session.post(SEND, convoId=convo_id, message={"text": text})
    refused = await session.refused(SEND, body={"convoId": convo_id, "message": message})
    assert refused == (400, "InvalidRequest", problem)
