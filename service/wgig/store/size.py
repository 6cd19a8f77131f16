"""The numbers of quads, of all and of each named graph: counted once, then updated with each change."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyoxigraph as ox

from .projection import Projection
from .projection_runner import CommittedChange
from .saved_projection import SavedProjection
from .store import Store
from .view import StoreView, select_solutions

SIZES_FORMAT = 1  # of the saved sizes


class StoreSize(Projection):
    """Counts the quads and named graphs. The first count takes 0.5 s for a million quads."""

    name = "the number of quads"
    current_counts = (0, 0)  # quads, named graphs

    def counts(self) -> tuple[int, int]:
        """The number of quads and the number of named graphs. May block: call it on a worker thread."""
        self.ensure_current()
        return self.current_counts

    def apply(self, commit: CommittedChange) -> None:
        """Update the counts by what the commit adds and removes."""
        quads, graphs = self.current_counts
        change = commit.full
        self.current_counts = (
            quads + len(change.added) - len(change.removed),
            graphs + len(change.created) - len(change.dropped),
        )

    def rebuild(self, view: StoreView, _version: int) -> None:
        """Count all quads and named graphs of the view."""
        self.current_counts = view.size()

    @contextmanager
    def open_build_view(self) -> Iterator[StoreView]:
        """The store itself, under the write lock: metrics must work without disk space for a snapshot."""
        with self.store.write_lock():
            self.begin_build()
            yield self.store


class GraphSizes(SavedProjection[dict[str, int]]):
    """The number of quads of each named graph, by IRI. The first count takes 1 s for a million quads.

    A page of graphs would count those of the computed graphs again after each write.
    """

    name, saved_name, snapshot_name = "the sizes of graphs", "graphs", "sizes-copy"

    def __init__(self, store: Store) -> None:
        """Take the store. Nothing is counted before the first use."""
        super().__init__(store)
        self.sizes: dict[str, int] = {}  # replaced with each commit

    def read(self) -> dict[str, int]:
        """The sizes. May block: call it on a worker thread."""
        self.ensure_current()
        return self.sizes

    def apply(self, commit: CommittedChange) -> None:
        """Update the sizes by what the commit adds and removes."""
        change, sizes = commit.full, self.sizes.copy()
        sizes |= dict.fromkeys(change.created, 0)
        for quads, difference in ((change.added, 1), (change.removed, -1)):
            for quad in quads:
                if isinstance(quad.graph_name, ox.NamedNode):
                    graph = quad.graph_name.value
                    sizes[graph] = sizes.get(graph, 0) + difference
        for graph in change.dropped:
            sizes.pop(graph, None)
        self.sizes, self.included_version = sizes, commit.version

    def rebuild(self, view: StoreView, version: int) -> None:
        """Count the quads of all graphs."""
        rows = select_solutions(view, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
        counts = {row["g"].value: int(row["n"].value) for row in rows}
        self.sizes = {graph: counts.get(graph, 0) for graph in view.graphs()}
        self.included_version = version

    @property
    def saved_format(self) -> Any:
        """What is counted."""
        return SIZES_FORMAT

    def dump_parts(self) -> Iterable[Any]:
        """The sizes by graph."""
        return [self.sizes]

    def parse_parts(self, parts: Iterator[Any]) -> dict[str, int]:
        """The sizes by graph."""
        (sizes,) = parts
        return {str(graph): int(size) for graph, size in sizes.items()}

    def use_content(self, content: dict[str, int]) -> None:
        """Use the saved sizes."""
        self.sizes = content
