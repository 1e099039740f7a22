"""A sandbox in a process of its own, the dashboard of a connector, and a browser for either."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.browser.administrator import TOKEN, Dashboard
from tests.browser.connected import Beside, run_beside
from tests.browser.person import WITHIN_S, Page

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
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
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A browser that has opened nothing yet."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver on this machine")
    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path / 'browser'}"):
        options.add_argument(flag)
    browser = Chrome(options, ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def page(address: str, browser: Chrome) -> Iterator[Page]:
    """The sandbox page, open in a browser that has nothing to complain of."""
    browser.get(address)
    page = Page(browser)
    yield page
    assert page.complaints() == []


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    """The connector with a dashboard, between two sandbox platforms."""
    with run_beside(tmp_path / "state", {"ADMIN_TOKEN": TOKEN}) as beside:
        yield beside


@pytest.fixture
def dashboard(beside: Beside, browser: Chrome) -> Iterator[Dashboard]:
    """The dashboard, open in a browser that has nothing to complain of; somebody has logged in."""
    browser.get(beside.url)
    dashboard = Dashboard(browser)
    dashboard.logs_in(TOKEN)
    yield dashboard
    assert dashboard.complaints() == []
