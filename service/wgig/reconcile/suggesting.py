"""What somebody may mean who began to type: things, kinds and properties (specification, section 5)."""

from typing import Any

import pyoxigraph as ox

from ..index.asked import LONGEST, MOST, Term
from ..index.entries import Entry
from ..index.file import entries, of_kind, rows_of
from ..index.finding import Wanted, find_named
from ..index.keeping import Index
from ..index.words import fold, words
from ..labels import labels
from .candidates import description
from .names import Named, kind, kinds, properties, property_named, space

SUGGESTED = 20
SAMPLE = 200  # things of a kind whose properties are looked at


def things(prefix: str, kind_: str, start: int, index: Index) -> list[dict[str, Any]]:
    """The things with names that begin so, or have words that do."""
    typed = words(prefix[:LONGEST])[:MOST]
    if not typed:
        return []
    terms = [*(Term((one,)) for one in typed[:-1]), Term((typed[-1],), begins=True)]
    found = index.ask(find_named, Wanted(terms, kind=kind_))
    own = space(index.base)
    rows = dict.fromkeys(row.iri for row in found.rows if row.iri.startswith(own))
    shown = index.ask(rows_of, list(rows)[start : start + SUGGESTED])
    held, called = index.ask(entries, shown), labels(index.store, (row.iri for row in shown))
    return [
        {
            "id": row.iri.removeprefix(own),
            "name": called[row.iri].value if row.iri in called else row.label,
            "description": description(held.get(row.id, Entry())),
            "notable": [kind(row.kind).document()],
        }
        for row in shown
    ]


def beginning(prefix: str, among: list[Named], start: int) -> list[dict[str, str]]:
    """Those whose name or identifier holds what was typed; first those that begin so."""
    typed = fold(prefix).strip()
    fitting = [one for one in among if typed in fold(f"{one.name} {one.id}")]
    fitting.sort(key=lambda one: not fold(one.name).startswith(typed))
    return [one.document() for one in fitting[start : start + SUGGESTED]]


def types(prefix: str, start: int, there: list[str]) -> list[dict[str, str]]:
    """The kinds that may be meant."""
    return beginning(prefix, kinds(there), start)


def declared(prefix: str, start: int, index: Index) -> list[dict[str, str]]:
    """The properties that may be meant."""
    return beginning(prefix, properties(index.store, index.base), start)


def proposed(kind_: str, limit: int, index: Index) -> list[dict[str, str]]:
    """The properties that things of a kind have, those first that most have."""
    counts: dict[str, int] = {}
    for iri in index.ask(of_kind, kind_, SAMPLE):
        for property_ in {one.predicate.value for one in index.store.match(ox.NamedNode(iri))}:
            counts[property_] = counts.get(property_, 0) + 1
    often = sorted(counts, key=lambda one: (-counts[one], one))[:limit]
    return [property_named(one, index.store, index.base).document() for one in often]
