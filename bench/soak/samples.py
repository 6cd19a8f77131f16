"""Samples of a service: memory, processes, threads, open files, and files on disk (Linux).

The folder `aside` of a store has everything except the quads and the change log, such as the search index.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..measure.client import Client, build_request
from ..measure.processes import iter_process_tree, measure_cpu_seconds, read_pss_bytes
from .load import LoadSummary

QUADS_METRIC = re.compile(rb"^wgig_quads ([\d.e+]+)", re.MULTILINE)
# Roles of processes: the service, the process that checks papers, the query workers.
SERVICE, CHECKER, READERS = "service", "checker", "readers"
ENGINE, OTHER = "engine", "other"  # types of open files: of the storage engine for the quads, or any other
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
END_TIMEOUT_SECONDS = 10  # until all processes of a stopped service must have ended

# Number of files, and their bytes.
FilesSize = tuple[int, int]


@dataclass(frozen=True)
class Sample:
    """All figures of one service at one time; memory in bytes."""

    seconds: float  # since the monitor was created
    memory: dict[str, int]  # by role; shared memory is counted once
    resident: int  # of the service process
    processes: int
    threads: int
    descriptors: dict[str, int]  # open files by type
    cpu: float  # seconds
    load: float  # of the machine, including other work
    store: dict[str, FilesSize]  # by part
    temporary: FilesSize  # of the folder for temporary files
    quads: int
    load_summary: LoadSummary

    @property
    def open_files(self) -> int:
        """Open files except those of the engine."""
        return sum(count for type_, count in self.descriptors.items() if type_ != ENGINE)

    @property
    def total_memory(self) -> int:
        """The memory of all processes."""
        return sum(self.memory.values())


class ServiceMonitor:
    """Takes samples of a service, and remembers its processes."""

    def __init__(self, pid: int, port: int, store: Path, temporary: Path) -> None:
        """Take the id of the service process, its port, and its folders."""
        self.pid, self.port, self.store, self.temporary = pid, port, store, temporary
        self.start_times: dict[int, str] = {}  # of all processes seen, by id
        self.start = time.monotonic()

    def sample(self, summary: LoadSummary) -> Sample:
        """Take a sample; `summary` is that of the requests since the last one."""
        pids = list(iter_process_tree(self.pid))
        self.remember_processes(pids)
        memory: Counter[str] = Counter()
        for pid in pids:
            memory[self.find_role(pid)] += read_pss_bytes(pid)
        return Sample(
            time.monotonic() - self.start,
            dict(memory),
            read_resident_bytes(self.pid),
            len(pids),
            sum(len(list_proc_entries(pid, "task")) for pid in pids),
            count_open_files(pids),
            measure_cpu_seconds(self.pid),
            os.getloadavg()[0],
            measure_store_parts(self.store),
            measure_files(self.temporary),
            fetch_quad_count(self.port),
            summary,
        )

    def remember_processes(self, pids: Sequence[int]) -> None:
        """Remember processes with their start times, because ids are used again."""
        self.start_times |= {pid: start for pid in pids if (start := read_start_time(pid))}

    def find_role(self, pid: int) -> str:
        """The role of a process of the service."""
        if pid == self.pid:
            return SERVICE
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return CHECKER  # it ended meanwhile, and uses no memory
        return READERS if b"workers.forker" in command else CHECKER  # workers are forks of the forker

    def find_left_processes(self, timeout_seconds: float = END_TIMEOUT_SECONDS) -> list[int]:
        """The ids of processes that still run some seconds after the service was stopped."""
        end = time.monotonic() + timeout_seconds
        while left := [pid for pid, start in self.start_times.items() if read_start_time(pid) == start]:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        return left


def fetch_quad_count(port: int) -> int:
    """The number of quads in the metrics of a service."""
    with Client(port) as client:
        match = QUADS_METRIC.search(client.send(build_request("/metrics"), keep_body=True).body)
    return int(float(match[1])) if match else 0


def read_start_time(pid: int) -> str:
    """The start time of a process, in ticks since boot; empty if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    state, start_time = fields[0], fields[19]  # fields 3 and 22 of proc_pid_stat(5)
    return "" if state == "Z" else start_time


def read_resident_bytes(pid: int) -> int:
    """The resident memory of one process, including shared memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def count_open_files(pids: Sequence[int]) -> dict[str, int]:
    """The number of open files of the processes, by type."""
    counts: Counter[str] = Counter()
    for pid in pids:
        for link in list_proc_entries(pid, "fd"):
            with suppress(OSError):  # closed meanwhile
                counts[classify_open_file(str(link.readlink()))] += 1
    return dict(counts)


def classify_open_file(target: str) -> str:
    """The type of an open file, from the target of its link in /proc.

    Files of the engine have their own type, because it opens and closes them at any time.
    """
    if "/quads" in target or "/aside/readers" in target:
        return ENGINE
    return target.partition(":")[0] if target.startswith(("socket:", "pipe:")) else OTHER


def list_proc_entries(pid: int, folder: str) -> list[Path]:
    """The threads (task) or open files (fd) of a process; none if it ended meanwhile."""
    try:
        return list(Path(f"/proc/{pid}/{folder}").iterdir())
    except OSError:
        return []


def measure_store_parts(store: Path) -> dict[str, FilesSize]:
    """The size of each file and folder of a store, and of each in its folder `aside`."""
    paths = (*store.iterdir(), *(store / "aside").iterdir())
    return {str(path.relative_to(store)): measure_files(path) for path in paths if path.name != "aside"}


def measure_files(path: Path) -> FilesSize:
    """The size of a file, or of all files in a folder."""
    sizes = [read_file_size(file) for file in (iter_files(path) if path.is_dir() else [path])]
    return len(sizes), sum(sizes)


def iter_files(folder: Path) -> Iterator[Path]:
    """All files in a folder and its subfolders."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)


def read_file_size(file: Path) -> int:
    """The bytes of a file; 0 if it was deleted meanwhile."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
