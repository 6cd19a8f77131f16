"""The triple patterns of a SPARQL text that parses, and what its terms mean."""

from collections.abc import Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.namespaces import RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE
from ...rdf.sparql_lexer import SparqlToken
from .parser import SyntaxNode

PatternTerm = ox.NamedNode | ox.Literal | ox.BlankNode | ox.Variable


class TriplePattern(NamedTuple):
    """A triple pattern; where it has a path, the predicate is the node of the path.

    A blank node stands for what has no name. The `first_tokens` are the tokens with which subject, predicate
    and object begin.
    """

    subject: PatternTerm
    predicate: PatternTerm | SyntaxNode
    object: PatternTerm
    first_tokens: tuple[SparqlToken, SparqlToken, SparqlToken]


class TriplePatternReader:
    """The tree of a text, with what its terms mean."""

    def __init__(self, tree: SyntaxNode, base: str) -> None:
        """Look up all terms; relative IRIs are resolved against `base`."""
        self.tree = tree
        self.terms = resolve_query_terms(tree, base)

    def read_term(self, node: SyntaxNode) -> PatternTerm:
        """The term that a node spells."""
        spelt = term_spelling(node)
        if spelt[0] in "?$":
            return ox.Variable(spelt[1:])
        return ox.BlankNode(spelt[2:]) if spelt.startswith("_:") else self.terms[spelt]

    def read_patterns(self, triples: SyntaxNode) -> list[TriplePattern]:
        """The patterns of a block of triples; what is within brackets comes before what is around them."""
        found: list[TriplePattern] = []
        subject, *properties = triples.parts
        assert isinstance(subject, SyntaxNode)
        of = self.read_node(subject, found)
        place = next(subject.all_tokens())
        for one in properties:
            assert isinstance(one, SyntaxNode)
            self.read_properties(of, place, one, found)
        return found

    def read_node(self, node: SyntaxNode, found: list[TriplePattern]) -> PatternTerm:
        """The term that a node stands for; the patterns within it are added to those `found`."""
        match node.rule:
            case "Term":
                return self.read_term(node)
            case "List":
                return self.read_list(node, found)
        one = ox.BlankNode()
        for properties in node.nodes(
            "Properties"
        ):  # of a Quoted, which is no pattern of its own, there are none
            self.read_properties(one, next(node.all_tokens()), properties, found)
        return one

    def read_list(self, node: SyntaxNode, found: list[TriplePattern]) -> PatternTerm:
        """The first cell of a list."""
        members = [part for part in node.parts if isinstance(part, SyntaxNode)]
        cells: list[PatternTerm] = [*(ox.BlankNode() for _ in members), RDF_NIL]
        for cell, member, rest in zip(cells, members, cells[1:], strict=False):
            places = (next(member.all_tokens()),) * 3
            found.append(TriplePattern(cell, RDF_FIRST, self.read_node(member, found), places))
            found.append(TriplePattern(cell, RDF_REST, rest, places))
        return cells[0]

    def read_properties(
        self, subject: PatternTerm, place: SparqlToken, properties: SyntaxNode, found: list[TriplePattern]
    ) -> None:
        """Add the patterns of a subject."""
        for verb, objects in zip(properties.nodes("Verb"), properties.nodes("Objects"), strict=True):
            for one in objects.nodes("Object"):
                (value,) = (part for part in one.parts[:1] if isinstance(part, SyntaxNode))
                target = self.read_node(value, found)
                places = place, next(verb.all_tokens()), next(one.all_tokens())
                found.append(TriplePattern(subject, self.read_predicate(verb), target, places))

    def read_predicate(self, verb: SyntaxNode) -> PatternTerm | SyntaxNode:
        """The property or variable of a verb, or its path."""
        spelt = [*verb.all_tokens()]
        if len(spelt) > 1:
            return verb
        text = spelt[0].text
        return (
            ox.Variable(text[1:])
            if spelt[0].kind == "variable"
            else RDF_TYPE
            if text == "a"
            else self.terms[text]
        )


def term_spelling(node: SyntaxNode) -> str:
    """How the text writes a term."""
    return "".join(token.text for token in node.all_tokens())


def resolve_query_terms(tree: SyntaxNode, base: str) -> dict[str, ox.NamedNode | ox.Literal]:
    """What each IRI, prefixed name and literal of a text means, by how it is written.

    Turtle writes them as SPARQL does, so the engine's parser of Turtle tells it.
    """
    prologue = " ".join(token.text for node in tree.nodes("Base", "Prefix") for token in node.all_tokens())
    spelt = dict.fromkeys(iter_term_spellings(tree))
    lines = [f"<x:s> <x:{number}> {one} .\n" for number, one in enumerate(spelt)]
    triples = ox.parse(f"{prologue}\n{''.join(lines)}", ox.RdfFormat.TURTLE, base_iri=base)
    return dict(zip(spelt, (quad.object for quad in triples), strict=True))


def iter_term_spellings(tree: SyntaxNode) -> Iterator[str]:
    """The terms of a text as it writes them, but for those of its prologue."""
    for node in tree.walk():
        if node.rule in ("Base", "Prefix"):
            continue
        if node.rule in ("Term", "Fixed") and term_spelling(node)[0] not in "?$_":
            yield term_spelling(node)
        yield from (token.text for token in node.tokens("iri", "name"))
