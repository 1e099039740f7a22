"""One person plays the customer and the agent on the sandbox page."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from tests.browser.person import Page

pytestmark = pytest.mark.browser


def test_a_conversation_by_hand(page: Page) -> None:
    """A mention, its answer, a reply, a like, direct messages, a refused command, a crash."""
    page.sees("overall", "ok")
    page.writes("customer-text", "Hello @acme.example, my phone is dead. Help!", "customer-send")
    page.sees("messages", "my phone is dead")
    page.writes("agent-text", "Sorry to hear that! Which model is it?", "agent-public")
    page.sees("posts", "Which model is it?")
    page.sees("messages", "✓ delivered")

    page.clicks("#posts .ours button")
    page.writes("customer-text", "The Model 3, since the update.", "customer-send")
    page.sees("messages", "The Model 3")
    page.clicks("#agent-like")
    page.sees("posts", "♥ 1")
    page.writes("agent-text", "!dance", "agent-public")
    page.sees("messages", "!dance is not a command")

    page.clicks("[name=mode][value=direct]")
    page.writes("customer-text", "My order number is 4711.", "customer-send")
    page.picks_conversation("Private · Alice")
    page.sees("messages", "4711")
    page.writes("agent-text", "Thank you, we have found it.", "agent-private")
    page.sees("direct", "we have found it")

    page.writes_as("bob.example")
    page.writes("customer-text", "Is the acmephone any good?", "customer-send")
    page.picks_conversation("Public · Bob")
    page.clicks("#actor-BlueskySender button")
    page.writes("agent-text", "We think so, but we are biased.", "agent-public")
    page.sees("posts", "but we are biased")
    page.sees("actor-BlueskySender", "running")
    restarts = "#actor-BlueskySender dd:last-of-type"
    assert page.browser.find_element(By.CSS_SELECTOR, restarts).text == "1"
