"""The network: accounts, repositories, AppView and chat, in memory and without HTTP."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sandbox.bluesky import records
from sandbox.bluesky.accounts import Account, Accounts, AllowIncoming, Scope
from sandbox.bluesky.calls import CallLog
from sandbox.bluesky.changes import Changes
from sandbox.bluesky.chat import Chat
from sandbox.bluesky.commits import CommitStream
from sandbox.bluesky.conversations import Log
from sandbox.bluesky.direct_messages import DirectMessages
from sandbox.bluesky.identifiers import (
    Clock,
    Json,
    TidClock,
    format_time,
    make_did,
    parse_at_uri,
)
from sandbox.bluesky.index import Index
from sandbox.bluesky.limits import PDS_RATE_LIMITS, RateLimiter, RateLimits
from sandbox.bluesky.notifications import Notifications
from sandbox.bluesky.publishing import Composer, Image, Link, Video
from sandbox.bluesky.repository import Record, RecordReference, Repository
from sandbox.bluesky.sessions import Sessions
from sandbox.bluesky.snapshots import PostSnapshot, ThreadSnapshot, take_post, take_thread
from sandbox.faults import Faults

Subject: TypeAlias = str | RecordReference | PostSnapshot
"""A record, by its uri or by something that has one."""


class BlueskyNetwork:
    """Everything there is on this Bluesky. All methods take effect at once.

    What is done here is done as an ordinary client would: the same rules hold, and refusals are
    :class:`~sandbox.bluesky.errors.XrpcError`.

    Attributes:
        faults: orders what shall go wrong with HTTP requests.
        calls: the HTTP requests that came.
        changes: wakes those who wait for something to happen.
        direct_messages: writing to each other, and what was written.
        commits: the stream of what is written to repositories.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        rate_limits: RateLimits = PDS_RATE_LIMITS,
        access_ttl_s: int = 7200,
    ) -> None:
        self.clock = clock
        self.rate_limits = rate_limits
        self.faults = Faults()
        self.calls = CallLog()
        self.changes = Changes()
        self.accounts = Accounts()
        self.sessions = Sessions(self.accounts, clock, rng, access_ttl_s)
        self.limiter = RateLimiter(clock)
        self.notifications = Notifications()
        self.index = Index(clock, self.notifications)
        self._tids = TidClock(clock, rng)
        self.commits = CommitStream(clock)
        log = Log(self.changes.notify)
        self.chat = Chat(self.accounts, self.index, clock, self._tids, log)
        self.direct_messages = DirectMessages(self.chat, self._resolve)
        self._rng = rng
        self._repositories: dict[str, Repository] = {}

    def create_account(
        self,
        handle: str,
        *,
        password: str,
        display_name: str | None = None,
        description: str | None = None,
        avatar: Image | None = None,
        allow_incoming: AllowIncoming | None = None,
    ) -> Account:
        """A new account. Without ``allow_incoming`` it has not declared who may write to it.

        Raises:
            ValueError: the handle is taken.
        """
        account = Account(make_did(self._rng), handle, password, self.clock())
        self.accounts.add(account)
        repository = Repository(account.did, self._tids, self._apply)
        self._repositories[account.did] = repository
        profile: dict[str, Any] = {"displayName": display_name, "description": description}
        if avatar is not None:
            profile["avatar"] = repository.blobs.upload(avatar.content, avatar.mime).as_json()
        profile = {key: value for key, value in profile.items() if value is not None}
        if profile:
            repository.put(records.PROFILE, "self", profile)
        if allow_incoming is not None:
            self.allow_incoming(account, allow_incoming)
        return account

    def account(self, identifier: str) -> Account:
        """The account with this DID or handle.

        Raises:
            LookupError: there is none.
        """
        account = self.accounts.find(identifier)
        if account is None:
            raise LookupError(f"no account {identifier}")
        return account

    def add_app_password(
        self, account: Account, password: str, *, direct_messages: bool = True
    ) -> None:
        """A further password; without ``direct_messages`` its sessions may not use chat."""
        privileged = Scope.APP_PASSWORD_PRIVILEGED
        account.app_passwords[password] = privileged if direct_messages else Scope.APP_PASSWORD

    def revoke_app_password(self, account: Account, password: str) -> None:
        """Take a password away; sessions opened with it cannot be refreshed any more."""
        self.sessions.revoke(account, password)

    def allow_incoming(self, account: Account, allowed: AllowIncoming) -> None:
        """Declare who may start a conversation with this account."""
        declaration = {"allowIncoming": allowed}
        self.repository(account).put(records.CHAT_DECLARATION, "self", declaration)

    def rename(self, account: Account, handle: str) -> None:
        """Give an account another handle.

        Raises:
            ValueError: the handle is taken.
        """
        self.accounts.rename(account, handle)
        self.changes.notify()

    def repository(self, account: Account) -> Repository:
        """The account's records, for what the methods here do not cover."""
        return self._repositories[account.did]

    def records(self, account: Account, collection: str) -> tuple[Record, ...]:
        """The account's records in a collection, by record key, the newest first."""
        return tuple(self.repository(account).list(collection))

    def post(
        self,
        account: Account,
        text: str,
        *,
        reply_to: Subject | None = None,
        quote: Subject | None = None,
        images: Sequence[Image] = (),
        link: Link | None = None,
        video: Video | None = None,
        created_at: datetime | None = None,
    ) -> RecordReference:
        """Publish a post; mentions, links and hashtags in the text become facets.

        ``created_at`` is the author's clock and may lie; by default it is right.

        Raises:
            LookupError: what it answers or quotes is not there.
            ValueError: more than one of images, link and video.
            XrpcError: the post is not valid, or a file is too large.
        """
        repository = self.repository(account)
        composer = Composer(self.index, repository.blobs, self._resolve)
        record = composer.post(
            text,
            created_at=format_time(created_at or self.clock()),
            reply_to=_uri(reply_to) if reply_to else None,
            quote=_uri(quote) if quote else None,
            images=images,
            link=link,
            video=video,
        )
        return repository.create(records.POST, record).record.reference

    def like(self, account: Account, subject: Subject) -> RecordReference:
        """Like a post that is there."""
        return self._point(account, records.LIKE, self._reference(subject).as_json())

    def repost(self, account: Account, subject: Subject) -> RecordReference:
        """Repost a post that is there."""
        return self._point(account, records.REPOST, self._reference(subject).as_json())

    def follow(self, account: Account, other: Account) -> RecordReference:
        """Follow an account."""
        return self._point(account, records.FOLLOW, other.did)

    def block(self, account: Account, other: Account) -> RecordReference:
        """Block an account."""
        return self._point(account, records.BLOCK, other.did)

    def delete(self, subject: Subject) -> None:
        """Delete a record: a post, or undo a like, repost, follow or block. Gone is no error."""
        uri = parse_at_uri(_uri(subject))
        self._repositories[uri.did].delete(uri.collection, uri.record_key)

    def find_post(self, subject: Subject) -> PostSnapshot | None:
        """A post as it stands now, if it is there."""
        post = self.index.post(_uri(subject))
        return take_post(self.index, self.accounts, post) if post else None

    def posts(self, author: Account | None = None) -> tuple[PostSnapshot, ...]:
        """All posts, or those of one account, the newest first."""
        wanted = [post for post in self.index.timeline() if not author or post.author == author.did]
        return tuple(take_post(self.index, self.accounts, post) for post in wanted)

    def thread(self, subject: Subject) -> ThreadSnapshot:
        """A post and all that answers it.

        Raises:
            LookupError: there is no such post.
        """
        post = self.index.post(_uri(subject))
        if post is None:
            raise LookupError(f"no post {_uri(subject)}")
        return take_thread(self.index, self.accounts, post)

    def _apply(self, before: Record | None, after: Record | None) -> None:
        self.index.apply(before, after)
        self.commits.add(before, after)
        self.changes.notify()

    def _resolve(self, handle: str) -> str | None:
        account = self.accounts.find(handle)
        return account.did if account else None

    def _reference(self, subject: Subject) -> RecordReference:
        post = self.index.post(_uri(subject))
        if post is None:
            raise LookupError(f"no post {_uri(subject)}")
        return post.record.reference

    def _point(self, account: Account, collection: str, subject: str | Json) -> RecordReference:
        value = {"subject": subject, "createdAt": format_time(self.clock())}
        return self.repository(account).create(collection, value).record.reference


def _uri(subject: Subject) -> str:
    return subject if isinstance(subject, str) else subject.uri
