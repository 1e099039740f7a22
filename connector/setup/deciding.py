"""Decides what is to be done. Pure: nothing here asks, reads or writes anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from connector.organization import SHORTEST_SECRET, Identity, Integration, Rule, Source, Topic
from connector.setup.looking import SOURCE_NAME, Sight, Sights
from connector.setup.steps import VARIABLES, Amend, Amendment, Blocked, Create, Keep, Kind, Step
from connector.shapes import split_secrets

T = TypeVar("T")

GRANT = "Admin → Integrations → OAuth → your client → Roles"
"""Where an OAuth client gets its permissions."""

_ADMIN = {
    Kind.SOURCE: "Admin → External Sources",
    Kind.INTEGRATION: "Admin → Message → Platforms",
    Kind.TOPIC: "Admin → Social Media",
    Kind.RULE: "the topic in Admin → Social Media",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the administrator wants.

    Args:
        name: of integration, topic and rule.
        webhook_url: where agents' messages go; ``None`` leaves that of the integration.
        secret: ``GC_WEBHOOK_SECRET`` as it is known here. Of two, Genesys Cloud gets the first.
        new_secret: one that was just generated, in case that one is needed.
        integration_id: what ``GC_INTEGRATION_ID`` says: the known secret is this one's.
        division_id: of the topic and the contacts.
        contacts: whether customers become contacts.
    """

    name: str
    webhook_url: str | None
    secret: str | None = field(repr=False)
    new_secret: str = field(repr=False)
    integration_id: str | None
    division_id: str | None
    contacts: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of each thing, and what ``GC_WEBHOOK_SECRET`` says in the end."""

    steps: tuple[Step, ...]
    secret: str | None = field(repr=False)

    def find(self, kind: Kind) -> Step | None:
        """The step for this thing."""
        return next((step for step in self.steps if step.kind is kind), None)

    @property
    def known_ids(self) -> dict[str, str]:
        """The ids that are known before anything is done, by variable."""
        return {
            VARIABLES[step.kind]: step.id
            for step in self.steps
            if isinstance(step, (Keep, Amend)) and step.kind in VARIABLES
        }


def make_plan(sights: Sights, wanted: Wanted) -> Plan:
    """For each thing: keep it, make it, change it, or say why not."""
    integration, secret = _plan_integration(sights.integration, wanted)
    source = _plan_source(sights.source)
    steps: list[Step] = [source, integration]
    if wanted.contacts:
        steps.append(_plan_identity(sights, source, integration, wanted))
    topic = _plan_topic(sights.topic, wanted)
    steps += [topic, _plan_rule(sights.rule, source, topic, wanted)]
    return Plan(tuple(steps), secret)


def settle_amendments(plan: Plan, declined: frozenset[str]) -> Plan:
    """The plan without what a person declined, by the parts of the amendments."""
    steps: list[Step] = []
    for step in plan.steps:
        if not isinstance(step, Amend):
            steps.append(step)
            continue
        left = tuple(one for one in step.amendments if one.part not in declined)
        said = [one.otherwise for one in step.amendments if one.part in declined]
        if left:
            steps.append(replace(step, amendments=left))
        else:
            steps.append(Keep(step.kind, step.id, step.name, " ".join(said)))
    return replace(plan, steps=tuple(steps))


def _plan_source(sight: Sight[Source]) -> Step:
    if blocked := _find_block(Kind.SOURCE, sight, SOURCE_NAME):
        return blocked
    if sight.found is None:
        return Create(Kind.SOURCE, SOURCE_NAME)
    beware = None if sight.found.active else "It is inactive: activate it in External Sources."
    return Keep(Kind.SOURCE, sight.found.id, sight.found.name, beware)


def _plan_integration(sight: Sight[Integration], wanted: Wanted) -> tuple[Step, str | None]:
    if blocked := _find_block(Kind.INTEGRATION, sight, wanted.name):
        return blocked, wanted.secret
    found = sight.found
    if found is None:
        return _plan_new_integration(wanted)
    if found.create_status == "Error":
        why = f"Genesys Cloud could not make “{found.name}”"
        remedy = "Delete it in Admin → Message → Platforms, and run this again."
        return Blocked(Kind.INTEGRATION, why, remedy), wanted.secret
    amendments = []
    if wanted.webhook_url is not None and wanted.webhook_url != found.webhook_url:
        amendments.append(_make_url_amendment(found, wanted.webhook_url))
    known = split_secrets(wanted.secret) if wanted.secret is not None else ()
    # One of two that are known is the right one, and the other is to go on.
    secret = wanted.secret if found.secret in (None, *known) else found.secret
    beware = None
    if found.secret is None:
        if wanted.secret is not None and found.id == wanted.integration_id:
            beware = "Its secret is not shown, so GC_WEBHOOK_SECRET was not compared with it."
        else:
            secret = wanted.secret or wanted.new_secret
            amendments.append(_make_secret_amendment(found, split_secrets(secret)[0], wanted))
    if amendments:
        return Amend(Kind.INTEGRATION, found.id, found.name, tuple(amendments)), secret
    return Keep(Kind.INTEGRATION, found.id, found.name, beware), secret


def _plan_new_integration(wanted: Wanted) -> tuple[Step, str | None]:
    if wanted.secret is not None and len(split_secrets(wanted.secret)[0]) < SHORTEST_SECRET:
        why = f"GC_WEBHOOK_SECRET has fewer than {SHORTEST_SECRET} characters"
        remedy = "Take it away, and a good one is made; or set a longer one."
        return Blocked(Kind.INTEGRATION, why, remedy), wanted.secret
    return Create(Kind.INTEGRATION, wanted.name), wanted.secret or wanted.new_secret


def _make_url_amendment(found: Integration, url: str) -> Amendment:
    return Amendment(
        "webhook_url",
        url,
        says=f"it sends agents' messages to {url}, no longer to {found.webhook_url or 'nowhere'}",
        question=(
            f"“{found.name}” sends agents' messages to {found.webhook_url or 'nowhere'}. "
            f"Send them to {url} from now on?"
        ),
        otherwise=f"It still sends agents' messages to {found.webhook_url or 'nowhere'}.",
    )


def _make_secret_amendment(found: Integration, secret: str, wanted: Wanted) -> Amendment:
    which = "the one in GC_WEBHOOK_SECRET" if wanted.secret else "a new one"
    # The secret is written down before an integration is made. So one that has our name and our
    # address, and whose id is not written down, was made by a run that was interrupted.
    interrupted = wanted.secret is not None and found.webhook_url == wanted.webhook_url
    question = (
        f"Genesys Cloud does not show with which secret “{found.name}” signs agents' messages, "
        "and a connector without it refuses them all. "
        f"Set {which}? Whatever else takes messages of this integration needs it too, then."
    )
    return Amendment(
        "secret",
        secret,
        says=f"it signs agents' messages with {which}",
        question=None if interrupted else question,
        otherwise="Its secret is not known here.",
    )


def _plan_identity(sights: Sights, source: Step, integration: Step, wanted: Wanted) -> Step:
    kind = Kind.IDENTITY
    if sights.identity.hidden:
        return _make_hidden(kind, sights.identity.hidden)
    if isinstance(source, Blocked):
        return make_waiting(kind, source.kind)
    if isinstance(integration, Blocked):
        return make_waiting(kind, integration.kind)
    if wanted.division_id is None:
        return Blocked(kind, "no division is known", "Set GC_EC_DIVISION_ID.")
    found, name = sights.identity.found, integration.name
    if isinstance(integration, Create) or found is None or found.is_unset:
        return Create(kind, name)
    if isinstance(source, Keep) and found.resolves(wanted.division_id, source.id):
        return Keep(kind, integration.id, name)
    return Amend(kind, integration.id, name, (_make_identity_amendment(found, name, wanted),))


def _make_identity_amendment(found: Identity, name: str, wanted: Wanted) -> Amendment:
    division = found.division.id if found.division else None
    source = found.external_source.id if found.external_source else None
    today = f"division {division or 'none'}, external source {source or 'none'}"
    return Amendment(
        "identity",
        wanted.division_id or "",
        says=f"customers are looked up in division {wanted.division_id} and our external source",
        question=(
            f"“{name}” resolves identities otherwise ({today}). "
            f"Look customers up in division {wanted.division_id} and our external source instead?"
        ),
        otherwise=f"It stays as it is: {today}.",
    )


def _plan_topic(sight: Sight[Topic], wanted: Wanted) -> Step:
    if blocked := _find_block(Kind.TOPIC, sight, wanted.name):
        return blocked
    if sight.found is not None:
        return Keep(Kind.TOPIC, sight.found.id, sight.found.name)
    if wanted.division_id is None:
        return Blocked(Kind.TOPIC, "no division is known to make it in", "Set GC_EC_DIVISION_ID.")
    return Create(Kind.TOPIC, wanted.name)


def _plan_rule(sight: Sight[Rule], source: Step, topic: Step, wanted: Wanted) -> Step:
    if blocked := _find_block(Kind.RULE, sight, wanted.name):
        return blocked
    if isinstance(topic, Blocked):
        return make_waiting(Kind.RULE, Kind.TOPIC)
    if sight.found is None:
        if isinstance(source, Blocked):
            return make_waiting(Kind.RULE, Kind.SOURCE)
        return Create(Kind.RULE, wanted.name)
    return Keep(Kind.RULE, sight.found.id, sight.found.name, _judge_rule(sight.found, source))


def _judge_rule(rule: Rule, source: Step) -> str | None:
    if rule.status not in {"Active", "Pending", None}:
        return f"It is {rule.status}: activate it in Admin → Social Media."
    theirs = rule.external_source.id if rule.external_source else None
    if theirs and isinstance(source, Keep) and theirs != source.id:
        return f"It belongs to another external source ({theirs}) than GC_EXTERNAL_SOURCE_ID."
    return None


def _find_block(kind: Kind, sight: Sight[T], name: str) -> Blocked | None:
    if sight.hidden:
        return _make_hidden(kind, sight.hidden)
    if sight.rivals:
        why = f"there are {sight.rivals} of the name “{name}”"
        remedy = f"Put the id of the right one into {VARIABLES[kind]}: see {_ADMIN[kind]}."
        return Blocked(kind, why, remedy)
    return None


def _make_hidden(kind: Kind, permissions: tuple[str, ...]) -> Blocked:
    names = ", ".join(permissions)
    remedy = f"Give the OAuth client a role with {names}: {GRANT}."
    return Blocked(kind, "it cannot be seen", remedy, permissions)


def make_waiting(kind: Kind, needed: Kind) -> Blocked:
    """It cannot be made before another thing is there."""
    remedy = "It follows when that is there."
    return Blocked(kind, f"it needs the {needed}", remedy, waits=True)
