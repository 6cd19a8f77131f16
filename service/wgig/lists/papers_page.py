"""The page of the list of papers: facets with counts, and the conformance of each paper to the template."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.literals import term_text
from wgig_client.namespaces import namespaces_by_prefix

from ..http import language
from ..i18n import gettext_noop
from ..pages.rendering import format_date_text
from ..rdf.labels import best_text
from ..rdf.namespaces import expand_curie
from ..resources.added_papers import find_added_papers
from ..resources.property_path import PathStep, follow_step
from ..resources.text_links import FULL_TEXT_EVIDENCE, list_object_values
from ..shacl.outcomes import list_section_outcomes
from ..store.labels import find_labels
from ..store.node_cache import cache_for_node
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..store.view import is_writable_iri
from .facets import Facet, build_tallied_facets, list_facet_iris
from .filters import NO_VALUE_TEXT
from .list_selection import IndexedItem, ListSelection
from .query import ListRequest

ROW_FIELDS = ("type", "issue", "drafter")  # fields whose values are resources that each row shows
PAPER_ROW_FIELDS = (*ROW_FIELDS, "posted", "conformance")  # whose values each row needs
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


class CheckResult(NamedTuple):
    """The last three fields of a PaperRow."""

    sections: Sequence[str]
    met: str
    parts: str


NOT_CHECKED = CheckResult((), "", "")


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

    paper: IndexedItem
    title: ox.Literal
    posted: str
    is_fully_seen: bool
    is_of_series: bool
    assertion: str
    sections: Sequence[str]
    met: str
    parts: str


def build_paper_rows(store: Store, papers: Iterable[IndexedItem], base: str) -> list[PaperRow]:
    """The rows of papers, with the conformance of each to the template."""
    namespaces, papers = namespaces_by_prefix(base), list(papers)
    added_iris = find_added_papers(store, (paper.iri for paper in papers), base)
    return [build_paper_row(store, paper, namespaces, added_iris) for paper in papers]


def build_paper_row(
    store: Store, paper: IndexedItem, namespaces: Mapping[str, str], added_iris: Set[str]
) -> PaperRow:
    """The row of a paper, with its conformance as recorded in the store."""
    assertion = namespaces["assertion"] + paper.iri.removeprefix(namespaces["paper"])
    is_checked = bool(paper.facet_values("conformance"))
    result = read_check_result(store, assertion, namespaces["wgig"]) if is_checked else NOT_CHECKED

    def list_texts(property_: str) -> list[Any]:
        return list_object_values(store, paper.iri, ox.NamedNode(property_))

    title = best_text(list_texts(f"{namespaces['dcterms']}title"), language.label_languages())
    return PaperRow(
        paper,
        title,
        describe_day(
            paper.facet_values("posted"), best_text(list_texts(f"{namespaces['wgig']}dateBasis")).value
        ),
        all(term_text(term) == FULL_TEXT_EVIDENCE for term in list_texts(f"{namespaces['wgig']}evidence")),
        paper.iri not in added_iris,
        assertion,
        *result,
    )


@cache_for_node
def read_check_result(store: Store, assertion: str, ontology: str) -> CheckResult:
    """The result of checking a paper; cached until a write touches its assertion."""
    pairs = [(quad.predicate, quad.object) for quad in store.match(ox.NamedNode(assertion))]
    values = {property_.value: term_text(value) for property_, value in pairs}
    return CheckResult(
        list_section_outcomes(pairs),
        values.get(f"{ontology}partsMet", ""),
        values.get(f"{ontology}partsAsked", ""),
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
        paper.value
        for name in SERIES_DOCUMENTS
        for paper in follow_step(store, expand_curie(f"doc:{name}", base), PathStep(part_of, is_inverse=True))
        if isinstance(paper, ox.NamedNode)
    }
    unseen = sum(
        any(term_text(value) != FULL_TEXT_EVIDENCE for value in list_object_values(store, paper, evidence))
        for paper in papers
    )
    return len(papers), unseen


def build_paper_facets(
    list_request: ListRequest, selection: ListSelection, labels: Mapping[str, ox.Literal], base: str
) -> list[Facet]:
    """The facets of the page; `labels` are those of `find_papers_labels`."""
    facets = build_tallied_facets(list_request, selection.tallies, labels, base)
    return [facet for facet in facets if facet.name != "conformance" or has_outcomes(facet)]


def has_outcomes(facet: Facet) -> bool:
    """Whether papers have different results of checking them, or the list is filtered by one."""
    results = [value for value in facet.values if value.text != NO_VALUE_TEXT]
    return len(results) > 1 or any(value.is_selected for value in facet.values)


def find_papers_labels(
    store: Store, list_request: ListRequest, selection: ListSelection, base: str
) -> dict[str, ox.Literal]:
    """The labels of papers and facet values on the page, by IRI."""
    row_iris = {iri for paper in selection.items for name in ROW_FIELDS for iri in paper.facet_values(name)}
    labels = find_labels(
        store,
        list_facet_iris(list_request, selection.tallies)
        | set(filter(is_writable_iri, row_iris))
        | {paper.iri for paper in selection.items},
        language.label_languages(),
    )
    results = namespaces_by_prefix(base)["test-result"]
    return labels | {
        results + name: ox.Literal(language.gettext(word), language=language.current_language())
        for name, word in CONFORMANCE_WORDS.items()
    }
