"""A page of list results: parsed from the TSV of its query, and serialized as JSON, CSV and triples.

CSV has one row per item, with texts in English, or else in the language that `rdf.labels` ranks first. Links
to other pages are link relations (RFC 8288).
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, Protocol

import pyoxigraph as ox
from wgig_client.literals import parse_xsd_text, term_text

from ..rdf.labels import label_sort_key
from ..rdf.namespaces import RDFS_LABEL, expand_curie, shorten_iri
from ..store.labels import build_language_map
from ..store.view import parse_tsv_terms, split_tsv_cells
from ..text import natural_sort_key, serialize_csv_rows
from .fields import COUNT_TYPE, ListField
from .query import CountsByField, ListRequest

MAX_KEPT_PAGES, MAX_KEPT_PAGE_BYTES = 16, 256 * 1024  # of their TSV; the terms take ten times as many


@dataclass(frozen=True, eq=False)  # a key of caches by its identity
class ListPage:
    """A page of a list: the number of items on all pages, and by IRI and field the terms of its resources.

    `labels` has the labels in all languages of the values that are resources, by IRI.
    """

    total: int
    resources: dict[str, dict[str, list[Any]]]
    labels: dict[str, list[ox.Literal]]


def parse_list_page(tsv: bytes) -> ListPage:
    """The page from the TSV results of `build_list_query`: total, id, field, value, label of the value.

    A row may also have the label of a value alone, without a resource.

    Do not change it. The last ones are kept, for other languages and formats, and because most writes change
    no list.
    """
    is_short = len(tsv) <= MAX_KEPT_PAGE_BYTES
    return parse_short_list_page(sort_value_rows(tsv)) if is_short else parse_page_rows(tsv)


def sort_value_rows(tsv: bytes) -> bytes:
    """The results with the rows of each resource sorted, because the engine returns them in any order."""
    head, *rows = tsv.removesuffix(b"\n").split(b"\n")
    groups = groupby(rows, key=lambda row: row.split(b"\t", 2)[1])
    return b"\n".join([head, *chain.from_iterable(sorted(group) for _, group in groups), b""])


@lru_cache(MAX_KEPT_PAGES)
def parse_short_list_page(tsv: bytes) -> ListPage:
    """The page from short results."""
    return parse_page_rows(tsv)


def parse_page_rows(tsv: bytes) -> ListPage:
    """The page from results of any length."""
    total = ""
    # Dicts with values None are sets that keep the order.
    resources: dict[str, dict[str, dict[str, None]]] = {}
    labels: dict[str, dict[str, None]] = {}
    for total_cell, resource, name, value, label in split_tsv_cells(tsv):
        if total_cell:
            total = total_cell
            continue
        if resource:
            resources.setdefault(resource, {}).setdefault(name, {})[value] = None
        if label:
            labels.setdefault(value, {})[label] = None
    all_values = [values for fields in resources.values() for values in fields.values()]
    field_names = {name for fields in resources.values() for name in fields}
    term_by_tsv = parse_tsv_terms(chain([total], resources, field_names, *all_values, *labels.values()))
    return ListPage(
        int(term_by_tsv[total].value),
        {
            term_by_tsv[resource].value: {
                term_by_tsv[name].value: sort_field_values([term_by_tsv[value] for value in values])
                for name, values in fields.items()
            }
            for resource, fields in resources.items()
        },
        {
            term_by_tsv[resource].value: sorted((term_by_tsv[text] for text in texts), key=label_sort_key)
            for resource, texts in labels.items()
        },
    )


def sort_field_values(values: list[Any]) -> list[Any]:
    """The values of a field in natural order."""
    return sorted(values, key=lambda term: natural_sort_key(str(term))) if len(values) > 1 else values


def add_counts(list_request: ListRequest, page: ListPage, counts: CountsByField) -> ListPage:
    """The page with the values of the requested count fields."""
    names = [field.name for field in list_request.fields if field.type == COUNT_TYPE]
    resources = {
        iri: terms_by_field | {name: [ox.Literal(counts[name].get(iri, 0))] for name in names}
        for iri, terms_by_field in page.resources.items()
    }
    return replace(page, resources=resources) if names else page


CSV_VALUE_SEPARATOR = " | "  # between the values in a cell, as in the example queries


class CountedPage(Protocol):
    """A page of a list with the total of the list."""

    @property
    def total(self) -> int:
        """The number of items on all pages."""


def count_list_pages(list_request: ListRequest, page: CountedPage) -> int:
    """The number of pages, at least 1."""
    return max(1, -(-page.total // list_request.size))


def list_page_relations(list_request: ListRequest, page: CountedPage) -> dict[str, int]:
    """The numbers of the related pages that exist, by link relation (RFC 8288)."""
    last_page = count_list_pages(list_request, page)
    numbers = {"first": 1, "prev": list_request.page - 1, "next": list_request.page + 1, "last": last_page}
    return {rel: number for rel, number in numbers.items() if 1 <= number <= last_page}


def serialize_list_json(list_request: ListRequest, page: ListPage, base: str, links: dict[str, str]) -> bytes:
    """The page as JSON: its number, size, total and links, and the items without empty fields."""
    references = build_label_references(page) | shorten_class_names(page, base)
    document = {
        "total": page.total,
        "page": list_request.page,
        "pages": count_list_pages(list_request, page),
        "size": list_request.size,
        "links": links,
        "items": [
            {
                "id": iri,
                **{
                    field.name: build_field_json(field, terms_by_field[field.name], references)
                    for field in list_request.fields
                    if field.name in terms_by_field
                },
            }
            for iri, terms_by_field in page.resources.items()
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def build_label_references(page: ListPage) -> dict[str, Any]:
    """JSON objects with `id` and `label` of the resources that have labels, by IRI."""
    return {iri: {"id": iri, "label": build_language_map(texts)} for iri, texts in page.labels.items()}


def shorten_class_names(page: ListPage, base: str) -> dict[str, str]:
    """The names in the JSON-LD context of the classes on the page, by IRI."""
    classes = {
        term.value for terms_by_field in page.resources.values() for term in terms_by_field.get("type", [])
    }
    return {iri: shorten_iri(iri, base).removeprefix("wgig:") for iri in classes}


def build_field_json(field: ListField, terms: list[Any], references: dict[str, Any]) -> Any:
    """The JSON of a field: texts by language, a list for a field with `many`, else the single value.

    If sources differ, a field without `many` has several values, and is a list, too.
    """
    if field.type == "text":
        return build_language_map(terms)
    values = [build_value_json(field, term, references) for term in terms]
    return values if field.many or len(values) > 1 else values[0]


def build_value_json(field: ListField, term: Any, references: dict[str, Any]) -> Any:
    """The JSON of a value; `references` are the JSON of resources by IRI."""
    if isinstance(term, ox.NamedNode):
        return references.get(term.value) or {"id": term.value}
    text = term_text(term)
    if field.type in ("integer", "boolean", COUNT_TYPE):
        with suppress(ValueError):
            return parse_xsd_text(text, "boolean" if field.type == "boolean" else "integer")
    return text


def serialize_list_csv(list_request: ListRequest, page: ListPage, base: str) -> bytes:
    """The page as CSV, a row per resource."""
    classes = shorten_class_names(page, base)
    rows: list[list[str]] = [["id", *(field.name for field in list_request.fields)]]
    for iri, terms_by_field in page.resources.items():
        cells = (
            CSV_VALUE_SEPARATOR.join(build_csv_cell(field, terms_by_field.get(field.name, []), classes))
            for field in list_request.fields
        )
        rows.append([iri, *cells])
    return serialize_csv_rows(rows)


def build_csv_cell(field: ListField, terms: list[Any], classes: dict[str, str]) -> list[str]:
    """The values of a field for a CSV cell; of texts, only those in the best language."""
    if field.type == "class":
        return [classes[term.value] for term in terms]
    if field.type == "text":
        texts = sorted((term for term in terms if isinstance(term, ox.Literal)), key=label_sort_key)
        # The first item of the key is the rank of the language.
        return [text.value for text in texts if label_sort_key(text)[0] == label_sort_key(texts[0])[0]]
    return list(map(term_text, terms))


def iter_list_triples(list_request: ListRequest, page: ListPage, base: str) -> Iterator[ox.Triple]:
    """The page as RDF: list membership, labels, and the fields that are properties (`field_property`)."""
    for iri, terms_by_field in page.resources.items():
        resource = ox.NamedNode(iri)
        yield ox.Triple(
            ox.NamedNode(base + list_request.definition.name), expand_curie("rdfs:member"), resource
        )
        for field in list_request.fields:
            property_ = field_property(field, base)
            if property_:
                yield from (
                    ox.Triple(resource, property_, term) for term in terms_by_field.get(field.name, [])
                )
    for iri, texts in page.labels.items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text)


def field_property(field: ListField, base: str) -> ox.NamedNode | None:
    """The property of a field; None for a field with a path or pattern, except for the type and label."""
    curie = {"type": "rdf:type", "label": "rdfs:label"}.get(field.name, field.property)
    return expand_curie(curie, base) if curie else None
