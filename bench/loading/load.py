"""How fast files of N-Quads get into a store, without and with what follows from them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..data import generate
from ..measure.commands import PYTHON, WGIG, Comparison, Run, command, oxigraph, side_by_side
from ..measure.server import fill

GOAL = 0.95
SEED = 1
PLAIN = "import sys, pyoxigraph; pyoxigraph.Store(sys.argv[1]).bulk_load(path=sys.argv[2])"


def compare(scratch: Path, sizes: Sequence[int], rounds: int) -> list[Comparison]:
    """`wgig load`, plain `bulk_load`, and `wgig load` with inference, each against `oxigraph load`.

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
    """The comparisons for one file. All loaders start from nothing but the one that infers.

    What follows from the papers is only inferred beside the shipped vocabulary: that one starts from a copy
    of the store `shipped`.
    """
    store = shipped.with_name("store")

    def empty(*words: str | Path, **environment: str) -> Run:
        def run() -> float:
            shutil.rmtree(store, ignore_errors=True)
            return command(*words, **environment)

        return run

    def inferring() -> float:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(shipped, store)
        return command(*WGIG, "load", "--store", store, file)

    times = side_by_side(
        {
            "wgig load": empty(*WGIG, "load", "--store", store, file, WGIG_DATA="none"),
            "oxigraph load": empty(oxigraph(), "load", "--location", store, "--file", file),
            "bulk_load": empty(PYTHON, "-c", PLAIN, store, file),
            "wgig load and infer": inferring,
        },
        rounds,
    )
    with file.open("rb") as lines:
        count = sum(1 for _ in lines)
    peer = "oxigraph load"
    return [
        Comparison(f"{papers:,} papers", ours, peer, times[ours], times[peer], quads=count, goal_ratio=goal)
        for ours, goal in (("wgig load", GOAL), ("bulk_load", None), ("wgig load and infer", None))
    ]
