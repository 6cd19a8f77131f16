"""CPU and memory of a server: of its process and all its descendants (Linux)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def measure_cpu_seconds(pid: int) -> float:
    """Seconds of CPU of a process and its descendants since its start, including those that ended."""
    return sum(
        read_cpu_seconds(process_id) + read_ended_children_cpu_seconds(process_id)
        for process_id in iter_process_tree(pid)
    )


def measure_memory_bytes(pid: int) -> int:
    """Bytes that a process and its descendants use; memory that they share is counted once."""
    return sum(map(read_pss_bytes, iter_process_tree(pid)))


def iter_process_tree(pid: int) -> Iterator[int]:
    """The ids of a process and of its descendants."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = " ".join((thread / "children").read_text() for thread in threads)
    except OSError:  # the process, or one of its threads, ended meanwhile
        return
    for child in children.split():
        yield from iter_process_tree(int(child))


def read_cpu_seconds(pid: int) -> float:
    """Seconds of CPU of one running process, to the nanosecond; 0 if it ended meanwhile."""
    try:
        # The id of the CPU clock of a process on Linux: clock_getcpuclockid(3), which Python does not have.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def read_ended_children_cpu_seconds(pid: int) -> float:
    """Seconds of CPU that the ended children of a process used, to the tick; 0 if the process ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    user_ticks, system_ticks = fields[13:15]  # fields 16 and 17 of proc_pid_stat(5): cutime and cstime
    return (int(user_ticks) + int(system_ticks)) / TICKS_PER_SECOND


def read_pss_bytes(pid: int) -> int:
    """Memory of one process: its private pages, and its part of the pages that it shares (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
