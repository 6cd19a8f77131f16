"""Counts of papers by dimension (issue, category, stakeholder group, day) and by criterion.

Counted on a snapshot on first use, and again after a change that is unknown or too large. Otherwise only the
papers that a change touches are looked at: from the statements around a paper, as they were before the change
and are after it. Made-up example papers are left out.
"""

import asyncio
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..store.change import Change
from ..store.files import ASIDE_FOLDER
from ..store.store import Store
from ..store.view import StoreView, select_solutions
from .papers_index import INDEXED_PAPER_CLASSES

# What is counted: papers by a value; by a value and a criterion that they measure by; and by a verdict, too.
CellKey = tuple[str, ...]
QuadMatcher = Callable[..., Iterable[ox.Quad]]
Nodes = set[Any]

NO_CHANGE = Change()
ACTOR_PROPERTIES = ("wgig:mainActor", "wgig:otherActor", "wgig:drafter")
# The paths from a paper to what it is counted by, by the name of the side.
DIMENSION_PATHS = {
    "issue": ["wgig:issue"],
    "category": ["wgig:category"],
    "stakeholder-group": [
        f"{actor}/{way}"
        for actor in ACTOR_PROPERTIES
        for way in ("wgig:stakeholderGroup", "^org:member/wgig:stakeholderGroup")
    ],
    "posted": ["wgig:posted"],
}


@dataclass(frozen=True)
class PathStep:
    """A property that leads on, or back from its values to what has them."""

    predicate: ox.NamedNode
    is_inverse: bool

    @property
    def inverse(self) -> "PathStep":
        """The same step the other way."""
        return PathStep(self.predicate, not self.is_inverse)


PropertyPath = Sequence[PathStep]


class Dimension:
    """What papers are counted by: issues, categories, stakeholder groups, or days when they were posted."""

    def __init__(self, name: str, base: str) -> None:
        """Take a name of DIMENSION_PATHS and the base IRI of the graph."""
        self.name, node = name, partial(expand_curie, base=base)

        def path(text: str) -> PropertyPath:
            return [PathStep(node(one.removeprefix("^")), one.startswith("^")) for one in text.split("/")]

        self.paper_classes = frozenset(map(node, INDEXED_PAPER_CLASSES))
        self.illustrative, self.assessment = node("wgig:illustrative"), node("wgig:assessment")
        self.criterion, self.verdict = node("wgig:criterion"), node("wgig:verdict")
        self.paths = list(map(path, DIMENSION_PATHS[name]))
        judged = [
            [PathStep(self.assessment, False), PathStep(one, False)] for one in (self.criterion, self.verdict)
        ]
        self.all_paths = [*self.paths, *judged, [PathStep(self.illustrative, False)]]
        self.properties = {step.predicate for one in self.all_paths for step in one}

    def is_relevant(self, quad: ox.Quad) -> bool:
        """Whether a statement may say what a paper is counted for."""
        return quad.predicate in self.properties or (
            quad.predicate == RDF_TYPE and quad.object in self.paper_classes
        )

    def count_query(self) -> str:
        """The query that counts all papers: rows of a value, a criterion, a verdict and how many they are."""
        ways = "|".join(
            "/".join(f"{'^' if step.is_inverse else ''}{step.predicate}" for step in one)
            for one in self.paths
        )
        paper = " UNION ".join(
            [
                f"{{ ?text {self.assessment} ?any }}",
                *(f"{{ ?text a {one} }}" for one in sorted(self.paper_classes, key=str)),
            ]
        )
        real = (
            f"FILTER NOT EXISTS {{ ?text {self.illustrative} true }} "
            "FILTER (isIRI(?value) || isLiteral(?value))"
        )
        measured = (
            f"?text {self.assessment} ?assessment . ?assessment {self.criterion} ?criterion . "
            f"?text {ways} ?value . FILTER (isIRI(?criterion)) {real}"
        )
        judged = f"{measured} ?assessment {self.verdict} ?verdict . FILTER (isIRI(?verdict))"
        parts = (
            ("?value", f"{paper} ?text {ways} ?value . {real}"),
            ("?value ?criterion", measured),
            ("?value ?criterion ?verdict", judged),
        )
        return (
            "SELECT * WHERE { "
            + " UNION ".join(
                f"{{ SELECT {by} (COUNT(DISTINCT ?text) AS ?papers) WHERE {{ {pattern} }} GROUP BY {by} }}"
                for by, pattern in parts
            )
            + " }"
        )

    def term_key(self, term: Any) -> str:
        """What a value stands under in a cell: its IRI, or a literal as SPARQL writes it."""
        return term.value if isinstance(term, ox.NamedNode) else str(term)


class GraphState:
    """The statements of a store, whatever graph they stand in: as they are, or were before a change."""

    def __init__(self, match: QuadMatcher, change: Change = NO_CHANGE) -> None:
        """Take what finds the statements of the store by their terms, and a change that it is after."""
        self.match, self.added = match, frozenset(change.added)
        self.removed = defaultdict[Any, Nodes](set)
        for one in change.removed:
            self.removed[one.subject, one.predicate].add(one.object)
            self.removed[one.predicate, one.object].add(one.subject)

    def objects(self, subject: Any, property_: ox.NamedNode) -> Nodes:
        """What a property of a node leads to."""
        if isinstance(subject, ox.Literal | ox.Triple):
            return set()
        there = {one.object for one in self.match(subject, property_) if one not in self.added}
        return there | self.removed.get((subject, property_), set())

    def subjects(self, property_: ox.NamedNode, object_: Any) -> Nodes:
        """The nodes from which a property leads to this one."""
        there = {one.subject for one in self.match(None, property_, object_) if one not in self.added}
        return there | self.removed.get((property_, object_), set())

    def follow_path(self, nodes: Nodes, path: PropertyPath) -> Nodes:
        """Where a path leads from any of the nodes."""
        for step in path:
            nodes = {
                end
                for one in nodes
                for end in (
                    self.subjects(step.predicate, one)
                    if step.is_inverse
                    else self.objects(one, step.predicate)
                )
            }
        return nodes


def find_affected_papers(quad: ox.Quad, side: Dimension, moments: Sequence[GraphState]) -> Nodes:
    """The texts that a statement may move from one cell to another."""
    if quad.predicate == RDF_TYPE:
        return {quad.subject}
    found: Nodes = set()
    for path in side.all_paths:
        for place, step in enumerate(path):
            if step.predicate == quad.predicate:
                node = quad.object if step.is_inverse else quad.subject
                way_back = [one.inverse for one in reversed(path[:place])]
                for moment in moments:
                    found |= moment.follow_path({node}, way_back)
    return found


def find_paper_cells(text: Any, moment: GraphState, side: Dimension) -> set[CellKey]:
    """The cells that a text counts for."""
    if ox.Literal(True) in moment.objects(text, side.illustrative):
        return set()
    assessments = moment.objects(text, side.assessment)
    if not assessments and side.paper_classes.isdisjoint(moment.objects(text, RDF_TYPE)):
        return set()
    found = set[CellKey]()
    ends = {end for path in side.paths for end in moment.follow_path({text}, path)}
    values = [side.term_key(one) for one in ends if isinstance(one, ox.NamedNode | ox.Literal)]
    if values:
        measured = {one for each in assessments for one in list_assessment_cells(each, moment, side)}
        found = {(value, *one) for value in values for one in ((), *measured)}
    return found


def list_assessment_cells(assessment: Any, moment: GraphState, side: Dimension) -> set[CellKey]:
    """The criteria of an assessment, alone and with each of its verdicts."""
    verdicts = select_iri_values(moment.objects(assessment, side.verdict))
    criteria = select_iri_values(moment.objects(assessment, side.criterion))
    return {(one, *more) for one in criteria for more in ((), *((verdict,) for verdict in verdicts))}


def select_iri_values(terms: Iterable[Any]) -> list[str]:
    """Those of the terms that are IRIs."""
    return [one.value for one in terms if isinstance(one, ox.NamedNode)]


COUNTS_COPY_PREFIX = "cells-copy"
MAX_WAITING_COUNT_REQUESTS, COUNT_TIMEOUT_SECONDS = 256, 20  # requests, and seconds, while they are counted
MAX_AFFECTED_PAPERS = 1_000  # texts that are looked at one by one


class PaperCounts:
    """The papers of each cell of a side, those made up as examples left out."""

    def __init__(self, store: Store, base: str, side: str) -> None:
        """Nothing is counted before it is needed."""
        self.store, self.dimension = store, Dimension(side, base)
        self.queue = WorkQueue(at_once=1, waiting=MAX_WAITING_COUNT_REQUESTS, patience=COUNT_TIMEOUT_SECONDS)
        self.counts: Counter[CellKey] | None = None
        # What was written while they are being counted, as far as is known.
        self.missed_change: Change | None = None
        self.counting_task: asyncio.Task[Counter[CellKey]] | None = None

    async def get_counts(self) -> Counter[CellKey]:
        """How many papers each cell has that has any. Raises Problem 503 where counting takes long."""
        return self.counts if self.counts is not None else await self.queue.run(self.count_all)

    async def get_counts_within(self, seconds: float) -> Counter[CellKey] | None:
        """The same if it is known within so many seconds, else None; it goes on being counted."""
        if self.counts is None:
            if self.counting_task is None or self.counting_task.done():
                self.counting_task = asyncio.create_task(self.get_counts())
                # Where nobody waits any more, nobody hears of what went wrong: the next one begins anew.
                self.counting_task.add_done_callback(lambda one: one.cancelled() or one.exception())
            with suppress(Problem, TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.counting_task), seconds)
        return self.counts

    def follow(self, change: Change | None) -> None:
        """Take in what a write changed, while nobody else writes."""
        if self.missed_change is not None:
            self.missed_change = None if change is None else self.missed_change.combine(change)
        elif change is None:
            self.counts = None
        elif self.counts is not None:
            self.counts = update_paper_counts(self.counts, self.store, change, self.dimension)

    def count_all(self) -> Counter[CellKey]:
        """The papers of each cell, counted anew, with what was written meanwhile."""
        while self.counts is None:
            with self.copy_store() as view:
                found = count_papers_by_cell(view, self.dimension)
            with self.store.write_lock():
                missed, self.missed_change = self.missed_change, None
                if missed is not None:
                    self.counts = update_paper_counts(found, self.store, missed, self.dimension)
        return self.counts

    @contextmanager
    def copy_store(self) -> Iterator[StoreView]:
        """The store as it is now, aside; one in memory itself, which nobody writes meanwhile."""
        folder = (
            self.store.folder
            and self.store.folder / ASIDE_FOLDER / f"{COUNTS_COPY_PREFIX}-{self.dimension.name}"
        )
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.store.write_lock())
            if self.follow not in self.store.projections:
                self.store.projections.append(self.follow)
            self.missed_change = Change()
            if folder is None:
                yield self.store
                return
            shutil.rmtree(folder, ignore_errors=True)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.parent.mkdir(exist_ok=True)
            self.store.copy_to(folder)
            lock.close()
            yield StoreView(ox.Store.read_only(str(folder)))


def count_papers_by_cell(view: StoreView, side: Dimension) -> Counter[CellKey]:
    """The papers of each cell, counted from all of them."""
    names = ("value", "criterion", "verdict")
    return Counter(
        {
            tuple(side.term_key(row[one]) for one in names if one in row): int(row["papers"].value)
            for row in select_solutions(view, side.count_query())
        }
    )


def update_paper_counts(
    found: Counter[CellKey], view: StoreView, change: Change, side: Dimension
) -> Counter[CellKey] | None:
    """The papers of each cell after a change, which is done already; None where it touches many texts."""
    by = diff_paper_counts(view, change, side)
    return None if by is None else add_paper_counts(found, by)


def add_paper_counts(found: Counter[CellKey], by: Counter[CellKey]) -> Counter[CellKey]:
    """The papers of each cell where there are by so many more of some."""
    now = found.copy()
    for cell, more in by.items():
        now[cell] += more
        if not now[cell]:
            del now[cell]
    return now


def diff_paper_counts(view: StoreView, change: Change, side: Dimension) -> Counter[CellKey] | None:
    """By how many papers more a change leaves each cell that it touches; None where it touches many."""
    told = Change(
        tuple(filter(side.is_relevant, change.removed)), tuple(filter(side.is_relevant, change.added))
    )
    match = cache(lambda *pattern: tuple(view.match(*pattern)))  # both moments ask for the same
    before, now = GraphState(match, told), GraphState(match)
    texts: Nodes = set()
    for one in chain(told.removed, told.added):
        texts |= find_affected_papers(one, side, (before, now))
        if len(texts) > MAX_AFFECTED_PAPERS:
            return None
    by = Counter[CellKey]()
    for text in texts:
        by.update(find_paper_cells(text, now, side))
        by.subtract(find_paper_cells(text, before, side))
    return by
