"""What the connector before this one left in the same Redis: which posts it took in.

For each it kept, for ever, a text under ``bluesky:post:URI``: JSON with the post's ``cid``, the
``rootUri`` of its thread, and ``genesysConversationId``. It kept no cursor, and of a root its cid
only if it had taken that in as well. Nothing is ever written there.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from actors.messages import PostReference, ThreadReference

_AUTHORITY = re.compile(r"at://(did:[^/]+)/")

_Text = Annotated[str, Field(min_length=1)]


class _State(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    cid: _Text
    root_uri: _Text | None = None


def read_inherited(uri: str, text: str, root_text: str) -> ThreadReference | None:
    """What a reply to a post must name, from what was kept of it and of its root.

    ``None`` if there is nothing, or not all of it: then it is looked up anew.
    """
    author = _AUTHORITY.match(uri)
    state, root = _read(text), _read(root_text)
    if author is None or state is None or root is None or state.root_uri is None:
        return None
    return ThreadReference(
        post=PostReference(uri, state.cid),
        root=PostReference(state.root_uri, root.cid),
        author_did=author[1],
    )


def _read(text: str) -> _State | None:
    try:
        return _State.model_validate_json(text)
    except ValidationError:
        return None
