"""A page of list results: parsed from the TSV of its query, and written as JSON, CSV and triples.

Labels and texts are chosen by language, with English next; CSV has one row per item. Links to other pages are
link relations (RFC 8288).
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import pyoxigraph as ox

from ..rdf.labels import label_distance
from ..rdf.literals import parse_xsd_text, term_text
from ..rdf.namespaces import RDFS_LABEL, expand_curie, shorten_iri
from ..resources.labels import build_language_map
from ..store.view import parse_tsv_terms, split_tsv_cells
from ..text import natural_sort_key, serialize_csv_rows
from .fields import ListField
from .query import ListRequest


@dataclass(frozen=True)
class ListPage:
    """A page of a list: how many things there are in all, those of the page with their terms by field.

    `labels` holds what other things are called, by IRI, in all languages.
    """

    total: int
    things: dict[str, dict[str, list[Any]]]
    labels: dict[str, list[ox.Literal]]


def parse_list_page(body: bytes) -> ListPage:
    """The page in the TSV results of its query: total, thing, field, value, and a label of the value."""
    total = ""
    things: dict[str, dict[str, dict[str, None]]] = {}
    labels: dict[str, dict[str, None]] = {}
    for count, thing, name, value, label in split_tsv_cells(body):
        if count:
            total = count
            continue
        things.setdefault(thing, {}).setdefault(name, {})[value] = None
        if label:
            labels.setdefault(value, {})[label] = None
    said = [values for fields in things.values() for values in fields.values()]
    names = {name for fields in things.values() for name in fields}
    read = parse_tsv_terms(chain([total], things, names, *said, *labels.values()))
    return ListPage(
        int(read[total].value),
        {
            read[thing].value: {
                read[name].value: sort_field_values([read[one] for one in values])
                for name, values in fields.items()
            }
            for thing, fields in things.items()
        },
        {
            read[thing].value: sorted((read[one] for one in texts), key=label_distance)
            for thing, texts in labels.items()
        },
    )


def sort_field_values(values: list[Any]) -> list[Any]:
    """The values of a field, as people expect them to follow one another."""
    return sorted(values, key=lambda one: natural_sort_key(str(one))) if len(values) > 1 else values


CSV_VALUE_SEPARATOR = " | "  # between several values in a cell, as in the example queries


class CountedPage(Protocol):
    """A page of a list that knows how many things there are in all."""

    @property
    def total(self) -> int:
        """How many."""


def count_list_pages(asked: ListRequest, page: CountedPage) -> int:
    """How many pages there are; an empty list has one."""
    return max(1, -(-page.total // asked.size))


def list_page_relations(asked: ListRequest, page: CountedPage) -> dict[str, int]:
    """The pages around this one that there are, by relation (RFC 8288)."""
    last = count_list_pages(asked, page)
    found = {"first": 1, "prev": asked.page - 1, "next": asked.page + 1, "last": last}
    return {rel: number for rel, number in found.items() if 1 <= number <= last}


def serialize_list_json(asked: ListRequest, page: ListPage, base: str, links: dict[str, str]) -> bytes:
    """The page as JSON: figures and links of the page, and the things with the fields that have values."""
    shown = build_label_references(page) | shorten_class_names(page, base)
    document = {
        "total": page.total,
        "page": asked.page,
        "pages": count_list_pages(asked, page),
        "size": asked.size,
        "links": links,
        "items": [
            {
                "id": iri,
                **{
                    one.name: build_field_json(one, said[one.name], shown)
                    for one in asked.fields
                    if one.name in said
                },
            }
            for iri, said in page.things.items()
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def build_label_references(page: ListPage) -> dict[str, Any]:
    """Things that have labels, as JSON has them, by IRI."""
    return {iri: {"id": iri, "label": build_language_map(texts)} for iri, texts in page.labels.items()}


def shorten_class_names(page: ListPage, base: str) -> dict[str, str]:
    """What the JSON-LD context calls the classes of the page, by IRI."""
    classes = {one.value for said in page.things.values() for one in said.get("type", [])}
    return {iri: shorten_iri(iri, base).removeprefix("wgig:") for iri in classes}


def build_field_json(field: ListField, terms: list[Any], shown: dict[str, Any]) -> Any:
    """The values of a field: by language, as a list where it has many, or else the one that there is.

    Where sources differ, a field of one value has several, and all are given.
    """
    if field.type == "text":
        return build_language_map(terms)
    found = [build_value_json(field, one, shown) for one in terms]
    return found if field.many or len(found) > 1 else found[0]


def build_value_json(field: ListField, term: Any, shown: dict[str, Any]) -> Any:
    """A value as JSON has it."""
    if isinstance(term, ox.NamedNode):
        return shown.get(term.value) or {"id": term.value}
    text = term_text(term)
    if field.type in ("integer", "boolean"):
        with suppress(ValueError):
            return parse_xsd_text(text, field.type)
    return text


def serialize_list_csv(asked: ListRequest, page: ListPage, base: str) -> bytes:
    """The page as a table: one row a thing; of texts the English ones, or else the nearest to them."""
    classes = shorten_class_names(page, base)
    rows: list[list[str]] = [["id", *(one.name for one in asked.fields)]]
    for iri, said in page.things.items():
        cells = (
            CSV_VALUE_SEPARATOR.join(build_csv_cell(one, said.get(one.name, []), classes))
            for one in asked.fields
        )
        rows.append([iri, *cells])
    return serialize_csv_rows(rows)


def build_csv_cell(field: ListField, terms: list[Any], classes: dict[str, str]) -> list[str]:
    """The values of a field in a cell."""
    if field.type == "class":
        return [classes[one.value] for one in terms]
    if field.type == "text":
        texts = sorted((one for one in terms if isinstance(one, ox.Literal)), key=label_distance)
        return [one.value for one in texts if label_distance(one)[0] == label_distance(texts[0])[0]]
    return list(map(term_text, terms))


def iter_list_triples(asked: ListRequest, page: ListPage, base: str) -> Iterator[ox.Triple]:
    """What the page says, as triples: members of the list, their properties, labels; nothing computed."""
    for iri, said in page.things.items():
        thing = ox.NamedNode(iri)
        yield ox.Triple(ox.NamedNode(base + asked.definition.name), expand_curie("rdfs:member"), thing)
        for field in asked.fields:
            property_ = field_property(field, base)
            if property_:
                yield from (ox.Triple(thing, property_, term) for term in said.get(field.name, []))
    for iri, texts in page.labels.items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text)


def field_property(field: ListField, base: str) -> ox.NamedNode | None:
    """The property that a field shows; None where it is computed."""
    named = {"type": "rdf:type", "label": "rdfs:label"}.get(field.name, field.property)
    return expand_curie(named, base) if named else None
