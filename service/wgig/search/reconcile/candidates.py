"""Candidates of the Reconciliation API, each with a score from 0 to 100, and suggestions while one types.

The score is the similarity of the names, letter by letter. Each condition counts 40 in 100 of that beside it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox
from rapidfuzz import fuzz

from ...resources.labels import labels
from ...store.store import Store
from ..database import Row, entries, of_kind, rows_of
from ..entries import NAMES, Entry
from ..index import Index
from ..ranking import Wanted, find_named
from ..tokenizer import LONGEST, MOST, Term, fold, words
from .request import Condition, Named, Query, kind, kinds, node, properties, property_named, space

COMPARED = 50  # things whose names are compared letter by letter
SUBJECTS = 500  # things that are looked at by a condition alone
SHARE = 0.4  # of a condition, to the name
OTHER_KIND = 0.8  # what is left of a score where the kind only should be another
CERTAIN = 95  # score from which a candidate is a match, if it is the only one
DESCRIPTION = 200  # characters


class Candidate(NamedTuple):
    """A thing that may be meant: its IRI, kind, names and description, and how near it is by what."""

    iri: str
    kind: str
    name: str
    description: str
    score: float
    features: dict[str, float]


def result(query: Query, index: Index) -> dict[str, Any]:
    """The candidates of a query as the API has them, the best first."""
    found = sorted(candidates(query, index), key=lambda one: -one.score)
    certain = [one for one in found if one.score >= CERTAIN]
    return {"result": [document(one, certain == [one], index.base) for one in found[: query.limit]]}


def document(one: Candidate, match: bool, base: str) -> dict[str, Any]:
    """A candidate as JSON."""
    return {
        "id": one.iri.removeprefix(space(base)),
        "name": one.name,
        **({"description": one.description} if one.description else {}),
        "type": [kind(one.kind).document()],
        "score": round(one.score, 1),
        "match": match,
        "features": [{"id": name, "value": round(value, 1)} for name, value in one.features.items()],
    }


def candidates(query: Query, index: Index) -> list[Candidate]:
    """The things that a query may mean."""
    terms = [Term((one,)) for one in words(query.text[:LONGEST])][:MOST]
    rows = named(query, terms, index) if terms else by_condition(query, index)
    rows = rows[:COMPARED]
    held, called = index.ask(entries, rows), labels(index.store, (row.iri for row in rows))
    found: dict[str, Candidate] = {}
    for row in rows:
        entry = held.get(row.id, Entry())
        features = {"name": likeness(query.text, entry.names)} if terms else {}
        features |= {one.id: agreement(one, row.iri, index.store, index.base) for one in query.conditions}
        name = called[row.iri].value if row.iri in called else row.label
        one = Candidate(row.iri, row.kind, name, description(entry), score(features, row, query), features)
        if row.iri not in found or found[row.iri].score < one.score:
            found[row.iri] = one
    return list(found.values())


def named(query: Query, terms: Sequence[Term], index: Index) -> list[Row]:
    """The things of the kinds that are asked for whose names have the words."""
    kinds = query.kinds if query.kinds and query.strict != "should" else [""]
    if query.strict == "all" and len(set(kinds)) > 1:
        return []  # nothing is of two kinds
    rows = (row for one in kinds for row in index.ask(find_named, Wanted(terms, kind=one)).rows)
    return [row for row in rows if row.iri.startswith(space(index.base))]


def by_condition(query: Query, index: Index) -> list[Row]:
    """The things that have a value of the first condition, if any, where no name is given."""
    if not query.conditions:  # the name has no letters
        return []
    first, own = query.conditions[0], space(index.base)
    iris = dict.fromkeys(
        one.subject.value
        for term in terms_of(first, index.base)
        for one in islice(index.store.match(None, ox.NamedNode(first.iri), term), SUBJECTS)
        if isinstance(one.subject, ox.NamedNode) and one.subject.value.startswith(own)
    )
    free = not query.kinds or query.strict == "should"
    return [row for row in index.ask(rows_of, iris) if free or row.kind in query.kinds]


def terms_of(condition: Condition, base: str) -> Iterable[Any]:
    """The terms that a value of a condition may be."""
    for one in condition.things:
        if thing := node(space(base) + one):
            yield thing
    for value in condition.values:
        yield ox.Literal(value)
        if isinstance(value, str):
            yield ox.Literal(value, language="en")


def likeness(text: str, names: Iterable[str]) -> float:
    """How alike a text and the nearest of some names are, from 0 to 100; the order of words counts little."""
    asked = " ".join(words(text))
    scores = [0.0]
    for one in names:
        name = " ".join(words(one))
        scores += [fuzz.ratio(asked, name), 0.98 * fuzz.token_sort_ratio(asked, name)]
    return max(scores)


def agreement(condition: Condition, iri: str, store: Store, base: str) -> float:
    """How near the values of a property come to those of a condition, from 0 to 100."""
    terms = [
        one.object for one in islice(store.match(ox.NamedNode(iri), ox.NamedNode(condition.iri)), SUBJECTS)
    ]
    things = {one.value for one in terms if isinstance(one, ox.NamedNode)}
    if any(space(base) + one in things for one in condition.things):
        return 100
    texts = [one.value for one in terms if isinstance(one, ox.Literal)]
    texts += [one.value for one in labels(store, things).values()]
    return max((likeness(written(one), texts) for one in condition.values), default=0)


def written(value: object) -> str:
    """A value as a literal of RDF writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def score(features: dict[str, float], row: Row, query: Query) -> float:
    """The score of a thing by its features."""
    shares = {one: 1 if one == "name" else SHARE for one in features}
    whole = sum(features[one] * share for one, share in shares.items()) / sum(shares.values())
    return whole * (OTHER_KIND if query.kinds and row.kind not in query.kinds else 1)


def description(entry: Entry) -> str:
    """What is written of a thing, cut where it is long."""
    text = next((one.text for one in entry.passages if one.place >= len(NAMES) and not one.part), "")
    return text if len(text) <= DESCRIPTION else f"{text[: DESCRIPTION - 1]}…"


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
