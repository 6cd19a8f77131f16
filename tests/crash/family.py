"""The processes of a service, read from /proc (Linux)."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# Indexes of fields of /proc/PID/stat after the ID of the parent: user and system CPU time, number of threads,
# start time.
USER_TICKS_FIELD, SYSTEM_TICKS_FIELD, THREADS_FIELD, START_TICKS_FIELD = 9, 10, 15, 17
CHECKER_MODULE = "anyio.to_process"  # in the command of this process
EXIT_SECONDS = 3  # within which all processes of a killed service must end


class Process(NamedTuple):
    """A running process: its ID, that of its parent, its start time in clock ticks, and its CPU seconds.

    `name` is what `ps` shows, such as wgig-worker.
    """

    pid: int
    parent: int
    start_ticks: int
    cpu_seconds: float
    command: str
    name: str


def list_running_processes() -> dict[int, Process]:
    """The running processes by ID, without zombies, unless they have further threads and so open files."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            name = (folder / "comm").read_text().strip()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z" or int(fields[THREADS_FIELD]) > 1:
                cpu_ticks = int(fields[USER_TICKS_FIELD]) + int(fields[SYSTEM_TICKS_FIELD])
                processes[int(folder.name)] = Process(
                    int(folder.name),
                    int(parent),
                    int(fields[START_TICKS_FIELD]),
                    cpu_ticks / os.sysconf("SC_CLK_TCK"),
                    command,
                    name,
                )
    return processes


def find_descendants(pid: int) -> list[Process]:
    """The processes below a process, parents first."""
    running = list_running_processes()
    descendants = [process for process in running.values() if process.parent == pid]
    for parent in descendants:  # the list grows during the loop
        descendants += [process for process in running.values() if process.parent == parent.pid]
    return descendants


def list_processes_by_type(pid: int) -> dict[str, list[int]]:
    """The IDs of the processes below a service by their type.

    A checker validates papers. A holder has a copy of the quads, and is forked into readers, which evaluate
    queries, and into front processes, if there are any.
    """
    descendants = find_descendants(pid)
    names = {"holder": "forker", "reader": "worker", "writer": "writer", "front": "front"}
    return {
        "checker": [process.pid for process in descendants if CHECKER_MODULE in process.command],
        **{
            type_: [process.pid for process in descendants if process.name == f"wgig-{name}"]
            for type_, name in names.items()
        },
    }


def is_halted(pid: int) -> bool:
    """Whether all threads of a process are stopped."""
    stat_files = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(file.read_text().rpartition(") ")[2].startswith("T") for file in stat_files)


def read_cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants."""
    own_seconds = list_running_processes()[pid].cpu_seconds
    return own_seconds + sum(process.cpu_seconds for process in find_descendants(pid))


def kill_process(pid: int) -> None:
    """Kill a process, if it still exists."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_for_exit(processes: list[Process]) -> list[Process]:
    """Wait up to EXIT_SECONDS for the end of the processes. Returns those that still run."""
    deadline = time.monotonic() + EXIT_SECONDS
    while time.monotonic() < deadline:
        running = list_running_processes()
        # An ID may be that of another process by now, with another start time.
        remaining = [
            process
            for process in processes
            if process.pid in running and running[process.pid].start_ticks == process.start_ticks
        ]
        if not remaining:
            return []
    return remaining
