"""The triple patterns of a SPARQL text that parses, and what its terms mean."""

from collections.abc import Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.namespaces import OUTSIDE
from ...rdf.sparql_lexer import Token
from .parser import Node

RDF = OUTSIDE["rdf"]
TYPE, FIRST, REST, NIL = (ox.NamedNode(RDF + name) for name in ("type", "first", "rest", "nil"))

Slot = ox.NamedNode | ox.Literal | ox.BlankNode | ox.Variable


class Pattern(NamedTuple):
    """A triple pattern; where it has a path, the predicate is the node of the path.

    A blank node stands for what has no name. The `places` are the tokens with which subject, predicate and
    object begin.
    """

    subject: Slot
    predicate: Slot | Node
    object: Slot
    places: tuple[Token, Token, Token]


class Source:
    """The tree of a text, with what its terms mean."""

    def __init__(self, tree: Node, base: str) -> None:
        """Look up all terms; relative IRIs are resolved against `base`."""
        self.tree = tree
        self.terms = meanings(tree, base)

    def term(self, node: Node) -> Slot:
        """The term that a node spells."""
        spelt = spelling(node)
        if spelt[0] in "?$":
            return ox.Variable(spelt[1:])
        return ox.BlankNode(spelt[2:]) if spelt.startswith("_:") else self.terms[spelt]

    def patterns(self, triples: Node) -> list[Pattern]:
        """The patterns of a block of triples; what is within brackets comes before what is around them."""
        found: list[Pattern] = []
        subject, *properties = triples.parts
        assert isinstance(subject, Node)
        of = self.node(subject, found)
        place = next(subject.all_tokens())
        for one in properties:
            assert isinstance(one, Node)
            self.properties(of, place, one, found)
        return found

    def node(self, node: Node, found: list[Pattern]) -> Slot:
        """The term that a node stands for; the patterns within it are added to those `found`."""
        match node.rule:
            case "Term":
                return self.term(node)
            case "List":
                return self.cells(node, found)
        one = ox.BlankNode()
        for properties in node.nodes(
            "Properties"
        ):  # of a Quoted, which is no pattern of its own, there are none
            self.properties(one, next(node.all_tokens()), properties, found)
        return one

    def cells(self, node: Node, found: list[Pattern]) -> Slot:
        """The first cell of a list."""
        members = [part for part in node.parts if isinstance(part, Node)]
        cells: list[Slot] = [*(ox.BlankNode() for _ in members), NIL]
        for cell, member, rest in zip(cells, members, cells[1:], strict=False):
            places = (next(member.all_tokens()),) * 3
            found.append(Pattern(cell, FIRST, self.node(member, found), places))
            found.append(Pattern(cell, REST, rest, places))
        return cells[0]

    def properties(self, subject: Slot, place: Token, properties: Node, found: list[Pattern]) -> None:
        """Add the patterns of a subject."""
        for verb, objects in zip(properties.nodes("Verb"), properties.nodes("Objects"), strict=True):
            for one in objects.nodes("Object"):
                (value,) = (part for part in one.parts[:1] if isinstance(part, Node))
                target = self.node(value, found)
                places = place, next(verb.all_tokens()), next(one.all_tokens())
                found.append(Pattern(subject, self.predicate(verb), target, places))

    def predicate(self, verb: Node) -> Slot | Node:
        """The property or variable of a verb, or its path."""
        spelt = [*verb.all_tokens()]
        if len(spelt) > 1:
            return verb
        text = spelt[0].text
        return (
            ox.Variable(text[1:])
            if spelt[0].kind == "variable"
            else TYPE
            if text == "a"
            else self.terms[text]
        )


def spelling(node: Node) -> str:
    """How the text writes a term."""
    return "".join(token.text for token in node.all_tokens())


def meanings(tree: Node, base: str) -> dict[str, ox.NamedNode | ox.Literal]:
    """What each IRI, prefixed name and literal of a text means, by how it is written.

    Turtle writes them as SPARQL does, so the engine's parser of Turtle tells it.
    """
    prologue = " ".join(token.text for node in tree.nodes("Base", "Prefix") for token in node.all_tokens())
    spelt = dict.fromkeys(written(tree))
    lines = [f"<x:s> <x:{number}> {one} .\n" for number, one in enumerate(spelt)]
    triples = ox.parse(f"{prologue}\n{''.join(lines)}", ox.RdfFormat.TURTLE, base_iri=base)
    return dict(zip(spelt, (quad.object for quad in triples), strict=True))


def written(tree: Node) -> Iterator[str]:
    """The terms of a text as it writes them, but for those of its prologue."""
    for node in tree.walk():
        if node.rule in ("Base", "Prefix"):
            continue
        if node.rule in ("Term", "Fixed") and spelling(node)[0] not in "?$_":
            yield spelling(node)
        yield from (token.text for token in node.tokens("iri", "name"))
