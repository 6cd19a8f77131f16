"""Processes of a service: names, signals, and what happens when the parent of one ends (Linux)."""

import ctypes
import os
import select
import signal
from contextlib import suppress
from pathlib import Path

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
