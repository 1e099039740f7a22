"""The three actors that look at Bluesky again and again, and the one that listens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from actors.bluesky.attention import Attention
from actors.bluesky.dm_poller import DMPoller
from actors.bluesky.noise import Noise
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.pace import Haste
from actors.bluesky.search_poller import SearchPoller
from connector.parts import Parts
from connector.settings import Settings
from runtime.actor import ActorSpec, Context
from runtime.rate import Rate

_CONNECTIONS = Rate(30, 60)
"""So often LiveListener may connect anew."""


def make_notification_poller(parts: Parts) -> ActorSpec[Any]:
    """NotificationPoller."""
    settings = parts.settings

    def create(context: Context) -> NotificationPoller:
        return NotificationPoller(
            context,
            parts.bluesky,
            parts.leader_store,
            parts.outside.clock,
            interval_s=settings.polling_time_inbound_notifications,
            lookback_s=settings.start_lookback,
            deep_sweep_s=settings.deep_sweep,
            at_once=settings.notification_poller.mailbox,
            noise=make_noise(settings),
            haste=_make_haste(parts),
            finds=parts.listeners.notifications if settings.listen_live else None,
            attention=Attention(
                ancestors=settings.thread_context,
                follow_s=settings.follow_threads,
                follow_every_s=settings.follow_threads_every,
                reactions_every_s=settings.reactions_every,
                watch_s=settings.watch_deletes,
                watch_every_s=settings.watch_deletes_every,
            ),
        )

    return _poller(parts, "NotificationPoller", create)


def make_search_poller(parts: Parts) -> ActorSpec[Any]:
    """SearchPoller, disabled unless there is something to listen for."""
    settings = parts.settings

    def create(context: Context) -> SearchPoller:
        return SearchPoller(
            context,
            parts.bluesky,
            parts.leader_store,
            parts.outside.clock,
            queries=settings.bluesky_search_query,
            interval_s=settings.polling_time_social_listening,
            lookback_s=settings.start_lookback,
            at_once=settings.search_poller.mailbox,
            noise=make_noise(settings),
            haste=_make_haste(parts),
            finds=parts.listeners.hits if settings.listen_live else None,
        )

    off = None if settings.bluesky_search_query else "BLUESKY_SEARCH_QUERY is empty"
    return _poller(parts, "SearchPoller", create, disabled=off)


def make_dm_poller(parts: Parts) -> ActorSpec[Any]:
    """DMPoller."""
    settings = parts.settings

    def create(context: Context) -> DMPoller:
        return DMPoller(
            context,
            parts.bluesky,
            parts.leader_store,
            parts.outside.clock,
            interval_s=settings.polling_time_dm,
            lookback_s=settings.start_lookback,
            requests=settings.dm_requests,
            at_once=settings.dm_poller.mailbox,
            watch_deletes_s=settings.watch_deletes,
            haste=_make_haste(parts),
        )

    return _poller(parts, "DMPoller", create)


def make_live_listener(parts: Parts) -> ActorSpec[Any]:
    """LiveListener. What it needs is loaded only when it is asked for."""
    from actors.bluesky.jetstream import open_jetstream
    from actors.bluesky.live_listener import LiveListener
    from actors.bluesky.live_matching import list_plain

    settings = parts.settings
    user_agent = parts.outside.bluesky_http.headers["User-Agent"]
    connect = partial(open_jetstream, settings.jetstream_url, user_agent=user_agent)

    def create(context: Context) -> LiveListener:
        return LiveListener(
            context,
            parts.bluesky,
            parts.leader_store,
            parts.outside.clock,
            connect=connect,
            listeners=parts.listeners,
            queries=list_plain(settings.bluesky_search_query),
        )

    return ActorSpec(
        name="LiveListener",
        create=create,
        rate=_CONNECTIONS,
        deadline_s=4 * settings.request_deadline_s,
        stop_within_s=settings.stop_within_s,
        sends_to=("DedupStore",),
        duty=parts.duty,
        pause=parts.pauses.make("LiveListener"),
    )


def _make_haste(parts: Parts) -> Haste:
    settings = parts.settings
    shortest_s = settings.polling_min if settings.adaptive_polling else None
    return Haste(shortest_s, parts.bluesky.spare)


def make_noise(settings: Settings) -> Noise:
    """What is left out wherever it is found."""
    return Noise.make(
        langs=settings.listen_langs,
        exclude=settings.listen_exclude,
        min_account_age_s=settings.listen_min_account_age,
        labels=settings.listen_skip_labels,
    )


def _poller(
    parts: Parts,
    name: str,
    create: Callable[[Context], object],
    *,
    disabled: str | None = None,
) -> ActorSpec[Any]:
    field = {
        "NotificationPoller": parts.settings.notification_poller,
        "SearchPoller": parts.settings.search_poller,
        "DMPoller": parts.settings.dm_poller,
    }[name]
    return ActorSpec(
        name=name,
        create=create,
        rate=field.rate,
        concurrency=field.concurrency,
        deadline_s=4 * parts.settings.request_deadline_s,
        stop_within_s=parts.settings.stop_within_s,
        sends_to=("DedupStore",),
        disabled=disabled,
        duty=parts.duty,
        pause=parts.pauses.make(name),
    )
