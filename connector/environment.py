"""Where settings come from: the environment, files that hold secrets, and a ``.env`` file.

The environment goes before the file, so a ``NAME_FILE`` there goes before a ``NAME`` in the file.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
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
    "otel_exporter_otlp_endpoint": "an address such as http://collector:4318",
    "admin_token": "a long random text, at least 16 characters: openssl rand -hex 16 makes one",
    "admin_port": "a number from 0 to 65535",
    "dashboard_show_text": "true or false",
    "port": "a number from 0 to 65535",
    "enable_external_contacts": "true or false",
}
_STAND_IN = "stand-in.example"

KNOWN_NAMES = tuple(
    sorted(
        name.upper()
        for name in (
            *(name for name in Settings.model_fields if name not in ACTOR_FIELDS),
            *(f"{name}_file" for name in SECRET_FIELDS),
            *(f"{name}_{knob}" for name in ACTOR_FIELDS for knob in ActorSettings.model_fields),
        )
    )
)
"""Every variable that is read."""
_WORDS = {
    "missing": "missing",
    "string_pattern_mismatch": "not of the right form",
    "string_too_short": "empty",
    "int_parsing": "not a whole number",
    "bool_parsing": "neither true nor false",
    "too_short": "too short",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
}


def load_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read the settings from an environment, and under it from a ``.env`` file if there is one.

    A secret can also come from the file that ``<NAME>_FILE`` names. White space around a value is
    dropped, and an empty variable counts as unset.

    Raises:
        SettingsError: with every problem, each by the variable's name, never with a secret. If the
            file cannot be used, that is the only one: the others may come of it.
    """
    problems: list[str] = []
    file = {} if env_file is None else _read_file(env_file, problems)
    if problems:
        raise SettingsError(problems)
    values = {**_read_source(file, problems), **_read_source(environ, problems)}
    problems += _check_redis(values)
    settings = _validate(_nest(values), problems)
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def read_variables(
    environ: Mapping[str, str], env_file: Path, problems: list[str]
) -> dict[str, str]:
    """Every variable that is set, by its name; what is wrong with a file is added to ``problems``.

    They come as :func:`load_settings` takes them, and are not looked at any closer.
    """
    file = _read_source(_read_file(env_file, problems), problems)
    values = {**file, **_read_source(environ, problems)}
    return {name.upper(): text for name, text in values.items()}


def find_problem(variable: str, value: str) -> str | None:
    """What is wrong with one variable by itself, named in a line; ``None`` if it is right."""
    fields = Settings.model_fields
    values = {name: _STAND_IN for name, field in fields.items() if field.is_required()}
    values.pop(variable.lower(), None)
    problems: list[str] = []
    _validate({**values, **({variable.lower(): value} if value else {})}, problems)
    return next((one for one in problems if one.startswith(f"{variable}: ")), None)


def read_names(environ: Mapping[str, str], env_file: Path) -> frozenset[str]:
    """Every name that something is set to, whether or not anything reads it."""
    return frozenset({*environ, *_read_file(env_file, [])})


def _read_file(env_file: Path, problems: list[str]) -> Mapping[str, str | None]:
    """What a file sets. One that is not there sets nothing."""
    if not env_file.exists():
        return {}
    if not env_file.is_file():
        problems.append(
            f"{env_file}: is not a file; a mount of a file that does not exist makes a folder"
        )
        return {}
    try:
        text = env_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file in UTF-8"
        problems.append(f"{env_file}: cannot be read: {reason}")
        return {}
    wrong = [one.original.line for one in parse_stream(io.StringIO(text)) if one.error]
    problems += [
        f"{env_file}, line {line}: not understood; expected NAME=value, or NAME='a value' "
        "where it has spaces, quotes or #"
        for line in wrong
    ]
    return {} if wrong else dotenv_values(stream=io.StringIO(text))


def _read_source(source: Mapping[str, str | None], problems: list[str]) -> dict[str, str]:
    """The variables that one source sets, by the names of fields."""
    given = {name.lower(): text.strip() for name, text in source.items() if text}
    given = {name: text for name, text in given.items() if text}
    if "log_level" in given:
        given["log_level"] = given["log_level"].lower()
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
        words = _WORDS.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")
        text = words.format(**problem.get("ctx", {})) if problem["type"] in _WORDS else words
        expected = _EXPECTED.get(name)
        lines.append(
            f"{name.upper()}: {text}; expected {expected}"
            if expected
            else f"{name.upper()}: {text}"
        )
    return lines
