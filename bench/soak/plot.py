"""The plot of a soak run: a column for each service, a row for each kind of figure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from wgig.settings import MIB

from .samples import CHECKER, READERS, SERVICE, Sample
from .verdict import Figure as Line

PARTS = ("quads", "versions", "aside/changes", "aside/dumps", "aside/index")


def memory(kind: str) -> Line:
    """What processes of a kind take, in MiB."""
    return lambda one: one.memory.get(kind, 0) / MIB


def stored(part: str) -> Line:
    """What a part of the store takes, in MiB."""
    return lambda one: sum(size for name, (_, size) in one.store.items() if name.startswith(part)) / MIB


ROWS: Mapping[str, Mapping[str, Line]] = {
    "memory, MiB": {
        "all": lambda one: one.whole / MIB,
        "speaks HTTP": memory(SERVICE),
        "readers": memory(READERS),
        "check papers": memory(CHECKER),
    },
    "number": {
        "open files": lambda one: one.handles,
        "threads": lambda one: one.threads,
        "processes": lambda one: one.processes,
        "temporary files": lambda one: one.temporary[0],
    },
    "store, MiB": {part: stored(part) for part in PARTS},
    "seconds": {
        "99 of 100 answers": lambda one: one.asked.p99,
        "half of the answers": lambda one: one.asked.p50,
    },
    "load": {"load of the machine": lambda one: one.load},
}
LOGARITHMIC = "seconds"


def figure(services: Mapping[str, Sequence[Sample]]) -> Figure:
    """All lines of all services; each point is the median of a minute."""
    found = Figure(figsize=(9, 11), layout="constrained")
    grid = found.subplots(len(ROWS), len(services), sharex=True, sharey="row", squeeze=False)
    for (unit, lines), row in zip(ROWS.items(), grid, strict=True):
        for axes, samples in zip(row, services.values(), strict=True):
            draw(axes, samples, lines)
        row[0].set_ylabel(unit)
        row[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        if unit == LOGARITHMIC:
            row[0].set_yscale("log")
        else:
            row[0].set_ylim(bottom=0)
    for axes, name in zip(grid[0], services, strict=True):
        axes.set_title(name)
    found.supxlabel("minutes")
    return found


def draw(axes: Axes, samples: Sequence[Sample], lines: Mapping[str, Line]) -> None:
    """The lines of one kind of one service."""
    for name, line in lines.items():
        axes.plot(*zip(*minutes(samples, line), strict=True), label=name, linewidth=1.2)
    axes.grid(color="0.9")


def minutes(samples: Sequence[Sample], line: Line) -> Iterator[tuple[int, float]]:
    """The median of each minute since the first sample."""
    first = samples[0].seconds
    for minute, ones in groupby(samples, lambda one: int((one.seconds - first) // 60)):
        yield minute, median(map(line, ones))
