"""The cost of a write of a paper in addition to the write itself: the update of each projection.

A projection is data that is derived from the store, such as the search index.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from wgig.graphs.description.derived import DescriptionGraphs
from wgig.lists.counts import CellCounts, Dimension
from wgig.rdf.shipped import read_inference_rules
from wgig.search.index import FullTextIndex
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store
from wgig.store.transactions import Debouncer

from ..search import generate_new_papers, summarize_updates
from ..serving.things import listed_papers_file, make_listing_peer
from .put import IGNORE_SOCKETS

WRITE_TOTAL, DESCRIPTION_TOTAL = "write: total", "self-description, after the write: total"
MAX_DESCRIPTION_SECONDS = 0.1  # median of DESCRIPTION_TOTAL
VERSIONS_TIMEOUT_SECONDS = 3600  # until the versions of resources are complete

# Summaries (number of calls, median, p95) by the name of the step.
StepTimes = dict[str, dict[str, float]]


class StepTimer(defaultdict[str, list[float]]):
    """Seconds of each call, by stage and step, such as "write: inference"."""

    def __init__(self) -> None:
        """Start without calls."""
        super().__init__(list)
        self.stage = ""

    @contextmanager
    def time_stage(self, total: str) -> Iterator[None]:
        """Time a stage, such as "write: total"; the steps within it get the name before the colon."""
        self.stage = total.partition(":")[0]
        with self.time_step(total):
            yield

    @contextmanager
    def time_step(self, name: str) -> Iterator[None]:
        """Record the seconds of the block."""
        start = time.perf_counter()
        yield
        self[name].append(time.perf_counter() - start)

    def wrap_method(self, target: Any, method: str, step: str) -> None:
        """Replace a method of an object by one that records the seconds of each call."""
        original: Callable[..., Any] = getattr(target, method)

        @wraps(original)
        def timed(*args: Any) -> Any:
            with self.time_step(f"{self.stage}: {step}"):
                return original(*args)

        setattr(target, method, timed)


class NoDebouncer(Debouncer):
    """Replaces the debouncer, which updates VoID and DCAT once writes pause: the benchmark does so itself."""

    def __init__(self) -> None:
        """Start no thread."""

    def trigger(self) -> None:
        """Do nothing."""


def measure_projections(scratch: Path, papers: int, settings: Mapping[str, str]) -> StepTimes:
    """Times of each step of a write of a new paper into a store with so many papers."""
    filled = make_listing_peer(settings).filled_store(scratch, listed_papers_file(scratch, papers))
    timer = StepTimer()
    # The engine may still write to its files when they are removed.
    with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
        store = open_timed_store(copytree(filled, Path(folder) / "store", ignore=IGNORE_SOCKETS), timer)
        for graph, triples in generate_new_papers():
            change = store.compute_replacement(graph, triples)
            with timer.time_stage(WRITE_TOTAL):
                store.apply(change)
                store.runner.wait_until_applied(store.runner.published_count)
            with timer.time_stage(DESCRIPTION_TOTAL):
                store.flush_descriptions()
    return {name: summarize_updates(times) for name, times in timer.items()}


def open_timed_store(folder: Path, timer: StepTimer) -> Store:
    """The store in a folder with its projections, whose updates are timed."""
    base = Settings.base
    conformance, descriptions = ConformanceGraph(base, Settings.shacl), DescriptionGraphs(base)
    store = Store.open(
        folder,
        read_inference_rules(),
        f"{base}graph/inferred",
        computed_graphs=[conformance],
        describers=[descriptions],
    )
    store._describer = NoDebouncer()
    versions, index, counts = (
        ResourceVersionsProjection(store, base),
        FullTextIndex(store, base),
        CellCounts(store, Dimension("issue", base)),
    )
    asyncio.run(versions.get_versions(VERSIONS_TIMEOUT_SECONDS))
    index.ensure_current()
    counts.count_all()
    assert store._inference
    for target, method, step in (
        (store._inference, "compute_graph_changes", "conformance graph"),
        (store._inference.reasoner, "compute_difference", "inference"),
        (descriptions, "compute_change", "statistics"),
        (store.log, "append", "change log"),
        (versions, "apply_many", "resource versions"),
        (index, "apply", "search index"),
        (counts, "apply", "counts of the coverage matrix"),
    ):
        timer.wrap_method(target, method, step)
    return store
