"""The plot of a soak run: a column for each service, a row for each group of figures."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from wgig.settings import MIB

from .samples import CHECKER, READERS, SERVICE, Sample
from .verdict import SampleFigure

# Beginnings of the names of files and folders in the folder of a store.
STORE_PARTS = ("quads", "log", "aside/changes", "aside/dumps", "aside/index")


def make_memory_figure(role: str) -> SampleFigure:
    """The memory of the processes with a role, in MiB."""
    return lambda sample: sample.memory.get(role, 0) / MIB


def make_store_figure(part: str) -> SampleFigure:
    """The size of the files and folders whose names begin with `part`, in MiB."""
    return lambda sample: sum(size for name, (_, size) in sample.store.items() if name.startswith(part)) / MIB


ROWS: Mapping[str, Mapping[str, SampleFigure]] = {
    "memory, MiB": {
        "all": lambda sample: sample.total_memory / MIB,
        "service process": make_memory_figure(SERVICE),
        "query workers": make_memory_figure(READERS),
        "check process": make_memory_figure(CHECKER),
    },
    "number": {
        "open files": lambda sample: sample.open_files,
        "threads": lambda sample: sample.threads,
        "processes": lambda sample: sample.processes,
        "temporary files": lambda sample: sample.temporary[0],
    },
    "store, MiB": {part: make_store_figure(part) for part in STORE_PARTS},
    "seconds": {
        "99 % of responses": lambda sample: sample.load_summary.p99,
        "half of responses": lambda sample: sample.load_summary.p50,
    },
    "load": {"load of the machine": lambda sample: sample.load},
}
LOGARITHMIC_ROW = "seconds"


def draw_services(samples_by_service: Mapping[str, Sequence[Sample]]) -> Figure:
    """All figures of all services; each point is the median of a minute."""
    plot = Figure(figsize=(9, 11), layout="constrained")
    grid = plot.subplots(len(ROWS), len(samples_by_service), sharex=True, sharey="row", squeeze=False)
    for (unit, figures), row in zip(ROWS.items(), grid, strict=True):
        for axes, samples in zip(row, samples_by_service.values(), strict=True):
            draw_lines(axes, samples, figures)
        row[0].set_ylabel(unit)
        row[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        if unit == LOGARITHMIC_ROW:
            row[0].set_yscale("log")
        else:
            row[0].set_ylim(bottom=0)
    for axes, name in zip(grid[0], samples_by_service, strict=True):
        axes.set_title(name)
    plot.supxlabel("minutes")
    return plot


def draw_lines(axes: Axes, samples: Sequence[Sample], figures: Mapping[str, SampleFigure]) -> None:
    """A line for each figure of one service."""
    for name, figure in figures.items():
        axes.plot(*zip(*iter_minute_medians(samples, figure), strict=True), label=name, linewidth=1.2)
    axes.grid(color="0.9")


def iter_minute_medians(samples: Sequence[Sample], figure: SampleFigure) -> Iterator[tuple[int, float]]:
    """Each minute since the first sample, and the median of the figure in it."""
    start = samples[0].seconds
    for minute, of_minute in groupby(samples, lambda sample: int((sample.seconds - start) // 60)):
        yield minute, median(map(figure, of_minute))
