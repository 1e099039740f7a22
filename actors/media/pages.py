"""What a web page says of itself: the title, description and picture for its card."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from lxml import etree

MOST_TITLE = 300
MOST_DESCRIPTION = 1000
MOST_ADDRESS = 2048

_TITLES = ("og:title", "twitter:title")
_DESCRIPTIONS = ("og:description", "twitter:description", "description")
_PICTURES = (
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
)


@dataclass(frozen=True, slots=True)
class Page:
    """Open Graph, Twitter's names for the same, or plain HTML, whichever the page has.

    ``picture`` is a whole address.
    """

    title: str
    description: str = ""
    picture: str | None = None


def read_page(content: bytes, charset: str | None, url: str) -> Page | None:
    """Read the head of an HTML page; ``None`` if it has no title.

    Args:
        content: the page, or its beginning.
        charset: what its sender says that it is written in.
        url: where it is.
    """
    root = _parse(content, _find_charset(content, charset))
    if root is None:
        return None
    said = _read_meta(root)
    titles = (said.get(name) for name in _TITLES)
    title = next((one for one in titles if one), None) or _tidy(_read_title(root))
    if not title:
        return None
    description = next((said[name] for name in _DESCRIPTIONS if said.get(name)), "")
    pictures = (_join(url, said[name]) for name in _PICTURES if said.get(name))
    return Page(
        title=_shorten(title, MOST_TITLE),
        description=_shorten(description, MOST_DESCRIPTION),
        picture=next((one for one in pictures if one is not None), None),
    )


def _parse(content: bytes, charset: str | None) -> etree._Element | None:
    # Only here: it is 4 MB that nobody needs who links to no page.
    from lxml import etree

    try:
        parser = etree.HTMLParser(encoding=charset, no_network=True, remove_comments=True)
    except LookupError:
        # Python knows some encodings that the library does not.
        parser = etree.HTMLParser(no_network=True, remove_comments=True)
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _find_charset(content: bytes, charset: str | None) -> str | None:
    """The one that is named, if there is such a one, else UTF-8 if the bytes are that.

    ``None`` leaves it to the page's own ``meta``.
    """
    if charset is not None:
        try:
            name = codecs.lookup(charset).name
        except LookupError:
            pass
        else:
            # What calls itself Latin-1 or ASCII on the web is Windows-1252.
            return "cp1252" if name in ("iso8859-1", "ascii") else name
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # The last character may be cut off.
        decoder.decode(content)
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _read_meta(root: etree._Element) -> dict[str, str]:
    """What each name is first said to be. Open Graph says ``property``, the others ``name``."""
    said: dict[str, str] = {}
    for meta in root.iter("meta"):
        for attribute in ("property", "name"):
            name = _text(meta.get(attribute)).strip().lower()
            value = _tidy(_text(meta.get("content")))
            if name and value:
                said.setdefault(name, value)
    return said


def _read_title(root: etree._Element) -> str:
    """The first ``title`` of the page itself: drawings in it have titles, too."""
    titles: Iterator[etree._Element] = root.iter("title")
    for title in titles:
        parent = title.getparent()
        if parent is None or parent.tag in ("head", "html", "body"):
            return "".join(_text(one) for one in title.itertext())
    return ""


def _join(url: str, picture: str) -> str | None:
    try:
        whole = urljoin(url, picture)
    except ValueError:
        return None
    usable = whole.startswith(("https://", "http://")) and len(whole) <= MOST_ADDRESS
    return whole if usable else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tidy(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
