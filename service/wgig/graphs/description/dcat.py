"""What there is to get and where, as DCAT 3 within DCAT-AP: datasets, files, services, the profile.

What a graph says of itself (title, description, license, sources) stands in that graph and is not said again.
"""

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

import pyoxigraph as ox

from ..._version import __released__
from ...rdf.formats import GZIP, N_QUADS, TRIG, TURTLE, ZSTD
from ...rdf.serialization import term
from ...resources.profiles import described, own
from .void import DESCRIPTION, TITLE, Void

TYPE, TITLED, DESCRIBED = (term(name) for name in ("rdf:type", "dcterms:title", "dcterms:description"))
SHACL = ox.NamedNode("http://www.w3.org/ns/shacl#")
W3C = "https://www.w3.org/TR/"

PUBLISHER = "Contributors to the WGIG knowledge graph"
KEYWORDS = ("Internet governance", "issue papers", "United Nations", "WGIG", "WSIS")
LICENSE = ox.NamedNode("https://creativecommons.org/licenses/by/4.0/")
RELEASED = ox.Literal(__released__, datatype=term("xsd:date"))

# Values of lists that catalogs in Europe share.
EUROPE = "http://publications.europa.eu/resource/authority/"
PUBLIC, ENGLISH, TAXONOMY = (
    ox.NamedNode(EUROPE + name) for name in ("access-right/PUBLIC", "language/ENG", "data-theme")
)
THEMES = {
    ox.NamedNode(f"{EUROPE}data-theme/{code}"): label
    for code, label in (("GOVE", "Government and public sector"), ("INTR", "International issues"))
}

# Each dump of everything: its syntax and its coding.
DUMPS = tuple(product((N_QUADS, TRIG), (GZIP, ZSTD)))
STREAM = "https://w3id.org/ldes/specification"
SERVICES = (
    ("sparql", "SPARQL", "Queries (SPARQL 1.1 Protocol).", f"{W3C}sparql11-protocol/", "sparql"),
    (
        "graphs",
        "Graphs",
        "Each graph (Graph Store Protocol).",
        f"{W3C}sparql11-http-rdf-update/",
        "openapi.json",
    ),
    ("", "Lists and things", "Typed JSON and CSV.", "https://spec.openapis.org/oas/v3.1.0", "openapi.json"),
    (
        "reconcile",
        "Reconciliation",
        "Names in tables, matched to things.",
        "https://reconciliation-api.github.io/specs/0.2/",
        "reconcile",
    ),
)

# What tells how to read and write data of this graph: its place, its title, its role, what it conforms to.
RESOURCES = (
    ("ontology", "Terms", "vocabulary", ox.NamedNode("http://www.w3.org/2002/07/owl#")),
    ("shapes", "Shapes that each fact conforms to", "validation", SHACL),
    ("context.jsonld", "JSON-LD context", "mapping", ox.NamedNode(f"{W3C}json-ld11/")),
)


class Catalog:
    """Says what there is to get, for the base of the IRIs."""

    def __init__(self, base: str) -> None:
        """Take the base."""
        self.base = base
        self.graph = ox.NamedNode(f"{base}graph/dcat")
        self.dataset = Void(base).dataset
        self.node = ox.NamedNode(f"{base}catalog")

    def whole(self, graphs: set[str]) -> Iterator[ox.Triple]:
        """The catalog while these named graphs are there."""
        yield ox.Triple(self.node, TYPE, term("dcat:Catalog"))
        yield ox.Triple(self.node, TITLED, english(f"Catalog: {TITLE}"))
        yield ox.Triple(self.node, DESCRIBED, english("Data, services and profiles to be had here."))
        yield ox.Triple(self.node, term("foaf:homepage"), ox.NamedNode(self.base))
        yield ox.Triple(self.node, term("dcterms:license"), LICENSE)
        yield ox.Triple(self.node, term("dcat:themeTaxonomy"), TAXONOMY)
        yield ox.Triple(self.node, term("dcat:dataset"), self.dataset)
        yield from self.everything()
        for one in (self.node, self.dataset):
            yield ox.Triple(one, term("dcterms:publisher"), ox.NamedNode(f"{self.node.value}#publisher"))
            yield ox.Triple(one, term("dcterms:issued"), RELEASED)
            yield ox.Triple(one, term("dcterms:language"), ENGLISH)
        for service in SERVICES:
            yield from self.service(*service)
        yield from self.profile()
        yield from self.others()
        for graph in graphs:
            yield from self.of_graph(graph)

    def everything(self) -> Iterator[ox.Triple]:
        """The dataset of all graphs, and the files that hold it."""
        yield ox.Triple(self.dataset, TYPE, term("dcat:Dataset"))
        yield ox.Triple(self.dataset, TITLED, english(TITLE))
        yield ox.Triple(self.dataset, DESCRIBED, english(DESCRIPTION))
        yield ox.Triple(self.dataset, term("dcterms:accessRights"), PUBLIC)
        for word in KEYWORDS:
            yield ox.Triple(self.dataset, term("dcat:keyword"), english(word))
        for theme in THEMES:
            yield ox.Triple(self.dataset, term("dcat:theme"), theme)
        for syntax, coding in DUMPS:
            name = f"{syntax.suffix}.{coding.suffix}"
            file = self.file(name)
            yield from self.distribution(self.dataset, file, f"{self.base}dump.{name}", syntax.media_type)
            yield ox.Triple(file, term("dcat:downloadURL"), ox.NamedNode(f"{self.base}dump.{name}"))
            yield ox.Triple(file, TITLED, english(f"Everything as {syntax.title}, packed by {coding.title}"))
            yield ox.Triple(file, term("dcat:compressFormat"), iana(coding.media_type))
        stream = self.file("changes")
        yield from self.distribution(self.dataset, stream, f"{self.base}changes", TRIG.media_type)
        yield ox.Triple(stream, TITLED, english("Every version of every thing, as an event stream"))
        yield ox.Triple(stream, term("dcterms:conformsTo"), ox.NamedNode(STREAM))

    def file(self, name: str) -> ox.NamedNode:
        """The distribution of all graphs that is called so."""
        return ox.NamedNode(f"{self.node.value}#{name}")

    def of_graph(self, graph: str) -> Iterator[ox.Triple]:
        """A named graph as a dataset that can be had as Turtle."""
        node = ox.NamedNode(graph)
        yield ox.Triple(self.node, term("dcat:dataset"), node)
        yield ox.Triple(self.dataset, term("dcterms:hasPart"), node)
        yield ox.Triple(node, TYPE, term("dcat:Dataset"))
        yield ox.Triple(node, term("dcterms:accessRights"), PUBLIC)
        asked = f"{self.base}graphs?graph={quote(graph, safe='')}&_mediatype={TURTLE.suffix}"
        file = ox.NamedNode(asked)
        yield from self.distribution(node, file, asked, TURTLE.media_type)
        yield ox.Triple(file, term("dcat:downloadURL"), file)
        yield ox.Triple(file, TITLED, english(f"{graph.removeprefix(self.base)} as {TURTLE.title}"))

    def distribution(
        self, dataset: ox.NamedNode, node: ox.NamedNode, place: str, media_type: str
    ) -> Iterator[ox.Triple]:
        """A form of a dataset that can be had at a place."""
        yield ox.Triple(dataset, term("dcat:distribution"), node)
        yield ox.Triple(node, TYPE, term("dcat:Distribution"))
        yield ox.Triple(node, term("dcat:accessURL"), ox.NamedNode(place))
        yield ox.Triple(node, term("dcat:mediaType"), iana(media_type))

    def service(
        self, path: str, title: str, description: str, standard: str, described_at: str
    ) -> Iterator[ox.Triple]:
        """A service that gives what is in the dataset."""
        node = ox.NamedNode(f"{self.node.value}#service-{path or 'lists'}")
        yield ox.Triple(self.node, term("dcat:service"), node)
        yield ox.Triple(node, TYPE, term("dcat:DataService"))
        yield ox.Triple(node, TITLED, english(title))
        yield ox.Triple(node, DESCRIBED, english(description))
        yield ox.Triple(node, term("dcat:endpointURL"), ox.NamedNode(self.base + path))
        yield ox.Triple(node, term("dcat:endpointDescription"), ox.NamedNode(self.base + described_at))
        yield ox.Triple(node, term("dcat:servesDataset"), self.dataset)
        yield ox.Triple(node, term("dcterms:conformsTo"), ox.NamedNode(standard))

    def profile(self) -> Iterator[ox.Triple]:
        """The profiles to ask for, and for our own what there is to read, write and check it (PROF)."""
        yield from described(self.base)
        node = ox.NamedNode(own(self.base).iri)
        yield ox.Triple(self.dataset, term("dcterms:conformsTo"), node)
        for place, title, role, standard in RESOURCES:
            resource = ox.NamedNode(f"{self.node.value}#{place.partition('.')[0]}")
            yield ox.Triple(node, term("prof:hasResource"), resource)
            yield ox.Triple(resource, TYPE, term("prof:ResourceDescriptor"))
            yield ox.Triple(resource, TITLED, english(title))
            yield ox.Triple(resource, term("prof:hasRole"), term(f"prof-role:{role}"))
            yield ox.Triple(resource, term("prof:hasArtifact"), ox.NamedNode(self.base + place))
            yield ox.Triple(resource, term("dcterms:conformsTo"), standard)

    def others(self) -> Iterator[ox.Triple]:
        """What those things are that the catalog names; DCAT-AP asks for it, and nobody fetches them."""
        formats = (*(one for pair in DUMPS for one in pair), TURTLE)
        standards = (STREAM, own(self.base).iri, *(standard for *_, standard, _ in SERVICES))
        publisher = ox.NamedNode(f"{self.node.value}#publisher")
        kinds = {
            "dcterms:MediaType": {iana(one.media_type) for one in formats},
            "dcterms:Standard": {ox.NamedNode(one) for one in standards},
            "dcterms:LicenseDocument": {LICENSE},
            "dcterms:RightsStatement": {PUBLIC},
            "dcterms:LinguisticSystem": {ENGLISH},
            "foaf:Document": {ox.NamedNode(self.base)},
            "foaf:Agent": {publisher},
            "skos:Concept": set(THEMES),
            "skos:ConceptScheme": {TAXONOMY},
        }
        for kind, nodes in kinds.items():
            for node in nodes:
                yield ox.Triple(node, TYPE, term(kind))
        yield ox.Triple(publisher, term("foaf:name"), english(PUBLISHER))
        yield ox.Triple(TAXONOMY, TITLED, english("Data theme"))
        for theme, label in THEMES.items():
            yield ox.Triple(theme, term("skos:prefLabel"), english(label))
            yield ox.Triple(theme, term("skos:inScheme"), TAXONOMY)


def iana(media_type: str) -> ox.NamedNode:
    """A media type by its IRI."""
    return ox.NamedNode(f"https://www.iana.org/assignments/media-types/{media_type}")


def english(text: str) -> ox.Literal:
    """A text in English."""
    return ox.Literal(text, language="en")
