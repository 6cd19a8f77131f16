"""The verdict of a soak run: whether something grew, or was left behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from wgig.files import PARTIAL_SUFFIX
from wgig.graphs.dumps import DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER, KEPT_DUMP_VERSIONS
from wgig.settings import MIB, QUAD_MEMORY_BYTES
from wgig.store.files import ASIDE_FOLDER

from .samples import READERS, Sample, below

TOLERANCE = 0.10
FEW = 2  # processes, threads or files more than before, which are no growth

Figure = Callable[[Sample], float]

# What stays beside the quads of a service that was stopped.
STAYS = {
    *("changes.sqlite", "changes.sqlite-shm", "changes.sqlite-wal"),
    *("control", "door", "dumps", "index", "readers"),
}


def figures(samples: Sequence[Sample]) -> dict[str, tuple[Figure, float]]:
    """What must not grow, with how much more is none."""
    first = samples[0]

    def beside(one: Sample) -> float:
        """The memory without what quads take in the readers that came since: each write is on record."""
        return one.whole - QUAD_MEMORY_BYTES * (one.quads - first.quads) * (READERS in one.memory)

    return {
        "memory of all processes, beside new quads": (beside, 0),
        "memory of the process that speaks HTTP": (lambda one: one.resident, 0),
        "processes": (lambda one: one.processes, FEW),
        "threads": (lambda one: one.threads, FEW),
        "open files": (lambda one: one.handles, FEW),
        "temporary files": (lambda one: one.temporary[0], FEW),
    }


def quarters(samples: Sequence[Sample], figure: Figure) -> tuple[float, float]:
    """The medians of a figure in the second quarter, after the warm-up, and in the last."""
    count = len(samples)
    second, last = samples[count // 4 : count // 2], samples[count * 3 // 4 :]
    return median(map(figure, second)), median(map(figure, last))


def grown(samples: Sequence[Sample]) -> Iterator[str]:
    """What grew and should not have, in words."""
    for what, (figure, allowed) in figures(samples).items():
        before, after = quarters(samples, figure)
        if after > before * (1 + TOLERANCE) + allowed:
            yield f"{what} grew from {before:,.0f} to {after:,.0f}"


def left(processes: Sequence[int], store: Path, temporary: Path) -> Iterator[str]:
    """What a service that was stopped left behind, in words."""
    yield from (f"process {one} still runs" for one in processes)
    yield from (f"a temporary file is left: {one.name}" for one in below(temporary))
    yield from (
        f"a file is half written: {one.name}" for one in below(store) if one.name.endswith(PARTIAL_SUFFIX)
    )
    aside = store / ASIDE_FOLDER
    yield from (f"left beside the quads: {one.name}" for one in aside.iterdir() if one.name not in STAYS)
    yield from (f"left of the readers: {one.name}" for one in below(aside / "readers"))
    dumps = {one.name for one in (aside / "dumps").glob("*")}
    yield from (f"left of a dump: {one}" for one in dumps & {DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER})
    if len(dumps) > KEPT_DUMP_VERSIONS:
        yield f"{len(dumps)} versions of the dump are kept"


def table(services: Mapping[str, Sequence[Sample]]) -> Iterator[tuple[str, ...]]:
    """Each figure of each service: in the second quarter, in the last, and how much more that is."""
    for name, samples in services.items():
        for what, (figure, _) in figures(samples).items():
            yield (name, what, *map(shown(what), quarters(samples, figure)))


def shown(what: str) -> Callable[[float], str]:
    """How a figure is written: memory in MiB."""
    return lambda value: f"{value / MIB:,.0f} MiB" if what.startswith("memory") else f"{value:,.0f}"
