"""Descriptions in other vocabularies: schema.org as JSON-LD, simple Dublin Core as XML (oai_dc).

The CONSTRUCT query of a profile maps the terms of the ontology. In schema.org, a resource is one JSON object
with the resources that it refers to nested in it; for search engines, literals become plain strings in one
language. Dublin Core has its fifteen elements in the order of OAI-PMH.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyoxigraph as ox
from wgig_client.literals import literal_value
from wgig_client.namespaces import XSD_NAMESPACE

from .._version import __version__
from ..http import language
from ..pages.rendering import find_href
from ..rdf.formats import Format
from ..rdf.namespaces import (
    LICENSE_IRI,
    RDF_TYPE,
    RDF_TYPE_IRI,
    RDFS_LABEL,
    SCHEMA_NAMESPACE,
    XSD_STRING,
    expand_curie,
)
from ..rdf.vocabulary import group_triples_by_subject
from ..settings import SERVICE_TITLE
from .profiles import Profile
from .schema_org import map_to_schema_org

MAX_CACHED_LIST_ITEMS = 5_000

DC_ELEMENTS_NAMESPACE = "http://purl.org/dc/elements/1.1/"
OAI_DC_NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC_ELEMENTS = [
    *("title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format"),
    *("identifier", "source", "language", "relation", "coverage", "rights"),
]
OAI_DC_SCHEMA_URL = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
OAI_DC_START = f"""<oai_dc:dc xmlns:oai_dc="{OAI_DC_NAMESPACE}"
           xmlns:dc="{DC_ELEMENTS_NAMESPACE}"
           xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
           xsi:schemaLocation="{OAI_DC_NAMESPACE} {OAI_DC_SCHEMA_URL}">
"""
OAI_DC_END = "</oai_dc:dc>\n"


def serialize_oai_dc(triples: Iterable[ox.Triple], iri: str) -> bytes:
    """The triples about `iri` as a document of simple Dublin Core in XML."""
    return f"{XML_DECLARATION}{build_oai_dc_element(triples, iri)}".encode()


def build_oai_dc_element(triples: Iterable[ox.Triple], iri: str) -> str:
    """The triples about `iri` as an element of simple Dublin Core, in the order of the standard."""
    resource_triples = [triple for triple in triples if triple.subject == ox.NamedNode(iri)]
    lines = {
        (DC_ELEMENTS.index(name), serialize_dc_element(name, triple.object))
        for triple in resource_triples
        if (name := triple.predicate.value.removeprefix(DC_ELEMENTS_NAMESPACE)) in DC_ELEMENTS
    }
    return OAI_DC_START + "".join(line for _, line in sorted(lines)) + OAI_DC_END


def serialize_dc_element(name: str, value: object) -> str:
    """An element as a line of XML, with the text and language of the value."""
    text = value.value if isinstance(value, (ox.Literal, ox.NamedNode)) else str(value)
    language_tag = value.language if isinstance(value, ox.Literal) else None
    language_attribute = f" xml:lang={quoteattr(language_tag)}" if language_tag else ""
    return f"  <dc:{name}{language_attribute}>{escape(text)}</dc:{name}>\n"


XSD_BOOLEAN_IRI = f"{XSD_NAMESPACE}boolean"
SCHEMA_ORG_CONTEXT = {"@vocab": SCHEMA_NAMESPACE}

SCHEMA_ORG_DESCRIPTION = (
    "The Working Group on Internet Governance of the United Nations (2004-2005): issues, papers, principles, "
    "judgments, mechanisms, meetings, agreements, deadlines and texts as linked data, each with its sources."
)

TriplesByNode = Mapping[ox.NamedNode | ox.BlankNode | ox.Triple, list[ox.Triple]]


def build_schema_document(triples: Iterable[ox.Triple], iri: str) -> dict[str, Any]:
    """The triples about `iri` and the nodes that it refers to, as one JSON-LD object of schema.org."""
    return {"@context": SCHEMA_ORG_CONTEXT, **build_resource_object(triples, iri)}


def build_resource_object(triples: Iterable[ox.Triple], iri: str) -> dict[str, Any]:
    """The schema.org object for an IRI, with the nodes that it refers to nested in it."""
    triples_by_node = group_triples_by_subject(sorted(triples, key=str))
    return build_schema_object(ox.NamedNode(iri), triples_by_node, set())


def simplify_literals(triples: Iterable[ox.Triple]) -> list[ox.Triple]:
    """The triples with all literals except booleans as plain strings, as search engines expect."""
    return [ox.Triple(triple.subject, triple.predicate, simplify_term(triple.object)) for triple in triples]


def simplify_term(term: Any) -> Any:
    """A literal that is not a boolean as a plain string; any other term unchanged."""
    is_simplified = isinstance(term, ox.Literal) and term.datatype.value != XSD_BOOLEAN_IRI
    return ox.Literal(term.value) if is_simplified else term


def build_schema_object(node: Any, triples_by_node: TriplesByNode, seen: set[Any]) -> dict[str, Any]:
    """The object for a node: its `@id`, and the triples about it unless it is in `seen` already."""
    document: dict[str, Any] = {"@id": json_ld_node_id(node)}
    if node in seen:
        return document
    seen.add(node)
    for triple in triples_by_node.get(node, ()):
        if triple.predicate.value == RDF_TYPE_IRI and isinstance(triple.object, ox.NamedNode):
            add_json_value(document, "@type", triple.object.value.removeprefix(SCHEMA_NAMESPACE))
        else:
            add_json_value(
                document,
                triple.predicate.value.removeprefix(SCHEMA_NAMESPACE),
                build_schema_value(triple.object, triples_by_node, seen),
            )
    return document


def add_json_value(document: dict[str, Any], key: str, value: Any) -> None:
    """Add a value to a key, which has a list if it has more than one value."""
    if key not in document:
        document[key] = value
    elif isinstance(document[key], list):
        document[key].append(value)
    else:
        document[key] = [document[key], value]


def build_schema_value(term: Any, triples_by_node: TriplesByNode, seen: set[Any]) -> Any:
    """The JSON-LD value of a term."""
    if not isinstance(term, ox.Literal):
        return build_schema_object(term, triples_by_node, seen)
    if term.language:
        return {"@value": term.value, "@language": term.language}
    if term.datatype == XSD_STRING:
        return term.value
    if isinstance(value := literal_value(term), bool):
        return value
    return {"@value": term.value, "@type": term.datatype.value}


def json_ld_node_id(node: Any) -> str:
    """The `@id` of a node."""
    return f"_:{node.value}" if isinstance(node, ox.BlankNode) else str(node.value)


def build_item_list(title: str, items: Iterable[Any], total: int, first: int = 1) -> dict[str, Any]:
    """A schema.org ItemList; `first` is the position of the first item in a list of `total` items."""
    return {
        "@context": SCHEMA_ORG_CONTEXT,
        "@type": "ItemList",
        "name": title,
        "numberOfItems": total,
        "itemListElement": [
            {"@type": "ListItem", "position": position, "item": item}
            for position, item in enumerate(items, first)
        ],
    }


def build_dataset_markup(
    iri: str, page_url: str, title: str, description: str, formats: Iterable[Format]
) -> dict[str, Any]:
    """A schema.org Dataset for a subset of the data that has a page and files in these formats."""
    return {
        "@context": SCHEMA_ORG_CONTEXT,
        "@type": "Dataset",
        "@id": iri,
        "name": title,
        "description": description,
        "url": {"@id": page_url},
        "license": {"@id": LICENSE_IRI},
        "isAccessibleForFree": True,
        "distribution": [
            {
                "@type": "DataDownload",
                "encodingFormat": format_.media_type,
                "contentUrl": {"@id": f"{page_url}.{format_.suffix}"},
            }
            for format_ in formats
        ],
    }


def build_catalog_markup(base: str, host_url: str, kinds: Iterable[str]) -> dict[str, Any]:
    """A schema.org DataCatalog with the whole store as a Dataset, whose keywords are the resource kinds."""
    dumps = [
        {
            "@type": "DataDownload",
            "encodingFormat": media_type,
            "contentUrl": {"@id": f"{host_url}dump.{suffix}"},
        }
        for suffix, media_type in (("trig", "application/trig"), ("nq", "application/n-quads"))
    ]
    dataset = {
        "@type": "Dataset",
        "@id": f"{base}#dataset",
        "name": "The Working Group on Internet Governance as a knowledge graph",
        "description": SCHEMA_ORG_DESCRIPTION,
        "url": {"@id": host_url},
        "license": {"@id": LICENSE_IRI},
        "version": __version__,
        "isAccessibleForFree": True,
        "keywords": list(kinds),
        "distribution": dumps,
    }
    return {
        "@context": SCHEMA_ORG_CONTEXT,
        "@type": "DataCatalog",
        "@id": f"{base}#catalog",
        "name": SERVICE_TITLE,
        "url": {"@id": host_url},
        "license": {"@id": LICENSE_IRI},
        "dataset": dataset,
    }


FOAF_PRIMARY_TOPIC = expand_curie("foaf:primaryTopic")


def map_to_profile(
    profile: Profile, pages: Mapping[str, str], triples: Iterable[ox.Triple]
) -> list[ox.Triple]:
    """The result of the CONSTRUCT query of a profile on these triples.

    `pages` has the URLs of the pages of resources, by IRI. They replace the foaf:primaryTopic triples.
    """
    store = ox.Store()
    store.extend(ox.Quad(*triple) for triple in triples if triple.predicate != FOAF_PRIMARY_TOPIC)
    store.extend(
        ox.Quad(ox.NamedNode(page_url), FOAF_PRIMARY_TOPIC, ox.NamedNode(iri))
        for iri, page_url in pages.items()
    )
    mapped = store.query(profile.query)
    assert isinstance(mapped, ox.QueryTriples)
    return list(mapped)


def resource_markup(
    iri: str, page_url: str, triples: Iterable[ox.Triple], language_ranges: Sequence[str], base: str
) -> dict[str, Any]:
    """A resource as schema.org JSON-LD for search engines: in one language, with plain strings."""
    localized_triples = language.keep_best_languages(list(triples), language_ranges)
    mapped = map_to_schema_org({iri: page_url}, localized_triples, base)
    return build_schema_document(simplify_literals(mapped), iri)


def build_list_items(
    labels: Mapping[str, ox.Literal], type_triples: Iterable[ox.Triple], host_url: str, base: str
) -> list[dict[str, Any]]:
    """The resources of a list as schema.org objects with type, name and page, for search engines."""
    types: dict[Any, set[Any]] = {}
    for triple in type_triples:
        types.setdefault(triple.subject, set()).add(triple.object)
    return [
        build_list_item(iri, label, frozenset(types.get(ox.NamedNode(iri), ())), host_url, base)
        for iri, label in labels.items()
    ]


@lru_cache(MAX_CACHED_LIST_ITEMS)
def build_list_item(
    iri: str, label: ox.Literal, types: frozenset[Any], host_url: str, base: str
) -> dict[str, Any]:
    """A resource of these classes as a schema.org object with type, name and page."""
    node = ox.NamedNode(iri)
    triples = [*(ox.Triple(node, RDF_TYPE, type_) for type_ in types), ox.Triple(node, RDFS_LABEL, label)]
    page = web_address(host_url, find_href(iri, base) or iri)
    return build_resource_object(map_to_schema_org({iri: page}, triples, base), iri)


def web_address(host_url: str, path: str) -> str:
    """The URL of a path of this service, which is served at `host_url`; any other URL unchanged."""
    return host_url.rstrip("/") + path if path.startswith("/") else path
