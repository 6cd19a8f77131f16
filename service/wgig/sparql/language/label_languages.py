"""Hints on variables for labels that have several languages, so that a resource has several rows."""

from collections.abc import Iterator
from itertools import islice

import pyoxigraph as ox

from ...rdf.labels import LABEL_PROPERTIES
from ...rdf.namespaces import RDF_TYPE
from ...rdf.sparql_lexer import SparqlToken
from ...store.store import Store
from ...text import TextEdit
from .parser import SyntaxNode
from .patterns import TriplePatternReader
from .unknown_terms import TokenHint

MAX_SAMPLED_RESOURCES = 30  # whose labels are looked up for a pattern
MAX_LABEL_PATTERNS = 2  # of a query that are looked up
EXPRESSION_RULES = ("Filter", "Bind", "As", "Aggregate", "Having")  # a variable in these may be restricted
LABEL_NODES = frozenset(map(ox.NamedNode, LABEL_PROPERTIES))


def iter_label_language_hints(reader: TriplePatternReader, store: Store) -> Iterator[TokenHint]:
    """Hints on selected labels, if resources of their class have several languages, English among them.

    The edit of a hint adds a FILTER for English to the group of the pattern.
    """
    tree = reader.tree
    selected = {
        token.text[1:]
        for node in tree.walk()
        if node.rule == "Projection"
        for token in node.tokens("variable")
    }
    restricted = {
        token.text[1:]
        for node in tree.walk()
        if node.rule in EXPRESSION_RULES
        for token in node.all_tokens("variable")
    }
    groups = [node for node in tree.walk() if node.rule == "Group"]
    patterns = [
        (group, pattern)
        for group in groups
        for triples in group.nodes("Triples")
        for pattern in reader.read_patterns(triples)
    ]
    classes = {pattern.subject: pattern.object for _, pattern in patterns if pattern.predicate == RDF_TYPE}
    label_patterns = (
        (group, pattern)
        for group, pattern in patterns
        if isinstance(pattern.predicate, ox.NamedNode) and pattern.predicate in LABEL_NODES
        if isinstance(pattern.object, ox.Variable) and pattern.object.value in selected - restricted
    )
    for group, pattern in islice(label_patterns, MAX_LABEL_PATTERNS):
        assert isinstance(pattern.predicate, ox.NamedNode)
        class_ = classes.get(pattern.subject)
        if not isinstance(class_, ox.NamedNode):  # the labels of any resource say nothing about these
            continue
        languages = find_label_languages(store, pattern.predicate, class_)
        if "en" in languages:
            yield build_language_hint(group, pattern.first_tokens[2], len(languages))


def find_label_languages(store: Store, property_: ox.NamedNode, class_: ox.NamedNode) -> set[str]:
    """The languages of the labels of those resources of a class that have several."""
    quads = store.match(None, RDF_TYPE, class_)
    languages = set[str]()
    for subject in dict.fromkeys(quad.subject for quad in islice(quads, MAX_SAMPLED_RESOURCES)):
        if isinstance(subject, ox.Triple):
            continue
        labels = (quad.object for quad in store.match(subject, property_))
        found = {label.language for label in labels if isinstance(label, ox.Literal) and label.language}
        languages |= found if len(found) > 1 else set()
    return languages


def build_language_hint(group: SyntaxNode, token: SparqlToken, count: int) -> TokenHint:
    """The hint on the variable of the labels in a group, with labels in this number of languages."""
    *_, brace = group.tokens("mark")
    condition = f'FILTER(LANG({token.text}) = "en")'
    sentence = (
        f"{token.text} has labels in {count} languages, each in a row of its own. For one: {condition}."
    )
    return TokenHint(token, sentence, edit=TextEdit(brace.start, brace.start, f"{condition} "))
