"""What an administrator at the dashboard sees and does."""

from __future__ import annotations

from importlib import resources
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.person import WITHIN_S, Page

TOKEN = "a-token-for-the-tests"

_AXE = """
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations));
"""


class Dashboard(Page):
    """The dashboard, open in a browser."""

    def logs_in(self, token: str) -> None:
        """Type a token and send it."""
        self.finds("#token").send_keys(token)
        self.clicks("button[type=submit]")

    def sees_actor(self, name: str, state: str) -> None:
        """Wait until an actor is in this state."""
        self.finds(f"#actor-{name} .state", state)

    def sees_figure(self, name: str, word: str, text: str) -> None:
        """Wait until an actor has this figure."""
        place = f"//li[@id='actor-{name}']//dt[text()='{word}']/../dd"
        WebDriverWait(self.browser, WITHIN_S).until(
            lambda browser: browser.find_element(By.XPATH, place).text == text,
            f"{name} never had {word} {text}",
        )

    def pulls(self, name: str) -> None:
        """Press the button of an actor."""
        self.clicks(f"#actor-{name} > button")

    def answers(self, word: str) -> None:
        """Answer the question that is asked."""
        self.finds("#question button", word).click()

    def focused(self) -> str:
        """What the thing with the focus is called."""
        script = "const one = document.activeElement; return one.ariaLabel ?? one.id ?? one.tagName"
        return str(self.browser.execute_script(script))

    def looks(self, scheme: str, width: int | None = None) -> None:
        """Be ``light`` or ``dark``, and as wide as a phone if so."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        if width is not None:
            size = {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": True}
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def faults(self) -> list[str]:
        """What axe-core finds serious or critical on the page as it is."""
        source = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")
        self.browser.execute_script(source)
        found: list[dict[str, Any]] = self.browser.execute_async_script(_AXE)
        return [
            f"{one['id']}: {node['html']}: {node['failureSummary']}"
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    def complaints(self) -> list[dict[str, str]]:
        """What the browser's console says against the page; asking empties it."""
        return [one for one in super().complaints() if one["level"] != "DEBUG"]
