"""An engine in memory in the place of a service, which can refuse, lose and delay what it is told."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pyoxigraph as ox
from wgig.opening import UnavailableError
from wgig.shared.copying import Copying
from wgig.shared.dialects import OXIGRAPH, Dialect
from wgig.shared.engine import Engine
from wgig.shared.ground import Ground
from wgig.shared.ledger import Ledger
from wgig.shared.sharing import Sharing
from wgig.shared.store import Shared
from wgig.shared.turn import Turn

BASE = "https://example.org/"
SMALL = replace(OXIGRAPH, most=10)
Do = Callable[[], None]


class Memory:
    """Does what it is told. `meet` is called around each update, with its text and what does it."""

    def __init__(self, dialect: Dialect = SMALL) -> None:
        """Hold nothing."""
        self.store, self.dialect = ox.Store(), dialect
        self.lock = threading.Lock()
        self.meet: Callable[[str, Do], None] = lambda _, do: do()

    def update(self, text: str) -> None:
        """Do an update, or what befalls it."""

        def do() -> None:
            with self.lock:
                self.store.update(text)

        self.meet(text, do)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The solutions of a SELECT."""
        found = self.store.query(query)
        assert isinstance(found, ox.QuerySolutions)
        names = [one.value for one in found.variables]
        return [{name: row[name] for name in names if row[name] is not None} for row in found]

    @contextmanager
    def open(self, query: str, accept: str) -> Iterator[io.BytesIO]:
        """The answer to a query, to read."""
        found = self.store.query(query)
        assert isinstance(found, ox.QuerySolutions)
        body = found.serialize(format=ox.QueryResultsFormat.from_media_type(accept))
        yield io.BytesIO(body or b"")

    @property
    def data(self) -> set[str]:
        """What it holds beside the ledger."""
        return {str(one) for one in self.store if not str(one.graph_name).endswith("graph/state>")}


def ledger_of(memory: Memory) -> Ledger:
    """A ledger over it, which waits for nothing long."""
    return Ledger(cast(Engine, memory), BASE, patience=0.5)


def sharing_of(memory: Memory) -> Sharing:
    """What an instance needs to share it."""
    sharing = Sharing.__new__(Sharing)
    sharing.engine = cast(Engine, memory)
    sharing.ledger = ledger_of(memory)
    sharing.turn, sharing.ground = Turn(sharing.ledger), Ground(BASE)
    sharing.copying = Copying(sharing.engine, sharing.ledger, sharing.ground)
    return sharing


def joined(folder: Path, memory: Memory, rules: tuple[str, ...] = (), **more: Any) -> Shared:
    """An instance whose copy is in a folder."""
    return Shared.join(folder, sharing_of(memory), rules, f"{BASE}graph/inferred", **more)


def put(store: Shared, name: str, *values: str) -> None:
    """Make a graph hold these values."""
    subject, predicate = ox.NamedNode("urn:s"), ox.NamedNode("urn:p")
    triples = [ox.Triple(subject, predicate, ox.Literal(one)) for one in values]
    store.apply(store.change_to(f"{BASE}graph/{name}", triples))


def held(store: Shared) -> set[str]:
    """What a copy holds, as the service holds it."""
    return {str(one) for one in store.sharing.ground.down(store._quads)}


def lost_after(sign: str) -> Callable[[str, Do], None]:
    """Loses the answer to each update with this sign, once it is done."""

    def meet(text: str, do: Do) -> None:
        do()
        if sign in text:
            raise UnavailableError("The answer is lost.")

    return meet


def lost_before(sign: str) -> Callable[[str, Do], None]:
    """Loses each update with this sign."""

    def meet(text: str, do: Do) -> None:
        if sign in text:
            raise UnavailableError("The request is lost.")
        do()

    return meet
