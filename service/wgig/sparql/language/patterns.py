"""The triple patterns of a parsed SPARQL text, with resolved terms."""

from collections.abc import Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.namespaces import RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE
from ...rdf.sparql_lexer import SparqlToken
from .parser import SyntaxNode

PatternTerm = ox.NamedNode | ox.Literal | ox.BlankNode | ox.Variable


class TriplePattern(NamedTuple):
    """A triple pattern. The predicate of a pattern with a property path is the syntax node of the path.

    Collections and [...] become blank nodes. `first_tokens` are the first tokens of subject, predicate and
    object.
    """

    subject: PatternTerm
    predicate: PatternTerm | SyntaxNode
    object: PatternTerm
    first_tokens: tuple[SparqlToken, SparqlToken, SparqlToken]


class TriplePatternReader:
    """Reads the triple patterns of a syntax tree."""

    def __init__(self, tree: SyntaxNode, base: str) -> None:
        """Resolve all terms of the tree, relative IRIs against `base`."""
        self.tree = tree
        self.terms = resolve_query_terms(tree, base)

    def read_term(self, node: SyntaxNode) -> PatternTerm:
        """The term of a node."""
        spelling = term_spelling(node)
        if spelling[0] in "?$":
            return ox.Variable(spelling[1:])
        return ox.BlankNode(spelling[2:]) if spelling.startswith("_:") else self.terms[spelling]

    def read_patterns(self, triples: SyntaxNode) -> list[TriplePattern]:
        """The patterns of a `Triples` node. Patterns in nested [...] come before the pattern around them."""
        patterns: list[TriplePattern] = []
        subject, *properties = triples.parts
        assert isinstance(subject, SyntaxNode)
        term = self.read_node(subject, patterns)
        token = next(subject.all_tokens())
        for part in properties:
            assert isinstance(part, SyntaxNode)
            self.read_properties(term, token, part, patterns)
        return patterns

    def read_node(self, node: SyntaxNode, patterns: list[TriplePattern]) -> PatternTerm:
        """The term of a node. The patterns inside the node are added to `patterns`."""
        match node.rule:
            case "Term":
                return self.read_term(node)
            case "List":
                return self.read_list(node, patterns)
        blank_node = ox.BlankNode()
        for properties in node.nodes("Properties"):  # none for a triple term, which is not a pattern
            self.read_properties(blank_node, next(node.all_tokens()), properties, patterns)
        return blank_node

    def read_list(self, node: SyntaxNode, patterns: list[TriplePattern]) -> PatternTerm:
        """The first node of a collection. The patterns of the collection are added to `patterns`."""
        members = [part for part in node.parts if isinstance(part, SyntaxNode)]
        list_nodes: list[PatternTerm] = [*(ox.BlankNode() for _ in members), RDF_NIL]
        for list_node, member, next_node in zip(list_nodes, members, list_nodes[1:], strict=False):
            tokens = (next(member.all_tokens()),) * 3
            patterns.append(TriplePattern(list_node, RDF_FIRST, self.read_node(member, patterns), tokens))
            patterns.append(TriplePattern(list_node, RDF_REST, next_node, tokens))
        return list_nodes[0]

    def read_properties(
        self,
        subject: PatternTerm,
        subject_token: SparqlToken,
        properties: SyntaxNode,
        patterns: list[TriplePattern],
    ) -> None:
        """Add the patterns with this subject to `patterns`."""
        for verb, objects in zip(properties.nodes("Verb"), properties.nodes("Objects"), strict=True):
            for object_node in objects.nodes("Object"):
                # The other parts are annotations.
                (value,) = (part for part in object_node.parts[:1] if isinstance(part, SyntaxNode))
                term = self.read_node(value, patterns)
                tokens = subject_token, next(verb.all_tokens()), next(object_node.all_tokens())
                patterns.append(TriplePattern(subject, self.read_predicate(verb), term, tokens))

    def read_predicate(self, verb: SyntaxNode) -> PatternTerm | SyntaxNode:
        """The property or variable of a verb, or its node if it has a property path."""
        tokens = [*verb.all_tokens()]
        return verb if len(tokens) > 1 else self.read_property(tokens[0])

    def read_property(self, token: SparqlToken) -> PatternTerm:
        """The property or variable of a token in a verb."""
        if token.kind == "variable":
            return ox.Variable(token.text[1:])
        return RDF_TYPE if token.text == "a" else self.terms[token.text]


def term_spelling(node: SyntaxNode) -> str:
    """The text of the term of a node."""
    return "".join(token.text for token in node.all_tokens())


def resolve_query_terms(tree: SyntaxNode, base: str) -> dict[str, ox.NamedNode | ox.Literal]:
    """The terms of a text (IRIs, prefixed names, literals) by their spelling.

    The terms are parsed as Turtle, which spells terms as SPARQL does. Raises SyntaxError for an escape that
    only SPARQL has.
    """
    prologue = " ".join(token.text for node in tree.nodes("Base", "Prefix") for token in node.all_tokens())
    spellings = dict.fromkeys(iter_term_spellings(tree))
    lines = [f"<x:s> <x:{number}> {spelling} .\n" for number, spelling in enumerate(spellings)]
    triples = ox.parse(f"{prologue}\n{''.join(lines)}", ox.RdfFormat.TURTLE, base_iri=base)
    return dict(zip(spellings, (quad.object for quad in triples), strict=True))


def iter_term_spellings(tree: SyntaxNode) -> Iterator[str]:
    """The spellings of the terms of a text outside its prologue."""
    for node in tree.walk():
        if node.rule in ("Base", "Prefix"):
            continue
        if node.rule in ("Term", "Fixed") and term_spelling(node)[0] not in "?$_":
            yield term_spelling(node)
        yield from (token.text for token in node.tokens("iri", "name"))
