"""What the process needs for a moment only, it gives back."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from tests.conftest import ROOT

LARGE_MB = 40.0
PROGRAM = """
import sys
from pathlib import Path
from connector.memory import prepare_memory

def read_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6

if sys.argv[1] == "prepared":
    prepare_memory()
bytes(1_000_000)
before = read_mb()
large, small = [], []
for number in range(200):
    large.append(b"x" * 200_000)
    small.append(b"x" * 700)
most = read_mb()
large.clear()
print(most - before, read_mb() - before)
"""


def measure(how: str) -> tuple[float, float]:
    """How much more memory a process has with large and small things, and without the large."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], cwd=ROOT, capture_output=True, check=True, text=True
    )
    most, left = done.stdout.split()
    return float(most), float(left)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
def test_what_is_large_is_given_back() -> None:
    """Also when small things that stay were made between them, and although it has happened before.

    Without being told to, the C library keeps it: else there would be nothing to tell.
    """
    most, left = measure("prepared")
    assert most > LARGE_MB * 0.9
    assert left < 2.0
    _, left = measure("as it is")
    assert left > LARGE_MB * 0.9
