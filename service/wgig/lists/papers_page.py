"""The page of the list of papers: facets with counts, and the conformance of each paper to the template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from ..http import language
from ..http.parameters import build_service_path
from ..rdf.literals import term_text
from ..rdf.namespaces import expand_curie, namespaces_by_prefix
from ..shacl.outcomes import list_section_outcomes
from ..store.labels import find_labels
from ..store.store import Store
from ..text import natural_sort_key
from .papers_index import PAPER_FACETS, PAPER_SORT_KEYS, STATUS_FACET, FacetedPapers, IndexedPaper
from .query import ListRequest

MAX_FACET_VALUES = 40  # values listed of a facet, the most frequent ones
MAX_EXPANDED_FACET_VALUES = 3  # a facet with more values is collapsed, unless one is selected
ROW_FACETS = ("issue", "drafter")  # facets whose values each row shows

DEFAULT_PAPER_ORDER = ("label", False)  # field, and whether descending

FilterValues = Mapping[str, Sequence[str]]  # by the name of the facet
PaperNumbers = set[int]  # as in FacetedPapers


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet, whether it is selected, and how many papers have it and match all other filters."""

    value: str
    papers: int
    is_selected: bool


@dataclass(frozen=True)
class PaperFacet:
    """A facet: its most frequent values, and the numbers of other values and of papers without a value."""

    name: str
    values: Sequence[FacetValue]
    unlisted_values: int
    papers_without_value: int

    @property
    def is_open(self) -> bool:
        """Whether the facet is expanded: it has few values, or some are selected."""
        return len(self.values) <= MAX_EXPANDED_FACET_VALUES or any(
            value.is_selected for value in self.values
        )


@dataclass(frozen=True)
class PaperSelection:
    """The number of matching papers, the papers on the requested page, and the facets to filter by."""

    total: int
    papers: Sequence[IndexedPaper]
    facets: Sequence[PaperFacet]


@dataclass(frozen=True)
class PaperRow:
    """A paper on the page, with the result of checking it against the template.

    `assertion` is the IRI of the result. `sections` has an outcome for each section: `passed`, `missing`,
    `faulty`, `waived`, `untested` or `unseen`. `parts` is the number of parts that the template requires,
    `met` the number of those that the paper has, both as text; empty if the text of the paper was not seen. A
    paper that was not checked has no sections, and the numbers are empty. `is_of_series` is whether it is
    one of the group's papers of 2005, and not added to this service by somebody.
    """

    paper: IndexedPaper
    is_of_series: bool
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def is_answered_by_index(list_request: ListRequest) -> bool:
    """Whether the index of papers can answer the request without a SPARQL query."""
    return index_sort_order(list_request) is not None and list_request.filters.keys() <= PAPER_FACETS.keys()


def index_sort_order(list_request: ListRequest) -> tuple[str, bool] | None:
    """The field to sort by and whether descending; None if the index does not have this order."""
    keys = [(field.name if field else "id", is_descending) for field, is_descending in list_request.sort]
    return keys[0] if len(keys) == 1 and keys[0][0] in PAPER_SORT_KEYS else None


def select_papers(
    papers: FacetedPapers, list_request: ListRequest, base: str, iris: Sequence[str] | None = None
) -> PaperSelection:
    """The papers of the requested page, in the requested order, with facets.

    If the index alone cannot answer the request, `iris` are the papers that match all filters that are not
    facets, in the requested order.
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
    """Whether a name of the paper contains the value of `q`, and it was posted in `year`."""
    name_part = list_request.q.value.lower() if list_request.q else ""
    year = list_request.year.value if list_request.year else ""
    return any(name_part in name.lower() for name in paper.names or ("",)) and (
        not year or any(day.startswith(year) for day in paper.posted)
    )


def filter_paper_numbers(
    papers: FacetedPapers, filters: FilterValues, candidates: PaperNumbers | None
) -> PaperNumbers | None:
    """The candidates that have one of the values of each filter; None means all papers."""
    for name, values in filters.items():
        numbers = set[int]().union(*(papers.numbers_by_value[name].get(value, ()) for value in values))
        candidates = numbers if candidates is None else candidates & numbers
    return candidates


def build_paper_facet(
    papers: FacetedPapers, name: str, candidates: PaperNumbers | None, filters: FilterValues
) -> PaperFacet:
    """The facet, counted over the papers that match the filters of all other facets."""
    other_filters = {facet: values for facet, values in filters.items() if facet != name}
    matches = filter_paper_numbers(papers, other_filters, candidates)
    counts = {
        value: count_papers_among(numbers, matches)
        for value, numbers in papers.numbers_by_value[name].items()
    }
    filter_values = filters.get(name, ())
    relevant_values = {value for value, count in counts.items() if count}.union(filter_values)
    ranked = sorted(
        relevant_values,
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


def count_papers_among(papers: PaperNumbers, matches: PaperNumbers | None) -> int:
    """The number of papers that are among the matches; if matches is None, all papers match."""
    return len(papers) if matches is None else len(papers & matches)


def build_paper_rows(store: Store, papers: Iterable[IndexedPaper], base: str) -> list[PaperRow]:
    """The rows of papers, with the conformance of each to the template."""
    namespaces = namespaces_by_prefix(base)
    return [build_paper_row(store, paper, namespaces) for paper in papers]


def build_paper_row(store: Store, paper: IndexedPaper, namespaces: Mapping[str, str]) -> PaperRow:
    """The row of a paper, with its conformance as recorded in the store."""
    assertion = namespaces["assertion"] + paper.iri.removeprefix(namespaces["paper"])
    part_quads = store.match(ox.NamedNode(paper.iri), ox.NamedNode(f"{namespaces['wgig']}partOf"))
    is_of_series = any(True for _ in part_quads)
    if not paper.facet_values("conformance"):
        return PaperRow(paper, is_of_series, assertion, (), "", "")
    pairs = [(quad.predicate, quad.object) for quad in store.match(ox.NamedNode(assertion))]
    values = {property_.value: term_text(value) for property_, value in pairs}
    return PaperRow(
        paper,
        is_of_series,
        assertion,
        list_section_outcomes(pairs),
        values.get(f"{namespaces['wgig']}partsMet", ""),
        values.get(f"{namespaces['wgig']}partsAsked", ""),
    )


def find_papers_labels(store: Store, selection: PaperSelection) -> dict[str, ox.Literal]:
    """The labels of papers and facet values on the page, by IRI."""
    facet_iris = {
        value.value for facet in selection.facets if facet.name != STATUS_FACET for value in facet.values
    }
    row_iris = {iri for paper in selection.papers for name in ROW_FACETS for iri in paper.facet_values(name)}
    return find_labels(
        store, facet_iris | row_iris | {paper.iri for paper in selection.papers}, language.label_languages()
    )


def path_without_value(list_request: ListRequest, name: str, index: int) -> str:
    """The path of the list without a filter: the value with this index of the parameter `name`."""
    positions = [position for position, pair in enumerate(list_request.pairs) if pair[0] == name]
    pairs = [
        pair
        for position, pair in enumerate(list_request.pairs)
        if position != positions[index] and pair[0] != "page"
    ]
    return build_service_path(list_request.definition.name, pairs)
