"""Parts of a shared store: credentials, positions, skolemization, dialects and copies.

A position states which version of the store an instance has copied. The ledger is the graph in which the
store records its version (its state) and its last writes (entries).
"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.remote import copy
from wgig.remote.client import RemoteCredentials
from wgig.remote.copy import MissingRowsError
from wgig.remote.dialects import OXIGRAPH_DIALECT, STANDARD_DIALECT, VIRTUOSO_DIALECT, ServiceDialect
from wgig.remote.ledger import InterruptedWriteError
from wgig.remote.sharing import (
    StorePosition,
    parse_store_position,
    split_derived_change,
)
from wgig.remote.skolem import Skolemizer
from wgig.store.change import Change, apply_change
from wgig.store.commit import apply_to_engine
from wgig.store.recovery import merge_repeated_changes, select_effective

from tests.fixtures.memory_engine import (
    BASE,
    SMALL_UPDATES_DIALECT,
    MemoryEngine,
    join_instance,
    make_sharing,
    put_values,
)

pytestmark = pytest.mark.usefixtures("short_waits")

# Credentials


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("me:word:with:colons\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o601])
def test_secret_file_that_others_can_access_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        RemoteCredentials(f"basic:{secret_file}")


def test_credentials_are_sent_according_to_their_kind(secret_file: Path) -> None:
    basic = base64.b64encode(b"me:word:with:colons").decode()
    assert RemoteCredentials(f"basic:{secret_file}").headers == {"Authorization": f"Basic {basic}"}
    assert RemoteCredentials(f"bearer:{secret_file}").headers == {
        "Authorization": "Bearer me:word:with:colons"
    }
    digest = RemoteCredentials(f"digest:{secret_file}")
    assert (digest.headers, len(digest.middlewares)) == ({}, 1)
    assert (RemoteCredentials("").headers, RemoteCredentials("").middlewares) == ({}, ())


@pytest.mark.parametrize("setting", ["secret", "other:file", "basic:", "basic:/no/such/file"])
def test_invalid_setting_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="WGIG_REMOTE_AUTH"):
        RemoteCredentials(setting)


def test_password_without_user_name_is_refused(secret_file: Path) -> None:
    secret_file.write_text("word")
    with pytest.raises(ValueError, match="no colon"):
        RemoteCredentials(f"digest:{secret_file}")


# Positions


def test_position_is_parsed_as_written() -> None:
    position = StorePosition("store", 7, "write-id")
    assert parse_store_position(" ".join(map(str, position))) == position


@pytest.mark.parametrize(
    "text", ["", "store", "store 7", " 7 write-id", "store seven write-id", "store 7 write-id more"]
)
def test_invalid_position_is_ignored(text: str) -> None:
    assert parse_store_position(text) is None


# Changes that are applied again


A, B, C = (ox.Quad(*map(ox.NamedNode, (f"urn:{name}", "urn:p", "urn:o", "urn:g"))) for name in "abc")


def test_merged_changes_lead_to_the_same_quads_from_any_of_their_states() -> None:
    changes = [
        Change(added=(A, B), created=("urn:g",)),
        Change(removed=(A,), added=(C,)),
        Change(removed=(B, C), dropped=("urn:g",)),
        Change(added=(B,), created=("urn:g",)),
        Change(removed=(B,), added=(A,)),
    ]
    merged = merge_repeated_changes(changes)
    for count in range(len(changes) + 1):
        quads = ox.Store()
        for change in changes[:count]:
            apply_change(change, quads)
        apply_to_engine(select_effective(merged, quads), quads)
        assert set(quads) == {A}
        assert list(quads.named_graphs()) == [ox.NamedNode("urn:g")]


def test_change_is_split_by_graph() -> None:
    graph = ox.NamedNode("urn:derived")
    derived_quad = ox.Quad(A.subject, A.predicate, A.object, graph)
    change = Change((A,), (B, derived_quad), ("urn:g",), ("urn:derived",))
    assert split_derived_change(change, {graph}) == (
        Change((A,), (B,), ("urn:g",)),
        Change((), (derived_quad,), (), ("urn:derived",)),
    )


# Skolemization: IRIs instead of blank nodes


def test_blank_nodes_are_skolemized_and_restored() -> None:
    skolemizer, blank_node = Skolemizer(BASE), ox.BlankNode("abc")
    triple_term = ox.Triple(blank_node, ox.NamedNode("urn:p"), blank_node)
    quads = (
        ox.Quad(blank_node, ox.NamedNode("urn:p"), blank_node),
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), triple_term, blank_node),
        ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("x"), ox.NamedNode("urn:g")),
    )
    change = Change(removed=quads[:1], added=quads[1:], dropped=("urn:d",), created=("urn:c",))
    skolemized = skolemizer.skolemize_change(change)
    assert "_:" not in str((skolemized.removed, skolemized.added))
    assert skolemizer.deskolemize_change(skolemized) == change
    assert not list(skolemizer.find_reserved_names(quads))


# Dialects: the differences between SPARQL services


def test_query_prologue_excludes_the_ledger() -> None:
    assert not STANDARD_DIALECT.query_prologue("SELECT * {}", "urn:state")
    assert "exclude <urn:state>" in VIRTUOSO_DIALECT.query_prologue("SELECT * {}", "urn:state")
    assert not VIRTUOSO_DIALECT.query_prologue("SELECT * { GRAPH <urn:x> {} }", "urn:state")


@pytest.mark.parametrize("term", ["<<( <urn:a> <urn:b> <urn:c> )>>", "'a'@en--ltr"])
def test_rdf_12_terms_are_stored_only_by_some_services(term: str) -> None:
    (quad,) = ox.parse(f"<urn:s> <urn:p> {term} .", ox.RdfFormat.TURTLE)
    assert (OXIGRAPH_DIALECT.can_store(quad), VIRTUOSO_DIALECT.can_store(quad)) == (True, False)


@pytest.mark.parametrize(
    ("dialect", "body", "confirms_update"),
    [
        (VIRTUOSO_DIALECT, b'<variable name="callret-0"/> ... done', True),
        (VIRTUOSO_DIALECT, b"<html>Please log in.</html>", False),
        (VIRTUOSO_DIALECT, b"", False),
        (OXIGRAPH_DIALECT, b"", True),
        (OXIGRAPH_DIALECT, b"<html>Please log in.</html>", False),
        (STANDARD_DIALECT, b"Success", True),
    ],
)
def test_response_to_an_update_is_recognized(
    dialect: ServiceDialect, body: bytes, confirms_update: bool
) -> None:
    assert dialect.confirms_update(body) is confirms_update


# Copying


def test_copy_includes_concurrent_writes(tmp_path: Path) -> None:
    engine = MemoryEngine()
    store = join_instance(tmp_path / "one", engine)
    put_values(store, "a", *map(str, range(50)))
    sharing = make_sharing(engine)
    iter_quads, quads = sharing.copier.iter_quads, ox.Store()

    def iter_quads_and_write(*arguments: Any) -> Iterator[ox.Quad]:
        for number, quad in enumerate(iter_quads(*arguments)):
            if number == 25:
                put_values(store, "a", "new")
                put_values(store, "b", "new")
            yield quad

    sharing.copier.iter_quads = iter_quads_and_write  # type: ignore[assignment, method-assign]
    state = sharing.copier.copy_into(quads)
    assert state.version == sharing.ledger.read_state().version
    assert {str(quad) for quad in quads} == engine.data


def test_copy_excludes_a_concurrent_write_that_is_undone(tmp_path: Path) -> None:
    engine = MemoryEngine()
    store = join_instance(tmp_path / "one", engine)
    sharing, quads = make_sharing(engine), ox.Store()
    iter_quads, ledger = sharing.copier.iter_quads, store.sharing.ledger
    added_quad = ox.Quad(*map(ox.NamedNode, ("urn:s", "urn:p", "urn:o", "urn:g")))

    def iter_quads_during_write(*arguments: Any) -> Iterator[ox.Quad]:
        sharing.copier.iter_quads = iter_quads  # type: ignore[method-assign]  # for the next attempt
        with ledger.claims.hold() as claim:
            old_state = ledger.read_state()
            new_state = old_state._replace(version=old_state.version + 1, write_id="me")
            change_parts = ledger.split_change(Change((), (added_quad,)))
            entry = ledger.build_entry(new_state, old_state.write_id, change_parts)
            pending_state = ledger.announce(claim, old_state, entry)
            ledger.send_quads(claim, (), (added_quad,))
            yield from list(iter_quads(*arguments))
            ledger.undo(claim, pending_state)

    sharing.copier.iter_quads = iter_quads_during_write  # type: ignore[assignment, method-assign]
    sharing.copier.copy_into(quads)
    assert {str(quad) for quad in quads} == engine.data == set()


@pytest.mark.parametrize("name", ["a", "b"])  # the graph that the concurrent write changes
@pytest.mark.parametrize("page_rows", [1, 7, 50, 60])
def test_paged_copy_is_complete_after_a_concurrent_write(tmp_path: Path, page_rows: int, name: str) -> None:
    engine = MemoryEngine(replace(SMALL_UPDATES_DIALECT, max_page_rows=page_rows))
    store = join_instance(tmp_path / "one", engine)
    put_values(store, "a", *map(str, range(25)))
    put_values(store, "b", *map(str, range(25)))
    sharing = make_sharing(engine)
    page_clause, quads, graphs_to_write = sharing.copier.page_clause, ox.Store(), iter([name])

    def write_before_page(offset: int) -> str:
        if offset and next(graphs_to_write, None):  # once; this changes the offsets of later rows
            put_values(store, name, "new")
        return page_clause(offset)

    sharing.copier.page_clause = write_before_page  # type: ignore[method-assign]
    state = sharing.copier.copy_into(quads)
    assert state.version == sharing.ledger.read_state().version
    assert {str(quad) for quad in quads} == engine.data


@pytest.mark.parametrize("write_count", [0, 1], ids=["no writes", "concurrent write"])
def test_missing_rows_are_an_error(tmp_path: Path, write_count: int) -> None:
    engine = MemoryEngine()
    store = join_instance(tmp_path / "one", engine)
    put_values(store, "a", *map(str, range(50)))
    sharing = make_sharing(engine)
    iter_quads = sharing.copier.iter_quads

    def iter_first_quads(*arguments: Any) -> Iterator[ox.Quad]:
        for number in range(write_count):
            put_values(store, "b", str(number))
        yield from list(iter_quads(*arguments))[:30]

    sharing.copier.iter_quads = iter_first_quads  # type: ignore[assignment, method-assign]
    with pytest.raises(MissingRowsError, match=f"30 of {50 + write_count}"):
        sharing.copier.copy_into(ox.Store())


def test_copy_fails_during_a_large_write_without_heartbeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = MemoryEngine()
    sharing = join_instance(tmp_path / "one", engine).sharing
    with sharing.ledger.claims.hold() as claim:
        old_state = sharing.ledger.read_state()
        new_state = old_state._replace(version=1, write_id="me")
        sharing.ledger.announce(claim, old_state, sharing.ledger.build_entry(new_state, "none", ["a change"]))
        other_sharing = make_sharing(engine)
        monkeypatch.setattr(other_sharing.ledger.claims, "read_values", lambda _: set())  # no heartbeats
        with pytest.raises(InterruptedWriteError):
            other_sharing.copier.copy_into(ox.Store())


def test_copy_waits_for_a_large_write_with_heartbeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "WRITER_LOST_SECONDS", 0.0)
    monkeypatch.setattr(copy, "COPY_RETRY_SECONDS", 0.0)
    engine, added_quad = MemoryEngine(), ox.Quad(*map(ox.NamedNode, ("urn:s", "urn:p", "urn:o", "urn:g")))
    ledger, other_sharing = join_instance(tmp_path / "one", engine).sharing.ledger, make_sharing(engine)
    heartbeats = iter(range(5))
    with ledger.claims.hold() as claim:
        old_state = ledger.read_state()
        new_state = old_state._replace(version=old_state.version + 1, write_id="me")
        change_parts = ledger.split_change(Change((), (added_quad,)))
        entry = ledger.build_entry(new_state, old_state.write_id, change_parts)
        pending_state = ledger.announce(claim, old_state, entry)

        def read_heartbeats(_: str) -> set[str]:
            if (heartbeat := next(heartbeats, None)) is None:
                ledger.redo(claim, pending_state)
            return {str(heartbeat)}

        monkeypatch.setattr(other_sharing.ledger.claims, "read_values", read_heartbeats)
        quads = ox.Store()
        assert other_sharing.copier.copy_into(quads).version == pending_state.pending
    assert added_quad in quads
