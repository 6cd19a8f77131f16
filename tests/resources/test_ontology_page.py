"""The page of the ontology: a picture with an equal list, examples, shapes, and how much a term is used."""

import re

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import OWL_NAMESPACE, RDF_TYPE, RDFS_NAMESPACE, SKOS_NAMESPACE
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.ontology_page import OntologyView, build_ontology_view
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of

BASE = Settings.base
WGIG = f"{BASE}ontology#"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def book(filled_store: Store) -> OntologyView:
    """The ontology of a store with everything that a service holds at its first start."""
    return build_ontology_view(filled_store, BASE)


@pytest.fixture(scope="module")
def page(filled_store: Store) -> str:
    """Its page."""
    return str(service_of(Settings(), filled_store).get("/ontology", headers=HTML).text)


def test_each_class_has_a_box_right_of_what_it_is_a_kind_of(book: OntologyView) -> None:
    boxes = {one.label: one for one in book.picture.boxes}
    for iris in book.classes_by_parent.values():
        for one in iris:
            assert one.label.value in boxes
    assert boxes["document"].x < boxes["paper"].x < boxes["issue paper"].x
    assert len({(one.x, one.y) for one in book.picture.boxes}) == len(book.picture.boxes)


def test_the_list_beside_the_picture_says_the_same(book: OntologyView, page: str) -> None:
    listed = page[page.index("The same as a list") : page.index('id="links"')]
    for line in book.picture.lines:
        assert f">{line.description.partition(' is a kind of ')[0]}</a>" in listed


def test_a_link_between_classes_is_a_row(book: OntologyView) -> None:
    found = {(of, term.iri, to) for term, of, to in book.links}
    assert (f"{WGIG}Assessment", f"{WGIG}verdict", f"{WGIG}Verdict") in found


def test_a_class_shows_a_real_example_its_shape_and_its_number(book: OntologyView) -> None:
    use = book.uses[f"{WGIG}Meeting"]
    assert use.example.startswith(f"{BASE}id/meeting/")
    assert use.count is not None
    assert use.count > 0
    assert book.uses[f"{WGIG}Agreement"].shapes == ["AgreementShape"]
    assert book.uses[f"{WGIG}IssuePaper"].rule_count > 10
    assert "/example" not in book.uses[f"{WGIG}IssuePaper"].example


def test_what_is_in_use_is_as_a_count_finds(book: OntologyView, filled_store: Store) -> None:
    typed = filled_store.match(None, RDF_TYPE, ox.NamedNode(f"{WGIG}Issue"))
    issues = {one.subject for one in typed}
    assert book.uses[f"{WGIG}Issue"].count == len(issues)


def test_every_link_of_the_page_to_a_place_on_it_arrives(page: str) -> None:
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_the_page_calls_terms_in_its_language_and_defines_them_in_english(filled_store: Store) -> None:
    arabic = service_of(Settings(), filled_store).get("/ontology", headers={**HTML, "Accept-Language": "ar"})
    assert "<h3>معلم رئيسي <code>wgig:Milestone</code></h3>" in arabic.text
    assert '<a href="#due">الموعد المقرر</a>' in arabic.text
    assert '<p lang="en" dir="ltr">A deadline, deliverable or event of the timeline' in arabic.text


def test_a_term_with_labels_in_english_alone_says_so_on_other_pages() -> None:
    store = Store.in_memory()
    text = f"""<{WGIG}Old> a <{OWL_NAMESPACE}Class> ;
        <{RDFS_NAMESPACE}label> "old"@en ."""
    store.apply(
        store.compute_addition(f"{BASE}graph/ontology", parse_graph_document(text.encode(), "text/turtle"))
    )
    page = service_of(Settings(), store).get("/ontology", headers={**HTML, "Accept-Language": "ru"}).text
    assert '<a href="#Old"><span lang="en" dir="auto">old</span></a>' in page


def test_the_page_tells_its_version(page: str) -> None:
    assert "This is version 0.1.0." in page


def test_a_hostile_example_stays_text() -> None:
    store = Store.in_memory()
    ontology = (SHIPPED_FOLDER / "ontology" / "wgig.ttl").read_bytes()
    store.apply(
        store.compute_addition(f"{BASE}graph/ontology", parse_graph_document(ontology, "text/turtle"))
    )
    facts = f"""<javascript:alert(1)> a <{WGIG}Issue> ;
        <{SKOS_NAMESPACE}prefLabel>
            "<script>\\u202e{"x" * 10_000}" ; <{WGIG}p> <data:text/html,x> ."""
    store.apply(store.compute_addition("urn:g", parse_graph_document(facts.encode(), "text/turtle")))
    text = service_of(Settings(), store).get("/ontology", headers=HTML).text
    assert not re.search(r"<script>|href=\"(javascript|data):", text)
