"""Instances over one service hold the same, whatever is refused, cut off, restored or torn."""

import io
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.remote import claims, copy, sharing
from wgig.remote.client import RefusedError
from wgig.remote.dialects import VIRTUOSO_DIALECT
from wgig.remote.ledger import UnknownOutcomeError
from wgig.remote.sharing import StorePosition
from wgig.remote.store import SharedStore
from wgig.store import change
from wgig.store.change import Change
from wgig.store.errors import StoreError, StoreNotWritableError, StoreUnavailableError, UnstorableError
from wgig.store.store import Store

from tests.fixtures.memory_engine import (
    BASE,
    SMALL,
    Do,
    Memory,
    held,
    joined,
    lost_after,
    lost_before,
    put_values,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_waits")]

HOME = "https://example.org/.well-known/genid/"
MANY = [str(number) for number in range(100, 130)]
DECIMAL = ox.NamedNode("http://www.w3.org/2001/XMLSchema#decimal")


def calm(_: str, do: Do) -> None:
    """Nothing befalls an update."""
    do()


@pytest.fixture
def both(tmp_path: Path, memory: Memory) -> list[SharedStore]:
    return [joined(tmp_path / name, memory) for name in ("one", "two")]


def agree(memory: Memory, stores: list[SharedStore]) -> None:
    """All hold the same."""
    for one in stores:
        one.follow()
        assert held(one) == memory.data
        assert one.sharing.ledger.read_state().pending == 0


@pytest.mark.parametrize("values", [["1"], MANY], ids=["small", "large"])
def test_a_write_is_seen_by_others(memory: Memory, both: list[SharedStore], values: list[str]) -> None:
    put_values(both[0], "a", *values)
    agree(memory, both)
    put_values(both[1], "a", "2")
    agree(memory, both)
    assert len(memory.data) == 1


def test_blank_nodes_and_the_unnamed_graph_come_back(memory: Memory, both: list[SharedStore]) -> None:
    both[0].update("INSERT DATA { <urn:a> <urn:b> [ <urn:c> 1 ] }")
    agree(memory, both)
    assert all(str(one.graph_name) == "DEFAULT" for one in both[1]._quads)
    assert any(isinstance(one.object, ox.BlankNode) for one in both[1]._quads)


@pytest.mark.parametrize(
    "quad",
    [
        f"GRAPH <{BASE}graph/state> {{ <urn:a> <urn:b> 1 }}",
        f"GRAPH <{BASE}graph/unnamed> {{ <urn:a> <urn:b> 1 }}",
        f"<{HOME}> <urn:b> 1",
        f"<urn:a> <{HOME}x> 1",
        f"<urn:a> <urn:b> <{HOME}x>",
        f"GRAPH <{HOME}x> {{ <urn:a> <urn:b> 1 }}",
        f"<urn:a> <urn:b> <<( <urn:a> <urn:b> <{HOME}x> )>>",
    ],
)
def test_names_that_mean_something_else_there_are_refused(
    memory: Memory, both: list[SharedStore], quad: str
) -> None:
    put_values(both[0], "a", "1")
    before = set(map(str, memory.store))
    with pytest.raises(UnstorableError):
        both[0].update(f"INSERT DATA {{ {quad} }}")
    assert {one for one in map(str, memory.store) if "#claim" not in one} == before
    agree(memory, both)


def test_an_empty_graph_is_there_for_all_until_it_is_dropped(
    tmp_path: Path, memory: Memory, both: list[SharedStore]
) -> None:
    graph = f"{BASE}graph/a"
    put_values(both[0], "a")
    put_values(both[0], "b", *MANY)
    both[1].follow()
    assert [one.has_graph(graph) for one in (*both, joined(tmp_path / "new", memory))] == [True] * 3
    both[1].apply(both[1].compute_replacement(graph, None))
    both[0].follow()
    assert [one.has_graph(graph) for one in (*both, joined(tmp_path / "newer", memory))] == [False] * 3
    agree(memory, both)


def test_an_empty_graph_cannot_have_such_a_name(both: list[SharedStore]) -> None:
    with pytest.raises(UnstorableError):
        both[0].update(f"CREATE GRAPH <{BASE}graph/state>")
    assert both[0].graphs() == []


@pytest.mark.parametrize(("second", "is_refused"), [("1.0", True), ("1.5", False)])
def test_equal_numbers_are_refused_where_they_would_be_one(
    tmp_path: Path, second: str, is_refused: bool
) -> None:
    memory = Memory(replace(SMALL, merges_equal_numbers=True))
    store = joined(tmp_path / "one", memory)
    graph, numbers = f"{BASE}graph/n", (ox.Literal(1), ox.Literal(second, datatype=DECIMAL))
    triples = [ox.Triple(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), one) for one in numbers]
    change = store.compute_replacement(graph, triples)
    if is_refused:
        with pytest.raises(UnstorableError, match="numbers of equal value"):
            store.apply(change)
    else:
        store.apply(change)
    assert len(memory.data) == (0 if is_refused else 2)
    agree(memory, [store])


def test_what_others_would_read_otherwise_is_refused(tmp_path: Path) -> None:
    memory = Memory(replace(VIRTUOSO_DIALECT, update_prologue="", exclusion_pragma=""))
    store = joined(tmp_path / "one", memory)
    for term in (
        '"P1D"^^<http://www.w3.org/2001/XMLSchema#dayTimeDuration>',
        '"<b/>"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral>',
        "<nodeID://b1>",
        "<BIF:exec>",
    ):
        with pytest.raises(UnstorableError):
            store.update(f"INSERT DATA {{ <urn:a> <urn:b> {term} }}")
    store.update("INSERT DATA { <urn:a> <urn:b> 1.0 }")
    assert len(memory.data) == 1


@pytest.mark.parametrize("before", [0, 60], ids=["grows", "is"])
def test_what_is_too_much_to_compare_is_refused(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    values = [f"<urn:{number}> <urn:p> _:b ." for number in range(60)]
    if before:
        both[0].update(f"INSERT DATA {{ GRAPH <urn:g> {{ {' '.join(values)} }} }}")
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 50)
    with pytest.raises(UnstorableError, match="too much"):
        both[0].update(f"INSERT {{ GRAPH <urn:g> {{ {' '.join(values)} <urn:x> <urn:y> 1 }} }} WHERE {{}}")
    monkeypatch.undo()
    agree(memory, both)
    assert len(memory.data) == before


def refusing(sign: str) -> Callable[[str, Do], None]:
    def meet(text: str, do: Do) -> None:
        if sign in text:
            raise RefusedError(500, "That cannot be stored.")
        do()

    return meet


@pytest.mark.parametrize("values", [["1", "bad"], [*MANY, "bad"]], ids=["small", "large"])
def test_what_the_service_refuses_is_taken_back_everywhere(
    memory: Memory, both: list[SharedStore], values: list[str]
) -> None:
    put_values(both[0], "a", "before")
    memory.meet = refusing('"bad"')
    with pytest.raises(RefusedError):
        put_values(both[0], "a", *values)
    agree(memory, both)
    assert len(memory.data) == 1
    put_values(both[1], "a", "after")
    agree(memory, both)


def test_what_the_service_refuses_once_is_not_done_later(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(both[0], "a", "before")
    refuse, times = refusing('"115"'), iter([True])
    memory.meet = lambda text, do: (refuse if '"115"' in text and next(times, False) else calm)(text, do)
    monkeypatch.setattr(both[0].sharing.copier, "copy_into", None)  # and takes no new copy
    monkeypatch.setattr(both[1].sharing.copier, "copy_into", None)
    with pytest.raises(RefusedError):
        put_values(both[0], "a", *MANY)
    agree(memory, both)
    assert len(memory.data) == 1
    assert both[0].announced_version == both[1].announced_version == both[0].shared_position.version


@pytest.mark.parametrize("values", [["1"], MANY], ids=["small", "large"])
@pytest.mark.parametrize("lose", [lost_before, lost_after])
@pytest.mark.parametrize("sign", ["#state>", "#part-0", "#by>", '"115"', "#claim"])
def test_whatever_is_lost_all_agree_afterwards(
    memory: Memory, both: list[SharedStore], values: list[str], lose: Any, sign: str
) -> None:
    put_values(both[0], "a", "before")
    memory.meet = lose(sign)
    try:
        put_values(both[0], "a", *values)
        done = True
    except StoreUnavailableError:
        done = False
    memory.meet = lambda _, do: do()
    both[1].finish()
    agree(memory, both)
    texts = {one.split('"')[1] for one in memory.data}
    assert texts == set(values) if done else texts in ({"before"}, set(values))
    put_values(both[0], "a", "after")
    agree(memory, both)


def leave_in_doubt(memory: Memory, store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it write what is done, and not know it."""

    def away(_: str) -> None:
        raise StoreUnavailableError("It is away.")

    memory.meet = lost_after("#state>")
    with monkeypatch.context() as patch:
        patch.setattr(store.sharing.ledger.claims, "withdraw", away)
        with pytest.raises(UnknownOutcomeError):
            put_values(store, "a", "1")
    memory.meet = lambda _, do: do()


def test_a_doubt_that_came_while_one_waited_to_follow_is_resolved_as_well(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = both[0]
    lock = store._lock

    class Late:
        """Lets somebody write who had the lock before, and whose answer is lost."""

        waits = True

        def __enter__(self) -> None:
            if self.waits:
                self.waits = False
                leave_in_doubt(memory, store, monkeypatch)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    store._lock = Late()  # type: ignore[assignment]
    store.follow()
    store.follow()
    store._lock = lock
    agree(memory, both)
    assert len(memory.data) == 1


@pytest.mark.parametrize("index", [0, 1], ids=["who writes", "who follows"])
def test_what_may_be_seen_half_done_is_known_before_its_version(
    both: list[SharedStore], monkeypatch: pytest.MonkeyPatch, index: int
) -> None:
    store = both[index]
    before = store.shared_position
    found = list[StorePosition]()

    def is_at_once(_: Change) -> bool:
        found.append(store.shared_position)
        return False

    monkeypatch.setattr(store.sharing.ledger, "is_single_update", is_at_once)
    put_values(both[0], "a", "1")
    both[1].follow()
    assert before.version < store.shared_position.version == store.announced_version
    assert found[-1] == before


def test_an_instance_in_doubt_finds_out(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_in_doubt(memory, both[0], monkeypatch)
    assert both[0].doubt
    agree(memory, both)
    assert not both[0].doubt
    assert len(memory.data) == 1


def test_a_service_that_was_restored_is_followed_though_it_went_on(
    memory: Memory, both: list[SharedStore]
) -> None:
    put_values(both[0], "a", "1")
    backup = list(memory.store)
    put_values(both[0], "b", "lost")
    agree(memory, both)
    memory.store = ox.Store()
    memory.store.extend(backup)
    both[0].follow()
    for number in ("2", "3"):
        put_values(both[0], "c", number)
    agree(memory, both)


def test_instances_of_other_rules_leave_no_mixture(tmp_path: Path, memory: Memory) -> None:
    rules = [f"CONSTRUCT {{ ?s <urn:{name}> ?o }} WHERE {{ ?s <urn:p> ?o }}" for name in ("x", "y")]
    both = [joined(tmp_path / name, memory, (rule,)) for name, rule in zip("xy", rules, strict=True)]
    for one, name in ((0, "x"), (1, "y"), (0, "x")):
        put_values(both[one], name, "1", str(one))
        followed = {text for text in memory.data if "graph/inferred" in text}
        assert followed
        assert all(f"<urn:{name}>" in text for text in followed)


def loaded(store: SharedStore, *values: str) -> None:
    """Load values, on another thread, as the command does."""
    data = "".join(f'<urn:s> <urn:p> "{one}" .\n' for one in values).encode()
    work = threading.Thread(
        target=store.bulk_load, args=(io.BytesIO(data), ox.RdfFormat.N_TRIPLES, "urn:big")
    )
    work.start()
    work.join()


def test_files_are_loaded_on_other_threads(memory: Memory, both: list[SharedStore]) -> None:
    put_values(both[0], "a", "1")
    loaded(both[1], *MANY)
    loaded(both[1], "x", "y")
    both[1].infer()
    agree(memory, both)
    assert len(memory.data) == len(MANY) + 3
    put_values(both[0], "a", "2")
    agree(memory, both)


def test_a_load_that_the_service_refuses_leaves_nothing(memory: Memory, both: list[SharedStore]) -> None:
    put_values(both[0], "a", "1")
    memory.meet = refusing('"115"')
    loaded(both[1], *MANY)
    with pytest.raises(RefusedError):
        both[1].infer()
    agree(memory, both)
    assert len(memory.data) == 1


def test_a_load_of_a_name_that_is_taken_leaves_nothing(memory: Memory, both: list[SharedStore]) -> None:
    both[1].bulk_load(io.BytesIO(b"<urn:a> <urn:b> <urn:c> ."), ox.RdfFormat.N_TRIPLES, f"{BASE}graph/state")
    with pytest.raises(UnstorableError):
        both[1].infer()
    agree(memory, both)


def test_a_load_that_was_cut_off_is_taken_back_by_others(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(both[0], "a", "1")
    loaded(both[1], *MANY)
    memory.meet = lost_before('"115"')
    with pytest.raises(StoreError):
        both[1].infer()
    memory.meet = lambda _, do: do()
    before = both[0].sharing.ledger.read_state()
    assert before.pending
    waited: list[float] = []
    monkeypatch.setattr(sharing, "time", SimpleNamespace(sleep=waited.append))
    both[0].finish()
    assert waited == [claims.WAIT_AFTER_REMOVAL_SECONDS]  # until what was begun to be written is over
    agree(memory, [both[0]])
    assert len(memory.data) == 1
    assert (
        both[0].announced_version == both[0].shared_position.version == before.pending
    )  # others may have seen half of it


def test_a_load_that_was_killed_is_taken_back_by_the_same_instance(tmp_path: Path, memory: Memory) -> None:
    store = joined(tmp_path / "one", memory)
    put_values(store, "a", "1")
    loaded(store, *MANY)
    memory.meet = lost_before('"115"')
    assert store.load_stack
    before = store.load_stack.pop_all()  # which cleans up what a process that dies does not
    with pytest.raises(StoreError):
        store.infer()
    shutil.copytree(tmp_path / "one", tmp_path / "again")
    before.close()
    memory.meet = lambda _, do: do()
    said: list[str] = []
    again = joined(tmp_path / "again", memory, report=said.append)
    again.finish()
    assert said == []
    agree(memory, [again])
    assert len(memory.data) == 1


def test_the_copy_of_a_running_instance_is_left_alone(tmp_path: Path, memory: Memory) -> None:
    store = joined(tmp_path / "one", memory)
    put_values(store, "a", "1")
    (tmp_path / "one" / sharing.POSITION_FILE_NAME).unlink()  # as while a write is under way
    with pytest.raises(StoreNotWritableError):
        joined(tmp_path / "one", memory)
    put_values(store, "a", "2")
    assert Store.open_read_only(tmp_path / "one").size()[0] == 1


def test_how_far_a_copy_is_is_said(tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    put_values(joined(tmp_path / "one", memory), "a", *MANY)
    monkeypatch.setattr(copy, "COPY_PROGRESS_QUADS", 10)
    said: list[str] = []
    joined(tmp_path / "two", memory, report=said.append)
    assert len(said) == 1  # that it is being copied
    monkeypatch.setattr(sharing, "COPY_PROGRESS_SECONDS", 0)
    joined(tmp_path / "three", memory, report=said.append)
    assert said[2:] == [
        f"Copied {some} of {len(MANY)} statements ..." for some in range(10, len(MANY) + 1, 10)
    ]


def test_a_copy_that_is_in_line_is_not_taken_anew(tmp_path: Path, memory: Memory) -> None:
    put_values(joined(tmp_path / "one", memory), "a", "1")
    other = joined(tmp_path / "two", memory)
    put_values(other, "a", "2")
    said: list[str] = []
    agree(memory, [other, joined(tmp_path / "one", memory, report=said.append)])
    assert said == []


def test_a_disk_that_fails_in_the_middle_leaves_no_half_write(
    memory: Memory, both: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(both[0], "a", "1")
    inference = both[0]._inference
    assert inference

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inference, "infer", fail)
    with pytest.raises(StoreError):
        put_values(both[0], "a", "2")
    monkeypatch.undo()
    agree(memory, both)
    assert '"1"' in next(iter(memory.data))
    put_values(both[0], "a", "3")
    agree(memory, both)


def test_a_thread_that_changes_and_one_that_waits_do_not_block_each_other(both: list[SharedStore]) -> None:
    store = both[0]

    def work(number: int) -> None:
        for count in range(5):
            put_values(store, str(number), str(count))
            with store.exclusive_writer():
                pass

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
