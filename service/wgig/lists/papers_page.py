"""The page of the list of papers: facets with counts, and how far each paper follows the template."""

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
MAX_UNFOLDED_VALUES = 3  # a facet with more values is collapsed
ROW_FACETS = ("issue", "drafter")  # facets that each row shows

DEFAULT_PAPER_ORDER = ("label", False)  # field, and whether descending

WantedValues = Mapping[str, Sequence[str]]
PaperNumbers = set[int]


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet, and whether it is selected; `papers` have it and match all other filters."""

    value: str
    papers: int
    is_wanted: bool


@dataclass(frozen=True)
class PaperFacet:
    """A facet: its most frequent values, the number of values not listed, and of papers without a value."""

    name: str
    values: Sequence[FacetValue]
    unlisted_values: int
    papers_without_value: int

    @property
    def is_open(self) -> bool:
        """Whether the facet is shown expanded: it has few values, or some are filters."""
        return len(self.values) <= MAX_UNFOLDED_VALUES or any(value.is_wanted for value in self.values)


@dataclass(frozen=True)
class PaperSelection:
    """The papers that match: their number, those of the page, and the facets to filter by."""

    total: int
    papers: Sequence[IndexedPaper]
    facets: Sequence[PaperFacet]


@dataclass(frozen=True)
class PaperRow:
    """A paper of the page: its sections, and how many parts of the template it has of those required.

    A section is `passed`, `missing`, `faulty`, `waived` or `untested`. There are no sections where the paper
    was not tested.
    """

    paper: IndexedPaper
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def is_answered_by_index(list_request: ListRequest) -> bool:
    """Whether the index of papers can answer the request without a SPARQL query."""
    return index_sort_order(list_request) is not None and list_request.filters.keys() <= PAPER_FACETS.keys()


def index_sort_order(list_request: ListRequest) -> tuple[str, bool] | None:
    """The one field to sort by and whether descending; None where the index has no such order."""
    keys = [(field.name if field else "id", is_descending) for field, is_descending in list_request.sort]
    return keys[0] if len(keys) == 1 and keys[0][0] in PAPER_SORT_KEYS else None


def select_papers(
    papers: FacetedPapers, list_request: ListRequest, base: str, iris: Sequence[str] | None = None
) -> PaperSelection:
    """The papers of the requested page, in the requested order, with facets.

    Where the index cannot answer the request, `iris` are the papers that match its other filters, in order.
    """
    filters = {
        name: [expand_curie(term, base).value if isinstance(term, str) else term_text(term) for term in terms]
        for name, terms in list_request.filters.items()
        if name in PAPER_FACETS
    }
    if iris is None:
        order = papers.sorted_numbers(*(index_sort_order(list_request) or DEFAULT_PAPER_ORDER))
        candidates = None
    else:
        order = [papers.number_by_iri[iri] for iri in iris if iri in papers.number_by_iri]
        candidates = set(order)
    if list_request.q or list_request.year:
        candidates = {number for number in order if is_paper_match(papers.by_number[number], list_request)}
    matches = filter_paper_numbers(papers, filters, candidates)
    ordered_matches = order if matches is None else (number for number in order if number in matches)
    start = (list_request.page - 1) * list_request.size
    return PaperSelection(
        len(order) if matches is None else len(matches),
        [papers.by_number[number] for number in islice(ordered_matches, start, start + list_request.size)],
        [build_paper_facet(papers, name, candidates, filters) for name in PAPER_FACETS],
    )


def is_paper_match(paper: IndexedPaper, list_request: ListRequest) -> bool:
    """Whether a paper matches the words of `q` in a name and the `year`."""
    words = list_request.q.value.lower() if list_request.q else ""
    year = list_request.year.value if list_request.year else ""
    return any(words in name.lower() for name in paper.names or ("",)) and (
        not year or any(day.startswith(year) for day in paper.posted)
    )


def filter_paper_numbers(
    papers: FacetedPapers, filters: WantedValues, candidates: PaperNumbers | None
) -> PaperNumbers | None:
    """The candidates that have, for each filter, one of its values. None stands for all papers."""
    for name, values in filters.items():
        numbers = set[int]().union(*(papers.numbers_by_value[name].get(value, ()) for value in values))
        candidates = numbers if candidates is None else candidates & numbers
    return candidates


def build_paper_facet(
    papers: FacetedPapers, name: str, candidates: PaperNumbers | None, filters: WantedValues
) -> PaperFacet:
    """The facet of the papers that match the filters of all other facets."""
    other_filters = {facet: values for facet, values in filters.items() if facet != name}
    matches = filter_paper_numbers(papers, other_filters, candidates)
    counts = {
        value: count_papers_among(numbers, matches)
        for value, numbers in papers.numbers_by_value[name].items()
    }
    filter_values = filters.get(name, ())
    listed_values = {value for value, count in counts.items() if count}.union(filter_values)
    ranked = sorted(
        listed_values,
        key=lambda value: (value not in filter_values, -counts.get(value, 0), natural_sort_key(value)),
    )
    values = [
        FacetValue(value, counts.get(value, 0), value in filter_values) for value in ranked[:MAX_FACET_VALUES]
    ]
    total = len(papers.by_number) if matches is None else len(matches)
    return PaperFacet(
        name,
        values,
        len(ranked) - len(values),
        total - count_papers_among(papers.numbers_with_value[name], matches),
    )


def count_papers_among(papers: PaperNumbers, others: PaperNumbers | None) -> int:
    """The number of papers that are among the others; None stands for all papers."""
    return len(papers) if others is None else len(papers & others)


def build_paper_rows(store: Store, papers: Iterable[IndexedPaper], base: str) -> list[PaperRow]:
    """The rows of papers: how far each follows the template."""
    namespaces = namespaces_by_prefix(base)
    return [build_paper_row(store, paper, namespaces) for paper in papers]


def build_paper_row(store: Store, paper: IndexedPaper, namespaces: Mapping[str, str]) -> PaperRow:
    """The row of a paper, from its conformance in the graph."""
    assertion = namespaces["assertion"] + paper.iri.removeprefix(namespaces["paper"])
    if not paper.facet_values("conformance"):
        return PaperRow(paper, assertion, (), "", "")
    values = {quad.predicate.value: term_text(quad.object) for quad in store.match(ox.NamedNode(assertion))}
    section_quads = (
        store.match(ox.NamedNode(f"{assertion}/{number}"), EARL_RESULT) for number in TEMPLATE_SECTIONS
    )
    return PaperRow(
        paper,
        assertion,
        [
            next((last_iri_segment(term_text(quad.object)) for quad in quads), "untested")
            for quads in section_quads
        ],
        values.get(f"{namespaces['wgig']}partsMet", ""),
        values.get(f"{namespaces['wgig']}partsAsked", ""),
    )


def last_iri_segment(iri: str) -> str:
    """The part of an IRI after its last slash."""
    return iri.rpartition("/")[2]


def find_papers_labels(store: Store, selection: PaperSelection) -> dict[str, ox.Literal]:
    """The labels of papers and facet values on the page, by IRI."""
    facet_iris = {
        value.value for facet in selection.facets if facet.name != STATUS_FACET for value in facet.values
    }
    row_iris = {iri for paper in selection.papers for name in ROW_FACETS for iri in paper.facet_values(name)}
    return find_labels(
        store, facet_iris | row_iris | {paper.iri for paper in selection.papers}, language.label_languages()
    )


def address_without_value(list_request: ListRequest, name: str, index: int) -> str:
    """The address of the list without one value of a parameter, given by its index among the values."""
    positions = [position for position, pair in enumerate(list_request.pairs) if pair[0] == name]
    pairs = [
        pair
        for position, pair in enumerate(list_request.pairs)
        if position != positions[index] and pair[0] != "page"
    ]
    return build_service_path(list_request.definition.name, pairs)
