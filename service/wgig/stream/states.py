"""What the store says of a thing: the rest of each of its quads, so that two states can be compared.

A thing is whatever quads are about. A blank node is one as well: it goes by an IRI that stands for it alone
(RDF 1.1 Concepts, section 3.5), as nothing else could name it in a document of its own.
"""

from collections.abc import Callable, Iterable

import pyoxigraph as ox

Node = ox.NamedNode | ox.BlankNode
GENID = ".well-known/genid/"


def states(said: Callable[[Node], Iterable[ox.Quad]], things: Iterable[Node], base: str) -> dict[str, str]:
    """By the IRI of each thing, what is said of it as sorted N-Quads without subject; nothing: it is gone."""
    found = {named(one, base).value: (one, list[str]()) for one in things}
    quads = (without_blanks(quad, base) for node, _ in found.values() for quad in said(node))
    text = ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""
    for line in filter(None, text.decode().split("\n")):
        subject, _, rest = line.partition(" ")
        found[subject[1:-1]][1].append(rest)
    return {iri: "\n".join(sorted(lines)) for iri, (_, lines) in found.items()}


def subject(quad: ox.Quad) -> Node | None:
    """The thing that a quad is about; None where that is a triple, which RDF 1.2 does not allow."""
    return None if isinstance(quad.subject, ox.Triple) else quad.subject


def graphs_of(state: str) -> set[str]:
    """The IRIs of the graphs in which the quads of a state are."""
    ends = (line.removesuffix(" .").rpartition(" ")[2] for line in state.split("\n") if line.count(" ") > 2)
    return {end[1:-1] for end in ends if end.startswith("<")}


def named(node: Node, base: str) -> ox.NamedNode:
    """The IRI of a thing."""
    return node if isinstance(node, ox.NamedNode) else ox.NamedNode(f"{base}{GENID}{node.value}")


def without_blanks(quad: ox.Quad, base: str) -> ox.Quad:
    """A quad in which IRIs stand for its blank nodes."""
    if not any(isinstance(one, ox.BlankNode) for one in (quad.subject, quad.object, quad.graph_name)):
        return quad
    terms = (named(one, base) if isinstance(one, ox.BlankNode) else one for one in quad)
    return ox.Quad(*terms)
