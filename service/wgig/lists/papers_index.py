"""The papers at hand: what each is chosen and sorted by, in step with every write.

They are read when somebody asks first; afterwards only those are read again that a write touches.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from sys import intern
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import pyoxigraph as ox

from ..http.work_queue import Turns
from ..rdf.namespaces import OUTSIDE, namespaces
from ..store.change import Change
from ..store.store import Store

WAITING, PATIENCE = 256, 20  # requests, and seconds, while they are read
NAMES = tuple(
    ox.NamedNode(OUTSIDE[prefix] + name)
    for prefix, name in (("rdfs", "label"), ("skos", "prefLabel"), ("foaf", "name"))
)
TYPE, RESULT = ox.NamedNode(f"{OUTSIDE['rdf']}type"), ox.NamedNode(f"{OUTSIDE['earl']}result")
STATUS = "schema:creativeWorkStatus"
TRUE = ox.Literal(True)
CLASSES = ("wgig:IssuePaper", "wgig:AssessmentPaper")
# What papers are chosen by, as the list of papers calls it, in the order of the page.
FACETS = {
    "type": "rdf:type",
    "issue": "wgig:issue",
    "category": "wgig:category",
    STATUS: STATUS,
    "conformance": "",  # which the assertion on the paper says
    "drafter": "wgig:drafter",
}


PLACES = {name: place for place, name in enumerate(FACETS)}

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Paper(NamedTuple):
    """A paper: its names and the days when it was posted, and its values by facet.

    A value is an IRI or a text; values stand in the order of FACETS.
    """

    iri: str
    names: tuple[str, ...]
    posted: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    def of(self, facet: str) -> tuple[str, ...]:
        """The values of a facet."""
        return self.values[PLACES[facet]]


class Papers:
    """Papers by their numbers, and the numbers of those that have a value, by facet and value."""

    def __init__(self) -> None:
        """There are none yet."""
        self.by_number: dict[int, Paper] = {}
        self.numbers: dict[str, int] = {}  # by IRI
        self.having: dict[str, dict[str, set[int]]] = {one: {} for one in FACETS}
        self.with_any: dict[str, set[int]] = {one: set() for one in FACETS}
        self.orders: dict[tuple[str, bool], list[int]] = {}

    def __len__(self) -> int:
        """How many papers there are."""
        return len(self.by_number)

    def put(self, paper: Paper) -> None:
        """Put in a paper that is not there."""
        number = next(reversed(self.by_number), 0) + 1
        self.by_number[number], self.numbers[paper.iri] = paper, number
        for facet, values in zip(FACETS, paper.values, strict=True):
            for one in values:
                self.having[facet].setdefault(one, set()).add(number)
                self.with_any[facet].add(number)

    def drop(self, iri: str) -> None:
        """Take out a paper, if it is there."""
        number = self.numbers.pop(iri, 0)
        paper = self.by_number.pop(number, None)
        for facet, values in zip(FACETS, paper.values, strict=True) if paper else ():
            self.with_any[facet].discard(number)
            for one in values:
                self.having[facet][one].remove(number)
                if not self.having[facet][one]:
                    del self.having[facet][one]

    def in_order(self, field: str, falls: bool) -> list[int]:
        """The numbers by a field, `label`, `posted` or `id`; the IRI decides between equals."""
        if (field, falls) not in self.orders:
            read, pick = SORTED_BY[field], max if falls else min
            found = sorted(self.by_number, key=lambda one: self.by_number[one].iri)
            found.sort(key=lambda one: pick(read(self.by_number[one]), default=""), reverse=falls)
            self.orders[field, falls] = found
        return self.orders[field, falls]


SORTED_BY: dict[str, Callable[[Paper], Iterable[str]]] = {
    "label": lambda one: map(str.lower, one.names),
    "posted": lambda one: one.posted,
    "id": lambda one: (one.iri,),
}


class Shelf:
    """The papers of a store, those made up as examples left out."""

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is read before it is needed."""
        known = namespaces(base)
        self.store, self.paper, self.assertion = store, known["paper"], known["assertion"]
        self.turns = Turns(at_once=1, waiting=WAITING, patience=PATIENCE)
        self.classes = tuple(node(one, known) for one in CLASSES)
        self.facets = {name: node(one, known) for name, one in FACETS.items() if one}
        self.posted, self.illustrative = node("wgig:posted", known), node("wgig:illustrative", known)
        self.told = frozenset((*NAMES, *self.facets.values(), self.posted, self.illustrative))
        self.found = Papers()
        self.touched: set[str] | None = None  # papers that a write touched; None: any
        self.following = False
        self.noting = threading.Lock()

    async def ask(
        self, look: Callable[Concatenate[Papers, Given], Answer], *args: Given.args, **named: Given.kwargs
    ) -> Answer:
        """What a function finds among the papers as they are now. Raises Problem 503 where it takes long."""
        return await self.turns.run(partial(self.look, look, *args, **named))

    def look(
        self, look: Callable[Concatenate[Papers, Given], Answer], *args: Given.args, **named: Given.kwargs
    ) -> Answer:
        """What a function finds among the papers as they are now; for one thread at a time."""
        self.catch_up()
        return look(self.found, *args, **named)

    def follow(self, change: Change | None) -> None:
        """Note which papers a write touched, while nobody else writes; None: it may be any."""
        with self.noting:
            if change is None:
                self.touched = None
            elif self.touched is not None:
                self.touched.update(self.touched_by(change))

    def touched_by(self, change: Change) -> Iterator[str]:
        """The papers of which a change may have made something else."""
        for one in chain(change.removed, change.added):
            if isinstance(one.subject, ox.NamedNode):
                if one.predicate in self.told:
                    yield one.subject.value
                elif one.predicate == RESULT:
                    yield self.paper + one.subject.value.removeprefix(self.assertion)

    def catch_up(self) -> None:
        """Read those papers again that were touched; all of them where nothing is known of that."""
        if not self.following:
            with self.store.alone():
                self.store.followers.append(self.follow)
            self.following = True
        with self.noting:
            touched, self.touched = self.touched, set()
        try:
            if touched is None:
                self.found = self.all()
            elif touched:
                self.found.orders.clear()
                for iri in touched:
                    self.renew(iri)
        except BaseException:
            with self.noting:
                self.touched = None
            raise

    def all(self) -> Papers:
        """All papers."""
        found = Papers()
        typed = (quad for one in self.classes for quad in self.store.match(None, TYPE, one))
        for iri in {quad.subject.value for quad in typed if isinstance(quad.subject, ox.NamedNode)}:
            if paper := self.read(iri):
                found.put(paper)
        return found

    def renew(self, iri: str) -> None:
        """Read what may be a paper again."""
        found = self.read(iri)
        self.found.drop(iri)
        if found:
            self.found.put(found)

    def read(self, iri: str) -> Paper | None:
        """A paper by what is said of it; None where it is made up, or none."""
        one, said = ox.NamedNode(iri), dict[ox.NamedNode, set[Any]]()
        for quad in self.store.match(one):
            if quad.predicate in self.told:
                said.setdefault(quad.predicate, set()).add(quad.object)
        types = said.get(TYPE, set()).intersection(self.classes)
        if not types or TRUE in said.get(self.illustrative, ()):
            return None
        said[TYPE] = types
        return Paper(
            iri,
            tuple(sorted({text(one) for name in NAMES for one in said.get(name, ())}, key=str.lower)),
            texts(said.get(self.posted, ())),
            tuple(
                values(name, said.get(self.facets[name], ())) if name in self.facets else self.results(iri)
                for name in FACETS
            ),
        )

    def results(self, iri: str) -> tuple[str, ...]:
        """How the paper stands by the template, where that is known."""
        if not iri.startswith(self.paper):
            return ()
        whole = ox.NamedNode(self.assertion + iri.removeprefix(self.paper))
        return texts(quad.object for quad in self.store.match(whole, RESULT))


def node(name: str, known: dict[str, str]) -> ox.NamedNode:
    """The term that is given as prefix and local name."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode(known[prefix] + local)


def values(facet: str, terms: Iterable[Any]) -> tuple[str, ...]:
    """The values of a facet among terms: words for the status, things for all others."""
    kind = ox.Literal if facet == STATUS else ox.NamedNode
    return texts(one for one in terms if isinstance(one, kind))


def texts(terms: Iterable[Any]) -> tuple[str, ...]:
    """The terms as texts, each once, in order; most of them stand in many papers."""
    return tuple(sorted({intern(text(one)) for one in terms}))


def text(term: Any) -> str:
    """The IRI or the words of a term; other terms as they are written."""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)
