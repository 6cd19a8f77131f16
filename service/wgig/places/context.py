"""The contexts of JSON-LD 1.1, as far as they say which keys are properties and how their values are read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .json import Member, Value

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
