"""Candidates of the Reconciliation API, each with a score from 0 to 100, and suggestions while one types.

The score is the similarity of the names, letter by letter. Each condition counts 40 in 100 of that beside it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox
from rapidfuzz import fuzz

from ...resources.labels import find_labels
from ...store.store import Store
from ..database import IndexRow, find_rows_by_iri, list_iris_of_kind, read_index_entries
from ..entries import NAME_PROPERTIES, IndexEntry
from ..index import FullTextIndex
from ..ranking import SearchCriteria, find_name_matches
from ..tokenizer import MAX_SEARCH_CHARACTERS, MAX_SEARCH_TERMS, SearchTerm, fold_text, tokenize_text
from .request import (
    NamedIdentifier,
    QueryCondition,
    ReconciliationQuery,
    build_kind_type,
    build_kind_types,
    build_named_property,
    identifier_space,
    list_declared_properties,
    parse_iri_node,
)

MAX_CANDIDATE_ROWS = 50  # things whose names are compared letter by letter
MAX_CONDITION_SUBJECTS = 500  # things that are looked at by a condition alone
CONDITION_SCORE_WEIGHT = 0.4  # of a condition, to the name
OTHER_KIND_SCORE_FACTOR = 0.8  # what is left of a score where the kind only should be another
MIN_MATCH_SCORE = 95  # score from which a candidate is a match, if it is the only one
MAX_DESCRIPTION_CHARACTERS = 200  # characters


class ReconciliationCandidate(NamedTuple):
    """A thing that may be meant: its IRI, kind, names and description, and how near it is by what."""

    iri: str
    kind: str
    name: str
    description: str
    score: float
    features: dict[str, float]


def build_reconciliation_result(query: ReconciliationQuery, index: FullTextIndex) -> dict[str, Any]:
    """The candidates of a query as the API has them, the best first."""
    found = sorted(find_candidates(query, index), key=lambda one: -one.score)
    certain = [one for one in found if one.score >= MIN_MATCH_SCORE]
    return {
        "result": [build_candidate_json(one, certain == [one], index.base) for one in found[: query.limit]]
    }


def build_candidate_json(one: ReconciliationCandidate, match: bool, base: str) -> dict[str, Any]:
    """A candidate as JSON."""
    return {
        "id": one.iri.removeprefix(identifier_space(base)),
        "name": one.name,
        **({"description": one.description} if one.description else {}),
        "type": [build_kind_type(one.kind).to_json()],
        "score": round(one.score, 1),
        "match": match,
        "features": [{"id": name, "value": round(value, 1)} for name, value in one.features.items()],
    }


def find_candidates(query: ReconciliationQuery, index: FullTextIndex) -> list[ReconciliationCandidate]:
    """The things that a query may mean."""
    terms = [SearchTerm((one,)) for one in tokenize_text(query.text[:MAX_SEARCH_CHARACTERS])][
        :MAX_SEARCH_TERMS
    ]
    rows = find_candidate_rows(query, terms, index) if terms else find_rows_by_condition(query, index)
    rows = rows[:MAX_CANDIDATE_ROWS]
    held, called = index.query(read_index_entries, rows), find_labels(index.store, (row.iri for row in rows))
    found: dict[str, ReconciliationCandidate] = {}
    for row in rows:
        entry = held.get(row.id, IndexEntry())
        features = {"name": name_similarity(query.text, entry.names)} if terms else {}
        features |= {
            one.id: condition_similarity(one, row.iri, index.store, index.base) for one in query.conditions
        }
        name = called[row.iri].value if row.iri in called else row.label
        one = ReconciliationCandidate(
            row.iri, row.kind, name, entry_description(entry), candidate_score(features, row, query), features
        )
        if row.iri not in found or found[row.iri].score < one.score:
            found[row.iri] = one
    return list(found.values())


def find_candidate_rows(
    query: ReconciliationQuery, terms: Sequence[SearchTerm], index: FullTextIndex
) -> list[IndexRow]:
    """The things of the kinds that are asked for whose names have the words."""
    kinds = query.kinds if query.kinds and query.strict != "should" else [""]
    if query.strict == "all" and len(set(kinds)) > 1:
        return []  # nothing is of two kinds
    rows = (
        row for one in kinds for row in index.query(find_name_matches, SearchCriteria(terms, kind=one)).rows
    )
    return [row for row in rows if row.iri.startswith(identifier_space(index.base))]


def find_rows_by_condition(query: ReconciliationQuery, index: FullTextIndex) -> list[IndexRow]:
    """The things that have a value of the first condition, if any, where no name is given."""
    if not query.conditions:  # the name has no letters
        return []
    first, own = query.conditions[0], identifier_space(index.base)
    iris = dict.fromkeys(
        one.subject.value
        for term in iter_condition_terms(first, index.base)
        for one in islice(index.store.match(None, ox.NamedNode(first.iri), term), MAX_CONDITION_SUBJECTS)
        if isinstance(one.subject, ox.NamedNode) and one.subject.value.startswith(own)
    )
    free = not query.kinds or query.strict == "should"
    return [row for row in index.query(find_rows_by_iri, iris) if free or row.kind in query.kinds]


def iter_condition_terms(condition: QueryCondition, base: str) -> Iterable[Any]:
    """The terms that a value of a condition may be."""
    for one in condition.things:
        if thing := parse_iri_node(identifier_space(base) + one):
            yield thing
    for value in condition.values:
        yield ox.Literal(value)
        if isinstance(value, str):
            yield ox.Literal(value, language="en")


def name_similarity(text: str, names: Iterable[str]) -> float:
    """How alike a text and the nearest of some names are, from 0 to 100; the order of words counts little."""
    asked = " ".join(tokenize_text(text))
    scores = [0.0]
    for one in names:
        name = " ".join(tokenize_text(one))
        scores += [fuzz.ratio(asked, name), 0.98 * fuzz.token_sort_ratio(asked, name)]
    return max(scores)


def condition_similarity(condition: QueryCondition, iri: str, store: Store, base: str) -> float:
    """How near the values of a property come to those of a condition, from 0 to 100."""
    terms = [
        one.object
        for one in islice(store.match(ox.NamedNode(iri), ox.NamedNode(condition.iri)), MAX_CONDITION_SUBJECTS)
    ]
    things = {one.value for one in terms if isinstance(one, ox.NamedNode)}
    if any(identifier_space(base) + one in things for one in condition.things):
        return 100
    texts = [one.value for one in terms if isinstance(one, ox.Literal)]
    texts += [one.value for one in find_labels(store, things).values()]
    return max((name_similarity(format_condition_value(one), texts) for one in condition.values), default=0)


def format_condition_value(value: object) -> str:
    """A value as a literal of RDF writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def candidate_score(features: dict[str, float], row: IndexRow, query: ReconciliationQuery) -> float:
    """The score of a thing by its features."""
    shares = {one: 1 if one == "name" else CONDITION_SCORE_WEIGHT for one in features}
    whole = sum(features[one] * share for one, share in shares.items()) / sum(shares.values())
    return whole * (OTHER_KIND_SCORE_FACTOR if query.kinds and row.kind not in query.kinds else 1)


def entry_description(entry: IndexEntry) -> str:
    """What is written of a thing, cut where it is long."""
    text = next(
        (one.text for one in entry.passages if one.place >= len(NAME_PROPERTIES) and not one.part), ""
    )
    return text if len(text) <= MAX_DESCRIPTION_CHARACTERS else f"{text[: MAX_DESCRIPTION_CHARACTERS - 1]}…"


MAX_SUGGESTIONS = 20
MAX_SAMPLED_THINGS = 200  # things of a kind whose properties are looked at


def suggest_entities(prefix: str, kind_: str, start: int, index: FullTextIndex) -> list[dict[str, Any]]:
    """The things with names that begin so, or have words that do."""
    typed = tokenize_text(prefix[:MAX_SEARCH_CHARACTERS])[:MAX_SEARCH_TERMS]
    if not typed:
        return []
    terms = [*(SearchTerm((one,)) for one in typed[:-1]), SearchTerm((typed[-1],), is_prefix=True)]
    found = index.query(find_name_matches, SearchCriteria(terms, kind=kind_))
    own = identifier_space(index.base)
    rows = dict.fromkeys(row.iri for row in found.rows if row.iri.startswith(own))
    shown = index.query(find_rows_by_iri, list(rows)[start : start + MAX_SUGGESTIONS])
    held, called = (
        index.query(read_index_entries, shown),
        find_labels(index.store, (row.iri for row in shown)),
    )
    return [
        {
            "id": row.iri.removeprefix(own),
            "name": called[row.iri].value if row.iri in called else row.label,
            "description": entry_description(held.get(row.id, IndexEntry())),
            "notable": [build_kind_type(row.kind).to_json()],
        }
        for row in shown
    ]


def filter_suggestions(prefix: str, among: list[NamedIdentifier], start: int) -> list[dict[str, str]]:
    """Those whose name or identifier holds what was typed; first those that begin so."""
    typed = fold_text(prefix).strip()
    fitting = [one for one in among if typed in fold_text(f"{one.name} {one.id}")]
    fitting.sort(key=lambda one: not fold_text(one.name).startswith(typed))
    return [one.to_json() for one in fitting[start : start + MAX_SUGGESTIONS]]


def suggest_types(prefix: str, start: int, there: list[str]) -> list[dict[str, str]]:
    """The kinds that may be meant."""
    return filter_suggestions(prefix, build_kind_types(there), start)


def suggest_properties(prefix: str, start: int, index: FullTextIndex) -> list[dict[str, str]]:
    """The properties that may be meant."""
    return filter_suggestions(prefix, list_declared_properties(index.store, index.base), start)


def propose_kind_properties(kind_: str, limit: int, index: FullTextIndex) -> list[dict[str, str]]:
    """The properties that things of a kind have, those first that most have."""
    counts: dict[str, int] = {}
    for iri in index.query(list_iris_of_kind, kind_, MAX_SAMPLED_THINGS):
        for property_ in {one.predicate.value for one in index.store.match(ox.NamedNode(iri))}:
            counts[property_] = counts.get(property_, 0) + 1
    often = sorted(counts, key=lambda one: (-counts[one], one))[:limit]
    return [build_named_property(one, index.store, index.base).to_json() for one in often]
