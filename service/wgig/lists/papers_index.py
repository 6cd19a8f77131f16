"""An in-memory index of all papers, with the values by which lists filter and sort them.

It is built on first use; afterwards, only papers that a commit affects are read again.
"""

import threading
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, total_ordering
from itertools import chain
from sys import intern
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import pyoxigraph as ox

from ..http.work_queue import WorkQueue
from ..rdf.literals import term_text
from ..rdf.namespaces import EARL_RESULT, RDF_TYPE, expand_curie, namespaces_by_prefix
from ..store.change import Change
from ..store.projection import Projection
from ..store.projection_runner import CommittedChange
from ..store.store import Store
from ..store.view import StoreView
from .fields import NAME_PATH

MAX_WAITING_PAPERS_REQUESTS, PAPERS_INDEX_TIMEOUT_SECONDS = 256, 20
PAPER_NAME_PREDICATES = tuple(map(expand_curie, NAME_PATH.split("|")))
TITLE_FIELD_NAME = "dcterms:title"
TITLE_PREDICATE = expand_curie(TITLE_FIELD_NAME)
ISSUE_FACET, STATUS_FACET, POSTED_FACET = "issue", "schema:creativeWorkStatus", "posted"
LITERAL_FACETS = frozenset({STATUS_FACET, POSTED_FACET})  # the values of the others are resources
SORT_NAME_LANGUAGES = frozenset({None, "en"})  # of the names to sort by, if a paper has such names
ILLUSTRATIVE_VALUE = ox.Literal(True)  # of wgig:illustrative, for papers made up as examples
INDEXED_PAPER_CLASSES = ("wgig:IssuePaper", "wgig:AssessmentPaper")
# The facets, which are the filters of the page of papers, in the order of the page, and their properties.
PAPER_FACETS = {
    "type": "rdf:type",
    "issue": "wgig:issue",
    "category": "wgig:category",
    STATUS_FACET: STATUS_FACET,
    "conformance": "",  # not a property of the paper: the result of checking it, in an earl:Assertion
    "drafter": "wgig:drafter",
    POSTED_FACET: "wgig:posted",
}


MAX_CACHED_ORDERS = 16
MAX_MOVED_PAPERS = 20  # changed papers that are moved in the cached orders; for more, all are sorted again
PaperOrder = tuple[tuple[str, bool], ...]  # fields of PAPER_SORT_KEYS, and whether descending

FACET_POSITIONS = {name: position for position, name in enumerate(PAPER_FACETS)}

# By the IRI of an issue: the names to sort by, and those in other languages.
IssueNames = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]

Params = ParamSpec("Params")
Result = TypeVar("Result")


class IndexedPaper(NamedTuple):
    """A paper: its IRI, its names, the number of parts of the template that it has, and its facets.

    `sort_names` are the names to sort by, `other_names` those in other languages; the same for the titles.
    `parts_met` is empty for a paper that was not tested. `values` are in the order of PAPER_FACETS; a value
    is an IRI or the text of a literal.
    """

    iri: str
    sort_names: tuple[str, ...]
    other_names: tuple[str, ...]
    sort_titles: tuple[str, ...]
    other_titles: tuple[str, ...]
    parts_met: str
    values: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return self.sort_names + self.other_names

    @property
    def posted(self) -> tuple[str, ...]:
        """The days when it was posted."""
        return self.facet_values(POSTED_FACET)

    def facet_values(self, facet: str) -> tuple[str, ...]:
        """The values of the paper for a facet."""
        return self.values[FACET_POSITIONS[facet]]


class FacetedPapers:
    """Papers by number, and the sets of paper numbers by facet and value.

    A paper gets its number when it is added. `sort_orders` caches the results of `sorted_numbers`.
    `issue_names` has the names of the issues to sort by.
    """

    def __init__(self) -> None:
        """Start without papers."""
        self.by_number: dict[int, IndexedPaper] = {}
        self.number_by_iri: dict[str, int] = {}
        self.numbers_by_value: dict[str, dict[str, set[int]]] = {facet: {} for facet in PAPER_FACETS}
        self.numbers_with_value: dict[str, set[int]] = {facet: set() for facet in PAPER_FACETS}
        self.sort_orders: dict[PaperOrder, list[int]] = {}
        self.issue_names: IssueNames = {}

    def __len__(self) -> int:
        """The number of papers."""
        return len(self.by_number)

    def add(self, paper: IndexedPaper) -> None:
        """Add a paper that is not in the index."""
        number = next(reversed(self.by_number), 0) + 1
        self.by_number[number], self.number_by_iri[paper.iri] = paper, number
        for facet, values in zip(PAPER_FACETS, paper.values, strict=True):
            for value in values:
                self.numbers_by_value[facet].setdefault(value, set()).add(number)
                self.numbers_with_value[facet].add(number)

    def remove(self, iri: str) -> None:
        """Remove a paper, if it is in the index."""
        number = self.number_by_iri.pop(iri, 0)
        paper = self.by_number.pop(number, None)
        for facet, values in zip(PAPER_FACETS, paper.values, strict=True) if paper else ():
            self.numbers_with_value[facet].discard(number)
            for value in values:
                self.numbers_by_value[facet][value].remove(number)
                if not self.numbers_by_value[facet][value]:
                    del self.numbers_by_value[facet][value]

    def sorted_numbers(self, order: PaperOrder) -> list[int]:
        """The paper numbers in an order, then by IRI."""
        if order not in self.sort_orders:
            if order:
                numbers = self.sorted_numbers(order[1:]).copy()
                self.sort_by_field(numbers, *order[0])
            else:
                numbers = sorted(self.by_number, key=lambda number: self.by_number[number].iri)
            if len(self.sort_orders) >= MAX_CACHED_ORDERS:
                self.sort_orders.clear()
            self.sort_orders[order] = numbers
        return self.sort_orders[order]

    def sort_by_field(self, numbers: list[int], field: str, descending: bool) -> None:
        """Sort paper numbers by a field of PAPER_SORT_KEYS; those with equal keys keep their order."""
        numbers.sort(
            key=lambda number: self.choose_sort_key(self.by_number[number], field, descending),
            reverse=descending,
        )

    def replace(self, papers: Mapping[str, IndexedPaper | None]) -> None:
        """Replace papers by IRI, or remove them. Few are moved in the cached orders, without sorting all."""
        if len(papers) > MAX_MOVED_PAPERS:
            self.sort_orders.clear()
        for iri, paper in papers.items():
            if number := self.number_by_iri.get(iri):
                for numbers in self.sort_orders.values():
                    numbers.remove(number)
            self.remove(iri)
            if paper:
                self.add(paper)
                for order, numbers in self.sort_orders.items():
                    insort(numbers, self.number_by_iri[iri], key=partial(self.make_order_key, order))

    def choose_sort_key(self, paper: IndexedPaper, field: str, descending: bool) -> str:
        """The lowest key of a paper for one of INDEXED_SORT_FIELDS; the highest for a descending order."""
        if field == ISSUE_FACET:
            issues = ((iri, *self.issue_names[iri]) for iri in paper.facet_values(ISSUE_FACET))
            keys: Iterable[str] = (
                key
                for iri, sort_names, other_names in issues
                for key in list_text_keys(sort_names, other_names, descending) or [iri]
            )
        else:
            keys = PAPER_SORT_KEYS[field](paper, descending)
        return (max if descending else min)(keys, default="")

    def make_order_key(self, order: PaperOrder, number: int) -> tuple["str | ReversedText", ...]:
        """The key by which papers are in an order of `sorted_numbers`."""
        paper = self.by_number[number]
        keys = (self.choose_sort_key(paper, *sort_field) for sort_field in order)
        return (
            *(
                ReversedText(key) if is_descending else key
                for key, (_, is_descending) in zip(keys, order, strict=True)
            ),
            paper.iri,
        )


@total_ordering
@dataclass(frozen=True, slots=True)
class ReversedText:
    """A text in a descending order."""

    text: str

    def __lt__(self, other: "ReversedText") -> bool:
        """Whether this text comes before the other one."""
        return self.text > other.text


def list_text_keys(sort_texts: Iterable[str], other_texts: Iterable[str], descending: bool) -> list[str]:
    """The sort keys for texts, with a prefix so that those to sort by are chosen."""
    first, last = ("1", "0") if descending else ("0", "1")
    return [*(first + text.lower() for text in sort_texts), *(last + text.lower() for text in other_texts)]


# By field: the sort keys of a paper, of which the lowest counts, or the highest for a descending order. Those
# of `issue` are from the names of its issues.
PAPER_SORT_KEYS: dict[str, Callable[[IndexedPaper, bool], Sequence[str]]] = {
    "label": lambda paper, descending: list_text_keys(paper.sort_names, paper.other_names, descending),
    TITLE_FIELD_NAME: lambda paper, descending: list_text_keys(
        paper.sort_titles, paper.other_titles, descending
    ),
    POSTED_FACET: lambda paper, _descending: paper.posted,
    "partsMet": lambda paper, _descending: [paper.parts_met.zfill(9)] if paper.parts_met else [],
    "id": lambda paper, _descending: [paper.iri],
}
INDEXED_SORT_FIELDS = frozenset({*PAPER_SORT_KEYS, ISSUE_FACET})


class PapersIndex(Projection):
    """The projection with the papers of a store, without illustrative ones."""

    name = "the index of papers"

    def __init__(self, store: Store, base: str) -> None:
        """Set up an index of the store that is not built yet; `base` is the base IRI of the graph."""
        super().__init__(store)
        namespaces = namespaces_by_prefix(base)
        self.paper_prefix, self.assertion_prefix = namespaces["paper"], namespaces["assertion"]
        self.queue = WorkQueue(
            max_running=1,
            max_waiting=MAX_WAITING_PAPERS_REQUESTS,
            timeout_seconds=PAPERS_INDEX_TIMEOUT_SECONDS,
        )
        self.classes = tuple(expand_curie(curie, base) for curie in INDEXED_PAPER_CLASSES)
        self.facets = {name: expand_curie(curie, base) for name, curie in PAPER_FACETS.items() if curie}
        self.illustrative, self.parts_met = (
            expand_curie("wgig:illustrative", base),
            expand_curie("wgig:partsMet", base),
        )
        self.indexed_predicates = frozenset(
            (*PAPER_NAME_PREDICATES, TITLE_PREDICATE, *self.facets.values(), self.illustrative)
        )
        self.papers = FacetedPapers()
        self.changed_iris = set[str]()  # of papers that commits affected, to be read again on next use
        self.change_lock = threading.Lock()

    async def query(
        self,
        function: Callable[Concatenate[FacetedPapers, Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """Call a function with the current papers. Raises Problem 503 if updating the index takes long."""
        return await self.queue.run(partial(self.query_sync, function, *args, **kwargs))

    def query_sync(
        self,
        function: Callable[Concatenate[FacetedPapers, Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """Call a function with the current papers. Call it on one thread at a time, as `query` does."""
        self.refresh()
        return function(self.papers, *args, **kwargs)

    def apply(self, commit: CommittedChange) -> None:
        """Record which papers a commit affects: these are read again on next use."""
        with self.change_lock:
            self.changed_iris.update(self.iter_changed_papers(commit.full))

    def apply_many(self, commits: Sequence[CommittedChange]) -> None:
        """Record which papers commits affect, also if their changes cancel each other out.

        A build reads the store while it changes, so it may have read a paper between two such commits.
        """
        for commit in commits:
            self.apply(commit)

    def rebuild(self, view: StoreView, _version: int) -> None:
        """Read all papers."""
        self.papers = self.read_all(view)

    @contextmanager
    def open_build_view(self) -> Iterator[StoreView]:
        """Yield the store itself, unlocked: papers that commits affect meanwhile are read again later."""
        with self.store.write_lock():
            self.begin_build()
        yield self.store

    def iter_changed_papers(self, change: Change) -> Iterator[str]:
        """The IRIs of the papers that a change may affect."""
        for quad in chain(change.removed, change.added):
            if isinstance(quad.subject, ox.NamedNode):
                if quad.predicate in self.indexed_predicates:
                    yield quad.subject.value
                elif quad.predicate in (EARL_RESULT, self.parts_met):
                    # The assertion about a paper has the local name of the paper.
                    yield self.paper_prefix + quad.subject.value.removeprefix(self.assertion_prefix)

    def refresh(self) -> None:
        """Read the affected papers again, or all papers if the index is not built."""
        self.ensure_current()
        with self.change_lock:
            changed_iris, self.changed_iris = self.changed_iris, set()
        try:
            if changed_iris:
                papers = {iri: self.read_paper(self.store, iri) for iri in changed_iris}
                issues = {*self.papers.issue_names, *iter_issues(filter(None, papers.values()))}
                issue_names = self.read_issue_names(self.store, issues)
                if any(issue_names[iri] != names for iri, names in self.papers.issue_names.items()):
                    self.papers.sort_orders.clear()
                self.papers.issue_names = issue_names
                self.papers.replace(papers)
        except BaseException:
            self.invalidate()
            raise

    def read_all(self, view: StoreView) -> FacetedPapers:
        """All papers of a view."""
        papers = FacetedPapers()
        type_quads = (quad for class_ in self.classes for quad in view.match(None, RDF_TYPE, class_))
        for iri in {quad.subject.value for quad in type_quads if isinstance(quad.subject, ox.NamedNode)}:
            if paper := self.read_paper(view, iri):
                papers.add(paper)
        papers.issue_names = self.read_issue_names(view, iter_issues(papers.by_number.values()))
        return papers

    def read_issue_names(self, view: StoreView, iris: Iterable[str]) -> IssueNames:
        """The names of issues."""
        return {
            iri: split_sort_texts(
                quad.object for name in PAPER_NAME_PREDICATES for quad in view.match(ox.NamedNode(iri), name)
            )
            for iri in {*iris}
        }

    def read_paper(self, view: StoreView, iri: str) -> IndexedPaper | None:
        """The paper with this IRI; None if it is illustrative or not a paper."""
        node, values = ox.NamedNode(iri), dict[ox.NamedNode, set[Any]]()
        for quad in view.match(node):
            if quad.predicate in self.indexed_predicates:
                values.setdefault(quad.predicate, set()).add(quad.object)
        types = values.get(RDF_TYPE, set()).intersection(self.classes)
        if not types or ILLUSTRATIVE_VALUE in values.get(self.illustrative, ()):
            return None
        values[RDF_TYPE] = types
        names = {term for name in PAPER_NAME_PREDICATES for term in values.get(name, ())}
        results, parts_met = self.read_check_results(view, iri)
        return IndexedPaper(
            iri,
            *split_sort_texts(names),
            *split_sort_texts(values.get(TITLE_PREDICATE, ())),
            parts_met,
            tuple(
                select_facet_values(name, values.get(self.facets[name], ()))
                if name in self.facets
                else results
                for name in PAPER_FACETS
            ),
        )

    def read_check_results(self, view: StoreView, iri: str) -> tuple[tuple[str, ...], str]:
        """The results of checking the paper against the template, and how many parts of it the paper has.

        Both are empty if it was not checked.
        """
        if not iri.startswith(self.paper_prefix):
            return (), ""
        assertion = ox.NamedNode(self.assertion_prefix + iri.removeprefix(self.paper_prefix))
        parts = intern_term_texts(quad.object for quad in view.match(assertion, self.parts_met))
        return intern_term_texts(quad.object for quad in view.match(assertion, EARL_RESULT)), next(
            iter(parts), ""
        )


def iter_issues(papers: Iterable[IndexedPaper]) -> Iterator[str]:
    """The IRIs of the issues of papers."""
    return (iri for paper in papers for iri in paper.facet_values(ISSUE_FACET))


def split_sort_texts(terms: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts to sort by, and those in other languages."""
    all_terms = {*terms}
    sort_terms = {term for term in all_terms if getattr(term, "language", "") in SORT_NAME_LANGUAGES}
    return sort_name_texts(sort_terms), sort_name_texts(all_terms - sort_terms)


def sort_name_texts(terms: Iterable[Any]) -> tuple[str, ...]:
    """The texts of names, sorted without regard to case."""
    return tuple(sorted({term_text(term) for term in terms}, key=str.lower))


def select_facet_values(facet: str, terms: Iterable[Any]) -> tuple[str, ...]:
    """The values of a facet among terms: literals for the status and the days, IRIs for all others."""
    term_class = ox.Literal if facet in LITERAL_FACETS else ox.NamedNode
    return intern_term_texts(term for term in terms if isinstance(term, term_class))


def intern_term_texts(terms: Iterable[Any]) -> tuple[str, ...]:
    """The distinct texts of the terms, sorted; interned, as most of them occur in many papers."""
    return tuple(sorted({intern(term_text(term)) for term in terms}))
