"""Candidates of the Reconciliation API with scores from 0 to 100, and suggestions for a prefix.

The score is the weighted mean of similarities: of the name, with weight 1, and of the values for each
condition of the query (a property with requested values), with weight 0.4.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox
from rapidfuzz import fuzz

from ...store.labels import find_labels
from ...store.store import Store
from ..criteria import SearchCriteria
from ..database import IndexRow, find_rows_by_iri, list_iris_of_kind, read_index_entries
from ..entries import NAME_PROPERTIES, IndexEntry
from ..index import FullTextIndex
from ..ranking import find_completed_names, find_name_matches
from ..terms import SearchTerm, parse_typed_words
from ..tokenizer import fold_text, tokenize_text
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

MAX_CANDIDATE_ROWS = 50  # index rows whose similarity is computed
MAX_CONDITION_QUADS = 500  # quads that are read for a condition
CONDITION_SCORE_WEIGHT = 0.4  # the weight of the name is 1
OTHER_KIND_SCORE_FACTOR = 0.8  # for resources of another kind than requested, with type_strict "should"
MIN_MATCH_SCORE = 95  # if only one candidate has this score or more, it is a match
MAX_DESCRIPTION_CHARACTERS = 200


class ReconciliationCandidate(NamedTuple):
    """A candidate resource with its score, and the similarities by feature (`name`, or a condition)."""

    iri: str
    kind: str
    name: str
    description: str
    score: float
    features: dict[str, float]


def build_reconciliation_result(query: ReconciliationQuery, index: FullTextIndex) -> dict[str, Any]:
    """The candidates for a query as JSON of the API, the best first."""
    candidates = sorted(find_candidates(query, index), key=lambda candidate: -candidate.score)
    matches = [candidate for candidate in candidates if candidate.score >= MIN_MATCH_SCORE]
    return {
        "result": [
            build_candidate_json(candidate, matches == [candidate], index.base)
            for candidate in candidates[: query.limit]
        ]
    }


def build_candidate_json(candidate: ReconciliationCandidate, is_match: bool, base: str) -> dict[str, Any]:
    """A candidate as JSON; it is a match if it alone has MIN_MATCH_SCORE or more."""
    return {
        "id": candidate.iri.removeprefix(identifier_space(base)),
        "name": candidate.name,
        **({"description": candidate.description} if candidate.description else {}),
        "type": [build_kind_type(candidate.kind).to_json()],
        "score": round(candidate.score, 1),
        "match": is_match,
        "features": [{"id": name, "value": round(value, 1)} for name, value in candidate.features.items()],
    }


def find_candidates(query: ReconciliationQuery, index: FullTextIndex) -> list[ReconciliationCandidate]:
    """The candidates for a query, in any order."""
    terms = parse_typed_words(query.text)
    rows = find_candidate_rows(query, terms, index) if terms else find_rows_by_condition(query, index)
    rows = rows[:MAX_CANDIDATE_ROWS]
    entries, labels = (
        index.query(read_index_entries, rows),
        find_labels(index.store, (row.iri for row in rows)),
    )
    candidates: dict[str, ReconciliationCandidate] = {}
    for row in rows:
        entry = entries.get(row.id, IndexEntry())
        features = {"name": name_similarity(query.text, entry.names)} if terms else {}
        features |= {
            condition.id: condition_similarity(condition, row.iri, index.store, index.base)
            for condition in query.conditions
        }
        name = labels[row.iri].value if row.iri in labels else row.label
        candidate = ReconciliationCandidate(
            row.iri, row.kind, name, entry_description(entry), candidate_score(features, row, query), features
        )
        if row.iri not in candidates or candidates[row.iri].score < candidate.score:
            candidates[row.iri] = candidate
    return list(candidates.values())


def find_candidate_rows(
    query: ReconciliationQuery, terms: Sequence[SearchTerm], index: FullTextIndex
) -> list[IndexRow]:
    """The index rows of the requested kinds with matching names."""
    kinds = query.kinds if query.kinds and query.strict != "should" else [""]  # empty: any kind
    if query.strict == "all" and len(set(kinds)) > 1:
        return []  # no resource has two kinds
    rows = (
        row for kind in kinds for row in index.query(find_name_matches, SearchCriteria(terms, kind=kind)).rows
    )
    return [row for row in rows if row.iri.startswith(identifier_space(index.base))]


def find_rows_by_condition(query: ReconciliationQuery, index: FullTextIndex) -> list[IndexRow]:
    """The index rows of resources that meet the first condition, for a query without words."""
    if not query.conditions:
        return []
    condition, prefix = query.conditions[0], identifier_space(index.base)
    iris = dict.fromkeys(
        quad.subject.value
        for term in iter_condition_terms(condition, index.base)
        for quad in islice(index.store.match(None, ox.NamedNode(condition.iri), term), MAX_CONDITION_QUADS)
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(prefix)
    )
    is_any_kind = not query.kinds or query.strict == "should"
    return [row for row in index.query(find_rows_by_iri, iris) if is_any_kind or row.kind in query.kinds]


def iter_condition_terms(condition: QueryCondition, base: str) -> Iterable[Any]:
    """The RDF terms that meet a condition."""
    for id_ in condition.resource_ids:
        if node := parse_iri_node(identifier_space(base) + id_):
            yield node
    for value in condition.values:
        yield ox.Literal(value)
        if isinstance(value, str):
            yield ox.Literal(value, language="en")  # most texts in the store are English


def name_similarity(text: str, names: Iterable[str]) -> float:
    """The similarity of a text to the nearest name, from 0 to 100. Another word order reduces it by 2 %."""
    text_words = " ".join(tokenize_text(text))
    scores = [0.0]
    for name in names:
        name_words = " ".join(tokenize_text(name))
        scores += [fuzz.ratio(text_words, name_words), 0.98 * fuzz.token_sort_ratio(text_words, name_words)]
    return max(scores)


def condition_similarity(condition: QueryCondition, iri: str, store: Store, base: str) -> float:
    """The similarity of the property values of a resource to the values of a condition, from 0 to 100."""
    terms = [
        quad.object
        for quad in islice(store.match(ox.NamedNode(iri), ox.NamedNode(condition.iri)), MAX_CONDITION_QUADS)
    ]
    iris = {term.value for term in terms if isinstance(term, ox.NamedNode)}
    if any(identifier_space(base) + id_ in iris for id_ in condition.resource_ids):
        return 100
    texts = [term.value for term in terms if isinstance(term, ox.Literal)]
    texts += [label.value for label in find_labels(store, iris).values()]
    return max(
        (name_similarity(format_condition_value(value), texts) for value in condition.values), default=0
    )


def format_condition_value(value: object) -> str:
    """The lexical form of a JSON value."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def candidate_score(features: dict[str, float], row: IndexRow, query: ReconciliationQuery) -> float:
    """The score of a candidate: the weighted mean of its features, reduced for another kind."""
    weights = {feature: 1 if feature == "name" else CONDITION_SCORE_WEIGHT for feature in features}
    score = sum(features[feature] * weight for feature, weight in weights.items()) / sum(weights.values())
    return score * (OTHER_KIND_SCORE_FACTOR if query.kinds and row.kind not in query.kinds else 1)


def entry_description(entry: IndexEntry) -> str:
    """The first text about the resource, shortened."""
    text = next(
        (
            passage.text
            for passage in entry.passages
            if passage.property_position >= len(NAME_PROPERTIES) and not passage.part
        ),
        "",
    )
    return text if len(text) <= MAX_DESCRIPTION_CHARACTERS else f"{text[: MAX_DESCRIPTION_CHARACTERS - 1]}…"


MAX_SUGGESTIONS = 20
MAX_SAMPLED_THINGS = 200  # resources of a kind whose properties are counted


def suggest_entities(prefix: str, kind: str, start: int, index: FullTextIndex) -> list[dict[str, Any]]:
    """The resources whose names have the words of a prefix; the last word may be incomplete."""
    id_prefix = identifier_space(index.base)
    rows = index.query(find_completed_names, prefix, kind)
    iris = [row.iri for row in rows if row.iri.startswith(id_prefix)]
    rows = index.query(find_rows_by_iri, iris[start : start + MAX_SUGGESTIONS])
    entries, labels = (
        index.query(read_index_entries, rows),
        find_labels(index.store, (row.iri for row in rows)),
    )
    return [
        {
            "id": row.iri.removeprefix(id_prefix),
            "name": labels[row.iri].value if row.iri in labels else row.label,
            "description": entry_description(entries.get(row.id, IndexEntry())),
            "notable": [build_kind_type(row.kind).to_json()],
        }
        for row in rows
    ]


def filter_suggestions(prefix: str, candidates: list[NamedIdentifier], start: int) -> list[dict[str, str]]:
    """The candidates whose name or identifier contains the prefix; names that begin with it come first."""
    folded_prefix = fold_text(prefix).strip()
    matches = [
        candidate
        for candidate in candidates
        if folded_prefix in fold_text(f"{candidate.name} {candidate.id}")
    ]
    matches.sort(key=lambda candidate: not fold_text(candidate.name).startswith(folded_prefix))
    return [candidate.to_json() for candidate in matches[start : start + MAX_SUGGESTIONS]]


def suggest_types(prefix: str, start: int, kinds: list[str]) -> list[dict[str, str]]:
    """The kinds whose name or identifier contains the prefix."""
    return filter_suggestions(prefix, build_kind_types(kinds), start)


def suggest_properties(prefix: str, start: int, index: FullTextIndex) -> list[dict[str, str]]:
    """The properties whose name or identifier contains the prefix."""
    return filter_suggestions(prefix, list_declared_properties(index.store, index.base), start)


def propose_kind_properties(kind: str, limit: int, index: FullTextIndex) -> list[dict[str, str]]:
    """The properties of resources of a kind, the most frequent first."""
    counts: dict[str, int] = {}
    for iri in index.query(list_iris_of_kind, kind, MAX_SAMPLED_THINGS):
        for property_ in {quad.predicate.value for quad in index.store.match(ox.NamedNode(iri))}:
            counts[property_] = counts.get(property_, 0) + 1
    most_frequent = sorted(counts, key=lambda iri: (-counts[iri], iri))[:limit]
    return [build_named_property(iri, index.store, index.base).to_json() for iri in most_frequent]
