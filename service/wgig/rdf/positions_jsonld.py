"""Source positions of the triples in a JSON-LD document.

The walk follows the order in which the engine yields triples: first the triple that has a node as its object,
then the types of the node, its properties, and last the graph that it names. Contexts are processed only as
far as they say which keys are properties and how their values are read.

There are no positions for a document that uses an unsupported feature: remote contexts other than the known
ones, scoped contexts, containers by index, identifier, type or graph, a name, type or graph inside `@nest`,
JSON literals, and keys that look like keywords.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pyoxigraph as ox

from .json_tokens import Member, Value, read
from .positions_turtle import FIRST, REST, TYPE, Offsets

IGNORED = {"@base", "@language", "@direction", "@version", "@protected"}
CONTAINERS = {None, "@list", "@set", "@language"}
DEFINING = {
    "@id",
    "@type",
    "@container",
    "@language",
    "@direction",
    "@reverse",
    "@protected",
    "@prefix",
    "@nest",
}

Contexts = Mapping[str, Callable[[], Value]]  # what is known without fetching it, by its IRI
NONE: Contexts = {}


class Term(NamedTuple):
    """What a key is defined as: no IRI where it is to be ignored; and whether its use is followed."""

    iri: str | None
    reverse: bool = False
    containers: frozenset[object] = frozenset()
    followed: bool = True


class Unknown(Exception):  # noqa: N818 - nothing is wrong, it is only not followed
    """A feature whose triples are not followed."""


class Context:
    """The terms and the vocabulary in force."""

    def __init__(self) -> None:
        """Nothing is defined."""
        self.terms: dict[str, Term] = {}
        self.pending: dict[str, Value] = {}
        self.vocabulary: str | None = None

    def extended(self, local: Value, known: Contexts) -> "Context":
        """The context with what one `@context` adds. Raises Unknown for what is not followed."""
        match local.value:
            case None:
                return Context()
            case dict(definitions):
                return self.defining(definitions)
            case str(iri) if iri in known:
                return self.extended(known[iri](), known)
        raise Unknown

    def defining(self, definitions: dict[str, Member]) -> "Context":
        """The context with more definitions, which may use one another in any order."""
        new = Context()
        new.vocabulary = self.vocabulary
        new.terms = {key: term for key, term in self.terms.items() if key not in definitions}
        new.pending = {key: one.value for key, one in definitions.items() if not key.startswith("@")}
        for key in definitions.keys() - new.pending.keys() - IGNORED:
            match key, definitions[key].value.value:
                case "@vocab", None:
                    new.vocabulary = None
                case "@vocab", str(iri) if ":" in iri:
                    new.vocabulary = new.expand(iri)
                case _:
                    raise Unknown
        while new.pending:
            new.define(next(iter(new.pending)))
        return new

    def define(self, key: str) -> None:
        """Take a definition that is pending."""
        match self.pending.pop(key).value:
            case None:
                self.terms[key] = Term(None)
            case str(iri):
                self.terms[key] = Term(self.expand(iri))
            case dict(parts):
                self.terms[key] = self.term(key, {name: one.value.value for name, one in parts.items()})
            case _:
                raise Unknown

    def term(self, key: str, parts: dict[str, object]) -> Term:
        """The term that an expanded definition defines."""
        named = parts.get("@reverse", parts.get("@id", key))
        container = parts.get("@container")
        containers = {one.value for one in container} if isinstance(container, list) else {container}
        followed = parts.keys() <= DEFINING and parts.get("@type") != "@json" and containers <= CONTAINERS
        iri = self.expand(named) if isinstance(named, str) else None
        return Term(iri, "@reverse" in parts, frozenset(containers), followed)

    def use(self, name: str) -> str | None:
        """What a key or the name of a type stands for. Raises Unknown where that is not followed."""
        if (term := self.known(name)) and not term.followed:
            raise Unknown
        return self.expand(name)

    def expand(self, name: str) -> str | None:
        """The IRI or the keyword that a key or the name of a type stands for, if any."""
        if name.startswith("@"):
            return name
        if term := self.known(name):
            return term.iri
        prefix, colon, rest = name.partition(":")
        if not colon:
            return None if self.vocabulary is None else self.vocabulary + name
        term = None if rest.startswith("//") else self.known(prefix)
        return term.iri + rest if term and term.iri else name

    def known(self, name: str) -> Term | None:
        """The term of a name, defined now where that is pending."""
        if name in self.pending:
            self.define(name)
        return self.terms.get(name)


MOST_TERMS = 20_000  # in all contexts of a document together: each adds to a copy of the one around it
ITSELF = ("@context", "@id", "@type", "@graph")  # keys of a node that are none of its properties
LAST = re.compile(r"[^:/#]*\Z")  # the part of a reference that its IRI ends with


class Found(NamedTuple):
    """The offsets of a triple and the IRI of its predicate; its object where that is one value of JSON.

    `iri` is what the object stands for if it is a term or a compact IRI.
    """

    offsets: Offsets
    predicate: str
    written: object = None
    iri: str | None = None


class Property(NamedTuple):
    """Whose values are being read: the offsets of the subject and of the key, the IRI and the direction."""

    subject: int
    at: int
    iri: str
    reverse: bool = False


class Key(NamedTuple):
    """A key of an object: what it stands for, if anything, its text, and its member."""

    iri: str | None
    text: str
    member: Member


class Walk:
    """The triples found so far."""

    def __init__(self, known: Contexts) -> None:
        """Begin before the document."""
        self.known = known
        self.found: list[Found] = []
        self.terms = 0

    def context(self, members: dict[str, Member], context: Context) -> Context:
        """The context inside of an object. Raises Unknown, also where there is too much of it."""
        local = members["@context"].value if "@context" in members else None
        several = local.value if local and isinstance(local.value, list) else [local] if local else []
        for one in several:
            context = context.extended(one, self.known)
            self.terms += len(context.terms)
            if self.terms > MOST_TERMS:
                raise Unknown
        return context

    def add(self, of: Property, at: int, written: object = None, iri: str | None = None) -> None:
        """A triple with a value at an offset, which is the subject where the property is reversed."""
        if of.reverse:
            self.found.append(Found((at, of.at, of.subject), of.iri))
        else:
            self.found.append(Found((of.subject, of.at, at), of.iri, written, iri))

    def nodes(self, value: Value, context: Context) -> None:
        """The nodes of a document or of a graph."""
        match value.value:
            case list(several):
                for one in several:
                    self.nodes(one, context)
            case dict(members):
                self.node(value, members, context)

    def node(
        self, value: Value, members: dict[str, Member], context: Context, of: Property | None = None
    ) -> None:
        """A node: the triple that it is the object of, its types, its properties. Raises Unknown."""
        context = self.context(members, context)
        keys = used(members, context)
        names = [one.member.value for one in keys if one.iri == "@id"]
        name = names[0] if names else value
        if of and names:
            self.values(name, of, context)
        elif of:
            self.add(of, name.at)
        for one in keys:
            if one.iri == "@type":
                self.types(one.member.value, Property(name.at, one.member.at, TYPE), context)
        self.properties([one for one in keys if one.iri not in ITSELF], name.at, context)
        for one in keys:
            if one.iri == "@graph":
                self.nodes(one.member.value, context)

    def types(self, value: Value, of: Property, context: Context) -> None:
        """The types of a node, which the engine yields in the order of their names. Raises Unknown."""
        several = value.value if isinstance(value.value, list) else [value]
        for one in sorted(several, key=lambda one: str(one.value)):
            context.use(str(one.value))
            self.values(one, of, context)

    def properties(self, keys: Sequence[Key], subject: int, context: Context) -> None:
        """The properties of a node, and the nodes included in it. Raises Unknown."""
        for iri, text, member in keys:
            match iri, member.value.value:
                case "@index", _:
                    pass
                case "@included", _:
                    self.nodes(member.value, context)
                case "@nest", _:
                    self.nested(member.value, subject, context)
                case "@reverse", dict(back):
                    for other, its in back.items():
                        self.follow(other, its, subject, context, reverse=True)
                case _:
                    self.follow(text, member, subject, context)

    def nested(self, value: Value, subject: int, context: Context) -> None:
        """More properties of a node. Raises Unknown, also for what is none."""
        match value.value:
            case list(several):
                for one in several:
                    self.nested(one, subject, context)
            case dict(members):
                self.properties(used(members, context), subject, context)

    def follow(
        self, key: str, member: Member, subject: int, context: Context, *, reverse: bool = False
    ) -> None:
        """The values of a property of a node. Raises Unknown for a keyword that is not followed."""
        iri = context.use(key) or ""
        if iri.startswith("@"):
            raise Unknown
        if ":" not in iri or iri.startswith("_:"):
            return
        term = context.terms.get(key) or Term(iri)
        of = Property(subject, member.at, iri, reverse is not term.reverse)
        match member.value.value:
            case dict(texts) if "@language" in term.containers:
                for one in texts.values():
                    self.values(one.value, of, context)
            case dict():
                self.values(member.value, of, context)
            case _ if "@list" in term.containers:
                self.cells(member.value, of, context)
            case _:
                self.values(member.value, of, context)

    def values(self, value: Value, of: Property, context: Context) -> None:
        """The values that one JSON value stands for."""
        match value.value:
            case None:
                pass
            case list(several):
                for one in several:
                    self.values(one, of, context)
            case dict(members):
                self.braces(value, members, of, context)
            case written:
                iri = context.expand(written) if isinstance(written, str) else None
                self.add(of, value.at, written, iri)

    def braces(self, value: Value, members: dict[str, Member], of: Property, context: Context) -> None:
        """A JSON object as a value: a literal, a list, a set or a node."""
        inside = self.context(members, context)
        keys = {inside.use(key): one.value for key, one in members.items()}
        if literal := keys.get("@value"):
            if "@type" in keys and inside.use(str(keys["@type"].value)) == "@json":
                raise Unknown
            self.values(literal, of, inside)
        elif items := keys.get("@list"):
            self.cells(items, of, inside)
        elif several := keys.get("@set"):
            self.values(several, of, inside)
        else:
            self.node(value, members, context, of)

    def cells(self, value: Value, of: Property, context: Context) -> None:
        """A list: the triple that it is the object of comes with its first item."""
        first = Property(value.at, value.at, FIRST)
        rest = Property(value.at, value.at, REST)
        into = of
        for one in value.value if isinstance(value.value, list) else [value]:
            if is_nothing(one):
                continue
            self.add(into, value.at if into is of else one.at)
            into = rest
            (self.cells if isinstance(one.value, list) else self.values)(one, first, context)
        self.add(into, value.at)


def used(members: dict[str, Member], context: Context) -> list[Key]:
    """The keys of an object. Raises Unknown for one that is not followed."""
    return [Key(context.use(text), text, one) for text, one in members.items()]


def is_nothing(value: Value) -> bool:
    """Whether an item of a list is left out."""
    match value.value:
        case {"@value": Member(value=Value(value=None))}:
            return True
        case written:
            return written is None


def find(text: str, triples: Sequence[ox.Triple], known: Contexts) -> list[Offsets]:
    """The offsets of each triple of JSON-LD in the order of the engine; none where they cannot be told."""
    walk = Walk(known)
    try:
        walk.nodes(read(text), Context())
    except (Unknown, ValueError, StopIteration, RecursionError):
        return []
    return [one.offsets for one in walk.found] if fit(walk.found, triples) else []


def fit(found: Sequence[Found], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple can be written where it was found."""
    subjects: dict[int, object] = {}
    return len(found) == len(triples) and all(
        one.predicate == predicate.value
        and (one.predicate in (FIRST, REST) or subjects.setdefault(one.offsets[0], subject) == subject)
        and fits(one, value)
        for one, (subject, predicate, value) in zip(found, triples, strict=True)
    )


def fits(one: Found, value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> bool:
    """Whether a term can be what was found as an object."""
    match value:
        case ox.Literal():
            return value.value == one.written if isinstance(one.written, str) else one.written is not None
        case ox.NamedNode() if isinstance(one.written, str):
            return value.value == one.iri or value.value.endswith(LAST.findall(one.written)[0])
        case _:
            return one.written is None or isinstance(one.written, str)
