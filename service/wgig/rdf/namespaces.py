"""Namespaces by prefix (of external vocabularies, and below the base IRI of the service), and terms in them.

Terms that more than one module uses are constants here; `expand_curie` makes the others. The graphs that
describe the store (void, dcat, queries) are named here too; their statistics leave these graphs out.
"""

import re
from functools import cache, lru_cache

import pyoxigraph as ox

from ..settings import Settings

BASE_IRI = Settings.base
EXTERNAL_NAMESPACES = {
    "altr": "http://www.w3.org/ns/dx/conneg/altr#",
    "bibo": "http://purl.org/ontology/bibo/",
    "cito": "http://purl.org/spar/cito/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "earl": "http://www.w3.org/ns/earl#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prof": "http://www.w3.org/ns/dx/prof/",
    "prof-role": "http://www.w3.org/ns/dx/prof/role/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vann": "http://purl.org/vocab/vann/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "void": "http://rdfs.org/ns/void#",
    "void-ext": "http://ldf.fi/void-ext#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
# Paths below the base IRI.
LOCAL_NAMESPACE_PATHS = {
    "wgig": "ontology#",
    "shape": "shapes#",
    "graph": "graph/",
    "agent": "id/agent/",
    "agreement": "id/agreement/",
    "agreement-kind": "id/agreement-kind/",
    "assertion": "id/assertion/",
    "audience": "id/audience/",
    "author-type": "id/author-type/",
    "bg": "id/document/background-report/",
    "category": "id/category/",
    "citation": "id/citation/",
    "claim": "id/claim/",
    "claim-kind": "id/claim-kind/",
    "concept": "id/concept/",
    "confidence": "id/confidence/",
    "contribution": "id/contribution/",
    "contribution-kind": "id/contribution-kind/",
    "contributor-type": "id/contributor-type/",
    "criterion": "id/criterion/",
    "declaration": "id/document/declaration/",
    "definition": "id/definition/",
    "disagreement": "id/disagreement/",
    "dispute": "id/dispute/",
    "doc": "id/document/",
    "form-assessment-criteria": "id/document/form/assessment-criteria/",
    "form-assessment-paper": "id/document/form/assessment-paper/",
    "form-comment-form": "id/document/form/comment-form/",
    "form-issue-paper": "id/document/form/issue-paper/",
    "form-issue-paper-as-written": "id/document/form/issue-paper-as-written/",
    "form-questionnaire-june-2005": "id/document/form/questionnaire-june-2005/",
    "group": "id/stakeholder-group/",
    "identifier": "id/identifier/",
    "inventory": "id/document/inventory/",
    "issue": "id/issue/",
    "judged-kind": "id/judged-kind/",
    "judgment": "id/judgment/",
    "label": "id/label/",
    "mechanism": "id/mechanism/",
    "mechanism-kind": "id/mechanism-kind/",
    "meeting": "id/meeting/",
    "membership": "id/membership/",
    "milestone": "id/milestone/",
    "milestone-kind": "id/milestone-kind/",
    "outcome": "id/outcome/",
    "outcome-kind": "id/outcome-kind/",
    "outline": "id/document/outline/",
    "paper": "id/paper/",
    "part-kind": "id/part-kind/",
    "participation": "id/participation/",
    "place": "id/place/",
    "plan": "id/document/plan-of-action/",
    "principle": "id/principle/",
    "profile": "id/profile/",
    "recommendation": "id/recommendation/",
    "recommendation-kind": "id/recommendation-kind/",
    "report": "id/document/report/",
    "role": "id/role/",
    "scheme": "id/scheme/",
    "session": "id/session/",
    "session-kind": "id/session-kind/",
    "software": "id/software/",
    "summary": "id/document/summary/",
    "test-result": "id/test-result/",
    "timeliness": "id/timeliness/",
    "tunis": "id/document/tunis-agenda/",
    "verdict": "id/verdict/",
    "view-holder": "id/view-holder/",
    "write": "id/write/",
    "writer": "id/writer/",
}
MAX_CACHED_NAMES = 20_000  # each in expand_curie and shorten_iri
LOCAL_NAME_PATTERN = re.compile(r"\w(?:[\w.-]*[\w-])?")  # local names that need no escapes


@lru_cache(100)  # any IRI can be a base
def namespaces_by_prefix(base: str) -> dict[str, str]:
    """All namespaces by prefix; the local ones are below the base IRI `base`. Do not change the result."""
    return EXTERNAL_NAMESPACES | {prefix: base + path for prefix, path in LOCAL_NAMESPACE_PATHS.items()}


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

DCTERMS_NAMESPACE = EXTERNAL_NAMESPACES["dcterms"]
EARL_NAMESPACE = EXTERNAL_NAMESPACES["earl"]
OWL_NAMESPACE = EXTERNAL_NAMESPACES["owl"]
PROV_NAMESPACE = EXTERNAL_NAMESPACES["prov"]
RDF_NAMESPACE = EXTERNAL_NAMESPACES["rdf"]
RDFS_NAMESPACE = EXTERNAL_NAMESPACES["rdfs"]
SCHEMA_NAMESPACE = EXTERNAL_NAMESPACES["schema"]
SH_NAMESPACE = EXTERNAL_NAMESPACES["sh"]
SKOS_NAMESPACE = EXTERNAL_NAMESPACES["skos"]
XSD_NAMESPACE = EXTERNAL_NAMESPACES["xsd"]

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
