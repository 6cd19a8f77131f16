"""Terms of vocabularies, and prefixed names. The namespaces themselves are in `wgig_client.namespaces`.

Terms that more than one module uses are constants here; `expand_curie` makes the others. The graphs that
describe the store (void, dcat, queries) are named here too; their statistics leave these graphs out.
"""

import re
from functools import cache, lru_cache

import pyoxigraph as ox
from wgig_client.namespaces import (
    BASE_IRI,
    EXTERNAL_NAMESPACES,
    LOCAL_NAMESPACE_PATHS,
    namespaces_by_prefix,
)

MAX_CACHED_NAMES = 20_000  # each in expand_curie and shorten_iri
LOCAL_NAME_PATTERN = re.compile(r"\w(?:[\w.-]*[\w-])?")  # local names that need no escapes


@lru_cache(MAX_CACHED_NAMES)
def expand_curie(name: str, base: str = BASE_IRI) -> ox.NamedNode:
    """The IRI of a prefixed name such as `wgig:issue`. Raises KeyError for an unknown prefix."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode((EXTERNAL_NAMESPACES.get(prefix) or base + LOCAL_NAMESPACE_PATHS[prefix]) + local)


@lru_cache(MAX_CACHED_NAMES)
def shorten_iri(iri: str, base: str = BASE_IRI) -> str:
    """The prefixed name of an IRI in a known namespace, else the IRI itself."""
    namespace, local = split_namespace(iri)
    return build_prefixed_name(prefixes_by_namespace(base).get(namespace, ""), local) or iri


@cache
def prefixes_by_namespace(base: str) -> dict[str, str]:
    """All prefixes by namespace; the local namespaces are below the base IRI `base`."""
    return {namespace: prefix for prefix, namespace in namespaces_by_prefix(base).items()}


def split_namespace(iri: str) -> tuple[str, str]:
    """The namespace of an IRI, up to its last `#` or `/`, and its local name."""
    end = max(iri.rfind("#"), iri.rfind("/")) + 1
    return iri[:end], iri[end:]


def build_prefixed_name(prefix: str, local: str) -> str:
    """`prefix:local`; empty without a prefix, or if the local name would need escapes."""
    return f"{prefix}:{local}" if prefix and LOCAL_NAME_PATTERN.fullmatch(local) else ""


DEFAULT_NAMESPACES = namespaces_by_prefix(BASE_IRI)
WGIG_NAMESPACE = DEFAULT_NAMESPACES["wgig"]
ID_NAMESPACE = f"{BASE_IRI}id/"
PAPER_NAMESPACE = DEFAULT_NAMESPACES["paper"]
WGIG_DIGEST = expand_curie("wgig:digest")
WGIG_ISSUE_PAPER = expand_curie("wgig:IssuePaper")
WGIG_WAIVES = expand_curie("wgig:waives")

EARL_NAMESPACE = EXTERNAL_NAMESPACES["earl"]
OWL_NAMESPACE = EXTERNAL_NAMESPACES["owl"]
PROV_NAMESPACE = EXTERNAL_NAMESPACES["prov"]
RDF_NAMESPACE = EXTERNAL_NAMESPACES["rdf"]
RDFS_NAMESPACE = EXTERNAL_NAMESPACES["rdfs"]
SCHEMA_NAMESPACE = EXTERNAL_NAMESPACES["schema"]
SH_NAMESPACE = EXTERNAL_NAMESPACES["sh"]
SKOS_NAMESPACE = EXTERNAL_NAMESPACES["skos"]

DCTERMS_DESCRIPTION = expand_curie("dcterms:description")
DCTERMS_HAS_PART = expand_curie("dcterms:hasPart")
DCTERMS_LICENSE = expand_curie("dcterms:license")
DCTERMS_MODIFIED = expand_curie("dcterms:modified")
DCTERMS_SOURCE = expand_curie("dcterms:source")
DCTERMS_TITLE = expand_curie("dcterms:title")
EARL_RESULT = expand_curie("earl:result")
PROV_ENDED_AT_TIME = expand_curie("prov:endedAtTime")
RDF_FIRST = expand_curie("rdf:first")
RDF_NIL = expand_curie("rdf:nil")
RDF_REST = expand_curie("rdf:rest")
RDF_TYPE = expand_curie("rdf:type")
RDF_TYPE_IRI = RDF_TYPE.value  # `.value` of pyoxigraph copies the text on each access
RDFS_LABEL = expand_curie("rdfs:label")
SPDX_SHA256 = expand_curie("spdx:checksumAlgorithm_sha256")
VOID_TRIPLES = expand_curie("void:triples")
XSD_DATE_TIME = expand_curie("xsd:dateTime")
XSD_STRING = expand_curie("xsd:string")
LICENSE_IRI = "https://creativecommons.org/licenses/by/4.0/"  # of the content of the project

DESCRIPTION_GRAPH_NAMES = ("void", "dcat", "queries")  # below graph/ of the base IRI


def get_description_graphs(base: str) -> frozenset[ox.NamedNode]:
    """The graphs that describe the store. The statistics in them leave these graphs out."""
    return frozenset(ox.NamedNode(f"{base}graph/{name}") for name in DESCRIPTION_GRAPH_NAMES)


OTHER_IRI_KIND = "other"
# Kinds of IRIs outside /id/, by the start of their path.
KINDS_BY_PATH = {"ontology#": "term", "shapes#": "shape", "graph/": "graph", "queries/": "query"}
KINDS_OF_PARTS = {"document": "paragraph"}  # of IRIs below a resource, such as /id/document/report/12


def kind_of_iri(iri: str, base: str) -> str:
    """The kind of a resource by its IRI.

    Below `/id/`, the first path segment, or `paragraph` below a document; else `term`, `shape`, `graph`,
    `query` or `other`.
    """
    if not iri.startswith(f"{base}id/"):
        return next(
            (kind for path, kind in KINDS_BY_PATH.items() if iri.startswith(base + path)), OTHER_IRI_KIND
        )
    kind, _, name = iri.removeprefix(f"{base}id/").partition("/")
    return KINDS_OF_PARTS.get(kind, kind) if "/" in name else kind
