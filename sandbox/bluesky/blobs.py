"""Uploaded files: what the PDS keeps, and when it serves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.bluesky.errors import XrpcError, invalid_request
from sandbox.bluesky.identifiers import Json, blob_cid

UPLOAD_LIMIT = 5_242_880
"""The largest blob that the PDS takes, in bytes (``describeServer.blobUploadLimit``)."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


@dataclass(frozen=True, slots=True)
class Blob:
    """An uploaded file."""

    cid: str
    mime: str
    content: bytes

    def as_json(self) -> dict[str, Any]:
        """The reference that records hold."""
        ref = {"$link": self.cid}
        return {"$type": "blob", "ref": ref, "mimeType": self.mime, "size": len(self.content)}


class BlobStore:
    """The blobs of one account."""

    def __init__(self) -> None:
        self._uploaded: dict[str, Blob] = {}
        self._published: set[str] = set()

    def upload(self, content: bytes, mime: str) -> Blob:
        """``com.atproto.repo.uploadBlob``. The same bytes have the same reference.

        Raises:
            XrpcError: 413 ``PayloadTooLarge``.
        """
        if len(content) > UPLOAD_LIMIT:
            raise XrpcError(413, "PayloadTooLarge", "request entity too large")
        blob = Blob(blob_cid(content), _sniff(content) or mime, content)
        self._uploaded[blob.cid] = blob
        return blob

    def check(self, reference: Json) -> None:
        """Whether a record may hold this reference.

        Raises:
            XrpcError: 400 ``BlobNotFound``, ``InvalidMimeType`` or ``InvalidSize``.
        """
        cid = reference["ref"]["$link"]
        stored = self._uploaded.get(cid)
        if stored is None:
            raise invalid_request(f"Could not find blob: {cid}", "BlobNotFound")
        if cid in self._published:
            return  # the PDS checks a blob when it is first used
        if reference["mimeType"] != stored.mime:
            raise _mismatch("InvalidMimeType", "Mimetype", stored.mime, reference["mimeType"])
        if reference["size"] != len(stored.content):
            raise _mismatch("InvalidSize", "Size", len(stored.content), reference["size"])

    def publish(self, references: Iterable[Json]) -> None:
        """These are held by a record now, and served from now on."""
        self._published.update(reference["ref"]["$link"] for reference in references)

    def find(self, cid: str) -> Blob | None:
        """A blob that some record has held. Others are not served."""
        return self._uploaded.get(cid) if cid in self._published else None


def _mismatch(error: str, what: str, expected: object, got: object) -> XrpcError:
    message = f"Referenced {what} does not match stored blob. Expected: {expected}, Got: {got}"
    return invalid_request(message, error)


def _sniff(content: bytes) -> str | None:
    """What the first bytes say; the PDS believes them rather than the caller."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return next((mime for start, mime in _SIGNATURES if content.startswith(start)), None)
