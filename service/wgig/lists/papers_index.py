"""The papers at hand: what each is chosen and sorted by, in step with every write.

They are read when somebody asks first; afterwards only those are read again that a write touches.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from sys import intern
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import pyoxigraph as ox

from ..http.work_queue import WorkQueue
from ..rdf.literals import term_text
from ..rdf.namespaces import EARL_RESULT, RDF_TYPE, expand_curie, namespaces_by_prefix
from ..store.change import Change
from ..store.projection import Projection
from ..store.store import Store
from ..store.view import StoreView
from .fields import NAME_PATH

# Requests, and seconds, while they are read.
MAX_WAITING_PAPERS_REQUESTS, PAPERS_INDEX_TIMEOUT_SECONDS = 256, 20
PAPER_NAME_PREDICATES = tuple(map(expand_curie, NAME_PATH.split("|")))
STATUS_FACET = "schema:creativeWorkStatus"
ILLUSTRATIVE_VALUE = ox.Literal(True)
INDEXED_PAPER_CLASSES = ("wgig:IssuePaper", "wgig:AssessmentPaper")
# What papers are chosen by, as the list of papers calls it, in the order of the page.
PAPER_FACETS = {
    "type": "rdf:type",
    "issue": "wgig:issue",
    "category": "wgig:category",
    STATUS_FACET: STATUS_FACET,
    "conformance": "",  # which the assertion on the paper says
    "drafter": "wgig:drafter",
}


FACET_POSITIONS = {name: place for place, name in enumerate(PAPER_FACETS)}

Params = ParamSpec("Params")
Answer = TypeVar("Answer")


class IndexedPaper(NamedTuple):
    """A paper: its names and the days when it was posted, and its values by facet.

    A value is an IRI or a text; values stand in the order of PAPER_FACETS.
    """

    iri: str
    names: tuple[str, ...]
    posted: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    def facet_values(self, facet: str) -> tuple[str, ...]:
        """The values of a facet."""
        return self.values[FACET_POSITIONS[facet]]


class FacetedPapers:
    """Papers by their numbers, and the numbers of those that have a value, by facet and value."""

    def __init__(self) -> None:
        """There are none yet."""
        self.by_number: dict[int, IndexedPaper] = {}
        self.number_by_iri: dict[str, int] = {}  # by IRI
        self.numbers_by_value: dict[str, dict[str, set[int]]] = {one: {} for one in PAPER_FACETS}
        self.numbers_with_value: dict[str, set[int]] = {one: set() for one in PAPER_FACETS}
        self.sort_orders: dict[tuple[str, bool], list[int]] = {}

    def __len__(self) -> int:
        """How many papers there are."""
        return len(self.by_number)

    def add(self, paper: IndexedPaper) -> None:
        """Put in a paper that is not there."""
        number = next(reversed(self.by_number), 0) + 1
        self.by_number[number], self.number_by_iri[paper.iri] = paper, number
        for facet, values in zip(PAPER_FACETS, paper.values, strict=True):
            for one in values:
                self.numbers_by_value[facet].setdefault(one, set()).add(number)
                self.numbers_with_value[facet].add(number)

    def remove(self, iri: str) -> None:
        """Take out a paper, if it is there."""
        number = self.number_by_iri.pop(iri, 0)
        paper = self.by_number.pop(number, None)
        for facet, values in zip(PAPER_FACETS, paper.values, strict=True) if paper else ():
            self.numbers_with_value[facet].discard(number)
            for one in values:
                self.numbers_by_value[facet][one].remove(number)
                if not self.numbers_by_value[facet][one]:
                    del self.numbers_by_value[facet][one]

    def sorted_numbers(self, field: str, falls: bool) -> list[int]:
        """The numbers by a field, `label`, `posted` or `id`; the IRI decides between equals."""
        if (field, falls) not in self.sort_orders:
            read, pick = PAPER_SORT_KEYS[field], max if falls else min
            found = sorted(self.by_number, key=lambda one: self.by_number[one].iri)
            found.sort(key=lambda one: pick(read(self.by_number[one]), default=""), reverse=falls)
            self.sort_orders[field, falls] = found
        return self.sort_orders[field, falls]


PAPER_SORT_KEYS: dict[str, Callable[[IndexedPaper], Iterable[str]]] = {
    "label": lambda one: map(str.lower, one.names),
    "posted": lambda one: one.posted,
    "id": lambda one: (one.iri,),
}


class PapersIndex(Projection):
    """The papers of a store, those made up as examples left out."""

    name = "the index of papers"

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is read before it is needed."""
        super().__init__(store)
        known = namespaces_by_prefix(base)
        self.paper_prefix, self.assertion_prefix = known["paper"], known["assertion"]
        self.queue = WorkQueue(
            at_once=1, waiting=MAX_WAITING_PAPERS_REQUESTS, patience=PAPERS_INDEX_TIMEOUT_SECONDS
        )
        self.classes = tuple(expand_curie(one, base) for one in INDEXED_PAPER_CLASSES)
        self.facets = {name: expand_curie(one, base) for name, one in PAPER_FACETS.items() if one}
        self.posted, self.illustrative = (
            expand_curie("wgig:posted", base),
            expand_curie("wgig:illustrative", base),
        )
        self.indexed_predicates = frozenset(
            (*PAPER_NAME_PREDICATES, *self.facets.values(), self.posted, self.illustrative)
        )
        self.papers = FacetedPapers()
        self.changed_iris = set[str]()  # papers that a write touched, and that are read when next needed
        self.change_lock = threading.Lock()

    async def query(
        self,
        look: Callable[Concatenate[FacetedPapers, Params], Answer],
        *args: Params.args,
        **named: Params.kwargs,
    ) -> Answer:
        """What a function finds among the papers as they are now. Raises Problem 503 where it takes long."""
        return await self.queue.run(partial(self.query_sync, look, *args, **named))

    def query_sync(
        self,
        look: Callable[Concatenate[FacetedPapers, Params], Answer],
        *args: Params.args,
        **named: Params.kwargs,
    ) -> Answer:
        """What a function finds among the papers as they are now; for one thread at a time."""
        self.refresh()
        return look(self.papers, *args, **named)

    def apply(self, change: Change) -> bool:
        """Note which papers a change touches."""
        with self.change_lock:
            self.changed_iris.update(self.iter_changed_papers(change))
        return True

    def rebuild(self, view: StoreView) -> None:
        """Read all papers."""
        with self.change_lock:
            self.changed_iris.clear()
        self.papers = self.read_all(view)

    @contextmanager
    def open_source(self) -> Iterator[StoreView]:
        """The store itself, whatever is written meanwhile: papers that are touched are read again."""
        with self.store.write_lock():
            self.begin_build()
        yield self.store

    def iter_changed_papers(self, change: Change) -> Iterator[str]:
        """The papers of which a change may have made something else."""
        for one in chain(change.removed, change.added):
            if isinstance(one.subject, ox.NamedNode):
                if one.predicate in self.indexed_predicates:
                    yield one.subject.value
                elif one.predicate == EARL_RESULT:
                    yield self.paper_prefix + one.subject.value.removeprefix(self.assertion_prefix)

    def refresh(self) -> None:
        """Read those papers again that were touched; all of them where nothing is known of that."""
        self.ensure_current()
        with self.change_lock:
            touched, self.changed_iris = self.changed_iris, set()
        try:
            if touched:
                self.papers.sort_orders.clear()
                for iri in touched:
                    self.reread_paper(iri)
        except BaseException:
            self.invalidate()
            raise

    def read_all(self, view: StoreView) -> FacetedPapers:
        """All papers of a view."""
        found = FacetedPapers()
        typed = (quad for class_ in self.classes for quad in view.match(None, RDF_TYPE, class_))
        for iri in {quad.subject.value for quad in typed if isinstance(quad.subject, ox.NamedNode)}:
            if paper := self.read_paper(view, iri):
                found.add(paper)
        return found

    def reread_paper(self, iri: str) -> None:
        """Read what may be a paper again."""
        found = self.read_paper(self.store, iri)
        self.papers.remove(iri)
        if found:
            self.papers.add(found)

    def read_paper(self, view: StoreView, iri: str) -> IndexedPaper | None:
        """A paper by what is said of it; None where it is made up, or none."""
        one, said = ox.NamedNode(iri), dict[ox.NamedNode, set[Any]]()
        for quad in view.match(one):
            if quad.predicate in self.indexed_predicates:
                said.setdefault(quad.predicate, set()).add(quad.object)
        types = said.get(RDF_TYPE, set()).intersection(self.classes)
        if not types or ILLUSTRATIVE_VALUE in said.get(self.illustrative, ()):
            return None
        said[RDF_TYPE] = types
        return IndexedPaper(
            iri,
            tuple(
                sorted(
                    {term_text(one) for name in PAPER_NAME_PREDICATES for one in said.get(name, ())},
                    key=str.lower,
                )
            ),
            intern_term_texts(said.get(self.posted, ())),
            tuple(
                select_facet_values(name, said.get(self.facets[name], ()))
                if name in self.facets
                else self.read_results(view, iri)
                for name in PAPER_FACETS
            ),
        )

    def read_results(self, view: StoreView, iri: str) -> tuple[str, ...]:
        """How the paper stands by the template, where that is known."""
        if not iri.startswith(self.paper_prefix):
            return ()
        whole = ox.NamedNode(self.assertion_prefix + iri.removeprefix(self.paper_prefix))
        return intern_term_texts(quad.object for quad in view.match(whole, EARL_RESULT))


def select_facet_values(facet: str, terms: Iterable[Any]) -> tuple[str, ...]:
    """The values of a facet among terms: words for the status, things for all others."""
    kind = ox.Literal if facet == STATUS_FACET else ox.NamedNode
    return intern_term_texts(one for one in terms if isinstance(one, kind))


def intern_term_texts(terms: Iterable[Any]) -> tuple[str, ...]:
    """The terms as texts, each once, in order; most of them stand in many papers."""
    return tuple(sorted({intern(term_text(one)) for one in terms}))
