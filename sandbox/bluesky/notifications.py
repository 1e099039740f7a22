"""Notifications: what the AppView tells an account, newest first."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["mention", "quote", "reply", "like", "repost", "follow"]

_MAX_FETCHES = 10


@dataclass(frozen=True, slots=True)
class Notification:
    """One line of an account's list.

    ``sort_at`` is the earlier of the author's clock and the time of indexing, so a backdated
    post appears in the past. ``reason_subject`` is the uri of the account's own record.
    """

    sort_at: str
    uri: str
    author: str
    reason: Reason
    reason_subject: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, newest first. Only a missing cursor is the end; a page with one may be short.

    ``seen_at`` is up to when the account has read, or ``None`` if that is not known.
    """

    notifications: tuple[Notification, ...]
    cursor: str | None
    seen_at: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is kept: ``exists`` while the list is read, ``reasons`` and ``visible`` afterwards."""

    exists: Callable[[Notification], bool]
    visible: Callable[[Notification], bool]
    reasons: Collection[str] = ()

    def keep(self, notification: Notification) -> bool:
        """Whether this line stays on the page that was read."""
        wanted = not self.reasons or notification.reason in self.reasons
        return wanted and self.visible(notification)


class Notifications:
    """The lists of all accounts, each in the order of ``sort_at``."""

    def __init__(self) -> None:
        self._lists: dict[str, list[Notification]] = {}
        self._recipients: dict[str, set[str]] = {}
        self._seen: dict[str, str] = {}

    def add(self, recipient: str, notification: Notification) -> None:
        """Tell ``recipient`` of a record."""
        insort(self._lists.setdefault(recipient, []), notification, key=_sort_key)
        self._recipients.setdefault(notification.uri, set()).add(recipient)

    def remove(self, uri: str) -> None:
        """Take back what was told of a record that is gone."""
        for recipient in self._recipients.pop(uri, ()):
            kept = [line for line in self._lists[recipient] if line.uri != uri]
            self._lists[recipient] = kept

    def mark_seen(self, did: str, seen_at: str) -> None:
        """``updateSeen``: only ever forward in time."""
        self._seen[did] = max(seen_at, self._seen.get(did, ""))

    def unread(self, did: str) -> int:
        """``getUnreadCount``: how many came after what was seen."""
        lines = self._lists.get(did, [])
        seen = self._seen.get(did, "")
        return sum(1 for line in lines if line.sort_at > seen)

    def page(self, did: str, *, cursor: str | None, limit: int, filters: Filters) -> Page:
        """``listNotifications``: going back in time from ``cursor``.

        Lines of the cursor's own time are not shown again, nor are those of them that did not fit
        on the page before: they are lost, as in the AppView.
        """
        read, next_cursor = self._read(did, cursor, limit, filters)
        kept = [line for line in read if filters.keep(line)]
        fetches = 1
        while next_cursor and fetches < _MAX_FETCHES and len(kept) < math.ceil(limit / 2):
            read, next_cursor = self._read(did, next_cursor, limit - len(kept), filters)
            kept += [line for line in read if filters.keep(line)]
            fetches += 1
        seen_at = self._seen.get(did)
        if seen_at is None and cursor is None and kept:
            # Of an account that has never told, only the newest line counts as unread.
            seen_at = kept[0].sort_at
        return Page(tuple(kept), next_cursor, seen_at)

    def _read(
        self, did: str, before: str | None, limit: int, filters: Filters
    ) -> tuple[list[Notification], str | None]:
        """The next ``limit`` lines before a time, and where to go on if there are more."""
        lines = self._lists.get(did, [])
        end = len(lines) if before is None else bisect_left(lines, before, key=_sort_key)
        found: list[Notification] = []
        for position in range(end - 1, -1, -1):
            if not filters.exists(lines[position]):
                continue
            if len(found) == limit:
                return found, found[-1].sort_at
            found.append(lines[position])
        return found, None


def _sort_key(notification: Notification) -> str:
    return notification.sort_at
