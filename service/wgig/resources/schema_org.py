"""The triples of the profile schema.org, for the markup of pages.

They are those of its CONSTRUCT query in data/profiles, whose tables are read from it. Each page needs them,
and the engine would parse the text of the query again each time, which takes ten times as long.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyoxigraph as ox

from ..rdf.namespaces import DCTERMS_TITLE, RDF_TYPE, expand_curie
from .profiles import PROFILE_PREFIX_PATTERN, profiles_by_token

TABLE_PATTERN = re.compile(r"VALUES\s+\(?([?\w ]+?)\)?\s*\{([^{}]*)\}")
LINKS_PATTERN = re.compile(r"\?thing \(([^()]*)\)\? \?node")
SCHEMA_THING, SCHEMA_CREATIVE_WORK, SCHEMA_NAME, SCHEMA_URL, SCHEMA_SUBJECT_OF, SCHEMA_IS_FREE = (
    expand_curie(f"schema:{name}")
    for name in ("Thing", "CreativeWork", "name", "url", "subjectOf", "isAccessibleForFree")
)
SCHEMA_NAME_SOURCES = tuple(map(expand_curie, ("skos:prefLabel", "foaf:name", "rdfs:label")))
KIND_PROPERTIES = (RDF_TYPE, expand_curie("dcterms:type"))
SOURCE_PROPERTIES = (expand_curie("dcterms:source"), expand_curie("foaf:page"))
CITO_CITES, NAMED_GRAPH_CLASS = expand_curie("cito:cites"), expand_curie("sd:NamedGraph")

Row = tuple[ox.NamedNode, ...]
PropertyTable = tuple[tuple[ox.NamedNode, ox.NamedNode], ...]  # a property, and that of schema.org


@dataclass(frozen=True)
class SchemaTables:
    """The tables of the query, in its order.

    `links` are the properties that lead to the other described resources. `types` are by class.
    `class_properties` has the properties for each class that has some.
    """

    links: tuple[ox.NamedNode, ...]
    types: Mapping[ox.NamedNode, ox.NamedNode]
    properties: PropertyTable
    class_properties: Mapping[ox.NamedNode, PropertyTable]


@cache
def read_schema_tables(base: str) -> SchemaTables:
    """The tables of the query of the profile, for IRIs below `base`."""
    text = profiles_by_token(base)["schema.org"].query
    prefixes = dict(PROFILE_PREFIX_PATTERN.findall(text))

    def expand(name: str) -> ox.NamedNode:
        prefix, _, local = name.partition(":")
        return ox.NamedNode(prefixes[prefix] + local)

    tables = []
    for variables, cells in TABLE_PATTERN.findall(text):
        terms = [expand(name) for name in re.findall(r"[^\s()]+", cells)]
        tables.append([*zip(*[iter(terms)] * len(variables.split()), strict=True)])
    types, properties, works, work_properties, events, event_properties, containers, _ = tables
    class_properties = defaultdict[ox.NamedNode, list[Any]](list)
    for classes, rows in ((works, work_properties), (events, event_properties)):
        for (class_,) in classes:
            class_properties[class_] += rows
    for class_, property_, schema_property in containers:
        class_properties[class_].append((property_, schema_property))
    links = LINKS_PATTERN.search(text)
    assert links
    return SchemaTables(
        tuple(expand(name.strip()) for name in links[1].split("|")),
        dict(types),
        tuple(properties),
        {class_: tuple(rows) for class_, rows in class_properties.items()},
    )


def map_to_schema_org(pages: Mapping[str, str], triples: Iterable[ox.Triple], base: str) -> list[ox.Triple]:
    """The triples of the profile about the resources whose pages have these URLs, each once."""
    objects: dict[Any, dict[ox.NamedNode, list[Any]]] = {}
    for triple in triples:
        objects.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)
    tables = read_schema_tables(base)
    mapped = (
        triple
        for iri, page_url in pages.items()
        for triple in iter_resource_triples(ox.NamedNode(iri), ox.NamedNode(page_url), objects, tables)
    )
    return list(dict.fromkeys(mapped))


def iter_resource_triples(
    resource: ox.NamedNode,
    page: ox.NamedNode,
    objects: Mapping[Any, Mapping[ox.NamedNode, list[Any]]],
    tables: SchemaTables,
) -> Iterator[ox.Triple]:
    """The triples about a resource and those that it refers to; `objects` are by subject and property."""
    values = objects.get(resource, {})
    yield ox.Triple(resource, SCHEMA_URL, page)
    linked = {node for property_ in tables.links for node in values.get(property_, ())}
    for node in {resource, *linked}:
        if isinstance(node, ox.NamedNode):
            yield from iter_schema_types(node, objects.get(node, {}), tables)
        for property_ in SCHEMA_NAME_SOURCES:
            for name in objects.get(node, {}).get(property_, ()):
                yield ox.Triple(node, SCHEMA_NAME, name)
    if values.keys().isdisjoint(SCHEMA_NAME_SOURCES):
        yield from (ox.Triple(resource, SCHEMA_NAME, title) for title in values.get(DCTERMS_TITLE, ()))
    for property_ in SOURCE_PROPERTIES:
        for source in iter_iris(values.get(property_, ())):
            yield ox.Triple(resource, SCHEMA_SUBJECT_OF, source)
            yield ox.Triple(source, RDF_TYPE, SCHEMA_CREATIVE_WORK)
    for source in iter_iris(values.get(CITO_CITES, ())):
        yield ox.Triple(source, RDF_TYPE, SCHEMA_CREATIVE_WORK)
    classes = values.get(RDF_TYPE, ())
    property_tables = (tables.properties, *(tables.class_properties.get(class_, ()) for class_ in classes))
    for property_table in property_tables:
        for property_, schema_property in property_table:
            for value in values.get(property_, ()):
                yield ox.Triple(resource, schema_property, value)
    if NAMED_GRAPH_CLASS in classes:
        yield ox.Triple(resource, SCHEMA_IS_FREE, ox.Literal(True))


def iter_schema_types(
    node: ox.NamedNode, values: Mapping[ox.NamedNode, list[Any]], tables: SchemaTables
) -> Iterator[ox.Triple]:
    """The types of a resource in schema.org: Thing if no class of it has a closer one."""
    classes = [class_ for property_ in KIND_PROPERTIES for class_ in values.get(property_, ())]
    types = [tables.types[class_] for class_ in classes if class_ in tables.types]
    yield from (ox.Triple(node, RDF_TYPE, type_) for type_ in types or [SCHEMA_THING])


def iter_iris(terms: Iterable[Any]) -> Iterator[ox.NamedNode]:
    """The IRIs among the terms."""
    return (term for term in terms if isinstance(term, ox.NamedNode))
