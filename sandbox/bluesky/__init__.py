"""A small Bluesky: PDS, AppView and chat service behind one base URL.

:class:`sandbox.bluesky.network.BlueskyNetwork` is the network itself, in memory and without HTTP;
:func:`sandbox.bluesky.server.app.create_app` puts it on the wire.
"""

from __future__ import annotations

from sandbox.bluesky.accounts import Account
from sandbox.bluesky.direct_messages import DirectMessage
from sandbox.bluesky.limits import RateLimits
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.publishing import Image, Link, Video
from sandbox.bluesky.repository import Record, RecordReference
from sandbox.bluesky.snapshots import PostSnapshot, ThreadSnapshot

__all__ = [
    "Account",
    "BlueskyNetwork",
    "DirectMessage",
    "Image",
    "Link",
    "PostSnapshot",
    "RateLimits",
    "Record",
    "RecordReference",
    "ThreadSnapshot",
    "Video",
]
