"""The list of papers as a page: what they can be chosen by, with counts, and how each stands by section."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from ..http import language
from ..http.parameters import build_service_path
from ..rdf.literals import term_text
from ..rdf.namespaces import EARL_RESULT, expand_curie, namespaces_by_prefix
from ..resources.labels import find_labels
from ..shacl.rules import TEMPLATE_SECTIONS
from ..store.store import Store
from ..text import natural_sort_key
from .papers_index import PAPER_FACETS, PAPER_SORT_KEYS, STATUS_FACET, FacetedPapers, IndexedPaper
from .query import ListRequest

MAX_FACET_VALUES = 40  # values of a facet, the most frequent
MAX_UNFOLDED_VALUES = 3  # values that need not be folded away
ROW_FACETS = ("issue", "drafter")  # facets that each line shows

DEFAULT_PAPER_ORDER = ("label", False)  # the order of papers, where nobody asks for another

WantedValues = Mapping[str, Sequence[str]]
PaperNumbers = set[int]


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet: how many papers have it beside what else is wanted, and whether it is wanted."""

    value: str
    papers: int
    is_wanted: bool


@dataclass(frozen=True)
class PaperFacet:
    """What papers can be chosen by: its values, how many there are beside, and how many papers have none."""

    name: str
    values: Sequence[FacetValue]
    unlisted_values: int
    papers_without_value: int

    @property
    def is_open(self) -> bool:
        """Whether its values are few, or some of them are wanted."""
        return len(self.values) <= MAX_UNFOLDED_VALUES or any(one.is_wanted for one in self.values)


@dataclass(frozen=True)
class PaperSelection:
    """The papers that fit: how many, those of a page, and the facets by which they can be narrowed."""

    total: int
    papers: Sequence[IndexedPaper]
    facets: Sequence[PaperFacet]


@dataclass(frozen=True)
class PaperRow:
    """A paper of a page: how many parts of the template it has of those asked for, and its sections.

    A section is `passed`, `missing`, `faulty`, `waived` or `untested`. Without sections, it was not tested.
    """

    paper: IndexedPaper
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def is_answered_by_index(asked: ListRequest) -> bool:
    """Whether all that is asked for is known of the papers at hand."""
    return index_sort_order(asked) is not None and asked.filters.keys() <= PAPER_FACETS.keys()


def index_sort_order(asked: ListRequest) -> tuple[str, bool] | None:
    """The one field that papers at hand are to be sorted by, and whether it falls; None for another order."""
    keys = [(field.name if field else "id", falls) for field, falls in asked.sort]
    return keys[0] if len(keys) == 1 and keys[0][0] in PAPER_SORT_KEYS else None


def select_papers(
    papers: FacetedPapers, asked: ListRequest, base: str, iris: Sequence[str] | None = None
) -> PaperSelection:
    """The papers that are asked for, on their page, in the order that is asked for.

    Where it asks for what is not known of papers at hand, `iris` are those that fit that, in their order.
    """
    wanted = {
        name: [expand_curie(one, base).value if isinstance(one, str) else term_text(one) for one in terms]
        for name, terms in asked.filters.items()
        if name in PAPER_FACETS
    }
    if iris is None:
        order = papers.sorted_numbers(*(index_sort_order(asked) or DEFAULT_PAPER_ORDER))
        among = None
    else:
        order = [papers.number_by_iri[one] for one in iris if one in papers.number_by_iri]
        among = set(order)
    if asked.q or asked.year:
        among = {one for one in order if is_paper_match(papers.by_number[one], asked)}
    chosen = filter_paper_numbers(papers, wanted, among)
    fits = order if chosen is None else (one for one in order if one in chosen)
    start = (asked.page - 1) * asked.size
    return PaperSelection(
        len(order) if chosen is None else len(chosen),
        [papers.by_number[one] for one in islice(fits, start, start + asked.size)],
        [build_paper_facet(papers, name, among, wanted) for name in PAPER_FACETS],
    )


def is_paper_match(paper: IndexedPaper, asked: ListRequest) -> bool:
    """Whether a paper has the words in a name, and a day of the year, as far as these are asked for."""
    words = asked.q.value.lower() if asked.q else ""
    year = asked.year.value if asked.year else ""
    return any(words in name.lower() for name in paper.names or ("",)) and (
        not year or any(day.startswith(year) for day in paper.posted)
    )


def filter_paper_numbers(
    papers: FacetedPapers, wanted: WantedValues, among: PaperNumbers | None
) -> PaperNumbers | None:
    """The papers among these that have, by each facet, one of the values wanted; None is all there are."""
    for name, values in wanted.items():
        having = set[int]().union(*(papers.numbers_by_value[name].get(one, ()) for one in values))
        among = having if among is None else among & having
    return among


def build_paper_facet(
    papers: FacetedPapers, name: str, among: PaperNumbers | None, wanted: WantedValues
) -> PaperFacet:
    """A facet of the papers that are chosen by all others."""
    others = {one: values for one, values in wanted.items() if one != name}
    chosen = filter_paper_numbers(papers, others, among)
    counts = {one: count_papers_among(those, chosen) for one, those in papers.numbers_by_value[name].items()}
    own = wanted.get(name, ())
    there = {one for one, count in counts.items() if count}.union(own)
    ranked = sorted(there, key=lambda one: (one not in own, -counts.get(one, 0), natural_sort_key(one)))
    values = [FacetValue(one, counts.get(one, 0), one in own) for one in ranked[:MAX_FACET_VALUES]]
    total = len(papers.by_number) if chosen is None else len(chosen)
    return PaperFacet(
        name,
        values,
        len(ranked) - len(values),
        total - count_papers_among(papers.numbers_with_value[name], chosen),
    )


def count_papers_among(papers: PaperNumbers, among: PaperNumbers | None) -> int:
    """How many of the papers are among those; None is all there are."""
    return len(papers) if among is None else len(papers & among)


def build_paper_rows(store: Store, papers: Iterable[IndexedPaper], base: str) -> list[PaperRow]:
    """How each of the papers stands by the template."""
    known = namespaces_by_prefix(base)
    return [build_paper_row(store, one, known) for one in papers]


def build_paper_row(store: Store, paper: IndexedPaper, known: Mapping[str, str]) -> PaperRow:
    """How a paper stands by the template, as the graph has it."""
    whole = known["assertion"] + paper.iri.removeprefix(known["paper"])
    if not paper.facet_values("conformance"):
        return PaperRow(paper, whole, (), "", "")
    said = {quad.predicate.value: term_text(quad.object) for quad in store.match(ox.NamedNode(whole))}
    states = (store.match(ox.NamedNode(f"{whole}/{number}"), EARL_RESULT) for number in TEMPLATE_SECTIONS)
    return PaperRow(
        paper,
        whole,
        [next((last_iri_segment(term_text(quad.object)) for quad in one), "untested") for one in states],
        said.get(f"{known['wgig']}partsMet", ""),
        said.get(f"{known['wgig']}partsAsked", ""),
    )


def last_iri_segment(iri: str) -> str:
    """The end of an IRI."""
    return iri.rpartition("/")[2]


def find_papers_labels(store: Store, chosen: PaperSelection) -> dict[str, ox.Literal]:
    """What papers and values of the page are called, by their IRIs."""
    shown = {one.value for each in chosen.facets if each.name != STATUS_FACET for one in each.values}
    ends = {one for paper in chosen.papers for name in ROW_FACETS for one in paper.facet_values(name)}
    return find_labels(store, shown | ends | {one.iri for one in chosen.papers}, language.label_languages())


def address_without_value(asked: ListRequest, name: str, number: int) -> str:
    """The address of the list where one wanted value of a parameter is taken back, by its place."""
    places = [place for place, pair in enumerate(asked.pairs) if pair[0] == name]
    kept = [pair for place, pair in enumerate(asked.pairs) if place != places[number] and pair[0] != "page"]
    return build_service_path(asked.definition.name, kept)
