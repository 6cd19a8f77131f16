"""Descriptions by other profiles than our own: the triples that the query of a profile makes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyoxigraph as ox

from .. import languages
from ..namespaces import OUTSIDE
from ..pages import href
from . import schema_org
from .profile import Profile, profiles

LABEL = ox.NamedNode(f"{OUTSIDE['rdfs']}label")
TOPIC = ox.NamedNode(f"{OUTSIDE['foaf']}primaryTopic")


def mapped(profile: Profile, pages: Mapping[str, str], triples: Iterable[ox.Triple]) -> list[ox.Triple]:
    """What a profile says of things by what we know of them; `pages` are where each is read, by its IRI."""
    store = ox.Store()
    store.extend(ox.Quad(*one) for one in triples if one.predicate != TOPIC)
    store.extend(ox.Quad(ox.NamedNode(page), TOPIC, ox.NamedNode(iri)) for iri, page in pages.items())
    found = store.query(profile.query)
    assert isinstance(found, ox.QueryTriples)
    return list(found)


def markup(
    iri: str, page: str, triples: Iterable[ox.Triple], ranges: Sequence[str], base: str
) -> dict[str, Any]:
    """What a page tells search engines of a thing: schema.org in one language, as plain as it goes."""
    texts = languages.narrowed(list(triples), ranges)
    found = mapped(profiles(base)["schema.org"], {iri: page}, texts)
    return schema_org.document(schema_org.plain(found), iri)


def items(
    names: Mapping[str, ox.Literal], types: Iterable[ox.Triple], host: str, base: str
) -> list[dict[str, Any]]:
    """Things by their IRIs with these names as a list tells search engines of them: kind, name, page."""
    pages = {iri: web(host, href(iri, base) or iri) for iri in names}
    called = (ox.Triple(ox.NamedNode(iri), LABEL, name) for iri, name in names.items())
    return schema_org.things(mapped(profiles(base)["schema.org"], pages, [*types, *called]), names)


def web(host: str, path: str) -> str:
    """The address of a path of this service, which is read at `host`."""
    return host.rstrip("/") + path if path.startswith("/") else path
