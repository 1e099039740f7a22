"""Settings: every variable, its default and what it must look like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    model_validator,
)

from actors.store import POSTS_KEEP_S, SEEN_KEEP_S
from actors.translation.commands import EVERY_WORD
from actors.web import is_plain
from runtime.backoff import RestartPolicy
from runtime.networks import Networks, parse_networks
from runtime.rate import Rate

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
MOST_LANGUAGES = 3
SHORTEST_OF_TWO = 8
"""Half of a secret that has a comma in it would else be a secret that is easy to guess."""
_UNIT_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _parse_duration(value: object) -> float:
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("expected a time such as 90, 30s, 15m, 1h or 2d")
    return float(match[1]) * _UNIT_S[match[2]]


def _check_look_back(seconds: float) -> float:
    if seconds > SEEN_KEEP_S:
        raise ValueError(
            f"more than {SEEN_KEEP_S / _UNIT_S['d']:g}d; what was taken in longer ago than that "
            "is not remembered, and would be taken in again"
        )
    return seconds


def _check_attention(seconds: float) -> float:
    if seconds > POSTS_KEEP_S:
        raise ValueError(
            f"more than {POSTS_KEEP_S / _UNIT_S['d']:g}d; which posts are concerned is not "
            "remembered for longer"
        )
    return seconds


def _parse_rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(str(value))


def _parse_queries(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(query.strip() for query in re.split(r"[\n;]", value) if query.strip())


def _parse_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(entry.strip() for entry in re.split(r"[\n,]", value) if entry.strip())


def _check_langs(langs: tuple[str, ...]) -> tuple[str, ...]:
    for lang in langs:
        if not _LANGUAGE.fullmatch(lang):
            raise ValueError(f"{lang!r} is no language; expected such as en, de or pt-BR")
    return langs


def _parse_commands(value: object) -> object:
    """``all``, ``none``, or words with or without their ``!``."""
    if not isinstance(value, str):
        return value
    words = frozenset(word.removeprefix("!") for word in _words(value.lower()))
    if words in ({"all"}, {"none"}):
        return EVERY_WORD if "all" in words else frozenset()
    if unknown := sorted(words - EVERY_WORD):
        raise ValueError(
            f"{unknown[0]!r} is no command; expected all, none, or some of "
            f"{', '.join(sorted(EVERY_WORD))}"
        )
    return words


def _parse_languages(value: object) -> object:
    """Language tags of BCP 47; a post names three at most (``app.bsky.feed.post``: ``langs``)."""
    if not isinstance(value, str):
        return value
    tags = tuple(_words(value))
    if wrong := [tag for tag in tags if not _LANGUAGE.fullmatch(tag)]:
        raise ValueError(f"{wrong[0]!r} is no language; expected tags such as en or de-CH")
    if len(tags) > MOST_LANGUAGES:
        raise ValueError(f"more than {MOST_LANGUAGES} languages; a post names no more")
    return tags


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]


def _check_secrets(secret: SecretStr) -> SecretStr:
    """One webhook secret, or two with a comma between them while one replaces the other."""
    parts = split_secrets(secret.get_secret_value())
    if len(parts) == 1:
        return secret
    if len(parts) > 2 or any(len(part) < SHORTEST_OF_TWO for part in parts):
        raise ValueError(
            f"a comma parts two secrets, of {SHORTEST_OF_TWO} characters or more each; one that "
            "has a comma in it cannot be used: make another one in Genesys Cloud"
        )
    return secret


def split_secrets(text: str) -> tuple[str, ...]:
    """The secrets that are parted by commas."""
    return tuple(part.strip() for part in text.split(","))


def _parse_networks(value: object) -> object:
    return parse_networks(value) if isinstance(value, str) else value


def _check_address(address: str) -> str:
    """A bare https address, or one without TLS of this very machine."""
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("it has a user, a query or a fragment; expected a plain https:// address")
    return address


def _parse_handle(value: object) -> object:
    return value.strip().removeprefix("@").lower() if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_parse_duration), Field(gt=0)]
Window = Annotated[float, BeforeValidator(_parse_duration), Field(ge=0, le=86400)]
ShortWindow = Annotated[float, BeforeValidator(_parse_duration), Field(ge=0, le=30)]
LookBack = Annotated[
    float, BeforeValidator(_parse_duration), Field(ge=0), AfterValidator(_check_look_back)
]
Listed = Annotated[tuple[str, ...], BeforeValidator(_parse_list)]
Attention = Annotated[
    float, BeforeValidator(_parse_duration), Field(ge=0), AfterValidator(_check_attention)
]
Limit = Annotated[Rate, PlainValidator(_parse_rate)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/.*)?$"), AfterValidator(_check_address)]
AllowedNetworks = Annotated[Networks, BeforeValidator(_parse_networks)]
Host = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Handle = Annotated[
    str, BeforeValidator(_parse_handle), Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=10_000)]


class ActorSettings(BaseModel):
    """``<ACTOR>_CONCURRENCY``, ``<ACTOR>_RATE`` and ``<ACTOR>_MAILBOX``."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    concurrency: Count
    rate: Limit
    mailbox: Count


def _actor(concurrency: int, rate: str, mailbox: int = 64) -> ActorSettings:
    return ActorSettings(concurrency=concurrency, rate=Rate.parse(rate), mailbox=mailbox)


class Settings(BaseModel):
    """Everything that can be set. A field is the variable of the same name in capitals.

    The default budgets are what the platforms publish: Bluesky allows 3000 requests in 5 minutes,
    Genesys Cloud 300 in one. The default rates of the actors that share a platform add up to less.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    bluesky_handle: Handle
    bluesky_app_password: SecretStr = Field(min_length=1)
    bluesky_service_url: Address = "https://bsky.social"
    bluesky_search_query: Annotated[tuple[str, ...], BeforeValidator(_parse_queries)] = ()
    listen_langs: Annotated[Listed, AfterValidator(_check_langs)] = ()
    listen_exclude: Listed = ()
    listen_min_account_age: Annotated[float, BeforeValidator(_parse_duration), Field(ge=0)] = 0.0
    listen_skip_labels: Listed = ()
    dm_requests: Literal["accept", "ignore"] = "accept"
    agent_commands: Annotated[frozenset[str], BeforeValidator(_parse_commands)] = EVERY_WORD
    split_numbering: Literal["auto", "off"] = "auto"
    post_langs: Annotated[tuple[str, ...], BeforeValidator(_parse_languages)] = ()
    link_cards: Literal["on", "off"] = "on"
    attachment_window: ShortWindow = 3.0
    dm_attachments: Literal["refuse", "link"] = "refuse"
    fetch_allow_private: bool = False

    gc_region: Host
    gc_cc_client_id: Text
    gc_cc_client_secret: SecretStr = Field(min_length=1)
    gc_integration_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    gc_webhook_secret: Annotated[SecretStr, AfterValidator(_check_secrets)] = Field(
        min_length=1,
        description="The integration's secret; two with a comma between them while one replaces "
        "the other.",
    )
    gc_social_topic_id: Text
    gc_social_rule_id: Text
    gc_api_url: Address = ""
    gc_login_url: Address = ""
    enable_external_contacts: bool = False
    gc_external_source_id: str = ""
    gc_ec_division_id: str = ""

    redis_url: SecretStr | None = None
    redis_token: SecretStr | None = None
    state_dir: Path = Path("./state")

    host: Text = "0.0.0.0"  # noqa: S104 (a container serves whoever can reach it)
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    webhook_allow: AllowedNetworks = Field(
        default=(), description="Networks that webhooks may come from; empty: all."
    )
    trusted_proxies: AllowedNetworks = Field(
        default=(), description="Networks of proxies whose X-Forwarded-For is believed."
    )
    allow_plain_http: bool = Field(
        default=False,
        description="For tests: the two platforms may be reached without TLS on other machines.",
    )
    log_level: Literal["debug", "info", "warn", "error"] = "info"

    polling_time_inbound_notifications: Seconds = 60.0
    polling_time_social_listening: Seconds = 300.0
    polling_time_dm: Seconds = 120.0
    start_lookback: LookBack = 3600.0
    deep_sweep: Seconds = 3600.0
    thread_context: Annotated[int, Field(ge=0, le=80)] = 3
    follow_threads: Attention = 48 * 3600.0
    follow_threads_every: Seconds = 120.0
    reactions_every: Attention = 60.0
    watch_deletes: Attention = 24 * 3600.0
    watch_deletes_every: Seconds = 300.0
    outbound_give_up_after: Seconds = 900.0
    inbound_keep: Seconds = 7 * 86400.0
    reconcile_window: Window = 3600.0
    webhook_max_bytes: Annotated[int, Field(ge=1024)] = 1_048_576

    bluesky_budget: Limit = Rate(3000, 300)
    genesys_budget: Limit = Rate(300, 60)

    restart_intensity: Count = 5
    restart_period_s: Seconds = 300.0
    backoff_min_s: Seconds = 1.0
    backoff_max_s: Seconds = 60.0
    stop_within_s: Seconds = 5.0
    grace_s: Seconds = 20.0
    request_deadline_s: Seconds = 30.0
    store_deadline_s: Seconds = 5.0

    notification_poller: ActorSettings = _actor(2, "180/60s", 500)
    search_poller: ActorSettings = _actor(1, "60/60s", 500)
    dm_poller: ActorSettings = _actor(2, "120/60s", 500)
    webhook_receiver: ActorSettings = _actor(8, "6000/60s")
    genesys_sender: ActorSettings = _actor(4, "240/60s", 128)
    bluesky_sender: ActorSettings = _actor(4, "240/60s")
    contact_resolver: ActorSettings = _actor(1, "60/60s")
    dedup_store: ActorSettings = _actor(1, "60000/60s", 256)

    @model_validator(mode="before")
    @classmethod
    def _derive_addresses(cls, values: dict[str, Any]) -> dict[str, Any]:
        region = values.get("gc_region")
        if region:
            values.setdefault("gc_api_url", f"https://api.{region}")
            values.setdefault("gc_login_url", f"https://login.{region}")
        return values

    def webhook_secrets(self) -> tuple[str, ...]:
        """Every secret that a webhook may be signed with."""
        return split_secrets(self.gc_webhook_secret.get_secret_value())

    def make_restart_policy(self) -> RestartPolicy:
        """How crashes are answered."""
        return RestartPolicy(
            intensity=self.restart_intensity,
            period_s=self.restart_period_s,
            backoff_min_s=self.backoff_min_s,
            backoff_max_s=self.backoff_max_s,
        )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = []
        if self.enable_external_contacts:
            problems += [
                f"{name.upper()}: missing; required when ENABLE_EXTERNAL_CONTACTS is true"
                for name in ("gc_external_source_id", "gc_ec_division_id")
                if not getattr(self, name)
            ]
        try:
            self.make_restart_policy()
        except ValueError as error:
            problems.append(f"RESTART_PERIOD_S: {error}")
        if not self.allow_plain_http:
            problems += [
                f"{name.upper()}: without TLS; expected https://, but for this machine itself "
                "(or ALLOW_PLAIN_HTTP=true for tests)"
                for name in ("bluesky_service_url", "gc_api_url", "gc_login_url")
                if is_plain(getattr(self, name))
            ]
        if self.stop_within_s > self.grace_s:
            problems.append("STOP_WITHIN_S: must not be more than GRACE_S")
        if problems:
            raise ValueError("\n".join(problems))
        return self


ACTOR_FIELDS = tuple(
    name for name, field in Settings.model_fields.items() if field.annotation is ActorSettings
)
SECRET_FIELDS = tuple(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
)
