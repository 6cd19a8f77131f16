"""The processes of a service, as the system tells them (Linux)."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GONE = 3  # seconds within which nothing may be left of a service that was killed


class Process(NamedTuple):
    """A process that runs: numbers of it and of its parent, when it began, its seconds of the processor."""

    pid: int
    parent: int
    began: int
    seconds: float
    command: str


def running() -> dict[int, Process]:
    """The processes that run, without those that only wait for their end to be noticed."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *rest = (place / "stat").read_text().rpartition(") ")[2].split()
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z":
                seconds = (int(rest[9]) + int(rest[10])) / os.sysconf("SC_CLK_TCK")
                found[int(place.name)] = Process(
                    int(place.name), int(parent), int(rest[17]), seconds, command
                )
    return found


def descendants(pid: int) -> list[Process]:
    """The processes below one, parents first."""
    there = running()
    found = [one for one in there.values() if one.parent == pid]
    for one in found:  # which grows on the way
        found += [other for other in there.values() if other.parent == one.pid]
    return found


def family(pid: int) -> dict[str, list[int]]:
    """The processes below a service by what they do.

    A holder holds a copy of the quads and is forked into readers, which look like it.
    """
    below = descendants(pid)
    return {
        "checker": [one.pid for one in below if one.parent == pid and "anyio.to_process" in one.command],
        "holder": [one.pid for one in below if one.parent == pid and "workers.forker" in one.command],
        "reader": [one.pid for one in below if one.parent != pid and "workers.forker" in one.command],
    }


def is_halted(pid: int) -> bool:
    """Whether all threads of a process do nothing until they are told to go on, or to end."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(one.read_text().rpartition(") ")[2].startswith("T") for one in threads)


def processor_seconds(pid: int) -> float:
    """The time of the processor that a process and those below it took so far."""
    return running()[pid].seconds + sum(one.seconds for one in descendants(pid))


def kill(pid: int) -> None:
    """End a process at once, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def left_of(members: list[Process]) -> list[Process]:
    """Those of the processes that still run after the time that they have to end."""
    until = time.monotonic() + GONE
    while time.monotonic() < until:
        there = running()
        # A number may belong to another process by now.
        left = [one for one in members if one.pid in there and there[one.pid].began == one.began]
        if not left:
            return []
    return left
