"""All quads of a shared store, copied as they come."""

import time
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from ..store.change import carry_out
from ..store.errors import StoreError
from .engine import Engine
from .ledger import CutOffLoadError, Ledger, State
from .results import solutions
from .skolem import Ground

PAUSE = 1.0  # seconds until another try
GONE = 20.0  # seconds without a sign of whoever writes much
EVERY = 10_000  # quads between two words on how far it is

PATTERN = "{ GRAPH ?g { ?s ?p ?o } FILTER(?g != <%s>) }"
QUADS = f"SELECT ?g ?s ?p ?o {PATTERN}"
COUNT = f"SELECT (COUNT(*) AS ?n) {PATTERN}"

Reached = Callable[[int, int], None]


def unsaid(came: int, count: int) -> None:
    """Nobody wants to know how many came of how many."""


class CutError(StoreError):
    """The service does not give all rows of an answer."""


class Copying:
    """Copies what a store holds, but for its ledger."""

    def __init__(self, engine: Engine, ledger: Ledger, ground: Ground) -> None:
        """Take the store, its ledger, and how it names what has no name."""
        self.engine, self.ledger, self.ground = engine, ledger, ground

    def into(self, quads: ox.Store, reached: Reached = unsaid, cut_off: State | None = None) -> State:
        """Copy all into an empty store; with which state of the ledger it is in line then.

        What others write meanwhile is done to the copy. `reached` is told how many quads came of how many.
        A large write that is under way is waited for, as it may be taken back, unless it is the one that is
        `cut_off`. Raises CutError, UnavailableError, RefusedError; CutOffLoadError where it does not go on.
        """
        seen, since = None, 0.0
        before = self.ledger.read()
        while True:
            came = len(quads)
            quads.bulk_extend(self.ground.up(self.quads(reached)))
            now, count = self.brought_in_line(quads, before)
            if count is not None and (cut_off or not (before.pending or now.pending)):
                if len(quads) >= count:
                    return now
                if len(quads) == came:
                    raise CutError(
                        f"The shared store gave {came} of {count} statements, and did not say so. Let its "
                        "service give all rows, with Virtuoso by ResultSetMaxRows."
                    )
                before = now  # where others wrote between two parts, some may have been passed over
                continue
            signs = (now, self.ledger.claims.said("beat"))
            if signs != seen:
                seen, since = signs, time.monotonic()
            elif time.monotonic() - since > GONE:
                raise CutOffLoadError
            quads.clear()
            time.sleep(PAUSE)
            before = self.ledger.read()

    def brought_in_line(self, quads: ox.Store, before: State) -> tuple[State, int | None]:
        """Do to a copy what was written since; what the ledger says then, and how many quads the store has.

        The number is None where it is not known what was written.
        """
        while True:
            now = self.ledger.read()
            for number in range(before.version + 1, now.version + 1):
                entry = self.ledger.read_entry(number)
                if entry is None or not entry.change:  # or something was given up, and half of it copied
                    return now, None
                carry_out(self.ground.loose(entry.change), quads)
            count, made = self.count(), self.made()
            if self.ledger.read() == now:
                for graph in made:
                    quads.add_graph(graph)
                return now, count
            before = now

    def count(self) -> int:
        """How many quads there are."""
        return int(self.engine.rows(self.about(COUNT))[0]["n"].value)

    def made(self) -> list[ox.NamedNode]:
        """The graphs that were made, which may be empty."""
        state, made = self.ground.state, self.ground.made
        return [
            row["g"] for row in self.engine.rows(f"SELECT ?g {{ GRAPH {state} {{ {state} {made} ?g }} }}")
        ]

    def quads(self, reached: Reached) -> Iterator[ox.Quad]:
        """All quads, as they are there, so many at once as the service gives."""
        came, count, rows = 0, self.count(), self.engine.dialect.rows
        while came < count:
            before = came
            with self.engine.open(self.about(QUADS) + self.part(came), rows) as body:
                for row in solutions(body, rows):
                    came += 1
                    if came % EVERY == 0:
                        reached(came, count)
                    yield ox.Quad(row["s"], row["p"], row["o"], row["g"])
            if came == before or not self.engine.dialect.at_once:
                return

    def part(self, offset: int) -> str:
        """What restricts a query to what one answer holds, after so many rows."""
        at_once = self.engine.dialect.at_once
        return f" LIMIT {at_once} OFFSET {offset}" if at_once else ""

    def about(self, query: str) -> str:
        """A query about all graphs but the ledger and those of the service."""
        return self.engine.dialect.prologue(query, self.ledger.graph) + query % self.ledger.graph
