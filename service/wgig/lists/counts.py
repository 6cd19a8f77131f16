"""Counts of papers by dimension (issue, category, stakeholder group, day) and by criterion.

Counted on a snapshot on first use, and again after a change that is unknown or too large. Otherwise only the
papers that a change touches are looked at: from the statements around a paper, as they were before the change
and are after it. Made-up example papers are left out.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..store.change import BeforeAfter, Change, QuadMatcher
from ..store.projection import Projection
from ..store.store import Store
from ..store.view import StoreView, select_solutions
from .papers_index import INDEXED_PAPER_CLASSES

# What is counted: papers by a value; by a value and a criterion that they measure by; and by a verdict, too.
CellKey = tuple[str, ...]
Nodes = set[Any]

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


def follow_path(match: QuadMatcher, nodes: Nodes, path: PropertyPath) -> Nodes:
    """Where a path leads from any of the nodes."""
    for step in path:
        nodes = {
            end
            for node in nodes
            for end in (
                find_subjects(match, step.predicate, node)
                if step.is_inverse
                else find_objects(match, node, step.predicate)
            )
        }
    return nodes


def find_objects(match: QuadMatcher, subject: Any, predicate: ox.NamedNode) -> Nodes:
    """What a property of a node leads to."""
    if isinstance(subject, ox.Literal | ox.Triple):
        return set()
    return {quad.object for quad in match(subject, predicate, None)}


def find_subjects(match: QuadMatcher, predicate: ox.NamedNode, object_: Any) -> Nodes:
    """The nodes from which a property leads to this one."""
    return {quad.subject for quad in match(None, predicate, object_)}


def find_affected_papers(quad: ox.Quad, side: Dimension, moments: Sequence[QuadMatcher]) -> Nodes:
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
                    found |= follow_path(moment, {node}, way_back)
    return found


def find_paper_cells(text: Any, match: QuadMatcher, side: Dimension) -> set[CellKey]:
    """The cells that a text counts for."""
    if ox.Literal(True) in find_objects(match, text, side.illustrative):
        return set()
    assessments = find_objects(match, text, side.assessment)
    if not assessments and side.paper_classes.isdisjoint(find_objects(match, text, RDF_TYPE)):
        return set()
    found = set[CellKey]()
    ends = {end for path in side.paths for end in follow_path(match, {text}, path)}
    values = [side.term_key(one) for one in ends if isinstance(one, ox.NamedNode | ox.Literal)]
    if values:
        measured = {one for each in assessments for one in list_assessment_cells(each, match, side)}
        found = {(value, *one) for value in values for one in ((), *measured)}
    return found


def list_assessment_cells(assessment: Any, match: QuadMatcher, side: Dimension) -> set[CellKey]:
    """The criteria of an assessment, alone and with each of its verdicts."""
    verdicts = select_iri_values(find_objects(match, assessment, side.verdict))
    criteria = select_iri_values(find_objects(match, assessment, side.criterion))
    return {(one, *more) for one in criteria for more in ((), *((verdict,) for verdict in verdicts))}


def select_iri_values(terms: Iterable[Any]) -> list[str]:
    """Those of the terms that are IRIs."""
    return [one.value for one in terms if isinstance(one, ox.NamedNode)]


COUNTS_COPY_PREFIX = "cells-copy"
MAX_WAITING_COUNT_REQUESTS, COUNT_TIMEOUT_SECONDS = 256, 20  # requests, and seconds, while they are counted
MAX_AFFECTED_PAPERS = 1_000  # texts that are looked at one by one


class PaperCounts(Projection):
    """The papers of each cell of a side, those made up as examples left out."""

    def __init__(self, store: Store, base: str, side: str) -> None:
        """Nothing is counted before it is needed."""
        super().__init__(store)
        self.dimension = Dimension(side, base)
        self.name, self.snapshot_name = f"the count of papers by {side}", f"{COUNTS_COPY_PREFIX}-{side}"
        self.queue = WorkQueue(at_once=1, waiting=MAX_WAITING_COUNT_REQUESTS, patience=COUNT_TIMEOUT_SECONDS)
        self.counts = Counter[CellKey]()
        self.counting_task: asyncio.Task[Counter[CellKey]] | None = None

    async def get_counts(self) -> Counter[CellKey]:
        """How many papers each cell has that has any. Raises Problem 503 where counting takes long."""
        return self.counts if self.is_current else await self.queue.run(self.count_all)

    async def get_counts_within(self, seconds: float) -> Counter[CellKey] | None:
        """The same if it is known within so many seconds, else None; it goes on being counted."""
        if not self.is_current:
            if self.counting_task is None or self.counting_task.done():
                self.counting_task = asyncio.create_task(self.get_counts())
                # Where nobody waits any more, nobody hears of what went wrong: the next one begins anew.
                self.counting_task.add_done_callback(lambda one: one.cancelled() or one.exception())
            with suppress(Problem, TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.counting_task), seconds)
        return self.counts if self.is_current else None

    def count_all(self) -> Counter[CellKey]:
        """The papers of each cell, counted anew unless they are known, with what was written meanwhile."""
        self.ensure_current()
        return self.counts

    def apply(self, change: Change) -> bool:
        """Look at the papers that a change touches, unless these are many."""
        by = diff_paper_counts(self.store, change, self.dimension)
        if by is not None:
            self.counts = add_paper_counts(self.counts, by)
        return by is not None

    def rebuild(self, view: StoreView) -> None:
        """Count all papers."""
        self.counts = count_papers_by_cell(view, self.dimension)


def count_papers_by_cell(view: StoreView, side: Dimension) -> Counter[CellKey]:
    """The papers of each cell, counted from all of them."""
    names = ("value", "criterion", "verdict")
    return Counter(
        {
            tuple(side.term_key(row[one]) for one in names if one in row): int(row["papers"].value)
            for row in select_solutions(view, side.count_query())
        }
    )


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
    # The same is asked for as it was and as it is.
    moments = BeforeAfter(cache(lambda *pattern: tuple(view.match(*pattern))), told)
    texts: Nodes = set()
    for one in chain(told.removed, told.added):
        texts |= find_affected_papers(one, side, (moments.before, moments.after))
        if len(texts) > MAX_AFFECTED_PAPERS:
            return None
    by = Counter[CellKey]()
    for text in texts:
        by.update(find_paper_cells(text, moments.after, side))
        by.subtract(find_paper_cells(text, moments.before, side))
    return by
