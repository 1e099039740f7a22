"""Settings: every documented variable works, and every mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.translation.commands import EVERY_WORD
from connector.environment import SettingsError, load_settings
from connector.mistyped import find_mistyped
from connector.settings import ACTOR_FIELDS
from runtime.rate import Rate

REQUIRED = {
    "BLUESKY_HANDLE": "brand.example",
    "BLUESKY_APP_PASSWORD": "app-password",
    "GC_REGION": "mypurecloud.ie",
    "GC_CC_CLIENT_ID": "client",
    "GC_CC_CLIENT_SECRET": "client-secret",
    "GC_INTEGRATION_ID": "integration",
    "GC_WEBHOOK_SECRET": "webhook-secret",
    "GC_SOCIAL_TOPIC_ID": "topic",
    "GC_SOCIAL_RULE_ID": "rule",
}


def test_the_required_variables_suffice() -> None:
    """Nine variables make a running connector; everything else has its documented default."""
    settings = load_settings(REQUIRED)

    assert settings.gc_api_url == "https://api.mypurecloud.ie"
    assert settings.gc_login_url == "https://login.mypurecloud.ie"
    assert settings.bluesky_service_url == "https://bsky.social"
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert settings.polling_time_inbound_notifications == 60
    assert settings.polling_time_social_listening == 300
    assert settings.polling_time_dm == 120
    assert settings.start_lookback == 3600
    assert settings.reconcile_window == 3600
    assert (settings.follow_threads, settings.follow_threads_every) == (48 * 3600, 120)
    assert (settings.watch_deletes, settings.watch_deletes_every) == (24 * 3600, 300)
    assert (settings.thread_context, settings.reactions_every) == (3, 60)
    assert settings.bluesky_search_query == ()
    assert settings.enable_external_contacts is False
    assert settings.log_level == "info"
    assert settings.redis_url is None


@pytest.mark.parametrize("name", ["follow_threads", "reactions_every", "watch_deletes"])
def test_following_can_be_turned_off(name: str) -> None:
    """0 is no time at all."""
    assert getattr(load_settings({**REQUIRED, name.upper(): "0"}), name) == 0


def test_all_missing_variables_are_reported_together() -> None:
    """An administrator learns of all that is missing at once, by name."""
    with pytest.raises(SettingsError) as caught:
        load_settings({})

    assert [line.split(":")[0] for line in caught.value.problems] == list(REQUIRED)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BLUESKY_HANDLE", "joe", "mycompany.bsky.social"),
        ("GC_REGION", "https://mypurecloud.com", "mypurecloud.com"),
        ("BLUESKY_SERVICE_URL", "bsky.social", "https://bsky.social"),
        ("PORT", "http", "a number from 0 to 65535"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "http://collector:4318"),
        ("PORT", "70000", "a number from 0 to 65535"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warn' or 'error'"),
        ("START_LOOKBACK", "soon", "1h"),
        ("START_LOOKBACK", "31d", "more than 30d"),
        ("POLLING_TIME_DM", "0", "more than 0"),
        ("FOLLOW_THREADS", "8d", "more than 7d"),
        ("WATCH_DELETES", "-1", "expected a time"),
        ("FOLLOW_THREADS_EVERY", "0", "more than 0"),
        ("THREAD_CONTEXT", "81", "at most 80"),
        ("ENABLE_EXTERNAL_CONTACTS", "perhaps", "true or false"),
        ("LISTEN_LANGS", "en,English!", "en, de or pt-BR"),
        ("LISTEN_MIN_ACCOUNT_AGE", "young", "1h"),
        ("DM_REQUESTS", "maybe", "'accept' or 'ignore'"),
        ("AGENT_COMMANDS", "like,!dance", "'dance' is no command; expected all, none, or some of"),
        ("SPLIT_NUMBERING", "on", "'auto' or 'off'"),
        ("POST_LANGS", "en,english_us", "'english_us' is no language; expected tags such as"),
        ("POST_LANGS", "en,de,fr,it", "more than 3 languages"),
        ("RECONCILE_WINDOW", "2d", "at most 86400"),
        ("GENESYS_SENDER_RATE", "fast", "300/60s"),
        ("GENESYS_SENDER_CONCURRENCY", "0", "at least 1"),
        ("DEDUP_STORE_MAILBOX", "many", "not a whole number"),
    ],
)
def test_a_wrong_value_is_reported_by_name_with_what_is_expected(
    name: str, value: str, said: str
) -> None:
    """The line names the variable and what it must look like."""
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, name: value})

    (line,) = caught.value.problems
    assert line.startswith(f"{name}: ")
    assert said in line


def test_no_secret_appears_in_an_error_or_a_repr() -> None:
    """Secrets are never printed."""
    settings = load_settings(REQUIRED)
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, "PORT": "x", "GC_REGION": ""})

    for secret in ("app-password", "client-secret", "webhook-secret"):
        assert secret not in repr(settings)
        assert secret not in str(caught.value)


def test_contacts_need_their_source_and_division() -> None:
    """Both are reported, together with anything else that is wrong."""
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, "ENABLE_EXTERNAL_CONTACTS": "TRUE", "GC_REGION": ""})

    assert [line.split(":")[0] for line in caught.value.problems] == [
        "GC_REGION",
        "GC_EXTERNAL_SOURCE_ID",
        "GC_EC_DIVISION_ID",
    ]


@pytest.mark.parametrize("spelling", ["true", "TRUE", "1", "yes", "on", "y", "t"])
def test_contacts_never_go_without_their_ids(spelling: str) -> None:
    """However it is spelled, what counts as true asks for both."""
    with pytest.raises(SettingsError, match="GC_EC_DIVISION_ID: missing"):
        load_settings({**REQUIRED, "ENABLE_EXTERNAL_CONTACTS": spelling})


def test_what_must_hold_between_variables_is_checked_in_any_case() -> None:
    """A missing variable hides nothing that is wrong elsewhere."""
    environ = {
        **REQUIRED,
        "BLUESKY_HANDLE": "",
        "STOP_WITHIN_S": "30",
        "GRACE_S": "20",
        "RESTART_PERIOD_S": "10",
        "REDIS_URL": "ftp://somewhere",
        "GENESYS_SENDER_RATE": "fast",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)

    assert {line.split(":")[0] for line in caught.value.problems} == {
        "BLUESKY_HANDLE",
        "GENESYS_SENDER_RATE",
        "RESTART_PERIOD_S",
        "STOP_WITHIN_S",
        "REDIS_URL",
    }


def test_a_token_without_an_address_is_reported() -> None:
    """It would be ignored otherwise, and the embedded store used."""
    with pytest.raises(SettingsError, match="REDIS_TOKEN: is set without REDIS_URL"):
        load_settings({**REQUIRED, "REDIS_TOKEN": "token"})


def test_white_space_around_a_value_is_dropped() -> None:
    """A file of variables for a container keeps blanks at the end of a line."""
    assert load_settings({**REQUIRED, "GC_INTEGRATION_ID": "abc "}).gc_integration_id == "abc"
    with pytest.raises(SettingsError, match="GC_INTEGRATION_ID: not of the right form"):
        load_settings({**REQUIRED, "GC_INTEGRATION_ID": "a b"})


def test_a_secret_file_of_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    """The environment goes first, in whichever way it gives the secret."""
    (tmp_path / ".env").write_text("BLUESKY_APP_PASSWORD=old\n")
    (tmp_path / "password").write_text("new")
    environ = {**REQUIRED, "BLUESKY_APP_PASSWORD_FILE": str(tmp_path / "password")}
    del environ["BLUESKY_APP_PASSWORD"]

    settings = load_settings(environ, tmp_path / ".env")

    assert settings.bluesky_app_password.get_secret_value() == "new"


def test_an_empty_secret_file_is_reported_once(tmp_path: Path) -> None:
    """With the file's name, and not as a missing variable too."""
    (tmp_path / "password").write_text("\n")
    environ = {**REQUIRED, "BLUESKY_APP_PASSWORD_FILE": str(tmp_path / "password")}
    del environ["BLUESKY_APP_PASSWORD"]

    with pytest.raises(SettingsError) as caught:
        load_settings(environ)

    (line,) = caught.value.problems
    assert line.startswith("BLUESKY_APP_PASSWORD_FILE: ")
    assert line.endswith("is empty")


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    """NAME_FILE names a file that holds the secret, with or without a final newline."""
    (tmp_path / "password").write_text("from-a-file\n")
    environ = {**REQUIRED, "BLUESKY_APP_PASSWORD_FILE": str(tmp_path / "password")}
    del environ["BLUESKY_APP_PASSWORD"]

    assert load_settings(environ).bluesky_app_password.get_secret_value() == "from-a-file"


def test_a_secret_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """The reason is given, and the variable is not merely called missing."""
    environ = {**REQUIRED, "GC_WEBHOOK_SECRET_FILE": str(tmp_path / "nothing")}
    del environ["GC_WEBHOOK_SECRET"]

    with pytest.raises(SettingsError, match=r"GC_WEBHOOK_SECRET_FILE: cannot read .*: No such"):
        load_settings(environ)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", ".env: cannot be read: not a text file in UTF-8"),
        (b"PORT=1\nthis is 'no line\n", ".env, line 2: not understood; expected NAME=value"),
        (None, ".env: is not a file"),
    ],
)
def test_an_env_file_that_cannot_be_used_is_the_only_problem(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    """Nine missing variables would hide why they are missing."""
    place = tmp_path / ".env"
    if content is None:
        place.mkdir()
    else:
        place.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, place)
    (problem,) = caught.value.problems
    assert said in problem


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BLUESKY_SEARCH_QUERIES", "BLUESKY_SEARCH_QUERY"),
        ("GC_CLIENT_ID", "GC_CC_CLIENT_ID"),
        ("BLUESKY_PASSWORD", "BLUESKY_APP_PASSWORD"),
        ("POLLING_TIME_DMS", "POLLING_TIME_DM"),
        ("GC_WEBHOOK_SECRETS", "GC_WEBHOOK_SECRET"),
        ("dm_poler_rate", "DM_POLLER_RATE"),
    ],
)
def test_a_mistyped_name_is_told(name: str, meant: str) -> None:
    """What nothing reads, and what was probably meant."""
    (line,) = find_mistyped([name])
    assert line == f"{name}: nothing reads this variable; is {meant} meant?"


def test_names_that_are_right_or_of_others_are_not_told() -> None:
    """Neither ours, nor what a shell, Kubernetes or Compose set beside them."""
    ours = [*REQUIRED, "GC_WEBHOOK_SECRET_FILE", "dm_poller_rate", "Port"]
    others = ["PATH", "HOSTNAME", "HOME", "LANG", "PUBLIC_URL", "COMPOSE_PROJECT_NAME", "PWD", "TZ"]
    kubernetes = [
        f"{service}_{what}"
        for service in ("BLUESKY_GENESYS", "REDIS")
        for what in ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_8080_TCP_ADDR")
    ]
    assert find_mistyped([*ours, *others, *kubernetes]) == []


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    """A .env file fills in what the environment leaves out; an empty variable is unset."""
    (tmp_path / ".env").write_text('PORT=9000\nSTART_LOOKBACK=2d\nBLUESKY_SEARCH_QUERY="a b;c"\n')
    settings = load_settings({**REQUIRED, "PORT": "9001", "START_LOOKBACK": ""}, tmp_path / ".env")

    assert settings.port == 9001
    assert settings.start_lookback == 2 * 86400
    assert settings.bluesky_search_query == ("a b", "c")


def test_looking_for_missed_answers_can_be_turned_off() -> None:
    """0 is a time like any other, and a day the longest."""
    assert load_settings({**REQUIRED, "RECONCILE_WINDOW": "0"}).reconcile_window == 0
    assert load_settings({**REQUIRED, "RECONCILE_WINDOW": "1d"}).reconcile_window == 86400


def test_lists_are_parted_by_commas_or_newlines() -> None:
    """White space around an entry is dropped, and an empty one is none."""
    listed = {"LISTEN_LANGS": "en, pt-BR,", "LISTEN_EXCLUDE": "air drop\n@a.test , did:plc:b"}
    settings = load_settings({**REQUIRED, **listed, "LISTEN_MIN_ACCOUNT_AGE": "7d"})

    assert settings.listen_langs == ("en", "pt-BR")
    assert settings.listen_exclude == ("air drop", "@a.test", "did:plc:b")
    assert settings.listen_skip_labels == ()
    assert settings.listen_min_account_age == 7 * 86400


def test_every_actor_has_its_three_knobs() -> None:
    """Concurrency, rate and mailbox can each be set alone, for all eight."""
    assert len(ACTOR_FIELDS) == 8
    for name in ACTOR_FIELDS:
        environ = {
            **REQUIRED,
            f"{name.upper()}_CONCURRENCY": "7",
            f"{name.upper()}_RATE": "5/10s",
            f"{name.upper()}_MAILBOX": "99",
        }
        knobs = getattr(load_settings(environ), name)
        assert (knobs.concurrency, knobs.rate, knobs.mailbox) == (7, Rate(5, 10), 99)


def test_the_default_rates_keep_within_what_the_platforms_allow() -> None:
    """Bluesky allows 3000 requests in 5 minutes, Genesys Cloud 300 in one."""
    settings = load_settings(REQUIRED)

    def per_minute(*names: str) -> float:
        rates = [getattr(settings, name).rate for name in names]
        return float(sum(rate.count / rate.per_s * 60 for rate in rates))

    bluesky = ("notification_poller", "search_poller", "dm_poller", "bluesky_sender")
    assert per_minute(*bluesky) <= 3000 / 5
    assert per_minute("genesys_sender", "contact_resolver") <= 300


def test_a_handle_may_be_written_with_an_at_sign() -> None:
    """createSession refuses @handle, people write it all the same."""
    assert load_settings({**REQUIRED, "BLUESKY_HANDLE": "@Brand.Example"}).bluesky_handle == (
        "brand.example"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("all", EVERY_WORD),
        ("None", frozenset()),
        ("like, !Repost;delete", frozenset({"like", "repost", "delete"})),
    ],
)
def test_the_commands_of_agents_are_all_none_or_a_list(written: str, meant: frozenset[str]) -> None:
    """In any case, with or without their mark."""
    assert load_settings({**REQUIRED, "AGENT_COMMANDS": written}).agent_commands == meant


def test_the_languages_of_posts_are_a_list() -> None:
    """In the order that is given."""
    assert load_settings({**REQUIRED, "POST_LANGS": "de-CH, en"}).post_langs == ("de-CH", "en")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PORT", "99999", "PORT: must be at most 65535; expected a number from 0 to 65535"),
        ("POLLING_TIME_DM", "0", "POLLING_TIME_DM: must be more than 0"),
        ("RECONCILE_WINDOW", "2d", "RECONCILE_WINDOW: must be at most 86400"),
        ("GENESYS_SENDER_CONCURRENCY", "0", "GENESYS_SENDER_CONCURRENCY: must be at least 1"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: must be 'debug', 'info', 'warn' or 'error'"),
        ("LINK_CARDS", "true", "LINK_CARDS: must be 'on' or 'off'"),
        ("BACKOFF_MIN_S", "100", "BACKOFF_MIN_S: must not be more than BACKOFF_MAX_S"),
    ],
)
def test_a_mistake_is_said_in_plain_words(name: str, text: str, said: str) -> None:
    """The variable that is wrong, and what it may be."""
    with pytest.raises(SettingsError) as raised:
        load_settings({**REQUIRED, name: text})
    assert raised.value.problems == [said]


def test_what_is_meant_is_understood_however_it_is_written() -> None:
    """Capitals make no difference where there is nothing to confuse."""
    settings = load_settings({**REQUIRED, "LOG_LEVEL": "INFO", "GC_REGION": "MyPureCloud.ie"})
    assert settings.log_level == "info"
    assert settings.gc_api_url == "https://api.mypurecloud.ie"


def test_a_file_of_settings_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Not a traceback: one that is no text."""
    place = tmp_path / ".env"
    place.write_bytes(b"\xff\xfe=1\n")
    with pytest.raises(SettingsError, match="not a text file in UTF-8"):
        load_settings(REQUIRED, place)


def test_a_state_key_that_is_none_is_told_without_being_repeated() -> None:
    """The line names the variable and how to make a key, and gives nothing away."""
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, "STATE_KEY": "hunter2, the secret"})
    (problem,) = caught.value.problems
    assert problem.startswith("STATE_KEY: number 1 is no base64; ")
    assert "hunter2" not in problem
