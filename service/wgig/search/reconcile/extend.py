"""Data extension of the Reconciliation API, section 6: property values for new columns of a table."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any

import pyoxigraph as ox
from wgig_client.literals import literal_value

from ...problems import Problem
from ...store.labels import find_labels
from ...store.store import Store
from .request import (
    build_named_property,
    find_property_iri,
    identifier_space,
    parse_iri_node,
    parse_json_parameter,
)

# Resources (rows) and properties (columns) of a request, and values in a cell.
MAX_EXTENDED_THINGS, MAX_EXTENDED_PROPERTIES, MAX_EXTENDED_VALUES = 500, 20, 100


def build_extension_result(text: str, store: Store, base: str) -> dict[str, Any]:
    """The JSON for the data extension query `text`.

    Raises Problem 400 if it is invalid, 413 for too many resources or properties.
    """
    query = parse_json_parameter(text, "extend")
    ids, requested_properties = query.get("ids"), query.get("properties")
    if (
        not isinstance(ids, list)
        or not isinstance(requested_properties, list)
        or not all(isinstance(id_, str) for id_ in ids)
    ):
        raise Problem(400, "The parameter extend must have the arrays ids and properties.")
    if len(ids) > MAX_EXTENDED_THINGS or len(requested_properties) > MAX_EXTENDED_PROPERTIES:
        raise Problem(
            413,
            f"The query names {len(ids)} resources and {len(requested_properties)} properties. Send at most "
            f"{MAX_EXTENDED_THINGS} and {MAX_EXTENDED_PROPERTIES}.",
        )
    properties = dict(
        parse_extension_property(requested_property, store, base)
        for requested_property in requested_properties
    )
    return {
        "meta": [
            {"id": id_, "name": build_named_property(iri, store, base).name}
            for id_, iri in properties.items()
        ],
        "rows": {
            id_: {name: list_property_cells(id_, iri, store, base) for name, iri in properties.items()}
            for id_ in ids
        },
    }


def parse_extension_property(requested_property: Any, store: Store, base: str) -> tuple[str, str]:
    """The identifier and IRI of a requested property. Raises Problem 400 if it is unknown or has settings."""
    id_ = requested_property.get("id") if isinstance(requested_property, dict) else None
    iri = find_property_iri(id_, store, base) if isinstance(id_, str) else None
    if not isinstance(id_, str) or iri is None:
        raise Problem(
            400, f"There is no property {id_!r}. Use an IRI or a prefixed name such as wgig:category."
        )
    if requested_property.get("settings"):
        raise Problem(400, f"The property {id_} accepts no settings. Omit them.")
    return id_, iri


def list_property_cells(id_: str, property_: str, store: Store, base: str) -> list[dict[str, Any]]:
    """The values of a property of a resource as table cells; empty if the resource does not exist."""
    resource = parse_iri_node(identifier_space(base) + id_)
    if resource is None:
        return []
    terms = {
        quad.object for quad in islice(store.match(resource, ox.NamedNode(property_)), MAX_EXTENDED_VALUES)
    }
    return list(iter_extension_cells(sorted(terms, key=str), store, base))


def iter_extension_cells(terms: Sequence[Any], store: Store, base: str) -> Iterator[dict[str, Any]]:
    """The terms as table cells."""
    labels = find_labels(store, (term.value for term in terms if isinstance(term, ox.NamedNode)))
    for term in terms:
        if isinstance(term, ox.Literal):
            yield build_literal_cell(term)
        elif isinstance(term, ox.NamedNode) and term.value.startswith(identifier_space(base)):
            id_ = term.value.removeprefix(identifier_space(base))
            yield {"id": id_, "name": labels[term.value].value if term.value in labels else id_}
        elif isinstance(term, ox.NamedNode):
            yield {"str": term.value}


def build_literal_cell(literal: ox.Literal) -> dict[str, Any]:
    """The table cell for a literal: a finite number, a date without a time, or else a string."""
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
