"""Where settings come from: the environment, files that hold secrets, and a ``.env`` file.

The environment goes before the file, so a ``NAME_FILE`` there goes before a ``NAME`` in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from connector.settings import ACTOR_FIELDS, SECRET_FIELDS, ActorSettings, Settings
from connector.storage import find_address


class SettingsError(Exception):
    """One or more variables are missing or wrong; ``problems`` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


_EXPECTED = {
    "bluesky_handle": "the account's handle, for example mycompany.bsky.social",
    "bluesky_app_password": "an app password that may read direct messages",
    "gc_region": "the region's domain, for example mypurecloud.com",
    "gc_cc_client_id": "the id of the OAuth client",
    "gc_cc_client_secret": "the secret of the OAuth client",
    "gc_integration_id": "the id of the Open Messaging integration, letters, digits and dashes",
    "gc_webhook_secret": "the integration's Outbound Webhook Signature Secret Token",
    "gc_social_topic_id": "the id of the social listening topic",
    "gc_social_rule_id": "the id of the topic's open data ingestion rule",
    "gc_api_url": "an address such as https://api.mypurecloud.com",
    "gc_login_url": "an address such as https://login.mypurecloud.com",
    "jetstream_url": "an address such as wss://jetstream.us-west.bsky.network/subscribe",
    "bluesky_service_url": "an address such as https://bsky.social",
    "port": "a number from 0 to 65535",
    "enable_external_contacts": "true or false",
}
_STAND_IN = "stand-in.example"
_WORDS = {
    "missing": "missing",
    "string_pattern_mismatch": "not of the right form",
    "int_parsing": "not a whole number",
    "bool_parsing": "neither true nor false",
}


def load_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read the settings from an environment, and under it from a ``.env`` file if there is one.

    A secret can also come from the file that ``<NAME>_FILE`` names. White space around a value is
    dropped, and an empty variable counts as unset.

    Raises:
        SettingsError: with every problem, each by the variable's name, never with a secret.
    """
    problems: list[str] = []
    values = _read_source(environ, problems)
    if env_file is not None and env_file.is_file():
        values = {**_read_source(dotenv_values(env_file), problems), **values}
    problems += _check_redis(values)
    settings = _validate(_nest(values), problems)
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def _read_source(source: Mapping[str, str | None], problems: list[str]) -> dict[str, str]:
    """The variables that one source sets, by the names of fields."""
    given = {name.lower(): text.strip() for name, text in source.items() if text}
    given = {name: text for name, text in given.items() if text}
    for name in SECRET_FIELDS:
        place = given.get(f"{name}_file")
        if place is not None and name not in given:
            given[name] = _read_secret(name, Path(place), problems)
    return given


def _read_secret(name: str, place: Path, problems: list[str]) -> str:
    try:
        text = place.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        problems.append(f"{name.upper()}_FILE: cannot read {place}: {reason}")
        return _STAND_IN
    if not text:
        problems.append(f"{name.upper()}_FILE: {place} is empty")
        return _STAND_IN
    return text


def _nest(given: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: given[name] for name in Settings.model_fields if name in given}
    for name in ACTOR_FIELDS:
        knobs = {knob: f"{name}_{knob}" for knob in ActorSettings.model_fields}
        set_knobs = {knob: given[full] for knob, full in knobs.items() if full in given}
        values[name] = {**dict(Settings.model_fields[name].default), **set_knobs}
    return values


def _validate(values: dict[str, Any], problems: list[str]) -> Settings | None:
    """The settings, or ``None`` after adding what is wrong to ``problems``.

    What must hold between variables is checked among those that are right by themselves.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems += _explain(error)
        wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        if wrong:
            sound = {name: value for name, value in values.items() if name not in wrong}
            fields = Settings.model_fields
            _validate(
                {**{one: _STAND_IN for one in wrong if fields[one].is_required()}, **sound},
                problems,
            )
        return None


def _check_redis(given: Mapping[str, str]) -> list[str]:
    try:
        find_address(given.get("redis_url"), given.get("redis_token"))
    except ValueError as error:
        text = str(error)
        named = text.startswith(("REDIS_URL: ", "REDIS_TOKEN: "))
        return [text if named else f"REDIS_URL: {text.removeprefix('REDIS_URL ')}"]
    return []


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"])
        if not name:
            lines += str(problem["msg"]).removeprefix("Value error, ").splitlines()
            continue
        text = _WORDS.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")
        expected = _EXPECTED.get(name)
        lines.append(
            f"{name.upper()}: {text}; expected {expected}"
            if expected
            else f"{name.upper()}: {text}"
        )
    return lines
