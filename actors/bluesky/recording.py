"""How posts get from a poller into the journal, whichever way they were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actors.items import make_post_item
from actors.messages import DeadLetter, InboundPost, KnownPost
from actors.recent import Recent
from actors.store import Store, Value
from actors.translation.inbound import make_reference
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Malformed


class Recorder:
    """Records posts with all that goes with them, in one atomic step.

    Args:
        known: the ids that are recorded; what is recorded here is added.
    """

    def __init__(self, context: Context, store: Store, known: Recent) -> None:
        self._context = context
        self._store = store
        self._known = known

    async def record(
        self,
        posts: Sequence[InboundPost] = (),
        *,
        letters: Sequence[DeadLetter] = (),
        seen: Iterable[str] = (),
        values: Sequence[Value] = (),
    ) -> int:
        """Record these, and return how many posts are new. Nothing at all is no request.

        If cancelled, it may have happened; recording them again is harmless.

        Raises:
            StoreUnavailable: likewise.
        """
        marks = tuple(dict.fromkeys(seen))
        if not (posts or letters or marks or values):
            return 0
        items = [make_post_item(post) for post in posts]
        recorded = await self._store.record(
            items,
            values=values,
            seen=marks,
            references=[make_reference(post) for post in posts],
            dead_letters=letters,
            posts=[make_known(post) for post in posts],
        )
        self._known.add(item.item_id for item in items)
        self._known.add(marks)
        self._known.add(letter.letter_id for letter in letters)
        for letter in letters:
            self._context.failed(Malformed(letter.why))
        return len(recorded.new)


def make_known(post: InboundPost) -> KnownPost:
    """What is to be known of a post for as long as its thread is followed."""
    return KnownPost(
        uri=post.post.uri,
        root_uri=post.root.uri,
        author=post.author,
        written_s=find_time(post.created_at) or 0.0,
        context=post.reason == "context",
    )
