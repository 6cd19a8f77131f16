"""The number of quads and of named graphs, counted on first use and then updated with each change."""

from collections.abc import Iterator
from contextlib import contextmanager

from .change import Change
from .projection import Projection
from .view import StoreView


class StoreSize(Projection):
    """Counts what a store holds when somebody asks first: that takes half a second for a million quads."""

    name = "the number of quads"
    known_counts = (0, 0)

    def counts(self) -> tuple[int, int]:
        """The number of quads, and that of named graphs; for a thread."""
        self.ensure_current()
        return self.known_counts

    def apply(self, change: Change) -> bool:
        """Add what came, and subtract what went."""
        quads, graphs = self.known_counts
        self.known_counts = (
            quads + len(change.added) - len(change.removed),
            graphs + len(change.created) - len(change.dropped),
        )
        return True

    def rebuild(self, view: StoreView) -> None:
        """Count all."""
        self.known_counts = view.size()

    @contextmanager
    def open_source(self) -> Iterator[StoreView]:
        """The store itself, while nobody writes: metrics are to be had even where no snapshot has room."""
        with self.store.write_lock():
            self.begin_build()
            yield self.store
