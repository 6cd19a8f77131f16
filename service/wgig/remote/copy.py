"""All quads of a shared store, copied as they come."""

import time
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from ..store.change import apply_change
from ..store.errors import StoreError
from .engine import RemoteEngine
from .ledger import CutOffLoadError, LedgerState, WriteLedger
from .results import iter_remote_solutions
from .skolem import Skolemizer

COPY_RETRY_SECONDS = 1.0  # seconds until another try
WRITER_GONE_SECONDS = 20.0  # seconds without a sign of whoever writes much
COPY_PROGRESS_QUADS = 10_000  # quads between two words on how far it is

COPIED_QUADS_PATTERN = "{ GRAPH ?g { ?s ?p ?o } FILTER(?g != <%s>) }"
COPIED_QUADS_QUERY = f"SELECT ?g ?s ?p ?o {COPIED_QUADS_PATTERN}"
QUAD_COUNT_QUERY = f"SELECT (COUNT(*) AS ?n) {COPIED_QUADS_PATTERN}"

CopyProgress = Callable[[int, int], None]


def ignore_copy_progress(came: int, count: int) -> None:
    """Nobody wants to know how many came of how many."""


class MissingRowsError(StoreError):
    """The service does not give all rows of an answer."""


class StoreCopier:
    """Copies what a store holds, but for its ledger."""

    def __init__(self, engine: RemoteEngine, ledger: WriteLedger, ground: Skolemizer) -> None:
        """Take the store, its ledger, and how it names what has no name."""
        self.engine, self.ledger, self.skolemizer = engine, ledger, ground

    def copy_into(
        self,
        quads: ox.Store,
        reached: CopyProgress = ignore_copy_progress,
        cut_off: LedgerState | None = None,
    ) -> LedgerState:
        """Copy all into an empty store; with which state of the ledger it is in line then.

        What others write meanwhile is done to the copy. `reached` is told how many quads came of how many. A
        large write that is under way is waited for, as it may be taken back, unless it is the one that is
        `cut_off`. Raises MissingRowsError, StoreUnavailableError, RefusedError; CutOffLoadError where it does
        not go on.
        """
        seen, since = None, 0.0
        before = self.ledger.read_state()
        while True:
            came = len(quads)
            quads.bulk_extend(self.skolemizer.deskolemize(self.iter_quads(reached)))
            now, count = self.apply_later_changes(quads, before)
            if count is not None and (cut_off or not (before.pending or now.pending)):
                if len(quads) >= count:
                    return now
                if len(quads) == came:
                    raise MissingRowsError(
                        f"The shared store gave {came} of {count} statements, and did not say so. Let its "
                        "service give all rows, with Virtuoso by ResultSetMaxRows."
                    )
                before = now  # where others wrote between two parts, some may have been passed over
                continue
            signs = (now, self.ledger.claims.read_values("beat"))
            if signs != seen:
                seen, since = signs, time.monotonic()
            elif time.monotonic() - since > WRITER_GONE_SECONDS:
                raise CutOffLoadError
            quads.clear()
            time.sleep(COPY_RETRY_SECONDS)
            before = self.ledger.read_state()

    def apply_later_changes(self, quads: ox.Store, before: LedgerState) -> tuple[LedgerState, int | None]:
        """Do to a copy what was written since; what the ledger says then, and how many quads the store has.

        The number is None where it is not known what was written.
        """
        while True:
            now = self.ledger.read_state()
            for number in range(before.version + 1, now.version + 1):
                entry = self.ledger.read_entry(number)
                if entry is None or not entry.change:  # or something was given up, and half of it copied
                    return now, None
                apply_change(self.skolemizer.deskolemize_change(entry.change), quads)
            count, made = self.count_quads(), self.list_made_graphs()
            if self.ledger.read_state() == now:
                for graph in made:
                    quads.add_graph(graph)
                return now, count
            before = now

    def count_quads(self) -> int:
        """How many quads there are."""
        return int(self.engine.select_rows(self.data_query(QUAD_COUNT_QUERY))[0]["n"].value)

    def list_made_graphs(self) -> list[ox.NamedNode]:
        """The graphs that were made, which may be empty."""
        state, made = self.skolemizer.state_graph, self.skolemizer.made_property
        return [
            row["g"]
            for row in self.engine.select_rows(f"SELECT ?g {{ GRAPH {state} {{ {state} {made} ?g }} }}")
        ]

    def iter_quads(self, reached: CopyProgress) -> Iterator[ox.Quad]:
        """All quads, as they are there, so many at once as the service gives."""
        came, count, rows = 0, self.count_quads(), self.engine.dialect.rows_media_type
        while came < count:
            before = came
            with self.engine.open_answer(
                self.data_query(COPIED_QUADS_QUERY) + self.page_clause(came), rows
            ) as body:
                for row in iter_remote_solutions(body, rows):
                    came += 1
                    if came % COPY_PROGRESS_QUADS == 0:
                        reached(came, count)
                    yield ox.Quad(row["s"], row["p"], row["o"], row["g"])
            if came == before or not self.engine.dialect.max_page_rows:
                return

    def page_clause(self, offset: int) -> str:
        """What restricts a query to what one answer holds, after so many rows."""
        at_once = self.engine.dialect.max_page_rows
        return f" LIMIT {at_once} OFFSET {offset}" if at_once else ""

    def data_query(self, query: str) -> str:
        """A query about all graphs but the ledger and those of the service."""
        return self.engine.dialect.query_prologue(query, self.ledger.graph) + query % self.ledger.graph
