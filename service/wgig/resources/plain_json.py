"""A resource as plain JSON: its facts with their graphs, its parts, and paged lists of incoming links."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox
from wgig_client.literals import literal_value
from wgig_client.namespaces import XSD_NAMESPACE

from ..http.bodies import Pairs, parameter_values
from ..http.parameters import add_url_parameters
from ..problems import Problem, unknown_name_problem
from ..rdf.formats import JSON
from ..rdf.namespaces import shorten_iri
from ..rdf.serialization import UnserializableError
from ..sparql.workers.description import MAX_DESCRIBED_PARTS
from ..store.labels import build_language_map, find_labels
from ..store.store import Store
from .description import (
    PARTS_CUT_MESSAGE,
    ResourceDescription,
    Statement,
    has_named_subject,
)

LABEL_CURIES = ("skos:prefLabel", "rdfs:label", "foaf:name")
RDF_TYPE_CURIE = "rdf:type"
JSON_DATATYPES = (f"{XSD_NAMESPACE}integer", f"{XSD_NAMESPACE}boolean")  # become JSON numbers and booleans
PAGE_NUMBER_PATTERN = re.compile(r"[0-9]{1,8}")
INVERSE_PAGE_RESOURCES = 50  # resources on a page of incoming links

JsonObject = dict[str, Any]
FactsByProperty = dict[str, list[JsonObject]]
# The IRIs of the resources that point to a resource, sorted, by the name of the property.
IncomingByProperty = dict[str, list[str]]


def build_resource_json(
    store: Store, description: ResourceDescription, path: str, pairs: Pairs, base: str
) -> JsonObject:
    """A resource as JSON, or with `?inverse=name&page=2` a page of the resources that point to it.

    `facts` are by the name of the property in the JSON-LD context, each with the graphs that contain it.
    `inverse` has, for each property that points here, the number of resources, the first page of them, and
    the path of the next. `path` is that of the resource in links, `pairs` are the query parameters. Raises
    Problem 400 for an unknown property, 404 for a page after the last.
    """
    incoming_links = group_incoming_links(store, description, base)
    if parameter_values(pairs, "inverse"):
        return inverse_page_json(store, description.iri, path, incoming_links, pairs)
    if parameter_values(pairs, "page"):
        raise Problem(
            400, "page needs inverse. Name the property that points here, as in ?inverse=issue&page=2."
        )
    facts = group_facts(description.statements, description, base)
    return {
        "id": description.iri,
        "type": context_class_names(description, base),
        "label": labels_by_language(description, base),
        "sources": [drop_fact_graphs(source) for source in facts.pop("dcterms:source", [])],
        "facts": {
            name: values for name, values in facts.items() if name not in (RDF_TYPE_CURIE, *LABEL_CURIES)
        },
        "parts": {
            iri: group_facts(statements, description, base) for iri, statements in description.parts.items()
        },
        "inverse": {
            property_name: build_inverse_page(store, path, property_name, iris, 1)
            for property_name, iris in incoming_links.items()
        },
        **(
            {"note": PARTS_CUT_MESSAGE % {"number": MAX_DESCRIBED_PARTS}}
            if len(description.parts) >= MAX_DESCRIBED_PARTS
            else {}
        ),
    }


def iter_json_languages(value: Any) -> Iterator[str]:
    """The language tags of the texts in plain JSON: of values with a language, and of labels by language."""
    if isinstance(value, list):
        for item in value:
            yield from iter_json_languages(item)
    elif isinstance(value, dict):
        if isinstance(value.get("language"), str):
            yield value["language"]
        if isinstance(value.get("label"), dict):
            yield from value["label"].keys() - {"@none"}
        for item in value.values():
            yield from iter_json_languages(item)


def context_class_names(description: ResourceDescription, base: str) -> list[str]:
    """The classes of a resource, by their names in the JSON-LD context."""
    types = [
        statement.object
        for statement in description.statements
        if context_term_name(statement.predicate.value, base) == RDF_TYPE_CURIE
    ]
    return [context_term_name(type_.value, base) for type_ in types if isinstance(type_, ox.NamedNode)]


def labels_by_language(description: ResourceDescription, base: str) -> dict[str, list[str]]:
    """The labels of a resource, by language."""
    labels = [
        statement.object
        for statement in description.statements
        if context_term_name(statement.predicate.value, base) in LABEL_CURIES
    ]
    return build_language_map(list(dict.fromkeys(labels)))


def context_term_name(iri: str, base: str) -> str:
    """The name of a term in the JSON-LD context: `issue` for wgig:issue, else prefixed as `dcterms:title`."""
    return shorten_iri(iri, base).removeprefix("wgig:")


def group_facts(
    statements: Iterable[Statement], description: ResourceDescription, base: str
) -> dict[str, list[JsonObject]]:
    """Statements about a node as facts, by the names of their properties."""
    facts: FactsByProperty = {}
    for statement in statements:
        fact = {**build_fact_value(statement.object, description.labels), "graphs": list(statement.graphs)}
        facts.setdefault(context_term_name(statement.predicate.value, base), []).append(fact)
    return facts


def build_fact_value(term: Any, labels: dict[str, ox.Literal]) -> JsonObject:
    """The object of a statement: a resource with its label, or a value with its language or datatype.

    Raises UnserializableError for a triple term, and for a text with a base direction.
    """
    if isinstance(term, ox.NamedNode):
        return resource_reference(term.value, labels)
    if isinstance(term, ox.BlankNode):
        return {"id": str(term)}
    if not isinstance(term, ox.Literal):
        raise UnserializableError("plain JSON has no triple terms", JSON.media_type)
    if term.direction:
        raise UnserializableError("a text has a direction", JSON.media_type)
    datatype = term.datatype.value
    fact: JsonObject = {"value": literal_value(term) if datatype in JSON_DATATYPES else term.value}
    if term.language:
        fact["language"] = term.language
    elif datatype not in (*JSON_DATATYPES, f"{XSD_NAMESPACE}string"):
        fact["datatype"] = datatype.replace(XSD_NAMESPACE, "xsd:")
    return fact


def resource_reference(iri: str, labels: dict[str, ox.Literal]) -> JsonObject:
    """The IRI of a resource, with its label if `labels` has one."""
    return {"id": iri, **({"label": build_language_map([labels[iri]])} if iri in labels else {})}


def drop_fact_graphs(fact: JsonObject) -> JsonObject:
    """A fact without its graphs."""
    return {key: value for key, value in fact.items() if key != "graphs"}


def group_incoming_links(store: Store, description: ResourceDescription, base: str) -> IncomingByProperty:
    """The IRIs of all resources that point to the described one, by the name of the property."""
    if len(description.incoming) == sum(description.incoming_counts.values()):
        links = {(statement.predicate.value, statement.subject.value) for statement in description.incoming}
    else:
        quads = filter(has_named_subject, store.match(object_=ox.NamedNode(description.iri)))
        links = {(quad.predicate.value, str(quad.subject)[1:-1]) for quad in quads}  # without < and >
    iris_by_property: IncomingByProperty = {}
    for property_, iri in sorted(links):
        iris_by_property.setdefault(context_term_name(property_, base), []).append(iri)
    return dict(sorted(iris_by_property.items()))


def inverse_page_json(
    store: Store, iri: str, path: str, incoming_links: IncomingByProperty, pairs: Pairs
) -> JsonObject:
    """A page of the resources that point here by the property `?inverse=`.

    Raises Problem 400 if none does or the page is no number, 404 for a page after the last.
    """
    property_name = parameter_values(pairs, "inverse")[0]
    number = (parameter_values(pairs, "page") or ["1"])[0]
    if property_name not in incoming_links:
        raise unknown_name_problem(f"Nothing points to <{iri}> by", property_name, incoming_links)
    last_page = -(-len(incoming_links[property_name]) // INVERSE_PAGE_RESOURCES)
    if not PAGE_NUMBER_PATTERN.fullmatch(number) or int(number) < 1:
        raise Problem(400, f"page is {number!r}. Give a whole number from 1 to {last_page}.")
    if int(number) > last_page:
        raise Problem(404, f"There is no page {number}. The last one is {last_page}.")
    return {
        "id": iri,
        "inverse": {
            property_name: build_inverse_page(
                store, path, property_name, incoming_links[property_name], int(number)
            )
        },
    }


def build_inverse_page(
    store: Store, path: str, property_name: str, all_iris: list[str], number: int
) -> JsonObject:
    """The page `number` of the resources `all_iris`, their total, and the paths of the neighboring pages."""
    iris = all_iris[(number - 1) * INVERSE_PAGE_RESOURCES : number * INVERSE_PAGE_RESOURCES]
    labels = find_labels(store, iris)
    page_numbers = {"prev": number - 1, "next": number + 1}
    links = {
        rel: add_url_parameters(f"{path}.json", [("inverse", property_name), ("page", str(page))])
        for rel, page in page_numbers.items()
        if 1 <= page <= -(-len(all_iris) // INVERSE_PAGE_RESOURCES)
    }
    return {
        "total": len(all_iris),
        "items": [resource_reference(iri, labels) for iri in iris],
        "links": links,
    }
