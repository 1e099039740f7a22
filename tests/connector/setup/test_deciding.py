"""The plan says what is to be done, and why something cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.organization import Identity, Integration, Rule, Source, Topic
from connector.setup.deciding import Wanted, make_plan
from connector.setup.looking import Sight, Sights
from connector.setup.steps import Amend, Blocked, Create, Keep, Kind

URL = "https://connector.example/webhook"
SECRET = "a secret of more than 15 characters"
WANTED = Wanted(
    name="Bluesky acme.example",
    webhook_url=URL,
    secret=None,
    new_secret="a new secret of more than 15 characters",
    integration_id=None,
    division_id="division",
    contacts=True,
)
NOTHING = Sights(Sight(), Sight(), Sight(), Sight(), Sight())


def make_integration(**more: object) -> Integration:
    """One that is as it should be."""
    answer = {
        "id": "i",
        "name": "Bluesky acme.example",
        "outboundNotificationWebhookUrl": URL,
        "outboundNotificationWebhookSignatureSecretToken": SECRET,
    }
    return Integration.model_validate({**answer, **more})


def make_all() -> Sights:
    """Everything is there, and belongs together."""
    reference = {"id": "s"}
    identity = {
        "resolveIdentities": True,
        "division": {"id": "division"},
        "externalSource": reference,
    }
    rule = {"id": "r", "name": "n", "status": "Active", "externalSource": reference}
    return Sights(
        Sight(Source(id="s", name="Bluesky")),
        Sight(make_integration()),
        Sight(Identity.model_validate(identity)),
        Sight(Topic.model_validate({"id": "t", "name": "n", "divisionId": "division"})),
        Sight(Rule.model_validate(rule)),
    )


def test_of_nothing_everything_is_made_in_an_order_that_works() -> None:
    """A rule needs source and topic; identity resolution needs source and integration."""
    plan = make_plan(NOTHING, WANTED)

    assert [step.kind for step in plan.steps] == [*Kind]
    assert all(isinstance(step, Create) for step in plan.steps)
    assert plan.secret == WANTED.new_secret


def test_of_everything_all_is_kept() -> None:
    """And the secret is the integration's."""
    plan = make_plan(make_all(), WANTED)

    assert all(isinstance(step, Keep) for step in plan.steps)
    assert plan.secret == SECRET
    assert plan.known_ids["GC_SOCIAL_RULE_ID"] == "r"


@pytest.mark.parametrize("token", ["", "short", "*" * 32, "abcd••••••••••••••••••••"])
def test_a_masked_secret_is_no_secret(token: str) -> None:
    """Taken for one, it would make the connector refuse every webhook."""
    hidden = make_integration(outboundNotificationWebhookSignatureSecretToken=token)
    plan = make_plan(replace(make_all(), integration=Sight(hidden)), WANTED)

    step = plan.find(Kind.INTEGRATION)
    assert isinstance(step, Amend)
    assert [one.part for one in step.amendments] == ["secret"]
    assert step.amendments[0].question is not None
    assert plan.secret == WANTED.new_secret


def test_a_secret_that_is_too_short_is_refused_before_the_platform_does() -> None:
    """It says how long it must be, and that a good one can be made."""
    step = make_plan(NOTHING, replace(WANTED, secret="15 characters..")).find(Kind.INTEGRATION)

    assert isinstance(step, Blocked)
    assert "16" in step.why
    assert "Take it away" in step.remedy


def test_an_integration_that_could_not_be_made_is_for_a_person_to_delete() -> None:
    """It is neither adopted nor made a second time."""
    broken = make_integration(createStatus="Error")
    plan = make_plan(replace(make_all(), integration=Sight(broken)), WANTED)

    step = plan.find(Kind.INTEGRATION)
    assert isinstance(step, Blocked)
    assert "Delete it" in step.remedy
    waiting = plan.find(Kind.IDENTITY)
    assert isinstance(waiting, Blocked)
    assert waiting.waits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "Paused"}, "It is Paused"),
        ({"external_source": None}, None),
        ({"status": "Pending"}, None),
    ],
)
def test_a_rule_that_takes_nothing_in_is_noticed(
    change: dict[str, object], said: str | None
) -> None:
    """It is kept: somebody may have paused it on purpose."""
    sights = make_all()
    assert sights.rule.found is not None
    rule = sights.rule.found.model_copy(update=change)
    step = make_plan(replace(sights, rule=Sight(rule)), WANTED).find(Kind.RULE)

    assert isinstance(step, Keep)
    assert (step.beware or "").startswith(said or "")
    assert (step.beware is None) is (said is None)


def test_no_secret_is_in_what_a_plan_shows_of_itself() -> None:
    """Nor in what was wanted: either may end in an error's text."""
    hidden = make_integration(outboundNotificationWebhookSignatureSecretToken="")
    wanted = replace(WANTED, secret=SECRET)
    plan = make_plan(replace(make_all(), integration=Sight(hidden)), wanted)

    assert SECRET not in repr((plan, wanted, make_integration()))
