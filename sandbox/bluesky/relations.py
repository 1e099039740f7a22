"""Records by which one account points at something: likes, reposts, follows, blocks."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.bluesky.repository import Record


@dataclass(frozen=True, slots=True)
class Edge:
    """One such record. ``sort_at`` is the earlier of its own time and the time of indexing."""

    record: Record
    subject: str
    sort_at: str

    @property
    def did(self) -> str:
        """Whose record it is."""
        return self.record.uri.did


class Relation:
    """All edges of one kind, by subject and by account.

    An account may have several records for one subject; they count once, the oldest stands.
    """

    def __init__(self) -> None:
        self._to: dict[str, dict[str, list[Edge]]] = {}
        self._from: dict[str, dict[str, list[Edge]]] = {}

    def add(self, edge: Edge) -> bool:
        """Take in a record; whether it is the first of this account for this subject."""
        edges = self._to.setdefault(edge.subject, {}).setdefault(edge.did, [])
        edges.append(edge)
        self._from.setdefault(edge.did, {})[edge.subject] = edges
        return len(edges) == 1

    def remove(self, record: Record, subject: str) -> None:
        """Forget a record; one that is not there is no error."""
        did = record.uri.did
        edges = self._to.get(subject, {}).get(did, [])
        edges[:] = [edge for edge in edges if edge.record.uri != record.uri]
        if not edges:
            self._to.get(subject, {}).pop(did, None)
            self._from.get(did, {}).pop(subject, None)

    def uri(self, did: str, subject: str) -> str | None:
        """The uri of this account's record for this subject, if it has one."""
        edges = self._from.get(did, {}).get(subject)
        return str(edges[0].record.uri) if edges else None

    def of(self, subject: str) -> list[Edge]:
        """One edge for each account that points at this subject, the newest first."""
        first = [edges[0] for edges in self._to.get(subject, {}).values()]
        return sorted(first, key=lambda edge: edge.sort_at, reverse=True)

    def by(self, did: str) -> list[Edge]:
        """One edge for each subject that this account points at."""
        return [edges[0] for edges in self._from.get(did, {}).values()]

    def count_of(self, subject: str) -> int:
        """How many accounts point at this subject."""
        return len(self._to.get(subject, {}))

    def count_by(self, did: str) -> int:
        """How many subjects this account points at."""
        return len(self._from.get(did, {}))
