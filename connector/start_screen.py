"""What is said once the connector is up: who it is, what it watches, and where it listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

import trio

from connector.front import Ports
from connector.house import House
from connector.organization import read_integration
from connector.settings import Settings
from runtime.context import EventLog
from runtime.errors import Fault

KNOWN_WITHIN_S = 10.0
"""What is not known by then is left open: the connector works all the same."""

Rows = Mapping[str, tuple[str, ...]]
"""What is shown, by its label; several lines of one label stand below each other."""


async def tell_start(
    settings: Settings,
    house: House,
    ports: Ports,
    log: EventLog,
    show: Callable[[str], None] | None,
) -> None:
    """Say it, as soon as it is known. Nothing waits for this, and nothing comes of its failing.

    If cancelled, nothing is said.

    Args:
        ports: where it listens.
        show: prints on a terminal; ``None`` where there is none: then it is one line of the log.
    """
    found: dict[str, str] = {}
    with trio.move_on_after(KNOWN_WITHIN_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_find_account, house, found)
            nursery.start_soon(_find_integration, settings, house, found)
    rows = make_rows(settings, house, ports, found)
    if show is None:
        log.info("ready", **{label.lower(): "; ".join(lines) for label, lines in rows.items()})
        return
    for line in lay_out(rows):
        show(line)


async def _find_account(house: House, found: dict[str, str]) -> None:
    """Only the leader logs in."""
    await house.duty.wait_on()
    try:
        found["did"] = await house.bluesky.did()
    except Fault as fault:
        found["did"] = f"not logged in: {fault}"


async def _find_integration(settings: Settings, house: House, found: dict[str, str]) -> None:
    try:
        integration = await read_integration(settings, house.genesys)
    except Fault as fault:
        found["integration"] = f"not asked: {fault}"
        return
    found["integration"] = f"“{integration.name}”"
    found["webhook"] = integration.webhook_url


def make_rows(settings: Settings, house: House, ports: Ports, found: Mapping[str, str]) -> Rows:
    """What is shown.

    Args:
        found: ``did``, ``integration`` and ``webhook`` as far as they are known.
    """
    role = "leads" if house.duty.is_on else "stands by: another process on this store leads"
    state = house.gauge.read()
    beware = f" ({state.reason})" if state.reason else ""
    called = found.get("webhook")
    return {
        "Version": (version("bluesky-genesys"), role),
        "Account": (f"@{settings.bluesky_handle}", found.get("did", "not known yet")),
        "Genesys": (settings.gc_region, found.get("integration", "not known yet")),
        "Monitored": tuple(list_monitored(settings)),
        "Contacts": ("one for each account" if settings.enable_external_contacts else "not kept",),
        "Store": (f"{_name_store(settings, state.kind)}{beware}",),
        "Webhook": (
            f"http://{settings.host}:{ports.webhook}/webhook",
            *([f"called by Genesys Cloud at {called}"] if called else []),
        ),
        "Dashboard": (
            "off: set ADMIN_TOKEN to have one"
            if settings.admin_token is None
            else f"http://{settings.host}:{ports.admin}/",
        ),
    }


def list_monitored(settings: Settings) -> list[str]:
    """What is watched, and how often."""
    often = settings.polling_time_inbound_notifications
    lines = [f"mentions, replies and quotes every {_show(often)}"]
    lines.append(f"direct messages every {_show(settings.polling_time_dm)}")
    count = len(settings.bluesky_search_query)
    if count:
        every = _show(settings.polling_time_social_listening)
        lines.append(f"{count} search quer{'y' if count == 1 else 'ies'} every {every}")
    if settings.listen_live:
        lines.append("posts as they are written, as far as Jetstream tells of them")
    if settings.follow_threads > 0:
        lines.append(f"threads for {_show(settings.follow_threads)}")
    if settings.reactions_every > 0:
        lines.append(f"reactions every {_show(settings.reactions_every)}")
    if settings.watch_deletes > 0:
        lines.append(f"deletions for {_show(settings.watch_deletes)}")
    return lines


def lay_out(rows: Rows) -> list[str]:
    """The screen, line by line."""
    width = max(map(len, rows))
    lines = ["", f"  bluesky-genesys {rows['Version'][0]}, {rows['Version'][1]}", ""]
    for label, texts in rows.items():
        if label != "Version":
            first, *rest = texts
            lines.append(f"  {label:<{width}}  {first}")
            lines += [f"  {'':<{width}}  {text}" for text in rest]
    return [*lines, "", "  Ctrl-C stops it. GET /health shows how it is.", ""]


def _name_store(settings: Settings, kind: str) -> str:
    if kind == "embedded":
        return f"embedded, in {settings.state_dir.resolve()}"
    return "the Redis of REDIS_URL" if kind == "redis" else kind


def _show(seconds: float) -> str:
    for unit_s, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:g} {unit}"
    return f"{seconds:g} s"
