"""What a write of a paper costs besides the write itself: the update of each projection."""

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
from wgig.lists.counts import PaperCounts
from wgig.rdf.shipped import read_inference_rules
from wgig.search.index import FullTextIndex
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.changelog.sync import ChangeLogSync
from wgig.store.store import Store
from wgig.store.transactions import Debouncer

from ..search import new_papers, summed
from ..serving.things import listed, own
from .put import SOCKETS

WRITE, DESCRIBED = "the write, with all that it waits for", "the self-description, which it does not wait for"
DESCRIBED_MOST = 0.1  # seconds
PATIENCE = 3600  # seconds for the first look at all

Times = dict[str, dict[str, float]]


class Spent(defaultdict[str, list[float]]):
    """Seconds of each call by what it is for, and by what the service does then."""

    def __init__(self) -> None:
        """Nothing was called yet."""
        super().__init__(list)
        self.stage = ""

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Around what the service does."""
        self.stage = stage.partition(",")[0]
        with self.timed(stage):
            yield

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Around what is to be noted."""
        start = time.perf_counter()
        yield
        self[what].append(time.perf_counter() - start)

    def note(self, of: Any, method: str, what: str) -> None:
        """Have a method of something note how long each of its calls takes."""
        called: Callable[..., Any] = getattr(of, method)

        @wraps(called)
        def noting(*args: Any) -> Any:
            with self.timed(f"{what}, for {self.stage}"):
                return called(*args)

        setattr(of, method, noting)


class Never(Debouncer):
    """Nobody is called when it is quiet."""

    def __init__(self) -> None:
        """There is nothing to do."""

    def trigger(self) -> None:
        """Whoever wants it done does it."""


def compare(scratch: Path, papers: int, settings: Mapping[str, str]) -> Times:
    """Seconds of each part that follows a write of a new paper beside so many, by what it does."""
    filled = own(settings).filled(scratch, listed(scratch, papers))
    spent = Spent()
    with TemporaryDirectory(dir=scratch) as folder:
        store = opened(copytree(filled, Path(folder) / "store", ignore=SOCKETS), spent)
        for graph, triples in new_papers():
            change = store.compute_replacement(graph, triples)
            with spent.on(WRITE):
                store.apply(change)
            with spent.on(DESCRIBED):
                store.flush_descriptions()
    return {what: summed(times) for what, times in spent.items()}


def opened(folder: Path, spent: Spent) -> Store:
    """The store in a folder with all that follows its writes, each part of which notes its time."""
    base = Settings.base
    board, portrait = ConformanceGraph(base, Settings.shacl), DescriptionGraphs(base)
    store = Store.open(
        folder, read_inference_rules(), f"{base}graph/inferred", first=[board], last=[portrait]
    )
    store._debouncer = Never()
    stream, index, cells = (
        ChangeLogSync(store, base),
        FullTextIndex(store, base),
        PaperCounts(store, base, "issue"),
    )
    asyncio.run(stream.get_current_log(PATIENCE))
    index.ensure_current()
    cells.count_all()
    assert store._inference
    for of, method, what in (
        (board, "apply", "how the paper stands by the template"),
        (store._inference.reasoner, "compute_difference", "what follows by the rules"),
        (portrait, "describe", "the figures"),
        (stream, "apply", "the log of versions"),
        (index, "apply", "the index of words"),
        (cells, "apply", "the matrix of issues and criteria"),
    ):
        spent.note(of, method, what)
    store.projections[:] = [one.follow_commit for one in (stream, index, cells)]
    return store
