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

from .json_tokens import JsonMember, JsonValue, parse_positioned_json
from .namespaces import RDF_FIRST, RDF_REST, RDF_TYPE_IRI
from .positions_turtle import TripleOffsets

IGNORED_KEYWORDS = {"@base", "@language", "@direction", "@version", "@protected"}
FOLLOWED_CONTAINERS = {None, "@list", "@set", "@language"}
TERM_DEFINITION_KEYWORDS = {
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

KnownContexts = Mapping[str, Callable[[], JsonValue]]  # what is known without fetching it, by its IRI
NO_CONTEXTS: KnownContexts = {}


class TermDefinition(NamedTuple):
    """What a key is defined as: no IRI where it is to be ignored; and whether its use is followed."""

    iri: str | None
    is_reverse: bool = False
    containers: frozenset[object] = frozenset()
    is_followed: bool = True


class UnsupportedFeature(Exception):  # noqa: N818 - nothing is wrong, it is only not followed
    """A feature whose triples are not followed."""


class ActiveContext:
    """The terms and the vocabulary in force."""

    def __init__(self) -> None:
        """Nothing is defined."""
        self.terms: dict[str, TermDefinition] = {}
        self.pending: dict[str, JsonValue] = {}
        self.vocabulary: str | None = None

    def extend(self, local: JsonValue, known: KnownContexts) -> "ActiveContext":
        """The context with what one `@context` adds. Raises UnsupportedFeature for what is not followed."""
        match local.value:
            case None:
                return ActiveContext()
            case dict(definitions):
                return self.with_definitions(definitions)
            case str(iri) if iri in known:
                return self.extend(known[iri](), known)
        raise UnsupportedFeature

    def with_definitions(self, definitions: dict[str, JsonMember]) -> "ActiveContext":
        """The context with more definitions, which may use one another in any order."""
        new = ActiveContext()
        new.vocabulary = self.vocabulary
        new.terms = {key: term for key, term in self.terms.items() if key not in definitions}
        new.pending = {key: one.value for key, one in definitions.items() if not key.startswith("@")}
        for key in definitions.keys() - new.pending.keys() - IGNORED_KEYWORDS:
            match key, definitions[key].value.value:
                case "@vocab", None:
                    new.vocabulary = None
                case "@vocab", str(iri) if ":" in iri:
                    new.vocabulary = new.expand(iri)
                case _:
                    raise UnsupportedFeature
        while new.pending:
            new.define(next(iter(new.pending)))
        return new

    def define(self, key: str) -> None:
        """Take a definition that is pending."""
        match self.pending.pop(key).value:
            case None:
                self.terms[key] = TermDefinition(None)
            case str(iri):
                self.terms[key] = TermDefinition(self.expand(iri))
            case dict(parts):
                self.terms[key] = self.build_term(key, {name: one.value.value for name, one in parts.items()})
            case _:
                raise UnsupportedFeature

    def build_term(self, key: str, parts: dict[str, object]) -> TermDefinition:
        """The term that an expanded definition defines."""
        named = parts.get("@reverse", parts.get("@id", key))
        container = parts.get("@container")
        containers = {one.value for one in container} if isinstance(container, list) else {container}
        followed = (
            parts.keys() <= TERM_DEFINITION_KEYWORDS
            and parts.get("@type") != "@json"
            and containers <= FOLLOWED_CONTAINERS
        )
        iri = self.expand(named) if isinstance(named, str) else None
        return TermDefinition(iri, "@reverse" in parts, frozenset(containers), followed)

    def resolve(self, name: str) -> str | None:
        """What a key or a name of a type stands for. Raises UnsupportedFeature where it is not followed."""
        if (term := self.find_term(name)) and not term.is_followed:
            raise UnsupportedFeature
        return self.expand(name)

    def expand(self, name: str) -> str | None:
        """The IRI or the keyword that a key or the name of a type stands for, if any."""
        if name.startswith("@"):
            return name
        if term := self.find_term(name):
            return term.iri
        prefix, colon, rest = name.partition(":")
        if not colon:
            return None if self.vocabulary is None else self.vocabulary + name
        term = None if rest.startswith("//") else self.find_term(prefix)
        return term.iri + rest if term and term.iri else name

    def find_term(self, name: str) -> TermDefinition | None:
        """The term of a name, defined now where that is pending."""
        if name in self.pending:
            self.define(name)
        return self.terms.get(name)


# In all contexts of a document together: each adds to a copy of the one around it.
MAX_FOLLOWED_TERMS = 20_000
NODE_KEYWORDS = ("@context", "@id", "@type", "@graph")  # keys of a node that are none of its properties
REFERENCE_END_PATTERN = re.compile(r"[^:/#]*\Z")  # the part of a reference that its IRI ends with


class FoundTriple(NamedTuple):
    """The offsets of a triple and the IRI of its predicate; its object where that is one value of JSON.

    `value_iri` is what the object stands for if it is a term or a compact IRI.
    """

    offsets: TripleOffsets
    predicate: str
    value: object = None
    value_iri: str | None = None


class ActiveProperty(NamedTuple):
    """Whose values are being read: the offsets of the subject and of the key, the IRI and the direction."""

    subject_offset: int
    key_offset: int
    iri: str
    is_reverse: bool = False


class NodeKey(NamedTuple):
    """A key of an object: what it stands for, if anything, its text, and its member."""

    iri: str | None
    text: str
    member: JsonMember


class JsonLdWalker:
    """The triples found so far."""

    def __init__(self, known: KnownContexts) -> None:
        """Begin before the document."""
        self.known_contexts = known
        self.triples: list[FoundTriple] = []
        self.term_count = 0

    def context_inside(self, members: dict[str, JsonMember], context: ActiveContext) -> ActiveContext:
        """The context inside of an object. Raises UnsupportedFeature, also where there is too much of it."""
        local = members["@context"].value if "@context" in members else None
        several = local.value if local and isinstance(local.value, list) else [local] if local else []
        for one in several:
            context = context.extend(one, self.known_contexts)
            self.term_count += len(context.terms)
            if self.term_count > MAX_FOLLOWED_TERMS:
                raise UnsupportedFeature
        return context

    def add_triple(self, of: ActiveProperty, at: int, written: object = None, iri: str | None = None) -> None:
        """A triple with a value at an offset, which is the subject where the property is reversed."""
        if of.is_reverse:
            self.triples.append(FoundTriple((at, of.key_offset, of.subject_offset), of.iri))
        else:
            self.triples.append(FoundTriple((of.subject_offset, of.key_offset, at), of.iri, written, iri))

    def walk_nodes(self, value: JsonValue, context: ActiveContext) -> None:
        """The nodes of a document or of a graph."""
        match value.value:
            case list(several):
                for one in several:
                    self.walk_nodes(one, context)
            case dict(members):
                self.walk_node(value, members, context)

    def walk_node(
        self,
        value: JsonValue,
        members: dict[str, JsonMember],
        context: ActiveContext,
        of: ActiveProperty | None = None,
    ) -> None:
        """A node: the triple whose object it is, its types, its properties. Raises UnsupportedFeature."""
        context = self.context_inside(members, context)
        keys = resolve_keys(members, context)
        names = [one.member.value for one in keys if one.iri == "@id"]
        name = names[0] if names else value
        if of and names:
            self.walk_values(name, of, context)
        elif of:
            self.add_triple(of, name.offset)
        for one in keys:
            if one.iri == "@type":
                self.walk_types(
                    one.member.value,
                    ActiveProperty(name.offset, one.member.offset, RDF_TYPE_IRI),
                    context,
                )
        self.walk_properties([one for one in keys if one.iri not in NODE_KEYWORDS], name.offset, context)
        for one in keys:
            if one.iri == "@graph":
                self.walk_nodes(one.member.value, context)

    def walk_types(self, value: JsonValue, of: ActiveProperty, context: ActiveContext) -> None:
        """The types of a node, which the engine yields sorted by name. Raises UnsupportedFeature."""
        several = value.value if isinstance(value.value, list) else [value]
        for one in sorted(several, key=lambda one: str(one.value)):
            context.resolve(str(one.value))
            self.walk_values(one, of, context)

    def walk_properties(self, keys: Sequence[NodeKey], subject: int, context: ActiveContext) -> None:
        """The properties of a node, and the nodes included in it. Raises UnsupportedFeature."""
        for iri, text, member in keys:
            match iri, member.value.value:
                case "@index", _:
                    pass
                case "@included", _:
                    self.walk_nodes(member.value, context)
                case "@nest", _:
                    self.walk_nested(member.value, subject, context)
                case "@reverse", dict(back):
                    for other, its in back.items():
                        self.walk_property(other, its, subject, context, reverse=True)
                case _:
                    self.walk_property(text, member, subject, context)

    def walk_nested(self, value: JsonValue, subject: int, context: ActiveContext) -> None:
        """More properties of a node. Raises UnsupportedFeature, also for what is none."""
        match value.value:
            case list(several):
                for one in several:
                    self.walk_nested(one, subject, context)
            case dict(members):
                self.walk_properties(resolve_keys(members, context), subject, context)

    def walk_property(
        self, key: str, member: JsonMember, subject: int, context: ActiveContext, *, reverse: bool = False
    ) -> None:
        """The values of a property of a node. Raises UnsupportedFeature for an unknown keyword."""
        iri = context.resolve(key) or ""
        if iri.startswith("@"):
            raise UnsupportedFeature
        if ":" not in iri or iri.startswith("_:"):
            return
        term = context.terms.get(key) or TermDefinition(iri)
        of = ActiveProperty(subject, member.offset, iri, reverse is not term.is_reverse)
        match member.value.value:
            case dict(texts) if "@language" in term.containers:
                for one in texts.values():
                    self.walk_values(one.value, of, context)
            case dict():
                self.walk_values(member.value, of, context)
            case _ if "@list" in term.containers:
                self.walk_list(member.value, of, context)
            case _:
                self.walk_values(member.value, of, context)

    def walk_values(self, value: JsonValue, of: ActiveProperty, context: ActiveContext) -> None:
        """The values that one JSON value stands for."""
        match value.value:
            case None:
                pass
            case list(several):
                for one in several:
                    self.walk_values(one, of, context)
            case dict(members):
                self.walk_object(value, members, of, context)
            case written:
                iri = context.expand(written) if isinstance(written, str) else None
                self.add_triple(of, value.offset, written, iri)

    def walk_object(
        self, value: JsonValue, members: dict[str, JsonMember], of: ActiveProperty, context: ActiveContext
    ) -> None:
        """A JSON object as a value: a literal, a list, a set or a node."""
        inside = self.context_inside(members, context)
        keys = {inside.resolve(key): one.value for key, one in members.items()}
        if literal := keys.get("@value"):
            if "@type" in keys and inside.resolve(str(keys["@type"].value)) == "@json":
                raise UnsupportedFeature
            self.walk_values(literal, of, inside)
        elif items := keys.get("@list"):
            self.walk_list(items, of, inside)
        elif several := keys.get("@set"):
            self.walk_values(several, of, inside)
        else:
            self.walk_node(value, members, context, of)

    def walk_list(self, value: JsonValue, of: ActiveProperty, context: ActiveContext) -> None:
        """A list: the triple that it is the object of comes with its first item."""
        first = ActiveProperty(value.offset, value.offset, RDF_FIRST.value)
        rest = ActiveProperty(value.offset, value.offset, RDF_REST.value)
        into = of
        for one in value.value if isinstance(value.value, list) else [value]:
            if is_null_item(one):
                continue
            self.add_triple(into, value.offset if into is of else one.offset)
            into = rest
            (self.walk_list if isinstance(one.value, list) else self.walk_values)(one, first, context)
        self.add_triple(into, value.offset)


def resolve_keys(members: dict[str, JsonMember], context: ActiveContext) -> list[NodeKey]:
    """The keys of an object. Raises UnsupportedFeature for one that is not followed."""
    return [NodeKey(context.resolve(text), text, one) for text, one in members.items()]


def is_null_item(value: JsonValue) -> bool:
    """Whether an item of a list is left out."""
    match value.value:
        case {"@value": JsonMember(value=JsonValue(value=None))}:
            return True
        case written:
            return written is None


def find_jsonld_offsets(text: str, triples: Sequence[ox.Triple], known: KnownContexts) -> list[TripleOffsets]:
    """The offsets of each triple of JSON-LD in the order of the engine; none where they cannot be told."""
    walk = JsonLdWalker(known)
    try:
        walk.walk_nodes(parse_positioned_json(text), ActiveContext())
    except (UnsupportedFeature, ValueError, StopIteration, RecursionError):
        return []
    return [one.offsets for one in walk.triples] if fits_jsonld_triples(walk.triples, triples) else []


def fits_jsonld_triples(found: Sequence[FoundTriple], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple can be written where it was found."""
    subjects: dict[int, object] = {}
    return len(found) == len(triples) and all(
        one.predicate == predicate.value
        and (predicate in (RDF_FIRST, RDF_REST) or subjects.setdefault(one.offsets[0], subject) == subject)
        and fits_jsonld_object(one, value)
        for one, (subject, predicate, value) in zip(found, triples, strict=True)
    )


def fits_jsonld_object(one: FoundTriple, value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> bool:
    """Whether a term can be what was found as an object."""
    match value:
        case ox.Literal():
            return value.value == one.value if isinstance(one.value, str) else one.value is not None
        case ox.NamedNode() if isinstance(one.value, str):
            return value.value == one.value_iri or value.value.endswith(
                REFERENCE_END_PATTERN.findall(one.value)[0]
            )
        case _:
            return one.value is None or isinstance(one.value, str)
