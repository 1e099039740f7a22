"""Files that agents attach: kept here, fetched by whoever gets the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.genesys.conversations import Attachment
from sandbox.genesys.ids import Ids

MAX_FILE_BYTES = 25 * 1024 * 1024
DEFAULT_SUPPORTED_MIMES = frozenset({"image/jpeg", "image/png", "image/gif"})


@dataclass(frozen=True, slots=True)
class File:
    """A file's content and what it is. Whoever knows the ``signature`` may fetch it."""

    content: bytes
    mime: str
    filename: str
    signature: str


class Files:
    """All files by id.

    ``supported_mimes`` is the supported content profile: what agents may send. ``base_url`` is
    where the files are fetched; set it to the server's own address once that is known.
    """

    def __init__(self, ids: Ids, *, base_url: str) -> None:
        self.base_url = base_url
        self.supported_mimes: set[str] = set(DEFAULT_SUPPORTED_MIMES)
        self.by_id: dict[str, File] = {}
        self._ids = ids

    def add(self, content: bytes, mime: str, filename: str, text: str = "") -> Attachment:
        """Upload a file, for use in a reply; ``text`` describes it.

        Raises:
            ValueError: too large, or of a type that agents may not send.
        """
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"{filename} is larger than {MAX_FILE_BYTES} bytes")
        if mime not in self.supported_mimes:
            raise ValueError(f"agents may not send {mime}")
        file_id = self._ids.uuid()
        self.by_id[file_id] = File(content, mime, filename, signature=self._ids.uuid())
        return Attachment(
            attachment_id=file_id,
            media_type=_media_type(mime),
            url=f"{self.base_url}/api/v2/downloads/{file_id}",
            mime=mime,
            filename=filename,
            size=len(content),
            text=text,
        )

    def signed_url(self, file_id: str) -> str:
        """Where a file is fetched without a token.

        Raises:
            KeyError: there is no such file.
        """
        return f"{self.base_url}/files/{file_id}?signature={self.by_id[file_id].signature}"


def _media_type(mime: str) -> Literal["Image", "Video", "Audio", "File"]:
    match mime.partition("/")[0]:
        case "image":
            return "Image"
        case "video":
            return "Video"
        case "audio":
            return "Audio"
        case _:
            return "File"
