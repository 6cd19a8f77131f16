"""Copying all quads of a shared store into a local store, while other instances may write.

The ledger is a graph of the shared store with its version and its last changes, and the SPARQL service that
has the shared store is "the service". A large write is one that needs several requests; it can be
interrupted, and then finished or undone.
"""

import time
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from ..store.change import apply_change
from ..store.errors import StoreError
from .engine import RemoteEngine
from .ledger import InterruptedWriteError, LedgerState, WriteLedger
from .results import iter_remote_solutions
from .skolem import Skolemizer

COPY_RETRY_SECONDS = 1.0  # before the copy begins again, due to a write that is running or not in the ledger
WRITER_LOST_SECONDS = 20.0  # a large write without a heartbeat for this time counts as interrupted
COPY_PROGRESS_QUADS = 10_000  # between two progress reports

# All quads outside the graph %s, which is that of the ledger.
COPIED_QUADS_PATTERN = "{ GRAPH ?g { ?s ?p ?o } FILTER(?g != <%s>) }"
COPIED_QUADS_QUERY = f"SELECT ?g ?s ?p ?o {COPIED_QUADS_PATTERN}"
QUAD_COUNT_QUERY = f"SELECT (COUNT(*) AS ?n) {COPIED_QUADS_PATTERN}"

CopyProgress = Callable[[int, int], None]  # gets the number of copied quads, and the total


def ignore_copy_progress(copied_count: int, total: int) -> None:
    """Report no progress."""


class MissingRowsError(StoreError):
    """The service returns incomplete results without an error."""


class StoreCopier:
    """Copies the quads of a shared store, without its ledger."""

    def __init__(self, engine: RemoteEngine, ledger: WriteLedger, skolemizer: Skolemizer) -> None:
        """Take the client of the service, its ledger, and the skolemizer, which restores blank nodes."""
        self.engine, self.ledger, self.skolemizer = engine, ledger, skolemizer

    def copy_into(
        self,
        quads: ox.Store,
        report: CopyProgress = ignore_copy_progress,
        interrupted: LedgerState | None = None,
    ) -> LedgerState:
        """Copy all quads into an empty store, and return the state of the ledger for the copy.

        Changes that others write meanwhile are applied to the copy. If a large write is running, the method
        waits until it is finished or undone. It does not wait for the interrupted write that is pending in
        the state `interrupted`.

        Raises MissingRowsError, StoreUnavailableError, RefusedError, and InterruptedWriteError if the writer
        of a large write is lost.
        """
        last_activity, active_at = None, 0.0
        before = self.ledger.read_state()
        while True:
            previous_count = len(quads)
            quads.bulk_extend(self.skolemizer.deskolemize(self.iter_quads(report)))
            after, total = self.apply_later_changes(quads, before)
            if total is not None and (interrupted or not (before.pending or after.pending)):
                if len(quads) >= total:
                    return after
                if len(quads) == previous_count:
                    raise MissingRowsError(
                        f"The shared store returned only {previous_count} of {total} statements, but no "
                        "error. Configure its server to return all rows; in Virtuoso, increase "
                        "ResultSetMaxRows."
                    )
                before = after  # a write between two pages may have moved rows from one page to another
                continue
            # A writer is lost if neither the ledger nor the heartbeats change for WRITER_LOST_SECONDS.
            activity = (after, self.ledger.claims.read_values("beat"))
            if activity != last_activity:
                last_activity, active_at = activity, time.monotonic()
            elif time.monotonic() - active_at > WRITER_LOST_SECONDS:
                raise InterruptedWriteError
            quads.clear()
            time.sleep(COPY_RETRY_SECONDS)
            before = self.ledger.read_state()

    def apply_later_changes(self, quads: ox.Store, before: LedgerState) -> tuple[LedgerState, int | None]:
        """Apply all changes since the state `before` to a copy.

        Returns the state after them, and the number of quads in the shared store, or None if a change is not
        in the ledger.
        """
        while True:
            after = self.ledger.read_state()
            for number in range(before.version + 1, after.version + 1):
                entry = self.ledger.read_entry(number)
                # An empty change is an abandoned write, of which the copy may have a part.
                if entry is None or not entry.change:
                    return after, None
                apply_change(self.skolemizer.deskolemize_change(entry.change), quads)
            quad_count, created_graphs = self.count_quads(), self.list_created_graphs()
            if self.ledger.read_state() == after:
                for graph in created_graphs:
                    quads.add_graph(graph)
                return after, quad_count
            before = after

    def count_quads(self) -> int:
        """The number of quads in the store."""
        return int(self.engine.select_rows(self.data_query(QUAD_COUNT_QUERY))[0]["n"].value)

    def list_created_graphs(self) -> list[ox.NamedNode]:
        """The graphs recorded as created, which may be empty."""
        state_graph, created_property = self.skolemizer.state_graph, self.skolemizer.created_property
        return [
            row["g"]
            for row in self.engine.select_rows(
                f"SELECT ?g {{ GRAPH {state_graph} {{ {state_graph} {created_property} ?g }} }}"
            )
        ]

    def iter_quads(self, report: CopyProgress) -> Iterator[ox.Quad]:
        """All quads as stored in the service, read page by page."""
        copied_count, total, media_type = 0, self.count_quads(), self.engine.dialect.rows_media_type
        while copied_count < total:
            page_begin = copied_count
            with self.engine.open_response(
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
        """The LIMIT and OFFSET of a page; empty if the dialect reads all rows with one query."""
        page_rows = self.engine.dialect.max_page_rows
        return f" LIMIT {page_rows} OFFSET {offset}" if page_rows else ""

    def data_query(self, query: str) -> str:
        """The query over all graphs except the ledger and the builtin graphs of the service."""
        return self.engine.dialect.query_prologue(query, self.ledger.graph) + query % self.ledger.graph
