"""Settings: every variable, its default, what it must look like, and what it is for.

What is written here is what `docs/settings.md` and `.env.example` say: after a change, run
`python -m connector.settings_page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from actors.translation.commands import EVERY_WORD
from actors.web import is_plain
from connector.shapes import (
    Address,
    AdminPort,
    AdminToken,
    AllowedNetworks,
    Attention,
    CommandWords,
    Count,
    Duration,
    Handle,
    Host,
    Id,
    Langs,
    Limit,
    Listed,
    LookBack,
    PostLangs,
    Queries,
    Seconds,
    Shape,
    ShortWindow,
    StateKeys,
    StreamAddress,
    Text,
    WebhookSecret,
    Window,
    split_secrets,
)
from runtime.backoff import RestartPolicy
from runtime.rate import Rate


class ActorSettings(BaseModel):
    """``<ACTOR>_CONCURRENCY``, ``<ACTOR>_RATE`` and ``<ACTOR>_MAILBOX``."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    concurrency: Count = Field(
        description="How many things the actor does at once.", examples=["8"]
    )
    rate: Limit = Field(
        description="The actor's own limit: at most so many requests in any so many seconds.",
        examples=["300/60s"],
    )
    mailbox: Count = Field(
        description="How many messages may wait for the actor in memory; for a poller, how many "
        "it hands over together.",
        examples=["128"],
    )


def _actor(concurrency: int, rate: str, mailbox: int = 64) -> ActorSettings:
    return ActorSettings(concurrency=concurrency, rate=Rate.parse(rate), mailbox=mailbox)


class Settings(BaseModel):
    """Everything that can be set. A field is the variable of the same name in capitals.

    The default budgets are what the platforms publish: Bluesky allows 3000 requests in 5 minutes,
    Genesys Cloud 300 in one. The default rates of the actors that share a platform add up to less.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    bluesky_handle: Handle = Field(
        description="Your company's account on Bluesky.", examples=["mycompany.bsky.social"]
    )
    bluesky_app_password: SecretStr = Field(
        min_length=1,
        description="An app password of that account, made with *Allow access to your direct "
        "messages*; never the account's own password.",
        examples=["abcd-efgh-ijkl-mnop"],
    )
    bluesky_service_url: Address = Field(
        "https://bsky.social",
        description="The server that the account lives on.",
        examples=["https://pds.mycompany.com"],
    )
    bluesky_search_query: Queries = Field(
        (),
        description="What to listen for in all of Bluesky; empty is no listening. Be specific: "
        "every hit reaches your agents.",
        examples=["mycompany;#mycompanyhelp"],
    )
    listen_langs: Langs = Field(
        (),
        description="Of what the search finds, take in only posts in these languages; empty is "
        "all. `en` includes `en-GB`, and a post that names no language is taken in.",
        examples=["en,de"],
    )
    listen_exclude: Listed = Field(
        (),
        description="What nobody wants to hear of: handles and DIDs, whose posts are left out "
        "wherever they come from, and words, which leave a search hit out. `acme.example` is "
        "both, `@acme.example` only a handle.",
        examples=["giveaway,@spammer.example"],
    )
    listen_min_account_age: Annotated[Duration, Field(ge=0)] = Field(
        0.0, description="Leave out search hits of accounts younger than this.", examples=["7d"]
    )
    listen_skip_labels: Listed = Field(
        (),
        description="Leave out posts that have one of these labels, or whose author has, "
        "wherever they come from.",
        examples=["spam,!hide"],
    )
    listen_live: bool = Field(
        False,
        description="Hear of posts [as they are written](listening.md#live-listening), instead of "
        "at the next poll.",
        examples=["true"],
    )
    jetstream_url: StreamAddress = Field(
        "wss://jetstream.us-west.bsky.network/subscribe",
        description="Where `LISTEN_LIVE` hears of posts: any server with Jetstream's `/subscribe`.",
        examples=["wss://jetstream.mycompany.com/subscribe"],
    )
    dm_requests: Literal["accept", "ignore"] = Field(
        "accept",
        description="What becomes of the first direct message of people whom the account does "
        "not follow: `ignore` leaves it unanswered among the requests.",
        examples=["ignore"],
    )
    agent_commands: CommandWords = Field(
        EVERY_WORD,
        description="Which [commands](agents.md#commands) agents may use.",
        examples=["like,repost,delete"],
    )
    split_numbering: Literal["auto", "off"] = Field(
        "auto",
        description="`auto` ends each part of a public answer of several posts with its number, "
        "as in `(1/3)`; `off` does not.",
        examples=["off"],
    )
    post_langs: PostLangs = Field(
        (),
        description="The languages that your agents write: who reads by language finds the "
        "posts. Empty: they name none.",
        examples=["en,de-CH"],
    )
    link_cards: Literal["on", "off"] = Field(
        "on",
        description="Show a card of the first link in a public answer, with its title and "
        "picture. A page without https, or that does not answer within 5 seconds, has no card; "
        "`off` leaves the pages that agents link to alone.",
        examples=["off"],
    )
    attachment_window: ShortWindow = Field(
        3.0,
        description="Images that an agent sends within so long of the first become one post, "
        "four at most; an answer with an image waits so long for more. `0`: each is a post.",
        examples=["10s"],
    )
    dm_attachments: Literal["refuse", "link"] = Field(
        "refuse",
        description="Direct messages carry no files: `refuse` tells the agent so, `link` sends "
        "the address of a file in its place if anybody can open it there. Files in Genesys "
        "Cloud nobody else can, so they are refused all the same.",
        examples=["link"],
    )
    fetch_allow_private: bool = Field(
        default=False,
        description="For tests only: fetch files and pages from private and loopback addresses "
        "too, and there without TLS.",
        examples=["true"],
    )

    gc_region: Host = Field(
        description="The domain under which you log in to Genesys Cloud.",
        examples=["mypurecloud.ie"],
    )
    gc_cc_client_id: Text = Field(
        description="The id of the OAuth client, whose grant type is Client Credentials.",
        examples=["7de3af06-c0b3-4f9b-af45-72f4a1403797"],
    )
    gc_cc_client_secret: SecretStr = Field(
        min_length=1,
        description="The secret of the OAuth client.",
        examples=["a-long-random-text"],
    )
    gc_integration_id: Id = Field(
        description="The id of the Open Messaging integration.",
        examples=["05b5ecd4-3d41-4ff4-8bc7-9cf9fe9e6f5c"],
    )
    gc_webhook_secret: WebhookSecret = Field(
        min_length=1,
        description="The integration's *Outbound Notification Webhook Signature Secret Token*; "
        "two, with a comma between them, while one replaces the other.",
        examples=["a-long-random-text"],
    )
    gc_social_topic_id: Text = Field(
        description="The id of the social listening topic, where public posts go.",
        examples=["9d2f3c1a-5b7e-4a60-8c92-1f0e6d4b8a35"],
    )
    gc_social_rule_id: Text = Field(
        description="The id of the topic's open data ingestion rule.",
        examples=["c4a1e8b2-7f63-4d19-b05c-3e9a2d6f1b74"],
    )
    gc_api_url: Address = Field(
        "",
        description="Where the API of Genesys Cloud is, if not where `GC_REGION` says.",
        examples=["https://api.mypurecloud.ie"],
    )
    gc_login_url: Address = Field(
        "",
        description="Where its login service is, if not where `GC_REGION` says.",
        examples=["https://login.mypurecloud.ie"],
    )
    enable_external_contacts: bool = Field(
        default=False,
        description="Keep one external contact per Bluesky account; then the two ids below are "
        "required.",
        examples=["true"],
    )
    gc_external_source_id: str = Field(
        "",
        description="The id of the external source that the customers' DIDs belong to.",
        examples=["2b8d6e1f-9c34-4f7a-a1d5-6e0b3c8f2d97"],
    )
    gc_ec_division_id: str = Field(
        "",
        description="The id of the division that contacts are made in.",
        examples=["e7c5a3d1-4b82-4960-9f1e-8d2c6a0b7f53"],
    )

    redis_url: SecretStr | None = Field(
        None,
        description="The Redis that holds the journal: `redis://`, `rediss://` or `unix://`, or "
        "the `https://` address that Upstash shows, with its token. Unset: an embedded store.",
        examples=["rediss://default:password@redis.mycompany.com:6379"],
    )
    redis_token: SecretStr | None = Field(
        None,
        description="The token that Upstash shows beside its `https://` address.",
        examples=["a-long-random-text"],
    )
    state_dir: Path = Field(
        Path("./state"),
        description="Where the embedded store keeps its files; in the image it is "
        "`/var/lib/bluesky-genesys`.",
        examples=["/var/lib/bluesky-genesys"],
    )
    state_key: StateKeys | None = Field(
        None,
        description="Seals messages, names and tokens in the store: a key that "
        "`openssl rand -base64 32` made. The first of several seals, all of them open, and `plain` "
        "stands for no key (docs/privacy.md). Unset: nothing is sealed.",
        examples=["7vYBCaUxBaDh5vJYkIF5fK2PjyZ6qWk0y0uSc1m0o1A="],
    )

    host: Text = Field(
        "0.0.0.0",  # noqa: S104 (a container serves whoever can reach it)
        description="The address to listen on.",
        examples=["127.0.0.1"],
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="The port to listen on.", examples=["9000"]
    )
    trusted_proxies: AllowedNetworks = Field(
        (),
        description="Networks of the proxies in front, whose `X-Forwarded-For` is believed. Only "
        "behind them can an address be limited whose webhooks keep failing.",
        examples=["10.0.0.0/8"],
    )
    webhook_allow: AllowedNetworks = Field(
        (),
        description="Networks that webhooks may come from; empty: all.",
        examples=["192.0.2.0/24,2001:db8::/32"],
    )
    allow_plain_http: bool = Field(
        False,
        description="For tests: the two platforms are reached without TLS on other machines, too.",
        examples=["true"],
    )
    log_level: Literal["debug", "info", "warn", "error"] = Field(
        "info",
        description="The least that is [logged](monitoring.md#the-log); `debug` names every post "
        "and message that is left out.",
        examples=["debug"],
    )
    otel_exporter_otlp_endpoint: Annotated[Address | None, Shape("a web address")] = Field(
        None,
        description="Where [traces](monitoring.md#traces) go: the address of an OpenTelemetry "
        "collector (OTLP over HTTP), without `/v1/traces`. Empty: there are none.",
        examples=["http://collector:4318"],
    )
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None,
        description="Headers for the collector, such as its key: `name=value`, several separated "
        "by commas.",
        examples=["x-api-key=abcd"],
    )
    otel_service_name: Text = Field(
        "bluesky-genesys", description="What the traces are called after.", examples=["support"]
    )
    admin_token: AdminToken = Field(
        None,
        description="Opens [the dashboard](dashboard.md) at `/`; `openssl rand -hex 16` makes one. "
        "Unset, there is no dashboard.",
        examples=["a-long-random-text"],
    )
    admin_port: AdminPort = Field(
        None,
        description="A port for the dashboard and `/metrics` alone, which are then no longer on "
        "`PORT`.",
        examples=["9090"],
    )
    dashboard_show_text: bool = Field(
        False,
        description="Whether the dashboard shows what the recent messages say.",
        examples=["true"],
    )
    webhook_max_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_048_576,
        description="The largest webhook that is taken, in bytes; a larger one is refused with "
        "413.",
        examples=["4194304"],
    )

    polling_time_inbound_notifications: Seconds = Field(
        60.0,
        description="How often mentions, replies and quotes are looked for.",
        examples=["30"],
    )
    polling_time_social_listening: Seconds = Field(
        300.0, description="How often the searches are made.", examples=["10m"]
    )
    polling_time_dm: Seconds = Field(
        120.0, description="How often direct messages are looked for.", examples=["60"]
    )
    adaptive_polling: bool = Field(
        True,
        description="Look [quicker](listening.md#adaptive-pace) than that while something is new "
        "and the budget allows it.",
        examples=["false"],
    )
    polling_min: Seconds = Field(
        5.0,
        description="The shortest time between two looks; where one of the above is shorter, that "
        "is.",
        examples=["15"],
    )
    start_lookback: LookBack = Field(
        3600.0,
        description="How far back the very first start looks, and that of a new search query.",
        examples=["2d"],
    )
    deep_sweep: Seconds = Field(
        3600.0,
        description="How often a poll looks further back, for posts that were listed late or "
        "dated wrongly.",
        examples=["6h"],
    )

    thread_context: Annotated[int, Field(ge=0, le=80)] = Field(
        3,
        description="How many of the nearest posts above a reply are taken in before it, when "
        "Genesys has seen nothing of its thread; the thread's first post is in any case.",
        examples=["10"],
    )
    follow_threads: Attention = Field(
        48 * 3600.0,
        description="How long a thread is followed after something was said in it; `0` follows "
        "none.",
        examples=["4d"],
    )
    follow_threads_every: Seconds = Field(
        120.0, description="How often the threads that are followed are read.", examples=["5m"]
    )
    reactions_every: Attention = Field(
        60.0,
        description="How often likes, reposts and quotes of your posts are counted; `0` counts "
        "none.",
        examples=["5m"],
    )
    watch_deletes: Attention = Field(
        24 * 3600.0,
        description="For how long a post, and a direct message, is watched for being deleted; "
        "`0` watches none.",
        examples=["12h"],
    )
    watch_deletes_every: Seconds = Field(
        300.0, description="How often watched posts are looked for.", examples=["10m"]
    )

    outbound_give_up_after: Seconds = Field(
        900.0,
        description="How long an agent's answer is tried before it is reported as failed, and "
        "never posted later.",
        examples=["30m"],
    )
    inbound_keep: Seconds = Field(
        7 * 86400.0,
        description="How long a post, a direct message, a receipt or a contact is tried while "
        "Genesys Cloud cannot take it.",
        examples=["3d"],
    )
    reconcile_window: Window = Field(
        3600.0,
        description="How old an agent's answer may be that is found after a time in which no "
        "webhook could be taken in. `0`: none is looked for, and what Genesys Cloud gave up in "
        "that time is lost.",
        examples=["4h"],
    )
    restart_intensity: Count = Field(
        5,
        description="An actor that crashes more often than this within `RESTART_PERIOD_S` is "
        "`failed`, and tried slowly.",
        examples=["3"],
    )
    restart_period_s: Seconds = Field(
        300.0,
        description="The time in which crashes are counted; long enough for that many restarts.",
        examples=["600"],
    )
    backoff_min_s: Seconds = Field(
        1.0,
        description="The shortest time that an actor waits before it tries again.",
        examples=["0.5"],
    )
    backoff_max_s: Seconds = Field(
        60.0,
        description="The longest time that an actor waits before it tries again, unless it was "
        "told to wait longer.",
        examples=["30"],
    )
    stop_within_s: Seconds = Field(
        5.0,
        description="How long one actor may take to stop; at most `GRACE_S`.",
        examples=["10"],
    )
    grace_s: Seconds = Field(
        20.0,
        description="How long the whole connector may take to finish what is in hand after "
        "SIGTERM.",
        examples=["25"],
    )
    request_deadline_s: Seconds = Field(
        30.0,
        description="How long one request to Bluesky or Genesys Cloud may take.",
        examples=["15"],
    )
    store_deadline_s: Seconds = Field(
        5.0, description="How long the store may take to answer.", examples=["10"]
    )

    bluesky_budget: Limit = Field(
        Rate(3000, 300),
        description="How many requests all actors together may make to Bluesky. The default is "
        "the published limit for one address; a server of your own may allow more.",
        examples=["6000/300s"],
    )
    genesys_budget: Limit = Field(
        Rate(300, 60),
        description="The same for Genesys Cloud and one OAuth token. Raise it only when Genesys "
        "has granted your organization more, and the actors' rates with it.",
        examples=["600/60s"],
    )

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
        if isinstance(region, str) and region:
            values["gc_region"] = region = region.lower()
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
        if self.backoff_min_s > self.backoff_max_s:
            problems.append("BACKOFF_MIN_S: must not be more than BACKOFF_MAX_S")
        else:
            try:
                self.make_restart_policy()
            except ValueError as error:
                problems.append(f"RESTART_PERIOD_S: {error}")
        if self.admin_port and self.admin_port == self.port:
            problems.append("ADMIN_PORT: must not be PORT; leave it unset to have both on PORT")
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
