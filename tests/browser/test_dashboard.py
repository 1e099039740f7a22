"""The dashboard in a browser, of a connector between two sandbox platforms."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from sandbox.bluesky import RecordReference
from sandbox.faults import Rule, Status
from sandbox.genesys.conversations import Conversation, OutboundMessage
from tests.browser.administrator import TOKEN, Dashboard
from tests.browser.connected import Beside
from tests.browser.person import WITHIN_S
from tests.connector.connected import Connected

pytestmark = pytest.mark.browser

CANARY = "CanaryOfTheCoalMine"


def publish(connected: Connected) -> RecordReference:
    """A customer's mention."""
    world = connected.world
    return world.bluesky.post(world.customers[0], f"@{world.brand.handle} {CANARY}")


def refuse_all(connected: Connected) -> Rule:
    """Let Genesys take no public message."""
    refusal = Status(400, "bad.request", "No.")
    return connected.world.genesys.faults.add("/messages/bulk$", refusal, count=None)


def public(connected: Connected) -> list[Conversation]:
    """The public conversations."""
    found = connected.world.genesys.conversations.values()
    return [one for one in found if one.visibility == "public"]


def answer(text: str) -> Callable[[Connected], OutboundMessage]:
    """An agent's answer in the first public conversation."""

    def send(connected: Connected) -> OutboundMessage:
        return connected.world.genesys.agent_reply(public(connected)[0], text, public=True)

    return send


def test_nobody_gets_in_without_the_token(beside: Beside, browser: Chrome) -> None:
    """A wrong one is said to be wrong; after logging out the page is closed again."""
    browser.get(beside.url)
    dashboard = Dashboard(browser)
    dashboard.logs_in("not-the-token-at-all")
    assert dashboard.finds(".problem").text == "That is not the token."
    said = [one["message"] for one in dashboard.complaints()]
    assert [("status of 401" in one) for one in said] == [True]
    dashboard.logs_in(TOKEN)
    dashboard.sees("overall", "All is well")
    assert dashboard.complaints() == []
    dashboard.clicks("#log-out")
    dashboard.finds("#token")
    browser.get(beside.url)
    assert browser.current_url.endswith("/login")


def test_what_happens_shows_within_two_seconds(beside: Beside, dashboard: Dashboard) -> None:
    """A mention on Bluesky is on its way to Genesys Cloud, and everything that counts counts it."""
    dashboard.sees("overall", "All is well")
    assert len(dashboard.browser.find_elements(By.CSS_SELECTOR, "#flow .actor")) == 8
    began = time.monotonic()
    beside.does(publish)
    dashboard.finds("#messages summary", "Post")
    assert time.monotonic() - began < 2
    dashboard.finds("#messages summary", "arrived")
    dashboard.sees_figure("NotificationPoller", "last minute", "1")
    dashboard.clicks("#messages summary")
    dashboard.sees("messages", "GenesysSender waited")
    assert CANARY not in dashboard.browser.page_source


def test_a_dead_letter_is_replayed(beside: Beside, dashboard: Dashboard) -> None:
    """It says why it died; put back, it arrives, and the list is empty."""
    rule = beside.does(refuse_all)
    post = beside.does(publish)
    dashboard.finds("#letters li", "bad.request")
    dashboard.sees("messages", "refused")
    beside.does(lambda connected: connected.world.genesys.faults.remove(rule))
    dashboard.finds("#letters button", "Replay").click()
    dashboard.sees("said", "Put back")
    dashboard.sees("letters-none", "None")
    dashboard.finds("#messages summary", "arrived")
    assert dashboard.focused() == "letters-title"
    ingested = beside.does(lambda connected: list(connected.world.genesys.ingested))
    assert [one.provider_message_id for one in ingested] == [post.uri]
    assert CANARY not in dashboard.browser.page_source


def test_a_dead_letter_is_dropped_after_a_question(beside: Beside, dashboard: Dashboard) -> None:
    """An agent's message can only be dropped, and only by who says so twice."""
    beside.does(publish)
    dashboard.finds("#messages summary", "arrived")
    beside.does(answer(f"!dance {CANARY}"))
    dashboard.sees("letters", "never put back")
    assert not dashboard.browser.find_elements(By.CSS_SELECTOR, "#letters [aria-label^=Replay]")
    dashboard.finds("#letters button", "Drop").click()
    dashboard.answers("Cancel")
    dashboard.finds("#letters button", "Drop").click()
    dashboard.answers("Drop it")
    dashboard.sees("said", "Dropped for good")
    dashboard.sees("letters-none", "None")
    assert CANARY not in dashboard.browser.page_source


def test_a_paused_sender_holds_an_answer_back(beside: Beside, dashboard: Dashboard) -> None:
    """By keyboard alone: the page warns first, the focus stays, and resuming carries the answer."""
    beside.does(publish)
    dashboard.finds("#messages summary", "arrived")
    button = dashboard.finds("#actor-BlueskySender > button", "Pause")
    button.send_keys(Keys.ENTER)
    dashboard.sees("question", "Agents' answers are not posted")
    dashboard.browser.switch_to.active_element.send_keys(Keys.ENTER)
    dashboard.sees_actor("BlueskySender", "running")
    button.send_keys(Keys.ENTER)
    dashboard.sees("question", "Agents' answers are not posted")
    dashboard.browser.switch_to.active_element.send_keys(Keys.TAB)
    dashboard.browser.switch_to.active_element.send_keys(Keys.ENTER)
    dashboard.sees_actor("BlueskySender", "paused")
    dashboard.sees("overall", "Paused: BlueskySender")
    sent = beside.does(answer("It is on its way."))
    dashboard.sees_figure("DedupStore", "waiting", "0")
    dashboard.finds("#messages summary", "Agent's answer")
    assert sent.receipt is None
    assert dashboard.focused() == "Resume BlueskySender"
    dashboard.browser.switch_to.active_element.send_keys(Keys.ENTER)
    dashboard.sees_actor("BlueskySender", "running")
    wait_until(lambda: sent.receipt is not None)
    assert dashboard.focused() == "Pause BlueskySender"
    announced = dashboard.browser.find_element(By.ID, "announcer").get_attribute("textContent")
    assert announced == "BlueskySender: running"


def test_a_poller_is_paused_without_a_question(beside: Beside, dashboard: Dashboard) -> None:
    """Nothing is lost by it, and the page says so."""
    dashboard.sees_actor("NotificationPoller", "running")
    dashboard.pulls("NotificationPoller")
    dashboard.sees_actor("NotificationPoller", "paused")
    beside.does(publish)
    time.sleep(1)
    assert not beside.does(lambda connected: list(connected.world.genesys.ingested))
    dashboard.pulls("NotificationPoller")
    dashboard.finds("#messages summary", "arrived")


def test_an_actor_crashes_and_recovers(beside: Beside, dashboard: Dashboard) -> None:
    """The error shows with its kind and its age, the restart counts, and others go on."""
    beside.does(publish)
    dashboard.finds("#messages summary", "arrived")
    dashboard.sees_figure("BlueskySender", "restarts", "0")
    beside.does(lambda connected: connected.crasher.crash("BlueskySender"))
    sent = beside.does(answer("We are back."))
    dashboard.finds("#actor-BlueskySender .error", "CrashOrderedError")
    dashboard.sees_figure("BlueskySender", "restarts", "1")
    dashboard.sees_actor("BlueskySender", "running")
    wait_until(lambda: sent.receipt is not None)
    dashboard.sees("overall", "All is well")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [None, 360], ids=["desktop", "phone"])
def test_everybody_can_use_it(
    beside: Beside, browser: Chrome, scheme: str, width: int | None
) -> None:
    """axe-core finds nothing serious, and nothing sticks out of a phone: login, page, question."""
    browser.get(beside.url)
    dashboard = Dashboard(browser)
    dashboard.looks(scheme, width)
    assert dashboard.faults() == []
    dashboard.logs_in(TOKEN)
    beside.does(publish)
    dashboard.finds("#messages summary", "arrived")
    beside.does(answer("!dance"))
    beside.does(lambda connected: connected.crasher.crash("BlueskySender"))
    beside.does(answer("Sorry to hear that!"))
    dashboard.sees("letters", "never put back")
    dashboard.finds("#actor-BlueskySender .error", "CrashOrderedError")
    dashboard.pulls("SearchPoller")
    dashboard.sees_actor("SearchPoller", "paused")
    browser.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    assert dashboard.faults() == []
    wide = """
        return [...document.querySelectorAll("html, main :not(.actor, .hidden)")]
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
            .map((one) => one.id || one.className || one.tagName);
    """
    assert browser.execute_script(wide) == []
    dashboard.pulls("DedupStore")
    dashboard.sees("question", "Everything stands still")
    assert dashboard.faults() == []
    dashboard.answers("Cancel")
    assert dashboard.complaints() == []


def test_a_picture_of_the_dashboard(beside: Beside, dashboard: Dashboard) -> None:
    """It is whole: every part has something to show.

    ``SCREENSHOT`` names a file to keep it in, as ``docs/dashboard.png`` was made.
    """
    rule = beside.does(refuse_all)
    beside.does(publish)
    dashboard.finds("#letters li", "bad.request")
    beside.does(lambda connected: connected.world.genesys.faults.remove(rule))

    def converse(connected: Connected) -> None:
        world = connected.world
        for customer in world.customers:
            world.bluesky.post(customer, f"Hello @{world.brand.handle}, my phone is dead.")
            world.bluesky.direct_messages.send(customer, world.brand, "My number is 4711.")

    beside.does(converse)
    wait_until(lambda: len(beside.does(public)) == len(beside.connected.world.customers))
    for text in ("Sorry to hear that!", "Which model is it?"):
        beside.does(answer(text))
    dashboard.pulls("SearchPoller")
    dashboard.sees_actor("SearchPoller", "paused")
    wait_until(lambda: len(dashboard.browser.find_elements(By.CSS_SELECTOR, ".done")) >= 8)
    picture = os.environ.get("SCREENSHOT")
    if picture:
        dashboard.finds("#messages summary", "Agent's answer").click()
        time.sleep(9)
        dashboard.browser.set_window_size(1280, 1600)
        dashboard.browser.save_screenshot(picture)


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as it holds."""
    until = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
