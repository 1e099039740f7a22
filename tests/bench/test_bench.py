"""The benchmark: its stand-ins carry a few messages, and its checks notice what went wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest
import trio

from bench.content import AgentAnswer, Json, Mention
from bench.figures import check_once
from bench.load import post_webhooks
from bench.mixed import RECORDED, make_posts
from bench.processes import BenchError
from bench.staging import Expected, open_bare, open_connector, wait_until_idle
from bench.translating import measure, translate

FEW = 120
LIMIT_S = 0.005
WITHIN_S = 60.0

MENTIONS = [Mention(number, "").text for number in range(FEW)]
ANSWERS = [AgentAnswer(number) for number in range(FEW)]


def check_answers(report: dict[str, Any]) -> None:
    """Every answer was posted, and every receipt sent."""
    check_once(report, "written", [answer.text for answer in ANSWERS])
    check_once(report, "receipts", [f"{answer.message_id} Delivered" for answer in ANSWERS])


async def test_the_connector_carries_both_ways_between_the_stand_ins() -> None:
    """What waits comes in once, what agents answer goes out once, and it ends in order."""
    with trio.fail_after(WITHIN_S):
        async with open_connector(Expected(FEW, FEW)) as (platforms, subject):
            port = await subject.read_port()
            load = await post_webhooks(port, ANSWERS, connections=5)
            await platforms.finish()
            await wait_until_idle(port)
            await subject.stop()
            report = await platforms.report()

    assert load.statuses == {200: FEW}
    check_once(report, "ingested", MENTIONS)
    check_answers(report)


async def test_the_bare_loops_carry_the_same() -> None:
    """The limits are measured on loops that do all of the work."""
    with trio.fail_after(WITHIN_S):
        async with open_bare(Expected(mentions=FEW), "inbound", [2]) as (platforms, _):
            check_once(await platforms.finish(), "ingested", MENTIONS)
        async with open_bare(Expected(answers=FEW), "relay", [2]) as (platforms, subject):
            await post_webhooks(await subject.read_port(), ANSWERS, connections=5)
            check_answers(await platforms.finish())
        async with open_bare(Expected(answers=FEW), "outbound", [2, FEW]) as (platforms, _):
            check_answers(await platforms.finish())


def test_no_post_takes_five_milliseconds_to_translate() -> None:
    """Every recorded kind and the heaviest: a server's answer never holds up the other actors.

    Of three measurements the best one counts: the machine can only make a post slower.
    """
    slowest_s = 0.0
    for view in make_posts(2 * len(list(RECORDED.glob("*.input.json")))):
        slowest_s = max(slowest_s, min(measure([view], translate).slowest_s for _ in range(3)))

    assert 0 < slowest_s < LIMIT_S


def test_a_slow_translation_is_noticed() -> None:
    """The bound can fail: one slow post among many is what is told."""

    def spin(view: Json) -> Json:
        ends_at = time.thread_time() + (1.2 * LIMIT_S if view["uri"].endswith("000007") else 0.0)
        while time.thread_time() < ends_at:
            pass
        return {}

    times = measure(make_posts(10), spin)

    assert times.posts == 10
    assert LIMIT_S < times.slowest_s <= times.all_s


def test_mixed_posts_differ_and_are_translated_whole() -> None:
    """Each has an address of its own, and the heavy ones are among them."""
    views = list(make_posts(200))
    bodies = [translate(view) for view in views]

    assert len({body["channel"]["messageId"] for body in bodies}) == 200
    assert max(len(view["record"].get("facets", ())) for view in views) == 3000


@pytest.mark.parametrize(
    ("came", "unknown"),
    [
        ({"a": 1}, []),
        ({"a": 1, "b": 2}, []),
        ({"a": 1, "b": 1, "c": 1}, []),
        ({"a": 1, "b": 1}, ["GET /xrpc/app.bsky.unspecced.getConfig"]),
    ],
    ids=["lost", "doubled", "strange", "unknown call"],
)
def test_figures_of_a_run_that_went_wrong_are_refused(
    came: dict[str, int], unknown: list[str]
) -> None:
    """Lost, doubled and strange messages, and calls that the stand-ins do not know."""
    check_once({"ingested": {"a": 1, "b": 1}, "unknown": []}, "ingested", ["a", "b"])
    with pytest.raises(BenchError, match="not once each"):
        check_once({"ingested": came, "unknown": unknown}, "ingested", ["a", "b"])
