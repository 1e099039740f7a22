"""Says what will be done, and at the end what was: one screen, without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import assert_never

from connector.settings import Settings
from connector.setup.bluesky import Account
from connector.setup.deciding import GRANT
from connector.setup.permissions import Missing
from connector.setup.steps import Amend, Blocked, Create, Keep, Kind, Step

_ESCALATION = (
    "Which public posts become conversations for agents, the rule's escalation rules decide: "
    "Admin → Social Media → your topic → its open data ingestion rule."
)
_FLOW = (
    "Who is asked to answer, a message flow decides: it is associated with the recipient of the "
    "integration."
)
_CHAT = "Who may write to you on Bluesky, the account decides: Chat → Settings → Everyone."

BY_HAND = (_ESCALATION, _FLOW, _CHAT)
"""What no operation of the API that is known here can do."""


def tell_step(step: Step, identifier: str | None, *, planned: bool) -> Iterator[str]:
    """What becomes of one thing, in a line or two. ``planned`` is before it is done."""
    match step:
        case Keep():
            yield f"  found    {step.kind}: “{step.name}” ({step.id})"
            if step.beware:
                yield f"           {step.beware}"
        case Create():
            word = "create " if planned else "created"
            shown = f" ({identifier})" if identifier else ""
            yield f"  {word}  {step.kind}: “{step.name}”{shown}"
        case Amend():
            word = "change " if planned else "changed"
            yield f"  {word}  {step.kind}: “{step.name}” ({step.id})"
            for amendment in step.amendments:
                yield f"           {amendment.says}"
        case Blocked():
            yield f"  missing  {step.kind}: {step.why}"
            yield f"           → {step.remedy}"
        case _:
            assert_never(step)


def tell_steps(
    steps: Iterable[Step], ids: dict[Kind, str], *, planned: bool = False
) -> Iterator[str]:
    """What becomes of all things."""
    for step in steps:
        yield from tell_step(step, ids.get(step.kind), planned=planned)


def tell_account(settings: Settings, account: Account) -> Iterator[str]:
    """Who logged in to Bluesky, and whether direct messages are open to them."""
    yield ""
    yield "Bluesky"
    yield f"  found    @{settings.bluesky_handle} ({account.did})"
    if account.messages_refused is None:
        yield "  found    direct messages can be read"
    else:
        yield "  missing  direct messages cannot be read with this app password"
        yield f"           → {account.messages_refused}"


def tell_env(
    path: Path, changes: Iterable[str], *, touched: bool, planned: bool = False
) -> Iterator[str]:
    """Which variables were written, never to what."""
    yield str(path)
    if not touched:
        yield "  found    nothing to change"
        return
    word = "write  " if planned else "written"
    yield f"  {word}  {', '.join(changes) or 'nothing but its mode: only its owner may read it'}"


def tell_missing(missing: Sequence[Missing]) -> Iterator[str]:
    """Which permissions are missing, what each is for, and where they are given."""
    if not missing:
        return
    yield ""
    yield "Permissions that the OAuth client lacks"
    for one in missing:
        yield f"  {one.permission}: for {one.purpose}"
        if one.without:
            yield f"           {one.without}"
    yield f"  → Give the client a role that has them, for the division concerned: {GRANT}."


def tell_end(to_mend: int, *, ready: bool) -> Iterator[str]:
    """What remains, and the next command."""
    yield ""
    yield "By hand, as far as it is not done"
    yield from (f"  - {task}" for task in BY_HAND)
    yield ""
    if to_mend:
        yield f"{to_mend} to mend. Then run this again: what is there stays."
    if ready:
        yield "Next: bluesky-genesys check, and then bluesky-genesys run"
