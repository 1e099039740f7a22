"""What can be done on the page: the customer writes, the agent answers.

Each function takes the JSON body of a request. What is wrong with one, or is refused by the
platforms, is a ``ValueError``, a ``LookupError`` or an ``XrpcError``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sandbox.bluesky import Image, Link, Video
from sandbox.world import World

Body: TypeAlias = Mapping[str, Any]


def publish_post(world: World, body: Body) -> None:
    """A customer's post: ``text``, and perhaps ``reply_to``, ``quote``, ``files``, ``card``.

    A file has ``content`` (base64), ``mime``, ``name``, ``alt`` and, if it is an image, ``size``
    (width and height in pixels). A card has ``uri``, ``title``, ``description`` and perhaps a
    ``thumb``, which is such a file.
    """
    files: Sequence[Body] = body.get("files") or ()
    videos = [file for file in files if file["mime"].startswith("video/")]
    if len(videos) > 1:
        raise ValueError("a post shows one video")
    world.bluesky.post(
        world.bluesky.account(body["customer"]),
        body["text"],
        reply_to=body.get("reply_to"),
        quote=body.get("quote"),
        images=[_read_image(file) for file in files if file not in videos],
        video=_read_video(videos[0]) if videos else None,
        link=_read_card(body["card"]) if body.get("card") else None,
    )


def send_direct_message(world: World, body: Body) -> None:
    """A customer's ``text`` to the company in private."""
    account = world.bluesky.account(body["customer"])
    world.bluesky.direct_messages.send(account, world.brand, body["text"])


def send_answer(world: World, body: Body) -> None:
    """The agent's ``text`` in a ``conversation``, ``public`` or not, with ``files``.

    The files are as in :func:`publish_post`.
    """
    genesys = world.genesys
    attachments = [
        genesys.files.add(_read_content(file), file["mime"], file["name"], file["alt"])
        for file in body.get("files") or ()
    ]
    genesys.agent_reply(
        genesys.conversations[body["conversation"]],
        body["text"],
        public=body["public"],
        attachments=attachments,
    )


def _read_image(file: Body) -> Image:
    size = file.get("size")
    return Image(
        _read_content(file), file["alt"], file["mime"], (size[0], size[1]) if size else None
    )


def _read_video(file: Body) -> Video:
    return Video(_read_content(file), file["alt"], file["mime"])


def _read_card(card: Body) -> Link:
    thumb = card.get("thumb")
    return Link(
        card["uri"],
        card["title"],
        card["description"],
        _read_image(thumb) if thumb else None,
    )


def _read_content(file: Body) -> bytes:
    return base64.b64decode(file["content"], validate=True)
