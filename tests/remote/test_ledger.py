"""A write is done once or not at all, and the ledger says which, whatever is lost, late or left over."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pyoxigraph as ox
import pytest
from wgig.remote.claims import LostClaimError, WriteClaim
from wgig.remote.client import RefusedError
from wgig.remote.ledger import (
    MAX_LEDGER_ENTRIES,
    WRITE_NOTICE_SECONDS,
    UnknownOutcomeError,
    WriteLedger,
    parse_ledger_state,
)
from wgig.store.change import Change
from wgig.store.errors import StoreError, StoreUnavailableError

from tests.fixtures.memory_engine import SMALL as SMALL_DIALECT
from tests.fixtures.memory_engine import Do, Memory, ledger_of, lost_after, lost_before

pytestmark = pytest.mark.usefixtures("short_waits")


def change(*numbers: int) -> Change:
    """A change that adds so many quads."""
    subject, predicate, graph = (ox.NamedNode(f"urn:{one}") for one in "spg")
    return Change((), tuple(ox.Quad(subject, predicate, ox.Literal(str(one)), graph) for one in numbers))


XSD = "http://www.w3.org/2001/XMLSchema#"
SMALL, LARGE = change(1), change(*range(100, 125))


def nothing() -> tuple[tuple[ox.Quad, ...], tuple[ox.Quad, ...]]:
    return (), ()


def write(ledger: WriteLedger, what: Change, by: str = "me") -> None:
    """Write a change, in a turn."""
    with ledger.claims.hold() as turn:
        ledger.write(turn, what, "rules", by, nothing)


@pytest.fixture
def ledger(memory: Memory) -> WriteLedger:
    found = ledger_of(memory)
    found.begin()
    return found


@pytest.mark.parametrize("what", [SMALL, LARGE], ids=["small", "large"])
def test_a_write_is_there_with_its_entry(memory: Memory, ledger: WriteLedger, what: Change) -> None:
    write(ledger, what)
    now, entry = ledger.read_state(), ledger.read_entry(1)
    assert (now.version, now.pending, now.rules_digest, now.mark) == (1, 0, "rules", "me")
    assert entry
    assert entry.change
    assert (entry.mark, entry.previous_mark, set(entry.change.added)) == ("me", "none", set(what.added))
    assert memory.data == {str(one) for one in what.added}


def test_what_would_be_taken_for_something_else_is_computed(memory: Memory, ledger: WriteLedger) -> None:
    memory.dialect = replace(SMALL_DIALECT, exact_datatypes=frozenset((f"{XSD}string",)), max_update_quads=3)
    said: list[str] = []

    def meet(text: str, do: Do) -> None:
        said.append(text)
        do()

    memory.meet = meet
    quads = tuple(
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), one, ox.NamedNode("urn:g"))
        for one in (ox.Literal("a"), ox.Literal("b"), *map(ox.Literal, (1, 2, 3)), ox.Literal(1.5))
    )
    write(ledger, Change((), quads))
    assert memory.data == set(map(str, quads))
    write(ledger, Change(quads[1:]))
    assert memory.data == {str(quads[0])}
    assert not [one for one in said if "<urn:g>" in one and "DATA" in one]  # nothing goes without the claim
    assert sum("STRDT" in one for one in said) == 4


def test_what_is_announced_is_not_begun_before_all_who_look_know(
    memory: Memory, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[tuple[float, set[str], int]] = []
    monkeypatch.setattr(
        "wgig.remote.ledger.time",
        SimpleNamespace(
            sleep=lambda seconds: there.append((seconds, memory.data, ledger.read_state().pending))
        ),
    )
    write(ledger, LARGE)
    assert there == [(WRITE_NOTICE_SECONDS, set(), 1)]


def test_entries_tell_which_came_before(ledger: WriteLedger) -> None:
    write(ledger, SMALL, "one")
    write(ledger, LARGE, "two")
    entry = ledger.read_entry(2)
    assert entry
    assert (entry.mark, entry.previous_mark) == ("two", "one")


def test_old_entries_are_forgotten(ledger: WriteLedger) -> None:
    for number in range(MAX_LEDGER_ENTRIES + 2):
        write(ledger, change(number))
    assert [bool(ledger.read_entry(one)) for one in (1, 2, 3, MAX_LEDGER_ENTRIES + 2)] == [
        False,
        False,
        True,
        True,
    ]


def test_an_answer_that_is_lost_is_found_out(memory: Memory, ledger: WriteLedger) -> None:
    memory.meet = lost_after("graph/state#state")
    write(ledger, SMALL)
    assert ledger.read_state().version == 1


def test_a_request_that_is_lost_did_nothing(memory: Memory, ledger: WriteLedger) -> None:
    memory.meet = lost_before("graph/state#state")
    with pytest.raises(StoreUnavailableError, match="request is lost"):
        write(ledger, SMALL)
    assert (ledger.read_state().version, memory.data) == (0, set())


def test_a_refusal_did_nothing_and_is_told_as_it_is(memory: Memory, ledger: WriteLedger) -> None:
    def meet(text: str, do: Do) -> None:
        if "graph/state#state" in text:
            raise RefusedError(500, "The disk is full.")
        do()

    memory.meet = meet
    with pytest.raises(RefusedError):
        write(ledger, SMALL)
    assert ledger.read_state().version == 0


def test_without_the_claim_nothing_is_written(memory: Memory, ledger: WriteLedger) -> None:
    with pytest.raises(LostClaimError):
        ledger.write(WriteClaim(1, "nobody"), SMALL, "rules", "me", nothing)
    assert (ledger.read_state().version, memory.data, ledger.read_entry(1)) == (0, set(), None)


def test_who_wakes_late_writes_nothing_more(memory: Memory, ledger: WriteLedger) -> None:
    """A part of a large write that was on its way when others took the turn changes nothing."""
    late: list[Do] = []

    def meet(text: str, do: Do) -> None:
        if '"115"' in text and "urn:g" in text:
            late.append(do)
            raise StoreUnavailableError("It is on its way.")
        do()

    memory.meet = meet
    with pytest.raises(UnknownOutcomeError):
        write(ledger, LARGE)
    before = memory.data
    assert before
    assert late
    for do in late:
        do()
    assert memory.data == before


def test_what_was_done_before_others_went_on_is_in_doubt(memory: Memory, ledger: WriteLedger) -> None:
    """While its writer slept after the request, others took the turn and wrote; it is not lost."""
    other = ledger_of(memory)

    def meet(text: str, do: Do) -> None:
        do()
        if '"mine"' in text or "mine none" in text:
            memory.meet = lambda _, do: do()
            other.claims.withdraw(other.claims.list_claims()[0].owner)
            write(other, change(2), "theirs")

    memory.meet = meet
    with pytest.raises(UnknownOutcomeError):
        write(ledger, SMALL, "mine")
    entries = [ledger.read_entry(number) for number in (1, 2)]
    assert [one and one.mark for one in entries] == ["mine", "theirs"]


def failing_announcement() -> Callable[[str, Do], None]:
    def meet(text: str, do: Do) -> None:
        if "WHERE" in text and "graph/state#state" in text:
            raise StoreUnavailableError("It is lost.")
        do()

    return meet


def test_what_is_left_of_a_write_that_did_not_come_about_is_no_part_of_the_next(
    memory: Memory, ledger: WriteLedger
) -> None:
    memory.meet = failing_announcement()
    with pytest.raises(StoreUnavailableError):
        write(ledger, LARGE, "left")
    memory.meet = lambda _, do: do()
    write(ledger, SMALL, "next")
    entry = ledger.read_entry(1)
    assert entry
    assert entry.change
    assert (entry.mark, entry.change.added) == ("next", SMALL.added)


def test_what_was_announced_is_brought_to_its_end_by_others(memory: Memory, ledger: WriteLedger) -> None:
    memory.meet = lost_before('"115"')
    with pytest.raises(UnknownOutcomeError):
        write(ledger, LARGE)
    assert ledger.read_state().pending == 1
    memory.meet = lambda _, do: do()
    other = ledger_of(memory)
    with other.claims.hold() as turn:
        other.redo(turn, other.read_state())
    now = ledger.read_state()
    assert (now.version, now.pending, now.rules_digest, now.mark) == (1, 0, "rules", "me")
    assert memory.data == {str(one) for one in LARGE.added}


def test_a_text_is_kept_in_parts(memory: Memory, ledger: WriteLedger) -> None:
    memory.dialect = type(memory.dialect)("parts", max_literal_chars=7)
    ledger.texts.keep("text", "abcdefgh" * 5)
    assert ledger.texts.read("text") == ("none", "abcdefgh" * 5)
    assert ledger.texts.read("other") is None
    memory.store.update("DELETE WHERE { GRAPH ?g { ?s <https://example.org/graph/state#part-2> ?o } }")
    assert ledger.texts.read("text") is None


def test_a_ledger_of_another_form_is_left_alone() -> None:
    with pytest.raises(StoreError, match="format 2"):
        parse_ledger_state("2 store 1 0 rules by more")
