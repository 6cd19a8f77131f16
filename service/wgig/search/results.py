"""Search results for display on a page, as JSON, and as JSON-LD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox
from markupsafe import Markup, escape

from ..i18n import gettext_noop
from ..pages.rendering import find_href
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import SCHEMA_NAMESPACE, expand_curie
from .database import IndexRow
from .entries import INDEXED_PROPERTIES, MACHINE_KINDS, IndexEntry
from .ranking import SearchMatches
from .snippets import Snippet, build_snippet, mark_matches
from .terms import SearchTerm

# What a passage is, by kind of the resource (empty: any) and property.
OUR_SUMMARY = gettext_noop("Our summary")
SNIPPET_TITLES = {
    (kind, expand_curie(name).value): title
    for kind, name, title in (
        *((kind, "skos:definition", OUR_SUMMARY) for kind in ("issue", "principle", "category", "concept")),
        *((kind, "dcterms:description", OUR_SUMMARY) for kind in ("agreement", "document", "paragraph")),
        ("paragraph", "dcterms:title", gettext_noop("Heading")),
        ("document", "dcterms:title", gettext_noop("Title")),
        ("paragraph", "wgig:labelAsListed", gettext_noop("As listed")),
        ("paragraph", "wgig:topic", gettext_noop("Our classification")),
        ("paragraph", "wgig:relevance", gettext_noop("Our classification")),
        ("agreement", "wgig:topic", gettext_noop("Our classification")),
        ("claim", "rdf:value", gettext_noop("Claim")),
        ("judgment", "wgig:judgedAsNamed", gettext_noop("Judged")),
        ("membership", "wgig:postTitle", gettext_noop("Post")),
        ("session", "wgig:venue", gettext_noop("Venue")),
        ("session", "wgig:sessionTitle", gettext_noop("Session")),
        ("", "wgig:mechanismRole", gettext_noop("Role")),
        ("", "wgig:quotation", gettext_noop("Quotation")),
        ("", "skos:altLabel", gettext_noop("Also called")),
    )
}


@dataclass(frozen=True)
class SearchHit:
    """A matching resource, with the path of its page (None without a page), label and snippet.

    `label_chunks` are the chunks of the label, each with whether it is a match.
    """

    iri: str
    path: str | None
    label: str
    language: str
    kind: str
    snippet: Snippet
    label_chunks: Sequence[tuple[str, bool]]

    @property
    def marked_html(self) -> Markup:
        """The snippet as HTML, with matches in `mark` elements."""
        return render_marked_chunks(self.snippet.chunks)

    @property
    def marked_label(self) -> Markup:
        """The label as HTML, with matches in `mark` elements."""
        return render_marked_chunks(self.label_chunks)

    @property
    def is_for_machines(self) -> bool:
        """Whether it is a record for programs."""
        return self.kind in MACHINE_KINDS

    @property
    def snippet_title(self) -> str:
        """What the passage is, such as our summary; empty if that is not known."""
        if not self.snippet.passage or self.snippet.passage.part or self.is_for_machines:
            return ""
        return SNIPPET_TITLES.get((self.kind, self.property)) or SNIPPET_TITLES.get(("", self.property), "")

    @property
    def property(self) -> str:
        """The IRI of the property of the passage; empty without a passage."""
        return INDEXED_PROPERTIES[self.snippet.passage.property_position] if self.snippet.passage else ""


def render_marked_chunks(chunks: Sequence[tuple[str, bool]]) -> Markup:
    """Chunks of a text as HTML, with matches in `mark` elements."""
    return Markup("").join(
        Markup("<mark>{}</mark>").format(text) if is_match else escape(text) for text, is_match in chunks
    )


@dataclass(frozen=True)
class SearchResults:
    """A page of results: the parameters of the request, all matches, and the hits on this page.

    `page_queries` are the query strings of related pages by link relation, such as `next`. `page_addresses`
    are their URLs in the requested format. `start` is the position of the first hit, from 0; `size` is the
    number of hits per page.
    """

    text: str
    language: str
    kind: str
    page: int
    matches: SearchMatches
    hits: Sequence[SearchHit]
    start: int
    size: int
    page_queries: dict[str, str]
    page_addresses: dict[str, str]

    @property
    def total(self) -> int:
        """The number of matches, at most the limit of the search."""
        return len(self.matches.rows)

    @property
    def corrected_text(self) -> str:
        """The corrected search in the syntax of the parameter q; empty if nothing was corrected."""
        if not self.matches.replacements:
            return ""
        return " ".join(format_search_term(term) for term in self.matches.criteria.terms)


def format_search_term(term: SearchTerm) -> str:
    """A term in the syntax of the parameter q."""
    text = " ".join(term.words)
    return f'"{text}"' if len(term.words) > 1 else f"{text}{'*' if term.is_prefix else ''}"


def build_search_hit(
    row: IndexRow, entry: IndexEntry, terms: Sequence[SearchTerm], label: ox.Literal | None, base: str
) -> SearchHit:
    """The hit for a row. `label` is used if the resource has no label in the language of the row."""
    name = row.label or (label.value if label else words_of_iri(row.iri))
    language = row.language if row.label else (label and label.language) or ""
    return SearchHit(
        row.iri,
        find_href(row.iri, base),
        name,
        language,
        row.kind,
        build_snippet(entry, terms, row.language, name),
        mark_matches(name, terms, language),
    )


def build_search_json(results: SearchResults) -> dict[str, Any]:
    """The results as JSON. A `snippet` is HTML, `meant` the corrected search.

    If `more` is true, there are more matches than `total`.
    """
    return {
        "query": results.text,
        "language": results.language or None,
        "kind": results.kind or None,
        "meant": results.corrected_text or None,
        "everyWord": results.matches.criteria.match_all,
        "total": results.total,
        "more": results.matches.has_more,
        "page": results.page,
        "itemsPerPage": results.size,
        "items": [
            {
                "id": hit.iri,
                "url": hit.path,
                "label": hit.label,
                "language": hit.language or None,
                "kind": hit.kind,
                "property": hit.property or None,
                "snippet": str(hit.marked_html),
            }
            for hit in results.hits
        ],
        **{
            name: f"/search.json?{query}"
            for name, query in results.page_queries.items()
            if name in ("prev", "next")
        },
    }


def build_search_json_ld(
    results: SearchResults, address: str, markup_by_iri: Mapping[str, Any]
) -> dict[str, Any]:
    """The results as a schema.org SearchResultsPage, from the JSON-LD of the hits."""
    items = [
        {
            "@type": "ListItem",
            "position": results.start + number,
            "item": {
                **markup_by_iri[hit.iri],
                **({"description": hit.snippet.text} if hit.snippet.chunks else {}),
            },
        }
        for number, hit in enumerate(results.hits, 1)
    ]
    return {
        "@context": {"@vocab": SCHEMA_NAMESPACE},
        "@id": address,
        "@type": "SearchResultsPage",
        "name": results.text,
        "mainEntity": {
            "@type": "ItemList",
            "numberOfItems": results.total,
            "itemListOrder": {
                "@id": f"{SCHEMA_NAMESPACE}ItemListOrderDescending",
                "@type": "ItemListOrderType",
            },
            "itemListElement": items,
        },
    }
