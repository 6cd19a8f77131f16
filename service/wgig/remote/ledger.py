"""The ledger of a shared store: its version and the changes of the last 100 writes, in a graph of its own.

The graph is `<base>graph/state`. Whoever has the write lease changes it together with the data. A change too
large for one request is noted first, so that the next writer can complete it. An instance that is further
behind than the ledger goes takes a new copy. Long texts are split into parts that the store can hold.
"""

import base64
import gzip
import io
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import RawIOBase
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, cast

import pyoxigraph as ox
import zstandard

from ..store.change import Change, packed, unpacked
from ..store.commit import data
from ..store.errors import StoreError, UnavailableError
from ..store.files import LEVEL, Versions
from .claims import LATE, Claim, Claims, LostTurnError
from .client import RefusedError
from .engine import Engine
from .results import Row, solutions
from .skolem import conditional, literal

NONE = "none"


class Texts:
    """Texts by their names, each with a word on whom it is by."""

    def __init__(self, engine: Engine, graph: str) -> None:
        """Take the store, and the graph in which they are."""
        self.engine, self.graph = engine, graph

    def keep(self, name: str, text: str) -> None:
        """Keep a text by nobody under a name, if there is none."""
        if self.read(name) is None:
            for one in self.said(name, NONE, self.parts(text)):
                self.engine.update(f"INSERT DATA {{ GRAPH <{self.graph}> {{ {one} }} }}")

    def read(self, name: str) -> tuple[str, str] | None:
        """By whom the text of a name is, and the text; None where there is none, or not all of it."""
        query = f"SELECT ?p ?o {{ GRAPH <{self.graph}> {{ <{self.graph}/{name}> ?p ?o }} }}"
        said = {
            row["p"].value.removeprefix(f"{self.graph}#"): row["o"].value for row in self.engine.rows(query)
        }
        if "by" not in said:
            return None
        by, _, count = said["by"].rpartition(" ")
        parts = [said.get(f"part-{at}") for at in range(int(count))]
        return (by, "".join(filter(None, parts))) if None not in parts else None

    def parts(self, text: str) -> list[str]:
        """The parts of a text."""
        size = self.engine.dialect.part
        return [text[at : at + size] for at in range(0, len(text), size)]

    def said(self, name: str, by: str, parts: Sequence[str]) -> list[str]:
        """A text as triples; the last one says by whom it is and how many parts there are."""
        node = f"{self.graph}/{name}"
        said = [f"<{node}> <{self.graph}#part-{at}> {literal(part)}" for at, part in enumerate(parts)]
        return [*said, f"<{node}> <{self.graph}#by> {literal(f'{by} {len(parts)}')}"]


FORM = 1  # of the ledger; what is in another one is not written by us
KEPT = 100  # entries; who is further behind takes a new copy
LARGEST = 32_000_000  # characters of an entry; of what is larger it says only that it was
AGAIN = 0.2  # seconds until a store is asked again that did not answer
LOOKS, SOON = 20, 0.01  # so often it is looked again, after so many seconds, what a ledger says
LEASE = 5.0  # seconds without a beat after which the turn of another is over
BATCH = 2_000  # quads of a large write that are sent at once: while an engine writes, no beat is heard
NOTICE = 0.05  # seconds between the word that something will be written and the first of it

# Gives the quads that went and those that came.
Whole = Callable[[], tuple[Iterable[ox.Quad], Iterable[ox.Quad]]]


class State(NamedTuple):
    """What the ledger says: of which store, in which version, and by which rules things were inferred.

    `pending` is the version that is being written, 0 where none is; `by` the mark of the last write.
    """

    store: str
    version: int
    pending: int
    derived: str
    by: str


class Entry(NamedTuple):
    """What is kept of a write: its mark, that of the one before it, and the change if it is not too large.

    `derived` tells by which rules things were inferred.
    """

    by: str
    after: str
    derived: str
    change: Change | None


class DoubtError(UnavailableError):
    """It is not known whether a write was done."""

    def __init__(self) -> None:
        """Whoever wrote finds out when the store answers again."""
        super().__init__(
            "The shared store does not answer, so that it is not known whether the write was done."
        )


class Ledger:
    """The ledger in the graph `<base>graph/state` of a store."""

    def __init__(self, engine: Engine, base: str, patience: float = 20.0) -> None:
        """Take the store, the base of its graphs, and the seconds in which an outcome is to be known."""
        self.engine, self.patience = engine, patience
        self.graph = f"{base}graph/state"
        self.claims, self.texts = Claims(engine, self.graph, LEASE), Texts(engine, self.graph)

    @property
    def question(self) -> str:
        """The query for what it says."""
        return f"SELECT ?state {{ GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#state> ?state }} }}"

    def read(self) -> State:
        """What it says now. Raises UnavailableError where it says nothing, or two things."""
        for _ in range(LOOKS):
            found = self.found()
            if len(found) == 1:
                return found[0]
            time.sleep(SOON)
        raise UnavailableError("The ledger of the shared store is gone, or says two things.")

    def found(self) -> list[State]:
        """What it says: nothing where there is none, and several things where it is damaged."""
        return states(self.engine.rows(self.question))

    def begin(self) -> State:
        """What it says, begun where there is none."""
        if not self.found():
            with self.claims.held():
                if not self.found():
                    new = State(uuid.uuid4().hex, 0, 0, NONE, NONE)
                    self.engine.update(f"INSERT DATA {{ GRAPH <{self.graph}> {{ {self.said(new)} }} }}")
        return self.read()

    def said(self, state: State) -> str:
        """What it says as one triple: of several, a service may show some old and some new."""
        return f"<{self.graph}> <{self.graph}#state> {literal(' '.join(map(str, (FORM, *state))))}"

    def put(self, turn: Claim, old: State, new: State, gone: str = "", come: str = "") -> State:
        """Say what is new in the place of what it says, and change data with it; the new state.

        It holds only with the claim. What comes and goes is as in an update. Raises LostTurnError,
        UnavailableError and RefusedError where nothing was done, DoubtError where that is not known.
        """
        failed: StoreError = LostTurnError()
        update = (
            f"DELETE {{ GRAPH <{self.graph}> {{ {self.said(old)} }} {gone} }} "
            f"INSERT {{ GRAPH <{self.graph}> {{ {self.said(new)} }} {come} }} "
            f"WHERE {{ GRAPH <{self.graph}> {{ {self.said(old)} }} {self.claims.pattern(turn)} }}"
        )
        try:
            self.engine.update(update)
            now = self.read()
        except UnavailableError as error:
            failed, now = error, self.found_out(turn, error)
        except RefusedError as error:
            failed, now = error, self.read()
        if now == new:
            return now
        raise failed if now == old else DoubtError

    def found_out(self, turn: Claim, error: UnavailableError) -> State:
        """What the ledger says after a request that got no answer, and that cannot be done late any more."""
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            time.sleep(AGAIN)
            try:
                self.claims.withdraw(turn.me)
                time.sleep(LATE)
                return self.read()
            except UnavailableError as again:
                error = again
        raise DoubtError from error

    # Writes.

    def write(self, turn: Claim, change: Change | None, derived: str, by: str, whole: Whole) -> State:
        """Write a change without blank nodes, as the next version, in a turn; what the ledger says then.

        None: what `whole` gives as quads that went and that came, too many to be kept. Raises LostTurnError,
        DoubtError, UnavailableError and RefusedError. Nothing was written then, but with DoubtError; after
        RefusedError, what was done of a large write is to be taken back.
        """
        old = self.read()
        new = old._replace(version=old.version + 1, derived=derived, by=by)
        parts = self.parts(change) if change is not None else []
        entry = self.entry(new, old.by, parts)
        self.forget(turn, new.version - KEPT, new.version)
        if change is not None and self.is_at_once(change):
            come = f"{data(change.added)} GRAPH <{self.graph}> {{ {' . '.join(entry)} }}"
            return self.put(turn, old, new, data(change.removed), come)
        pending = self.announce(turn, old, entry)
        try:
            self.send(turn, *((change.removed, change.added) if change is not None else whole()))
            return self.put(turn, pending, new)
        except UnavailableError as error:  # others bring it to its end
            raise DoubtError from error

    def announce(self, turn: Claim, state: State, entry: Iterable[str]) -> State:
        """Note what is going to be written; from there on it is done, by whoever has the turn next."""
        self.note(turn, entry)
        pending = self.put(turn, state, state._replace(pending=state.version + 1))
        time.sleep(NOTICE)
        return pending

    def redo(self, turn: Claim, state: State) -> State:
        """Bring to its end what was announced by a writer who is gone.

        Raises CutOffLoadError where it is not known, RefusedError where the store does not do it.
        """
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise CutOffLoadError
        self.send(turn, entry.change.removed, entry.change.added)
        return self.put(turn, state, State(state.store, state.pending, 0, entry.derived, entry.by))

    def undo(self, turn: Claim, state: State) -> State:
        """Take back what was announced. Raises CutOffLoadError where it is not known, RefusedError."""
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise CutOffLoadError
        self.send(turn, entry.change.added, entry.change.removed)
        return self.abandon(turn, state)

    def send(self, turn: Claim, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
        """Take quads out and put quads in, so many at a time; twice is as once. Raises LostTurnError."""
        for verb, quads in (("DELETE", gone), ("INSERT", come)):
            for some in batches(quads, min(BATCH, self.engine.dialect.most)):
                self.do(turn, verb, *conditional(some, self.engine.dialect.is_exact))
        self.claims.ahead(turn)

    def is_at_once(self, change: Change) -> bool:
        """Whether one conditional update makes the change, so that nobody sees it half done."""
        dialect = self.engine.dialect
        if dialect.shows_halves or len(change) > dialect.most:
            return False
        return (
            all(map(dialect.is_exact, chain(change.removed, change.added))) and len(self.parts(change)) == 1
        )

    def do(self, turn: Claim, verb: str, what: str, bound: str = "") -> None:
        """Have something done, unless others took the turn before it is done."""
        self.engine.update(f"{verb} {{ {what} }} WHERE {{ {self.claims.pattern(turn)} {bound} }}")

    def abandon(self, turn: Claim, state: State) -> State:
        """Give up what was announced, after what was done of it was taken back.

        It is a version of its own, as which nothing changed, so that whoever looked meanwhile gets to know.
        """
        new = state._replace(version=state.pending, pending=0, by=uuid.uuid4().hex)
        self.forget(turn, new.version)
        self.note(turn, self.entry(new, state.by, self.parts(Change())))
        return self.put(turn, state, new)

    def note(self, turn: Claim, entry: Iterable[str]) -> None:
        """Note an entry, of which the last triple makes it one."""
        for one in entry:
            self.do(turn, "INSERT", f"GRAPH <{self.graph}> {{ {one} }}")

    def forget(self, turn: Claim, *numbers: int) -> None:
        """Forget the entries of some versions, also what is left there of a write that did not come about."""
        nodes = [f"GRAPH <{self.graph}> {{ <{self.graph}/log/{one}> ?p ?o }}" for one in numbers]
        said = (f"DELETE {{ {one} }} WHERE {{ {one} {self.claims.pattern(turn)} }}" for one in nodes)
        self.engine.update(" ; ".join(said))

    # Entries.

    def parts(self, change: Change) -> list[str]:
        """A change as text, in parts that the store can hold; none where it is too large."""
        text = base64.b64encode(zstandard.compress(packed(change))).decode()
        return self.texts.parts(text) if len(text) <= LARGEST else []

    def entry(self, new: State, after: str, parts: Sequence[str]) -> list[str]:
        """The entry of what is new, after a write of this mark, as triples."""
        by = f"{new.by} {after} {new.derived}"
        return self.texts.said(f"log/{new.version}", by, parts)

    def read_entry(self, number: int) -> Entry | None:
        """The entry of a version; None where it is not kept."""
        found = self.texts.read(f"log/{number}")
        if found is None:
            return None
        said, text = found
        by, after, derived = said.split(" ")
        change = unpacked(zstandard.decompress(base64.b64decode(text))) if text else None
        return Entry(by, after, derived, change)


class CutOffLoadError(StoreError):
    """A writer is gone in the middle of a write that is too large to be kept."""

    def __init__(self) -> None:
        """It takes an instance with a copy from before to take it back."""
        super().__init__(
            "A large write to the shared store was cut off. Write by an instance that has a copy from "
            "before, which takes it back; or restore the store from a backup."
        )


def states(rows: Sequence[Row]) -> list[State]:
    """What a ledger says, each thing once."""
    return [state(one) for one in sorted({row["state"].value for row in rows})]


def states_in(body: bytes, media_type: str) -> list[State]:
    """What a ledger says, by the body of an answer. Raises CutOffError where it is not whole."""
    return states(list(solutions(cast(RawIOBase, io.BytesIO(body)), media_type)))


def state(text: str) -> State:
    """What a ledger says in so many words. Raises StoreError for those of another form."""
    form, *words = text.split(" ")
    if form != str(FORM):
        raise StoreError(f"The ledger of the shared store has form {form}; install a wgig that knows it.")
    store, version, pending, derived, by = words
    return State(store, int(version), int(pending), derived, by)


def batches(quads: Iterable[ox.Quad], size: int) -> Iterator[list[ox.Quad]]:
    """So many quads at a time."""
    left = iter(quads)
    while some := list(islice(left, size)):
        yield some


class SharedVersions(Versions):
    """Contents by their digests, in the shared store, and in a folder as far as they were asked for."""

    def __init__(self, folder: Path, texts: Texts) -> None:
        """Take the folder of the copy, and the texts of the shared store."""
        super().__init__(folder)
        self.texts = texts

    def keep(self, content: bytes) -> str:
        """Keep the content, if it is not there; its digest."""
        digest = super().keep(content)
        packed = gzip.compress(content, LEVEL, mtime=0)
        self.texts.keep(f"version/{digest}", base64.b64encode(packed).decode())
        return digest

    def content(self, digest: str) -> bytes:
        """What has this digest."""
        assert self.folder
        if not self.path(self.folder, digest).exists():
            found = self.texts.read(f"version/{digest}")
            if not found:
                raise StoreError(f"The version {digest} of a graph is not in the shared store.")
            super().keep(gzip.decompress(base64.b64decode(found[1])))
        return super().content(digest)
