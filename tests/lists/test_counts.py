"""CellCounts after random changes: the counts must equal those of a query over the whole store.

It counts papers by cell: a value of a dimension such as `issue`, alone or with a criterion and a verdict;
judgments by issue, criterion, verdict, holder and flags.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
import pyoxigraph as ox
import pytest
from wgig.lists.counts import (
    DIMENSION_PATHS,
    CellCounts,
    CellKey,
    CountedCells,
    Dimension,
    JudgmentCells,
    LinkCells,
)
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.store.change import Change
from wgig.store.store import Store
from wgig.store.view import StoreView, select_solutions
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.stores import copy_as_killed

pytestmark = pytest.mark.slow

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
WGIG = NAMESPACES["wgig"]
PAPERS, ISSUES, CRITERIA, VERDICTS, CATEGORIES, AGENTS, GROUPS, SEATS, JUDGMENTS, HOLDERS = (
    [ox.NamedNode(f"urn:{kind}:{number}") for number in range(3)]
    for kind in (
        "paper",
        "issue",
        "criterion",
        "verdict",
        "category",
        "agent",
        "group",
        "seat",
        "judgment",
        "holder",
    )
)
CLASSES = [ox.NamedNode(WGIG + name) for name in ("IssuePaper", "AssessmentPaper", "Issue")]
DAYS = [ox.Literal(f"2005-02-0{day}", datatype=ox.NamedNode(f"{NAMESPACES['xsd']}date")) for day in (1, 2)]
ASSESSMENTS = [ox.NamedNode("urn:a:1"), ox.NamedNode("urn:a:2"), ox.BlankNode("b"), ox.Literal("none")]
GRAPHS: list[Any] = [ox.NamedNode("urn:graph:1"), ox.NamedNode("urn:graph:2"), ox.DefaultGraph()]


def make_random_quad(rng: random.Random, kind: str) -> ox.Quad:
    """A quad that may influence the counts of this kind: judgments, links, or else papers."""
    assessment_nodes = [term for term in ASSESSMENTS if not isinstance(term, ox.Literal)]
    choices: list[tuple[str, Any, Any]] = [
        ("issue", PAPERS, [*ISSUES, ox.Literal("no issue")]),
        ("assessment", PAPERS, ASSESSMENTS),
        # Seldom true, because illustrative papers are not counted.
        ("illustrative", PAPERS, [ox.Literal(True), *map(ox.Literal, range(9))]),
        ("criterion", assessment_nodes, CRITERIA),
        ("verdict", assessment_nodes, VERDICTS),
        ("round", PAPERS, [ox.Literal(1)]),
        ("category", PAPERS, CATEGORIES),
        ("drafter", PAPERS, [*AGENTS, ox.Literal("somebody")]),
        ("mainActor", PAPERS, AGENTS),
        ("stakeholderGroup", [*AGENTS, *SEATS], GROUPS),
        ("org:member", SEATS, AGENTS),
        ("rdf:type", PAPERS, CLASSES),
        ("posted", PAPERS, DAYS),
    ]
    if kind == "links":
        choices = [
            ("rdf:type", [*PAPERS, *JUDGMENTS], [*CLASSES, ox.NamedNode(f"{WGIG}Judgment")]),
            ("category", [*PAPERS, *ISSUES], [*CATEGORIES, ox.Literal("none")]),
            ("cluster", [*PAPERS, *ISSUES], CATEGORIES),
            ("issue", [*PAPERS, *JUDGMENTS], ISSUES),
            ("criterion", JUDGMENTS, [*CRITERIA, *ISSUES]),
            ("namesPrinciple", [*PAPERS, ox.BlankNode("b")], CRITERIA),
            ("cito:cites", PAPERS, [*PAPERS, ox.Literal("none")]),
        ]
    elif kind == "judgments":
        choices = [
            ("rdf:type", JUDGMENTS, [ox.NamedNode(f"{WGIG}Judgment")]),
            ("issue", JUDGMENTS, ISSUES),
            ("criterion", JUDGMENTS, CRITERIA),
            ("verdict", JUDGMENTS, VERDICTS),
            ("viewHolder", JUDGMENTS, HOLDERS),
            ("dispute", JUDGMENTS, [ox.NamedNode("urn:dispute")]),
            ("cluster", JUDGMENTS, CATEGORIES),
            ("illustrative", JUDGMENTS, [ox.Literal(True), *map(ox.Literal, range(9))]),
        ]
    name, subjects, objects = rng.choice(choices)
    prefix, _, local_name = name.rpartition(":")
    property_ = ox.NamedNode(NAMESPACES[prefix or "wgig"] + local_name)
    return ox.Quad(rng.choice(subjects), property_, rng.choice(objects), rng.choice(GRAPHS))


# The issue, criterion, verdict, holder and flags of each judgment.
JUDGMENTS_QUERY = f"""PREFIX : <{WGIG}> SELECT DISTINCT * WHERE {{
  ?judgment a :Judgment ; :issue ?issue ; :criterion ?criterion .
  FILTER (isIRI(?issue) && isIRI(?criterion)) FILTER NOT EXISTS {{ ?judgment :illustrative true }}
  OPTIONAL {{ ?judgment :verdict ?verdict }} OPTIONAL {{ ?judgment :viewHolder ?holder }}
  BIND (EXISTS {{ ?judgment :dispute ?dispute }} AS ?disputed)
  BIND (EXISTS {{ ?judgment :cluster ?cluster }} AS ?cluster_wide) }}"""


def count_by_query(store: Store, cells: CountedCells) -> Counter[CellKey]:
    """The counts by a query over the whole store."""
    if isinstance(cells, Dimension | LinkCells):
        return cells.count_all(store)
    return Counter(
        (
            *(row[name].value if name in row else "" for name in ("issue", "criterion", "verdict", "holder")),
            " ".join(
                flag
                for flag, name in (("disputed", "disputed"), ("cluster", "cluster_wide"))
                if row[name].value == "true"
            ),
        )
        for row in select_solutions(store, JUDGMENTS_QUERY)
    )


@pytest.fixture(params=[*DIMENSION_PATHS, "judgments", "links"])
def cell_counts(store: Store, request: pytest.FixtureRequest) -> CellCounts:
    """The counts of judgments, of links, or of papers for each dimension, counted before any change."""
    other_cells = {"judgments": JudgmentCells, "links": LinkCells}
    cells = (
        other_cells[request.param](BASE) if request.param in other_cells else Dimension(request.param, BASE)
    )
    cell_counts = CellCounts(store, cells)
    cell_counts.count_all()
    return cell_counts


def iter_random_changes(store: Store, seed: int, kind: str = "") -> Iterator[Change]:
    """40 changes, each of which adds random quads and removes some quads of the store."""
    rng = random.Random(seed)
    for _ in range(40):
        quads = set(store.match())
        added = {make_random_quad(rng, kind) for _ in range(rng.randrange(10))} - quads
        removed = rng.sample(sorted(quads, key=str), min(len(quads), rng.randrange(3)))
        yield Change(tuple(removed), tuple(added))


@pytest.mark.parametrize("seed", range(8))
def test_counts_are_correct_after_each_change(store: Store, cell_counts: CellCounts, seed: int) -> None:
    max_cells = 0
    for change in iter_random_changes(store, seed, cell_counts.cells.name):
        store.apply(change)
        assert cell_counts.count_all() == count_by_query(store, cell_counts.cells)
        max_cells = max(max_cells, len(cell_counts.counts))
    assert max_cells > 3  # the random changes do produce counts


def test_counts_are_changed_without_a_query(
    store: Store, cell_counts: CellCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("wgig.lists.counts.select_solutions")  # which a query would call
    counted_cells = set()
    for change in iter_random_changes(store, 1, cell_counts.cells.name):
        store.apply(change)
        assert store.runner.wait_until_applied(store.runner.published_count, 60)
        assert cell_counts.is_current
        counted_cells |= set(cell_counts.counts)
    assert counted_cells


def test_all_are_counted_again_if_a_change_affects_too_many(
    store: Store, cell_counts: CellCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.counts.MAX_AFFECTED_RESOURCES", 0)
    for change in iter_random_changes(store, 1, cell_counts.cells.name):
        store.apply(change)
        assert anyio.run(cell_counts.get_counts) == count_by_query(store, cell_counts.cells)


def test_counting_continues_after_a_timeout(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cell_counts, may_continue = CellCounts(store, Dimension("issue", BASE)), threading.Event()
    counts = Counter[CellKey]({("urn:issue:1",): 1})

    def count_later(_view: StoreView) -> Counter[CellKey]:
        may_continue.wait()
        return counts

    cell_counts.cells.count_all = count_later  # type: ignore[assignment,method-assign]

    async def get_counts_after_timeout() -> None:
        assert await cell_counts.get_counts_within(0) is None
        monkeypatch.setattr("wgig.lists.counts.COUNT_TIMEOUT_SECONDS", 0)
        cell_counts.build_start -= 60
        with pytest.raises(Problem, match="are being counted, for 60 seconds so far"):
            await cell_counts.get_counts()
        monkeypatch.undo()
        may_continue.set()
        assert await cell_counts.get_counts() == counts

    anyio.run(get_counts_after_timeout)


def test_papers_are_counted_again_after_an_unknown_change(store: Store, cell_counts: CellCounts) -> None:
    for change in iter_random_changes(store, 2, cell_counts.cells.name):
        store.apply(change)
    cell_counts.counts.clear()
    store._publish([None], None)  # a change whose statements are unknown
    assert anyio.run(cell_counts.get_counts) == count_by_query(store, cell_counts.cells) != {}


@pytest.fixture
def write_during_count(monkeypatch: pytest.MonkeyPatch) -> Callable[[CellCounts, Callable[[], None]], None]:
    """A function that makes another thread write while the papers are counted for the first time."""

    def patch_counts(cell_counts: CellCounts, write: Callable[[], None]) -> None:
        open_build_view, writes = cell_counts.open_build_view, [write]

        @contextmanager
        def open_build_view_and_write() -> Iterator[StoreView]:
            with open_build_view() as view:
                if writes:
                    writer = threading.Thread(target=writes.pop())
                    writer.start()
                    writer.join()
                yield view

        monkeypatch.setattr(cell_counts, "open_build_view", open_build_view_and_write)

    return patch_counts


@pytest.mark.parametrize("is_last_change_known", [True, False])
def test_changes_during_a_count_are_counted(
    tmp_path: Path,
    write_during_count: Callable[[CellCounts, Callable[[], None]], None],
    is_last_change_known: bool,
) -> None:
    store = Store.open(tmp_path)
    for change in list(iter_random_changes(store, 3))[:41]:  # after which some cells have papers
        store.apply(change)
    cell_counts = CellCounts(store, Dimension("issue", BASE))

    def write() -> None:
        for change in iter_random_changes(store, 4):
            store.apply(change)
        if not is_last_change_known:
            store._publish([None], None)

    write_during_count(cell_counts, write)
    assert cell_counts.count_all() == count_by_query(store, cell_counts.cells) != {}
    assert not list(tmp_path.glob("aside/*copy*"))  # the copy of the store for the count is deleted


def test_papers_are_counted_again_after_an_unforeseen_error(
    store: Store,
    cell_counts: CellCounts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raise_key_error(*_: object) -> None:
        raise KeyError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr("wgig.lists.counts.diff_cell_counts", raise_key_error)
        for change in iter_random_changes(store, 4, cell_counts.cells.name):
            store.apply(change)
    assert "KeyError: 'unforeseen'" in caplog.text
    assert anyio.run(cell_counts.get_counts) == count_by_query(store, cell_counts.cells) != {}


def open_counts(folder: Path, rules: Sequence[str] = ()) -> tuple[Store, CellCounts]:
    """The store in a folder, and its counts of papers by issue, which are not counted yet."""
    store = Store.open(folder, rules)
    return store, CellCounts(store, Dimension("issue", BASE))


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Counter[CellKey]]:
    """The folder of a store that was closed, and the counts that were saved then."""
    store, cell_counts = open_counts(tmp_path / "first")
    for change in islice(iter_random_changes(store, 3), 41):  # after which some cells have papers
        store.apply(change)
        cell_counts.count_all()
    store.close()
    cell_counts.save()
    assert cell_counts.counts
    # Its own folder can only be opened again by another process.
    return copy_as_killed(store, tmp_path / "second"), cell_counts.counts


def test_saved_counts_are_used_by_the_next_start(
    saved: tuple[Path, Counter[CellKey]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, counts = saved
    monkeypatch.delattr("wgig.lists.counts.select_solutions")  # which counting would call
    assert open_counts(folder)[1].count_all() == counts


def test_saved_counts_follow_the_commits_after_the_start(saved: tuple[Path, Counter[CellKey]]) -> None:
    folder, counts = saved
    store, cell_counts = open_counts(folder)
    assert cell_counts.count_all() == counts
    for change in iter_random_changes(store, 4):
        store.apply(change)
    assert cell_counts.count_all() == count_by_query(store, cell_counts.cells) != counts


def make_other_commit(store: Store, _file: Path) -> None:
    """Remove all papers without changing the saved counts."""
    store.apply(Change(tuple(store.match())))


def damage_counts(_store: Store, file: Path) -> None:
    """Damage the file of the saved counts."""
    file.write_bytes(b'{"state": [')


def begin_epoch(store: Store, _file: Path) -> None:
    """Change the epoch of the change log, as a restore does."""
    store.log.begin_epoch()


@pytest.mark.parametrize("change", [make_other_commit, damage_counts, begin_epoch])
def test_saved_counts_of_another_state_are_not_used(
    saved: tuple[Path, Counter[CellKey]],
    change: Callable[[Store, Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, cell_counts = open_counts(saved[0])
    assert cell_counts.saved_file
    change(store, cell_counts.saved_file)
    monkeypatch.setattr(cell_counts.cells, "count_all", lambda _: Counter({("counted",): 1}))
    assert cell_counts.count_all() == {("counted",): 1}


def test_saved_counts_are_not_used_after_the_rules_changed(
    saved: tuple[Path, Counter[CellKey]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cell_counts = open_counts(saved[0], ["CONSTRUCT { ?s a <urn:c> } WHERE { ?s <urn:p> ?o }"])
    monkeypatch.setattr(cell_counts.cells, "count_all", lambda _: Counter({("counted",): 1}))
    assert cell_counts.count_all() == {("counted",): 1}
