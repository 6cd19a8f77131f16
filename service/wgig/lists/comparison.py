"""What the Declaration, the Plan of Action, the report and the Tunis Agenda say about the same thing.

The thing is an issue, or a paragraph of any text. A passage is related to an issue that it bears on, and to a
paragraph that it cites or answers, that cites or answers it, or that bears on the same issue or category or
names the same principle. Passages of the same text that only share a topic are left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request

from ..i18n import gettext_noop
from ..rdf.namespaces import DCTERMS_DESCRIPTION, DCTERMS_SOURCE, expand_curie
from ..sparql.service import QueryService, select_internal_rows
from ..store.store import Store
from ..text import natural_sort_key
from .query import add_query_prefixes

COMPARED_DOCUMENTS = (
    "declaration",
    "plan-of-action",
    "report",
    "tunis-agenda",
)  # in the order of their years
MAX_COMPARED_PASSAGES = 30  # of a document
SOURCE_HOST_PATTERN = re.compile(r"https?://(?:[^/?#]*@)?(?:www\.)?(?P<host>[^/?#:@]+)", re.IGNORECASE)
TOPIC_RELATION = "topic"
FULL_TEXT = "full text"  # the value of wgig:evidence of a paragraph that was seen as a whole
# The relations of a passage to the chosen paragraph, each with its SPARQL pattern and its name. No text says
# itself to which paragraph it responds: the value of wgig:responseBasis is always "derived: …".
DIRECT_RELATIONS = {
    "cites": ("?passage cito:cites {0}", gettext_noop("Cites the chosen passage.")),
    "citedBy": ("{0} cito:cites ?passage", gettext_noop("The chosen passage cites it.")),
    "answers": (
        "?passage wgig:respondsTo {0}",
        gettext_noop("Responds to the chosen passage (our inference)."),
    ),
    "answeredBy": (
        "{0} wgig:respondsTo ?passage",
        gettext_noop("The chosen passage responds to it (our inference)."),
    ),
}


@dataclass
class ComparedPassage:
    """A passage: its IRI, its document, its position there, and its relations to what was chosen.

    `direct` has keys of DIRECT_RELATIONS, `topics` the IRIs of shared issues, categories and principles.
    """

    iri: str
    document: str
    order: int
    direct: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Passages with a direct relation come first, then those that share more topics, then by number."""
        return not self.direct, -len(self.topics), self.order, natural_sort_key(self.iri)


class TextSource(NamedTuple):
    """A source of a passage: its IRI, and its host; empty for a resource of this service."""

    iri: str
    host: str


class PassageText(NamedTuple):
    """What the graph has of the text of a passage: summary, how much was seen, sources."""

    summary: ox.Literal | None
    evidence: ox.Literal | None
    sources: Sequence[TextSource]


class SeenParagraphs(NamedTuple):
    """How many of the paragraphs that the graph has of a document were seen in full."""

    seen: int
    total: int


@dataclass(frozen=True)
class Comparison:
    """The chosen issue or paragraph, empty if none is chosen, and the passages by IRI of the document.

    `totals` has the numbers of passages, also of those beyond MAX_COMPARED_PASSAGES.
    """

    chosen: str
    passages: Mapping[str, Sequence[ComparedPassage]]
    totals: Mapping[str, int]

    @property
    def all_passages(self) -> list[ComparedPassage]:
        """The passages of all documents."""
        return [passage for passages in self.passages.values() for passage in passages]


def list_compared_documents(base: str) -> list[str]:
    """The IRIs of the documents."""
    return [expand_curie(f"doc:{name}", base).value for name in COMPARED_DOCUMENTS]


def build_documents_clause(base: str) -> str:
    """The VALUES clause of the variable `document`."""
    return f"VALUES ?document {{ {' '.join(f'<{iri}>' for iri in list_compared_documents(base))} }}"


def build_issue_counts_query(base: str) -> str:
    """The query for the numbers of passages on each issue: ?issue, ?document, ?passages."""
    return add_query_prefixes(
        "SELECT ?issue ?document (COUNT(DISTINCT ?passage) AS ?passages) WHERE { ?issue a wgig:Issue . "
        f"OPTIONAL {{ {build_documents_clause(base)} "
        "?passage wgig:bearsOn ?issue ; wgig:partOf+ ?document } FILTER (isIRI(?issue)) } "
        "GROUP BY ?issue ?document",
        base,
    )


def build_parts_query(base: str) -> str:
    """The query for all parts of the documents, in their order: ?document, ?part, and more."""
    return add_query_prefixes(
        "SELECT ?document ?part ?order (SAMPLE(?text) AS ?evidence) (SAMPLE(?type) AS ?kind) WHERE { "
        f"{build_documents_clause(base)} ?part wgig:partOf+ ?document OPTIONAL {{ ?part wgig:order ?order }} "
        "OPTIONAL { ?part wgig:evidence ?text } OPTIONAL { ?part dcterms:type ?type } "
        "FILTER (isIRI(?part)) } GROUP BY ?document ?part ?order "
        "ORDER BY ?document ?order ?part",
        base,
    )


def build_judgment_count_query(issue: str, base: str) -> str:
    """The query for the number of judgments on an issue."""
    return add_query_prefixes(
        "SELECT (COUNT(DISTINCT ?judgment) AS ?judgments) WHERE { "
        f"?judgment a wgig:Judgment ; wgig:issue {ox.NamedNode(issue)} }}",
        base,
    )


def build_related_query(chosen: str, base: str, *, is_paragraph: bool) -> str:
    """The query for related passages: ?document, ?passage, ?order, ?relation, and ?topic if it is shared."""
    node = ox.NamedNode(chosen)
    if is_paragraph:
        related = " UNION ".join(
            [
                "{ VALUES ?property { wgig:bearsOn wgig:namesPrinciple } "
                f"{node} ?property ?topic . ?passage ?property ?topic . "
                f'BIND ("{TOPIC_RELATION}" AS ?relation) }}',
                *(
                    f'{{ {pattern.format(node)} . BIND ("{name}" AS ?relation) }}'
                    for name, (pattern, _) in DIRECT_RELATIONS.items()
                ),
            ]
        )
    else:
        related = (
            f"{{ VALUES ?topic {{ {node} }} ?passage wgig:bearsOn ?topic . "
            f'BIND ("{TOPIC_RELATION}" AS ?relation) }}'
        )
    return add_query_prefixes(
        f"SELECT DISTINCT ?document ?passage ?order ?relation ?topic WHERE {{ {related} "
        f"{build_documents_clause(base)} ?passage wgig:partOf+ ?document . "
        f"OPTIONAL {{ ?passage wgig:order ?order }} FILTER (?passage != {node} && isIRI(?passage)) }}",
        base,
    )


def count_seen_paragraphs(rows: Sequence[Sequence[Any]], document: str, base: str) -> SeenParagraphs:
    """The counts of a document, from the result rows of `build_parts_query`.

    Subparagraphs, and passages without a number, do not count: they may be part of a paragraph that does.
    """
    paragraph = f"{base}id/part-kind/paragraph"
    evidence = [
        text.value
        for other, _, _, text, kind in rows
        if other.value == document and isinstance(text, ox.Literal) and kind and kind.value == paragraph
    ]
    return SeenParagraphs(evidence.count(FULL_TEXT), len(evidence))


async def compare_passages(
    request: Request, queries: QueryService, chosen: str, *, is_paragraph: bool
) -> Comparison:
    """The passages that are related to the issue or paragraph; none if nothing is chosen."""
    base = queries.settings.base
    rows = (
        await select_internal_rows(
            request, queries, build_related_query(chosen, base, is_paragraph=is_paragraph)
        )
        if chosen
        else []
    )
    passages: dict[str, ComparedPassage] = {}
    for document, passage, order, relation, topic in rows:
        is_topic = relation.value == TOPIC_RELATION
        if is_topic and chosen.startswith(f"{document.value}/"):
            continue
        position = int(order.value) if isinstance(order, ox.Literal) and order.value.isdecimal() else 0
        compared = passages.setdefault(
            passage.value, ComparedPassage(passage.value, document.value, position)
        )
        if is_topic:
            compared.topics.add(topic.value)
        else:
            compared.direct.add(relation.value)
    by_document: dict[str, list[ComparedPassage]] = {iri: [] for iri in list_compared_documents(base)}
    for compared in sorted(passages.values(), key=lambda passage: passage.sort_key):
        by_document[compared.document].append(compared)
    return Comparison(
        chosen,
        {document: found[:MAX_COMPARED_PASSAGES] for document, found in by_document.items()},
        {document: len(found) for document, found in by_document.items()},
    )


def read_passage_text(store: Store, iri: str, base: str) -> PassageText:
    """What the graph has of the text of a passage."""
    values: dict[str, list[Any]] = {}
    for quad in store.match(ox.NamedNode(iri)):
        values.setdefault(quad.predicate.value, []).append(quad.object)
    summaries, evidence, sources = (
        values.get(property_.value, [])
        for property_ in (DCTERMS_DESCRIPTION, expand_curie("wgig:evidence", base), DCTERMS_SOURCE)
    )
    return PassageText(
        next((text for text in summaries if isinstance(text, ox.Literal)), None),
        next((text for text in evidence if isinstance(text, ox.Literal)), None),
        [
            TextSource(iri, find_source_host(iri, base))
            for iri in sorted({source.value for source in sources if isinstance(source, ox.NamedNode)})
        ],
    )


def find_source_host(iri: str, base: str) -> str:
    """The host that has the page of a source, without `www`; empty for resources of this service."""
    match = SOURCE_HOST_PATTERN.match(iri)
    return match["host"] if match and not iri.startswith(base) else ""
