"""What a person at the page sees and does."""

from __future__ import annotations

from pathlib import Path

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

WITHIN_S = 30


class Page:
    """The page, open in a browser."""

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

    def writes_as(self, handle: str) -> None:
        """Be another customer, who posts."""
        Select(self.browser.find_element(By.ID, "customer")).select_by_value(handle)
        self.clicks("[name=mode][value=post]")

    def attaches(self, side: str, file: Path, alt: str) -> None:
        """Choose a file on the ``customer``'s or the ``agent``'s side, and say what it shows."""
        self.browser.find_element(By.ID, f"{side}-files").send_keys(str(file))
        self.finds(f"#{side}-chosen li:last-child input").send_keys(alt)

    def finds(self, selector: str, text: str = "") -> WebElement:
        """Wait for the last thing that fits and has this text in it."""

        def look(browser: Chrome) -> WebElement | None:
            found = browser.find_elements(By.CSS_SELECTOR, selector)
            return next((one for one in reversed(found) if text in one.text), None)

        redrawn = [StaleElementReferenceException]
        waiting = WebDriverWait(self.browser, WITHIN_S, ignored_exceptions=redrawn)
        found = waiting.until(look, f"“{text}” never showed in {selector}")
        assert found is not None
        return found

    def sees_image(self, where: str, alt: str) -> None:
        """Wait until an image with this alt text is in a place, and has really been loaded."""
        script = """
            const images = document.querySelectorAll(`#${arguments[0]} .images img`);
            return [...images].some((one) => one.alt === arguments[1] && one.naturalWidth > 0);
        """
        WebDriverWait(self.browser, WITHIN_S).until(
            lambda browser: browser.execute_script(script, where, alt),
            f"no image “{alt}” in #{where}",
        )

    def finds_post(self, text: str) -> WebElement:
        """Wait for the public post that begins like this."""
        return self.finds("#posts .entry", text)

    def presses(self, word: str, text: str) -> None:
        """Press a button of the public post with this text."""
        buttons = self.finds_post(text).find_elements(By.TAG_NAME, "button")
        next(one for one in buttons if one.text == word).click()

    def complaints(self) -> list[dict[str, str]]:
        """What the browser's console says; asking empties it."""
        said: list[dict[str, str]] = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return said
