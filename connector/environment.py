"""Where settings come from: the environment, files that hold secrets, and a ``.env`` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from actors.dedup_store import parse_address
from connector.settings import ACTOR_FIELDS, SECRET_FIELDS, ActorSettings, Settings


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
    "gc_integration_id": "the id of the Open Messaging integration",
    "gc_webhook_secret": "the integration's Outbound Webhook Signature Secret Token",
    "gc_social_topic_id": "the id of the social listening topic",
    "gc_social_rule_id": "the id of the topic's open data ingestion rule",
    "gc_api_url": "an address such as https://api.mypurecloud.com",
    "gc_login_url": "an address such as https://login.mypurecloud.com",
    "bluesky_service_url": "an address such as https://bsky.social",
    "port": "a number from 0 to 65535",
    "enable_external_contacts": "true or false",
}
_WORDS = {
    "missing": "missing",
    "string_pattern_mismatch": "not of the right form",
    "int_parsing": "not a whole number",
    "bool_parsing": "neither true nor false",
}


def load_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read the settings from an environment, and under it from a ``.env`` file if there is one.

    A secret can also come from the file that ``<NAME>_FILE`` names. An empty variable counts as
    unset.

    Raises:
        SettingsError: with every problem, each by the variable's name, never with a secret.
    """
    from_file = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    merged = {
        name: text for source in (from_file, environ) for name, text in source.items() if text
    }
    problems: list[str] = []
    values = _collect(merged, problems)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += _explain(error)
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _collect(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        if name in ACTOR_FIELDS:
            given = {
                knob: environ[f"{name}_{knob}".upper()]
                for knob in ActorSettings.model_fields
                if f"{name}_{knob}".upper() in environ
            }
            values[name] = {**dict(field.default), **given}
        elif name.upper() in environ:
            values[name] = environ[name.upper()]
        elif name in SECRET_FIELDS and f"{name.upper()}_FILE" in environ:
            try:
                values[name] = Path(environ[f"{name.upper()}_FILE"]).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not a text file"
                problems.append(f"{name.upper()}_FILE: cannot read it: {reason}")
    problems += _check_redis(values)
    if str(values.get("enable_external_contacts", "")).lower() in {"true", "1", "yes", "on"}:
        problems += [
            f"{name.upper()}: missing; required when ENABLE_EXTERNAL_CONTACTS is true"
            for name in ("gc_external_source_id", "gc_ec_division_id")
            if name not in values
        ]
    return values


def _check_redis(values: Mapping[str, Any]) -> list[str]:
    if "redis_url" not in values:
        return []
    try:
        parse_address(values["redis_url"], values.get("redis_token"))
    except ValueError as error:
        return [f"REDIS_URL: {str(error).removeprefix('REDIS_URL').lstrip(': ')}"]
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
