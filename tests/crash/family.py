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
FORKER_MODULE, CHECKER_MODULE = "workers.forker", "anyio.to_process"  # in the commands of these processes
EXIT_SECONDS = 3  # within which all processes of a killed service must end


class Process(NamedTuple):
    """A running process: its ID, that of its parent, its start time in clock ticks, and its CPU seconds."""

    pid: int
    parent: int
    start_ticks: int
    cpu_seconds: float
    command: str


def list_running_processes() -> dict[int, Process]:
    """The running processes by ID, without zombies, unless they have further threads and so open files."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z" or int(fields[THREADS_FIELD]) > 1:
                cpu_ticks = int(fields[USER_TICKS_FIELD]) + int(fields[SYSTEM_TICKS_FIELD])
                processes[int(folder.name)] = Process(
                    int(folder.name),
                    int(parent),
                    int(fields[START_TICKS_FIELD]),
                    cpu_ticks / os.sysconf("SC_CLK_TCK"),
                    command,
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

    A checker validates papers. A holder has a copy of the quads open, and is forked into readers, which
    evaluate queries and have the same command. With front processes, the service has a writer, the parent of
    checker and holder.
    """
    descendants = find_descendants(pid)
    forked = [process for process in descendants if FORKER_MODULE in process.command]
    forked_ids = {process.pid for process in forked}
    holders = [process for process in forked if process.parent not in forked_ids]
    writers = {process.parent for process in holders} - {pid}
    return {
        "checker": [process.pid for process in descendants if CHECKER_MODULE in process.command],
        "holder": [process.pid for process in holders],
        "reader": [process.pid for process in forked if process.parent in forked_ids],
        "writer": [*writers],
        "front": [p.pid for p in descendants if writers and p.parent == pid and p.pid not in writers],
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
