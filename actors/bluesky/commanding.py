"""Plans for what an agent has done by a command."""

from __future__ import annotations

from typing import Literal, assert_never

from actors import reasons
from actors.bluesky.answering import Task, plan_direct_message, plan_post
from actors.bluesky.people import find_block, find_person
from actors.bluesky.refusals import Refusal
from actors.bluesky.targets import find_target
from actors.bluesky.written import find_relations, read_answers
from actors.messages import HidePlan, MutePlan, Plan, RecordPlan, RecordRemoval, RemovalPlan
from actors.translation.commands import Command
from actors.translation.plans import POST_COLLECTION, make_relation_plan
from runtime.clock import format_time

LIKE = "app.bsky.feed.like"
REPOST = "app.bsky.feed.repost"
FOLLOW = "app.bsky.graph.follow"
BLOCK = "app.bsky.graph.block"


async def plan_command(task: Task, command: Command, text: str, explained: str) -> Plan:
    """What a command becomes. If cancelled, nothing has been written.

    Args:
        text: what stands behind the command, if it takes a text.
        explained: the sentence that ``!help`` answers with.

    Raises:
        Refusal: it is nothing that can be done; ``!help`` is answered so, too.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    match command.word:
        case "help":
            raise Refusal(reasons.HELP, commands=explained)
        case "like" | "unlike":
            return await _relate_to_post(task, LIKE, "like", wanted=command.word == "like")
        case "repost" | "unrepost":
            return await _relate_to_post(task, REPOST, "repost", wanted=command.word == "repost")
        case "quote" | "post":
            return await plan_post(task, text, quote=command.word == "quote")
        case "delete":
            return await _delete(task)
        case "dm":
            person = await find_person(task.calls, task.message, command.word)
            return await plan_direct_message(task, person.did, text)
        case "follow" | "unfollow" | "block" | "unblock":
            return await _relate_to_person(task, command.word)
        case "mute" | "unmute":
            return await _mute(task, command.word)
        case "hide":
            return await _hide(task)
        case _:
            assert_never(command.word)


async def _relate_to_post(task: Task, collection: str, shown: str, *, wanted: bool) -> Plan:
    target = await find_target(task.calls, task.store, task.message)
    post = target.reference.post
    standing = await find_relations(
        task.calls, task.store, collection, post.uri, target.viewer.get(shown)
    )
    if not wanted:
        return RemovalPlan(standing)
    if standing:
        return RecordPlan(writes=())
    return make_relation_plan(task.message.message_id, collection, post, task.created_at)


async def _relate_to_person(
    task: Task, word: Literal["follow", "unfollow", "block", "unblock"]
) -> Plan:
    person = await find_person(task.calls, task.message, word)
    is_block = word in ("block", "unblock")
    collection, shown = (BLOCK, "blocking") if is_block else (FOLLOW, "following")
    block = find_block(person.viewer)
    if word == "follow" and block is not None:
        raise Refusal(block)
    standing = await find_relations(
        task.calls, task.store, collection, person.did, person.viewer.get(shown)
    )
    if word in ("unfollow", "unblock"):
        if is_block and not standing and person.viewer.get("blockingByList"):
            raise Refusal(reasons.BY_LIST)
        return RemovalPlan(standing)
    if standing:
        return RecordPlan(writes=())
    return make_relation_plan(task.message.message_id, collection, person.did, task.created_at)


async def _mute(task: Task, word: Literal["mute", "unmute"]) -> MutePlan:
    person = await find_person(task.calls, task.message, word)
    if word == "unmute" and person.viewer.get("mutedByList"):
        raise Refusal(reasons.BY_LIST)
    return MutePlan(person.did, muted=word == "mute")


async def _delete(task: Task) -> RemovalPlan:
    """The last of our answers in this conversation, its last part first."""
    answers = await read_answers(task.calls, task.store, task.conversation)
    if not answers:
        raise Refusal(reasons.NOTHING_TO_DELETE)
    keys = reversed(answers[-1].record_keys)
    return RemovalPlan(tuple(RecordRemoval(POST_COLLECTION, key) for key in keys))


async def _hide(task: Task) -> HidePlan:
    root, reply = await _find_reply(task)
    if root == reply or not root.startswith(f"at://{await task.calls.did()}/"):
        raise Refusal(reasons.NOT_OUR_THREAD)
    return HidePlan(root, reply, format_time(task.created_at))


async def _find_reply(task: Task) -> tuple[str, str]:
    """The root of the thread and the reply, even when a block hides the latter from us already."""
    message = task.message
    try:
        reference = (await find_target(task.calls, task.store, message)).reference
    except Refusal as refusal:
        blocked = refusal.reason in (reasons.BLOCKING, reasons.BLOCKED_BY)
        if not blocked or message.root_uri is None or message.reply_to_uri is None:
            raise
        return message.root_uri, message.reply_to_uri
    return reference.root.uri, reference.post.uri
