"""Terms of a query that the graph does not have, and literals that it has in another guise."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.namespaces import OUTSIDE, namespaces, shorten
from ...rdf.sparql_lexer import ABSOLUTE, Token
from ...store.store import Store
from .parser import Node
from .patterns import TYPE, Pattern, Slot, Source

LOOKUPS = 60  # of the store, for a query
GUESSES = 5  # at what could be meant, which take a few milliseconds each
ELSEWHERE = ("Template", "Service")  # what is asked of others, or made
LANGUAGES = ("en", "fr", "es", "ru", "ar", "zh")
CLASSES = (f"{OUTSIDE['owl']}Class", f"{OUTSIDE['rdfs']}Class")
PROPERTIES = (
    *(f"{OUTSIDE['owl']}{kind}Property" for kind in ("Object", "Datatype", "Annotation")),
    f"{OUTSIDE['rdf']}Property",
)
TYPES = ("integer", "date", "gYear", "decimal", "boolean", "dateTime", "anyURI", "nonNegativeInteger")

Hinted = tuple[Token, str]  # where, and the sentence
Shown = ox.NamedNode | ox.Literal
Near = Callable[[str], Sequence[str]]  # IRIs that are spelt nearly as one


class Unknown:
    """One look through a query, with a bound on what it may ask of the store."""

    def __init__(self, source: Source, store: Store, base: str, near: Near) -> None:
        """Look through `source`; terms are shown with the prefixes of the graph at `base`."""
        self.source = source
        self.store = store
        self.known = namespaces(base)
        self.near = near
        self.left, self.guesses = LOOKUPS, GUESSES
        self.met: set[tuple[str, Slot]] = set()
        self.optional = False  # whether what is looked at now may be lacking

    def hints(self) -> Iterator[Hinted]:
        """Where a term stands that finds nothing, with what could be meant."""
        todo = [(self.source.tree, False, False)]
        while todo:
            node, absent, self.optional = todo.pop()
            match node.rule:
                case "Triples":
                    for pattern in self.source.patterns(node):
                        yield from self.unwanted(pattern) if absent else self.pattern(pattern)
                case "Graph" | "Dataset":
                    yield from self.graph(node)
                case "Fixed" | "Function" if not any(True for _ in node.nodes("Arguments")):
                    yield from self.values(node)
            absent = absent or node.rule in ("Exists", "Minus")
            inner = (part for part in node.parts if isinstance(part, Node) and part.rule not in ELSEWHERE)
            optional = self.optional or node.rule == "Optional"
            todo += [(part, absent, optional) for part in reversed(list(inner))]

    def unwanted(self, pattern: Pattern) -> Iterator[Hinted]:
        """The terms of a pattern that is not to be found: that there is no such statement is no slip."""
        for term, place in zip(pattern[:3], pattern.places, strict=True):
            if isinstance(term, ox.NamedNode):
                yield from self.term(term, place)

    def pattern(self, pattern: Pattern) -> Iterator[Hinted]:
        """The terms of a pattern that no statement has in their place."""
        subject, predicate, object_, (first, second, third) = pattern
        if isinstance(subject, ox.Literal):
            yield first, "A literal is never a subject, so this statement finds nothing."
        if isinstance(subject, ox.NamedNode):
            yield from self.term(subject, first)
        if isinstance(predicate, Node):
            for token in predicate.all_tokens("iri", "name"):
                yield from self.property(self.source.terms[token.text], token)
        if not isinstance(predicate, ox.NamedNode):
            return
        missing = [*self.property(predicate, second)]
        yield from missing
        if not missing:
            yield from self.object(predicate, object_, third)

    def object(self, predicate: ox.NamedNode, term: Slot, place: Token) -> Iterator[Hinted]:
        """The object of a property that there is."""
        if predicate == TYPE and isinstance(term, ox.NamedNode):
            if self.first("class", term) and not self.has(None, TYPE, term):
                yield from self.unused(term, place, CLASSES, "is the class of nothing in the graph")
        elif isinstance(term, ox.NamedNode):
            yield from self.term(term, place)
        elif isinstance(term, ox.Literal):
            yield from self.guise(predicate, term, place)

    def property(self, term: Slot, place: Token) -> Iterator[Hinted]:
        """A property that no statement has."""
        if isinstance(term, ox.NamedNode) and self.first("property", term) and not self.has(None, term, None):
            yield from self.unused(term, place, PROPERTIES, "is the property of no statement in the graph")

    def unused(self, term: ox.NamedNode, place: Token, kinds: Sequence[str], what: str) -> Iterator[Hinted]:
        """A term that is used nowhere: no slip where it is declared, and not told where it may lack."""
        if not any(self.has(term, TYPE, ox.NamedNode(kind)) for kind in kinds):
            yield place, self.sentence(term, what)
        elif not self.optional:
            yield place, f"{self.shown(term)} is declared, and {what}."

    def term(self, term: ox.NamedNode, place: Token) -> Iterator[Hinted]:
        """A thing of which no statement tells."""
        if self.first("thing", term) and not self.occurs(term):
            yield place, self.sentence(term, "does not occur in the graph")

    def values(self, node: Node) -> Iterator[Hinted]:
        """IRIs that are compared or given as data."""
        before = ""
        for token in node.tokens("iri", "name", "mark"):
            term = self.source.terms.get(token.text)
            if before != "^^" and isinstance(term, ox.NamedNode):
                yield from self.term(term, token)
            before = token.text

    def graph(self, node: Node) -> Iterator[Hinted]:
        """A graph that is not there."""
        for part in (node, *node.nodes("Term")):
            for token in part.tokens("iri", "name"):
                term = self.source.terms[token.text]
                if self.first("graph", term) and not self.asks() and not self.store.has(term.value):
                    yield (
                        token,
                        f"There is no graph {self.shown(term)}. The address /graphs lists those that are.",
                    )

    def guise(self, predicate: ox.NamedNode, literal: ox.Literal, place: Token) -> Iterator[Hinted]:
        """A literal that the property has with another language or type, or as an IRI."""
        if not self.first(str(predicate), literal) or self.has(None, predicate, literal):
            return
        for other in guises(literal):
            if self.left and self.has(None, predicate, other):
                yield place, f"No {self.shown(predicate)} is {literal}; the graph has {other}."
                return

    def first(self, role: str, term: Slot) -> bool:
        """Whether a term is met for the first time in a role."""
        met = (role, term) in self.met
        self.met.add((role, term))
        return not met

    def asks(self) -> bool:
        """Count a look-up; whether there were too many."""
        self.left = max(0, self.left - 1)
        return not self.left

    def has(
        self, subject: ox.NamedNode | None, predicate: ox.NamedNode | None, object_: Shown | None
    ) -> bool:
        """Whether the store has such a statement in any graph; yes where it may not be asked any more."""
        return self.asks() or self.store.knows(subject, predicate, object_)

    def occurs(self, term: ox.NamedNode) -> bool:
        """Whether any statement has the term."""
        return self.has(term, None, None) or self.has(None, None, term) or self.has(None, term, None)

    def sentence(self, term: ox.NamedNode, what: str) -> str:
        """What is wrong with a term, and which one is near."""
        self.guesses -= 1
        others = (one for one in (self.near(term.value) if self.guesses >= 0 else ()) if one != term.value)
        near = next((one for one in others if self.occurs(ox.NamedNode(one))), None)
        meant = f" Did you mean {shorten(near, self.known)}?" if near else ""
        return f"{self.shown(term)} {what}.{meant}"

    def shown(self, term: Shown) -> str:
        """A term for a person."""
        return shorten(term.value, self.known) if isinstance(term, ox.NamedNode) else str(term)


def guises(literal: ox.Literal) -> Iterator[Shown]:
    """The same text as other terms."""
    text = literal.value
    if literal.language or literal.datatype != ox.Literal("").datatype:
        yield ox.Literal(text)
    yield from (ox.Literal(text, language=one) for one in LANGUAGES)
    yield from (ox.Literal(text, datatype=ox.NamedNode(OUTSIDE["xsd"] + one)) for one in TYPES)
    if ABSOLUTE.fullmatch(text):
        yield ox.NamedNode(text)


def near_terms(iri: str) -> list[str]:
    """Terms of the shipped graph whose spelling is near to that of an IRI in the same namespace."""
    space, name = divided(iri)
    return [space + one for one in get_close_matches(name[:80], names().get(space, ()), 3, 0.7)]


@cache
def names() -> dict[str, list[str]]:
    """The names of the terms of the shipped graph, by namespace."""
    found: dict[str, set[str]] = {}
    for triple in (*shipped.ontology(), *shipped.facts()):
        for term in triple if triple.predicate == TYPE else (triple.subject, triple.predicate):
            if isinstance(term, ox.NamedNode):
                space, name = divided(term.value)
                found.setdefault(space, set()).add(name)
    return {space: sorted(held) for space, held in found.items()}


def divided(iri: str) -> tuple[str, str]:
    """An IRI as its namespace and the name in it."""
    cut = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
    return iri[:cut], iri[cut:]
