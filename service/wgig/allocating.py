"""What the C library does with memory that was freed (glibc; elsewhere all stays as it is)."""

import ctypes

MMAP_THRESHOLD, ARENA_MAX = -3, -8  # as malloc.h numbers them
ARENAS = 2  # for all threads; by default there are eight a core, each of which keeps what is freed in it
LARGE = 128 * 1024  # bytes that are given back when they are freed; by default that grows to 32 MiB


def give_back() -> None:
    """Have threads share few arenas, and what is large given back. To be called before there are threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(ARENA_MAX, ARENAS)
        mallopt(MMAP_THRESHOLD, LARGE)
