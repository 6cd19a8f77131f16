"""Display names of kinds of resources."""

import pyoxigraph as ox
from wgig.pages.names import KIND_TITLES, VOCABULARY_KIND_NAMES, kind_title
from wgig.rdf.namespaces import RDF_TYPE, kind_of_iri
from wgig.settings import Settings


def test_every_kind_of_the_bundled_facts_has_a_title(shipped_store: ox.Store) -> None:
    kinds = {
        kind_of_iri(quad.subject.value, Settings.base)
        for quad in shipped_store.quads_for_pattern(None, RDF_TYPE, None)
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(f"{Settings.base}id/")
    }
    assert {"judgment", "dispute", "mechanism", "recommendation", "definition", "view-holder"} <= kinds
    assert kinds <= KIND_TITLES.keys() | VOCABULARY_KIND_NAMES.keys()


def test_title_of_a_kind_is_its_plural_or_the_words_of_its_name() -> None:
    assert kind_title("outcome") == "Outcomes of agreements"
    assert kind_title("view-holder") == VOCABULARY_KIND_NAMES["view-holder"] == "View holder"
    assert kind_title("odd/new-kind") == "New kind"
