"""Reconciliation requests (Reconciliation Service API, section 4): parsed, and refused where not valid.

Also the names of types and properties that they use.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...pages.names import KIND_TITLES, kind_title
from ...problems import Problem
from ...rdf.labels import label_or_words
from ...rdf.namespaces import RDF_TYPE, expand_curie, namespaces_by_prefix, shorten_iri
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN
from ...resources.labels import find_labels
from ...store.store import Store
from ...store.view import is_writable_iri

PROPERTY_CLASSES = tuple(
    expand_curie(f"owl:{name}") for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")
)


class NamedIdentifier(NamedTuple):
    """Something with its identifier in the API and its name."""

    id: str
    name: str

    def to_json(self) -> dict[str, str]:
        """It as JSON."""
        return {"id": self.id, "name": self.name}


def identifier_space(base: str) -> str:
    """What the IRIs of all things begin with."""
    return f"{base}id/"


def build_kind_type(id_: str) -> NamedIdentifier:
    """A kind of things as a type."""
    return NamedIdentifier(id_, kind_title(id_))


def build_kind_types(there: list[str]) -> list[NamedIdentifier]:
    """The kinds that are there as types, the main ones first."""
    return [build_kind_type(one) for one in sorted(there, key=lambda one: (one not in KIND_TITLES, one))]


def find_property_iri(id_: str, store: Store, base: str) -> str | None:
    """The IRI of a property; None for what is no name of one, and for one that nothing declares or has."""
    prefix, _, rest = id_.partition(":")
    known = namespaces_by_prefix(base)
    if prefix in known and rest:
        id_ = known[prefix] + rest
    found = parse_iri_node(id_) if ABSOLUTE_IRI_PATTERN.fullmatch(id_) else None
    return id_ if found and is_known_property(found, store) else None


def is_known_property(iri: ox.NamedNode, store: Store) -> bool:
    """Whether a property is declared, or something has it."""
    declared = (store.match(iri, RDF_TYPE, kind_) for kind_ in PROPERTY_CLASSES)
    return any(True for _ in chain(store.match(None, iri), *declared))


def parse_iri_node(iri: str) -> ox.NamedNode | None:
    """The node of an IRI; None where it has characters that no IRI has (RFC 3987, section 2.2)."""
    try:
        return ox.NamedNode(iri) if is_writable_iri(iri) else None
    except ValueError:
        return None


def build_named_property(iri: str, store: Store, base: str) -> NamedIdentifier:
    """A property with its label."""
    return NamedIdentifier(shorten_iri(iri, base), label_or_words(find_labels(store, [iri]), iri).value)


def list_declared_properties(store: Store, base: str) -> list[NamedIdentifier]:
    """All properties that are declared, by their names."""
    iris = {
        one.subject.value
        for kind_ in PROPERTY_CLASSES
        for one in store.match(None, RDF_TYPE, kind_)
        if isinstance(one.subject, ox.NamedNode)
    }
    return sorted(
        (build_named_property(iri, store, base) for iri in iris), key=lambda one: one.name.casefold()
    )


MAX_BATCH_QUERIES = 50  # queries in a batch
DEFAULT_CANDIDATES, MAX_CANDIDATES = 10, 100  # candidates
MAX_QUERY_CONDITIONS = 10  # of a query
TYPE_STRICTNESS_VALUES = ("any", "all", "should")
QUERY_MEMBERS = {"query", "type", "limit", "properties", "type_strict"}
ConditionValue = str | int | float | bool


@dataclass(frozen=True)
class QueryCondition:
    """A property that a candidate had better have, with one of these values, or of these things."""

    id: str
    iri: str
    values: Sequence[ConditionValue]
    things: Sequence[str]


@dataclass(frozen=True)
class ReconciliationQuery:
    """What is looked for: a name, kinds that it has (`strict`: any, all or should), and conditions."""

    text: str
    kinds: Sequence[str]
    strict: str
    limit: int
    conditions: Sequence[QueryCondition]


def parse_json_parameter(text: str, what: str) -> Mapping[str, Any]:
    """A JSON object that is the value of a parameter. Raises Problem 400."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The parameter {what} is no JSON. Send a JSON object.") from error
    if not isinstance(found, dict):
        raise Problem(400, f"The parameter {what} is no JSON object. Send one.")
    return found


def parse_query_batch(
    text: str, kinds: Sequence[str], store: Store, base: str
) -> dict[str, ReconciliationQuery]:
    """The queries of a batch, by their keys. Raises Problem 400, and 413 where they are too many."""
    found = parse_json_parameter(text, "queries")
    if len(found) > MAX_BATCH_QUERIES:
        raise Problem(
            413,
            f"The batch has {len(found):,} queries. Send {MAX_BATCH_QUERIES} at most, in several batches.",
        )
    return {key: parse_reconciliation_query(one, key, kinds, store, base) for key, one in found.items()}


def parse_reconciliation_query(
    given: Any, key: str, kinds: Sequence[str], store: Store, base: str
) -> ReconciliationQuery:
    """One query. Raises Problem 400."""
    if not isinstance(given, dict) or given.keys() - QUERY_MEMBERS:
        raise invalid_query_problem(
            key, f"it is an object with members of: {', '.join(sorted(QUERY_MEMBERS))}"
        )
    text, limit = given.get("query", ""), given.get("limit", DEFAULT_CANDIDATES)
    strict = given.get("type_strict", "any")
    types = given.get("type") or []
    types = [types] if isinstance(types, str) else types
    if not isinstance(text, str):
        raise invalid_query_problem(key, "its query is a text")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 1 <= limit <= MAX_CANDIDATES:
        raise invalid_query_problem(key, f"its limit is a number from 1 to {MAX_CANDIDATES}")
    if strict not in TYPE_STRICTNESS_VALUES:
        raise invalid_query_problem(key, f"its type_strict is one of: {', '.join(TYPE_STRICTNESS_VALUES)}")
    if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
        raise invalid_query_problem(key, "its type is an identifier or an array of them")
    short = [one.removeprefix(identifier_space(base)) for one in types]
    if unknown := [one for one in short if one not in kinds]:
        raise invalid_query_problem(key, f"its type is one of {', '.join(kinds)}, and {unknown[0]!r} is none")
    conditions = given.get("properties", [])
    if not isinstance(conditions, list) or len(conditions) > MAX_QUERY_CONDITIONS:
        raise invalid_query_problem(key, f"its properties are an array of {MAX_QUERY_CONDITIONS} at most")
    if not text.strip() and not conditions:
        raise invalid_query_problem(key, "it has a query or properties")
    return ReconciliationQuery(
        text, short, strict, int(limit), [parse_query_condition(one, key, store, base) for one in conditions]
    )


def parse_query_condition(given: Any, key: str, store: Store, base: str) -> QueryCondition:
    """A condition of a query. Raises Problem 400."""
    if not isinstance(given, dict) or not isinstance(given.get("pid"), str) or "v" not in given:
        raise invalid_query_problem(key, "each of its properties has a pid and a v")
    iri = find_property_iri(given["pid"], store, base)
    if iri is None:
        raise invalid_query_problem(key, f"its pid {given['pid']!r} is no property, such as wgig:category")
    values = given["v"] if isinstance(given["v"], list) else [given["v"]]
    things = [one["id"] for one in values if isinstance(one, dict) and isinstance(one.get("id"), str)]
    plain = [one for one in values if isinstance(one, str | int | float)]
    if len(things) + len(plain) != len(values):
        raise invalid_query_problem(
            key, "a v is a text, a number, true or false, an object with an id, or an array of these"
        )
    return QueryCondition(given["pid"], iri, plain, things)


def invalid_query_problem(key: str, rule: str) -> Problem:
    """The 400 for a query that breaks a rule."""
    return Problem(400, f"The query {key!r} is not right: {rule}.")
