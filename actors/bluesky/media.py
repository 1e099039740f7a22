"""What BlueskySender is given to deal with files and pages."""

from __future__ import annotations

from dataclasses import dataclass

from actors.media.fetching import Fetch, Files
from actors.media.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Media:
    """How files come, and what is done with them.

    Args:
        files: fetches what agents attach.
        pages: fetches what they link to, for a card; ``None`` if there are to be no cards.
        workshop: prepares images.
        window_s: messages that come within so many seconds can become one post.
        link_in_direct_messages: whether a direct message has a link to a file, or is refused.
    """

    files: Files
    pages: Fetch | None
    workshop: Workshop
    window_s: float
    link_in_direct_messages: bool
