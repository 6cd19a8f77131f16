"""Counts of papers by dimension (issue, category, stakeholder group, day) and by criterion.

All papers are counted on first use, and again after a change whose statements are unknown or too many. After
any other change, only the affected papers are counted again: their cells before and after the change are
compared. A cell is what papers are counted in, such as an issue, or an issue and a criterion. Illustrative
papers, which are made up as examples, are not counted.
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

# What papers are counted by: (value of a dimension,), (value, criterion) or (value, criterion, verdict).
CellKey = tuple[str, ...]
Nodes = set[Any]  # RDF terms

ACTOR_PROPERTIES = ("wgig:mainActor", "wgig:otherActor", "wgig:drafter")
# The property paths from a paper to the values of a dimension, by the name of the dimension.
DIMENSION_PATHS = {
    "issue": ["wgig:issue"],
    "category": ["wgig:category"],
    "stakeholder-group": [
        f"{actor}/{group_path}"
        for actor in ACTOR_PROPERTIES
        for group_path in ("wgig:stakeholderGroup", "^org:member/wgig:stakeholderGroup")
    ],
    "posted": ["wgig:posted"],
}


@dataclass(frozen=True)
class PathStep:
    """A step of a property path: a property, and whether it is followed from object to subject."""

    predicate: ox.NamedNode
    is_inverse: bool

    @property
    def inverse(self) -> "PathStep":
        """The step in the opposite direction."""
        return PathStep(self.predicate, not self.is_inverse)


PropertyPath = Sequence[PathStep]


class Dimension:
    """What papers are counted by: issues, categories, stakeholder groups, or days of posting."""

    def __init__(self, name: str, base: str) -> None:
        """Take a name of DIMENSION_PATHS and the base IRI of the graph."""
        self.name, expand = name, partial(expand_curie, base=base)

        def parse_path(path: str) -> PropertyPath:
            return [
                PathStep(expand(step.removeprefix("^")), step.startswith("^")) for step in path.split("/")
            ]

        self.paper_classes = frozenset(map(expand, INDEXED_PAPER_CLASSES))
        self.illustrative, self.assessment = expand("wgig:illustrative"), expand("wgig:assessment")
        self.criterion, self.verdict = expand("wgig:criterion"), expand("wgig:verdict")
        self.paths = list(map(parse_path, DIMENSION_PATHS[name]))
        assessment_paths = [
            [PathStep(self.assessment, False), PathStep(property_, False)]
            for property_ in (self.criterion, self.verdict)
        ]
        self.all_paths = [*self.paths, *assessment_paths, [PathStep(self.illustrative, False)]]
        self.properties = {step.predicate for path in self.all_paths for step in path}

    def is_relevant(self, quad: ox.Quad) -> bool:
        """Whether a statement may influence the counts."""
        return quad.predicate in self.properties or (
            quad.predicate == RDF_TYPE and quad.object in self.paper_classes
        )

    def count_query(self) -> str:
        """The SPARQL query that counts all papers: ?value, ?criterion, ?verdict and ?papers."""
        alternatives = "|".join(
            "/".join(f"{'^' if step.is_inverse else ''}{step.predicate}" for step in path)
            for path in self.paths
        )
        paper_pattern = " UNION ".join(
            [
                f"{{ ?paper {self.assessment} ?assessment }}",
                *(f"{{ ?paper a {class_} }}" for class_ in sorted(self.paper_classes, key=str)),
            ]
        )
        filters = (
            f"FILTER NOT EXISTS {{ ?paper {self.illustrative} true }} "
            "FILTER (isIRI(?value) || isLiteral(?value))"
        )
        criterion_pattern = (
            f"?paper {self.assessment} ?assessment . ?assessment {self.criterion} ?criterion . "
            f"?paper {alternatives} ?value . FILTER (isIRI(?criterion)) {filters}"
        )
        verdict_pattern = (
            f"{criterion_pattern} ?assessment {self.verdict} ?verdict . FILTER (isIRI(?verdict))"
        )
        subqueries = (
            ("?value", f"{paper_pattern} ?paper {alternatives} ?value . {filters}"),
            ("?value ?criterion", criterion_pattern),
            ("?value ?criterion ?verdict", verdict_pattern),
        )
        return (
            "SELECT * WHERE { "
            + " UNION ".join(
                f"{{ SELECT {variables} (COUNT(DISTINCT ?paper) AS ?papers) "
                f"WHERE {{ {pattern} }} GROUP BY {variables} }}"
                for variables, pattern in subqueries
            )
            + " }"
        )

    def term_key(self, term: Any) -> str:
        """The string for a term in a cell key: its IRI, or the literal in SPARQL syntax."""
        return term.value if isinstance(term, ox.NamedNode) else str(term)


def follow_path(match: QuadMatcher, nodes: Nodes, path: PropertyPath) -> Nodes:
    """The nodes that the path leads to from any of the given nodes."""
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
    """The values of a property of a node."""
    if isinstance(subject, ox.Literal | ox.Triple):
        return set()
    return {quad.object for quad in match(subject, predicate, None)}


def find_subjects(match: QuadMatcher, predicate: ox.NamedNode, object_: Any) -> Nodes:
    """The nodes that have this value for a property."""
    return {quad.subject for quad in match(None, predicate, object_)}


def find_affected_papers(quad: ox.Quad, dimension: Dimension, matchers: Sequence[QuadMatcher]) -> Nodes:
    """The papers whose cells a changed statement may affect; `matchers` read the states before and after."""
    if quad.predicate == RDF_TYPE:
        return {quad.subject}
    papers: Nodes = set()
    for path in dimension.all_paths:
        for position, step in enumerate(path):
            if step.predicate == quad.predicate:
                node = quad.object if step.is_inverse else quad.subject
                inverse_path = [earlier.inverse for earlier in reversed(path[:position])]
                for match in matchers:
                    papers |= follow_path(match, {node}, inverse_path)
    return papers


def find_paper_cells(paper: Any, match: QuadMatcher, dimension: Dimension) -> set[CellKey]:
    """The cells in which a paper is counted."""
    if ox.Literal(True) in find_objects(match, paper, dimension.illustrative):
        return set()
    assessments = find_objects(match, paper, dimension.assessment)
    if not assessments and dimension.paper_classes.isdisjoint(find_objects(match, paper, RDF_TYPE)):
        return set()
    value_terms = {term for path in dimension.paths for term in follow_path(match, {paper}, path)}
    values = [dimension.term_key(term) for term in value_terms if isinstance(term, ox.NamedNode | ox.Literal)]
    assessment_keys = {key for node in assessments for key in list_assessment_keys(node, match, dimension)}
    return {(value, *key) for value in values for key in ((), *assessment_keys)}


def list_assessment_keys(assessment: Any, match: QuadMatcher, dimension: Dimension) -> set[CellKey]:
    """The cell keys of an assessment without the value: (criterion,) and (criterion, verdict)."""
    verdicts = select_iri_values(find_objects(match, assessment, dimension.verdict))
    criteria = select_iri_values(find_objects(match, assessment, dimension.criterion))
    verdict_keys = ((), *((verdict,) for verdict in verdicts))
    return {(criterion, *verdict_key) for criterion in criteria for verdict_key in verdict_keys}


def select_iri_values(terms: Iterable[Any]) -> list[str]:
    """The IRIs among the terms."""
    return [term.value for term in terms if isinstance(term, ox.NamedNode)]


COUNTS_COPY_PREFIX = "cells-copy"  # prefix of the names of the snapshots of the store that are counted
MAX_WAITING_COUNT_REQUESTS, COUNT_TIMEOUT_SECONDS = 256, 20  # requests, seconds
MAX_AFFECTED_PAPERS = 1_000  # by a change; if it affects more, all papers are counted again


class PaperCounts(Projection):
    """The projection that counts the papers in each cell of a dimension, without illustrative ones."""

    def __init__(self, store: Store, base: str, dimension: str) -> None:
        """Take the store, its base IRI, and the name of the dimension."""
        super().__init__(store)
        self.dimension = Dimension(dimension, base)
        self.name = f"the count of papers by {dimension}"
        self.snapshot_name = f"{COUNTS_COPY_PREFIX}-{dimension}"
        self.queue = WorkQueue(
            max_running=1, max_waiting=MAX_WAITING_COUNT_REQUESTS, timeout_seconds=COUNT_TIMEOUT_SECONDS
        )
        self.counts = Counter[CellKey]()
        self.counting_task: asyncio.Task[Counter[CellKey]] | None = None

    async def get_counts(self) -> Counter[CellKey]:
        """The number of papers in each non-empty cell. Raises Problem 503 if counting takes long."""
        return self.counts if self.is_current else await self.queue.run(self.count_all)

    async def get_counts_within(self, seconds: float) -> Counter[CellKey] | None:
        """The counts if they are available within `seconds`, else None; counting continues."""
        if not self.is_current:
            if self.counting_task is None or self.counting_task.done():
                self.counting_task = asyncio.create_task(self.get_counts())
                # Retrieve the error, as nobody may be waiting any more; the next call starts again.
                self.counting_task.add_done_callback(lambda task: task.cancelled() or task.exception())
            with suppress(Problem, TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.counting_task), seconds)
        return self.counts if self.is_current else None

    def count_all(self) -> Counter[CellKey]:
        """The number of papers in each cell. Blocks while they are counted, if necessary."""
        self.ensure_current()
        return self.counts

    def apply(self, change: Change) -> bool:
        """Count the papers again that a change affects; return False if there are too many of them."""
        differences = diff_paper_counts(self.store, change, self.dimension)
        if differences is not None:
            self.counts = add_paper_counts(self.counts, differences)
        return differences is not None

    def rebuild(self, view: StoreView) -> None:
        """Count all papers."""
        self.counts = count_papers_by_cell(view, self.dimension)


def count_papers_by_cell(view: StoreView, dimension: Dimension) -> Counter[CellKey]:
    """The number of papers in each cell, counted by a query."""
    names = ("value", "criterion", "verdict")
    return Counter(
        {
            tuple(dimension.term_key(row[name]) for name in names if name in row): int(row["papers"].value)
            for row in select_solutions(view, dimension.count_query())
        }
    )


def add_paper_counts(counts: Counter[CellKey], differences: Counter[CellKey]) -> Counter[CellKey]:
    """The sum of counts and differences, without cells that become 0."""
    total = counts.copy()
    for cell, difference in differences.items():
        total[cell] += difference
        if not total[cell]:
            del total[cell]
    return total


def diff_paper_counts(view: StoreView, change: Change, dimension: Dimension) -> Counter[CellKey] | None:
    """The differences in the counts due to a change; None if more than MAX_AFFECTED_PAPERS are affected."""
    relevant = Change(
        tuple(filter(dimension.is_relevant, change.removed)),
        tuple(filter(dimension.is_relevant, change.added)),
    )
    # Cached, as the same patterns are matched before and after the change.
    states = BeforeAfter(cache(lambda *pattern: tuple(view.match(*pattern))), relevant)
    papers: Nodes = set()
    for quad in chain(relevant.removed, relevant.added):
        papers |= find_affected_papers(quad, dimension, (states.before, states.after))
        if len(papers) > MAX_AFFECTED_PAPERS:
            return None
    differences = Counter[CellKey]()
    for paper in papers:
        differences.update(find_paper_cells(paper, states.after, dimension))
        differences.subtract(find_paper_cells(paper, states.before, dimension))
    return differences
