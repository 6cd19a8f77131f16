"""How fast files of N-Quads get into a store that holds the shipped data."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from . import generate
from .measure import PYTHON, WGIG, Comparison, command, oxigraph, side_by_side
from .start import fill

GOAL = 0.95
SEED = 1
PLAIN = "import sys, pyoxigraph; pyoxigraph.Store(sys.argv[1]).bulk_load(path=sys.argv[2])"


def compare(scratch: Path, sizes: Sequence[int], rounds: int) -> list[Comparison]:
    """`wgig load` and plain `bulk_load`, each against `oxigraph load`, for files of so many papers.

    The larger the file, the fewer the rounds: one where a round takes minutes.
    """
    shipped = scratch / "shipped"
    fill(shipped)
    found = []
    for papers in sizes:
        file = scratch / f"{papers}.nq"
        generate.write(file, papers, SEED)
        found += compare_file(shipped, file, papers, max(1, min(rounds, 30_000 // papers)))
        file.unlink()
    return found


def compare_file(shipped: Path, file: Path, papers: int, rounds: int) -> list[Comparison]:
    """The comparisons for one file; every run starts from a copy of the store `shipped`."""
    store = shipped.with_name("store")
    quads = store / "quads"

    def after_copy(*words: str | Path) -> Callable[[], float]:
        def run() -> float:
            shutil.rmtree(store, ignore_errors=True)
            shutil.copytree(shipped, store)
            return command(*words)

        return run

    times = side_by_side(
        {
            "wgig load": after_copy(*WGIG, "load", "--store", store, file),
            "oxigraph load": after_copy(oxigraph(), "load", "--location", quads, "--file", file),
            "bulk_load": after_copy(PYTHON, "-c", PLAIN, quads, file),
        },
        rounds,
    )
    with file.open("rb") as lines:
        count = sum(1 for _ in lines)
    peer = times["oxigraph load"]
    what = f"load {papers:,} papers"
    return [
        Comparison(
            what, "wgig load", "oxigraph load", times["wgig load"], peer, quads=count, goal_ratio=GOAL
        ),
        Comparison(what, "bulk_load", "oxigraph load", times["bulk_load"], peer, quads=count),
    ]
