"""The list of the representations of something: as RDF by the model of the standard, as JSON, as a page."""

from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox

from ..namespaces import OUTSIDE
from .links import MODEL
from .subject import Subject

DCTERMS = OUTSIDE["dcterms"]
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")


def triples(subject: Subject, base: str) -> Iterator[ox.Triple]:
    """The representations by the Alternate Representations Data Model (section 6.4 and its appendix)."""
    resource = ox.NamedNode(subject.iri)
    for place, one in enumerate(subject.choices(base)):
        node = ox.NamedNode(base.rstrip("/") + subject.address(one))
        profile = ox.NamedNode(one.profile.iri)
        if place == 0:
            yield ox.Triple(resource, altr("hasDefaultRepresentation"), node)
        yield ox.Triple(resource, altr("hasRepresentation"), node)
        yield ox.Triple(node, TYPE, altr("Representation"))
        yield ox.Triple(node, ox.NamedNode(f"{DCTERMS}format"), ox.Literal(one.format.media_type))
        yield ox.Triple(node, ox.NamedNode(f"{DCTERMS}conformsTo"), profile)
        yield ox.Triple(profile, TYPE, ox.NamedNode(f"{DCTERMS}Standard"))
        yield ox.Triple(profile, ox.NamedNode(f"{OUTSIDE['prof']}hasToken"), ox.Literal(one.profile.token))


def altr(name: str) -> ox.NamedNode:
    """A term of the model."""
    return ox.NamedNode(f"{MODEL}#{name}")


def members(subject: Subject, base: str) -> dict[str, Any]:
    """The representations as JSON: the profiles in their order, each with its media types in theirs."""
    every = subject.choices(base)
    profiles = {one.profile.token: one.profile for one in every}
    return {
        "resource": subject.iri,
        "default": {"token": every[0].profile.token, "media_type": every[0].format.media_type},
        "profiles": [
            {
                "token": token,
                "uri": profile.iri,
                "title": profile.title,
                "description": profile.description,
                "media_types": [one.format.media_type for one in every if one.profile == profile],
            }
            for token, profile in profiles.items()
        ],
    }


def rows(subject: Subject, base: str) -> list[tuple[Any, list[tuple[str, str]]]]:
    """The profiles, each with the titles and addresses of its formats, for a page."""
    found: dict[str, tuple[Any, list[tuple[str, str]]]] = {}
    for one in subject.choices(base):
        _, formats = found.setdefault(one.profile.token, (one.profile, []))
        formats.append((one.format.title, subject.address(one)))
    return list(found.values())
