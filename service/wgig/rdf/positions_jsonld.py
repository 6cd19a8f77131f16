"""Source positions of the triples in a JSON-LD document.

The document is walked in the order in which pyoxigraph yields triples: first the triple that has a node as
its object, then the types of the node, its properties, and last the nodes in its `@graph`. Contexts are
processed only to find out which keys are properties and how their values are interpreted.

There are no positions for a document that uses an unsupported feature: remote contexts other than the known
ones, scoped contexts, containers by index, identifier, type or graph, an `@id`, `@type` or `@graph` inside
`@nest`, JSON literals, and keys that look like keywords.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pyoxigraph as ox

from .json_tokens import JsonMember, JsonValue, parse_positioned_json
from .namespaces import RDF_FIRST, RDF_REST, RDF_TYPE_IRI
from .positions_turtle import TripleOffsets

IGNORED_KEYWORDS = {"@base", "@language", "@direction", "@version", "@protected"}  # in a context
SUPPORTED_CONTAINERS = {None, "@list", "@set", "@language"}
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

KnownContexts = Mapping[str, Callable[[], JsonValue]]  # contexts available without fetching, by IRI
NO_CONTEXTS: KnownContexts = {}


class TermDefinition(NamedTuple):
    """The definition of a key in a context. A key without an IRI is ignored.

    `is_supported` is False for definitions that use unsupported features.
    """

    iri: str | None
    is_reverse: bool = False
    containers: frozenset[object] = frozenset()
    is_supported: bool = True


class UnsupportedFeature(Exception):  # noqa: N818  not an error: there are only no positions
    """The document uses a feature of JSON-LD that this module does not support."""


class ActiveContext:
    """The active context (JSON-LD 1.1 API, section 4.1): term definitions and the vocabulary mapping."""

    def __init__(self) -> None:
        """Start without definitions."""
        self.terms: dict[str, TermDefinition] = {}
        self.pending: dict[str, JsonValue] = {}  # definitions that are not yet processed, by key
        self.vocabulary: str | None = None

    def extend(self, local: JsonValue, known_contexts: KnownContexts) -> "ActiveContext":
        """The context extended by the value of a `@context`. Raises UnsupportedFeature for unknown IRIs."""
        match local.value:
            case None:
                return ActiveContext()
            case dict(definitions):
                return self.with_definitions(definitions)
            case str(iri) if iri in known_contexts:
                return self.extend(known_contexts[iri](), known_contexts)
        raise UnsupportedFeature

    def with_definitions(self, definitions: dict[str, JsonMember]) -> "ActiveContext":
        """The context with more definitions, which may refer to each other in any order."""
        new = ActiveContext()
        new.vocabulary = self.vocabulary
        new.terms = {key: term for key, term in self.terms.items() if key not in definitions}
        new.pending = {key: member.value for key, member in definitions.items() if not key.startswith("@")}
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
        """Process the pending definition of a key."""
        match self.pending.pop(key).value:
            case None:
                self.terms[key] = TermDefinition(None)
            case str(iri):
                self.terms[key] = TermDefinition(self.expand(iri))
            case dict(entries):
                self.terms[key] = self.build_term(
                    key, {name: member.value.value for name, member in entries.items()}
                )
            case _:
                raise UnsupportedFeature

    def build_term(self, key: str, entries: dict[str, object]) -> TermDefinition:
        """The TermDefinition of an expanded term definition, given as `entries` by keyword."""
        name = entries.get("@reverse", entries.get("@id", key))
        container = entries.get("@container")
        containers = {item.value for item in container} if isinstance(container, list) else {container}
        is_supported = (
            entries.keys() <= TERM_DEFINITION_KEYWORDS
            and entries.get("@type") != "@json"
            and containers <= SUPPORTED_CONTAINERS
        )
        iri = self.expand(name) if isinstance(name, str) else None
        return TermDefinition(iri, "@reverse" in entries, frozenset(containers), is_supported)

    def resolve(self, name: str) -> str | None:
        """The IRI or keyword of a key or type. Raises UnsupportedFeature for an unsupported definition."""
        if (term := self.find_term(name)) and not term.is_supported:
            raise UnsupportedFeature
        return self.expand(name)

    def expand(self, name: str) -> str | None:
        """The IRI or keyword of a key or type name; None if it is ignored."""
        if name.startswith("@"):
            return name
        if term := self.find_term(name):
            return term.iri
        prefix, colon, local = name.partition(":")
        if not colon:
            return None if self.vocabulary is None else self.vocabulary + name
        term = None if local.startswith("//") else self.find_term(prefix)
        return term.iri + local if term and term.iri else name

    def find_term(self, name: str) -> TermDefinition | None:
        """The definition of a term, which is processed first if it is pending."""
        if name in self.pending:
            self.define(name)
        return self.terms.get(name)


# In all contexts of a document together: each nested context is a copy of the outer one with additions.
MAX_DEFINED_TERMS = 30_000
NODE_KEYWORDS = ("@context", "@id", "@type", "@graph")  # keys of a node that are not properties
# The end of an IRI reference, with which the resolved IRI ends too.
REFERENCE_END_PATTERN = re.compile(r"[^:/#]*\Z")


class TripleCandidate(NamedTuple):
    """The offsets of a triple, the IRI of its predicate, and its object if that is a single JSON value.

    `value_iri` is the IRI of the object if the value is a term or a compact IRI.
    """

    offsets: TripleOffsets
    predicate: str
    value: object = None
    value_iri: str | None = None


class ActiveProperty(NamedTuple):
    """The property whose values are being read: offsets of its subject and key, its IRI and direction."""

    subject_offset: int
    key_offset: int
    iri: str
    is_reverse: bool = False


class NodeKey(NamedTuple):
    """A key of a JSON object: its IRI or keyword (None: ignored), its text, and its member."""

    iri: str | None
    text: str
    member: JsonMember


class JsonLdWalker:
    """Walks a JSON-LD document and collects its triples with their offsets, in the order of pyoxigraph."""

    def __init__(self, known_contexts: KnownContexts) -> None:
        """Start without triples."""
        self.known_contexts = known_contexts
        self.triples: list[TripleCandidate] = []
        self.term_count = 0

    def build_inner_context(self, members: dict[str, JsonMember], context: ActiveContext) -> ActiveContext:
        """The active context inside an object. Raises UnsupportedFeature, also for too many terms."""
        value = members["@context"].value if "@context" in members else None
        local_contexts = value.value if value and isinstance(value.value, list) else [value] if value else []
        for local_context in local_contexts:
            context = context.extend(local_context, self.known_contexts)
            self.term_count += len(context.terms)
            if self.term_count > MAX_DEFINED_TERMS:
                raise UnsupportedFeature
        return context

    def add_triple(
        self, property_: ActiveProperty, offset: int, value: object = None, iri: str | None = None
    ) -> None:
        """Add a triple for a value at an offset: its object, or its subject if the property is reversed."""
        subject, key = property_.subject_offset, property_.key_offset
        if property_.is_reverse:
            self.triples.append(TripleCandidate((offset, key, subject), property_.iri))
        else:
            self.triples.append(TripleCandidate((subject, key, offset), property_.iri, value, iri))

    def walk_nodes(self, value: JsonValue, context: ActiveContext) -> None:
        """Walk the nodes of a document or graph."""
        match value.value:
            case list(items):
                for item in items:
                    self.walk_nodes(item, context)
            case dict(members):
                self.walk_node(value, members, context)

    def walk_node(
        self,
        value: JsonValue,
        members: dict[str, JsonMember],
        context: ActiveContext,
        property_: ActiveProperty | None = None,
    ) -> None:
        """Walk a node: the triple with the node as object, if any, then its types and properties.

        Raises UnsupportedFeature.
        """
        context = self.build_inner_context(members, context)
        keys = resolve_keys(members, context)
        ids = [key.member.value for key in keys if key.iri == "@id"]
        subject = ids[0] if ids else value
        if property_ and ids:
            self.walk_values(subject, property_, context)
        elif property_:
            self.add_triple(property_, subject.offset)
        for key in keys:
            if key.iri == "@type":
                self.walk_types(
                    key.member.value,
                    ActiveProperty(subject.offset, key.member.offset, RDF_TYPE_IRI),
                    context,
                )
        self.walk_properties([key for key in keys if key.iri not in NODE_KEYWORDS], subject.offset, context)
        for key in keys:
            if key.iri == "@graph":
                self.walk_nodes(key.member.value, context)

    def walk_types(self, value: JsonValue, property_: ActiveProperty, context: ActiveContext) -> None:
        """Walk the types of a node, which pyoxigraph yields sorted by name. Raises UnsupportedFeature."""
        types = value.value if isinstance(value.value, list) else [value]
        for type_ in sorted(types, key=lambda type_: str(type_.value)):
            context.resolve(str(type_.value))
            self.walk_values(type_, property_, context)

    def walk_properties(self, keys: Sequence[NodeKey], subject_offset: int, context: ActiveContext) -> None:
        """Walk the properties of a node at `subject_offset`, and its included nodes.

        Raises UnsupportedFeature.
        """
        for iri, text, member in keys:
            match iri, member.value.value:
                case "@index", _:
                    pass
                case "@included", _:
                    self.walk_nodes(member.value, context)
                case "@nest", _:
                    self.walk_nested(member.value, subject_offset, context)
                case "@reverse", dict(reversed_members):
                    for key, reversed_member in reversed_members.items():
                        self.walk_property(key, reversed_member, subject_offset, context, reverse=True)
                case _:
                    self.walk_property(text, member, subject_offset, context)

    def walk_nested(self, value: JsonValue, subject_offset: int, context: ActiveContext) -> None:
        """Walk the properties inside `@nest`. Raises UnsupportedFeature, also for keywords there."""
        match value.value:
            case list(items):
                for item in items:
                    self.walk_nested(item, subject_offset, context)
            case dict(members):
                self.walk_properties(resolve_keys(members, context), subject_offset, context)

    def walk_property(
        self,
        key: str,
        member: JsonMember,
        subject_offset: int,
        context: ActiveContext,
        *,
        reverse: bool = False,
    ) -> None:
        """Walk the values of a property of a node. Raises UnsupportedFeature for an unknown keyword."""
        iri = context.resolve(key) or ""
        if iri.startswith("@"):
            raise UnsupportedFeature
        if ":" not in iri or iri.startswith("_:"):
            return
        term = context.terms.get(key) or TermDefinition(iri)
        property_ = ActiveProperty(subject_offset, member.offset, iri, reverse is not term.is_reverse)
        match member.value.value:
            case dict(language_map) if "@language" in term.containers:
                for text in language_map.values():
                    self.walk_values(text.value, property_, context)
            case dict():
                self.walk_values(member.value, property_, context)
            case _ if "@list" in term.containers:
                self.walk_list(member.value, property_, context)
            case _:
                self.walk_values(member.value, property_, context)

    def walk_values(self, value: JsonValue, property_: ActiveProperty, context: ActiveContext) -> None:
        """Walk the values of a property in a JSON value: none, one, or several in an array."""
        match value.value:
            case None:
                pass
            case list(items):
                for item in items:
                    self.walk_values(item, property_, context)
            case dict(members):
                self.walk_object(value, members, property_, context)
            case scalar:
                iri = context.expand(scalar) if isinstance(scalar, str) else None
                self.add_triple(property_, value.offset, scalar, iri)

    def walk_object(
        self,
        value: JsonValue,
        members: dict[str, JsonMember],
        property_: ActiveProperty,
        context: ActiveContext,
    ) -> None:
        """Walk a JSON object as a value: a literal, a list, a set or a node."""
        inner_context = self.build_inner_context(members, context)
        keys = {inner_context.resolve(key): member.value for key, member in members.items()}
        if literal := keys.get("@value"):
            if "@type" in keys and inner_context.resolve(str(keys["@type"].value)) == "@json":
                raise UnsupportedFeature
            self.walk_values(literal, property_, inner_context)
        elif items := keys.get("@list"):
            self.walk_list(items, property_, inner_context)
        elif members_of_set := keys.get("@set"):
            self.walk_values(members_of_set, property_, inner_context)
        else:
            self.walk_node(value, members, context, property_)

    def walk_list(self, value: JsonValue, property_: ActiveProperty, context: ActiveContext) -> None:
        """Walk a list. Before its first item comes the triple with the list as object."""
        first_property = ActiveProperty(value.offset, value.offset, RDF_FIRST.value)
        rest_property = ActiveProperty(value.offset, value.offset, RDF_REST.value)
        list_property = property_
        for item in value.value if isinstance(value.value, list) else [value]:
            if is_null_item(item):
                continue
            self.add_triple(list_property, value.offset if list_property is property_ else item.offset)
            list_property = rest_property
            walk = self.walk_list if isinstance(item.value, list) else self.walk_values
            walk(item, first_property, context)
        self.add_triple(list_property, value.offset)


def resolve_keys(members: dict[str, JsonMember], context: ActiveContext) -> list[NodeKey]:
    """The keys of an object with their IRIs. Raises UnsupportedFeature for an unsupported definition."""
    return [NodeKey(context.resolve(key), key, member) for key, member in members.items()]


def is_null_item(value: JsonValue) -> bool:
    """Whether an item of a list is null; JSON-LD leaves out such items."""
    match value.value:
        case {"@value": JsonMember(value=JsonValue(value=None))}:
            return True
        case scalar:
            return scalar is None


def find_jsonld_offsets(
    text: str, triples: Sequence[ox.Triple], known_contexts: KnownContexts
) -> list[TripleOffsets]:
    """The offsets of each triple of a JSON-LD text in the order of pyoxigraph; empty if unknown."""
    walker = JsonLdWalker(known_contexts)
    try:
        walker.walk_nodes(parse_positioned_json(text), ActiveContext())
    except (UnsupportedFeature, ValueError, StopIteration, RecursionError):
        return []
    if not fits_jsonld_triples(walker.triples, triples):
        return []
    return [triple.offsets for triple in walker.triples]


def fits_jsonld_triples(candidates: Sequence[TripleCandidate], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple of pyoxigraph fits the candidate at the same index."""
    subjects: dict[int, object] = {}
    return len(candidates) == len(triples) and all(
        candidate.predicate == predicate.value
        and (
            predicate in (RDF_FIRST, RDF_REST)
            or subjects.setdefault(candidate.offsets[0], subject) == subject
        )
        and fits_jsonld_object(candidate, value)
        for candidate, (subject, predicate, value) in zip(candidates, triples, strict=True)
    )


def fits_jsonld_object(
    candidate: TripleCandidate, term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
) -> bool:
    """Whether a term can be the object of a candidate."""
    value = candidate.value
    match term:
        case ox.Literal():
            return term.value == value if isinstance(value, str) else value is not None
        case ox.NamedNode() if isinstance(value, str):
            return term.value == candidate.value_iri or term.value.endswith(
                REFERENCE_END_PATTERN.findall(value)[0]
            )
        case _:
            return value is None or isinstance(value, str)
