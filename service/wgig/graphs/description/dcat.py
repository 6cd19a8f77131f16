"""The catalog of datasets, distributions, services and profiles, as DCAT 3 that conforms to DCAT-AP.

The catalog does not repeat title, description, license and sources of a named graph, which that graph states.
"""

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

import pyoxigraph as ox

from ..._version import __released__
from ...rdf.formats import GZIP, N_QUADS, TRIG, TURTLE, ZSTD
from ...rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DCTERMS_TITLE,
    LICENSE_IRI,
    RDF_TYPE,
    SH_NAMESPACE,
    expand_curie,
)
from ...resources.profiles import default_profile, profile_triples
from ...settings import SERVICE_TITLE
from .void import DATASET_DESCRIPTION, DATASET_TITLE, VoidDescription

SHACL_STANDARD = ox.NamedNode(SH_NAMESPACE)
W3C_REPORTS_IRI = "https://www.w3.org/TR/"

PUBLISHER_NAME = f"Contributors to the {SERVICE_TITLE}"
DATASET_KEYWORDS = ("Internet governance", "issue papers", "United Nations", "WGIG", "WSIS")
DATASET_LICENSE = ox.NamedNode(LICENSE_IRI)
DATASET_ISSUED_DATE = ox.Literal(__released__, datatype=expand_curie("xsd:date"))

# Concepts of the EU authority tables, which DCAT-AP uses.
EU_AUTHORITY_IRI = "http://publications.europa.eu/resource/authority/"
EU_PUBLIC_ACCESS, EU_ENGLISH_LANGUAGE, EU_DATA_THEMES = (
    ox.NamedNode(EU_AUTHORITY_IRI + name) for name in ("access-right/PUBLIC", "language/ENG", "data-theme")
)
DATASET_THEMES = {
    ox.NamedNode(f"{EU_AUTHORITY_IRI}data-theme/{code}"): label
    for code, label in (("GOVE", "Government and public sector"), ("INTR", "International issues"))
}

# The dumps in the catalog, as (syntax, compression).
DCAT_DUMP_FORMATS = tuple(product((N_QUADS, TRIG), (GZIP, ZSTD)))
LDES_STANDARD_IRI = "https://w3id.org/ldes/specification"
# Path, title, description, IRI of the standard, path of the description of the endpoint.
DATA_SERVICES = (
    ("sparql", "SPARQL", "Queries (SPARQL 1.1 Protocol).", f"{W3C_REPORTS_IRI}sparql11-protocol/", "sparql"),
    (
        "graphs",
        "Graphs",
        "Each graph (Graph Store Protocol).",
        f"{W3C_REPORTS_IRI}sparql11-http-rdf-update/",
        "openapi.json",
    ),
    (
        "",
        "Lists and resources",
        "Typed JSON and CSV.",
        "https://spec.openapis.org/oas/v3.1.0",
        "openapi.json",
    ),
    (
        "reconcile",
        "Reconciliation",
        "Match names in tables to resources.",
        "https://reconciliation-api.github.io/specs/0.2/",
        "reconcile",
    ),
    (
        "oai",
        "Metadata harvesting",
        "Records in Dublin Core and RDF, by kind and date of change (OAI-PMH).",
        "http://www.openarchives.org/OAI/openarchivesprotocol.html",
        "oai?verb=Identify",
    ),
)

# Resources of the default profile (Profiles Vocabulary, PROF): path, title, role, standard.
PROFILE_RESOURCES = (
    ("ontology", "Terms", "vocabulary", ox.NamedNode("http://www.w3.org/2002/07/owl#")),
    ("shapes", "Shapes to which each fact conforms", "validation", SHACL_STANDARD),
    ("context.jsonld", "JSON-LD context", "mapping", ox.NamedNode(f"{W3C_REPORTS_IRI}json-ld11/")),
)


class DcatCatalog:
    """The catalog as triples."""

    def __init__(self, base: str) -> None:
        """The catalog of a store whose IRIs begin with `base`."""
        self.base = base
        self.graph = ox.NamedNode(f"{base}graph/dcat")  # the graph with these triples
        self.dataset = VoidDescription(base).dataset
        self.node = ox.NamedNode(f"{base}catalog")  # the catalog itself

    def catalog_triples(self, graphs: set[str]) -> Iterator[ox.Triple]:
        """The triples of the catalog if the store has these named graphs."""
        yield ox.Triple(self.node, RDF_TYPE, expand_curie("dcat:Catalog"))
        yield ox.Triple(self.node, DCTERMS_TITLE, english_literal(f"Catalog: {DATASET_TITLE}"))
        yield ox.Triple(
            self.node,
            DCTERMS_DESCRIPTION,
            english_literal("The data, services and profiles of this site."),
        )
        yield ox.Triple(self.node, expand_curie("foaf:homepage"), ox.NamedNode(self.base))
        yield ox.Triple(self.node, expand_curie("dcterms:license"), DATASET_LICENSE)
        yield ox.Triple(self.node, expand_curie("dcat:themeTaxonomy"), EU_DATA_THEMES)
        yield ox.Triple(self.node, expand_curie("dcat:dataset"), self.dataset)
        yield from self.dataset_triples()
        for node in (self.node, self.dataset):
            yield ox.Triple(
                node, expand_curie("dcterms:publisher"), ox.NamedNode(f"{self.node.value}#publisher")
            )
            yield ox.Triple(node, expand_curie("dcterms:issued"), DATASET_ISSUED_DATE)
            yield ox.Triple(node, expand_curie("dcterms:language"), EU_ENGLISH_LANGUAGE)
        for service in DATA_SERVICES:
            yield from self.service_triples(*service)
        yield from self.profile_triples()
        yield from self.referenced_triples()
        for graph in graphs:
            yield from self.graph_triples(graph)

    def dataset_triples(self) -> Iterator[ox.Triple]:
        """The triples about the dataset of all graphs, its dumps and its event stream."""
        yield ox.Triple(self.dataset, RDF_TYPE, expand_curie("dcat:Dataset"))
        yield ox.Triple(self.dataset, DCTERMS_TITLE, english_literal(DATASET_TITLE))
        yield ox.Triple(self.dataset, DCTERMS_DESCRIPTION, english_literal(DATASET_DESCRIPTION))
        yield ox.Triple(self.dataset, expand_curie("dcterms:accessRights"), EU_PUBLIC_ACCESS)
        for keyword in DATASET_KEYWORDS:
            yield ox.Triple(self.dataset, expand_curie("dcat:keyword"), english_literal(keyword))
        for theme in DATASET_THEMES:
            yield ox.Triple(self.dataset, expand_curie("dcat:theme"), theme)
        for syntax, coding in DCAT_DUMP_FORMATS:
            name = f"{syntax.suffix}.{coding.suffix}"
            file = self.distribution_node(name)
            yield from self.distribution_triples(
                self.dataset, file, f"{self.base}dump.{name}", syntax.media_type
            )
            yield ox.Triple(file, expand_curie("dcat:downloadURL"), ox.NamedNode(f"{self.base}dump.{name}"))
            yield ox.Triple(
                file,
                DCTERMS_TITLE,
                english_literal(f"Everything as {syntax.title}, compressed by {coding.title}"),
            )
            yield ox.Triple(file, expand_curie("dcat:compressFormat"), iana_media_type(coding.media_type))
        event_stream = self.distribution_node("changes")
        yield from self.distribution_triples(
            self.dataset, event_stream, f"{self.base}changes", TRIG.media_type
        )
        yield ox.Triple(
            event_stream,
            DCTERMS_TITLE,
            english_literal("Every version of every resource, as an event stream"),
        )
        yield ox.Triple(event_stream, expand_curie("dcterms:conformsTo"), ox.NamedNode(LDES_STANDARD_IRI))

    def distribution_node(self, name: str) -> ox.NamedNode:
        """The IRI of a distribution of all graphs by name, such as `nq.gz` for a dump."""
        return ox.NamedNode(f"{self.node.value}#{name}")

    def graph_triples(self, graph: str) -> Iterator[ox.Triple]:
        """The triples about a named graph as a dataset with a distribution in Turtle."""
        node = ox.NamedNode(graph)
        yield ox.Triple(self.node, expand_curie("dcat:dataset"), node)
        yield ox.Triple(self.dataset, expand_curie("dcterms:hasPart"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("dcat:Dataset"))
        yield ox.Triple(node, expand_curie("dcterms:accessRights"), EU_PUBLIC_ACCESS)
        address = f"{self.base}graphs?graph={quote(graph, safe='')}&_mediatype={TURTLE.suffix}"
        file = ox.NamedNode(address)
        yield from self.distribution_triples(node, file, address, TURTLE.media_type)
        yield ox.Triple(file, expand_curie("dcat:downloadURL"), file)
        yield ox.Triple(
            file, DCTERMS_TITLE, english_literal(f"{graph.removeprefix(self.base)} as {TURTLE.title}")
        )

    def distribution_triples(
        self, dataset: ox.NamedNode, node: ox.NamedNode, access_url: str, media_type: str
    ) -> Iterator[ox.Triple]:
        """The triples about a distribution of a dataset."""
        yield ox.Triple(dataset, expand_curie("dcat:distribution"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("dcat:Distribution"))
        yield ox.Triple(node, expand_curie("dcat:accessURL"), ox.NamedNode(access_url))
        yield ox.Triple(node, expand_curie("dcat:mediaType"), iana_media_type(media_type))

    def service_triples(
        self, path: str, title: str, description: str, standard: str, description_path: str
    ) -> Iterator[ox.Triple]:
        """The triples about a data service, from an item of DATA_SERVICES."""
        node = ox.NamedNode(f"{self.node.value}#service-{path or 'lists'}")
        yield ox.Triple(self.node, expand_curie("dcat:service"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("dcat:DataService"))
        yield ox.Triple(node, DCTERMS_TITLE, english_literal(title))
        yield ox.Triple(node, DCTERMS_DESCRIPTION, english_literal(description))
        yield ox.Triple(node, expand_curie("dcat:endpointURL"), ox.NamedNode(self.base + path))
        yield ox.Triple(
            node, expand_curie("dcat:endpointDescription"), ox.NamedNode(self.base + description_path)
        )
        yield ox.Triple(node, expand_curie("dcat:servesDataset"), self.dataset)
        yield ox.Triple(node, expand_curie("dcterms:conformsTo"), ox.NamedNode(standard))

    def profile_triples(self) -> Iterator[ox.Triple]:
        """The triples about all profiles, and about the resources of the default profile (PROF)."""
        yield from profile_triples(self.base)
        node = ox.NamedNode(default_profile(self.base).iri)
        yield ox.Triple(self.dataset, expand_curie("dcterms:conformsTo"), node)
        for path, title, role, standard in PROFILE_RESOURCES:
            resource = ox.NamedNode(f"{self.node.value}#{path.partition('.')[0]}")
            yield ox.Triple(node, expand_curie("prof:hasResource"), resource)
            yield ox.Triple(resource, RDF_TYPE, expand_curie("prof:ResourceDescriptor"))
            yield ox.Triple(resource, DCTERMS_TITLE, english_literal(title))
            yield ox.Triple(resource, expand_curie("prof:hasRole"), expand_curie(f"prof-role:{role}"))
            yield ox.Triple(resource, expand_curie("prof:hasArtifact"), ox.NamedNode(self.base + path))
            yield ox.Triple(resource, expand_curie("dcterms:conformsTo"), standard)

    def referenced_triples(self) -> Iterator[ox.Triple]:
        """The types and names of the IRIs that the catalog refers to, which DCAT-AP requires."""
        formats = (*(format_ for pair in DCAT_DUMP_FORMATS for format_ in pair), TURTLE)
        standards = (
            LDES_STANDARD_IRI,
            default_profile(self.base).iri,
            *(standard for *_, standard, _ in DATA_SERVICES),
        )
        publisher = ox.NamedNode(f"{self.node.value}#publisher")
        nodes_by_type = {
            "dcterms:MediaType": {iana_media_type(format_.media_type) for format_ in formats},
            "dcterms:Standard": {ox.NamedNode(standard) for standard in standards},
            "dcterms:LicenseDocument": {DATASET_LICENSE},
            "dcterms:RightsStatement": {EU_PUBLIC_ACCESS},
            "dcterms:LinguisticSystem": {EU_ENGLISH_LANGUAGE},
            "foaf:Document": {ox.NamedNode(self.base)},
            "foaf:Agent": {publisher},
            "skos:Concept": set(DATASET_THEMES),
            "skos:ConceptScheme": {EU_DATA_THEMES},
        }
        for type_, nodes in nodes_by_type.items():
            for node in nodes:
                yield ox.Triple(node, RDF_TYPE, expand_curie(type_))
        yield ox.Triple(publisher, expand_curie("foaf:name"), english_literal(PUBLISHER_NAME))
        yield ox.Triple(EU_DATA_THEMES, DCTERMS_TITLE, english_literal("Data theme"))
        for theme, label in DATASET_THEMES.items():
            yield ox.Triple(theme, expand_curie("skos:prefLabel"), english_literal(label))
            yield ox.Triple(theme, expand_curie("skos:inScheme"), EU_DATA_THEMES)


def iana_media_type(media_type: str) -> ox.NamedNode:
    """The IRI of a media type at IANA."""
    return ox.NamedNode(f"https://www.iana.org/assignments/media-types/{media_type}")


def english_literal(text: str) -> ox.Literal:
    """A literal with the language tag `en`."""
    return ox.Literal(text, language="en")
