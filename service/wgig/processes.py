"""Processes of a service: names, signals, and what happens when the parent of one ends (Linux)."""

import ctypes
import os
import select
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # operations of prctl(2)


def name_process(name: str) -> None:
    """Name this process, as `ps` and `top` show it: at most 15 characters."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")


def control_process(operation: int, argument: int) -> bool:
    """Call prctl(2); False if the system has none."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(operation, argument)
    return prctl is not None


def signal_at_parent_exit(signal_: signal.Signals) -> bool:
    """Let the system send this process a signal when its parent exits; False if it does not support that."""
    return control_process(PR_SET_PDEATHSIG, signal_)


def end_with_parent(parent: int) -> None:
    """Let this process end when its parent ends."""
    if signal_at_parent_exit(signal.SIGTERM) and os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> bool:
    """Become the parent of descendants whose parents exit; False if the system does not support that."""
    return control_process(PR_SET_CHILD_SUBREAPER, 1)


def send_signal(process_id: int, signal_: int) -> None:
    """Send a signal to a process, unless it has exited."""
    with suppress(ProcessLookupError):
        os.kill(process_id, signal_)


def read_process_state(process_id: int) -> bytes:
    """The state of a process as one letter (proc(5)); empty if it is unknown."""
    try:
        return Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return b""


class ProcessUsage(NamedTuple):
    """What a process uses.

    `cpu_seconds` include those of children that have exited. Of memory that several processes share, each has
    its part.
    """

    cpu_seconds: float
    resident_bytes: int
    virtual_bytes: int
    open_files: int
    max_open_files: int


def read_process_usage(process_id: int) -> ProcessUsage:
    """What a process uses, from proc(5). Raises OSError if it has exited."""
    folder = Path(f"/proc/{process_id}")
    fields = (folder / "stat").read_bytes().rpartition(b") ")[2].split()
    memory, limits = ((folder / name).read_bytes() for name in ("smaps_rollup", "limits"))
    return ProcessUsage(
        sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"),
        1024 * int(memory.partition(b"\nPss:")[2].split()[0]),
        int(fields[20]),
        sum(1 for _ in (folder / "fd").iterdir()),
        int(limits.partition(b"Max open files")[2].split()[0]),
    )


def list_process_tree(root: int) -> list[int]:
    """The IDs of a process and its descendants."""
    processes = [root]
    for process_id in processes:  # the list grows
        for file in Path(f"/proc/{process_id}/task").glob("*/children"):
            with suppress(OSError):
                processes += map(int, file.read_bytes().split())
    return processes


class ForeignProcess:
    """A process that another process has forked; like `subprocess.Popen`."""

    def __init__(self, process_id: int) -> None:
        """`process_id` is its ID."""
        self.pid = process_id
        self.descriptor: int | None = None
        with suppress(ProcessLookupError):
            self.descriptor = os.pidfd_open(process_id)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has exited. Raises TimeoutError."""
        if self.descriptor is None:
            return
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        if not poller.poll(None if timeout is None else timeout * 1000):
            raise TimeoutError
        os.close(self.descriptor)
        self.descriptor = None

    def kill(self) -> None:
        """Kill it."""
        if self.descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
