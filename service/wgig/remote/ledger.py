"""The ledger of a shared store: its version and its last 200 changes, in a separate graph.

The graph is `<base>graph/state`. The instance whose claim has the write lock updates it together with the
data, in the SPARQL service that has the store ("the service"). Each write has an entry, from which other
instances update their copies, and one for its descriptions. A change that is too large for one request is
announced first: its entry is stored, and the state names it as pending, so that the next writer can finish or
undo it. An instance that is more than 200 entries behind makes a new copy. Long texts are split into several
literals.
"""

import base64
import gzip
import hashlib
import io
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import RawIOBase
from itertools import chain, islice
from typing import NamedTuple, cast

import pyoxigraph as ox

from .. import zstd
from ..store.change import Change, parse_change, serialize_change
from ..store.change_log import SHA256_HEX_PATTERN, ChangeLog
from ..store.commit import serialize_data_block
from ..store.errors import StoreError, StoreUnavailableError
from .claims import WAIT_AFTER_REMOVAL_SECONDS, LostClaimError, WriteClaim, WriteClaims
from .client import RefusedError
from .engine import RemoteEngine
from .results import SolutionRow, iter_remote_solutions
from .skolem import build_conditional_pattern, serialize_string_literal

NO_WRITE_ID = "none"  # instead of the ID of a write or the digest of the rules, if there is none


class LedgerTexts:
    """Long texts in a graph, stored under names, each with a short label, such as the IDs of its write."""

    def __init__(self, engine: RemoteEngine, graph: str) -> None:
        """Take the client of the service, and the IRI of the graph."""
        self.engine, self.graph = engine, graph

    def keep(self, name: str, text: str) -> None:
        """Store a text under a name, with the label NO_WRITE_ID, unless there is a text of this name."""
        if self.read(name) is None:
            for triple in self.build_triples(name, NO_WRITE_ID, self.split(text)):
                self.engine.update(f"INSERT DATA {{ GRAPH <{self.graph}> {{ {triple} }} }}")

    def read(self, name: str) -> tuple[str, str] | None:
        """The label and the text stored under a name; None if there is none, or a part is missing."""
        query = f"SELECT ?p ?o {{ GRAPH <{self.graph}> {{ <{self.graph}/{name}> ?p ?o }} }}"
        values = {
            row["p"].value.removeprefix(f"{self.graph}#"): row["o"].value
            for row in self.engine.select_rows(query)
        }
        if "by" not in values:  # the label and the number of parts
            return None
        label, _, count = values["by"].rpartition(" ")
        parts = [values.get(f"part-{number}") for number in range(int(count))]
        return (label, "".join(filter(None, parts))) if None not in parts else None

    def split(self, text: str) -> list[str]:
        """The text in parts that each fit into a literal."""
        max_chars = self.engine.dialect.max_literal_chars
        return [text[begin : begin + max_chars] for begin in range(0, len(text), max_chars)]

    def build_triples(self, name: str, label: str, parts: Sequence[str]) -> list[str]:
        """The triples of a text: one for each part, and last the label with the number of parts."""
        node = f"{self.graph}/{name}"
        triples = [
            f"<{node}> <{self.graph}#part-{number}> {serialize_string_literal(part)}"
            for number, part in enumerate(parts)
        ]
        return [*triples, f"<{node}> <{self.graph}#by> {serialize_string_literal(f'{label} {len(parts)}')}"]


LEDGER_FORMAT = 1  # version of the format of the ledger; ledgers of other versions are refused
MAX_LEDGER_ENTRIES = 200  # of 100 writes; an instance that is more behind makes a new copy
MAX_ENTRY_CHARS = 32_000_000  # the entry of a larger change does not contain the change
LEDGER_RETRY_SECONDS = 0.2  # pause before a retry if the service does not respond
# The state is read again if there is none or more than one.
MAX_LEDGER_READS, LEDGER_REREAD_SECONDS = 20, 0.01
WRITE_LEASE_SECONDS = 5.0  # a writer without a heartbeat for this time loses the write lock
# Quads per request of a large write. The service handles no heartbeat while it executes a request.
LEDGER_BATCH_QUADS = 2_000
WRITE_ANNOUNCEMENT_SECONDS = 0.05  # between the announcement of a write and its first change

# Returns the removed and the added quads.
QuadDifference = Callable[[], tuple[Iterable[ox.Quad], Iterable[ox.Quad]]]


class LedgerState(NamedTuple):
    """The state in the ledger: store ID, version, and digest of the inference rules.

    `pending` is the version that is being written, or 0; `write_id` is the random ID of the last write.
    """

    store: str
    version: int
    pending: int
    rules_digest: str
    write_id: str


class LedgerEntry(NamedTuple):
    """The entry of a write: its ID, the ID of the write before it, and the digest of the inference rules.

    `change` is None if it was too large to record.
    """

    write_id: str
    previous_write_id: str
    rules_digest: str
    change: Change | None


class UnknownOutcomeError(StoreUnavailableError):
    """It is unknown whether a write was done; the store finds out when the service responds again."""

    def __init__(self) -> None:
        """Set the message."""
        super().__init__("The shared store does not respond, so it is unknown whether the write was saved.")


class WriteLedger:
    """The ledger in the graph `<base>graph/state` of a shared store."""

    def __init__(self, engine: RemoteEngine, base: str, outcome_seconds: float = 20.0) -> None:
        """Take the client of the service, the base IRI, and the maximum seconds to find out an outcome."""
        self.engine, self.outcome_seconds = engine, outcome_seconds
        self.graph = f"{base}graph/state"
        self.claims, self.texts = (
            WriteClaims(engine, self.graph, WRITE_LEASE_SECONDS),
            LedgerTexts(engine, self.graph),
        )

    @property
    def state_query(self) -> str:
        """The query for the state."""
        return f"SELECT ?state {{ GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#state> ?state }} }}"

    def read_state(self) -> LedgerState:
        """The current state. Raises StoreUnavailableError if there is none, or more than one."""
        for _ in range(MAX_LEDGER_READS):
            states = self.list_states()
            if len(states) == 1:
                return states[0]
            time.sleep(LEDGER_REREAD_SECONDS)
        raise StoreUnavailableError("The ledger of the shared store is missing or has two states.")

    def list_states(self) -> list[LedgerState]:
        """The states in the ledger: normally one, none if there is no ledger, several if it is damaged."""
        return parse_ledger_states(self.engine.select_rows(self.state_query))

    def read_or_create_state(self) -> LedgerState:
        """The current state; creates the ledger if there is none."""
        if not self.list_states():
            with self.claims.hold():
                if not self.list_states():
                    state = LedgerState(uuid.uuid4().hex, 0, 0, NO_WRITE_ID, NO_WRITE_ID)
                    self.engine.update(
                        f"INSERT DATA {{ GRAPH <{self.graph}> {{ {self.state_triple(state)} }} }}"
                    )
        return self.read_state()

    def state_triple(self, state: LedgerState) -> str:
        """The state as one triple; with several triples, a query could see some old and some new ones."""
        literal = serialize_string_literal(" ".join(map(str, (LEDGER_FORMAT, *state))))
        return f"<{self.graph}> <{self.graph}#state> {literal}"

    def replace_state(
        self, claim: WriteClaim, old: LedgerState, new: LedgerState, removed: str = "", added: str = ""
    ) -> LedgerState:
        """Replace the state, and change data in the same update, if the claim still exists.

        `removed` and `added` are quad blocks of the update. Returns the new state. Raises LostClaimError,
        StoreUnavailableError or RefusedError if nothing was changed, UnknownOutcomeError otherwise.
        """
        failure: StoreError = LostClaimError()
        update = (
            f"DELETE {{ GRAPH <{self.graph}> {{ {self.state_triple(old)} }} {removed} }} "
            f"INSERT {{ GRAPH <{self.graph}> {{ {self.state_triple(new)} }} {added} }} "
            f"WHERE {{ GRAPH <{self.graph}> {{ {self.state_triple(old)} }} "
            f"{self.claims.serialize_claim_quad(claim)} }}"
        )
        try:
            self.engine.update(update)
            current = self.read_state()
        except StoreUnavailableError as error:
            failure, current = error, self.await_outcome(claim, error)
        except RefusedError as error:
            failure, current = error, self.read_state()
        if current == new:
            return current
        raise failure if current == old else UnknownOutcomeError

    def await_outcome(self, claim: WriteClaim, error: StoreUnavailableError) -> LedgerState:
        """The state after an update without a response, read when the update can no longer be executed.

        That is the case after the removal of the claim, which is a condition of the update.
        Raises UnknownOutcomeError after `outcome_seconds`.
        """
        deadline = time.monotonic() + self.outcome_seconds
        while time.monotonic() < deadline:
            time.sleep(LEDGER_RETRY_SECONDS)
            try:
                self.claims.remove_claims(claim.owner)
                time.sleep(WAIT_AFTER_REMOVAL_SECONDS)
                return self.read_state()
            except StoreUnavailableError as retry_error:
                error = retry_error
        raise UnknownOutcomeError from error

    # Writes.

    def write(
        self,
        claim: WriteClaim,
        change: Change | None,
        rules_digest: str,
        write_id: str,
        compute_difference: QuadDifference,
    ) -> LedgerState:
        """Write a change without blank nodes as the next version, and return the new state.

        The write lock must be held. `rules_digest` is that of the inference rules, `write_id` the ID of the
        write. If `change` is None, as it is too large to record, `compute_difference` returns the removed and
        the added quads.

        Raises LostClaimError, StoreUnavailableError or RefusedError if nothing was written; but after the
        RefusedError of a large write, a part of it must be undone. Raises UnknownOutcomeError if it is not
        known whether the change was written.
        """
        old = self.read_state()
        new = old._replace(version=old.version + 1, rules_digest=rules_digest, write_id=write_id)
        parts = self.split_change(change) if change is not None else []
        entry = self.build_entry(new, old.write_id, parts)
        # Delete the oldest entry, and the entry that a failed write of the same version may have left.
        self.delete_entries(claim, new.version - MAX_LEDGER_ENTRIES, new.version)
        if change is not None and self.is_single_update(change):
            added = f"{serialize_data_block(change.added)} GRAPH <{self.graph}> {{ {' . '.join(entry)} }}"
            return self.replace_state(claim, old, new, serialize_data_block(change.removed), added)
        pending = self.announce(claim, old, entry)
        try:
            self.send_quads(
                claim, *((change.removed, change.added) if change is not None else compute_difference())
            )
            return self.replace_state(claim, pending, new)
        except StoreUnavailableError as error:  # the next writer will finish the write
            raise UnknownOutcomeError from error

    def announce(self, claim: WriteClaim, state: LedgerState, entry: Iterable[str]) -> LedgerState:
        """Record a write before it begins, so that the next writer can finish it. Returns the new state."""
        self.write_entry(claim, entry)
        pending = self.replace_state(claim, state, state._replace(pending=state.version + 1))
        time.sleep(WRITE_ANNOUNCEMENT_SECONDS)
        return pending

    def redo(self, claim: WriteClaim, state: LedgerState) -> LedgerState:
        """Finish the announced write of a lost writer, and return the new state.

        Raises InterruptedWriteError if the change was not recorded, RefusedError if the service refuses it.
        """
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise InterruptedWriteError
        self.send_quads(claim, entry.change.removed, entry.change.added)
        return self.replace_state(
            claim, state, LedgerState(state.store, state.pending, 0, entry.rules_digest, entry.write_id)
        )

    def undo(self, claim: WriteClaim, state: LedgerState) -> LedgerState:
        """Undo an announced write, and return the new state. Raises the same errors as `redo`."""
        entry = self.read_entry(state.pending)
        if entry is None or entry.change is None:
            raise InterruptedWriteError
        self.send_quads(claim, entry.change.added, entry.change.removed)
        return self.abandon(claim, state)

    def send_quads(self, claim: WriteClaim, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Remove and add quads in batches. This is idempotent. Raises LostClaimError."""
        for verb, quads in (("DELETE", removed), ("INSERT", added)):
            for batch in iter_quad_batches(
                quads, min(LEDGER_BATCH_QUADS, self.engine.dialect.max_update_quads)
            ):
                self.run_claimed_update(
                    claim, verb, *build_conditional_pattern(batch, self.engine.dialect.is_exact)
                )
        self.claims.list_claims_ahead(claim)  # raises LostClaimError

    def is_single_update(self, change: Change) -> bool:
        """Whether the change fits into one conditional update, so that no query sees a part of it."""
        dialect = self.engine.dialect
        if dialect.shows_partial_updates or len(change) > dialect.max_update_quads:
            return False
        return (
            all(map(dialect.is_exact, chain(change.removed, change.added)))
            and len(self.split_change(change)) == 1
        )

    def run_claimed_update(self, claim: WriteClaim, verb: str, template: str, bindings: str = "") -> None:
        """Run an update, which does nothing if the claim no longer exists.

        `verb` is INSERT or DELETE, `template` its body; `bindings` assigns the variables in it.
        """
        self.engine.update(
            f"{verb} {{ {template} }} WHERE {{ {self.claims.serialize_claim_quad(claim)} {bindings} }}"
        )

    def abandon(self, claim: WriteClaim, state: LedgerState) -> LedgerState:
        """End an announced write whose partial changes were undone, and return the new state.

        Its version gets an entry without changes, from which instances that read a part of it notice this.
        """
        new = state._replace(version=state.pending, pending=0, write_id=uuid.uuid4().hex)
        self.delete_entries(claim, new.version)
        self.write_entry(claim, self.build_entry(new, state.write_id, self.split_change(Change())))
        return self.replace_state(claim, state, new)

    def write_entry(self, claim: WriteClaim, entry: Iterable[str]) -> None:
        """Store an entry. It is valid only when its last triple is stored."""
        for triple in entry:
            self.run_claimed_update(claim, "INSERT", f"GRAPH <{self.graph}> {{ {triple} }}")

    def delete_entries(self, claim: WriteClaim, *numbers: int) -> None:
        """Delete the entries of some versions, including those of abandoned writes."""
        patterns = [f"GRAPH <{self.graph}> {{ <{self.graph}/log/{number}> ?p ?o }}" for number in numbers]
        deletions = (
            f"DELETE {{ {pattern} }} WHERE {{ {pattern} {self.claims.serialize_claim_quad(claim)} }}"
            for pattern in patterns
        )
        self.engine.update(" ; ".join(deletions))

    # Entries.

    def split_change(self, change: Change) -> list[str]:
        """A change as compressed text, in parts that fit into literals; empty if too large to record."""
        text = base64.b64encode(zstd.compress(serialize_change(change))).decode()
        return self.texts.split(text) if len(text) <= MAX_ENTRY_CHARS else []

    def build_entry(self, new: LedgerState, previous_write_id: str, parts: Sequence[str]) -> list[str]:
        """The triples of the entry of the write that leads to the state `new`."""
        label = f"{new.write_id} {previous_write_id} {new.rules_digest}"
        return self.texts.build_triples(f"log/{new.version}", label, parts)

    def read_entry(self, number: int) -> LedgerEntry | None:
        """The entry of a version; None if it was deleted."""
        stored = self.texts.read(f"log/{number}")
        if stored is None:
            return None
        label, text = stored
        write_id, previous_write_id, rules_digest = label.split(" ")
        change = parse_change(zstd.decompress(base64.b64decode(text))) if text else None
        return LedgerEntry(write_id, previous_write_id, rules_digest, change)


class InterruptedWriteError(StoreError):
    """A write that was too large to record was interrupted.

    Only an instance with a copy from before that write can undo it.
    """

    def __init__(self) -> None:
        """Set the message."""
        super().__init__(
            "A large write to the shared store was cut off. Undo it by writing from an instance whose "
            "copy is older than that write, or restore the store from a backup."
        )


def parse_ledger_states(rows: Sequence[SolutionRow]) -> list[LedgerState]:
    """The states in the result rows, without duplicates."""
    return [parse_ledger_state(text) for text in sorted({row["state"].value for row in rows})]


def parse_state_response(body: bytes, media_type: str) -> list[LedgerState]:
    """The states in a response body. Raises TruncatedResponseError if it is incomplete."""
    return parse_ledger_states(list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(body)), media_type)))


def parse_ledger_state(text: str) -> LedgerState:
    """A state from its text. Raises StoreError for another version of the ledger format."""
    format_version, *fields = text.split(" ")
    if format_version != str(LEDGER_FORMAT):
        raise StoreError(
            f"The ledger of the shared store has format {format_version}; install a version of wgig "
            "that supports it."
        )
    store, version, pending, rules_digest, write_id = fields
    return LedgerState(store, int(version), int(pending), rules_digest, write_id)


def iter_quad_batches(quads: Iterable[ox.Quad], size: int) -> Iterator[list[ox.Quad]]:
    """Lists of at most `size` quads."""
    iterator = iter(quads)
    while batch := list(islice(iterator, size)):
        yield batch


class SharedContents:
    """The contents that graphs had before, in the shared store; the log of the copy has some of them, too."""

    def __init__(self, texts: LedgerTexts, log: ChangeLog) -> None:
        """Take the texts of the ledger, and the change log of the local copy."""
        self.texts, self.log = texts, log

    def keep_content(self, content: bytes) -> str:
        """Store a content (sorted N-Triples) unless it is stored already. Returns its SHA-256."""
        digest = self.log.keep_content(content)
        compressed = gzip.compress(content, mtime=0)
        self.texts.keep(f"version/{digest}", base64.b64encode(compressed).decode())
        return digest

    def read_content(self, digest: str) -> bytes:
        """The content with this SHA-256. Raises StoreError if there is none."""
        try:
            return self.log.read_content(digest)
        except StoreError:  # another instance replaced it
            stored = self.texts.read(f"version/{digest}") if SHA256_HEX_PATTERN.fullmatch(digest) else None
            if not stored:
                raise
        content = gzip.decompress(base64.b64decode(stored[1]))
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"The version {digest} of a graph is damaged. Restore it from a backup.")
        self.log.add_old_contents([(digest, content)])
        return content
