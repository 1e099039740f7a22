"""Whoever has the answers has a connector set up in one go, and may repeat it at any time."""

from __future__ import annotations

import pytest

from connector.environment import load_settings
from tests.connector.setup.administrator import (
    NOTHING,
    ONE_OF_EACH,
    PUBLIC_URL,
    WEBHOOK_URL,
    Administrator,
    make_answers,
)


async def test_from_nothing_everything_is_made_and_written_down(office: Administrator) -> None:
    """One of each thing, wired to each other, and a .env that the connector starts with."""
    status = await office.set_up()

    assert status == 0, office.told
    assert office.things() == ONE_OF_EACH
    settings = load_settings({**office.environ, **office.env})
    setup = office.world.genesys.setup
    integration = setup.integration(settings.gc_integration_id)
    assert integration.webhook_url == WEBHOOK_URL
    assert integration.webhook_secret == settings.gc_webhook_secret.get_secret_value()
    assert integration.identity_resolution == {
        "resolveIdentities": True,
        "division": {"id": office.world.genesys.division_id},
        "externalSource": {"id": settings.gc_external_source_id},
    }
    rule = setup.rule(settings.gc_social_topic_id, settings.gc_social_rule_id)
    assert rule.source.source_id == settings.gc_external_source_id
    assert settings.enable_external_contacts
    assert "bluesky-genesys check" in office.told


async def test_only_its_owner_may_read_the_file(office: Administrator) -> None:
    """Mode 0600, also of a file that was open to others before."""
    office.env_path.write_text("LOG_LEVEL=debug\n")
    office.env_path.chmod(0o644)

    await office.set_up()

    assert office.env_path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in office.env_path.parent.iterdir()] == [".env"]


async def test_a_second_run_changes_nothing(office: Administrator) -> None:
    """Not one request that could change something, the same .env to the byte, no second login."""
    await office.set_up()
    before, made = office.env_path.read_bytes(), len(office.changes())
    office.environ = {name: office.environ[name] for name in office.environ if "URL" in name}

    status = await office.set_up()

    assert status == 0, office.told
    assert len(office.changes()) == made
    assert office.env_path.read_bytes() == before
    assert "nothing to change" in office.told
    assert "created" not in office.told
    assert office.count_logins() == 1


async def test_the_secrets_are_never_shown(office: Administrator) -> None:
    """Neither in a dry run, nor in a real one, nor in a refused one."""
    genesys = office.world.genesys
    said = ""
    for dry_run in (True, False, False):
        await office.set_up(dry_run=dry_run)
        said += office.told
    secrets = [office.env["GC_WEBHOOK_SECRET"], genesys.client_secret]
    secrets.append(office.environ["BLUESKY_APP_PASSWORD"])

    assert [secret for secret in secrets if secret in said] == []


async def test_a_dry_run_changes_nothing_and_says_what_would_be_done(
    office: Administrator,
) -> None:
    """Nothing in Genesys Cloud, no .env, and a line for each thing that would be made."""
    status = await office.set_up(dry_run=True)

    assert status == 0, office.told
    assert office.things() == NOTHING
    assert office.changes() == []
    assert not office.env_path.exists()
    assert office.told.count("  create ") == 5
    assert "GC_WEBHOOK_SECRET" in office.told
    assert office.said[-1] == "Nothing was changed."


async def test_all_can_be_answered_on_the_terminal(office: Administrator) -> None:
    """Every answer is asked for once, and what is asked for only because it is missing, later."""
    answers = make_answers(office.world)
    office.environ = {name: office.environ[name] for name in office.environ if name not in answers}
    office.typed = answers

    status = await office.set_up()

    assert status == 0, office.told
    assert sorted(office.asked) == sorted(answers)
    assert office.env["BLUESKY_APP_PASSWORD"] == answers["BLUESKY_APP_PASSWORD"]


async def test_without_a_terminal_the_missing_answers_are_named(office: Administrator) -> None:
    """All at once, exit status 2, and nothing was done."""
    for name in ("BLUESKY_HANDLE", "GC_CC_CLIENT_SECRET"):
        del office.environ[name]

    status = await office.set_up()

    assert status == 2
    assert "BLUESKY_HANDLE: missing" in office.told
    assert "GC_CC_CLIENT_SECRET: missing" in office.told
    assert list(office.world.genesys.calls) == []


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PUBLIC_URL", "http://connector.example", "PUBLIC_URL: expected"),
        ("PUBLIC_URL", "https://connector.example:8443", "port 443"),
        ("GC_REGION", "nowhere", "GC_REGION: not of the right form"),
        ("ENABLE_EXTERNAL_CONTACTS", "perhaps", "ENABLE_EXTERNAL_CONTACTS: neither"),
        ("PORT", "high", "PORT: not a whole number"),
    ],
)
async def test_a_wrong_answer_is_named_before_anything_is_done(
    office: Administrator, variable: str, value: str, said: str
) -> None:
    """Exit status 2, the variable, and what is expected."""
    office.environ[variable] = value

    status = await office.set_up()

    assert status == 2
    assert said in office.told
    assert office.changes() == []
    assert not office.env_path.exists()


async def test_the_account_may_do_without_contacts(office: Administrator) -> None:
    """Then identities are left alone, and the rest is made."""
    office.environ["ENABLE_EXTERNAL_CONTACTS"] = "no"

    status = await office.set_up()

    assert status == 0, office.told
    assert office.things() == {**ONE_OF_EACH, "resolving": 0}
    assert not load_settings({**office.environ, **office.env}).enable_external_contacts


async def test_an_app_password_without_direct_messages_is_noticed(office: Administrator) -> None:
    """What is missing and where to get it; everything else is set up, and the status is 1."""
    office.world.bluesky.add_app_password(office.world.brand, "no-chat", direct_messages=False)
    office.environ["BLUESKY_APP_PASSWORD"] = "no-chat"

    status = await office.set_up()

    assert status == 1
    assert "Allow access to your direct messages" in office.told
    assert office.things() == ONE_OF_EACH


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("BLUESKY_APP_PASSWORD", "Create an app password"),
        ("GC_CC_CLIENT_SECRET", "Check GC_CC_CLIENT_ID, GC_CC_CLIENT_SECRET and GC_REGION"),
    ],
)
async def test_a_refused_login_stops_it_before_anything_is_made(
    office: Administrator, variable: str, said: str
) -> None:
    """It says which login, and what to do."""
    office.environ[variable] = "wrong"

    status = await office.set_up()

    assert status == 1
    assert said in office.told
    assert office.things() == NOTHING
    assert not office.env_path.exists()


async def test_an_integration_that_takes_a_while_is_waited_for(office: Administrator) -> None:
    """Its identity resolution can only be set when it is ready."""
    office.world.genesys.setup.reads_until_created = 1

    status = await office.set_up()

    assert status == 0, office.told
    assert office.things() == ONE_OF_EACH


async def test_an_address_with_the_path_is_the_same_address(office: Administrator) -> None:
    """With /webhook at its end or without, with a slash or without."""
    await office.set_up()
    made = len(office.changes())
    for address in (f"{PUBLIC_URL}/", f"{PUBLIC_URL}/webhook"):
        office.environ["PUBLIC_URL"] = address
        assert await office.set_up() == 0, office.told
    assert len(office.changes()) == made


@pytest.mark.parametrize("contacts", ["true", "false"])
async def test_a_division_that_is_not_there_is_named_and_mended(
    office: Administrator, contacts: str
) -> None:
    """The platform refuses it; the right one then completes the set-up."""
    right = office.environ["GC_EC_DIVISION_ID"]
    office.environ |= {"GC_EC_DIVISION_ID": "wrong", "ENABLE_EXTERNAL_CONTACTS": contacts}

    assert await office.set_up() == 1
    assert "GC_EC_DIVISION_ID" in office.said[-1]

    office.environ["GC_EC_DIVISION_ID"] = right
    assert await office.set_up(yes=True) == 0, office.told
    assert office.things() == {**ONE_OF_EACH, "resolving": int(contacts == "true")}
