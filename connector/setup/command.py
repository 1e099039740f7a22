"""The whole of ``bluesky-genesys setup``, from the first question to the next command."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from actors.genesys.client import GenesysClient
from connector.clients import make_genesys, make_tokens, open_http
from connector.environment import SettingsError
from connector.settings import Settings
from connector.setup.agreeing import (
    NEW,
    SECRET,
    agree_on_amendments,
    agree_on_overwriting,
    find_changes,
    find_late,
)
from connector.setup.bluesky import Account, log_in, make_settings, take_session_over
from connector.setup.console import Console, Declined
from connector.setup.deciding import Plan, Wanted, make_plan
from connector.setup.doing import carry_out
from connector.setup.env_file import CannotWrite, update_env
from connector.setup.given import Given
from connector.setup.looking import Sights, look_around, make_name
from connector.setup.permissions import Missing, choose_probes, find_missing
from connector.setup.questions import (
    ADDRESS,
    DIVISION,
    FIRST,
    PUBLIC_URL,
    Ask,
    answer_all,
    make_webhook_url,
)
from connector.setup.steps import VARIABLES, Blocked, Kind, Step
from connector.setup.telling import tell_account, tell_end, tell_env, tell_missing, tell_steps
from runtime.errors import Fault
from runtime.rate import Budget

DONE, TO_MEND, CANNOT = 0, 1, 2
"""Exit statuses: all is set up; something is left for a person; the answers do not allow it."""

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known and agreed before anything is changed."""

    settings: Settings
    account: Account
    wanted: Wanted
    plan: Plan
    missing: tuple[Missing, ...]
    changes: Mapping[str, str] = field(repr=False)


async def set_up(console: Console, given: Given) -> int:
    """Set everything up, or find out that it is; returns the exit status.

    If cancelled, what was done stays, and the next run goes on from there.
    """
    try:
        return await _set_up(console, given)
    except SettingsError as error:
        console.complain("These answers cannot be used:\n")
        for problem in error.problems:
            console.complain(f"  {problem}")
        console.complain(
            "\nEach can be given in the environment, in .env, or as an option: see --help."
        )
        return CANNOT
    except (CannotWrite, Declined) as error:
        console.complain(str(error))
        return CANNOT
    except Fault as fault:
        console.complain(f"It stopped here: {fault}")
        console.complain(f"→ {fault.action or 'Run this again: it goes on where it stopped.'}")
        return TO_MEND


async def _set_up(console: Console, given: Given) -> int:
    known = given.read()
    answers = answer_all(FIRST, known, console.ask)
    settings = make_settings({**known, **answers})
    async with _open_genesys(settings) as genesys:
        prepared = await _prepare(console, given, answers, settings, genesys)
        if console.dry_run:
            return _tell_dry_run(console, given, prepared)
        return await _carry_out(console, given, prepared, genesys)


async def _prepare(
    console: Console,
    given: Given,
    answers: Mapping[str, str],
    settings: Settings,
    genesys: GenesysClient,
) -> Prepared:
    """Look, log in, plan and ask. Changes nothing."""
    known = given.read()
    console.tell(f"Looking around in Genesys Cloud ({settings.gc_region}) …")
    sights = await look_around(genesys, known, make_name(settings.bluesky_handle))
    answers = {**answers, **_ask_for_more(sights, known, answers, console.ask)}
    wanted = _make_wanted(known, answers)
    plan = make_plan(sights, wanted)
    probes = choose_probes(
        plan,
        contacts=wanted.contacts,
        reactions=settings.reactions_every > 0,
        missed=settings.reconcile_window > 0,
    )
    missing = _merge(_find_hidden(plan.steps), await find_missing(genesys, probes))
    settings = make_settings({**known, **answers, **plan.known_ids})
    console.tell(f"Logging in to Bluesky ({settings.bluesky_service_url}) …")
    account = await log_in(settings, console.tell)
    plan = agree_on_amendments(console, plan)
    changes = find_changes(given, answers, plan)
    agree_on_overwriting(console, given, changes)
    return Prepared(settings, account, wanted, plan, missing, changes)


async def _carry_out(
    console: Console, given: Given, prepared: Prepared, genesys: GenesysClient
) -> int:
    changes, late = prepared.changes, find_late(prepared.plan)
    later = {name: text for name, text in changes.items() if name in late}
    first = {name: text for name, text in changes.items() if text != NEW and name not in late}
    written = update_env(given.env_path, first)

    def keep_id(kind: Kind, identifier: str) -> None:
        values = {VARIABLES[kind]: identifier, **(later if kind is Kind.INTEGRATION else {})}
        update_env(given.env_path, given.find_changes(values))

    results = await carry_out(prepared.plan, prepared.wanted, genesys, keep_id)
    final = make_settings(given.read())
    if final.gc_integration_id != prepared.settings.gc_integration_id:
        await take_session_over(final)
    missing = _merge(prepared.missing, results.missing)
    steps = [*results.done.values()]
    for line in (
        *tell_account(prepared.settings, prepared.account),
        f"Genesys Cloud ({prepared.settings.gc_region})",
        *tell_steps(steps, results.ids),
        *tell_env(given.env_path, changes, touched=written or bool(changes)),
        *tell_missing(missing),
    ):
        console.tell(line)
    to_mend = _count_to_mend(prepared.account, steps, missing)
    ready = {Kind.INTEGRATION, Kind.TOPIC, Kind.RULE} <= results.ids.keys()
    for line in tell_end(to_mend, ready=ready):
        console.tell(line)
    return TO_MEND if to_mend else DONE


def _tell_dry_run(console: Console, given: Given, prepared: Prepared) -> int:
    steps = prepared.plan.steps
    for line in (
        *tell_account(prepared.settings, prepared.account),
        f"Genesys Cloud ({prepared.settings.gc_region})",
        *tell_steps(steps, {}, planned=True),
        *tell_env(given.env_path, prepared.changes, touched=bool(prepared.changes), planned=True),
        *tell_missing(prepared.missing),
        "",
        "Nothing was changed.",
    ):
        console.tell(line)
    return TO_MEND if _count_to_mend(prepared.account, steps, prepared.missing) else DONE


@asynccontextmanager
async def _open_genesys(settings: Settings) -> AsyncIterator[GenesysClient]:
    async with open_http(settings) as http:
        yield make_genesys(
            settings, http, make_tokens(settings, http), Budget(settings.genesys_budget)
        )


def _ask_for_more(
    sights: Sights, known: Mapping[str, str], answers: Mapping[str, str], ask: Ask | None
) -> dict[str, str]:
    """What is needed only because something is not there yet, or was given all the same."""
    integration, topic = sights.integration, sights.topic
    is_new = integration.found is None and not integration.hidden and not integration.rivals
    questions = [ADDRESS] if is_new or PUBLIC_URL in known else []
    topic_is_new = topic.found is None and not topic.hidden and not topic.rivals
    if topic_is_new or answers["ENABLE_EXTERNAL_CONTACTS"] == "true":
        proposal = sights.divisions[0] if sights.divisions else None
        questions.append(replace(DIVISION, proposal=proposal))
    return answer_all(questions, known, ask)


def _make_wanted(known: Mapping[str, str], answers: Mapping[str, str]) -> Wanted:
    public_url = answers.get(PUBLIC_URL)
    return Wanted(
        name=make_name(answers["BLUESKY_HANDLE"]),
        webhook_url=None if public_url is None else make_webhook_url(public_url),
        secret=known.get(SECRET),
        new_secret=secrets.token_hex(_SECRET_BYTES),
        integration_id=known.get("GC_INTEGRATION_ID"),
        division_id=answers.get(DIVISION.variable, known.get(DIVISION.variable)),
        contacts=answers["ENABLE_EXTERNAL_CONTACTS"] == "true",
    )


def _find_hidden(steps: Iterable[Step]) -> list[Missing]:
    return [
        Missing(name, f"seeing the {step.kind}")
        for step in steps
        if isinstance(step, Blocked)
        for name in step.permissions
    ]


def _merge(first: Iterable[Missing], then: Iterable[Missing]) -> tuple[Missing, ...]:
    """Each permission once, with what was said of it first."""
    merged: dict[str, Missing] = {}
    for one in (*first, *then):
        merged.setdefault(one.permission, one)
    return tuple(merged.values())


def _count_to_mend(account: Account, steps: Iterable[Step], missing: Iterable[Missing]) -> int:
    blocked = [
        step
        for step in steps
        if isinstance(step, Blocked) and not step.permissions and not step.waits
    ]
    return len([*missing]) + len(blocked) + (account.messages_refused is not None)
