"""The processes below a process, and what each uses."""

import os
import resource
import time
from collections.abc import Callable

from wgig.processes import list_process_tree, read_process_usage

BURNT_SECONDS = 0.1


def fork_child(run: Callable[[], object]) -> int:
    """Fork a child that calls a function and exits. Returns its process ID."""
    child = os.fork()
    if not child:
        run()
        os._exit(0)
    return child


def test_tree_has_children_of_children() -> None:
    ids_read_end, ids_write_end = os.pipe()
    end_read_end, end_write_end = os.pipe()

    def wait_for_end() -> None:
        os.write(ids_write_end, b"%d" % os.getpid())
        os.read(end_read_end, 1)

    child = fork_child(lambda: os.waitpid(fork_child(wait_for_end), 0))
    grandchild = int(os.read(ids_read_end, 100))
    assert {os.getpid(), child, grandchild} <= {*list_process_tree(os.getpid())}
    os.write(end_write_end, b"x")
    os.waitpid(child, 0)


def test_usage_has_the_cpu_time_of_children_that_have_exited() -> None:
    def burn() -> None:
        start = time.process_time()
        while time.process_time() < start + BURNT_SECONDS:
            pass

    before = read_process_usage(os.getpid())
    os.waitpid(fork_child(burn), 0)
    after = read_process_usage(os.getpid())
    assert after.cpu_seconds - before.cpu_seconds > BURNT_SECONDS / 2
    assert after.max_open_files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert 0 < after.resident_bytes < after.virtual_bytes
