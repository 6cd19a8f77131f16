"""What there is to get and where, as DCAT 3: the dataset and each graph, dumps, services and the profile.

What a graph says of itself (title, description, license, sources) stands in that graph and is not said again.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pyoxigraph as ox

from ..formats import N_QUADS, TRIG, TURTLE, Format
from ..profiles.profile import described, own
from ..rdf import term
from .void import DESCRIPTION, TITLE, Void

TYPE, TITLED, DESCRIBED = (term(name) for name in ("rdf:type", "dcterms:title", "dcterms:description"))
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
GZIP = ox.NamedNode(f"{MEDIA_TYPES}application/gzip")
SHACL = ox.NamedNode("http://www.w3.org/ns/shacl#")

DUMPS = ((N_QUADS, "Everything as N-Quads"), (TRIG, "Everything as TriG"))
W3C = "https://www.w3.org/TR/"
SERVICES = (
    ("sparql", "SPARQL", "Queries (SPARQL 1.1 Protocol).", f"{W3C}sparql11-protocol/"),
    ("graphs", "Graphs", "Each graph (Graph Store Protocol).", f"{W3C}sparql11-http-rdf-update/"),
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
        yield ox.Triple(self.node, term("dcat:dataset"), self.dataset)
        yield ox.Triple(self.dataset, TYPE, term("dcat:Dataset"))
        yield ox.Triple(self.dataset, TITLED, english(TITLE))
        yield ox.Triple(self.dataset, DESCRIBED, english(DESCRIPTION))
        for dump, title in DUMPS:
            place = f"{self.base}dump.{dump.suffix}.gz"
            yield from self.distribution(self.dataset, f"{self.node.value}#{dump.suffix}", place, dump)
            packed = ox.NamedNode(f"{self.node.value}#{dump.suffix}")
            yield ox.Triple(packed, TITLED, english(title))
            yield ox.Triple(packed, term("dcat:compressFormat"), GZIP)
        for service in SERVICES:
            yield from self.service(*service)
        yield from self.profile()
        for graph in graphs:
            yield from self.of_graph(graph)

    def of_graph(self, graph: str) -> Iterator[ox.Triple]:
        """A named graph as a dataset that can be had as Turtle."""
        node = ox.NamedNode(graph)
        yield ox.Triple(self.node, term("dcat:dataset"), node)
        yield ox.Triple(self.dataset, term("dcterms:hasPart"), node)
        yield ox.Triple(node, TYPE, term("dcat:Dataset"))
        asked = f"{self.base}graphs?graph={quote(graph, safe='')}&_mediatype={TURTLE.suffix}"
        yield from self.distribution(node, asked, asked, TURTLE)

    def distribution(
        self, dataset: ox.NamedNode, name: str, place: str, format_: Format
    ) -> Iterator[ox.Triple]:
        """A file of a dataset in a format."""
        node = ox.NamedNode(name)
        yield ox.Triple(dataset, term("dcat:distribution"), node)
        yield ox.Triple(node, TYPE, term("dcat:Distribution"))
        yield ox.Triple(node, term("dcat:accessURL"), ox.NamedNode(place))
        yield ox.Triple(node, term("dcat:downloadURL"), ox.NamedNode(place))
        yield ox.Triple(node, term("dcat:mediaType"), ox.NamedNode(MEDIA_TYPES + format_.media_type))

    def service(self, path: str, title: str, description: str, standard: str) -> Iterator[ox.Triple]:
        """A service that gives what is in the dataset."""
        node = ox.NamedNode(f"{self.node.value}#service-{path}")
        yield ox.Triple(self.node, term("dcat:service"), node)
        yield ox.Triple(node, TYPE, term("dcat:DataService"))
        yield ox.Triple(node, TITLED, english(title))
        yield ox.Triple(node, DESCRIBED, english(description))
        yield ox.Triple(node, term("dcat:endpointURL"), ox.NamedNode(self.base + path))
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


def english(text: str) -> ox.Literal:
    """A text in English."""
    return ox.Literal(text, language="en")
