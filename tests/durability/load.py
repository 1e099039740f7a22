"""Mixed load: customers and agents who do not know that anything is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import trio

from sandbox.bluesky import Account, PostSnapshot, RecordReference
from sandbox.genesys.conversations import Conversation, InboundMessage
from sandbox.world import SEARCH_QUERY, World
from tests.durability.ledger import COURTESY, Answered, Kind, Ledger, Said

EXTRA_CUSTOMERS = 5
SHORTEST_WAIT_S = 0.01
PUBLIC_PARTS, PRIVATE_PARTS = 700, 2300
"""Characters of a message that takes three posts, and of one that takes three direct messages."""
_ONE_MS = timedelta(milliseconds=1)


@dataclass(slots=True)
class _Thread:
    """``last`` is the newest post of a customer in it."""

    root: RecordReference
    owner: Account
    last: RecordReference


@dataclass(slots=True)
class Load:
    """Draws who does what, at about ``rate`` acts a second.

    Args:
        rng: of what is done; the moments depend on the machine.
        most: stop by itself after so many messages.
        public_share: how much of what agents would do in public they do; instead of the rest they
            write directly.
        each_way: customers and agents write so many messages a second each, however long it takes
            to write one; ``rate`` means nothing then.
    """

    world: World
    rng: random.Random
    rate: float = 12.0
    most: int | None = None
    public_share: float = 1.0
    each_way: float | None = None
    ledger: Ledger = field(default_factory=Ledger)
    customers: list[Account] = field(default_factory=list)
    _threads: list[_Thread] = field(default_factory=list)
    _touched: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.customers = list(self.world.customers)
        self.add_customers(EXTRA_CUSTOMERS)

    def add_customers(self, count: int) -> None:
        """Let more people write."""
        bluesky = self.world.bluesky
        first = len(self.customers) - len(self.world.customers)
        for number in range(first, first + count):
            handle = f"customer{number}.example"
            account = bluesky.create_account(handle, password=handle, display_name=handle)
            bluesky.allow_incoming(account, "all")
            self.customers.append(account)

    @property
    def count(self) -> int:
        """Messages so far, in both directions."""
        return len(self.ledger.said) + len(self.ledger.answered)

    async def run(self) -> None:
        """Go on until cancelled, or until there are enough."""
        began_at = trio.current_time()
        while self.most is None or self.count < self.most:
            self.act()
            await trio.sleep(self._choose_wait(trio.current_time() - began_at))

    def act(self) -> None:
        """One thing that one person does."""
        acts = self._list_acts()
        (chosen,) = self.rng.choices(list(acts), weights=list(acts.values()))
        in_public = chosen in (self._answer_in_public, self._like_or_repost, self._mistype)
        if in_public and self.public_share < 1.0 and self.rng.random() >= self.public_share:
            chosen = self._answer_in_private
        chosen()

    def _choose_wait(self, elapsed_s: float) -> float:
        """Never at the same moment: then nobody could say in which order it was."""
        if self.each_way is None:
            return self.rng.uniform(SHORTEST_WAIT_S, 2.0 / self.rate)
        return max(SHORTEST_WAIT_S, self.count / (2 * self.each_way) - elapsed_s)

    def _list_acts(self) -> dict[Callable[[], None], int]:
        """What may be done now, and how often; if each has its pace, by who is behind."""
        customers: dict[Callable[[], None], int] = {
            self._mention: 2,
            self._follow_up: 5,
            self._write_on: 2,
            self._quote: 1,
            self._is_found: 2,
            self._write_directly: 5,
        }
        agents: dict[Callable[[], None], int] = {
            self._answer_in_public: 5,
            self._answer_in_private: 5,
            self._like_or_repost: 3,
            self._mistype: 1,
        }
        if self.each_way is None:
            return customers | agents
        # Now and then somebody else, since agents can answer nothing that has not come in.
        ahead = len(self.ledger.answered) >= len(self.ledger.said)
        return customers if ahead or self.rng.random() < 0.1 else agents

    # --- customers -------------------------------------------------------------------------

    def _mention(self) -> None:
        # Some are found by the search as well, and must arrive once all the same.
        more = f", is it the {SEARCH_QUERY}?" if self.rng.random() < 0.3 else ""
        self._begin_thread(f"@{self.world.brand.handle} help{more}", None)

    def _follow_up(self) -> None:
        thread = self._choose_thread()
        customer = thread.owner if self.rng.random() < 0.7 else self.rng.choice(self.customers)
        own = [post for post in self._brand_posts() if post.root == thread.root.uri]
        if own and self.rng.random() < 0.5:
            thread.last = self._post(customer, "and then?", thread, below=own[0].reference)
        else:
            text = f"@{self.world.brand.handle} hello?"
            thread.last = self._post(customer, text, thread)

    def _write_on(self) -> None:
        """A chain of posts at once; the app gives each a millisecond more than the one before."""
        if not self._threads:
            return
        thread = self.rng.choice(self._threads)
        length = self.rng.randint(2, 3)
        for number in range(length):
            text = f"@{self.world.brand.handle} {number + 1}/{length}"
            thread.last = self._post(thread.owner, text, thread, back_ms=length - number)

    def _quote(self) -> None:
        posts = self._brand_posts()
        if posts:
            self._begin_thread("look at this", self.rng.choice(posts))

    def _is_found(self) -> None:
        self._post(self.rng.choice(self.customers), f"the {SEARCH_QUERY} is fine", None)

    def _write_directly(self) -> None:
        customer = self.rng.choice(self.customers)
        token = self.ledger.next_token("c")
        sent = self.world.bluesky.direct_messages.send(
            customer, self.world.brand, f"{token} where is my order?"
        )
        self.ledger.said.append(
            Said(token, sent.message_id, customer.did, customer.did, private=True)
        )

    def _begin_thread(self, text: str, quote: PostSnapshot | None) -> _Thread:
        customer = self.rng.choice(self.customers)
        post = self._post(customer, text, None, quote=quote)
        thread = _Thread(post, customer, post)
        self._threads.append(thread)
        return thread

    def _choose_thread(self) -> _Thread:
        if not self._threads:
            return self._begin_thread(f"@{self.world.brand.handle} help", None)
        return self.rng.choice(self._threads)

    def _brand_posts(self) -> tuple[PostSnapshot, ...]:
        return self.world.bluesky.posts(self.world.brand)

    def _post(
        self,
        author: Account,
        text: str,
        thread: _Thread | None,
        *,
        below: RecordReference | None = None,
        quote: PostSnapshot | None = None,
        back_ms: int = 0,
    ) -> RecordReference:
        token = self.ledger.next_token("c")
        post = self.world.bluesky.post(
            author,
            f"{token} {text}",
            reply_to=below or (thread.last if thread else None),
            quote=quote,
            created_at=self.world.bluesky.clock() - back_ms * _ONE_MS,
        )
        place = thread.root.uri if thread else post.uri
        self.ledger.said.append(Said(token, post.uri, place, author.did, private=False))
        return post

    # --- agents ----------------------------------------------------------------------------

    def _answer_in_public(self) -> None:
        self._answer(public=True, lengthy=PUBLIC_PARTS)

    def _answer_in_private(self) -> None:
        if self.rng.random() < 0.2:
            conversation = self._choose("private")
            if conversation is not None:
                self._send(conversation, "courtesy", COURTESY, public=False)
        else:
            self._answer(public=False, lengthy=PRIVATE_PARTS)

    def _answer(self, *, public: bool, lengthy: int) -> None:
        # An agent may answer in private what was asked in public.
        conversation = self._choose("public" if public else None)
        if conversation is not None:
            token = self.ledger.next_token("a")
            text = f"{token} we are on it"
            while self._is_long(token) and len(text) < lengthy:
                text += f", step {len(text)} of {token} is done"
            self._send(conversation, "text", text, public=public)

    def _is_long(self, token: str) -> bool:
        return int(token[1:]) % 6 == 0

    def _like_or_repost(self) -> None:
        """At most once for a post: a second one could not be told from the first."""
        kind: Literal["like", "repost"] = self.rng.choice(("like", "repost"))
        conversation = self._choose("public")
        for message in conversation.inbound if conversation else ():
            mark = (kind, message.provider_message_id)
            if conversation and mark not in self._touched:
                self._touched.add(mark)
                self._send(conversation, kind, f"!{kind}", public=True, to=message)
                return

    def _mistype(self) -> None:
        conversation = self._choose("public")
        if conversation is not None:
            token = self.ledger.next_token("a")
            self._send(conversation, "refused", f"!{token}", public=True)

    def _choose(self, visibility: Literal["public", "private"] | None) -> Conversation | None:
        open_ones = [
            one
            for one in self.world.genesys.conversations.values()
            if visibility in (None, one.visibility)
        ]
        return self.rng.choice(open_ones) if open_ones else None

    def _send(
        self,
        conversation: Conversation,
        kind: Kind,
        text: str,
        *,
        public: bool,
        to: InboundMessage | None = None,
    ) -> None:
        token = self.ledger.next_token("a")
        message = self.world.genesys.agent_reply(conversation, text, public=public, in_reply_to=to)
        self.ledger.answered.append(Answered(token, kind, text, message.reply_to_id, message))
