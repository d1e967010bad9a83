"""Keeping freed memory for the next step instead of asking the system for it again."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The names of mallopt's parameters in glibc's malloc.h, and the values that its own tuning ends at.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_COUNT = -1, -3, -4
LARGEST = 2**31 - 1
USUAL = ((MMAP_COUNT, 65536), (MMAP_THRESHOLD, 32 << 20), (TRIM_THRESHOLD, 64 << 20))
KEEPING = ((MMAP_COUNT, 0), (TRIM_THRESHOLD, LARGEST))


@contextmanager
def kept_memory() -> Iterator[None]:
    """Let the C library keep what is freed; at the end it gives everything back.

    A training step frees large tensors and asks for the same ones again. glibc returns them to
    the system in between, which then clears every page anew: on a CPU that costs small networks
    a fifth to a half of their time. Where the C library is another, nothing changes.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for parameter, value in KEEPING:
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in USUAL:
            library.mallopt(parameter, value)
        library.malloc_trim(0)
