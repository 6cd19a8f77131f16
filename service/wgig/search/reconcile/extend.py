"""Data extension: values of properties of things, for new columns of a table (specification, section 6)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.literals import literal_value
from ...resources.labels import find_labels
from ...store.store import Store
from .request import (
    build_named_property,
    find_property_iri,
    identifier_space,
    parse_iri_node,
    parse_json_parameter,
)

MAX_EXTENDED_THINGS, MAX_EXTENDED_PROPERTIES, MAX_EXTENDED_VALUES = 500, 20, 100


def build_extension_answer(text: str, store: Store, base: str) -> dict[str, Any]:
    """The answer to a query for the properties of things. Raises Problem 400, and 413 for too many."""
    asked = parse_json_parameter(text, "extend")
    ids, wanted = asked.get("ids"), asked.get("properties")
    if (
        not isinstance(ids, list)
        or not isinstance(wanted, list)
        or not all(isinstance(one, str) for one in ids)
    ):
        raise Problem(400, "The parameter extend has ids and properties, both arrays.")
    if len(ids) > MAX_EXTENDED_THINGS or len(wanted) > MAX_EXTENDED_PROPERTIES:
        raise Problem(
            413,
            f"The query names {len(ids)} things and {len(wanted)} properties. Send {MAX_EXTENDED_THINGS} and "
            f"{MAX_EXTENDED_PROPERTIES} at most.",
        )
    properties = dict(parse_extension_property(one, store, base) for one in wanted)
    return {
        "meta": [
            {"id": one, "name": build_named_property(iri, store, base).name}
            for one, iri in properties.items()
        ],
        "rows": {
            one: {name: list_property_cells(one, iri, store, base) for name, iri in properties.items()}
            for one in ids
        },
    }


def parse_extension_property(given: Any, store: Store, base: str) -> tuple[str, str]:
    """The identifier of a property and its IRI. Raises Problem 400."""
    id_ = given.get("id") if isinstance(given, dict) else None
    iri = find_property_iri(id_, store, base) if isinstance(id_, str) else None
    if not isinstance(id_, str) or iri is None:
        raise Problem(400, f"There is no property {id_!r}. Name one by its IRI, or as in wgig:category.")
    if given.get("settings"):
        raise Problem(400, f"The property {id_} has no settings here. Leave them out.")
    return id_, iri


def list_property_cells(id_: str, property_: str, store: Store, base: str) -> list[dict[str, Any]]:
    """The values of a property of a thing; none for a thing that is not there."""
    thing = parse_iri_node(identifier_space(base) + id_)
    if thing is None:
        return []
    found = {one.object for one in islice(store.match(thing, ox.NamedNode(property_)), MAX_EXTENDED_VALUES)}
    return list(iter_extension_cells(sorted(found, key=str), store, base))


def iter_extension_cells(terms: Sequence[Any], store: Store, base: str) -> Iterator[dict[str, Any]]:
    """The terms as cells of a table."""
    called = find_labels(store, (one.value for one in terms if isinstance(one, ox.NamedNode)))
    for one in terms:
        if isinstance(one, ox.Literal):
            yield build_literal_cell(one)
        elif isinstance(one, ox.NamedNode) and one.value.startswith(identifier_space(base)):
            id_ = one.value.removeprefix(identifier_space(base))
            yield {"id": id_, "name": called[one.value].value if one.value in called else id_}
        elif isinstance(one, ox.NamedNode):
            yield {"str": one.value}


def build_literal_cell(literal: ox.Literal) -> dict[str, Any]:
    """A literal as a cell: a number or date where it is a plain one, else a text."""
    match literal_value(literal):
        case bool() | datetime():
            return {"str": literal.value}
        case int() as number:
            return {"int": number}
        case float() | Decimal() as number if isfinite(number):
            return {"float": float(number)}
        case date() as day:
            return {"date": f"{day}T00:00:00Z"}
    return {"str": literal.value}
