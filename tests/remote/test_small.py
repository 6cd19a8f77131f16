"""The smaller parts: who we are, what is noted, what has no name there, and copies."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.remote import copy, sharing
from wgig.remote.client import RemoteCredentials
from wgig.remote.copy import MissingRowsError
from wgig.remote.dialects import OXIGRAPH_DIALECT, STANDARD_DIALECT, VIRTUOSO_DIALECT, ServiceDialect
from wgig.remote.ledger import CutOffLoadError
from wgig.remote.sharing import StorePosition
from wgig.remote.skolem import Skolemizer
from wgig.store.change import Change

from tests.fixtures.memory_engine import BASE, SMALL, Memory, joined, put_values, sharing_of

pytestmark = pytest.mark.usefixtures("short_waits")

# Access


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("me:word:with:colons\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o601])
def test_a_secret_that_others_can_read_is_refused(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        RemoteCredentials(f"basic:{secret}")


def test_each_kind_says_who_we_are(secret: Path) -> None:
    basic = base64.b64encode(b"me:word:with:colons").decode()
    assert RemoteCredentials(f"basic:{secret}").headers == {"Authorization": f"Basic {basic}"}
    assert RemoteCredentials(f"bearer:{secret}").headers == {"Authorization": "Bearer me:word:with:colons"}
    digest = RemoteCredentials(f"digest:{secret}")
    assert (digest.headers, len(digest.middlewares)) == ({}, 1)
    assert (RemoteCredentials("").headers, RemoteCredentials("").middlewares) == ({}, ())


@pytest.mark.parametrize("setting", ["secret", "other:file", "basic:", "basic:/no/such/file"])
def test_a_setting_that_names_no_secret_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="WGIG_REMOTE_AUTH"):
        RemoteCredentials(setting)


def test_a_password_without_a_name_is_refused(secret: Path) -> None:
    secret.write_text("word")
    with pytest.raises(ValueError, match="no colon"):
        RemoteCredentials(f"digest:{secret}")


# Position


def test_a_position_is_what_was_noted(tmp_path: Path) -> None:
    assert sharing.read_position_file(tmp_path) is None
    sharing.write_position_file(tmp_path, StorePosition("store", 7, "mark"))
    assert sharing.read_position_file(tmp_path) == StorePosition("store", 7, "mark")


@pytest.mark.parametrize("text", ["", "store", "store 7", "store seven mark", "store 7 mark more"])
def test_half_a_note_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / sharing.POSITION_FILE_NAME).write_text(text)
    assert sharing.read_position_file(tmp_path) is None


# Ground


def test_what_has_no_name_comes_back() -> None:
    ground, blank = Skolemizer(BASE), ox.BlankNode("abc")
    about = ox.Triple(blank, ox.NamedNode("urn:p"), blank)
    quads = (
        ox.Quad(blank, ox.NamedNode("urn:p"), blank),
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), about, blank),
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("x"), ox.NamedNode("urn:g")),
    )
    change = Change(quads[:1], quads[1:], ("urn:d",), ("urn:m",))
    there = ground.skolemize_change(change)
    assert "_:" not in str((there.removed, there.added))
    assert ground.deskolemize_change(there) == change
    assert not list(ground.find_reserved_names(quads))


# Dialects


def test_what_is_not_to_be_seen_is_left_out() -> None:
    assert not STANDARD_DIALECT.query_prologue("SELECT * {}", "urn:state")
    assert "exclude <urn:state>" in VIRTUOSO_DIALECT.query_prologue("SELECT * {}", "urn:state")
    assert not VIRTUOSO_DIALECT.query_prologue("SELECT * { GRAPH <urn:x> {} }", "urn:state")


@pytest.mark.parametrize("term", ["<<( <urn:a> <urn:b> <urn:c> )>>", "'a'@en--ltr"])
def test_what_is_new_in_rdf_is_held_by_engines_that_know_it(term: str) -> None:
    (quad,) = ox.parse(f"<urn:s> <urn:p> {term} .", ox.RdfFormat.TURTLE)
    assert (OXIGRAPH_DIALECT.can_hold(quad), VIRTUOSO_DIALECT.can_hold(quad)) == (True, False)


@pytest.mark.parametrize(
    ("dialect", "said", "is_done"),
    [
        (VIRTUOSO_DIALECT, b'<variable name="callret-0"/> ... done', True),
        (VIRTUOSO_DIALECT, b"<html>Please log in.</html>", False),
        (VIRTUOSO_DIALECT, b"", False),
        (OXIGRAPH_DIALECT, b"", True),
        (OXIGRAPH_DIALECT, b"<html>Please log in.</html>", False),
        (STANDARD_DIALECT, b"Success", True),
    ],
)
def test_what_somebody_else_says_to_an_update_is_not_believed(
    dialect: ServiceDialect, said: bytes, is_done: bool
) -> None:
    assert dialect.is_done(said) is is_done


# Copying


def test_a_copy_holds_what_is_written_meanwhile(tmp_path: Path) -> None:
    memory = Memory()
    store = joined(tmp_path / "one", memory)
    put_values(store, "a", *map(str, range(50)))
    sharing = sharing_of(memory)
    quads, found = sharing.copier.iter_quads, ox.Store()

    def slow(*given: Any) -> Iterator[ox.Quad]:
        for number, one in enumerate(quads(*given)):
            if number == 25:
                put_values(store, "a", "new")
                put_values(store, "b", "new")
            yield one

    sharing.copier.iter_quads = slow  # type: ignore[assignment, method-assign]
    state = sharing.copier.copy_into(found)
    assert state.version == sharing.ledger.read_state().version
    assert {str(one) for one in found} == memory.data


def test_what_was_given_up_meanwhile_is_not_in_a_copy(tmp_path: Path) -> None:
    memory = Memory()
    store = joined(tmp_path / "one", memory)
    sharing, found = sharing_of(memory), ox.Store()
    quads, ledger = sharing.copier.iter_quads, store.sharing.ledger
    added = ox.Quad(*map(ox.NamedNode, ("urn:s", "urn:p", "urn:o", "urn:g")))
    tries = iter(("write",))

    def half(*given: Any) -> Iterator[ox.Quad]:
        if not next(tries, None):
            yield from quads(*given)
            return
        with ledger.claims.hold() as turn:
            old = ledger.read_state()
            new = old._replace(version=old.version + 1, mark="me")
            pending = ledger.announce(
                turn, old, ledger.build_entry(new, old.mark, ledger.split_change(Change((), (added,))))
            )
            ledger.send_quads(turn, (), (added,))
            yield from list(quads(*given))
            ledger.undo(turn, pending)

    sharing.copier.iter_quads = half  # type: ignore[assignment, method-assign]
    sharing.copier.copy_into(found)
    assert {str(one) for one in found} == memory.data == set()


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("at_once", [1, 7, 50, 60])
def test_a_copy_in_parts_misses_nothing_that_moves_meanwhile(tmp_path: Path, at_once: int, name: str) -> None:
    memory = Memory(replace(SMALL, max_page_rows=at_once))
    store = joined(tmp_path / "one", memory)
    put_values(store, "a", *map(str, range(25)))
    put_values(store, "b", *map(str, range(25)))
    sharing = sharing_of(memory)
    part, found, moves = sharing.copier.page_clause, ox.Store(), iter([name])

    def moved(offset: int) -> str:
        if offset and next(moves, None):  # what comes later is at another place then
            put_values(store, name, "new")
        return part(offset)

    sharing.copier.page_clause = moved  # type: ignore[method-assign]
    state = sharing.copier.copy_into(found)
    assert state.version == sharing.ledger.read_state().version
    assert {str(one) for one in found} == memory.data


@pytest.mark.parametrize("writes", [0, 1], ids=["alone", "while others write"])
def test_a_copy_that_is_cut_is_noticed(tmp_path: Path, writes: int) -> None:
    memory = Memory()
    store = joined(tmp_path / "one", memory)
    put_values(store, "a", *map(str, range(50)))
    sharing = sharing_of(memory)
    quads = sharing.copier.iter_quads

    def cut(*given: Any) -> Iterator[ox.Quad]:
        for number in range(writes):
            put_values(store, "b", str(number))
        yield from list(quads(*given))[:30]

    sharing.copier.iter_quads = cut  # type: ignore[assignment, method-assign]
    with pytest.raises(MissingRowsError, match=f"30 of {50 + writes}"):
        sharing.copier.copy_into(ox.Store())


def test_a_write_that_may_be_taken_back_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    sharing = joined(tmp_path / "one", memory).sharing
    with sharing.ledger.claims.hold() as turn:
        new = sharing.ledger.read_state()._replace(version=9, mark="me")
        sharing.ledger.announce(
            turn, sharing.ledger.read_state(), sharing.ledger.build_entry(new, "none", ["x"])
        )
        other = sharing_of(memory)
        monkeypatch.setattr(other.ledger.claims, "read_values", lambda _: set())  # no sign of the writer
        with pytest.raises(CutOffLoadError):
            other.copier.copy_into(ox.Store())


def test_a_write_is_waited_for_as_long_as_the_writer_gives_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "WRITER_GONE_SECONDS", 0.0)
    monkeypatch.setattr(copy, "COPY_RETRY_SECONDS", 0.0)
    memory, added = Memory(), ox.Quad(*map(ox.NamedNode, ("urn:s", "urn:p", "urn:o", "urn:g")))
    ledger, other = joined(tmp_path / "one", memory).sharing.ledger, sharing_of(memory)
    beats = iter(range(5))
    with ledger.claims.hold() as turn:
        old = ledger.read_state()
        new = old._replace(version=old.version + 1, mark="me")
        entry = ledger.build_entry(new, old.mark, ledger.split_change(Change((), (added,))))
        pending = ledger.announce(turn, old, entry)

        def said(_: str) -> set[str]:
            if (beat := next(beats, None)) is None:
                ledger.redo(turn, pending)
            return {str(beat)}

        monkeypatch.setattr(other.ledger.claims, "read_values", said)
        found = ox.Store()
        assert other.copier.copy_into(found).version == pending.pending
    assert added in found
