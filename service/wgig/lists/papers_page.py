"""The list of papers as a page: what they can be chosen by, with counts, and how each stands by section."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from ..http import language
from ..http.parameters import address
from ..rdf.namespaces import namespaces
from ..resources.labels import labels
from ..store.store import Store
from ..text import natural
from .papers_index import FACETS, RESULT, SORTED_BY, STATUS, Paper, Papers, text
from .query import Asked

SHOWN = 40  # values of a facet, the most frequent
FEW = 3  # values that need not be folded away
SECTIONS = range(9)  # of the template; 0 is the paper itself
ENDS = ("issue", "drafter")  # facets that each line shows

DEFAULT = ("label", False)  # the order of papers, where nobody asks for another

Wanted = Mapping[str, Sequence[str]]
Numbers = set[int]


@dataclass(frozen=True)
class Value:
    """A value of a facet: how many papers have it beside what else is wanted, and whether it is wanted."""

    value: str
    papers: int
    is_wanted: bool


@dataclass(frozen=True)
class Facet:
    """What papers can be chosen by: its values, how many there are beside, and how many papers have none."""

    name: str
    values: Sequence[Value]
    beside: int
    without: int

    @property
    def is_open(self) -> bool:
        """Whether its values are few, or some of them are wanted."""
        return len(self.values) <= FEW or any(one.is_wanted for one in self.values)


@dataclass(frozen=True)
class Chosen:
    """The papers that fit: how many, those of a page, and the facets by which they can be narrowed."""

    total: int
    papers: Sequence[Paper]
    facets: Sequence[Facet]


@dataclass(frozen=True)
class Line:
    """A paper of a page: how many parts of the template it has of those asked for, and its sections.

    A section is `passed`, `missing`, `faulty`, `waived` or `untested`. Without sections, it was not tested.
    """

    paper: Paper
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def is_at_hand(asked: Asked) -> bool:
    """Whether all that is asked for is known of the papers at hand."""
    return sort_of(asked) is not None and asked.wanted.keys() <= FACETS.keys()


def sort_of(asked: Asked) -> tuple[str, bool] | None:
    """The one field that papers at hand are to be sorted by, and whether it falls; None for another order."""
    keys = [(field.name if field else "id", falls) for field, falls in asked.sort]
    return keys[0] if len(keys) == 1 and keys[0][0] in SORTED_BY else None


def choose(papers: Papers, asked: Asked, base: str, iris: Sequence[str] | None = None) -> Chosen:
    """The papers that are asked for, on their page, in the order that is asked for.

    Where it asks for what is not known of papers at hand, `iris` are those that fit that, in their order.
    """
    known = namespaces(base)
    wanted = {
        name: [full(one, known) if isinstance(one, str) else text(one) for one in terms]
        for name, terms in asked.wanted.items()
        if name in FACETS
    }
    if iris is None:
        order = papers.in_order(*(sort_of(asked) or DEFAULT))
        among = None
    else:
        order = [papers.numbers[one] for one in iris if one in papers.numbers]
        among = set(order)
    if asked.q or asked.year:
        among = {one for one in order if has_words(papers.by_number[one], asked)}
    chosen = fitting(papers, wanted, among)
    fits = order if chosen is None else (one for one in order if one in chosen)
    start = (asked.page - 1) * asked.size
    return Chosen(
        len(order) if chosen is None else len(chosen),
        [papers.by_number[one] for one in islice(fits, start, start + asked.size)],
        [facet(papers, name, among, wanted) for name in FACETS],
    )


def full(name: str, known: Mapping[str, str]) -> str:
    """The IRI of a class that is given with its prefix."""
    prefix, _, local = name.partition(":")
    return known[prefix] + local


def has_words(paper: Paper, asked: Asked) -> bool:
    """Whether a paper has the words in a name, and a day of the year, as far as these are asked for."""
    words = asked.q.value.lower() if asked.q else ""
    year = asked.year.value if asked.year else ""
    return any(words in name.lower() for name in paper.names or ("",)) and (
        not year or any(day.startswith(year) for day in paper.posted)
    )


def fitting(papers: Papers, wanted: Wanted, among: Numbers | None) -> Numbers | None:
    """The papers among these that have, by each facet, one of the values wanted; None is all there are."""
    for name, values in wanted.items():
        having = set[int]().union(*(papers.having[name].get(one, ()) for one in values))
        among = having if among is None else among & having
    return among


def facet(papers: Papers, name: str, among: Numbers | None, wanted: Wanted) -> Facet:
    """A facet of the papers that are chosen by all others."""
    others = {one: values for one, values in wanted.items() if one != name}
    chosen = fitting(papers, others, among)
    counts = {one: size(those, chosen) for one, those in papers.having[name].items()}
    own = wanted.get(name, ())
    there = {one for one, count in counts.items() if count}.union(own)
    ranked = sorted(there, key=lambda one: (one not in own, -counts.get(one, 0), natural(one)))
    values = [Value(one, counts.get(one, 0), one in own) for one in ranked[:SHOWN]]
    total = len(papers.by_number) if chosen is None else len(chosen)
    return Facet(name, values, len(ranked) - len(values), total - size(papers.with_any[name], chosen))


def size(papers: Numbers, among: Numbers | None) -> int:
    """How many of the papers are among those; None is all there are."""
    return len(papers) if among is None else len(papers & among)


def lines(store: Store, papers: Iterable[Paper], base: str) -> list[Line]:
    """How each of the papers stands by the template."""
    known = namespaces(base)
    return [line(store, one, known) for one in papers]


def line(store: Store, paper: Paper, known: Mapping[str, str]) -> Line:
    """How a paper stands by the template, as the graph has it."""
    whole = known["assertion"] + paper.iri.removeprefix(known["paper"])
    if not paper.of("conformance"):
        return Line(paper, whole, (), "", "")
    said = {quad.predicate.value: text(quad.object) for quad in store.match(ox.NamedNode(whole))}
    states = (store.match(ox.NamedNode(f"{whole}/{number}"), RESULT) for number in SECTIONS)
    return Line(
        paper,
        whole,
        [next((local(text(quad.object)) for quad in one), "untested") for one in states],
        said.get(f"{known['wgig']}partsMet", ""),
        said.get(f"{known['wgig']}partsAsked", ""),
    )


def local(iri: str) -> str:
    """The end of an IRI."""
    return iri.rpartition("/")[2]


def named(store: Store, chosen: Chosen) -> dict[str, ox.Literal]:
    """What papers and values of the page are called, by their IRIs."""
    shown = {one.value for each in chosen.facets if each.name != STATUS for one in each.values}
    ends = {one for paper in chosen.papers for name in ENDS for one in paper.of(name)}
    return labels(store, shown | ends | {one.iri for one in chosen.papers}, language.ranges())


def without(asked: Asked, name: str, number: int) -> str:
    """The address of the list where one wanted value of a parameter is taken back, by its place."""
    places = [place for place, pair in enumerate(asked.pairs) if pair[0] == name]
    kept = [pair for place, pair in enumerate(asked.pairs) if place != places[number] and pair[0] != "page"]
    return address(asked.of.name, kept)
