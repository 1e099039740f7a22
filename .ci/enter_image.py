"""``enter_image.py ROOT COMMAND...``: what an orchestrator does before a container's process runs.

For root. It makes ROOT the root, gives up every capability for good, and becomes the image's user.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

USER = 10001
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
"""linux/prctl.h"""


def main() -> None:
    """Never returns."""
    root, *command = sys.argv[1:]
    control = ctypes.CDLL(None, use_errno=True).prctl
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text("ascii"))
    os.chroot(root)
    os.chdir("/")
    for capability in range(last + 1):
        require(control(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
    require(control(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)
    os.execv(command[0], command)  # noqa: S606 (as is meant)


def require(done: bool) -> None:
    """The kernel has done as it was asked."""
    if not done:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main()
