"""Threads share few arenas, so that what one frees is taken by another."""

import subprocess
import sys

import pytest
from wgig.allocating import ARENAS

THREADS = """
import ctypes, threading
from wgig.allocating import give_back

{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
meeting = threading.Barrier(12)

def take():
    meeting.wait()
    libc.malloc(ctypes.c_size_t(50_000))
    meeting.wait()

threads = [threading.Thread(target=take) for _ in range(meeting.parties)]
for one in threads:
    one.start()
for one in threads:
    one.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def arenas(call: str) -> int:
    told = subprocess.run(
        [sys.executable, "-c", THREADS.format(call=call)], capture_output=True, text=True, check=True
    )
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_info is of glibc.")
def test_many_threads_share_few_arenas() -> None:
    assert arenas("") > ARENAS
    assert arenas("give_back()") <= ARENAS
