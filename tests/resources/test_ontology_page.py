"""The page of the ontology: a picture of the classes, the same as a list, and the use of each term."""

import re

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import OWL_NAMESPACE, RDF_TYPE, RDFS_NAMESPACE, SKOS_NAMESPACE
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.ontology_page import OntologyView, build_ontology_view
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

BASE = Settings.base
WGIG = f"{BASE}ontology#"
HTML_HEADERS = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def view(filled_store: Store) -> OntologyView:
    """The view of the ontology in a store with the bundled data."""
    return build_ontology_view(filled_store, BASE)


@pytest.fixture(scope="module")
def page(filled_store: Store) -> str:
    """The page of the ontology in a store with the bundled data."""
    return str(make_service_client(Settings(), filled_store).get("/ontology", headers=HTML_HEADERS).text)


def test_class_has_box_to_the_right_of_its_superclass(view: OntologyView) -> None:
    boxes = {box.label: box for box in view.picture.boxes}
    for classes in view.classes_by_parent.values():
        assert {class_.label.value for class_ in classes} <= boxes.keys()
    assert boxes["document"].x < boxes["paper"].x < boxes["issue paper"].x
    assert len({(box.x, box.y) for box in view.picture.boxes}) == len(view.picture.boxes)


def test_list_has_same_classes_as_picture(view: OntologyView, page: str) -> None:
    list_html = page[page.index("The hierarchy as a list") : page.index('id="history"')]
    for line in view.picture.lines:
        assert f">{line.description.partition(' is a kind of ')[0]}</a>" in list_html


def test_class_has_example_shape_and_count(view: OntologyView) -> None:
    use = view.uses[f"{WGIG}Meeting"]
    assert use.example.startswith(f"{BASE}id/meeting/")
    assert use.count is not None
    assert use.count > 0
    assert view.uses[f"{WGIG}Agreement"].shapes == ["AgreementShape"]
    assert view.uses[f"{WGIG}IssuePaper"].rule_count > 10
    assert "/example" not in view.uses[f"{WGIG}IssuePaper"].example


def test_count_of_class_is_number_of_instances(view: OntologyView, filled_store: Store) -> None:
    issues = {quad.subject for quad in filled_store.match(None, RDF_TYPE, ox.NamedNode(f"{WGIG}Issue"))}
    assert view.uses[f"{WGIG}Issue"].count == len(issues)


def test_terms_are_folded_by_initial(page: str) -> None:
    summaries = re.findall(
        r'<summary><strong>(.)</strong>.*?<span class="mark"><bdi>([^<]*)</bdi>.*?</summary>', page, re.DOTALL
    )
    assert len(summaries) > 20
    for letter, names in summaries:
        assert names[0].upper() == letter
    assert page.count("data-filtered>") == page.count('<section class="term"') + page.count("<tr id=")


def test_links_within_page_have_targets(page: str) -> None:
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_page_has_labels_in_its_language_and_definitions_in_english(filled_store: Store) -> None:
    arabic = make_service_client(Settings(), filled_store).get(
        "/ontology", headers={**HTML_HEADERS, "Accept-Language": "ar"}
    )
    assert "معلم رئيسي <code>wgig:Milestone</code></th>" in arabic.text
    assert '<a href="#due">الموعد المقرر</a>' in arabic.text
    assert '<p lang="en" dir="ltr">A deadline, deliverable or event of the timeline' in arabic.text


def test_english_label_on_russian_page_is_marked_as_english() -> None:
    store = Store.in_memory()
    turtle = f"""<{WGIG}Old> a <{OWL_NAMESPACE}Class> ;
        <{RDFS_NAMESPACE}label> "old"@en ."""
    store.apply(
        store.compute_addition(f"{BASE}graph/ontology", parse_graph_document(turtle.encode(), "text/turtle"))
    )
    page = (
        make_service_client(Settings(), store)
        .get("/ontology", headers={**HTML_HEADERS, "Accept-Language": "ru"})
        .text
    )
    assert '<a href="#Old"><span lang="en" dir="auto">old</span></a>' in page


def test_page_states_version(page: str) -> None:
    assert "This is version 0.1.0." in page


def test_hostile_example_is_escaped() -> None:
    store = Store.in_memory()
    ontology = (SHIPPED_FOLDER / "ontology" / "wgig.ttl").read_bytes()
    store.apply(
        store.compute_addition(f"{BASE}graph/ontology", parse_graph_document(ontology, "text/turtle"))
    )
    facts = f"""<javascript:alert(1)> a <{WGIG}Issue> ;
        <{SKOS_NAMESPACE}prefLabel>
            "<script>\\u202e{"x" * 10_000}" ; <{WGIG}p> <data:text/html,x> ."""
    store.apply(store.compute_addition("urn:g", parse_graph_document(facts.encode(), "text/turtle")))
    page = make_service_client(Settings(), store).get("/ontology", headers=HTML_HEADERS).text
    assert not re.search(r"<script>|href=\"(javascript|data):", page)
