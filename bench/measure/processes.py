"""What a server costs: CPU and memory of its process and of all that it started (Linux)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu(process: int) -> float:
    """Seconds of CPU since its start, of all threads and all that it started, also of those that ended."""
    return sum(own(one) + ended(one) for one in family(process))


def memory(process: int) -> int:
    """Bytes that it holds with all that it started; what processes share is counted once."""
    return sum(held(one) for one in family(process))


def family(process: int) -> Iterator[int]:
    """The process and those that it started, and those that they started."""
    yield process
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        children = " ".join((one / "children").read_text() for one in threads)
    except OSError:  # it, or one of its threads, ended meanwhile
        return
    for child in children.split():
        yield from family(int(child))


def own(process: int) -> float:
    """Seconds of CPU of one process that runs, to the nanosecond; 0 when it ended meanwhile."""
    try:
        # How Linux numbers the CPU clock of a process: clock_getcpuclockid(3), which Python does not have.
        return time.clock_gettime((~process << 3) | 2)
    except OSError:
        return 0.0


def ended(process: int) -> float:
    """Seconds of CPU of its children that ended, to the tick."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / TICK


def held(process: int) -> int:
    """Its share of the memory: pages of its own, and its part of those that it shares (PSS)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
