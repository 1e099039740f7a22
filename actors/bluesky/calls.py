"""BlueskySender's remote calls, each at the actor's own rate and within the account's budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from actors.bluesky.client import Parameters, UploadingBluesky
from actors.messages import Json, PostReference
from actors.store import StoreUnavailable
from runtime.actor import Context
from runtime.errors import Malformed, RateLimited
from runtime.rate import Budget

R = TypeVar("R")

PUT_POINTS = 2
DELETE_POINTS = 1
LONGEST_WAIT_S = 10.0


class WritesSpent(RateLimited):
    """The account may write no more for now; all else goes on as usual."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The network as BlueskySender uses it. Errors are those of :class:`Bluesky`.

    Args:
        writes: what the account may write, in points (a put costs 2, a deletion 1).
    """

    bluesky: UploadingBluesky
    context: Context
    writes: Budget

    async def did(self) -> str:
        """The account's own DID."""
        return await self.bluesky.did()

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """An XRPC query. If cancelled, nothing has changed anywhere."""
        await self.context.acquire()
        answer = await self.bluesky.query(nsid, parameters, chat=chat)
        self.context.progress()
        return answer

    async def send_direct_message(self, body: Json) -> Json:
        """``chat.bsky.convo.sendMessage``. If cancelled, it may have been sent."""
        await self.context.acquire()
        answer = await self.bluesky.procedure("chat.bsky.convo.sendMessage", body, chat=True)
        self.context.progress()
        return answer

    async def change(self, nsid: str, body: Json) -> None:
        """An XRPC procedure that writes no record of ours. If cancelled, it may have happened."""
        await self.context.acquire()
        await self.bluesky.procedure(nsid, body)
        self.context.progress()

    async def upload_blob(self, content: bytes, mime: str) -> Json:
        """``com.atproto.repo.uploadBlob``: the blob as records carry it.

        Named after its content: the same bytes are the same blob. If cancelled, it may be there.
        """
        await self.context.acquire()
        answer = await self.bluesky.upload(content, mime)
        self.context.progress()
        blob = answer.get("blob")
        if not isinstance(blob, dict):
            raise Malformed("Bluesky answered an upload without a blob")
        return blob

    async def put_record(self, body: Json) -> PostReference:
        """``com.atproto.repo.putRecord``. If cancelled, it may have been written.

        Raises:
            WritesSpent: the budget has no points for longer than is worth waiting here.
        """
        return read_reference(await self._write("com.atproto.repo.putRecord", body, PUT_POINTS))

    async def delete_record(self, collection: str, record_key: str) -> None:
        """``com.atproto.repo.deleteRecord``. If cancelled, the record may be gone.

        It is harmless if there is none.

        Raises:
            WritesSpent: as for a put.
        """
        body = {"repo": await self.did(), "collection": collection, "rkey": record_key}
        await self._write("com.atproto.repo.deleteRecord", body, DELETE_POINTS)

    async def _write(self, nsid: str, body: Json, points: int) -> Json:
        wait_s = self.writes.waiting_s()
        if wait_s > LONGEST_WAIT_S:
            raise WritesSpent("the account's budget for writing is spent", after_s=wait_s)
        await self.writes.acquire(points)
        await self.context.acquire()
        answer = await self.bluesky.procedure(nsid, body)
        self.context.progress()
        return answer


def read_reference(answer: Json) -> PostReference:
    """The ``uri`` and ``cid`` of an answer or view.

    Raises:
        Malformed: it has none.
    """
    uri, cid = answer.get("uri"), answer.get("cid")
    if not isinstance(uri, str) or not isinstance(cid, str):
        raise Malformed("Bluesky answered without the uri and cid of the record")
    return PostReference(uri, cid)


async def until_answered(context: Context, ask: Callable[[], Awaitable[R]]) -> R:
    """Ask the store for as long as it is away: that is no reason to give a message up.

    If cancelled, the question may have taken effect; asking again is harmless.
    """
    while True:
        try:
            return await ask()
        except StoreUnavailable as error:
            await context.back_off(error)
