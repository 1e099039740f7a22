"""Images, cards, quotes, videos and threads on both sides of the sandbox page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from tests.browser.drawing import draw_phone
from tests.browser.person import Page

pytestmark = pytest.mark.browser

DARK_PHONE = "A phone with a dark screen on a wooden table"
GREEN_PHONE = "The same phone with a green screen"
CARD = "https://help.example/model-3/update"
CARD_TITLE = "Model 3 stays dark after the update"


def test_what_is_in_a_thread_is_seen_on_both_sides(page: Page, tmp_path: Path) -> None:
    """An image, a card and a quote in one thread; its replies are indented, its author marked.

    ``SCREENSHOT`` names a file to keep a picture in, as ``docs/sandbox.png`` was made.
    """
    page.sees("overall", "ok")
    page.attaches("customer", draw_phone(tmp_path / "phone.png"), DARK_PHONE)
    page.writes("customer-text", "Hello @acme.example, it stays dark. Help!", "customer-send")
    page.sees_image("posts", DARK_PHONE)
    page.sees_image("messages", DARK_PHONE)
    page.writes("agent-text", "Sorry to hear that! Since when?", "agent-public")

    page.presses("Reply", "Since when?")
    _pastes(page, CARD)
    assert page.finds("#card-uri").get_attribute("value") == CARD
    page.clicks("#card-example")
    page.writes("customer-text", " says it is the update.", "customer-send")
    assert page.finds("#posts .card", CARD_TITLE).get_attribute("href") == CARD
    assert page.finds("#messages .card", CARD_TITLE).get_attribute("href") == CARD
    page.sees("messages", "What to try before you send it in")

    page.writes_as("carol.example")
    page.presses("Quote", "it stays dark")
    page.presses("Reply", "Since when?")
    page.writes("customer-text", "Mine too, just like this one.", "customer-send")
    quote = page.finds("#posts .quote", "it stays dark")
    assert "@alice.example" in quote.text
    assert quote.find_element(By.CSS_SELECTOR, "img").get_attribute("alt") == DARK_PHONE
    page.finds("#messages blockquote", "> Hello @acme.example, it stays dark.")
    page.sees("messages", "Quoting @alice.example")
    page.sees("messages", "answers you")

    threads = ["it stays dark", "Since when?", "it is the update"]
    lefts = [page.finds("#posts .entry > p", text).rect["x"] for text in threads]
    assert lefts == sorted(set(lefts))
    assert page.finds("#posts .ours", "Since when?").find_element(By.CLASS_NAME, "badge").text

    picture = os.environ.get("SCREENSHOT")
    if picture:
        page.writes_as("alice.example")
        page.browser.set_window_size(1280, 1800)
        page.browser.save_screenshot(picture)


def test_a_gallery_a_quote_with_an_image_and_a_video(page: Page, tmp_path: Path) -> None:
    """Five images, a quote beside an image, and a video with its description, on both sides."""
    page.sees("overall", "ok")
    for number in range(1, 6):
        phone = draw_phone(tmp_path / f"{number}.png", (40 * number, 30, 36))
        page.attaches("customer", phone, f"Phone {number}")
    page.writes("customer-text", "@acme.example all five are stuck", "customer-send")
    for number in range(1, 6):
        page.sees_image("posts", f"Phone {number}")
        page.sees_image("messages", f"Phone {number}")

    page.writes_as("bob.example")
    page.presses("Quote", "all five")
    page.attaches("customer", draw_phone(tmp_path / "green.png", (60, 200, 110)), GREEN_PHONE)
    page.writes("customer-text", "@acme.example mine is green", "customer-send")
    page.finds("#posts .quote", "all five")
    page.sees_image("posts", GREEN_PHONE)
    page.picks_conversation("Public · Bob")
    page.sees_image("messages", GREEN_PHONE)
    page.finds("#messages blockquote", "all five")

    page.writes_as("carol.example")
    video = tmp_path / "phone.mp4"
    video.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(32))
    page.attaches("customer", video, "The phone blinks twice")
    page.writes("customer-text", "@acme.example look", "customer-send")
    page.finds("#posts .video", "The phone blinks twice")
    page.picks_conversation("Public · Carol")
    page.finds("#messages .attached", "The phone blinks twice")


def test_an_agent_attaches_an_image(page: Page, tmp_path: Path) -> None:
    """It is on the desk with its alt text, and the receipt says what became of it."""
    page.writes("customer-text", "@acme.example which button?", "customer-send")
    page.sees("messages", "which button?")
    page.attaches("agent", draw_phone(tmp_path / "button.png"), "The button on the left")
    page.writes("agent-text", "This one.", "agent-public")
    page.sees_image("messages", "The button on the left")
    page.sees_image("posts", "The button on the left")
    page.sees("messages", "✓ delivered")


def test_what_is_no_web_address_is_no_link(page: Page) -> None:
    """Whatever a card names: only http and https can be clicked, and markup stays text."""
    page.clicks("#card-add")
    page.writes("card-uri", "javascript:alert(1)", "card-title")
    page.writes("card-title", "<b>Click me</b>", "customer-text")
    page.writes("customer-text", "<i>@acme.example</i> look", "customer-send")
    card = page.finds("#posts .card", "<b>Click me</b>")
    assert (card.tag_name, card.get_attribute("href")) == ("span", None)
    assert page.finds("#messages .card", "<b>Click me</b>").tag_name == "span"
    page.sees("messages", "<i>@acme.example</i> look")


def test_a_post_shows_one_kind_of_media(page: Page, tmp_path: Path) -> None:
    """Images and a card together are refused in words, and nothing that was chosen is lost."""
    page.attaches("customer", draw_phone(tmp_path / "phone.png"), DARK_PHONE)
    page.clicks("#card-add")
    page.clicks("#card-example")
    page.writes("customer-text", "@acme.example both", "customer-send")
    page.sees("problem", "choose one of them")
    page.clicks("#card-remove")
    page.clicks("#customer-send")
    page.sees_image("posts", DARK_PHONE)
    refusal = "Failed to load resource: the server responded with a status of 400"
    assert all(refusal in entry["message"] for entry in page.complaints())


def test_the_page_fits_a_phone(page: Page, tmp_path: Path) -> None:
    """Nothing sticks out at a width of 360 pixels, with an image, a card and a long word there."""
    page.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": True},
    )
    page.attaches("customer", draw_phone(tmp_path / "phone.png"), DARK_PHONE)
    page.writes("customer-text", f"@acme.example {'dark' * 30}", "customer-send")
    page.sees_image("messages", DARK_PHONE)
    page.presses("Reply", "darkdark")
    page.clicks("#card-add")
    page.clicks("#card-example")
    page.writes("customer-text", "@acme.example this", "customer-send")
    page.finds("#messages .card", CARD_TITLE)
    wide = """
        return [...document.querySelectorAll("html, .feed, .fields, .side")]
            .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id || one.tagName);
    """
    assert page.browser.execute_script("return innerWidth") == 360
    assert page.browser.execute_script(wide) == []


def _pastes(page: Page, text: str) -> None:
    """Put a text on the clipboard by way of the box, and paste it into the box."""
    box = page.browser.find_element(By.ID, "customer-text")
    box.send_keys(text, Keys.CONTROL, "a", "x", "v", Keys.NULL)
