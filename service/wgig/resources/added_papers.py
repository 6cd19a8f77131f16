"""Papers that somebody added to this service: pages mark them, as they may be named like papers of 2005."""

from collections.abc import Iterable, Mapping

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..http.language import gettext
from ..rdf.namespaces import RDF_TYPE
from ..store.store import Store
from .property_path import NO_KNOWN_VALUES, KnownValues
from .text_links import list_object_values


def find_added_papers(
    store: Store, iris: Iterable[str], base: str, known_values: KnownValues = NO_KNOWN_VALUES
) -> set[str]:
    """Those of the resources that are papers, and not part of the group's series of papers."""
    namespaces = namespaces_by_prefix(base)
    part_of = ox.NamedNode(f"{namespaces['wgig']}partOf")
    paper_classes = {
        ox.NamedNode(f"{namespaces['wgig']}{name}") for name in ("IssuePaper", "AssessmentPaper")
    }
    papers = (iri for iri in iris if iri.startswith(namespaces["paper"]))
    return {
        iri
        for iri in papers
        if not paper_classes.isdisjoint(list_object_values(store, iri, RDF_TYPE, known_values))
        and not list_object_values(store, iri, part_of, known_values)
    }


def mark_added_papers(
    store: Store, labels: Mapping[str, ox.Literal], base: str, known_values: KnownValues
) -> dict[str, ox.Literal]:
    """The labels of those of the resources that are added papers, with a note that they are."""
    note = gettext("added to this service")
    return {
        iri: ox.Literal(f"{labels[iri].value} ({note})", language=labels[iri].language)
        for iri in find_added_papers(store, labels, base, known_values)
    }
