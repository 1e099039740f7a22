"""A sandbox in a process of its own, and its page in a browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

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
        page = Page(browser)
        yield page
        assert page.complaints() == []
    finally:
        browser.quit()
