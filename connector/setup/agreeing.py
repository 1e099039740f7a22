"""What may be overwritten, in Genesys Cloud and in ``.env``: nothing that nobody agreed to."""

from __future__ import annotations

from collections.abc import Mapping

from connector.setup.console import Console, Declined
from connector.setup.deciding import Plan, settle_amendments
from connector.setup.given import Given
from connector.setup.questions import BLUESKY_URL, DIVISION, FIRST
from connector.setup.steps import VARIABLES, Amend, Create, Kind

NEW = "(new)"
"""Stands for an id that is known only when the thing is made."""

SECRET = "GC_WEBHOOK_SECRET"  # noqa: S105 (the name of it)

_DEFAULTS = {"BLUESKY_SERVICE_URL": BLUESKY_URL, "ENABLE_EXTERNAL_CONTACTS": "false"}


def agree_on_amendments(console: Console, plan: Plan) -> Plan:
    """Ask about each change of something that exists; returns the plan without those declined.

    Raises:
        Declined: without a secret nothing can go on.
    """
    declined: set[str] = set()
    for step in plan.steps:
        if not isinstance(step, Amend):
            continue
        for amendment in step.amendments:
            if amendment.question is None or console.agree(amendment.question):
                continue
            if amendment.part == "secret":
                raise Declined(
                    f"The secret of “{step.name}” is not known here, and nothing was changed. "
                    f"Set it as {SECRET} and {step.id} as GC_INTEGRATION_ID, "
                    "or agree to a new one (--yes)."
                )
            declined.add(amendment.part)
    return settle_amendments(plan, frozenset(declined))


def find_changes(given: Given, answers: Mapping[str, str], plan: Plan) -> dict[str, str]:
    """What ``.env`` does not say yet, by variable; ids that are to come are :data:`NEW`.

    Raises:
        SettingsError: something that goes before ``.env`` says otherwise.
    """
    known = given.read()
    asked = {question.variable for question in (*FIRST, DIVISION)}
    wanted = {
        name: text
        for name, text in answers.items()
        if name in asked and (name in known or _DEFAULTS.get(name) != text)
    }
    if plan.secret is not None:
        wanted[SECRET] = plan.secret
    new = {
        VARIABLES[step.kind]: NEW
        for step in plan.steps
        if isinstance(step, Create) and step.kind in VARIABLES
    }
    return given.find_changes({**wanted, **plan.known_ids, **new})


def agree_on_overwriting(console: Console, given: Given, changes: Mapping[str, str]) -> None:
    """Ask before anything that ``.env`` says is replaced.

    Raises:
        Declined: nobody agreed.
    """
    overwritten = given.find_overwritten(changes)
    if not overwritten:
        return
    names = ", ".join(overwritten)
    if not console.agree(f"{given.env_path} says otherwise today. Overwrite there: {names}?"):
        raise Declined(
            f"{given.env_path} says otherwise about {names}, and nothing was changed. "
            "Agree to overwrite that (--yes), or give the answers that it has."
        )


def find_late(plan: Plan) -> frozenset[str]:
    """The variables that must not be written before the plan is carried out.

    The secret of an integration that exists: were it written first, and the run interrupted, the
    next one would take it for the integration's. That of a new one is written first, so that it is
    known if the answer is lost.
    """
    step = plan.find(Kind.INTEGRATION)
    changes_secret = isinstance(step, Amend) and any(
        amendment.part == "secret" for amendment in step.amendments
    )
    return frozenset({SECRET}) if changes_secret else frozenset()
