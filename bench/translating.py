"""``python -m bench.translating connector|bare COUNT``: translate so many mixed posts.

Nothing is sent anywhere. The bare loop takes the fields of a body out of each view, checks nothing
and leaves out what is embedded.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from actors.translation.inbound import translate_post
from actors.translation.open_message import make_public_message
from bench.content import Json
from bench.mixed import make_posts

COLLECT_EVERY = 100
"""After so many posts garbage is collected."""

Translate: TypeAlias = Callable[[Json], Json]


@dataclass(frozen=True, slots=True)
class Times:
    """Of some posts: how many, what they took in all, and the one that took longest.

    All are processor time of the one thread that works, in seconds, so that what else the machine
    does is not in it. Garbage is collected between posts: that is in ``all_s``, but it is no one
    post's, and so not in ``slowest_s``.
    """

    posts: int
    all_s: float
    slowest_s: float


def translate(view: Json) -> Json:
    """As the connector does."""
    return make_public_message(translate_post(view, "search"))


def take_fields(view: Json) -> Json:
    """The bare loop."""
    author, record = view["author"], view["record"]
    sender = {
        "id": author["did"],
        "idType": "Opaque",
        "nickname": author["handle"],
        "firstName": author.get("displayName"),
    }
    metadata = {"rootId": record.get("reply", {}).get("root", view)["uri"]}
    channel = {
        "messageId": view["uri"],
        "from": sender,
        "time": record["createdAt"],
        "publicMetadata": metadata,
    }
    return {"channel": channel, "text": record["text"]}


def measure(posts: Iterable[Json], work: Translate) -> Times:
    """Translate these posts one by one."""
    count = 0
    total_s = slowest_s = 0.0
    gc.disable()
    try:
        for view in posts:
            took_s = _time(partial(work, view))
            count, slowest_s = count + 1, max(slowest_s, took_s)
            total_s += took_s + (_time(_collect) if count % COLLECT_EVERY == 0 else 0.0)
    finally:
        gc.enable()
    return Times(count, total_s, slowest_s)


def _collect() -> None:
    # What was left by this many posts is young; older generations have none of it.
    gc.collect(1)


def _time(work: Callable[[], object]) -> float:
    began_s = time.thread_time()
    work()
    return time.thread_time() - began_s


def main() -> None:
    """Measure, and print the times as one line of JSON."""
    kind, count = sys.argv[1:]
    work = {"connector": translate, "bare": take_fields}[kind]
    times = asdict(measure(make_posts(int(count)), work))
    sys.stdout.write(json.dumps({**times, "peak_mb": read_peak_mb()}) + "\n")


def read_peak_mb() -> float:
    """The most memory that this process ever had resident, in 10**6 bytes."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    line = next(line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
