"""Reconciliation requests (Reconciliation Service API, section 4): parsed, and refused where not valid.

Also the names of types and properties that they use.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...pages.names import TITLES, title
from ...pages.rendering import words
from ...problems import Problem
from ...rdf.namespaces import OUTSIDE, namespaces, shorten
from ...rdf.sparql_lexer import ABSOLUTE
from ...resources.labels import labels
from ...store.store import Store
from ...store.view import writable

DECLARED = tuple(
    ox.NamedNode(OUTSIDE["owl"] + name)
    for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")
)
TYPE = ox.NamedNode(OUTSIDE["rdf"] + "type")


class Named(NamedTuple):
    """Something with its identifier in the API and its name."""

    id: str
    name: str

    def document(self) -> dict[str, str]:
        """It as JSON."""
        return {"id": self.id, "name": self.name}


def space(base: str) -> str:
    """What the IRIs of all things begin with."""
    return f"{base}id/"


def kind(id_: str) -> Named:
    """A kind of things as a type."""
    return Named(id_, title(id_))


def kinds(there: list[str]) -> list[Named]:
    """The kinds that are there as types, the main ones first."""
    return [kind(one) for one in sorted(there, key=lambda one: (one not in TITLES, one))]


def property_iri(id_: str, store: Store, base: str) -> str | None:
    """The IRI of a property; None for what is no name of one, and for one that nothing declares or has."""
    prefix, _, rest = id_.partition(":")
    known = namespaces(base)
    if prefix in known and rest:
        id_ = known[prefix] + rest
    found = node(id_) if ABSOLUTE.fullmatch(id_) else None
    return id_ if found and is_property(found, store) else None


def is_property(iri: ox.NamedNode, store: Store) -> bool:
    """Whether a property is declared, or something has it."""
    declared = (store.match(iri, TYPE, kind_) for kind_ in DECLARED)
    return any(True for _ in chain(store.match(None, iri), *declared))


def node(iri: str) -> ox.NamedNode | None:
    """The node of an IRI; None where it has characters that no IRI has (RFC 3987, section 2.2)."""
    try:
        return ox.NamedNode(iri) if writable(iri) else None
    except ValueError:
        return None


def property_named(iri: str, store: Store, base: str) -> Named:
    """A property with its label."""
    found = labels(store, [iri]).get(iri)
    return Named(shorten(iri, namespaces(base)), found.value if found else words(iri))


def properties(store: Store, base: str) -> list[Named]:
    """All properties that are declared, by their names."""
    iris = {
        one.subject.value
        for kind_ in DECLARED
        for one in store.match(None, TYPE, kind_)
        if isinstance(one.subject, ox.NamedNode)
    }
    return sorted((property_named(iri, store, base) for iri in iris), key=lambda one: one.name.casefold())


MOST = 50  # queries in a batch
LIMIT, LARGEST_LIMIT = 10, 100  # candidates
CONDITIONS = 10  # of a query
STRICTNESS = ("any", "all", "should")
MEMBERS = {"query", "type", "limit", "properties", "type_strict"}
Value = str | int | float | bool


@dataclass(frozen=True)
class Condition:
    """A property that a candidate had better have, with one of these values, or of these things."""

    id: str
    iri: str
    values: Sequence[Value]
    things: Sequence[str]


@dataclass(frozen=True)
class Query:
    """What is looked for: a name, kinds that it has (`strict`: any, all or should), and conditions."""

    text: str
    kinds: Sequence[str]
    strict: str
    limit: int
    conditions: Sequence[Condition]


def document(text: str, what: str) -> Mapping[str, Any]:
    """A JSON object that is the value of a parameter. Raises Problem 400."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The parameter {what} is no JSON. Send a JSON object.") from error
    if not isinstance(found, dict):
        raise Problem(400, f"The parameter {what} is no JSON object. Send one.")
    return found


def batch(text: str, kinds: Sequence[str], store: Store, base: str) -> dict[str, Query]:
    """The queries of a batch, by their keys. Raises Problem 400, and 413 where they are too many."""
    found = document(text, "queries")
    if len(found) > MOST:
        raise Problem(413, f"The batch has {len(found):,} queries. Send {MOST} at most, in several batches.")
    return {key: query(one, key, kinds, store, base) for key, one in found.items()}


def query(given: Any, key: str, kinds: Sequence[str], store: Store, base: str) -> Query:
    """One query. Raises Problem 400."""
    if not isinstance(given, dict) or given.keys() - MEMBERS:
        raise wrong(key, f"it is an object with members of: {', '.join(sorted(MEMBERS))}")
    text, limit = given.get("query", ""), given.get("limit", LIMIT)
    strict = given.get("type_strict", "any")
    types = given.get("type") or []
    types = [types] if isinstance(types, str) else types
    if not isinstance(text, str):
        raise wrong(key, "its query is a text")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 1 <= limit <= LARGEST_LIMIT:
        raise wrong(key, f"its limit is a number from 1 to {LARGEST_LIMIT}")
    if strict not in STRICTNESS:
        raise wrong(key, f"its type_strict is one of: {', '.join(STRICTNESS)}")
    if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
        raise wrong(key, "its type is an identifier or an array of them")
    short = [one.removeprefix(space(base)) for one in types]
    if unknown := [one for one in short if one not in kinds]:
        raise wrong(key, f"its type is one of {', '.join(kinds)}, and {unknown[0]!r} is none")
    conditions = given.get("properties", [])
    if not isinstance(conditions, list) or len(conditions) > CONDITIONS:
        raise wrong(key, f"its properties are an array of {CONDITIONS} at most")
    if not text.strip() and not conditions:
        raise wrong(key, "it has a query or properties")
    return Query(text, short, strict, int(limit), [condition(one, key, store, base) for one in conditions])


def condition(given: Any, key: str, store: Store, base: str) -> Condition:
    """A condition of a query. Raises Problem 400."""
    if not isinstance(given, dict) or not isinstance(given.get("pid"), str) or "v" not in given:
        raise wrong(key, "each of its properties has a pid and a v")
    iri = property_iri(given["pid"], store, base)
    if iri is None:
        raise wrong(key, f"its pid {given['pid']!r} is no property, such as wgig:category")
    values = given["v"] if isinstance(given["v"], list) else [given["v"]]
    things = [one["id"] for one in values if isinstance(one, dict) and isinstance(one.get("id"), str)]
    plain = [one for one in values if isinstance(one, str | int | float)]
    if len(things) + len(plain) != len(values):
        raise wrong(key, "a v is a text, a number, true or false, an object with an id, or an array of these")
    return Condition(given["pid"], iri, plain, things)


def wrong(key: str, rule: str) -> Problem:
    """The 400 for a query that breaks a rule."""
    return Problem(400, f"The query {key!r} is not right: {rule}.")
