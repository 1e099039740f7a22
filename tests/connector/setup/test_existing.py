"""What exists is found, adopted, and overwritten only if somebody agrees."""

from __future__ import annotations

from sandbox.genesys.wire import Json
from tests.connector.setup.administrator import (
    NOTHING,
    ONE_OF_EACH,
    WEBHOOK_URL,
    Administrator,
)

IDS = ("GC_INTEGRATION_ID", "GC_SOCIAL_TOPIC_ID", "GC_SOCIAL_RULE_ID", "GC_EXTERNAL_SOURCE_ID")
OTHER_URL = "https://other.example/webhook"
NAME = "GC_WEBHOOK_SECRET"
OWN_SECRET = "a secret of the administrator's own"


async def test_what_env_names_is_adopted(office: Administrator) -> None:
    """Things of any name, as somebody made them by hand; nothing is made beside them."""
    await office.set_up()
    setup = office.world.genesys.setup
    for integration in setup.integrations.values():
        integration.name = "By hand"
    for topic in setup.topics.values():
        topic.name = "By hand"
    made = len(office.changes())

    assert await office.set_up() == 0, office.told
    assert len(office.changes()) == made
    assert office.told.count("“By hand”") == 3  # The integration's identity resolution, too.


async def test_without_env_things_are_found_by_their_names(office: Administrator) -> None:
    """A lost .env is written anew, with the ids and the secret of what is there."""
    await office.set_up()
    before = office.env
    office.env_path.unlink()

    assert await office.set_up() == 0, office.told
    assert office.env == before
    assert office.things() == ONE_OF_EACH


async def test_two_of_the_same_name_are_for_a_person_to_choose(office: Administrator) -> None:
    """It does not guess, says where to put the id, and makes no third one."""
    setup = office.world.genesys.setup
    name = f"Bluesky {office.world.brand.handle}"
    for _ in range(2):
        setup.add_integration(name, OTHER_URL, OWN_SECRET, {})

    status = await office.set_up()

    assert status == 1
    assert "GC_INTEGRATION_ID" in office.told
    assert len(setup.integrations) == 2
    assert "GC_INTEGRATION_ID" not in office.env


async def test_an_id_that_names_nothing_any_more_is_not_replaced_silently(
    office: Administrator,
) -> None:
    """Without agreement nothing is made; with it, a new thing is, and its id written."""
    await office.set_up()
    office.world.genesys.setup.topics.clear()
    before, made = office.env_path.read_bytes(), len(office.changes())

    assert await office.set_up() == 2
    assert "GC_SOCIAL_TOPIC_ID, GC_SOCIAL_RULE_ID" in office.told
    assert (office.env_path.read_bytes(), len(office.changes())) == (before, made)

    assert await office.set_up(yes=True) == 0, office.told
    assert office.env["GC_SOCIAL_TOPIC_ID"] in office.world.genesys.setup.topics


async def test_the_environment_goes_before_env_and_is_not_written_over(
    office: Administrator,
) -> None:
    """An id there that names nothing would go on to count: it says so, and does nothing."""
    office.environ["GC_INTEGRATION_ID"] = "gone"

    assert await office.set_up(yes=True) == 2
    assert "GC_INTEGRATION_ID: the environment says otherwise" in office.told
    assert office.things() == NOTHING


async def test_another_webhook_address_is_changed_only_if_agreed(office: Administrator) -> None:
    """Not agreed, it is left and said; agreed by --yes or on the terminal, it is changed."""
    await office.set_up()
    (integration,) = office.world.genesys.setup.integrations.values()
    integration.webhook_url = OTHER_URL

    assert await office.set_up() == 0, office.told
    assert integration.webhook_url == OTHER_URL
    assert f"It still sends agents' messages to {OTHER_URL}." in office.told

    office.agrees = False
    await office.set_up()
    assert integration.webhook_url == OTHER_URL

    office.agrees = True
    assert await office.set_up() == 0, office.told
    assert integration.webhook_url == WEBHOOK_URL
    assert len(office.asked) == 1


async def test_identities_that_are_resolved_otherwise_are_left_unless_agreed(
    office: Administrator,
) -> None:
    """Somebody chose that: it is not overwritten without --yes."""
    await office.set_up()
    (integration,) = office.world.genesys.setup.integrations.values()
    theirs: Json = {"resolveIdentities": True, "division": {"id": office.world.genesys.division_id}}
    integration.identity_resolution = theirs

    await office.set_up()
    assert integration.identity_resolution == theirs

    assert await office.set_up(yes=True) == 0, office.told
    assert integration.identity_resolution["externalSource"]["id"] == office.env[IDS[3]]


async def test_a_secret_that_is_shown_is_taken_over(office: Administrator) -> None:
    """An integration made by hand keeps the secret that it has."""
    setup = office.world.genesys.setup
    made = setup.add_integration("By hand", WEBHOOK_URL, OWN_SECRET, {})
    office.env_path.write_text(f"GC_INTEGRATION_ID={made.integration_id}\n")

    assert await office.set_up() == 0, office.told
    assert office.env["GC_WEBHOOK_SECRET"] == OWN_SECRET
    assert made.webhook_secret == OWN_SECRET


async def test_a_secret_that_is_neither_shown_nor_known_is_set_anew_only_if_agreed(
    office: Administrator,
) -> None:
    """It says what that means. Agreed, both sides have the same new one."""
    setup = office.world.genesys.setup
    setup.shows_secrets = False
    made = setup.add_integration("By hand", WEBHOOK_URL, OWN_SECRET, {})
    office.env_path.write_text(f"GC_INTEGRATION_ID={made.integration_id}\n")

    assert await office.set_up() == 2
    assert "GC_WEBHOOK_SECRET" in office.told
    assert office.changes() == []

    office.agrees = True
    assert await office.set_up() == 0, office.told
    assert "a connector without it refuses them all" in office.asked[0]
    assert office.env["GC_WEBHOOK_SECRET"] == made.webhook_secret != OWN_SECRET


async def test_of_two_secrets_either_may_be_the_integrations(office: Administrator) -> None:
    """While one replaces the other both stay in ``.env``, and nothing is changed."""
    await office.set_up()
    (integration,) = office.world.genesys.setup.integrations.values()
    changes = len(office.changes())
    theirs = integration.webhook_secret
    for both in (f"{OWN_SECRET},{theirs}", f"{theirs},{OWN_SECRET}"):
        office.env_path.write_text(
            "".join(f"{name}={text}\n" for name, text in {**office.env, NAME: both}.items())
        )
        assert await office.set_up() == 0, office.told
        assert office.env[NAME] == both
    assert len(office.changes()) == changes


async def test_of_two_secrets_a_new_integration_gets_the_first(office: Administrator) -> None:
    """Genesys Cloud signs with one, so it must not take both for one long one."""
    office.env_path.write_text(f"{NAME}={OWN_SECRET}, another-one-of-two\n")

    assert await office.set_up() == 0, office.told
    (integration,) = office.world.genesys.setup.integrations.values()
    assert integration.webhook_secret == OWN_SECRET
    assert office.env[NAME] == f"{OWN_SECRET}, another-one-of-two"


async def test_a_secret_that_is_not_shown_but_known_is_left(office: Administrator) -> None:
    """It cannot be compared, which is said; nothing is changed."""
    office.world.genesys.setup.shows_secrets = False
    await office.set_up()
    before, made = office.env_path.read_bytes(), len(office.changes())

    assert await office.set_up() == 0, office.told
    assert "not compared" in office.told
    assert (office.env_path.read_bytes(), len(office.changes())) == (before, made)


async def test_answers_that_env_has_otherwise_are_overwritten_only_if_agreed(
    office: Administrator,
) -> None:
    """An option against .env is asked about, or needs --yes; everything else in it stays."""
    office.env_path.write_text(
        "# ours\nBLUESKY_HANDLE=old.example # the first one\nLOG_LEVEL=warn\n"
    )
    del office.environ["BLUESKY_HANDLE"]
    office.options = {"BLUESKY_HANDLE": office.world.brand.handle}

    assert await office.set_up() == 2
    assert "BLUESKY_HANDLE" in office.told
    assert office.things() == NOTHING

    assert await office.set_up(yes=True) == 0, office.told
    text = office.env_path.read_text()
    handle = office.world.brand.handle
    assert text.startswith(f"# ours\nBLUESKY_HANDLE={handle} # the first one\nLOG_LEVEL=warn\n")


async def test_a_secret_in_a_file_of_its_own_stays_there(office: Administrator) -> None:
    """It is read, and not copied into .env."""
    secret = office.env_path.with_name("secret")
    secret.write_text(office.environ.pop("GC_CC_CLIENT_SECRET"))
    office.environ["GC_CC_CLIENT_SECRET_FILE"] = str(secret)

    assert await office.set_up() == 0, office.told
    assert "GC_CC_CLIENT_SECRET" not in office.env


async def test_what_is_paused_or_inactive_is_said(office: Administrator) -> None:
    """It is not changed: somebody may have wanted it so."""
    await office.set_up()
    (source,) = office.world.genesys.setup.sources.values()
    source.active = False

    await office.set_up()

    assert "It is inactive" in office.told


async def test_a_dry_run_says_what_would_be_asked(office: Administrator) -> None:
    """And changes nothing, also where a real run would overwrite."""
    await office.set_up()
    (integration,) = office.world.genesys.setup.integrations.values()
    integration.webhook_url = OTHER_URL
    made = len(office.changes())

    await office.set_up(dry_run=True)

    assert "It would be asked first" in office.told
    assert (integration.webhook_url, len(office.changes())) == (OTHER_URL, made)


async def test_a_thing_is_found_however_many_there_are(office: Administrator) -> None:
    """Lists come in pages; what stands on a later one is not made again."""
    setup = office.world.genesys.setup
    for number in range(120):
        setup.add_source(f"Bluesky {number}")
        setup.add_integration(f"Other {number}", OTHER_URL, OWN_SECRET, {})
        setup.add_topic(f"Other {number}", "", office.world.genesys.division_id)
    await office.set_up()
    before = (office.things(), office.env)
    office.env_path.unlink()

    assert await office.set_up() == 0, office.told
    assert (office.things(), office.env) == before
