"""Parse queries of the Reconciliation API (section 4), and look up the types and properties in them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ...pages.names import KIND_TITLES, kind_title
from ...problems import Problem
from ...rdf.labels import label_or_words
from ...rdf.namespaces import RDF_TYPE, expand_curie, shorten_iri
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN
from ...store.labels import find_labels
from ...store.store import Store
from ...store.view import is_writable_iri

PROPERTY_CLASSES = tuple(
    expand_curie(f"owl:{name}") for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")
)


class NamedIdentifier(NamedTuple):
    """A type or property of the API, with its identifier and its name for people."""

    id: str
    name: str

    def to_json(self) -> dict[str, str]:
        """The JSON object of the API."""
        return {"id": self.id, "name": self.name}


def identifier_space(base: str) -> str:
    """The prefix that the identifiers of the API omit from the IRIs of resources."""
    return f"{base}id/"


def build_kind_type(kind: str) -> NamedIdentifier:
    """A kind of resources as a type of the API."""
    return NamedIdentifier(kind, kind_title(kind))


def build_kind_types(kinds: list[str]) -> list[NamedIdentifier]:
    """The kinds as types of the API, first the kinds with a title in KIND_TITLES."""
    return [build_kind_type(kind) for kind in sorted(kinds, key=lambda kind: (kind not in KIND_TITLES, kind))]


def find_property_iri(id_: str, store: Store, base: str) -> str | None:
    """The IRI of a property with an IRI or prefixed name; None if it is neither declared nor used."""
    prefix, _, local_name = id_.partition(":")
    namespaces = namespaces_by_prefix(base)
    if prefix in namespaces and local_name:
        id_ = namespaces[prefix] + local_name
    node = parse_iri_node(id_) if ABSOLUTE_IRI_PATTERN.fullmatch(id_) else None
    return id_ if node and is_known_property(node, store) else None


def is_known_property(iri: ox.NamedNode, store: Store) -> bool:
    """Whether a property is declared in the store or used in it."""
    declarations = (store.match(iri, RDF_TYPE, property_class) for property_class in PROPERTY_CLASSES)
    return any(True for _ in chain(store.match(None, iri), *declarations))


def parse_iri_node(iri: str) -> ox.NamedNode | None:
    """The node for an IRI; None if it has invalid characters (RFC 3987, section 2.2)."""
    try:
        return ox.NamedNode(iri) if is_writable_iri(iri) else None
    except ValueError:
        return None


def build_named_property(iri: str, store: Store, base: str) -> NamedIdentifier:
    """A property with its prefixed name as the identifier and its label as the name."""
    return NamedIdentifier(shorten_iri(iri, base), label_or_words(find_labels(store, [iri]), iri).value)


def list_declared_properties(store: Store, base: str) -> list[NamedIdentifier]:
    """All declared properties, sorted by name."""
    iris = {
        quad.subject.value
        for property_class in PROPERTY_CLASSES
        for quad in store.match(None, RDF_TYPE, property_class)
        if isinstance(quad.subject, ox.NamedNode)
    }
    return sorted(
        (build_named_property(iri, store, base) for iri in iris),
        key=lambda property_: property_.name.casefold(),
    )


MAX_BATCH_QUERIES = 50
DEFAULT_CANDIDATES, MAX_CANDIDATES = 10, 100
MAX_QUERY_CONDITIONS = 10
TYPE_STRICTNESS_VALUES = ("any", "all", "should")
QUERY_MEMBERS = {"query", "type", "limit", "properties", "type_strict"}
ConditionValue = str | int | float | bool


@dataclass(frozen=True)
class QueryCondition:
    """A property in a query, with the literals and resources that a candidate should have as its values.

    `id` is the identifier of the property in the query, such as `wgig:category`.
    """

    id: str
    iri: str
    values: Sequence[ConditionValue]
    resource_ids: Sequence[str]


@dataclass(frozen=True)
class ReconciliationQuery:
    """A query for resources by name (`text`), kinds and conditions.

    `strict` is the member `type_strict`: candidates have `any` or `all` of the kinds, or `should` have one.
    """

    text: str
    kinds: Sequence[str]
    strict: str
    limit: int
    conditions: Sequence[QueryCondition]


def parse_json_parameter(text: str, name: str) -> Mapping[str, Any]:
    """The JSON object in a parameter. Raises Problem 400 for other JSON and invalid JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The parameter {name} is not valid JSON. Send a JSON object.") from error
    if not isinstance(value, dict):
        raise Problem(400, f"The parameter {name} is not a JSON object. Send a JSON object.")
    return value


def parse_query_batch(
    text: str, kinds: Sequence[str], store: Store, base: str
) -> dict[str, ReconciliationQuery]:
    """The queries of a batch, by key. Raises Problem 400 for an invalid query, 413 for too many."""
    batch = parse_json_parameter(text, "queries")
    if len(batch) > MAX_BATCH_QUERIES:
        raise Problem(
            413,
            f"The batch has {len(batch):,} queries. Send at most {MAX_BATCH_QUERIES} in each batch.",
        )
    return {key: parse_reconciliation_query(query, key, kinds, store, base) for key, query in batch.items()}


def parse_reconciliation_query(
    query: Any, key: str, kinds: Sequence[str], store: Store, base: str
) -> ReconciliationQuery:
    """A query of a batch. `kinds` are the known kinds. Raises Problem 400 if the query is invalid."""
    if not isinstance(query, dict) or query.keys() - QUERY_MEMBERS:
        raise invalid_query_problem(
            key, f"it must be an object with members of: {', '.join(sorted(QUERY_MEMBERS))}"
        )
    text, limit = query.get("query", ""), query.get("limit", DEFAULT_CANDIDATES)
    strict = query.get("type_strict", "any")
    types = query.get("type") or []
    types = [types] if isinstance(types, str) else types
    if not isinstance(text, str):
        raise invalid_query_problem(key, "its query must be a string")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 1 <= limit <= MAX_CANDIDATES:
        raise invalid_query_problem(key, f"its limit must be a number from 1 to {MAX_CANDIDATES}")
    if strict not in TYPE_STRICTNESS_VALUES:
        raise invalid_query_problem(
            key, f"its type_strict must be one of: {', '.join(TYPE_STRICTNESS_VALUES)}"
        )
    if not isinstance(types, list) or not all(isinstance(type_, str) for type_ in types):
        raise invalid_query_problem(key, "its type must be an identifier or an array of them")
    query_kinds = [type_.removeprefix(identifier_space(base)) for type_ in types]
    if unknown_kinds := [kind for kind in query_kinds if kind not in kinds]:
        raise invalid_query_problem(
            key, f"its type must be one of {', '.join(kinds)}, not {unknown_kinds[0]!r}"
        )
    conditions = query.get("properties", [])
    if not isinstance(conditions, list) or len(conditions) > MAX_QUERY_CONDITIONS:
        raise invalid_query_problem(key, f"its properties must be an array of at most {MAX_QUERY_CONDITIONS}")
    if not text.strip() and not conditions:
        raise invalid_query_problem(key, "it must have a query or properties")
    return ReconciliationQuery(
        text,
        query_kinds,
        strict,
        int(limit),
        [parse_query_condition(condition, key, store, base) for condition in conditions],
    )


def parse_query_condition(condition: Any, key: str, store: Store, base: str) -> QueryCondition:
    """A condition of a query. Raises Problem 400 if the condition is invalid."""
    if not isinstance(condition, dict) or not isinstance(condition.get("pid"), str) or "v" not in condition:
        raise invalid_query_problem(key, "each of its properties must have a pid and a v")
    iri = find_property_iri(condition["pid"], store, base)
    if iri is None:
        raise invalid_query_problem(
            key, f"its pid {condition['pid']!r} is not a property; use one such as wgig:category"
        )
    values = condition["v"] if isinstance(condition["v"], list) else [condition["v"]]
    resource_ids = [
        value["id"] for value in values if isinstance(value, dict) and isinstance(value.get("id"), str)
    ]
    literals = [value for value in values if isinstance(value, str | int | float)]
    if len(resource_ids) + len(literals) != len(values):
        raise invalid_query_problem(
            key,
            "each v must be a string, a number, true or false, an object with an id, or an array of these",
        )
    return QueryCondition(condition["pid"], iri, literals, resource_ids)


def invalid_query_problem(key: str, rule: str) -> Problem:
    """The Problem 400 for a query that breaks a rule."""
    return Problem(400, f"The query {key!r} is invalid: {rule}.")
