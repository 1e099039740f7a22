"""How accounts and posts look to a viewer (``app.bsky.actor.defs``, ``app.bsky.feed.defs``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.bluesky import embeds
from sandbox.bluesky.accounts import Account, Accounts
from sandbox.bluesky.gates import may_reply
from sandbox.bluesky.identifiers import Json, authority, format_time
from sandbox.bluesky.index import Index, Post

MAX_EMBED_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Views:
    """What ``viewer`` (a DID) sees. ``base_url`` is where this server's images are found."""

    accounts: Accounts
    index: Index
    viewer: str
    base_url: str

    def image_url(self, preset: str, did: str, cid: str) -> str:
        """Where an image is served, in the AppView's url scheme."""
        return f"{self.base_url}/img/{preset}/plain/{did}/{cid}"

    def blocked(self, did: str) -> bool:
        """Whether a block stands between the viewer and this account."""
        return self.index.block_between(self.viewer, did)

    def muted(self, did: str) -> bool:
        """Whether the viewer mutes this account."""
        return did in self.index.mutes.get(self.viewer, ())

    def profile_basic(self, did: str) -> dict[str, Any]:
        """``profileViewBasic``."""
        account = self.accounts.find(did)
        if account is None:
            raise LookupError(f"no account {did}")
        view: dict[str, Any] = {"did": did, "handle": account.handle}
        view |= self._names(did)
        view["associated"] = self._associated(did)
        view["viewer"] = self.viewer_state(did)
        view["labels"] = []
        view["createdAt"] = format_time(account.created_at)
        return view

    def profile(self, did: str) -> dict[str, Any]:
        """``profileView``."""
        view = self.profile_basic(did)
        record = self.index.profiles.get(did)
        if record is not None and record.value.get("description"):
            view["description"] = record.value["description"]
        view["indexedAt"] = view["createdAt"]
        return view

    def profile_detailed(self, account: Account) -> dict[str, Any]:
        """``profileViewDetailed``."""
        did = account.did
        counts = {
            "followersCount": self.index.follows.count_of(did),
            "followsCount": self.index.follows.count_by(did),
            "postsCount": sum(1 for post in self.index.timeline() if post.author == did),
        }
        view = {**self.profile(did), **counts}
        kept = {"lists": 0, "feedgens": 0, "starterPacks": 0, "labeler": False}
        view["associated"] = {**kept, **view["associated"]}
        return view

    def viewer_state(self, did: str) -> dict[str, Any]:
        """``viewerState``: what stands between the viewer and this account."""
        follows, blocks = self.index.follows, self.index.blocks
        blocking = blocks.uri(self.viewer, did)
        blocked_by = blocks.uri(did, self.viewer) is not None
        view: dict[str, Any] = {
            "muted": self.muted(did),
            "mutedOnlyReposts": False,
            "mutedOnlyQuoteposts": False,
            "blockedBy": blocked_by,
        }
        if blocking:
            view["blocking"] = blocking
        if not blocking and not blocked_by:
            links = {
                "following": follows.uri(self.viewer, did),
                "followedBy": follows.uri(did, self.viewer),
            }
            view |= {key: uri for key, uri in links.items() if uri}
        return view

    def post(self, post: Post, depth: int = 0) -> dict[str, Any]:
        """``postView``; embedded posts show their own embeds down to a depth of two."""
        view = {
            "uri": post.uri,
            "cid": post.record.cid,
            "author": self.profile_basic(post.author),
            "record": post.record.value,
        }
        embed = post.record.value.get("embed")
        shown = (
            embeds.view(self, post, embed, depth + 1) if embed and depth < MAX_EMBED_DEPTH else None
        )
        if shown is not None:
            view["embed"] = shown
        gate = self.index.threadgates.get(post.uri)
        if gate is not None and post.parent is None:
            view["threadgate"] = {**gate.reference.as_json(), "record": gate.value, "lists": []}
        return view | self._post_counts(post) | self._post_viewer(post)

    def blocked_post(self, uri: str, did: str) -> dict[str, Any]:
        """``blockedPost``."""
        return {
            "$type": "app.bsky.feed.defs#blockedPost",
            "uri": uri,
            "blocked": True,
            "author": self.blocked_author(did),
        }

    def blocked_author(self, did: str) -> dict[str, Any]:
        """``blockedAuthor``."""
        state = self.viewer_state(did)
        shown = {key: state[key] for key in ("blockedBy", "blocking") if key in state}
        return {"did": did, "viewer": shown}

    def _names(self, did: str) -> dict[str, str]:
        record = self.index.profiles.get(did)
        if record is None:
            return {}
        names = {}
        if record.value.get("displayName"):
            names["displayName"] = record.value["displayName"]
        if avatar := record.value.get("avatar"):
            names["avatar"] = self.image_url("avatar", did, avatar["ref"]["$link"])
        return names

    def _associated(self, did: str) -> dict[str, Any]:
        view: dict[str, Any] = {"activitySubscription": {"allowSubscriptions": "followers"}}
        declaration = self.index.chat_declarations.get(did)
        if declaration is not None:
            view["chat"] = {"allowIncoming": declaration.value["allowIncoming"]}
        return view

    def _post_counts(self, post: Post) -> dict[str, Any]:
        return {
            "bookmarkCount": 0,
            "replyCount": self.index.reply_count(post.uri),
            "repostCount": self.index.reposts.count_of(post.uri),
            "likeCount": self.index.likes.count_of(post.uri),
            "quoteCount": self.index.quote_count(post.uri),
            "indexedAt": post.sort_at,
        }

    def _post_viewer(self, post: Post) -> dict[str, Any]:
        view: dict[str, Any] = {
            "bookmarked": False,
            "threadMuted": False,
            "embeddingDisabled": False,
        }
        if like := self.index.likes.uri(self.viewer, post.uri):
            view["like"] = like
        if repost := self.index.reposts.uri(self.viewer, post.uri):
            view["repost"] = repost
        if (gate := self.index.threadgates.get(post.root.uri)) is not None:
            view["replyDisabled"] = not self._may_reply(post.root.uri, gate.value)
        return {"viewer": view, "labels": []}

    def _may_reply(self, root_uri: str, gate: Json) -> bool:
        root, follows = self.index.post(root_uri), self.index.follows
        return may_reply(
            gate,
            root.record.value if root else None,
            self.viewer,
            authority(root_uri),
            lambda one, other: follows.uri(one, other) is not None,
        )
