"""Logs in to Bluesky as the connector does, and keeps the session for it: logins are few a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from actors.bluesky.client import Bluesky
from actors.bluesky.session import LOGINS_NAME, SESSION_NAME
from actors.store import Value
from connector.environment import load_settings
from connector.lone_store import open_lone_store
from connector.settings import Settings
from runtime.errors import AuthRejected, Fault, RateLimited

NAMESPACE = "setup"
"""What the store calls its keys by as long as no integration gives them their name."""

LONGEST_WAIT_S = 60.0
"""A login that has to wait for so long is waited for; for longer ones a person comes back."""

_STAND_IN = "not-known-yet"


@dataclass(frozen=True, slots=True)
class Account:
    """Who logged in. ``messages_refused`` says what to do if direct messages cannot be read."""

    did: str
    messages_refused: str | None


def make_settings(variables: Mapping[str, str]) -> Settings:
    """Settings with stand-ins for what Genesys Cloud has not told yet.

    Raises:
        SettingsError: any other variable is wrong.
    """
    stand_ins = {
        "GC_INTEGRATION_ID": NAMESPACE,
        "GC_WEBHOOK_SECRET": _STAND_IN,
        "GC_SOCIAL_TOPIC_ID": _STAND_IN,
        "GC_SOCIAL_RULE_ID": _STAND_IN,
        "GC_EXTERNAL_SOURCE_ID": _STAND_IN,
        "GC_EC_DIVISION_ID": _STAND_IN,
    }
    return load_settings({**stand_ins, **variables})


async def log_in(settings: Settings, tell: Callable[[str], None]) -> Account:
    """Log in, or use the session that is kept, and see whether direct messages can be read.

    If cancelled, a session may have been made and not kept.

    Raises:
        Fault: the login is refused, or server or store cannot be reached.
    """
    result = await _use_store(settings, tell, log_in_anyway=settings.gc_integration_id == NAMESPACE)
    if result is None:
        await take_session_over(settings)
        result = await _use_store(settings, tell, log_in_anyway=True)
    if isinstance(result, Fault):
        raise result
    assert result is not None  # noqa: S101 - it logged in anyway
    return result


async def _use_store(
    settings: Settings, tell: Callable[[str], None], *, log_in_anyway: bool
) -> Account | Fault | None:
    """``None``: there is no session here, and there may be one elsewhere."""
    async with open_lone_store(settings) as parts:
        # Faults are raised by the caller: what leaves this block is wrapped in a group.
        try:
            if not log_in_anyway and await parts.store.read("session", SESSION_NAME) is None:
                return None
            return await look_at_account(parts.bluesky, tell)
        except Fault as fault:
            return fault


async def look_at_account(bluesky: Bluesky, tell: Callable[[str], None]) -> Account:
    """Log in, waiting a little if that is not permitted yet; raises as :func:`log_in` does.

    If cancelled, a session may have been made and not kept.
    """
    try:
        did = await bluesky.did()
    except RateLimited as error:
        if error.after_s is None or error.after_s > LONGEST_WAIT_S:
            raise
        tell(f"The next login to Bluesky is permitted in {error.after_s:.0f} s; waiting.")
        await trio.sleep(error.after_s)
        did = await bluesky.did()
    return Account(did, await _ask_for_messages(bluesky))


async def take_session_over(settings: Settings) -> None:
    """Take the session that was made before the integration was known, unless there is one.

    If cancelled, it may be lost, and the connector logs in once more.
    """
    before = settings.model_copy(update={"gc_integration_id": NAMESPACE})
    async with open_lone_store(before) as parts:
        kept = {name: await parts.store.read("session", name) for name in _NAMES}
        await parts.store.record(values=[Value("session", name, "", keep_s=0) for name in _NAMES])
    values = [Value("session", name, text) for name, text in kept.items() if text is not None]
    if not values:
        return
    async with open_lone_store(settings) as parts:
        if await parts.store.read("session", SESSION_NAME) is None:
            await parts.store.record(values=values)


_NAMES = (SESSION_NAME, LOGINS_NAME)


async def _ask_for_messages(bluesky: Bluesky) -> str | None:
    try:
        await bluesky.query("chat.bsky.convo.listConvos", {"limit": 1}, chat=True)
    except AuthRejected as error:
        return error.action or str(error)
    return None
