"""Descriptions by other profiles than our own: the triples that the query of a profile makes."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyoxigraph as ox

from .. import languages
from ..namespaces import OUTSIDE
from . import schema_org
from .profile import Profile, profiles

TOPIC = ox.NamedNode(f"{OUTSIDE['foaf']}primaryTopic")


def mapped(profile: Profile, iri: str, page: str, triples: Iterable[ox.Triple]) -> list[ox.Triple]:
    """What a profile says of the thing `iri`, which is read at `page`, by what we know of it."""
    store = ox.Store()
    store.extend(ox.Quad(*one) for one in triples if one.predicate != TOPIC)
    store.add(ox.Quad(ox.NamedNode(page), TOPIC, ox.NamedNode(iri)))
    found = store.query(profile.query)
    assert isinstance(found, ox.QueryTriples)
    return list(found)


def markup(
    iri: str, page: str, triples: Iterable[ox.Triple], ranges: Sequence[str], base: str
) -> dict[str, Any]:
    """What a page tells search engines of a thing: schema.org in one language, as plain as it goes."""
    texts = languages.narrowed(list(triples), ranges)
    found = mapped(profiles(base)["schema.org"], iri, page, texts)
    return schema_org.document(schema_org.plain(found), iri)
