"""Telling what nobody wants to hear of among the posts that were found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from actors.items import make_hit_id, make_noise_id
from actors.messages import InboundReason
from actors.translation.inbound_views import PostView, ProfileView, as_texts
from actors.translation.inbound_who import find_created, find_labels, find_post_labels

_HANDLE = re.compile(r"@?[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Skip:
    """A post that is left out.

    Attributes:
        reason: as ``/health`` counts it.
        detail: what it is due to.
        as_hit: it is left out as a search hit only; whoever else finds it takes it in.
    """

    reason: str
    detail: str
    as_hit: bool = False

    def mark(self, uri: str) -> str:
        """The id by which it is known that the post was left out. It is not the post's own."""
        return make_hit_id(uri) if self.as_hit else make_noise_id(uri)


@dataclass(frozen=True, slots=True)
class Noise:
    """What is left out.

    Accounts and labels concern every post but what is taken in as context to another one, which
    nobody could understand without it. Languages, words and the age of accounts concern only what
    a search has found: whoever speaks to the brand is heard.

    Attributes:
        langs: BCP 47 tags, lower case; if there are any, a post must be in one of them.
        words: lower case; a post with one of them is left out.
        accounts: DIDs and handles, lower case, whose posts are left out.
        min_account_age_s: posts of younger accounts are left out.
        labels: posts that have one, or whose author has one, are left out.
    """

    langs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    min_account_age_s: float = 0.0
    labels: frozenset[str] = frozenset()

    @classmethod
    def make(
        cls,
        *,
        langs: Iterable[str],
        exclude: Iterable[str],
        min_account_age_s: float,
        labels: Iterable[str],
    ) -> Self:
        """From what was set. Among ``exclude``, DIDs and handles are accounts, all else is words.

        ``@`` may stand before a handle. What only looks like a handle may be the name of a site,
        and is looked for as a word too.
        """
        entries = [one.strip().casefold() for one in exclude]
        accounts = [one for one in entries if one.startswith("did:") or _HANDLE.fullmatch(one)]
        return cls(
            langs=tuple(one.casefold() for one in langs),
            words=tuple(one for one in entries if not one.startswith(("did:", "@"))),
            accounts=frozenset(one.removeprefix("@") for one in accounts),
            min_account_age_s=min_account_age_s,
            labels=frozenset(labels),
        )

    def judge(
        self, post: PostView, reason: InboundReason, now_s: float, account: ProfileView | None
    ) -> Skip | None:
        """Why a post is left out; ``None`` if it is taken in.

        Args:
            post: as it was parsed.
            reason: why it is of interest.
            now_s: unix time.
            account: what else is known of its author.
        """
        if reason == "context":
            return None
        return self._judge_origin(post) or (
            self._judge_hit(post, now_s, account) if reason == "search" else None
        )

    def _judge_origin(self, post: PostView) -> Skip | None:
        author = post.author
        for name in (author.did.casefold(), author.handle.casefold()):
            if name in self.accounts:
                return Skip("excluded_account", name)
        if not self.labels:
            return None
        labels = (*find_post_labels(post.labels, post.record), *find_labels(author.labels))
        label = next((one for one in labels if one in self.labels), None)
        return Skip("label", label) if label is not None else None

    def _judge_hit(self, post: PostView, now_s: float, account: ProfileView | None) -> Skip | None:
        langs = as_texts(post.record.langs)
        if self.langs and langs and not any(self._is_wanted(one) for one in langs):
            return Skip("language", ",".join(langs), as_hit=True)
        word = self._find_word(post)
        if word is not None:
            return Skip("excluded_word", word, as_hit=True)
        created_s = find_created(post.author, account)
        if created_s is not None and now_s - created_s < self.min_account_age_s:
            age = f"{(now_s - created_s) / 3600:.1f} h"
            return Skip("young_account", age, as_hit=True)
        return None

    def _is_wanted(self, lang: str) -> bool:
        """``en`` stands for ``en-GB`` too, but not the other way round."""
        given = lang.casefold()
        return any(given == one or given.startswith(f"{one}-") for one in self.langs)

    def _find_word(self, post: PostView) -> str | None:
        if not self.words:
            return None
        folded = join_text(post.record.text, as_texts(post.record.tags))
        return next((word for word in self.words if has_word(folded, word)), None)


NO_NOISE = Noise()
"""Nothing is left out."""


def join_text(text: str, tags: Iterable[str]) -> str:
    """All in a post that is looked through for words, lower case."""
    return " ".join((text, *(f"#{tag}" for tag in tags))).casefold()


def has_word(text: str, word: str) -> bool:
    """Whether it stands there by itself, and not within another word."""
    return word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
