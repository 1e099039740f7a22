"""An account's repository: its records, its blobs and its revisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.bluesky import contents, records
from sandbox.bluesky.blobs import BlobStore
from sandbox.bluesky.errors import internal_error, invalid_request
from sandbox.bluesky.identifiers import AtUri, Json, TidClock, record_cid


@dataclass(frozen=True, slots=True)
class RecordReference:
    """``com.atproto.repo.strongRef``: which record, and which version of it."""

    uri: str
    cid: str

    def as_json(self) -> dict[str, str]:
        """As it stands in other records."""
        return {"uri": self.uri, "cid": self.cid}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is stored; ``value`` is its JSON with ``$type``."""

    uri: AtUri
    cid: str
    value: Json

    @property
    def reference(self) -> RecordReference:
        """This version of the record, for other records to point at."""
        return RecordReference(str(self.uri), self.cid)


@dataclass(frozen=True, slots=True)
class Commit:
    """A revision of the repository."""

    cid: str
    rev: str


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write; ``commit`` is ``None`` if nothing had to be written."""

    record: Record
    commit: Commit | None
    validation_status: str | None


@dataclass(frozen=True, slots=True)
class Swap:
    """What the caller believes to be there: the PDS refuses a write if it is not so.

    ``record`` is a CID, ``None`` for "there is no record", or :data:`ANY`.
    """

    record: str | None = "*"
    commit: str | None = None


ANY = "*"
"""No belief about the record."""

OnChange: TypeAlias = Callable[[Record | None, Record | None], None]
"""Called with the record before and after each commit; ``None`` where there was or is none."""


class Repository:
    """The records of one account. Each write is one commit, seen at once by ``on_change``."""

    def __init__(self, did: str, tids: TidClock, on_change: OnChange) -> None:
        self.did = did
        self._tids = tids
        self._on_change = on_change
        self._collections: dict[str, dict[str, Record]] = {}
        self.blobs = BlobStore()
        self._head: Commit | None = None

    def create(
        self,
        collection: str,
        value: Json,
        *,
        record_key: str | None = None,
        validate: bool | None = None,
        swap: Swap = Swap(),
    ) -> Written:
        """``com.atproto.repo.createRecord``.

        Raises:
            XrpcError: 400 for a record that is not valid; a bare 500 if the key is taken.
        """
        record, status = self._prepare(collection, record_key or self._tids.next(), value, validate)
        if self.find(collection, record.uri.record_key) is not None:
            raise internal_error()
        self._check_commit(swap)
        if validate is not False:
            self._replace_same_subject(record)
        return Written(record, self._commit(None, record), status)

    def put(
        self,
        collection: str,
        record_key: str,
        value: Json,
        *,
        validate: bool | None = None,
        swap: Swap = Swap(),
    ) -> Written:
        """``com.atproto.repo.putRecord``: the same record again changes nothing.

        Raises:
            XrpcError: 400 for a record that is not valid, or ``InvalidSwap``.
        """
        record, status = self._prepare(collection, record_key, value, validate)
        before = self.find(collection, record_key)
        if before is not None and before.cid == record.cid:
            return Written(record, None, status)
        self._check_commit(swap)
        self._check_record(swap, before)
        return Written(record, self._commit(before, record), status)

    def delete(self, collection: str, record_key: str, *, swap: Swap = Swap()) -> Commit | None:
        """``com.atproto.repo.deleteRecord``; ``None`` if there was nothing to delete.

        Raises:
            XrpcError: 400 ``InvalidSwap``.
        """
        before = self.find(collection, record_key)
        if before is None:
            return None
        self._check_commit(swap)
        self._check_record(swap, before)
        return self._commit(before, None)

    def find(self, collection: str, record_key: str) -> Record | None:
        """The record with this key, if there is one."""
        return self._collections.get(collection, {}).get(record_key)

    def list(self, collection: str) -> list[Record]:
        """The records of a collection by record key, the greatest first."""
        found = self._collections.get(collection, {})
        return [found[key] for key in sorted(found, reverse=True)]

    def _prepare(
        self, collection: str, record_key: str, value: Json, validate: bool | None
    ) -> tuple[Record, str | None]:
        typed = records.typed(collection, value)
        status = None
        if validate is not False:
            known_only = validate is True
            status = records.validate(collection, record_key, typed, known_only=known_only)
        for reference in contents.blobs_in(typed):
            self.blobs.check(reference)
        return Record(AtUri(self.did, collection, record_key), record_cid(typed), typed), status

    def _check_commit(self, swap: Swap) -> None:
        if swap.commit is not None and (self._head is None or swap.commit != self._head.cid):
            head = self._head.cid if self._head else None
            raise invalid_request(f"Commit was at {head}", "InvalidSwap")

    def _check_record(self, swap: Swap, before: Record | None) -> None:
        found = before.cid if before else None
        if swap.record not in (ANY, found):
            raise invalid_request(f"Record was at {found or 'null'}", "InvalidSwap")

    def _replace_same_subject(self, record: Record) -> None:
        # The PDS keeps one follow, block, like or repost of a subject: the new one replaces it.
        collection = record.uri.collection
        if collection in (records.LIKE, records.REPOST, records.FOLLOW, records.BLOCK):
            for other in self.list(collection):
                if contents.subject_of(other.value) == contents.subject_of(record.value):
                    self._commit(other, None)

    def _commit(self, before: Record | None, after: Record | None) -> Commit:
        changed = after or before
        if changed is None:
            raise ValueError("a commit needs a record")
        collection = self._collections.setdefault(changed.uri.collection, {})
        if after is None:
            del collection[changed.uri.record_key]
        else:
            collection[changed.uri.record_key] = after
            self.blobs.publish(contents.blobs_in(after.value))
        self._head = self._next_head(changed.uri, after)
        self._on_change(before, after)
        return self._head

    def _next_head(self, uri: AtUri, after: Record | None) -> Commit:
        rev = self._tids.next()
        previous = self._head.cid if self._head else None
        cid = after.cid if after else None
        signed = {"did": self.did, "rev": rev, "prev": previous, "uri": str(uri), "cid": cid}
        return Commit(record_cid(signed), rev)
