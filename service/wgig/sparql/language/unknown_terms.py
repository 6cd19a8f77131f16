"""Hints on terms of a query that are not in the store, and on literals with a wrong language or datatype."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Literal, NamedTuple

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal, term_text

from ...rdf import shipped
from ...rdf.namespaces import (
    OWL_NAMESPACE,
    RDF_NAMESPACE,
    RDF_TYPE,
    RDFS_NAMESPACE,
    SKOS_NAMESPACE,
    shorten_iri,
)
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN, SparqlToken
from ...store.store import Store
from ...text import TextEdit, find_near_names
from .parser import SyntaxNode
from .patterns import PatternTerm, TriplePattern, TriplePatternReader

MAX_STORE_LOOKUPS = 60  # per query
MAX_TERM_GUESSES = 5  # searches for similar terms per query; each takes a few milliseconds
UNQUERIED_RULES = ("Template", "Service")  # their patterns are not evaluated over the store
SKOS_DEFINITION = ox.NamedNode(f"{SKOS_NAMESPACE}definition")
GUESSED_LANGUAGES = ("en", "fr", "es", "ru", "ar", "zh")
# The types of declared classes and properties.
DECLARED_TYPES = {
    "class": (f"{OWL_NAMESPACE}Class", f"{RDFS_NAMESPACE}Class"),
    "property": (
        *(f"{OWL_NAMESPACE}{name}Property" for name in ("Object", "Datatype", "Annotation")),
        f"{RDF_NAMESPACE}Property",
    ),
}
# How similar a suggested name must be: in the namespace of the unknown one, to come first, in any namespace.
MIN_SIMILARITY, MIN_HIGH_SIMILARITY, MIN_OTHER_SIMILARITY = 0.7, 0.8, 0.75
MIN_DEFINITION_WORD_CHARS = 4  # shorter words are in too many definitions
GUESSED_DATATYPES = (
    "integer",
    "date",
    "gYear",
    "decimal",
    "boolean",
    "dateTime",
    "anyURI",
    "nonNegativeInteger",
)


class TokenHint(NamedTuple):
    """A hint on a token: a sentence, and what was probably meant instead of the token, or empty.

    `edit` is for a change elsewhere in the text.
    """

    token: SparqlToken
    sentence: str
    replacement: str = ""
    edit: TextEdit | None = None


GroundTerm = ox.NamedNode | ox.Literal  # the terms that are looked up in the store
TermRole = Literal["class", "property", "term"]  # a term can be anything
NearTermFinder = Callable[
    [str, TermRole], Sequence[str]
]  # returns IRIs that a given one was probably meant as


class UnknownTermFinder:
    """Finds the terms of one query that are not in the store, with a limited number of lookups."""

    def __init__(
        self, reader: TriplePatternReader, store: Store, base: str, find_near: NearTermFinder
    ) -> None:
        """`base` is the base IRI of the service, whose prefixes shorten IRIs in hints."""
        self.reader = reader
        self.store = store
        self.base = base
        self.find_near_terms = find_near
        self.lookups_left, self.guesses_left = MAX_STORE_LOOKUPS, MAX_TERM_GUESSES
        self.seen_terms: set[tuple[str, PatternTerm]] = set()
        self.is_optional = False  # whether the current node is inside OPTIONAL

    def find_hints(self) -> Iterator[TokenHint]:
        """The tokens of the terms that match nothing, each with a hint."""
        pending = [(self.reader.tree, False, False)]
        while pending:
            node, is_negated, self.is_optional = pending.pop()
            match node.rule:
                case "Triples":
                    find_in_pattern = (
                        self.find_negated_pattern_hints if is_negated else self.find_pattern_hints
                    )
                    for pattern in self.reader.read_patterns(node):
                        yield from find_in_pattern(pattern)
                case "Graph" | "Dataset":
                    yield from self.find_graph_hints(node)
                # A function name with arguments is not a term of the data.
                case "Fixed" | "Function" if not any(True for _ in node.nodes("Arguments")):
                    yield from self.find_value_hints(node)
            is_negated = is_negated or node.rule in ("Exists", "Minus")
            inner_nodes = (
                part
                for part in node.parts
                if isinstance(part, SyntaxNode) and part.rule not in UNQUERIED_RULES
            )
            is_optional = self.is_optional or node.rule == "Optional"
            pending += [(inner, is_negated, is_optional) for inner in reversed(list(inner_nodes))]

    def find_negated_pattern_hints(self, pattern: TriplePattern) -> Iterator[TokenHint]:
        """Hints on terms of a pattern in NOT EXISTS or MINUS, where the pattern itself may match nothing."""
        for term, token in zip(pattern[:3], pattern.first_tokens, strict=True):
            if isinstance(term, ox.NamedNode):
                yield from self.find_term_hints(term, token)

    def find_pattern_hints(self, pattern: TriplePattern) -> Iterator[TokenHint]:
        """Hints on the terms of a pattern, depending on their positions."""
        subject, predicate, object_, (subject_token, predicate_token, object_token) = pattern
        if isinstance(subject, ox.Literal):
            yield TokenHint(subject_token, "A literal cannot be a subject, so this pattern finds nothing.")
        if isinstance(subject, ox.NamedNode):
            yield from self.find_term_hints(subject, subject_token)
        if isinstance(predicate, SyntaxNode):
            for token in predicate.all_tokens("iri", "name"):
                yield from self.find_property_hints(self.reader.terms[token.text], token)
        if not isinstance(predicate, ox.NamedNode):
            return
        property_hints = [*self.find_property_hints(predicate, predicate_token)]
        yield from property_hints
        if not property_hints:
            yield from self.find_object_hints(predicate, object_, object_token)

    def find_object_hints(
        self, predicate: ox.NamedNode, term: PatternTerm, token: SparqlToken
    ) -> Iterator[TokenHint]:
        """A hint on an object. The store must have statements with `predicate`."""
        if predicate == RDF_TYPE and isinstance(term, ox.NamedNode):
            if self.is_first_use("class", term) and not self.has_statement(None, RDF_TYPE, term):
                yield from self.hint_unused_term(term, token, "class", "Nothing in the graph is a {term}.")
        elif isinstance(term, ox.NamedNode):
            yield from self.find_term_hints(term, token)
        elif isinstance(term, ox.Literal):
            yield from self.find_literal_hints(predicate, term, token)

    def find_property_hints(self, term: PatternTerm, token: SparqlToken) -> Iterator[TokenHint]:
        """A hint on a property that no statement in the store has."""
        if (
            isinstance(term, ox.NamedNode)
            and self.is_first_use("property", term)
            and not self.has_statement(None, term, None)
        ):
            yield from self.hint_unused_term(
                term, token, "property", "No statement in the graph has the property {term}."
            )

    def hint_unused_term(
        self, term: ox.NamedNode, token: SparqlToken, role: TermRole, template: str
    ) -> Iterator[TokenHint]:
        """A hint on an unused class or property; `template` is the hint.

        A declared one inside OPTIONAL gets none.
        """
        if not any(self.has_statement(term, RDF_TYPE, ox.NamedNode(iri)) for iri in DECLARED_TYPES[role]):
            yield self.build_hint(term, token, template, role)
        elif not self.is_optional:
            sentence = template.format(term=self.format_term(term))
            yield TokenHint(token, f"{sentence} It is declared in the ontology.")

    def find_term_hints(self, term: ox.NamedNode, token: SparqlToken) -> Iterator[TokenHint]:
        """A hint on an IRI that does not occur in the store."""
        if self.is_first_use("term", term) and not self.has_term(term):
            yield self.build_hint(term, token, "{term} does not occur in the graph.")

    def find_value_hints(self, node: SyntaxNode) -> Iterator[TokenHint]:
        """Hints on the IRIs in an expression or in VALUES, except datatypes."""
        previous = ""
        for token in node.tokens("iri", "name", "mark"):
            term = self.reader.terms.get(token.text)
            if previous != "^^" and isinstance(term, ox.NamedNode):
                yield from self.find_term_hints(term, token)
            previous = token.text

    def find_graph_hints(self, node: SyntaxNode) -> Iterator[TokenHint]:
        """A hint on a graph that does not exist."""
        for part in (node, *node.nodes("Term")):
            for token in part.tokens("iri", "name"):
                term = self.reader.terms[token.text]
                if (
                    self.is_first_use("graph", term)
                    and not self.exceeds_lookups()
                    and not self.store.has_graph(term.value)
                ):
                    sentence = f"There is no graph {self.format_term(term)}. See the list at /graphs."
                    yield TokenHint(token, sentence)

    def find_literal_hints(
        self, predicate: ox.NamedNode, literal: ox.Literal, token: SparqlToken
    ) -> Iterator[TokenHint]:
        """A hint on a literal that is not in the store, if the same text with another language or type is."""
        if not self.is_first_use(str(predicate), literal) or self.has_statement(None, predicate, literal):
            return
        for variant in iter_literal_variants(literal):
            if self.lookups_left and self.has_statement(None, predicate, variant):
                sentence = (
                    f"No {self.format_term(predicate)} has the value {literal}; the graph has {variant}."
                )
                yield TokenHint(token, sentence)
                return

    def is_first_use(self, role: str, term: PatternTerm) -> bool:
        """Whether a term is used for the first time in a role."""
        was_seen = (role, term) in self.seen_terms
        self.seen_terms.add((role, term))
        return not was_seen

    def exceeds_lookups(self) -> bool:
        """Count a lookup, and return whether there were too many."""
        self.lookups_left = max(0, self.lookups_left - 1)
        return not self.lookups_left

    def has_statement(
        self, subject: ox.NamedNode | None, predicate: ox.NamedNode | None, object_: GroundTerm | None
    ) -> bool:
        """Whether the store has such a statement in any graph; true after too many lookups, for no hint."""
        return self.exceeds_lookups() or self.store.has_statement(subject, predicate, object_)

    def has_term(self, term: ox.NamedNode) -> bool:
        """Whether any statement contains the IRI."""
        return (
            self.has_statement(term, None, None)
            or self.has_statement(None, None, term)
            or self.has_statement(None, term, None)
        )

    def has_role(self, term: ox.NamedNode, role: TermRole) -> bool:
        """Whether a statement has the IRI in a role."""
        if role == "class":
            return self.has_statement(None, RDF_TYPE, term)
        return self.has_statement(None, term, None) if role == "property" else self.has_term(term)

    def build_hint(
        self, term: ox.NamedNode, token: SparqlToken, template: str, role: TermRole = "term"
    ) -> TokenHint:
        """The hint on a term that matches nothing, with a similar term that the store has in its role."""
        self.guesses_left -= 1
        candidates = (
            iri
            for iri in (self.find_near_terms(term.value, role) if self.guesses_left >= 0 else ())
            if iri != term.value
        )
        similar = next((iri for iri in candidates if self.has_role(ox.NamedNode(iri), role)), None)
        suggestion = f" Did you mean {shorten_iri(similar, self.base)}?" if similar else ""
        sentence = f"{template.format(term=self.format_term(term))}{suggestion}"
        namespace = split_term_iri(term.value)[0]
        return TokenHint(token, sentence, write_like_token(similar, token, namespace) if similar else "")

    def format_term(self, term: GroundTerm) -> str:
        """A term as hints show it: an IRI as a prefixed name, a literal in SPARQL."""
        return shorten_iri(term.value, self.base) if isinstance(term, ox.NamedNode) else str(term)


def write_like_token(iri: str, token: SparqlToken, namespace: str) -> str:
    """An IRI as a token is written: with the prefix of its name if this has the namespace, else in full."""
    iri_namespace, local_name = split_term_iri(iri)
    if token.kind == "iri" or iri_namespace != namespace:
        return f"<{iri}>"
    return f"{token.text.partition(':')[0]}:{local_name}"


def iter_literal_variants(literal: ox.Literal) -> Iterator[GroundTerm]:
    """Other terms with the text of a literal: with other languages or datatypes, or as an IRI."""
    text = literal.value
    if literal.language or literal.datatype != ox.Literal("").datatype:
        yield ox.Literal(text)
    yield from (ox.Literal(text, language=language) for language in GUESSED_LANGUAGES)
    yield from (build_typed_literal(text, datatype) for datatype in GUESSED_DATATYPES)
    if ABSOLUTE_IRI_PATTERN.fullmatch(text):
        yield ox.NamedNode(text)


def find_near_terms(iri: str, role: TermRole = "term") -> list[str]:
    """Terms of the bundled data that were probably meant by an IRI, the likeliest first.

    They have a similar spelling in the same namespace. A class or property may also have one in another
    namespace, or a definition with the words of the name; these precede terms that are not very similar.
    """
    namespace, name = split_term_iri(iri)
    names = list_shipped_names(role)
    own_names = names.get(namespace, ())
    near_terms = [namespace + near for near in find_near_names(name, own_names, 3, MIN_SIMILARITY)]
    if role == "term":
        return near_terms
    very_near_terms = [namespace + near for near in find_near_names(name, own_names, 3, MIN_HIGH_SIMILARITY)]
    all_names = {*chain.from_iterable(names.values())}
    other_terms = [
        other_namespace + near
        for near in find_near_names(name, all_names, 3, MIN_OTHER_SIMILARITY)
        for other_namespace, other_names in names.items()
        if near in other_names
    ]
    return [*very_near_terms, *other_terms, *find_defined_terms(name), *near_terms]


def find_defined_terms(name: str) -> list[str]:
    """The terms of the ontology whose English definitions have all words of a name, the shortest first."""
    words = split_name_words(name)
    definitions = [
        (len(term_text(triple.object)), term_text(triple.subject))
        for triple in shipped.shipped_ontology()
        if triple.predicate == SKOS_DEFINITION
        and words <= {*re.findall(r"\w+", term_text(triple.object).casefold())}
    ]
    return [iri for _, iri in sorted(definitions)] if words else []


def split_name_words(name: str) -> set[str]:
    """The words of a name such as `mainActor`; empty if one is short."""
    words = {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)}
    return words if all(len(word) >= MIN_DEFINITION_WORD_CHARS for word in words) else set()


@cache
def list_shipped_names(role: TermRole) -> dict[str, list[str]]:
    """The local names of the terms with a role in the bundled data, by namespace."""
    names: dict[str, set[str]] = {}
    for triple in chain(shipped.shipped_ontology(), shipped.shipped_facts()):
        for term in select_role_terms(triple, role):
            if isinstance(term, ox.NamedNode):
                namespace, name = split_term_iri(term.value)
                names.setdefault(namespace, set()).add(name)
    return {namespace: sorted(local_names) for namespace, local_names in names.items()}


def select_role_terms(triple: ox.Triple, role: TermRole) -> Iterable[object]:
    """The terms that have a role in a triple."""
    if role == "property":
        return (triple.predicate,)
    is_type = triple.predicate == RDF_TYPE
    if role == "class":
        return (triple.object,) if is_type else ()
    return triple if is_type else (triple.subject, triple.predicate)


def split_term_iri(iri: str) -> tuple[str, str]:
    """The namespace and the local name of an IRI."""
    name_start = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
    return iri[:name_start], iri[name_start:]
