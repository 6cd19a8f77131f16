"""What a search found, to be shown: on a page, as JSON, and as linked data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox
from markupsafe import Markup, escape

from ..pages.rendering import href, words
from .database import Row
from .entries import PROPERTIES, Entry
from .ranking import Found
from .snippets import Snippet, snippet
from .tokenizer import Term

SCHEMA = "https://schema.org/"


@dataclass(frozen=True)
class Hit:
    """A thing that was found: where its page is, what it is called, and a passage of its text."""

    iri: str
    path: str | None
    label: str
    language: str
    kind: str
    snippet: Snippet

    @property
    def marked(self) -> Markup:
        """The passage as HTML, with `mark` around what was searched for."""
        pieces = (Markup("<mark>{}</mark>").format(text) if is_hit else escape(text)
                  for text, is_hit in self.snippet.pieces)  # fmt: skip
        return Markup("").join(pieces)

    @property
    def property(self) -> str:
        """The property that has the passage; empty where there is none."""
        return PROPERTIES[self.snippet.passage.place] if self.snippet.passage else ""


@dataclass(frozen=True)
class Results:
    """A page of results: what was asked for, all that was found, and the hits on this page.

    `around` holds the query strings of other pages by what they are to this one, and `turns` their addresses
    as this one was asked for.
    """

    text: str
    language: str
    kind: str
    page: int
    found: Found
    hits: Sequence[Hit]
    start: int
    size: int
    around: dict[str, str]
    turns: dict[str, str]

    @property
    def total(self) -> int:
        """How many things were found; where there are more than can be looked at, how many can."""
        return len(self.found.rows)

    @property
    def meant(self) -> str:
        """What was searched for in truth, as somebody would type it; empty where it is what was typed."""
        if not self.found.instead:
            return ""
        return " ".join(typed(one) for one in self.found.wanted.terms)


def typed(term: Term) -> str:
    """A term as somebody would type it."""
    text = " ".join(term.words)
    return f'"{text}"' if len(term.words) > 1 else f"{text}{'*' if term.begins else ''}"


def hit(row: Row, entry: Entry, terms: Sequence[Term], label: ox.Literal | None, base: str) -> Hit:
    """A thing that was found; where it has no name in its language, it gets the `label` of another one."""
    name = row.label or (label.value if label else words(row.iri))
    language = row.language if row.label else (label and label.language) or ""
    return Hit(row.iri, href(row.iri, base), name, language, row.kind, snippet(entry, terms))


def listed(results: Results) -> dict[str, Any]:
    """The results as JSON. A `snippet` is HTML; where `more` is true, there are more than `total`."""
    return {
        "query": results.text,
        "language": results.language or None,
        "kind": results.kind or None,
        "meant": results.meant or None,
        "everyWord": results.found.wanted.every,
        "total": results.total,
        "more": results.found.more,
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
                "snippet": str(one.marked),
            }
            for one in results.hits
        ],
        **{
            name: f"/search.json?{query}"
            for name, query in results.around.items()
            if name in ("prev", "next")
        },
    }


def linked_data(results: Results, address: str, things: Mapping[str, Any]) -> dict[str, Any]:
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
        "@context": {"@vocab": SCHEMA},
        "@id": address,
        "@type": "SearchResultsPage",
        "name": results.text,
        "mainEntity": {
            "@type": "ItemList",
            "numberOfItems": results.total,
            "itemListOrder": {"@id": f"{SCHEMA}ItemListOrderDescending", "@type": "ItemListOrderType"},
            "itemListElement": items,
        },
    }
