"""Terms of a query that the graph does not have, and literals that it has in another guise."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.literals import build_typed_literal
from ...rdf.namespaces import OWL_NAMESPACE, RDF_NAMESPACE, RDF_TYPE, RDFS_NAMESPACE, shorten_iri
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN, SparqlToken
from ...store.store import Store
from ...text import find_near_names
from .parser import SyntaxNode
from .patterns import PatternTerm, TriplePattern, TriplePatternReader

MAX_STORE_LOOKUPS = 60  # of the store, for a query
MAX_TERM_GUESSES = 5  # at what could be meant, which take a few milliseconds each
UNQUERIED_RULES = ("Template", "Service")  # what is asked of others, or made
GUESSED_LANGUAGES = ("en", "fr", "es", "ru", "ar", "zh")
CLASS_TYPES = (f"{OWL_NAMESPACE}Class", f"{RDFS_NAMESPACE}Class")
PROPERTY_TYPES = (
    *(f"{OWL_NAMESPACE}{kind}Property" for kind in ("Object", "Datatype", "Annotation")),
    f"{RDF_NAMESPACE}Property",
)
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

TermHint = tuple[SparqlToken, str]  # where, and the sentence
GroundTerm = ox.NamedNode | ox.Literal
NearTermFinder = Callable[[str], Sequence[str]]  # IRIs that are spelt nearly as one


class UnknownTermFinder:
    """One look through a query, with a bound on what it may ask of the store."""

    def __init__(self, source: TriplePatternReader, store: Store, base: str, near: NearTermFinder) -> None:
        """Look through `source`; terms are shown with the prefixes of the graph at `base`."""
        self.reader = source
        self.store = store
        self.base = base
        self.find_near_terms = near
        self.lookups_left, self.guesses_left = MAX_STORE_LOOKUPS, MAX_TERM_GUESSES
        self.seen_terms: set[tuple[str, PatternTerm]] = set()
        self.is_optional = False  # whether what is looked at now may be lacking

    def find_hints(self) -> Iterator[TermHint]:
        """Where a term stands that finds nothing, with what could be meant."""
        todo = [(self.reader.tree, False, False)]
        while todo:
            node, absent, self.is_optional = todo.pop()
            match node.rule:
                case "Triples":
                    for pattern in self.reader.read_patterns(node):
                        yield from (
                            self.check_negated_pattern(pattern) if absent else self.check_pattern(pattern)
                        )
                case "Graph" | "Dataset":
                    yield from self.check_graph(node)
                case "Fixed" | "Function" if not any(True for _ in node.nodes("Arguments")):
                    yield from self.check_values(node)
            absent = absent or node.rule in ("Exists", "Minus")
            inner = (
                part
                for part in node.parts
                if isinstance(part, SyntaxNode) and part.rule not in UNQUERIED_RULES
            )
            optional = self.is_optional or node.rule == "Optional"
            todo += [(part, absent, optional) for part in reversed(list(inner))]

    def check_negated_pattern(self, pattern: TriplePattern) -> Iterator[TermHint]:
        """The terms of a pattern that is not to be found: that there is no such statement is no slip."""
        for term, place in zip(pattern[:3], pattern.first_tokens, strict=True):
            if isinstance(term, ox.NamedNode):
                yield from self.check_term(term, place)

    def check_pattern(self, pattern: TriplePattern) -> Iterator[TermHint]:
        """The terms of a pattern that no statement has in their place."""
        subject, predicate, object_, (first, second, third) = pattern
        if isinstance(subject, ox.Literal):
            yield first, "A literal is never a subject, so this statement finds nothing."
        if isinstance(subject, ox.NamedNode):
            yield from self.check_term(subject, first)
        if isinstance(predicate, SyntaxNode):
            for token in predicate.all_tokens("iri", "name"):
                yield from self.check_property(self.reader.terms[token.text], token)
        if not isinstance(predicate, ox.NamedNode):
            return
        missing = [*self.check_property(predicate, second)]
        yield from missing
        if not missing:
            yield from self.check_object(predicate, object_, third)

    def check_object(
        self, predicate: ox.NamedNode, term: PatternTerm, place: SparqlToken
    ) -> Iterator[TermHint]:
        """The object of a property that there is."""
        if predicate == RDF_TYPE and isinstance(term, ox.NamedNode):
            if self.is_first_use("class", term) and not self.has_statement(None, RDF_TYPE, term):
                yield from self.hint_unused_term(
                    term, place, CLASS_TYPES, "is the class of nothing in the graph"
                )
        elif isinstance(term, ox.NamedNode):
            yield from self.check_term(term, place)
        elif isinstance(term, ox.Literal):
            yield from self.check_literal(predicate, term, place)

    def check_property(self, term: PatternTerm, place: SparqlToken) -> Iterator[TermHint]:
        """A property that no statement has."""
        if (
            isinstance(term, ox.NamedNode)
            and self.is_first_use("property", term)
            and not self.has_statement(None, term, None)
        ):
            yield from self.hint_unused_term(
                term, place, PROPERTY_TYPES, "is the property of no statement in the graph"
            )

    def hint_unused_term(
        self, term: ox.NamedNode, place: SparqlToken, kinds: Sequence[str], what: str
    ) -> Iterator[TermHint]:
        """A term that is used nowhere: no slip where it is declared, and not told where it may lack."""
        if not any(self.has_statement(term, RDF_TYPE, ox.NamedNode(kind)) for kind in kinds):
            yield place, self.build_sentence(term, what)
        elif not self.is_optional:
            yield place, f"{self.format_term(term)} is declared, and {what}."

    def check_term(self, term: ox.NamedNode, place: SparqlToken) -> Iterator[TermHint]:
        """A thing of which no statement tells."""
        if self.is_first_use("thing", term) and not self.has_term(term):
            yield place, self.build_sentence(term, "does not occur in the graph")

    def check_values(self, node: SyntaxNode) -> Iterator[TermHint]:
        """IRIs that are compared or given as data."""
        before = ""
        for token in node.tokens("iri", "name", "mark"):
            term = self.reader.terms.get(token.text)
            if before != "^^" and isinstance(term, ox.NamedNode):
                yield from self.check_term(term, token)
            before = token.text

    def check_graph(self, node: SyntaxNode) -> Iterator[TermHint]:
        """A graph that is not there."""
        for part in (node, *node.nodes("Term")):
            for token in part.tokens("iri", "name"):
                term = self.reader.terms[token.text]
                if (
                    self.is_first_use("graph", term)
                    and not self.exceeds_lookups()
                    and not self.store.has_graph(term.value)
                ):
                    yield (
                        token,
                        f"There is no graph {self.format_term(term)}. "
                        "The address /graphs lists those that are.",
                    )

    def check_literal(
        self, predicate: ox.NamedNode, literal: ox.Literal, place: SparqlToken
    ) -> Iterator[TermHint]:
        """A literal that the property has with another language or type, or as an IRI."""
        if not self.is_first_use(str(predicate), literal) or self.has_statement(None, predicate, literal):
            return
        for other in iter_literal_variants(literal):
            if self.lookups_left and self.has_statement(None, predicate, other):
                yield place, f"No {self.format_term(predicate)} is {literal}; the graph has {other}."
                return

    def is_first_use(self, role: str, term: PatternTerm) -> bool:
        """Whether a term is met for the first time in a role."""
        met = (role, term) in self.seen_terms
        self.seen_terms.add((role, term))
        return not met

    def exceeds_lookups(self) -> bool:
        """Count a look-up; whether there were too many."""
        self.lookups_left = max(0, self.lookups_left - 1)
        return not self.lookups_left

    def has_statement(
        self, subject: ox.NamedNode | None, predicate: ox.NamedNode | None, object_: GroundTerm | None
    ) -> bool:
        """Whether the store has such a statement in any graph; yes where it may not be asked any more."""
        return self.exceeds_lookups() or self.store.has_statement(subject, predicate, object_)

    def has_term(self, term: ox.NamedNode) -> bool:
        """Whether any statement has the term."""
        return (
            self.has_statement(term, None, None)
            or self.has_statement(None, None, term)
            or self.has_statement(None, term, None)
        )

    def build_sentence(self, term: ox.NamedNode, what: str) -> str:
        """What is wrong with a term, and which one is near."""
        self.guesses_left -= 1
        others = (
            one
            for one in (self.find_near_terms(term.value) if self.guesses_left >= 0 else ())
            if one != term.value
        )
        near = next((one for one in others if self.has_term(ox.NamedNode(one))), None)
        meant = f" Did you mean {shorten_iri(near, self.base)}?" if near else ""
        return f"{self.format_term(term)} {what}.{meant}"

    def format_term(self, term: GroundTerm) -> str:
        """A term for a person."""
        return shorten_iri(term.value, self.base) if isinstance(term, ox.NamedNode) else str(term)


def iter_literal_variants(literal: ox.Literal) -> Iterator[GroundTerm]:
    """The same text as other terms."""
    text = literal.value
    if literal.language or literal.datatype != ox.Literal("").datatype:
        yield ox.Literal(text)
    yield from (ox.Literal(text, language=one) for one in GUESSED_LANGUAGES)
    yield from (build_typed_literal(text, one) for one in GUESSED_DATATYPES)
    if ABSOLUTE_IRI_PATTERN.fullmatch(text):
        yield ox.NamedNode(text)


def find_near_terms(iri: str) -> list[str]:
    """Terms of the shipped graph whose spelling is near to that of an IRI in the same namespace."""
    space, name = split_term_iri(iri)
    return [space + one for one in find_near_names(name, list_shipped_names().get(space, ()), 3, 0.7)]


@cache
def list_shipped_names() -> dict[str, list[str]]:
    """The names of the terms of the shipped graph, by namespace."""
    found: dict[str, set[str]] = {}
    for triple in (*shipped.shipped_ontology(), *shipped.shipped_facts()):
        for term in triple if triple.predicate == RDF_TYPE else (triple.subject, triple.predicate):
            if isinstance(term, ox.NamedNode):
                space, name = split_term_iri(term.value)
                found.setdefault(space, set()).add(name)
    return {space: sorted(held) for space, held in found.items()}


def split_term_iri(iri: str) -> tuple[str, str]:
    """An IRI as its namespace and the name in it."""
    cut = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
    return iri[:cut], iri[cut:]
