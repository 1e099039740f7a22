"""How the process deals with memory: the usual ways suit programs that end soon."""

from __future__ import annotations

import ctypes
import gc

_OBJECTS_BETWEEN_COLLECTIONS = 5000
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE_BYTES = 128 * 1024


def prepare_memory() -> None:
    """Set up the garbage collector and the allocator, once all that stays is loaded."""
    _keep_out_of_collections()
    _give_back_what_is_large()


def _keep_out_of_collections() -> None:
    """Let the garbage collector pass over all that is loaded by now, since it stays anyway.

    It is some 100,000 objects. A full collection that looks at them stops everything for 50 ms on
    a good day and 250 ms on a bad one, and under load there is one every few seconds.

    What is made afterwards is seldom garbage that only the collector finds. By default it looks
    after every 700 objects, which under load takes a twelfth of all time; like this it takes less
    than half of that, and 4 MB more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _give_back_what_is_large() -> None:
    """Let the C library give what is large back to the system as soon as it is freed.

    By default glibc does so only until the first time: what is as large as that it takes from the
    heap from then on (``mallopt(3)``, dynamic mmap threshold). What a look at 10,000 known posts
    needs for a moment leaves holes there, which small things that stay creep into, and the heap
    grows for hours. For the same reason all threads share one heap: only one is ever busy.

    Other C libraries have no ``mallopt``, and are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_ARENA_MAX, 1)
