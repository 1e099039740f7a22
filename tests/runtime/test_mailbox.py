"""Mailboxes, and questions that are always answered or given up."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import Retryable
from runtime.mailbox import Mailbox, MailboxStatistics, Reply, Unanswered
from tests.runtime.scripted import World, handling, post


async def test_messages_come_in_order_and_are_counted() -> None:
    """First in, first out; the statistics tell depth, capacity and who is held up."""
    mailbox = Mailbox[int]("A", 2)
    assert mailbox.receive_nowait() is None
    assert [mailbox.offer(number) for number in (1, 2, 3)] == [True, True, False]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox.send, 4)
        await wait_all_tasks_blocked()
        assert mailbox.statistics() == MailboxStatistics(depth=2, capacity=2, waiting_senders=1)
        assert [await mailbox.receive() for _ in range(3)] == [1, 2, 4]
    assert mailbox.statistics() == MailboxStatistics(depth=0, capacity=2, waiting_senders=0)


async def test_a_cancelled_send_puts_nothing_in(autojump_clock: MockClock) -> None:
    """I11: a send can be bounded, and then the message was not sent."""
    mailbox = Mailbox[int]("A", 1)
    await mailbox.send(1)
    with trio.move_on_after(5) as waiting:
        await mailbox.send(2)
    assert waiting.cancelled_caught
    assert await mailbox.receive() == 1
    assert mailbox.receive_nowait() is None


@dataclass(frozen=True)
class Question:
    """What may be asked here."""

    number: int
    reply: Reply[int] = field(default_factory=Reply, compare=False)


async def test_a_question_is_answered_although_the_first_asked_crashed(
    autojump_clock: MockClock,
) -> None:
    """It is delivered again, and the asker gets its answer within its bound."""
    tries: list[int] = []

    async def answer(_: Context, question: Question) -> None:
        tries.append(question.number)
        await trio.lowlevel.checkpoint()
        if len(tries) == 1:
            raise ValueError("in the middle")
        question.reply.answer(2 * question.number)

    spec = handling("A", answer)
    question = Question(21)
    post(spec, question)
    async with World(spec).running():
        assert await question.reply.wait(10, who="A") == 42
    assert tries == [21, 21]


async def test_a_question_that_nobody_answers_is_given_up(autojump_clock: MockClock) -> None:
    """I11: after its time the asker goes on with an error that says who was silent."""
    with pytest.raises(Unanswered, match="Store did not answer within 10 s"):
        await Reply[int]().wait(10, who="Store")
    assert trio.current_time() == 10
    assert issubclass(Unanswered, Retryable)


async def test_only_the_first_answer_counts() -> None:
    """A question that is handled twice is answered once."""
    reply = Reply[int]()
    reply.answer(1)
    reply.answer(2)
    reply.fail(ValueError("late"))
    assert await reply.wait(1, who="A") == 1
    refused = Reply[int]()
    refused.fail(ValueError("no"))
    refused.answer(1)
    with pytest.raises(ValueError, match="no"):
        await refused.wait(1, who="A")
