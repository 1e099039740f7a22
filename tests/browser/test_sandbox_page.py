"""One person plays the customer and the agent on the sandbox page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.browser

WITHIN_S = 30
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1420",
)


@pytest.fixture
def address() -> Iterator[str]:
    """A sandbox in a process of its own, as the command line starts it."""
    command = [sys.executable, "-m", "connector.cli", "sandbox", "--port", "0"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield process.stdout.readline().split()[1]
        process.terminate()
        assert process.wait(WITHIN_S) == 0


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Page]:
    """The page, open in a browser."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver on this machine")
    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    browser = Chrome(options, ChromeService(driver))
    try:
        browser.get(address)
        yield Page(browser)
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    finally:
        browser.quit()


class Page:
    """What a person sees and does."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def sees(self, where: str, text: str) -> None:
        """Wait until there is this text in a place (an element's id)."""
        WebDriverWait(self.browser, WITHIN_S).until(
            lambda browser: text in browser.find_element(By.ID, where).text,
            f"“{text}” never showed in #{where}",
        )

    def clicks(self, selector: str) -> None:
        """Click the first thing that fits."""
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def writes(self, where: str, text: str, then: str) -> None:
        """Type into a box and press a button."""
        self.browser.find_element(By.ID, where).send_keys(text)
        self.clicks(f"#{then}")

    def picks_conversation(self, label: str) -> None:
        """Choose one of the agent's conversations."""
        self.sees("conversations", label)
        for button in self.browser.find_elements(By.CSS_SELECTOR, "#conversations button"):
            if label in button.text:
                button.click()
                return


def test_a_conversation_by_hand(page: Page) -> None:
    """A mention, its answer, a reply, a like, direct messages, a refused command, a crash.

    ``SCREENSHOT`` names a file to keep a picture in, as ``docs/sandbox.png`` was made.
    """
    page.sees("overall", "ok")
    page.writes("customer-text", "Hello @acme.example, my phone is dead. Help!", "customer-send")
    page.sees("messages", "my phone is dead")
    page.writes("agent-text", "Sorry to hear that! Which model is it?", "agent-public")
    page.sees("posts", "Which model is it?")
    page.sees("messages", "✓ delivered")

    page.clicks("#posts li.ours button")
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

    Select(page.browser.find_element(By.ID, "customer")).select_by_value("bob.example")
    page.clicks("[name=mode][value=post]")
    page.writes("customer-text", "Is the acmephone any good?", "customer-send")
    page.picks_conversation("Public · Bob")
    page.clicks("#actor-BlueskySender button")
    page.writes("agent-text", "We think so, but we are biased.", "agent-public")
    page.sees("posts", "but we are biased")
    page.sees("actor-BlueskySender", "running")
    restarts = "#actor-BlueskySender dd:last-of-type"
    assert page.browser.find_element(By.CSS_SELECTOR, restarts).text == "1"

    picture = os.environ.get("SCREENSHOT")
    if picture:
        Select(page.browser.find_element(By.ID, "customer")).select_by_value("alice.example")
        page.picks_conversation("Public · Alice")
        page.browser.save_screenshot(picture)
