"""The company's account: login, and what the connector reads of it."""

from __future__ import annotations

from actors.bluesky.client import BlueskyClient
from connector.check.items import Finding, Item, NotAsItShouldBe
from connector.settings import Settings
from runtime.errors import Rejected

_LOGIN = "bluesky_login"


def make_bluesky_items(settings: Settings, bluesky: BlueskyClient) -> list[Item]:
    """Login, notifications, direct messages and, if there are queries, the search."""

    async def log_in() -> Finding:
        return Finding(f"@{settings.bluesky_handle} is {await bluesky.did()}")

    async def read_notifications() -> Finding:
        await bluesky.query("app.bsky.notification.listNotifications", {"limit": 1})
        return Finding("can be read")

    async def read_chat() -> Finding:
        await bluesky.query("chat.bsky.convo.listConvos", {"limit": 1}, chat=True)
        return Finding("can be read: the app password has access to them")

    async def search() -> Finding:
        for query in settings.bluesky_search_query:
            try:
                await bluesky.query("app.bsky.feed.searchPosts", {"q": query, "limit": 1})
            except Rejected as error:
                raise NotAsItShouldBe(
                    f"“{query}” is not understood: {error}",
                    action="Correct this query in BLUESKY_SEARCH_QUERY.",
                ) from error
        count = len(settings.bluesky_search_query)
        return Finding("the query is understood" if count == 1 else f"{count} queries understood")

    items = [
        Item(
            _LOGIN,
            "Bluesky login",
            log_in,
            "Check BLUESKY_HANDLE, BLUESKY_APP_PASSWORD and BLUESKY_SERVICE_URL.",
            needs="store",
        ),
        Item("notifications", "Notifications", read_notifications, needs=_LOGIN),
        Item("direct_messages", "Direct messages", read_chat, needs=_LOGIN),
    ]
    if settings.bluesky_search_query:
        items.append(Item("search", "Search", search, needs=_LOGIN))
    return items
