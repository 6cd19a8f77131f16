"""The page of the list of papers: facets with counts, and the conformance of each paper to the template."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..http import language
from ..i18n import gettext_noop
from ..pages.rendering import format_date_text
from ..rdf.labels import best_text
from ..rdf.literals import term_text
from ..rdf.namespaces import expand_curie, namespaces_by_prefix
from ..resources.added_papers import find_added_papers
from ..resources.text_links import FULL_TEXT_EVIDENCE, list_object_values
from ..shacl.outcomes import list_section_outcomes
from ..store.labels import find_labels
from ..store.store import Store
from ..store.version_cache import cache_for_version
from .facets import Facet, build_tallied_facets, find_filter_key, make_key_function
from .fields import ListField
from .filters import NO_VALUE_TEXT, FilterValue, is_value_match
from .papers_index import (
    INDEXED_SORT_FIELDS,
    LITERAL_FACETS,
    PAPER_FACETS,
    POSTED_FACET,
    FacetedPapers,
    IndexedPaper,
    PaperOrder,
)
from .query import ListRequest

ROW_FACETS = ("type", "issue", "drafter")  # facets whose values each row shows
SERIES_DOCUMENTS = ("issue-papers", "assessment-papers")  # the documents whose parts are the papers of 2005
# By the pattern of wgig:dateBasis: what a row says of the day. If a paper has no day, it is in the pattern.
DATE_BASES = (
    (re.compile(r"\bset\b"), gettext_noop("around %(day)s")),
    (re.compile("announced"), gettext_noop("%(day)s (announced)")),
    (re.compile(r"existed by (?P<day>\d{4}-\d\d-\d\d)"), gettext_noop("by %(day)s")),
)
# The words for the results of checking a paper, by the end of the IRI of the result.
CONFORMANCE_WORDS = {
    "passed": gettext_noop("complete"),
    "failed": gettext_noop("not complete"),
    "cannot-tell": gettext_noop("text not seen"),
}

FacetFilters = Mapping[str, tuple[FilterValue, ...]]  # by the name of the facet
PaperNumbers = set[int]  # as in FacetedPapers


class PaperTally(NamedTuple):
    """The papers of a facet: their number by key of a value, and the keys of the values to filter by.

    The keys are those of `facets.tally_facet_keys`.
    """

    name: str
    counts: Mapping[str, int]
    selected_keys: Collection[str]


@dataclass(frozen=True)
class PaperSelection:
    """The number of matching papers, the papers on the requested page, and the papers by facet."""

    total: int
    papers: Sequence[IndexedPaper]
    tallies: Sequence[PaperTally]


@dataclass(frozen=True)
class PaperRow:
    """A paper on the page, with the result of checking it against the template.

    `title` is its title without its kind, `posted` says when it was posted, as far as it is known, and
    `is_fully_seen` is whether the whole text is in the graph.
    `assertion` is the IRI of the result. `sections` has an outcome for each section: `passed`, `missing`,
    `faulty`, `waived`, `untested` or `unseen`. `parts` is the number of parts that the template requires,
    `met` the number of those that the paper has, both as text; empty if the text of the paper was not seen. A
    paper that was not checked has no sections, and the numbers are empty. `is_of_series` is whether it is
    one of the group's papers of 2005, and not added to this service by somebody.
    """

    paper: IndexedPaper
    title: ox.Literal
    posted: str
    is_fully_seen: bool
    is_of_series: bool
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def is_answered_by_index(list_request: ListRequest) -> bool:
    """Whether the index of papers can answer the request without a SPARQL query."""
    return index_sort_order(list_request) is not None and list_request.filters.keys() <= PAPER_FACETS.keys()


def index_sort_order(list_request: ListRequest) -> PaperOrder | None:
    """The order of the papers; None if the index does not have it."""
    order = tuple(
        (field.name if field else "id", is_descending) for field, is_descending in list_request.sort
    )
    return order if all(name in INDEXED_SORT_FIELDS for name, _ in order) else None


class PaperMatches(NamedTuple):
    """The numbers of the papers in the requested order, and of those that match.

    `candidates` match all filters that are not facets, `matches` all filters; None means all papers.
    `by_facet` has the papers that match the filter by each facet.
    """

    order: Sequence[int]
    candidates: PaperNumbers | None
    by_facet: Mapping[str, PaperNumbers]
    matches: PaperNumbers | None

    @property
    def total(self) -> int:
        """The number of matching papers."""
        return len(self.order) if self.matches is None else len(self.matches)

    def list_page(self, papers: FacetedPapers, list_request: ListRequest) -> list[IndexedPaper]:
        """The papers of the requested page."""
        matches, start = self.matches, (list_request.page - 1) * list_request.size
        ordered = self.order if matches is None else (number for number in self.order if number in matches)
        return [papers.by_number[number] for number in islice(ordered, start, start + list_request.size)]


def find_paper_matches(
    papers: FacetedPapers, list_request: ListRequest, base: str, iris: Sequence[str] | None = None
) -> PaperMatches:
    """The papers that match the filters of a request, in the requested order.

    If the index alone cannot answer the request, `iris` are the papers that match all filters that are not
    facets; in the requested order, if the index does not have that order.
    """
    sort_order, candidates = index_sort_order(list_request), None
    if iris is not None:
        numbers = [papers.number_by_iri[iri] for iri in iris if iri in papers.number_by_iri]
        candidates = set(numbers)
    order = papers.sorted_numbers(sort_order) if sort_order is not None else numbers
    if list_request.year:
        days = papers.numbers_by_value[POSTED_FACET]
        year = list_request.year.value
        of_year = set[int]().union(*(numbers for day, numbers in days.items() if day.startswith(year)))
        candidates = intersect_paper_numbers(candidates, [of_year])
    if list_request.q:
        text, by_number = list_request.q.value.lower(), papers.by_number
        candidates = {
            number
            for number in (by_number if candidates is None else candidates)
            if is_named_with(by_number[number], text)
        }
    if candidates is not None and len(candidates) == len(papers):
        candidates = None
    by_facet = {
        name: find_paper_numbers(papers, list_request.definition.by_name[name], values, base)
        for name, values in list_request.filters.items()
        if name in PAPER_FACETS
    }
    return PaperMatches(order, candidates, by_facet, intersect_paper_numbers(candidates, by_facet.values()))


def list_paper_iris(papers: FacetedPapers, list_request: ListRequest, base: str) -> tuple[int, list[str]]:
    """The number of matching papers, and the IRIs of the papers of the requested page, in their order."""
    matches = find_paper_matches(papers, list_request, base)
    return matches.total, [paper.iri for paper in matches.list_page(papers, list_request)]


def select_papers(
    papers: FacetedPapers, list_request: ListRequest, base: str, iris: Sequence[str] | None = None
) -> PaperSelection:
    """The papers of the requested page with facets. `iris` are those of `find_paper_matches`."""
    found = find_paper_matches(papers, list_request, base, iris)
    return PaperSelection(
        found.total,
        found.list_page(papers, list_request),
        [
            tally_paper_facet(
                papers,
                list_request.definition.by_name[name],
                list_request.filters.get(name, ()),
                intersect_paper_numbers(
                    found.candidates,
                    [numbers for facet, numbers in found.by_facet.items() if facet != name],
                ),
                base,
            )
            for name in PAPER_FACETS
        ],
    )


def is_named_with(paper: IndexedPaper, text: str) -> bool:
    """Whether a name of the paper contains a text in lower case."""
    return any(text in name.lower() for name in paper.sort_names) or any(
        text in name.lower() for name in paper.other_names
    )


def find_paper_numbers(
    papers: FacetedPapers, field: ListField, values: Sequence[FilterValue], base: str
) -> PaperNumbers:
    """The papers that match a filter by a facet."""
    numbers = set[int]()
    numbers_by_value = papers.numbers_by_value[field.name]
    for value in values:
        if value.is_missing:
            numbers |= papers.by_number.keys() - papers.numbers_with_value[field.name]
        elif field.type == "date":
            for day, day_numbers in numbers_by_value.items():
                if is_value_match(field, value, ox.Literal(day), base):
                    numbers |= day_numbers
        else:
            numbers |= numbers_by_value.get(find_filter_key(field, value, base), set())
    return numbers


def intersect_paper_numbers(
    candidates: PaperNumbers | None, number_sets: Iterable[PaperNumbers]
) -> PaperNumbers | None:
    """The candidates that are in all sets; None means all papers."""
    for numbers in number_sets:
        candidates = numbers if candidates is None else candidates & numbers
    return candidates


def tally_paper_facet(
    papers: FacetedPapers,
    field: ListField,
    values: Sequence[FilterValue],
    matches: PaperNumbers | None,
    base: str,
) -> PaperTally:
    """The papers of a facet, among those that match the filters of all other facets."""
    numbers_by_key = dict[str, PaperNumbers]()
    numbers_by_value = papers.numbers_by_value[field.name]
    make_key = make_key_function(field, [ox.Literal(value) for value in numbers_by_value])
    for value, numbers in numbers_by_value.items():
        key = make_key(value)
        numbers_by_key[key] = numbers_by_key[key] | numbers if key in numbers_by_key else numbers
    counts = {key: count_papers_among(numbers, matches) for key, numbers in numbers_by_key.items()}
    total = len(papers.by_number) if matches is None else len(matches)
    counts[NO_VALUE_TEXT] = total - count_papers_among(papers.numbers_with_value[field.name], matches)
    for filter_value in values:
        key = find_filter_key(field, filter_value, base)
        if key not in counts:
            numbers = find_paper_numbers(papers, field, [filter_value], base)
            counts[key] = count_papers_among(numbers, matches)
    selected_keys = {find_filter_key(field, value, base) for value in values}
    relevant_counts = {key: count for key, count in counts.items() if count or key in selected_keys}
    return PaperTally(field.name, relevant_counts, selected_keys)


def count_papers_among(papers: PaperNumbers, matches: PaperNumbers | None) -> int:
    """The number of papers that are among the matches; if matches is None, all papers match."""
    return len(papers) if matches is None else len(papers & matches)


def build_paper_rows(store: Store, papers: Iterable[IndexedPaper], base: str) -> list[PaperRow]:
    """The rows of papers, with the conformance of each to the template."""
    namespaces, papers = namespaces_by_prefix(base), list(papers)
    added_iris = find_added_papers(store, (paper.iri for paper in papers), base)
    return [build_paper_row(store, paper, namespaces, added_iris) for paper in papers]


def build_paper_row(
    store: Store, paper: IndexedPaper, namespaces: Mapping[str, str], added_iris: Set[str]
) -> PaperRow:
    """The row of a paper, with its conformance as recorded in the store."""
    assertion = namespaces["assertion"] + paper.iri.removeprefix(namespaces["paper"])
    is_checked = bool(paper.facet_values("conformance"))
    pairs = [(quad.predicate, quad.object) for quad in store.match(ox.NamedNode(assertion)) if is_checked]
    values = {property_.value: term_text(value) for property_, value in pairs}

    def list_texts(property_: str) -> list[Any]:
        return list_object_values(store, paper.iri, ox.NamedNode(property_))

    title = best_text(list_texts(f"{namespaces['dcterms']}title"), language.label_languages())
    return PaperRow(
        paper,
        title,
        describe_day(paper.posted, best_text(list_texts(f"{namespaces['wgig']}dateBasis")).value),
        all(term_text(term) == FULL_TEXT_EVIDENCE for term in list_texts(f"{namespaces['wgig']}evidence")),
        paper.iri not in added_iris,
        assertion,
        list_section_outcomes(pairs) if is_checked else (),
        values.get(f"{namespaces['wgig']}partsMet", ""),
        values.get(f"{namespaces['wgig']}partsAsked", ""),
    )


def describe_day(days: Sequence[str], basis: str) -> str:
    """When a paper was posted, in words; `basis` tells how this is known. Empty if it is not known."""
    for pattern, message in DATE_BASES:
        if found := pattern.search(basis):
            days = days or [*found.groupdict().values()]
            return language.gettext(message) % {"day": format_days(days)} if days else ""
    return format_days(days)


def format_days(days: Sequence[str]) -> str:
    """Days in words."""
    return language.list_separator().join(map(format_date_text, days))


@cache_for_version(4)
def count_series(store: Store, base: str) -> tuple[int, int]:
    """The number of papers of 2005, and the number of those whose full text we have not seen.

    They are cached until the store changes.
    """
    part_of, evidence = (expand_curie(name, base) for name in ("wgig:partOf", "wgig:evidence"))
    papers = {
        quad.subject
        for name in SERIES_DOCUMENTS
        for quad in store.match(None, part_of, expand_curie(f"doc:{name}", base))
        if isinstance(quad.subject, ox.NamedNode)
    }
    unseen = sum(
        any(term_text(quad.object) != FULL_TEXT_EVIDENCE for quad in store.match(paper, evidence))
        for paper in papers
    )
    return len(papers), unseen


def build_paper_facets(
    list_request: ListRequest, selection: PaperSelection, labels: Mapping[str, ox.Literal], base: str
) -> list[Facet]:
    """The facets of the page; `labels` are those of `find_papers_labels`."""
    fields = list_request.definition.by_name
    facets = build_tallied_facets(
        [(fields[tally.name], tally.counts, tally.selected_keys) for tally in selection.tallies], labels, base
    )
    return [facet for facet in facets if facet.name != "conformance" or has_outcomes(facet)]


def has_outcomes(facet: Facet) -> bool:
    """Whether papers have different results of checking them, or the list is filtered by one."""
    results = [value for value in facet.values if value.text != NO_VALUE_TEXT]
    return len(results) > 1 or any(value.is_selected for value in facet.values)


def find_papers_labels(store: Store, selection: PaperSelection, base: str) -> dict[str, ox.Literal]:
    """The labels of papers and facet values on the page, by IRI."""
    facet_iris = {
        key for tally in selection.tallies if tally.name not in LITERAL_FACETS for key in tally.counts
    } - {NO_VALUE_TEXT}
    row_iris = {iri for paper in selection.papers for name in ROW_FACETS for iri in paper.facet_values(name)}
    labels = find_labels(
        store, facet_iris | row_iris | {paper.iri for paper in selection.papers}, language.label_languages()
    )
    results = namespaces_by_prefix(base)["test-result"]
    return labels | {
        results + name: ox.Literal(language.gettext(word), language=language.current_language())
        for name, word in CONFORMANCE_WORDS.items()
    }
