"""The time to load files of N-Quads into a store, without and with inference."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..data import generate
from ..measure.commands import (
    PYTHON,
    WGIG,
    Comparison,
    TimedRun,
    find_oxigraph,
    time_alternately,
    time_command,
)
from ..measure.server import fill_store

MIN_SPEED_RATIO = 0.95  # of `wgig load` to `oxigraph load`
SEED = 1
BULK_LOAD_SCRIPT = "import sys, pyoxigraph; pyoxigraph.Store(sys.argv[1]).bulk_load(path=sys.argv[2])"
MAX_ROUNDS_TIMES_PAPERS = 30_000  # a larger file gets fewer rounds: one, if a round takes minutes


def compare_loading(scratch: Path, sizes: Sequence[int], rounds: int) -> list[Comparison]:
    """`wgig load`, `bulk_load` of pyoxigraph, `wgig load` with inference, each against `oxigraph load`."""
    shipped = scratch / "shipped"
    fill_store(shipped)
    comparisons = []
    for papers in sizes:
        file = scratch / f"{papers}.nq"
        generate.write_papers(file, papers, SEED)
        file_rounds = max(1, min(rounds, MAX_ROUNDS_TIMES_PAPERS // papers))
        comparisons += compare_loading_of_file(shipped, file, papers, file_rounds)
        file.unlink()
    return comparisons


def compare_loading_of_file(shipped: Path, file: Path, papers: int, rounds: int) -> list[Comparison]:
    """The comparisons for one file.

    All loaders start without a store, except the one with inference. It needs the shipped vocabulary, so it
    starts from a copy of the store `shipped`.
    """
    store = shipped.with_name("store")

    def load_into_new_store(*command: str | Path, **environment: str) -> TimedRun:
        def run() -> float:
            shutil.rmtree(store, ignore_errors=True)
            return time_command(*command, **environment)

        return run

    def load_and_infer() -> float:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(
            shipped, store, ignore=shutil.ignore_patterns("control")
        )  # a socket, which cannot be copied
        return time_command(*WGIG, "load", "--store", store, file)

    times = time_alternately(
        {
            "wgig load": load_into_new_store(*WGIG, "load", "--store", store, file, WGIG_DATA="none"),
            "oxigraph load": load_into_new_store(
                find_oxigraph(), "load", "--location", store, "--file", file
            ),
            "bulk_load": load_into_new_store(PYTHON, "-c", BULK_LOAD_SCRIPT, store, file),
            "wgig load and infer": load_and_infer,
        },
        rounds,
    )
    with file.open("rb") as lines:
        quads = sum(1 for _ in lines)
    peer = "oxigraph load"
    return [
        Comparison(f"{papers:,} papers", name, peer, times[name], times[peer], quads=quads, goal_ratio=goal)
        for name, goal in (("wgig load", MIN_SPEED_RATIO), ("bulk_load", None), ("wgig load and infer", None))
    ]
