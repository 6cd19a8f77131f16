"""Copy of all quads of a shared store into a local store."""

import time
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from ..store.change import apply_change
from ..store.errors import StoreError
from .engine import RemoteEngine
from .ledger import CutOffLoadError, LedgerState, WriteLedger
from .results import iter_remote_solutions
from .skolem import Skolemizer

COPY_RETRY_SECONDS = 1.0  # seconds until the next try
WRITER_GONE_SECONDS = (
    20.0  # seconds without a heartbeat after which the writer of a large write counts as gone
)
COPY_PROGRESS_QUADS = 10_000  # quads between two progress reports

COPIED_QUADS_PATTERN = "{ GRAPH ?g { ?s ?p ?o } FILTER(?g != <%s>) }"
COPIED_QUADS_QUERY = f"SELECT ?g ?s ?p ?o {COPIED_QUADS_PATTERN}"
QUAD_COUNT_QUERY = f"SELECT (COUNT(*) AS ?n) {COPIED_QUADS_PATTERN}"

CopyProgress = Callable[[int, int], None]


def ignore_copy_progress(copied_count: int, total: int) -> None:
    """Report no progress."""


class MissingRowsError(StoreError):
    """The service leaves out rows of a result."""


class StoreCopier:
    """Copies the quads of a shared store, without its ledger."""

    def __init__(self, engine: RemoteEngine, ledger: WriteLedger, skolemizer: Skolemizer) -> None:
        """`skolemizer` turns the IRIs of blank nodes back into blank nodes."""
        self.engine, self.ledger, self.skolemizer = engine, ledger, skolemizer

    def copy_into(
        self,
        quads: ox.Store,
        report: CopyProgress = ignore_copy_progress,
        cut_off: LedgerState | None = None,
    ) -> LedgerState:
        """Copy all quads into an empty store, and return the state of the ledger at which the copy stands.

        Changes that others write meanwhile are applied to the copy. `report` is called with the number of
        copied quads and their total. A large write under way is waited for, as it may be undone, unless it is
        the one of `cut_off`.

        Raises MissingRowsError, StoreUnavailableError, RefusedError, and CutOffLoadError where the writer of
        a large write is gone.
        """
        last_activity, active_at = None, 0.0
        before = self.ledger.read_state()
        while True:
            previous_count = len(quads)
            quads.bulk_extend(self.skolemizer.deskolemize(self.iter_quads(report)))
            after, total = self.apply_later_changes(quads, before)
            if total is not None and (cut_off or not (before.pending or after.pending)):
                if len(quads) >= total:
                    return after
                if len(quads) == previous_count:
                    raise MissingRowsError(
                        f"The shared store returned {previous_count} of {total} statements without an error. "
                        "Configure its service to return all rows; in Virtuoso, raise ResultSetMaxRows."
                    )
                before = after  # a write between two pages may have shifted rows, so that some were skipped
                continue
            activity = (after, self.ledger.claims.read_values("beat"))
            if activity != last_activity:
                last_activity, active_at = activity, time.monotonic()
            elif time.monotonic() - active_at > WRITER_GONE_SECONDS:
                raise CutOffLoadError
            quads.clear()
            time.sleep(COPY_RETRY_SECONDS)
            before = self.ledger.read_state()

    def apply_later_changes(self, quads: ox.Store, before: LedgerState) -> tuple[LedgerState, int | None]:
        """Apply to a copy all changes since `before`.

        Returns the state of the ledger then, and the number of quads in the store, or None where a change is
        not in the ledger.
        """
        while True:
            after = self.ledger.read_state()
            for number in range(before.version + 1, after.version + 1):
                entry = self.ledger.read_entry(number)
                if (
                    entry is None or not entry.change
                ):  # or a write was abandoned, and the copy may have a part of it
                    return after, None
                apply_change(self.skolemizer.deskolemize_change(entry.change), quads)
            quad_count, created_graphs = self.count_quads(), self.list_made_graphs()
            if self.ledger.read_state() == after:
                for graph in created_graphs:
                    quads.add_graph(graph)
                return after, quad_count
            before = after

    def count_quads(self) -> int:
        """The number of quads in the store."""
        return int(self.engine.select_rows(self.data_query(QUAD_COUNT_QUERY))[0]["n"].value)

    def list_made_graphs(self) -> list[ox.NamedNode]:
        """The graphs recorded as created, which may be empty."""
        state_graph, created_property = self.skolemizer.state_graph, self.skolemizer.made_property
        return [
            row["g"]
            for row in self.engine.select_rows(
                f"SELECT ?g {{ GRAPH {state_graph} {{ {state_graph} {created_property} ?g }} }}"
            )
        ]

    def iter_quads(self, report: CopyProgress) -> Iterator[ox.Quad]:
        """All quads as the service has them, read page by page."""
        copied_count, total, media_type = 0, self.count_quads(), self.engine.dialect.rows_media_type
        while copied_count < total:
            page_begin = copied_count
            with self.engine.open_answer(
                self.data_query(COPIED_QUADS_QUERY) + self.page_clause(copied_count), media_type
            ) as body:
                for row in iter_remote_solutions(body, media_type):
                    copied_count += 1
                    if copied_count % COPY_PROGRESS_QUADS == 0:
                        report(copied_count, total)
                    yield ox.Quad(row["s"], row["p"], row["o"], row["g"])
            if copied_count == page_begin or not self.engine.dialect.max_page_rows:
                return

    def page_clause(self, offset: int) -> str:
        """The LIMIT and OFFSET of a page of the dialect's size; empty where it reads all rows at once."""
        page_rows = self.engine.dialect.max_page_rows
        return f" LIMIT {page_rows} OFFSET {offset}" if page_rows else ""

    def data_query(self, query: str) -> str:
        """The query over all graphs but the ledger and those of the service itself."""
        return self.engine.dialect.query_prologue(query, self.ledger.graph) + query % self.ledger.graph
