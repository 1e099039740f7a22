"""Direct messages: the log, conversations, requests and messages."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky import Account, BlueskyNetwork
from tests.sandbox.bluesky.client import Session, make_post

CONVO = "chat.bsky.convo."
DEFS = "chat.bsky.convo.defs#"
LOG = f"{CONVO}getLog"
SEND = f"{CONVO}sendMessage"
FOR_MEMBERS = f"{CONVO}getConvoForMembers"


def kinds(answer: dict[str, Any]) -> list[str]:
    return [event["$type"].removeprefix(DEFS) for event in answer["logs"]]


async def open_convo(session: Session, other: Account) -> str:
    """The id of the conversation with this account."""
    convo = (await session.get(FOR_MEMBERS, members=[other.did]))["convo"]
    return str(convo["id"])


async def test_the_log_starts_now(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Without a cursor: nothing, and where to go on. With it: what came later, oldest first."""
    network.direct_messages.send(alice, brand, "before")
    start = await session.get(LOG)
    assert start["logs"] == []
    network.direct_messages.send(alice, brand, "one")
    network.direct_messages.send(alice, brand, "two")
    log = await session.get(LOG, cursor=start["cursor"])
    assert [event["message"]["text"] for event in log["logs"]] == ["one", "two"]
    assert log["cursor"] == log["logs"][-1]["rev"] > start["cursor"]
    assert await session.get(LOG, cursor=log["cursor"]) == {"cursor": log["cursor"], "logs": []}


async def test_a_customer_begins_a_conversation(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """It is a request until the brand accepts or answers; the sender is a DID and a profile."""
    start = await session.get(LOG)
    sent = network.direct_messages.send(alice, brand, "help!")
    log = await session.get(LOG, cursor=start["cursor"])
    assert kinds(log) == ["logBeginConvo", "logCreateMessage"]
    event = log["logs"][1]
    assert event["message"]["sender"] == {"did": alice.did}
    assert [one["handle"] for one in event["relatedProfiles"]] == ["alice.test"]
    (convo,) = (await session.get(f"{CONVO}listConvos", status="request"))["convos"]
    assert (convo["id"], convo["status"], convo["unreadCount"]) == (sent.convo_id, "request", 1)
    assert {member["handle"] for member in convo["members"]} == {"alice.test", "brand.test"}
    assert convo["lastMessage"]["text"] == "help!"
    (request,) = (await session.get(f"{CONVO}listConvoRequests"))["requests"]
    assert request == {"$type": f"{DEFS}convoView", **convo}
    await session.post(f"{CONVO}acceptConvo", convoId=convo["id"])
    assert await session.post(f"{CONVO}acceptConvo", convoId=convo["id"]) == {}
    (convo,) = (await session.get(f"{CONVO}listConvos", status="accepted"))["convos"]
    assert kinds(await session.get(LOG, cursor=log["cursor"])) == ["logAcceptConvo"]


async def test_answering_accepts_and_comes_back_in_ones_own_log(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Sent twice it is two messages: there is no key that tells them apart."""
    convo_id = network.direct_messages.send(alice, brand, "help!").convo_id
    start = await session.get(LOG)
    for _ in range(2):
        await session.post(SEND, convoId=convo_id, message={"text": "answer"})
    log = await session.get(LOG, cursor=start["cursor"])
    assert kinds(log) == ["logAcceptConvo", "logCreateMessage", "logCreateMessage"]
    assert {event["message"]["sender"]["did"] for event in log["logs"][1:]} == {brand.did}
    texts = [message.text for message in network.direct_messages.between(brand, alice)]
    assert texts == ["help!", "answer", "answer"]


async def test_messages_are_listed_newest_first(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """With a cursor only while there are more."""
    for number in range(3):
        convo_id = network.direct_messages.send(alice, brand, f"{number}").convo_id
    nsid = f"{CONVO}getMessages"
    first = await session.get(nsid, convoId=convo_id, limit=2)
    assert [message["text"] for message in first["messages"]] == ["2", "1"]
    second = await session.get(nsid, convoId=convo_id, limit=2, cursor=first["cursor"])
    assert [message["text"] for message in second["messages"]] == ["0"]
    assert "cursor" not in second
    assert [one["did"] for one in second["relatedProfiles"]] == [alice.did]


async def test_messages_answer_each_other_and_show_posts(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """One level of the answered message; an embedded post as it would be quoted."""
    asked = network.direct_messages.send(alice, brand, "this one?")
    posted = await session.create(make_post("that one"))
    embed = {
        "$type": "app.bsky.embed.record",
        "record": {"uri": posted["uri"], "cid": posted["cid"]},
    }
    message = {"text": "no", "replyTo": {"messageId": asked.message_id}, "embed": embed}
    sent = await session.post(SEND, convoId=asked.convo_id, message=message)
    assert sent["replyTo"]["text"] == "this one?"
    assert sent["embed"]["record"]["value"]["text"] == "that one"
    lost = {"text": "no", "replyTo": {"messageId": "nope"}}
    refused = await session.refused(SEND, body={"convoId": asked.convo_id, "message": lost})
    assert refused == (400, "ReplyTargetNotFound", "Reply target not found")


async def test_reading_and_reacting_are_in_the_log(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Reading is for oneself and has two events of one rev; reactions are for all."""
    sent = network.direct_messages.send(alice, brand, "hi")
    start = await session.get(LOG)
    read = await session.post(f"{CONVO}updateRead", convoId=sent.convo_id)
    assert read["convo"]["unreadCount"] == 0
    reaction = {"convoId": sent.convo_id, "messageId": sent.message_id, "value": "👍"}
    for _ in range(2):
        shown = (await session.post(f"{CONVO}addReaction", **reaction))["message"]
    assert [one["value"] for one in shown["reactions"]] == ["👍"]
    log = await session.get(LOG, cursor=start["cursor"])
    assert kinds(log) == ["logReadMessage", "logReadConvo", "logAddReaction"]
    assert log["logs"][0]["rev"] == log["logs"][1]["rev"]
    other = await session.client.log_in(alice)
    assert kinds(await other.get(LOG, cursor=start["cursor"])) == ["logAddReaction"]
    words = await session.refused(f"{CONVO}addReaction", body={**reaction, "value": "a"})
    assert words == (400, "ReactionInvalidValue", "Reaction is not an emoji")
    (message,) = network.direct_messages.between(alice, brand)
    assert message.reactions == ("👍",)


async def test_a_deleted_message_has_no_text(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """For who deleted it; the other side sees it still."""
    sent = network.direct_messages.send(alice, brand, "oops")
    start = await session.get(LOG)
    network.direct_messages.delete_for(brand, sent)
    (message,) = (await session.get(f"{CONVO}getMessages", convoId=sent.convo_id))["messages"]
    assert message["$type"] == f"{DEFS}deletedMessageView"
    assert "text" not in message
    assert kinds(await session.get(LOG, cursor=start["cursor"])) == ["logDeleteMessage"]
    other = await session.client.log_in(alice)
    (message,) = (await other.get(f"{CONVO}getMessages", convoId=sent.convo_id))["messages"]
    assert message["text"] == "oops"


async def test_a_group_is_told_by_its_kind(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Its name and members; new ones are announced by messages that have no sender."""
    start = await session.get(LOG)
    convo_id = network.direct_messages.create_group(alice, "Friends", [bob, brand])
    network.direct_messages.send_to_group(bob, convo_id, "hello all")
    convo = (await session.get(f"{CONVO}getConvo", convoId=convo_id))["convo"]
    assert convo["kind"]["$type"] == f"{DEFS}groupConvo"
    assert (convo["kind"]["name"], convo["kind"]["memberCount"]) == ("Friends", 3)
    messages = (await session.get(f"{CONVO}getMessages", convoId=convo_id))["messages"]
    expected = ["messageView", "systemMessageView", "systemMessageView"]
    assert [message["$type"].removeprefix(DEFS) for message in messages] == expected
    events = ["logBeginConvo", "logAddMember", "logAddMember", "logCreateMessage"]
    assert kinds(await session.get(LOG, cursor=start["cursor"])) == events
    direct = await session.get(f"{CONVO}listConvos", kind="direct")
    groups = await session.get(f"{CONVO}listConvos", kind="group")
    assert (len(direct["convos"]), len(groups["convos"])) == (0, 1)


async def test_conversations_are_listed_by_last_activity(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Paged; those without a message are not listed."""
    network.allow_incoming(bob, "all")
    await open_convo(session, bob)
    assert await session.get(f"{CONVO}listConvos") == {"convos": []}
    first = network.direct_messages.send(alice, brand, "one").convo_id
    second = network.direct_messages.send(bob, brand, "two").convo_id
    network.direct_messages.send(alice, brand, "three")
    page = await session.get(f"{CONVO}listConvos", limit=1)
    rest = await session.get(f"{CONVO}listConvos", limit=1, cursor=page["cursor"])
    assert [one["convos"][0]["id"] for one in (page, rest)] == [first, second]
    assert "cursor" not in rest
    await session.post(f"{CONVO}updateRead", convoId=first)
    unread = await session.get(f"{CONVO}listConvos", readState="unread")
    assert [convo["id"] for convo in unread["convos"]] == [second]


async def test_a_long_log_comes_in_pages_of_a_hundred(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Every event once, in order; events of one rev are never parted."""
    start = cursor = (await session.get(LOG))["cursor"]
    for number in range(120):
        sent = network.direct_messages.send(alice, brand, f"{number}")
        if number == 97:
            network.chat.mark_read(brand.did, network.chat.find(brand.did, sent.convo_id), None)
    revs: list[str] = []
    sizes = []
    while True:
        page = await session.get(LOG, cursor=cursor)
        if not page["logs"]:
            break
        revs += [event["rev"] for event in page["logs"]]
        sizes.append(len(page["logs"]))
        cursor = page["cursor"]
    assert revs == sorted(revs)
    assert len(revs) == 123
    assert sizes == [101, 22]  # the hundredth and the one after it share a rev
    assert all(rev > start for rev in revs)
