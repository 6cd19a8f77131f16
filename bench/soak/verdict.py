"""The verdict of a soak run: whether a figure grew, or processes or files were left behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from wgig.files import PARTIAL_SUFFIX
from wgig.graphs.dumps import DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER, KEPT_DUMP_VERSIONS
from wgig.settings import MIB, QUAD_MEMORY_BYTES
from wgig.store.files import ASIDE_FOLDER

from .samples import READERS, Sample, iter_files

TOLERATED_GROWTH_SHARE = 0.10  # of the median in the second quarter
TOLERATED_COUNT = 2  # additional processes, threads or files

SampleFigure = Callable[[Sample], float]  # one figure of a sample

# Files and folders that a stopped service keeps in the folder `aside` of its store.
KEPT_NAMES = {
    *("changes.sqlite", "changes.sqlite-shm", "changes.sqlite-wal"),
    *("control", "door", "dumps", "index", "readers", "saved"),
}


def list_figures(samples: Sequence[Sample]) -> dict[str, tuple[SampleFigure, float]]:
    """The figures that must not grow, each with its tolerated absolute growth, by name."""
    first = samples[0]

    def memory_without_new_quads(sample: Sample) -> float:
        """The memory minus that of new quads in the workers, because each write adds quads to the history."""
        new_quads = sample.quads - first.quads
        return sample.total_memory - QUAD_MEMORY_BYTES * new_quads * (READERS in sample.memory)

    return {
        "memory of all processes, without new quads": (memory_without_new_quads, 0),
        "memory of the service process": (lambda sample: sample.resident, 0),
        "processes": (lambda sample: sample.processes, TOLERATED_COUNT),
        "threads": (lambda sample: sample.threads, TOLERATED_COUNT),
        "open files": (lambda sample: sample.open_files, TOLERATED_COUNT),
        "temporary files": (lambda sample: sample.temporary[0], TOLERATED_COUNT),
    }


def compute_quarter_medians(samples: Sequence[Sample], figure: SampleFigure) -> tuple[float, float]:
    """The medians of a figure in the second quarter of the samples, after the warm-up, and in the last."""
    count = len(samples)
    second, last = samples[count // 4 : count // 2], samples[count * 3 // 4 :]
    return median(map(figure, second)), median(map(figure, last))


def find_growth(samples: Sequence[Sample]) -> Iterator[str]:
    """A sentence for each figure that grew more than is tolerated."""
    for name, (figure, tolerated) in list_figures(samples).items():
        before, after = compute_quarter_medians(samples, figure)
        if after > before * (1 + TOLERATED_GROWTH_SHARE) + tolerated:
            yield f"{name} grew from {before:,.0f} to {after:,.0f}"


def find_leftovers(pids: Sequence[int], store: Path, temporary: Path) -> Iterator[str]:
    """A sentence for each process and file that a stopped service left behind."""
    yield from (f"process {pid} still runs" for pid in pids)
    yield from (f"a temporary file is left: {file.name}" for file in iter_files(temporary))
    yield from (
        f"a file is partially written: {file.name}"
        for file in iter_files(store)
        if file.name.endswith(PARTIAL_SUFFIX)
    )
    aside = store / ASIDE_FOLDER
    yield from (
        f"left beside the quads: {path.name}" for path in aside.iterdir() if path.name not in KEPT_NAMES
    )
    yield from (f"left by query workers: {file.name}" for file in iter_files(aside / "readers"))
    dump_names = {path.name for path in (aside / "dumps").glob("*")}
    yield from (f"left by a dump: {name}" for name in dump_names & {DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER})
    if len(dump_names) > KEPT_DUMP_VERSIONS:
        yield f"{len(dump_names)} versions of the dump are kept, more than {KEPT_DUMP_VERSIONS}"


def iter_table_rows(samples_by_service: Mapping[str, Sequence[Sample]]) -> Iterator[tuple[str, ...]]:
    """The row of each figure of each service: its medians in the second and in the last quarter."""
    for service, samples in samples_by_service.items():
        for name, (figure, _) in list_figures(samples).items():
            format_value = format_memory if name.startswith("memory") else format_count
            yield (service, name, *map(format_value, compute_quarter_medians(samples, figure)))


def format_memory(value: float) -> str:
    """Bytes as MiB."""
    return f"{value / MIB:,.0f} MiB"


def format_count(value: float) -> str:
    """A number without decimals."""
    return f"{value:,.0f}"
