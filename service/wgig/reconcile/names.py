"""What the API calls things, kinds and properties: by their IRIs without the part that all have in common."""

from itertools import chain
from typing import NamedTuple

import pyoxigraph as ox

from ..kinds import TITLES, title
from ..labels import labels
from ..lookup import writable
from ..namespaces import OUTSIDE, namespaces, shorten
from ..pages import words
from ..sparql import ABSOLUTE
from ..store import Store

DECLARED = tuple(
    ox.NamedNode(OUTSIDE["owl"] + name)
    for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")
)
TYPE = ox.NamedNode(OUTSIDE["rdf"] + "type")


class Named(NamedTuple):
    """Something with its identifier in the API and its name."""

    id: str
    name: str

    def document(self) -> dict[str, str]:
        """It as JSON."""
        return {"id": self.id, "name": self.name}


def space(base: str) -> str:
    """What the IRIs of all things begin with."""
    return f"{base}id/"


def kind(id_: str) -> Named:
    """A kind of things as a type."""
    return Named(id_, title(id_))


def kinds(there: list[str]) -> list[Named]:
    """The kinds that are there as types, the main ones first."""
    return [kind(one) for one in sorted(there, key=lambda one: (one not in TITLES, one))]


def property_iri(id_: str, store: Store, base: str) -> str | None:
    """The IRI of a property; None for what is no name of one, and for one that nothing declares or has."""
    prefix, _, rest = id_.partition(":")
    known = namespaces(base)
    if prefix in known and rest:
        id_ = known[prefix] + rest
    found = node(id_) if ABSOLUTE.fullmatch(id_) else None
    return id_ if found and is_property(found, store) else None


def is_property(iri: ox.NamedNode, store: Store) -> bool:
    """Whether a property is declared, or something has it."""
    declared = (store.match(iri, TYPE, kind_) for kind_ in DECLARED)
    return any(True for _ in chain(store.match(None, iri), *declared))


def node(iri: str) -> ox.NamedNode | None:
    """The node of an IRI; None where it has characters that no IRI has (RFC 3987, section 2.2)."""
    try:
        return ox.NamedNode(iri) if writable(iri) else None
    except ValueError:
        return None


def property_named(iri: str, store: Store, base: str) -> Named:
    """A property with its label."""
    found = labels(store, [iri]).get(iri)
    return Named(shorten(iri, namespaces(base)), found.value if found else words(iri))


def properties(store: Store, base: str) -> list[Named]:
    """All properties that are declared, by their names."""
    iris = {
        one.subject.value
        for kind_ in DECLARED
        for one in store.match(None, TYPE, kind_)
        if isinstance(one.subject, ox.NamedNode)
    }
    return sorted((property_named(iri, store, base) for iri in iris), key=lambda one: one.name.casefold())
