"""``bluesky-genesys forget``: one person's traces, removed from the store at their request."""

from __future__ import annotations

from collections import Counter

import trio

from actors.bluesky.client import BlueskyClient
from actors.dedup_store import Forgetting, Forgotten
from connector.dead_letters import Console, NotDone, with_store
from connector.house import make_commands
from connector.letter_lines import make_printable
from connector.parts import Parts
from connector.settings import Settings
from runtime.errors import Rejected

_LOOKS = 5
_LOOK_AGAIN_S = 1.0


async def forget_person(
    settings: Settings, console: Console, person: str, *, dry_run: bool, sure: bool
) -> None:
    """Remove what the store has of an account, and say what it was and what is elsewhere.

    The store is not held open while somebody is asked.

    Args:
        person: a DID or a handle.
        dry_run: only say what would be removed.
        sure: do not ask.

    Raises:
        Fault: :class:`NotDone` if there is no such account or nobody who could be asked; else the
            store or Bluesky cannot be used.
    """
    if not (dry_run or sure) and console.confirm is None:
        raise NotDone("Nothing was removed: there is no terminal to ask on.", action="Add --yes.")

    async def look(parts: Parts) -> tuple[str, Forgotten]:
        did = person if person.startswith("did:") else await _resolve(parts.bluesky, person)
        return did, await _make_forgetting(parts, did, dry_run=True).run()

    did, found = await with_store(settings, look)
    for line in (f"{make_printable(did)}:", *_count(found.removed)):
        console.tell(line)
    if not dry_run:
        if not sure and console.confirm is not None and not console.confirm("Remove it for good?"):
            raise NotDone("Nothing was removed.")

        async def forget(parts: Parts) -> Forgotten:
            return await _forget(parts, did)

        found = await with_store(settings, forget)
        console.tell(f"Removed: {sum(found.removed.values()):,}.")
    for line in (*_describe_rest(settings, found), *_name_other_places(settings, did)):
        console.tell(line)
    if found.in_hand:
        raise NotDone(
            f"{found.in_hand:,} left: they may be on their way at this moment.",
            action="Run this again in a minute, or stop the connector first.",
        )


def _make_forgetting(parts: Parts, did: str, *, dry_run: bool) -> Forgetting:
    database, clock = parts.outside.database, parts.outside.clock
    return Forgetting(database, make_commands(parts.settings), clock, did, dry_run=dry_run)


async def _forget(parts: Parts, did: str) -> Forgotten:
    """Look until nothing more is found: what was under way may be done, and leave a trace."""
    removed: Counter[str] = Counter()
    for _ in range(_LOOKS):
        found = await _make_forgetting(parts, did, dry_run=False).run()
        removed += found.removed
        if not found.in_hand and not found.removed.total():
            break
        await trio.sleep(_LOOK_AGAIN_S)
    return Forgotten(removed, found.in_hand, found.receipts)


async def _resolve(bluesky: BlueskyClient, person: str) -> str:
    handle = person.removeprefix("@").lower()
    try:
        answer = await bluesky.query("com.atproto.identity.resolveHandle", {"handle": handle})
    except Rejected as error:
        raise NotDone(
            f"Bluesky knows no account @{make_printable(handle)}: {error}",
            action="Name the DID. It is the external id of the contact in Genesys Cloud.",
        ) from error
    return str(answer.get("did", ""))


def _count(removed: Counter[str]) -> list[str]:
    lines = [f"{count:>7,}  {kind}" for kind, count in removed.items() if count]
    return lines or ["      0  traces in the store"]


def _describe_rest(settings: Settings, found: Forgotten) -> list[str]:
    lines = []
    if found.receipts:
        lines.append(f"{found.receipts:,} receipts name the account and go out by themselves.")
    lines.append(
        "What stays in the store are marks that keep things from being taken in twice: addresses "
        "and ids alone, for 30 days."
    )
    if settings.redis_url is not None:
        lines.append(
            "Files and backups of your Redis keep what was removed until they are renewed."
        )
    return lines


def _name_other_places(settings: Settings, did: str) -> list[str]:
    contact = f"  - the external contact with the external id {make_printable(did)}: "
    return [
        "Not here, but in Genesys Cloud, where you delete it yourself:",
        *([contact + "External Contacts"] if settings.enable_external_contacts else []),
        "  - the conversations: by a GDPR request of your organization, or as they expire",
        "What the person wrote on Bluesky, and your answers to it, are on Bluesky.",
    ]
