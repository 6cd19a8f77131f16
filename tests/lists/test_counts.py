"""The papers of each cell of the matrix are those that a count finds, whatever is written."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pyoxigraph as ox
import pytest
from wgig.lists.counts import DIMENSION_PATHS, PaperCounts, count_papers_by_cell
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import Settings
from wgig.store.change import Change
from wgig.store.store import Store
from wgig.store.view import StoreView

pytestmark = pytest.mark.slow

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
WGIG = KNOWN["wgig"]
TEXTS, ISSUES, CRITERIA, VERDICTS, CATEGORIES, AGENTS, GROUPS, SEATS = (
    [ox.NamedNode(f"urn:{kind}:{number}") for number in range(3)]
    for kind in ("text", "issue", "criterion", "verdict", "category", "agent", "group", "seat")
)
CLASSES = [ox.NamedNode(WGIG + name) for name in ("IssuePaper", "AssessmentPaper", "Issue")]
DAYS = [ox.Literal(f"2005-02-0{day}", datatype=ox.NamedNode(f"{KNOWN['xsd']}date")) for day in (1, 2)]
ASSESSMENTS = [ox.NamedNode("urn:a:1"), ox.NamedNode("urn:a:2"), ox.BlankNode("b"), ox.Literal("none")]
GRAPHS: list[Any] = [ox.NamedNode("urn:graph:1"), ox.NamedNode("urn:graph:2"), ox.DefaultGraph()]


def statement(chance: random.Random) -> ox.Quad:
    """A statement that may be one of those that the matrix is made of."""
    nodes = [one for one in ASSESSMENTS if not isinstance(one, ox.Literal)]
    kinds: list[tuple[str, Any, Any]] = [
        ("issue", TEXTS, [*ISSUES, ox.Literal("no issue")]),
        ("assessment", TEXTS, ASSESSMENTS),
        ("illustrative", TEXTS, [ox.Literal(True), *map(ox.Literal, range(9))]),
        ("criterion", nodes, CRITERIA),
        ("verdict", nodes, VERDICTS),
        ("round", TEXTS, [ox.Literal(1)]),
        ("category", TEXTS, CATEGORIES),
        ("drafter", TEXTS, [*AGENTS, ox.Literal("somebody")]),
        ("mainActor", TEXTS, AGENTS),
        ("stakeholderGroup", [*AGENTS, *SEATS], GROUPS),
        ("org:member", SEATS, AGENTS),
        ("rdf:type", TEXTS, CLASSES),
        ("posted", TEXTS, DAYS),
    ]
    name, subjects, ends = chance.choice(kinds)
    prefix, _, local = name.rpartition(":")
    property_ = ox.NamedNode(KNOWN[prefix or "wgig"] + local)
    return ox.Quad(chance.choice(subjects), property_, chance.choice(ends), chance.choice(GRAPHS))


@pytest.fixture(params=DIMENSION_PATHS)
def cells(store: Store, request: pytest.FixtureRequest) -> PaperCounts:
    """Cells of a side that are counted and follow."""
    found = PaperCounts(store, BASE, request.param)
    found.count_all()
    return found


def changes(store: Store, seed: int) -> Iterator[Change]:
    """Writes of some statements, and removals of some that are there."""
    chance = random.Random(seed)
    for _ in range(80):
        there = set(store.match())
        new = {statement(chance) for _ in range(chance.randrange(10))} - there
        gone = chance.sample(sorted(there, key=str), min(len(there), chance.randrange(3)))
        yield Change(tuple(gone), tuple(new))


@pytest.mark.parametrize("seed", range(8))
def test_after_each_write_they_are_what_a_count_finds(store: Store, cells: PaperCounts, seed: int) -> None:
    most = 0
    for change in changes(store, seed):
        store.apply(change)
        assert cells.counts == count_papers_by_cell(store, cells.dimension)
        most = max(most, len(cells.counts))
    assert most > 3


def test_a_write_is_followed_without_a_count(
    store: Store, cells: PaperCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("wgig.lists.counts.select_solutions")
    seen = set()
    for change in changes(store, 1):
        store.apply(change)
        assert cells.is_current
        seen |= set(cells.counts)
    assert seen


def test_a_write_that_touches_many_texts_has_them_counted_again(
    store: Store, cells: PaperCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.counts.MAX_AFFECTED_PAPERS", 0)
    for change in changes(store, 1):
        store.apply(change)
        assert anyio.run(cells.get_counts) == count_papers_by_cell(store, cells.dimension)


def test_who_cannot_wait_gets_nothing_and_counting_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, may_go_on = PaperCounts(store, BASE, "issue"), threading.Event()
    monkeypatch.setattr(cells, "count_all", lambda: (may_go_on.wait(), Counter({("urn:issue:1",): 1}))[1])

    async def asked() -> None:
        assert await cells.get_counts_within(0) is None
        assert cells.counting_task
        may_go_on.set()
        assert await cells.counting_task == {("urn:issue:1",): 1}

    anyio.run(asked)


def test_a_write_that_is_too_large_to_be_told_has_them_counted_again(
    store: Store, cells: PaperCounts
) -> None:
    for change in changes(store, 2):
        store.apply(change)
    cells.counts.clear()
    store._notify(None)
    assert anyio.run(cells.get_counts) == count_papers_by_cell(store, cells.dimension) != {}


@pytest.fixture
def written_meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[PaperCounts, Callable[[], None]], None]:
    """Have something done by another thread while cells are being counted for the first time."""

    def meanwhile(cells: PaperCounts, write: Callable[[], None]) -> None:
        source, writes = cells.open_source, [write]

        @contextmanager
        def slow() -> Iterator[StoreView]:
            with source() as view:
                if writes:
                    other = threading.Thread(target=writes.pop())
                    other.start()
                    other.join()
                yield view

        monkeypatch.setattr(cells, "open_source", slow)

    return meanwhile


@pytest.mark.parametrize("told", [True, False])
def test_what_is_written_while_they_are_counted_is_counted(
    tmp_path: Path, written_meanwhile: Callable[[PaperCounts, Callable[[], None]], None], told: bool
) -> None:
    store = Store.open(tmp_path)
    first, *others = changes(store, 3)
    for change in (first, *others[:40]):
        store.apply(change)
    cells = PaperCounts(store, BASE, "issue")

    def write() -> None:
        for change in changes(store, 4):
            store.apply(change)
        if not told:
            store._notify(None)

    written_meanwhile(cells, write)
    assert cells.count_all() == count_papers_by_cell(store, cells.dimension) != {}
    assert not list(tmp_path.glob("aside/*copy*"))


def test_a_write_that_the_cells_cannot_take_in_is_done_and_counted_anew(
    store: Store, cells: PaperCounts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def slip(*_: object) -> None:
        raise KeyError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr("wgig.lists.counts.diff_paper_counts", slip)
        for change in changes(store, 4):
            store.apply(change)
    assert "KeyError: 'unforeseen'" in caplog.text
    assert anyio.run(cells.get_counts) == count_papers_by_cell(store, cells.dimension) != {}
