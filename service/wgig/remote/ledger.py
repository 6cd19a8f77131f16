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

from ..store.change import Change, parse_change, serialize_change
from ..store.commit import serialize_data_block
from ..store.errors import StoreError, StoreUnavailableError
from ..store.files import VERSION_GZIP_LEVEL, ContentStore
from .claims import LATE_REQUEST_SECONDS, LostClaimError, WriteClaim, WriteClaims
from .client import RefusedError
from .engine import RemoteEngine
from .results import SolutionRow, iter_remote_solutions
from .skolem import build_conditional_pattern, serialize_string_literal

NO_MARK = "none"


class LedgerTexts:
    """Texts by their names, each with a word on whom it is by."""

    def __init__(self, engine: RemoteEngine, graph: str) -> None:
        """Take the store, and the graph in which they are."""
        self.engine, self.graph = engine, graph

    def keep(self, name: str, text: str) -> None:
        """Keep a text by nobody under a name, if there is none."""
        if self.read(name) is None:
            for one in self.build_triples(name, NO_MARK, self.split(text)):
                self.engine.update(f"INSERT DATA {{ GRAPH <{self.graph}> {{ {one} }} }}")

    def read(self, name: str) -> tuple[str, str] | None:
        """By whom the text of a name is, and the text; None where there is none, or not all of it."""
        query = f"SELECT ?p ?o {{ GRAPH <{self.graph}> {{ <{self.graph}/{name}> ?p ?o }} }}"
        said = {
            row["p"].value.removeprefix(f"{self.graph}#"): row["o"].value
            for row in self.engine.select_rows(query)
        }
        if "by" not in said:
            return None
        by, _, count = said["by"].rpartition(" ")
        parts = [said.get(f"part-{at}") for at in range(int(count))]
        return (by, "".join(filter(None, parts))) if None not in parts else None

    def split(self, text: str) -> list[str]:
        """The parts of a text."""
        size = self.engine.dialect.max_literal_chars
        return [text[at : at + size] for at in range(0, len(text), size)]

    def build_triples(self, name: str, by: str, parts: Sequence[str]) -> list[str]:
        """A text as triples; the last one says by whom it is and how many parts there are."""
        node = f"{self.graph}/{name}"
        said = [
            f"<{node}> <{self.graph}#part-{at}> {serialize_string_literal(part)}"
            for at, part in enumerate(parts)
        ]
        return [*said, f"<{node}> <{self.graph}#by> {serialize_string_literal(f'{by} {len(parts)}')}"]


LEDGER_FORMAT = 1  # of the ledger; what is in another one is not written by us
MAX_LEDGER_ENTRIES = 100  # entries; who is further behind takes a new copy
MAX_ENTRY_CHARS = 32_000_000  # characters of an entry; of what is larger it says only that it was
LEDGER_RETRY_SECONDS = 0.2  # seconds until a store is asked again that did not answer
# So often it is looked again, after so many seconds, what a ledger says.
MAX_LEDGER_READS, LEDGER_REREAD_SECONDS = 20, 0.01
WRITE_LEASE_SECONDS = 5.0  # seconds without a beat after which the turn of another is over
# Quads of a large write that are sent at once: while an engine writes, no beat is heard.
LEDGER_BATCH_QUADS = 2_000
WRITE_NOTICE_SECONDS = 0.05  # seconds between the word that something will be written and the first of it

# Gives the quads that went and those that came.
QuadDifference = Callable[[], tuple[Iterable[ox.Quad], Iterable[ox.Quad]]]


class LedgerState(NamedTuple):
    """What the ledger says: of which store, in which version, and by which rules things were inferred.

    `pending` is the version that is being written, 0 where none is; `mark` that of the last write.
    """

    store: str
    version: int
    pending: int
    rules_digest: str
    mark: str


class LedgerEntry(NamedTuple):
    """What is kept of a write: its mark, that of the one before it, and the change if it is not too large.

    `rules_digest` tells by which rules things were inferred.
    """

    mark: str
    previous_mark: str
    rules_digest: str
    change: Change | None


class UnknownOutcomeError(StoreUnavailableError):
    """It is not known whether a write was done."""

    def __init__(self) -> None:
        """Whoever wrote finds out when the store answers again."""
        super().__init__(
            "The shared store does not answer, so that it is not known whether the write was done."
        )


class WriteLedger:
    """The ledger in the graph `<base>graph/state` of a store."""

    def __init__(self, engine: RemoteEngine, base: str, patience: float = 20.0) -> None:
        """Take the store, the base of its graphs, and the seconds in which an outcome is to be known."""
        self.engine, self.outcome_seconds = engine, patience
        self.graph = f"{base}graph/state"
        self.claims, self.texts = (
            WriteClaims(engine, self.graph, WRITE_LEASE_SECONDS),
            LedgerTexts(engine, self.graph),
        )

    @property
    def state_query(self) -> str:
        """The query for what it says."""
        return f"SELECT ?state {{ GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#state> ?state }} }}"

    def read_state(self) -> LedgerState:
        """What it says now. Raises StoreUnavailableError where it says nothing, or two things."""
        for _ in range(MAX_LEDGER_READS):
            found = self.list_states()
            if len(found) == 1:
                return found[0]
            time.sleep(LEDGER_REREAD_SECONDS)
        raise StoreUnavailableError("The ledger of the shared store is gone, or says two things.")

    def list_states(self) -> list[LedgerState]:
        """What it says: nothing where there is none, and several things where it is damaged."""
        return parse_ledger_states(self.engine.select_rows(self.state_query))

    def begin(self) -> LedgerState:
        """What it says, begun where there is none."""
        if not self.list_states():
            with self.claims.hold():
                if not self.list_states():
                    new = LedgerState(uuid.uuid4().hex, 0, 0, NO_MARK, NO_MARK)
                    self.engine.update(
                        f"INSERT DATA {{ GRAPH <{self.graph}> {{ {self.state_triple(new)} }} }}"
                    )
        return self.read_state()

    def state_triple(self, state: LedgerState) -> str:
        """What it says as one triple: of several, a service may show some old and some new."""
        literal = serialize_string_literal(" ".join(map(str, (LEDGER_FORMAT, *state))))
        return f"<{self.graph}> <{self.graph}#state> {literal}"

    def replace_state(
        self, turn: WriteClaim, old: LedgerState, new: LedgerState, gone: str = "", come: str = ""
    ) -> LedgerState:
        """Say what is new in the place of what it says, and change data with it; the new state.

        It holds only with the claim. What comes and goes is as in an update. Raises LostClaimError,
        StoreUnavailableError and RefusedError where nothing was done, UnknownOutcomeError where that is not
        known.
        """
        failed: StoreError = LostClaimError()
        update = (
            f"DELETE {{ GRAPH <{self.graph}> {{ {self.state_triple(old)} }} {gone} }} "
            f"INSERT {{ GRAPH <{self.graph}> {{ {self.state_triple(new)} }} {come} }} "
            f"WHERE {{ GRAPH <{self.graph}> {{ {self.state_triple(old)} }} "
            f"{self.claims.claim_pattern(turn)} }}"
        )
        try:
            self.engine.update(update)
            now = self.read_state()
        except StoreUnavailableError as error:
            failed, now = error, self.await_outcome(turn, error)
        except RefusedError as error:
            failed, now = error, self.read_state()
        if now == new:
            return now
        raise failed if now == old else UnknownOutcomeError

    def await_outcome(self, turn: WriteClaim, error: StoreUnavailableError) -> LedgerState:
        """What the ledger says after a request that got no answer, and that cannot be done late any more."""
        until = time.monotonic() + self.outcome_seconds
        while time.monotonic() < until:
            time.sleep(LEDGER_RETRY_SECONDS)
            try:
                self.claims.withdraw(turn.owner)
                time.sleep(LATE_REQUEST_SECONDS)
                return self.read_state()
            except StoreUnavailableError as again:
                error = again
        raise UnknownOutcomeError from error

    # Writes.

    def write(
        self, turn: WriteClaim, change: Change | None, derived: str, by: str, whole: QuadDifference
    ) -> LedgerState:
        """Write a change without blank nodes, as the next version, in a turn; what the ledger says then.

        None: what `whole` gives as quads that went and that came, too many to be kept. Raises LostClaimError,
        UnknownOutcomeError, StoreUnavailableError and RefusedError. Nothing was written then, but with
        UnknownOutcomeError; after RefusedError, what was done of a large write is to be taken back.
        """
        old = self.read_state()
        new = old._replace(version=old.version + 1, rules_digest=derived, mark=by)
        parts = self.split_change(change) if change is not None else []
        entry = self.build_entry(new, old.mark, parts)
        self.forget_entries(turn, new.version - MAX_LEDGER_ENTRIES, new.version)
        if change is not None and self.is_single_update(change):
            come = f"{serialize_data_block(change.added)} GRAPH <{self.graph}> {{ {' . '.join(entry)} }}"
            return self.replace_state(turn, old, new, serialize_data_block(change.removed), come)
        pending = self.announce(turn, old, entry)
        try:
            self.send_quads(turn, *((change.removed, change.added) if change is not None else whole()))
            return self.replace_state(turn, pending, new)
        except StoreUnavailableError as error:  # others bring it to its end
            raise UnknownOutcomeError from error

    def announce(self, turn: WriteClaim, state: LedgerState, entry: Iterable[str]) -> LedgerState:
        """Note what is going to be written; from there on it is done, by whoever has the turn next."""
        self.write_entry(turn, entry)
        pending = self.replace_state(turn, state, state._replace(pending=state.version + 1))
        time.sleep(WRITE_NOTICE_SECONDS)
        return pending

    def redo(self, turn: WriteClaim, state: LedgerState) -> LedgerState:
        """Bring to its end what was announced by a writer who is gone.

        Raises CutOffLoadError where it is not known, RefusedError where the store does not do it.
        """
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise CutOffLoadError
        self.send_quads(turn, entry.change.removed, entry.change.added)
        return self.replace_state(
            turn, state, LedgerState(state.store, state.pending, 0, entry.rules_digest, entry.mark)
        )

    def undo(self, turn: WriteClaim, state: LedgerState) -> LedgerState:
        """Take back what was announced. Raises CutOffLoadError where it is not known, RefusedError."""
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise CutOffLoadError
        self.send_quads(turn, entry.change.added, entry.change.removed)
        return self.abandon(turn, state)

    def send_quads(self, turn: WriteClaim, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
        """Take quads out and put quads in, so many at a time; twice is as once. Raises LostClaimError."""
        for verb, quads in (("DELETE", gone), ("INSERT", come)):
            for some in iter_quad_batches(
                quads, min(LEDGER_BATCH_QUADS, self.engine.dialect.max_update_quads)
            ):
                self.run_claimed_update(
                    turn, verb, *build_conditional_pattern(some, self.engine.dialect.is_exact)
                )
        self.claims.claims_ahead(turn)

    def is_single_update(self, change: Change) -> bool:
        """Whether one conditional update makes the change, so that nobody sees it half done."""
        dialect = self.engine.dialect
        if dialect.shows_partial_updates or len(change) > dialect.max_update_quads:
            return False
        return (
            all(map(dialect.is_exact, chain(change.removed, change.added)))
            and len(self.split_change(change)) == 1
        )

    def run_claimed_update(self, turn: WriteClaim, verb: str, what: str, bound: str = "") -> None:
        """Have something done, unless others took the turn before it is done."""
        self.engine.update(f"{verb} {{ {what} }} WHERE {{ {self.claims.claim_pattern(turn)} {bound} }}")

    def abandon(self, turn: WriteClaim, state: LedgerState) -> LedgerState:
        """Give up what was announced, after what was done of it was taken back.

        It is a version of its own, as which nothing changed, so that whoever looked meanwhile gets to know.
        """
        new = state._replace(version=state.pending, pending=0, mark=uuid.uuid4().hex)
        self.forget_entries(turn, new.version)
        self.write_entry(turn, self.build_entry(new, state.mark, self.split_change(Change())))
        return self.replace_state(turn, state, new)

    def write_entry(self, turn: WriteClaim, entry: Iterable[str]) -> None:
        """Note an entry, of which the last triple makes it one."""
        for one in entry:
            self.run_claimed_update(turn, "INSERT", f"GRAPH <{self.graph}> {{ {one} }}")

    def forget_entries(self, turn: WriteClaim, *numbers: int) -> None:
        """Forget the entries of some versions, also what is left there of a write that did not come about."""
        nodes = [f"GRAPH <{self.graph}> {{ <{self.graph}/log/{one}> ?p ?o }}" for one in numbers]
        said = (f"DELETE {{ {one} }} WHERE {{ {one} {self.claims.claim_pattern(turn)} }}" for one in nodes)
        self.engine.update(" ; ".join(said))

    # Entries.

    def split_change(self, change: Change) -> list[str]:
        """A change as text, in parts that the store can hold; none where it is too large."""
        text = base64.b64encode(zstandard.compress(serialize_change(change))).decode()
        return self.texts.split(text) if len(text) <= MAX_ENTRY_CHARS else []

    def build_entry(self, new: LedgerState, after: str, parts: Sequence[str]) -> list[str]:
        """The entry of what is new, after a write of this mark, as triples."""
        by = f"{new.mark} {after} {new.rules_digest}"
        return self.texts.build_triples(f"log/{new.version}", by, parts)

    def read_entry(self, number: int) -> LedgerEntry | None:
        """The entry of a version; None where it is not kept."""
        found = self.texts.read(f"log/{number}")
        if found is None:
            return None
        said, text = found
        by, after, derived = said.split(" ")
        change = parse_change(zstandard.decompress(base64.b64decode(text))) if text else None
        return LedgerEntry(by, after, derived, change)


class CutOffLoadError(StoreError):
    """A writer is gone in the middle of a write that is too large to be kept."""

    def __init__(self) -> None:
        """It takes an instance with a copy from before to take it back."""
        super().__init__(
            "A large write to the shared store was cut off. Write by an instance that has a copy from "
            "before, which takes it back; or restore the store from a backup."
        )


def parse_ledger_states(rows: Sequence[SolutionRow]) -> list[LedgerState]:
    """What a ledger says, each thing once."""
    return [parse_ledger_state(one) for one in sorted({row["state"].value for row in rows})]


def parse_ledger_answer(body: bytes, media_type: str) -> list[LedgerState]:
    """What a ledger says, by the body of an answer. Raises CutOffError where it is not whole."""
    return parse_ledger_states(list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(body)), media_type)))


def parse_ledger_state(text: str) -> LedgerState:
    """What a ledger says in so many words. Raises StoreError for those of another form."""
    form, *words = text.split(" ")
    if form != str(LEDGER_FORMAT):
        raise StoreError(f"The ledger of the shared store has form {form}; install a wgig that knows it.")
    store, version, pending, derived, by = words
    return LedgerState(store, int(version), int(pending), derived, by)


def iter_quad_batches(quads: Iterable[ox.Quad], size: int) -> Iterator[list[ox.Quad]]:
    """So many quads at a time."""
    left = iter(quads)
    while some := list(islice(left, size)):
        yield some


class SharedContentStore(ContentStore):
    """Contents by their digests, in the shared store, and in a folder as far as they were asked for."""

    def __init__(self, folder: Path, texts: LedgerTexts) -> None:
        """Take the folder of the copy, and the texts of the shared store."""
        super().__init__(folder)
        self.texts = texts

    def keep(self, content: bytes) -> str:
        """Keep the content, if it is not there; its digest."""
        digest = super().keep(content)
        packed = gzip.compress(content, VERSION_GZIP_LEVEL, mtime=0)
        self.texts.keep(f"version/{digest}", base64.b64encode(packed).decode())
        return digest

    def read(self, digest: str) -> bytes:
        """What has this digest."""
        assert self.folder
        if not self.path(self.folder, digest).exists():
            found = self.texts.read(f"version/{digest}")
            if not found:
                raise StoreError(f"The version {digest} of a graph is not in the shared store.")
            super().keep(gzip.decompress(base64.b64decode(found[1])))
        return super().read(digest)
