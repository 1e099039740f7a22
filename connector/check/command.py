"""The command: all items in their order, as text or as one JSON document."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version

from connector.check.bluesky import make_bluesky_items
from connector.check.genesys import make_genesys_items
from connector.check.items import Item, Result, Status, look_at
from connector.check.platform import make_platform_items
from connector.check.store import make_store_items
from connector.check.webhook import make_webhook_items
from connector.lone_store import open_lone_store
from connector.parts import Parts
from connector.platform_headers import PlatformHeaders
from connector.settings import Settings

_LABELS: dict[Status, str] = {
    "ok": "  ok    ",
    "warning": "warning ",
    "failed": "failed  ",
    "not_tried": "  --    ",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered. ``webhook_url`` is where to try the webhook; else the integration's own."""

    tell: Callable[[str], None]
    webhook_url: str | None = None
    as_json: bool = False


async def check_everything(settings: Settings, order: Order) -> int:
    """Look at everything, in order; returns 1 if anything has failed and else 0.

    The login is the connector's own: a session that it keeps is used, and one that is made here
    is kept for it, because logins are limited to a few a day.
    """
    results: dict[str, Result] = {}
    async with open_lone_store(settings) as parts:
        for item in _make_items(settings, parts, order):
            result = await look_at(item, results)
            results[result.key] = result
            if not order.as_json:
                _show(result, order.tell)
    if order.as_json:
        order.tell(_make_document(results.values()))
    else:
        order.tell(f"\n{_sum_up(results.values())}")
    return 1 if _judge(results.values()) == "failed" else 0


def _make_items(settings: Settings, parts: Parts, order: Order) -> list[Item]:
    bluesky, genesys = PlatformHeaders(time.time), PlatformHeaders(time.time)
    bluesky.watch(parts.outside.bluesky_http)
    genesys.watch(parts.outside.genesys_http)
    return [
        *make_store_items(settings, parts),
        *make_bluesky_items(settings, parts.bluesky),
        *make_platform_items("bluesky", "Bluesky", bluesky, needs="bluesky_login"),
        *make_genesys_items(settings, parts.genesys),
        *make_platform_items("genesys", "Genesys Cloud", genesys, needs="genesys_login"),
        *make_webhook_items(settings, parts, order.webhook_url),
    ]


def _show(result: Result, tell: Callable[[str], None]) -> None:
    tell(f"{_LABELS[result.status]}{result.name}: {result.found}")
    if result.remedy is not None:
        tell(f"        → {result.remedy}")


def _make_document(results: Iterable[Result]) -> str:
    listed = list(results)
    document = {
        "version": version("bluesky-genesys"),
        "status": _judge(listed),
        "items": [asdict(result) for result in listed],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _judge(results: Iterable[Result]) -> Status:
    found = {result.status for result in results}
    return "failed" if "failed" in found else "warning" if "warning" in found else "ok"


def _sum_up(results: Iterable[Result]) -> str:
    counts = Counter(result.status for result in results)
    failed, warnings = counts["failed"], counts["warning"]
    noted = f"{warnings} warning{'s' if warnings > 1 else ''}."
    if failed:
        return f"{failed} to mend, {noted}" if warnings else f"{failed} to mend."
    if warnings:
        return f"Nothing that must be mended; {noted}"
    return "Everything that can be seen without sending is as it should be."
