"""The ledger: a write is executed and recorded once or not at all, even if requests or responses are lost.

The ledger is the graph in which a shared store records its version (its state) and its last writes (entries).
A large write is announced as pending before its first update.
"""

from dataclasses import replace
from types import SimpleNamespace

import pyoxigraph as ox
import pytest
from wgig.remote.claims import LostClaimError, WriteClaim
from wgig.remote.client import RefusedError
from wgig.remote.ledger import (
    MAX_LEDGER_ENTRIES,
    NO_WRITE_ID,
    WRITE_ANNOUNCEMENT_SECONDS,
    UnknownOutcomeError,
    WriteLedger,
    parse_ledger_state,
)
from wgig.store.change import Change
from wgig.store.errors import StoreError, StoreUnavailableError

from tests.fixtures.memory_engine import (
    SMALL_UPDATES_DIALECT,
    MemoryEngine,
    UpdateCall,
    lose_request_with,
    lose_response_to,
    make_ledger,
)

pytestmark = pytest.mark.usefixtures("short_waits")


def make_change(*numbers: int) -> Change:
    """A change that adds a quad for each number."""
    subject, predicate, graph = (ox.NamedNode(f"urn:{letter}") for letter in "spg")
    return Change(
        (), tuple(ox.Quad(subject, predicate, ox.Literal(str(number)), graph) for number in numbers)
    )


XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema#"
SMALL_CHANGE, LARGE_CHANGE = make_change(1), make_change(*range(100, 125))  # one and several updates
MIDDLE_LITERAL = '"115"'  # in the second of the updates that write LARGE_CHANGE
STATE_IRI = "graph/state#state"  # in the update that records a write
RULES_DIGEST = "rules"  # of the inference rules


def compute_no_difference() -> tuple[tuple[ox.Quad, ...], tuple[ox.Quad, ...]]:
    """The removed and added quads of a change that is too large to record: none here."""
    return (), ()


def write_change(ledger: WriteLedger, change: Change, write_id: str = "me") -> None:
    """Write a change, with the write lock held."""
    with ledger.claims.hold() as claim:
        ledger.write(claim, change, RULES_DIGEST, write_id, compute_no_difference)


@pytest.fixture
def ledger(engine: MemoryEngine) -> WriteLedger:
    ledger = make_ledger(engine)
    ledger.read_or_create_state()
    return ledger


@pytest.mark.parametrize("change", [SMALL_CHANGE, LARGE_CHANGE], ids=["small", "large"])
def test_change_is_written_and_recorded(engine: MemoryEngine, ledger: WriteLedger, change: Change) -> None:
    write_change(ledger, change)
    state, entry = ledger.read_state(), ledger.read_entry(1)
    assert (state.version, state.pending, state.rules_digest, state.write_id) == (1, 0, RULES_DIGEST, "me")
    assert entry
    assert entry.change
    assert (entry.write_id, entry.previous_write_id) == ("me", NO_WRITE_ID)
    assert set(entry.change.added) == set(change.added)
    assert engine.data == {str(quad) for quad in change.added}


def test_literals_that_the_engine_would_change_are_computed(
    engine: MemoryEngine, ledger: WriteLedger
) -> None:
    engine.dialect = replace(
        SMALL_UPDATES_DIALECT, exact_datatypes=frozenset((f"{XSD_NAMESPACE}string",)), max_update_quads=3
    )
    updates: list[str] = []

    def record_update(update: str, execute: UpdateCall) -> None:
        updates.append(update)
        execute()

    engine.on_update = record_update
    quads = tuple(
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), literal, ox.NamedNode("urn:g"))
        for literal in (ox.Literal("a"), ox.Literal("b"), *map(ox.Literal, (1, 2, 3)), ox.Literal(1.5))
    )
    write_change(ledger, Change((), quads))
    assert engine.data == set(map(str, quads))
    write_change(ledger, Change(quads[1:]))
    assert engine.data == {str(quads[0])}
    # All updates of data depend on the claim: there is no DELETE DATA or INSERT DATA.
    assert not [update for update in updates if "<urn:g>" in update and "DATA" in update]
    # Two of the updates that insert quads, and two of those that delete them, have numbers.
    assert sum("STRDT" in update for update in updates) == 4


def test_writer_pauses_between_announcement_and_first_change(
    engine: MemoryEngine, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[tuple[float, set[str], int]] = []
    monkeypatch.setattr(
        "wgig.remote.ledger.time",
        SimpleNamespace(
            sleep=lambda seconds: pauses.append((seconds, engine.data, ledger.read_state().pending))
        ),
    )
    write_change(ledger, LARGE_CHANGE)
    assert pauses == [(WRITE_ANNOUNCEMENT_SECONDS, set(), 1)]


def test_entry_has_the_id_of_the_previous_write(ledger: WriteLedger) -> None:
    write_change(ledger, SMALL_CHANGE, "one")
    write_change(ledger, LARGE_CHANGE, "two")
    entry = ledger.read_entry(2)
    assert entry
    assert (entry.write_id, entry.previous_write_id) == ("two", "one")


def test_old_entries_are_deleted(ledger: WriteLedger) -> None:
    for number in range(MAX_LEDGER_ENTRIES + 2):
        write_change(ledger, make_change(number))
    versions = (1, 2, 3, MAX_LEDGER_ENTRIES + 2)
    assert [bool(ledger.read_entry(version)) for version in versions] == [False, False, True, True]


def test_write_with_a_lost_response_succeeds(engine: MemoryEngine, ledger: WriteLedger) -> None:
    engine.on_update = lose_response_to(STATE_IRI)
    write_change(ledger, SMALL_CHANGE)
    assert ledger.read_state().version == 1


def test_write_with_a_lost_request_fails(engine: MemoryEngine, ledger: WriteLedger) -> None:
    engine.on_update = lose_request_with(STATE_IRI)
    with pytest.raises(StoreUnavailableError, match="request is lost"):
        write_change(ledger, SMALL_CHANGE)
    assert (ledger.read_state().version, engine.data) == (0, set())


def test_refused_write_fails_with_the_error_of_the_engine(engine: MemoryEngine, ledger: WriteLedger) -> None:
    def refuse_state_update(update: str, execute: UpdateCall) -> None:
        if STATE_IRI in update:
            raise RefusedError(500, "The disk is full.")
        execute()

    engine.on_update = refuse_state_update
    with pytest.raises(RefusedError):
        write_change(ledger, SMALL_CHANGE)
    assert ledger.read_state().version == 0


def test_nothing_is_written_without_a_claim(engine: MemoryEngine, ledger: WriteLedger) -> None:
    with pytest.raises(LostClaimError):
        ledger.write(WriteClaim(1, "nobody"), SMALL_CHANGE, RULES_DIGEST, "me", compute_no_difference)
    assert (ledger.read_state().version, engine.data, ledger.read_entry(1)) == (0, set(), None)


def test_delayed_update_has_no_effect_after_the_lock_is_lost(
    engine: MemoryEngine, ledger: WriteLedger
) -> None:
    delayed_updates: list[UpdateCall] = []

    def delay_update(update: str, execute: UpdateCall) -> None:
        if MIDDLE_LITERAL in update and "urn:g" in update:  # an update of data, not of the ledger
            delayed_updates.append(execute)
            raise StoreUnavailableError("delayed")
        execute()

    engine.on_update = delay_update
    with pytest.raises(UnknownOutcomeError):
        write_change(ledger, LARGE_CHANGE)
    data = engine.data
    assert data
    assert delayed_updates
    for execute in delayed_updates:
        execute()
    assert engine.data == data  # unchanged


def test_outcome_is_unknown_if_another_instance_writes_before_the_response(
    engine: MemoryEngine, ledger: WriteLedger
) -> None:
    other_ledger = make_ledger(engine)

    def write_other_change(update: str, execute: UpdateCall) -> None:
        execute()
        if (
            f"mine {NO_WRITE_ID}" in update
        ):  # the label of the entry: the ID of the write, and of the one before it
            engine.on_update = lambda _, execute: execute()
            other_ledger.claims.remove_claims(other_ledger.claims.list_claims()[0].owner)
            write_change(other_ledger, make_change(2), "theirs")

    engine.on_update = write_other_change
    with pytest.raises(UnknownOutcomeError):
        write_change(ledger, SMALL_CHANGE, "mine")
    entries = [ledger.read_entry(number) for number in (1, 2)]
    assert [entry and entry.write_id for entry in entries] == ["mine", "theirs"]


def fail_announcement(update: str, execute: UpdateCall) -> None:
    if "WHERE" in update and STATE_IRI in update:
        raise StoreUnavailableError("lost")
    execute()


def test_entry_of_a_failed_write_is_not_used_by_the_next_write(
    engine: MemoryEngine, ledger: WriteLedger
) -> None:
    engine.on_update = fail_announcement
    with pytest.raises(StoreUnavailableError):
        write_change(ledger, LARGE_CHANGE, "failed")
    engine.on_update = lambda _, execute: execute()
    write_change(ledger, SMALL_CHANGE, "next")
    entry = ledger.read_entry(1)
    assert entry
    assert entry.change
    assert (entry.write_id, entry.change.added) == ("next", SMALL_CHANGE.added)


def test_announced_write_is_finished_by_another_instance(engine: MemoryEngine, ledger: WriteLedger) -> None:
    engine.on_update = lose_request_with(MIDDLE_LITERAL)
    with pytest.raises(UnknownOutcomeError):
        write_change(ledger, LARGE_CHANGE)
    assert ledger.read_state().pending == 1
    engine.on_update = lambda _, execute: execute()
    other_ledger = make_ledger(engine)
    with other_ledger.claims.hold() as claim:
        other_ledger.redo(claim, other_ledger.read_state())
    state = ledger.read_state()
    assert (state.version, state.pending, state.rules_digest, state.write_id) == (1, 0, RULES_DIGEST, "me")
    assert engine.data == {str(quad) for quad in LARGE_CHANGE.added}


def test_long_text_is_stored_in_parts(engine: MemoryEngine, ledger: WriteLedger) -> None:
    engine.dialect = replace(SMALL_UPDATES_DIALECT, max_literal_chars=7)
    ledger.texts.keep("text", "abcdefgh" * 5)
    assert ledger.texts.read("text") == (NO_WRITE_ID, "abcdefgh" * 5)
    assert ledger.texts.read("other") is None
    engine.store.update("DELETE WHERE { GRAPH ?g { ?s <https://example.org/graph/state#part-2> ?o } }")
    assert ledger.texts.read("text") is None


def test_ledger_of_another_format_version_is_refused() -> None:
    with pytest.raises(StoreError, match="format 2"):
        parse_ledger_state("2 store 1 0 rules write-id added-field")
