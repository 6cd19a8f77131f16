"""What a search found, to be shown: on a page, as JSON, and as linked data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox
from markupsafe import Markup, escape

from ..pages.rendering import find_href
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import SCHEMA_NAMESPACE
from .database import IndexRow
from .entries import INDEXED_PROPERTIES, IndexEntry
from .ranking import SearchMatches
from .snippets import Snippet, build_snippet
from .tokenizer import SearchTerm


@dataclass(frozen=True)
class SearchHit:
    """A thing that was found: where its page is, what it is called, and a passage of its text."""

    iri: str
    path: str | None
    label: str
    language: str
    kind: str
    snippet: Snippet

    @property
    def marked_html(self) -> Markup:
        """The passage as HTML, with `mark` around what was searched for."""
        pieces = (Markup("<mark>{}</mark>").format(text) if is_hit else escape(text)
                  for text, is_hit in self.snippet.pieces)  # fmt: skip
        return Markup("").join(pieces)

    @property
    def property(self) -> str:
        """The property that has the passage; empty where there is none."""
        return INDEXED_PROPERTIES[self.snippet.passage.place] if self.snippet.passage else ""


@dataclass(frozen=True)
class SearchResults:
    """A page of results: what was asked for, all that was found, and the hits on this page.

    `page_queries` holds the query strings of other pages by what they are to this one, and `page_addresses`
    their addresses as this one was asked for.
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
        """How many things were found; where there are more than can be looked at, how many can."""
        return len(self.matches.rows)

    @property
    def corrected_text(self) -> str:
        """What was searched for in truth, as somebody would type it; empty where it is what was typed."""
        if not self.matches.replacements:
            return ""
        return " ".join(format_search_term(one) for one in self.matches.criteria.terms)


def format_search_term(term: SearchTerm) -> str:
    """A term as somebody would type it."""
    text = " ".join(term.words)
    return f'"{text}"' if len(term.words) > 1 else f"{text}{'*' if term.is_prefix else ''}"


def build_search_hit(
    row: IndexRow, entry: IndexEntry, terms: Sequence[SearchTerm], label: ox.Literal | None, base: str
) -> SearchHit:
    """A thing that was found; where it has no name in its language, it gets the `label` of another one."""
    name = row.label or (label.value if label else words_of_iri(row.iri))
    language = row.language if row.label else (label and label.language) or ""
    return SearchHit(row.iri, find_href(row.iri, base), name, language, row.kind, build_snippet(entry, terms))


def build_search_json(results: SearchResults) -> dict[str, Any]:
    """The results as JSON. A `snippet` is HTML; where `more` is true, there are more than `total`."""
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
                "id": one.iri,
                "url": one.path,
                "label": one.label,
                "language": one.language or None,
                "kind": one.kind,
                "property": one.property or None,
                "snippet": str(one.marked_html),
            }
            for one in results.hits
        ],
        **{
            name: f"/search.json?{query}"
            for name, query in results.page_queries.items()
            if name in ("prev", "next")
        },
    }


def build_search_json_ld(results: SearchResults, address: str, things: Mapping[str, Any]) -> dict[str, Any]:
    """The results as a page of search results of schema.org; `things` are the hits by their IRI."""
    items = [
        {
            "@type": "ListItem",
            "position": results.start + number,
            "item": {
                **things[one.iri],
                **({"description": one.snippet.text} if one.snippet.pieces else {}),
            },
        }
        for number, one in enumerate(results.hits, 1)
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
