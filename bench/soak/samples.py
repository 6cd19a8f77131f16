"""One sample of a service: memory, processes, threads, open files, and what is on disk (Linux)."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..measure.client import Client, request
from ..measure.processes import cpu, family, held
from .load import Asked

QUADS = re.compile(rb"^wgig_quads ([\d.e+]+)", re.MULTILINE)
SERVICE, CHECKER, READERS = "service", "checker", "readers"
ENGINE, OTHER = "engine", "other"
PAGE = os.sysconf("SC_PAGE_SIZE")
GRACE = 10  # seconds until no process may be left of a service that was stopped

# Files and bytes.
Size = tuple[int, int]


@dataclass(frozen=True)
class Sample:
    """All figures of one service at a moment, in seconds since its start and in bytes."""

    seconds: float
    memory: dict[str, int]  # by what the processes do; what they share is counted once
    resident: int  # of the process that speaks HTTP alone
    processes: int
    threads: int
    descriptors: dict[str, int]  # open files by what they are
    cpu: float
    load: float  # of the machine, with all else that it does
    store: dict[str, Size]  # by part
    temporary: Size
    quads: int
    asked: Asked

    @property
    def handles(self) -> int:
        """Open files beside those of the engine."""
        return sum(count for what, count in self.descriptors.items() if what != ENGINE)

    @property
    def whole(self) -> int:
        """The memory of all processes together."""
        return sum(self.memory.values())


class Watched:
    """A service that is looked at now and then, and whose processes are remembered."""

    def __init__(self, process: int, port: int, store: Path, temporary: Path) -> None:
        """The number of its process, its port, and its folders."""
        self.process, self.port, self.store, self.temporary = process, port, store, temporary
        self.seen: dict[int, str] = {}  # when each process began, by its number
        self.start = time.monotonic()

    def sample(self, asked: Asked) -> Sample:
        """The figures of now, with what was asked since the last ones."""
        numbers = list(family(self.process))
        self.note(numbers)
        memory: Counter[str] = Counter()
        for one in numbers:
            memory[self.role(one)] += held(one)
        return Sample(
            time.monotonic() - self.start,
            dict(memory),
            resident(self.process),
            len(numbers),
            sum(len(listed(one, "task")) for one in numbers),
            opened(numbers),
            cpu(self.process),
            os.getloadavg()[0],
            parts(self.store),
            size(self.temporary),
            quads(self.port),
            asked,
        )

    def note(self, processes: Sequence[int]) -> None:
        """Remember that there were these processes."""
        self.seen |= {one: when for one in processes if (when := began(one))}

    def role(self, process: int) -> str:
        """What a process of the service does."""
        if process == self.process:
            return SERVICE
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return CHECKER  # it ended meanwhile, and holds nothing
        return READERS if b"workers.forker" in command else CHECKER

    def left(self, grace: float = GRACE) -> list[int]:
        """Processes of it that still run when it was stopped some seconds ago."""
        until = time.monotonic() + grace
        while there := [number for number, when in self.seen.items() if began(number) == when]:
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        return there


def quads(port: int) -> int:
    """How much a service holds, as it tells itself."""
    with Client(port) as client:
        found = QUADS.search(client.ask(request("/metrics"), keep=True).body)
    return int(float(found[1])) if found else 0


def began(process: int) -> str:
    """When a process began, empty where there is none that runs."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def resident(process: int) -> int:
    """The memory of one process, with what it shares."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE


def opened(processes: Sequence[int]) -> dict[str, int]:
    """How many files the processes have open by kind; the engine has more and fewer as it likes."""
    found: Counter[str] = Counter()
    for process in processes:
        for one in listed(process, "fd"):
            with suppress(OSError):  # closed meanwhile
                found[kind(str(one.readlink()))] += 1
    return dict(found)


def kind(target: str) -> str:
    """What an open file is, by what its link in /proc names."""
    if "/quads" in target or "/aside/readers" in target:
        return ENGINE
    return target.partition(":")[0] if target.startswith(("socket:", "pipe:")) else OTHER


def listed(process: int, what: str) -> list[Path]:
    """The threads (task) or open files (fd) of a process; none when it ended meanwhile."""
    try:
        return list(Path(f"/proc/{process}/{what}").iterdir())
    except OSError:
        return []


def parts(store: Path) -> dict[str, Size]:
    """Files and bytes of each file and folder of a store, and of each of those beside its quads."""
    every = (*store.iterdir(), *(store / "aside").iterdir())
    return {str(one.relative_to(store)): size(one) for one in every if one.name != "aside"}


def size(place: Path) -> Size:
    """The files in a folder, or the one that is there, and their bytes."""
    sizes = [room(one) for one in (below(place) if place.is_dir() else [place])]
    return len(sizes), sum(sizes)


def below(folder: Path) -> Iterator[Path]:
    """All that is not a folder below one."""
    for where, _, names in os.walk(folder):
        yield from (Path(where) / name for name in names)


def room(file: Path) -> int:
    """The bytes of a file; none when it is gone."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
