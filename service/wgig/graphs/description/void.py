"""The figures of the data as VoID: the dataset with its partitions and linksets, and each named graph.

What a figure was is read from the statements, once.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import namespaces, shorten
from ...rdf.serialization import quad, term
from .statistics import WHOLE, Figures, Part

Triples = set[ox.Triple]

TITLE = "The Working Group on Internet Governance (2004-2005) as linked data"
DESCRIPTION = (
    "All graphs of the store as one, in which each triple counts once, but for the graphs void, dcat and "
    "queries, which describe the others. Kept in line with each write."
)
TYPE, VOCABULARY = term("rdf:type"), term("void:vocabulary")
COUNTED = {"class": "classes", "property": "properties"}  # partitions of the whole, and what counts them

# By the kind of a partition: how it is tied to what it is a part of, and how it says what it is about.
TIES = {
    "class": ("void:classPartition", "void:class"),
    "property": ("void:propertyPartition", "void:property"),
    "datatype": ("void-ext:datatypePartition", "void-ext:datatype"),
}


class Step(NamedTuple):
    """A figure of a part, as it was and as it is."""

    part: Part
    figure: str
    was: int
    now: int


class Void:
    """Writes figures as statements about a dataset, and reads them."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs."""
        self.base, self.known = base, namespaces(base)
        self.graph = ox.NamedNode(f"{base}graph/void")
        self.home = f"{base}.well-known/void#"
        self.shortened: dict[str, str] = {}
        self.at_hand: dict[tuple[Part, str], int] = {}  # figures, as the graph has them
        self.dataset = ox.NamedNode(f"{self.home}dataset")

    def size(self, quads: ox.Store) -> int:
        """How many triples there are by the graph."""
        found = next(quads.quads_for_pattern(self.dataset, term("void:triples"), None, self.graph), None)
        return int(found.object.value) if found else 0  # type: ignore[union-attr]

    def tells_of(self, quads: ox.Store, graph: ox.NamedNode) -> bool:
        """Whether a named graph is told of."""
        return quad(ox.Triple(self.dataset, term("void:subset"), graph), self.graph) in quads

    def always(self) -> Iterator[ox.Triple]:
        """What is so whatever the dataset holds."""
        yield ox.Triple(self.dataset, TYPE, term("void:Dataset"))
        yield ox.Triple(self.dataset, TYPE, term("sd:Dataset"))
        for name, text in (("title", TITLE), ("description", DESCRIPTION)):
            yield ox.Triple(self.dataset, term(f"dcterms:{name}"), ox.Literal(text, language="en"))
        for name, place in (
            ("void:sparqlEndpoint", "sparql"),
            ("void:dataDump", "dump.nq.gz"),
            ("void:dataDump", "dump.trig.gz"),
            ("foaf:homepage", ""),
        ):
            yield ox.Triple(self.dataset, term(name), ox.NamedNode(self.base + place))
        yield ox.Triple(self.dataset, term("void:uriSpace"), ox.Literal(self.base))

    def turned(self, quads: ox.Store, difference: Figures) -> tuple[Triples, Triples]:
        """The statements that go and those that come where figures change by so much."""
        steps = [self.step(quads, part, figure, by) for (part, figure), by in difference.items() if by]
        terms = [one for one in steps if len(one.part) == 2 and one.part[0] in COUNTED and turns(one)]
        for kind, figure in COUNTED.items():
            more = sum(bool(one.now) - bool(one.was) for one in terms if one.part[0] == kind)
            steps.append(self.step(quads, WHOLE, figure, more))
        gone = {self.figure(one, one.was) for one in steps if one.was and one.figure != "stated"}
        come = {self.figure(one, one.now) for one in steps if one.now and one.figure != "stated"}
        for one in filter(turns, steps):
            (come if one.now else gone).update(self.ties(one.part))
        if terms:
            held, now = self.vocabularies(quads, terms)
            gone, come = gone | held, come | now
        return gone - come, come - gone

    def step(self, quads: ox.Store, part: Part, figure: str, by: int) -> Step:
        """What a figure was, by the graph, and is."""
        if figure == "stated":
            return Step(part, figure, int(by < 0), int(by > 0))
        was = self.at_hand.get((part, figure))
        if was is None:
            node, property_ = self.node(part), term(f"void:{figure}")
            found = next(quads.quads_for_pattern(node, property_, None, self.graph), None)
            was = int(found.object.value) if found else 0  # type: ignore[union-attr]
        self.at_hand[part, figure] = was + by
        return Step(part, figure, was, was + by)

    def figure(self, step: Step, number: int) -> ox.Triple:
        """That a figure is such a number."""
        return ox.Triple(self.node(step.part), term(f"void:{step.figure}"), ox.Literal(number))

    def ties(self, part: Part) -> Iterator[ox.Triple]:
        """What makes a part one, and says what it is about."""
        node = self.node(part)
        match part:
            case ("linkset", host, property_):
                yield from self.linkset(node, host, property_)
            case ("license", _):
                yield ox.Triple(self.dataset, term("dcterms:license"), node)
            case ("graph", _):
                yield from self.named_graph(node)
            case (*above, kind, about):
                tie, property_ = TIES[kind]
                yield ox.Triple(self.node(tuple(above)), term(tie), node)
                yield ox.Triple(node, term(property_), ox.NamedNode(about))

    def linkset(self, node: ox.NamedNode, host: str, property_: str) -> Iterator[ox.Triple]:
        """Links by a property to things of another host (VoID, section 5)."""
        yield ox.Triple(self.dataset, term("void:subset"), node)
        yield ox.Triple(node, TYPE, term("void:Linkset"))
        yield ox.Triple(node, term("void:subjectsTarget"), self.dataset)
        yield ox.Triple(node, term("void:linkPredicate"), ox.NamedNode(property_))
        yield ox.Triple(node, term("void:objectsTarget"), ox.NamedNode(host))

    def named_graph(self, graph: ox.NamedNode) -> Iterator[ox.Triple]:
        """A named graph as a subset, and as the service calls it."""
        yield ox.Triple(self.dataset, term("void:subset"), graph)
        yield ox.Triple(self.dataset, term("sd:namedGraph"), graph)
        yield ox.Triple(graph, TYPE, term("void:Dataset"))
        yield ox.Triple(graph, TYPE, term("sd:NamedGraph"))
        yield ox.Triple(graph, term("sd:name"), graph)

    def vocabularies(self, quads: ox.Store, terms: Iterable[Step]) -> tuple[Triples, Triples]:
        """What was said of the vocabularies in use, and what is to be said once terms come and go."""
        said = quads.quads_for_pattern(self.dataset, VOCABULARY, None, self.graph)
        used: set[Part] = {
            (kind, one.object.value)  # type: ignore[union-attr]
            for kind in COUNTED
            for one in quads.quads_for_pattern(None, term(f"void:{kind}"), None, self.graph)
        }
        used -= {one.part for one in terms if not one.now}
        used |= {one.part for one in terms if one.now}
        spaces = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for _, iri in used} - {""}
        come = {ox.Triple(self.dataset, VOCABULARY, ox.NamedNode(one)) for one in spaces}
        return {one.triple for one in said}, come

    def node(self, part: Part) -> ox.NamedNode:
        """The IRI of a part."""
        if part[:1] in (("graph",), ("license",)):
            return ox.NamedNode(part[1])
        return ox.NamedNode(self.home + "/".join(map(self.short, part))) if part else self.dataset

    def short(self, word: str) -> str:
        """A word of a name, as short as its meaning allows."""
        if word not in self.shortened:
            iri = shorten(word, self.known)
            self.shortened[word] = iri if iri != word else quote(word, safe="")
        return self.shortened[word]


def main(part: Part) -> str:
    """The figure of a part that is there as long as the part."""
    if part[:1] in (("graph",), ("license",)):
        return "stated"
    return "entities" if part[:1] == ("class",) and len(part) == 2 else "triples" if part else ""


def turns(step: Step) -> bool:
    """Whether a part comes or goes by this."""
    return step.figure == main(step.part) and bool(step.was) != bool(step.now)
