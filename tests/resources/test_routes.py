"""Resources, folders, the ontology, the shapes and the JSON-LD context as linked data.

The fixture `get` sends requests to a service with the small graph of tests/fixtures/graph.ttl.
"""

import json
import re
from html import unescape

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.jsonld import build_jsonld_context, compact_triples
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.vocabulary import list_node_shapes, list_vocabulary_terms
from wgig.resources import description as resources_description
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import GetFunction, make_store_client
from tests.fixtures.triples import response_triples

BASE = Settings.base
SPAM = ox.NamedNode(f"{BASE}id/issue/spam")
MEDIA_TYPES_BY_SUFFIX = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
}


def test_iri_of_resource_redirects_to_description(get: GetFunction) -> None:
    response = get("/id/issue/spam")
    assert (response.status_code, response.headers["location"]) == (303, "/doc/issue/spam")


def test_unknown_resource_is_not_found(get: GetFunction) -> None:
    for path in ("/id/issue/nothing", "/doc/issue/nothing", "/doc/nothing.ttl"):
        response = get(path)
        assert response.status_code == 404
        assert "There is no resource <https://w3id.org/wgig/id/" in response.json()["detail"]


def test_default_format_is_turtle_and_browser_gets_page(get: GetFunction) -> None:
    assert get("/doc/issue/spam").headers["content-type"] == "text/turtle; charset=utf-8"
    browser = get("/doc/issue/spam", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert browser.headers["content-type"] == "text/html; charset=utf-8"


def test_parameter_takes_precedence_over_suffix_and_suffix_over_header(get: GetFunction) -> None:
    assert get("/doc/issue/spam.nt", accept="text/turtle").headers["content-type"] == "application/n-triples"
    response = get("/doc/issue/spam.nt?_mediatype=application/ld%2Bjson", accept="text/turtle")
    assert response.headers["content-type"] == "application/ld+json"


def test_unknown_suffix_is_part_of_name(get: GetFunction) -> None:
    response = get("/doc/document/declaration/49.a")
    assert response.status_code == 200
    assert response.headers["content-location"] == "/doc/document/declaration/49.a.ttl"
    assert response_triples(response) == response_triples(get("/doc/document/declaration/49.a.ttl"))


def test_unavailable_media_type_is_refused_with_available_ones(get: GetFunction) -> None:
    response = get("/doc/issue/spam", accept="image/png")
    assert response.status_code == 406
    assert "text/turtle" in response.json()["offered"]


@pytest.mark.parametrize(("suffix", "media_type"), MEDIA_TYPES_BY_SUFFIX.items())
def test_formats_have_same_triples(get: GetFunction, suffix: str, media_type: str) -> None:
    response = get(f"/doc/paper/wp-spam.{suffix}")
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert response_triples(response, ox.RdfFormat.from_media_type(media_type)) == response_triples(
        get("/doc/paper/wp-spam")
    )


def test_description_links_other_formats_and_license(get: GetFunction) -> None:
    response = get("/doc/issue/spam.ttl")
    links = response.headers["link"]
    assert '</doc/issue/spam.jsonld>; rel="alternate"; type="application/ld+json"' in links
    assert f'<{BASE}id/issue/spam>; rel="about"' in links
    assert 'rel="describedby"' in links
    assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in links
    assert "Accept" in response.headers["vary"]


def test_unchanged_description_is_304(get: GetFunction) -> None:
    first = get("/doc/issue/spam")
    repeated = get("/doc/issue/spam", if_none_match=first.headers["etag"])
    assert (repeated.status_code, repeated.content) == (304, b"")
    for name in ("etag", "vary", "cache-control"):
        assert repeated.headers[name] == first.headers[name]


@pytest.mark.parametrize(
    "path", ["/", "/id/issue/spam", "/doc/issue/spam", "/doc/issue", "/ontology", "/context.jsonld"]
)
def test_head_is_get_without_body(get: GetFunction, path: str) -> None:
    head, complete = get(path, "HEAD"), get(path)
    assert (head.status_code, head.content) == (complete.status_code, b"")
    assert head.headers.get("etag") == complete.headers.get("etag")
    assert head.headers.get("content-length") == complete.headers.get("content-length")


def test_description_has_statements_labels_and_incoming_links(get: GetFunction) -> None:
    category = ox.NamedNode(f"{BASE}id/category/stable")
    label = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    assert response_triples(get("/doc/issue/spam")) >= {
        ox.Triple(SPAM, ox.NamedNode(f"{BASE}ontology#category"), category),
        ox.Triple(category, label, ox.Literal("stable and secure", language="en")),
        ox.Triple(ox.NamedNode(f"{BASE}id/paper/wp-spam"), ox.NamedNode(f"{BASE}ontology#issue"), SPAM),
    }


def test_description_has_parts(get: GetFunction) -> None:
    part = ox.NamedNode(f"{BASE}id/paper/wp-spam/assessment/transparency")
    rationale = ox.Literal("Nobody can see it.", language="en")
    triples = response_triples(get("/doc/paper/wp-spam"))
    assert ox.Triple(part, ox.NamedNode(f"{BASE}ontology#rationale"), rationale) in triples


def test_omitted_incoming_statements_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_description, "MAX_INCOMING_STATEMENTS", 2)
    monkeypatch.setattr(resources_description, "MAX_INCOMING_PER_PROPERTY", 2)
    store = Store.in_memory()
    turtle = "".join(f"<urn:{n}> <urn:p> <{SPAM.value}> ." for n in range(5))
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(turtle.encode(), "text/turtle"))
    )
    description = resources_description.describe_resource(store, SPAM.value)
    assert description is not None
    assert len(description.incoming) == 2
    assert [*map(str, description.cut_notices)] == ["This page shows 2 of 5 statements that link to it."]


def test_omitted_parts_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_description, "MAX_DESCRIBED_PARTS", 2)
    store = Store.in_memory()
    turtle = "".join(
        f"<{SPAM.value}> <urn:p> <{SPAM.value}/{n}> . <{SPAM.value}/{n}> <urn:n> {n} ." for n in range(3)
    )
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(turtle.encode(), "text/turtle"))
    )
    response = make_store_client(store).get("/doc/issue/spam")
    assert "Only the first 2 parts are shown." in response.text
    triples = response_triples(response)
    assert len([triple for triple in triples if triple.predicate.value == "urn:n"]) == 2


def test_description_includes_default_graph() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            None, parse_graph_document(f"<{SPAM.value}> <urn:p> 1 .".encode(), "text/turtle")
        )
    )
    description = resources_description.describe_resource(store, SPAM.value)
    assert description is not None
    assert [statement.graphs for statement in description.statements] == [()]  # no named graph


@pytest.mark.parametrize("path", ["/doc/a%3E%20%7D%20%23", "/doc/%22%7B", "/doc/50%25"])
def test_path_with_sparql_syntax_is_not_found(get: GetFunction, path: str) -> None:
    assert get(path).status_code == 404


@pytest.mark.parametrize("path", ["/doc/%FF", "/id/issue/%00"])
def test_path_that_is_not_text_is_refused(get: GetFunction, path: str) -> None:
    response = get(path)
    assert response.status_code == 400
    assert "The path " in response.json()["detail"]


@pytest.mark.parametrize("suffix", ["json", "jsonld"])
def test_triple_term_is_406_in_json(get: GetFunction, suffix: str) -> None:
    response = get(f"/doc/issue/quoted.{suffix}")
    assert response.status_code == 406
    assert "text/turtle" in response.json()["offered"]
    assert "<<(" in get("/doc/issue/quoted.ttl").text
    assert "wgig/id/issue/spam" in get("/doc/issue/quoted.html").text


def test_folder_lists_resources_in_natural_order(get: GetFunction) -> None:
    page = get("/doc/issue.html").text
    assert page.index("Item 9") < page.index("Item 10")
    members = folder_members(get("/doc/issue"))
    assert SPAM in members
    assert len(members) == 5  # issues in the store


def folder_members(response: httpx2.Response) -> list[object]:
    """The objects of rdfs:member in a response."""
    triples = response_triples(response)
    return [triple.object for triple in triples if triple.predicate.value.endswith("member")]


def test_large_folder_is_paged(get: GetFunction, small_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    all_members = folder_members(get("/doc/issue"))
    monkeypatch.setattr("wgig.resources.existence.MAX_FOLDER_RESOURCES", 2)
    client, path, members = make_store_client(small_store), "/doc/issue", list[object]()
    while path:
        response = client.get(path)
        page_members = folder_members(response)
        assert 0 < len(page_members) <= 2
        assert response.headers["content-location"] == path.replace("/doc/issue", "/doc/issue.ttl")
        members += page_members
        page = client.get(path, headers={"Accept": "text/html"}).text
        next_link = re.search(r'<([^<>]*)>; rel="next"', response.headers["link"])
        path = next_link[1] if next_link else ""
        assert (f'href="{path}" rel="next"' in page) == bool(path)
    assert sorted(members, key=str) == sorted(all_members, key=str)


@pytest.mark.parametrize("path", ["/doc/issue.jsonld?lang=en", "/doc/issue?_mediatype=nt", "/doc/issue.html"])
def test_next_page_of_folder_has_same_format(
    monkeypatch: pytest.MonkeyPatch, small_store: Store, path: str
) -> None:
    monkeypatch.setattr("wgig.resources.existence.MAX_FOLDER_RESOURCES", 2)
    client = make_store_client(small_store)
    first = client.get(path)
    second = client.get(first.links["next"]["url"])
    assert second.headers["content-type"] == first.headers["content-type"] != "text/turtle; charset=utf-8"
    assert ("lang=en" in str(second.url)) == ("lang=en" in path)


def test_empty_page_of_folder_is_not_found(get: GetFunction) -> None:
    response = get("/doc/issue?after=zzz")
    assert response.status_code == 404
    assert "Nothing comes after zzz in this list." in response.json()["detail"]
    assert "There is no resource" in get("/doc/nothing?after=zzz").json()["detail"]
    assert get("/doc/issue/spam?after=a").status_code == 400


@pytest.mark.parametrize("after", ["", "paper/wp-spam", f"{BASE}id/issue/spam"])
def test_after_must_name_resource_of_same_folder(get: GetFunction, after: str) -> None:
    response = get(f"/doc/issue?after={after}")
    assert response.status_code == 400
    assert f"after is {after!r}, which names no resource of this list." in response.json()["detail"]


@pytest.mark.parametrize("name", ["page", "inverse"])
def test_folder_refuses_parameters_of_resource(get: GetFunction, name: str) -> None:
    response = get(f"/doc/issue?{name}=2")
    assert response.status_code == 400
    assert response.json()["parameters"] == ["lang", "after", "_mediatype", "_profile"]
    assert f"There is no parameter {name!r}." in response.json()["detail"]


def test_folder_lists_subfolders(get: GetFunction) -> None:
    page = get("/doc/document", accept="text/html").text
    assert "Subfolders" in page
    assert "Subfolders" not in get("/doc/issue", accept="text/html").text


def test_ontology_is_page_or_graph(get: GetFunction) -> None:
    page = get("/ontology", accept="text/html").text
    assert 'id="IssuePaper"' in page
    triples = response_triples(get("/ontology.ttl"))
    owl_class = ox.NamedNode("http://www.w3.org/2002/07/owl#Class")
    rdf_type = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    assert ox.Triple(ox.NamedNode(f"{BASE}ontology#IssuePaper"), rdf_type, owl_class) in triples


def test_error_for_empty_shapes_says_how_to_load_them(get: GetFunction) -> None:
    response = get("/shapes")
    assert response.status_code == 404
    assert "wgig load" in response.json()["detail"]


def test_page_of_shapes_has_all_messages_and_anchors() -> None:
    store = Store.in_memory()
    for path in sorted(SHIPPED_FOLDER.glob("shapes/*.ttl")):
        store.apply(
            store.compute_addition(
                f"{BASE}graph/shapes", parse_graph_document(path.read_bytes(), "text/turtle")
            )
        )
    triples = list(store.triples(f"{BASE}graph/shapes"))
    shapes = list_node_shapes(triples)
    assert len(shapes) > 10
    assert all(shape.messages for shape in shapes if shape.targets)
    page = unescape(make_store_client(store).get("/shapes", headers={"Accept": "text/html"}).text)
    messages = [message for shape in shapes for values in shape.messages.values() for message in values]
    assert all(message in page for message in messages)
    iris = {triple.subject.value for triple in triples if isinstance(triple.subject, ox.NamedNode)}
    fragments = {iri.partition("#")[2] for iri in iris if iri.startswith(f"{BASE}shapes#")}
    assert len(fragments) > 100
    assert not [fragment for fragment in fragments if page.count(f'id="{fragment}"') != 1]


def test_shapes_are_sorted_by_name_without_article() -> None:
    names = ("a zebra", "The yak", "Antelope", "an ibis")
    statements = " ".join(
        f'<urn:{n}> rdfs:label "{name}" ; sh:targetClass <urn:C> .' for n, name in enumerate(names)
    )
    prefixes = (
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX sh: <http://www.w3.org/ns/shacl#> "
    )
    shapes = list_node_shapes(parse_graph_document((prefixes + statements).encode(), "text/turtle"))
    assert [shape.name for shape in shapes] == ["Antelope", "Ibis", "Yak", "Zebra"]


def test_context_maps_names_to_terms(get: GetFunction) -> None:
    response = get("/context.jsonld")
    context = response.json()["@context"]
    assert response.headers["content-type"] == "application/ld+json"
    assert context["issue"] == {"@id": "wgig:issue", "@type": "@id"}
    assert context["round"] == {"@id": "wgig:round", "@type": "xsd:integer"}
    assert context["rationale"] == {"@id": "wgig:rationale", "@container": "@language"}
    assert context["IssuePaper"] == {"@id": "wgig:IssuePaper"}


def test_json_of_ontology_is_json_ld_with_same_triples(get: GetFunction) -> None:
    document = get("/ontology.json").json()
    issue = next(node for node in document["@graph"] if node["id"].endswith("#Issue"))
    assert issue["type"] == "owl:Class"
    assert {"@language": "en", "@value": "issue"} in issue["rdfs:label"]
    assert document["@context"] == "/context.jsonld"
    document["@context"] = get("/context.jsonld").json()["@context"]
    triples = {quad.triple for quad in ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)}
    assert triples == response_triples(get("/ontology.ttl"))


@pytest.mark.parametrize("path", ["/id/%EF%BF%BF", "/doc/%F3%B8%90%87.json", "/doc/issue/%C2%81"])
def test_path_with_invalid_iri_characters_is_not_found(get: GetFunction, path: str) -> None:
    assert get(path).status_code == 404


def test_json_ld_is_compact_with_used_part_of_context(get: GetFunction) -> None:
    document = get("/doc/paper/wp-spam.jsonld").json()
    paper = next(node for node in document["@graph"] if node["id"].endswith("id/paper/wp-spam"))
    assert (paper["type"], paper["issue"]) == ("IssuePaper", SPAM.value)
    full_context = get("/context.jsonld").json()["@context"]
    assert document["@context"].items() <= full_context.items()
    assert len(document["@context"]) < 20


def test_text_with_base_direction_is_406_in_json() -> None:
    store = Store.in_memory()
    fact = f'<{SPAM.value}> <urn:p> "a"@ar--rtl .'
    store.apply(store.compute_addition(None, parse_graph_document(fact.encode(), "text/turtle")))
    for suffix in ("json", "jsonld"):
        assert make_store_client(store).get(f"/doc/issue/spam.{suffix}").status_code == 406


def test_compact_json_keeps_values_that_do_not_fit_ontology() -> None:
    ontology = CHECKOUT_FOLDER / "ontology" / "wgig.ttl"
    context = build_jsonld_context(
        list_vocabulary_terms(quad.triple for quad in ox.parse(path=ontology)), BASE
    )
    turtle = f"""<urn:a> <{BASE}ontology#issue> "text", _:b ; <{BASE}ontology#round> "two", 2 ;
        <{BASE}ontology#rationale> "plain", "voll"@de, "full"@en, "whole"@en ; a <urn:C> ; <urn:p> 1.5 ."""
    triples = [quad.triple for quad in ox.parse(turtle, format=ox.RdfFormat.TURTLE)]
    document = compact_triples(triples, context, context_url="") | {"@context": context}
    compacted_triples = [quad.triple for quad in ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)]
    assert canonicalize_triples(compacted_triples) == canonicalize_triples(triples)


def canonicalize_triples(triples: list[ox.Triple]) -> ox.Dataset:
    """The triples with canonical labels of blank nodes."""
    dataset = ox.Dataset([ox.Quad(*triple) for triple in triples])
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


def test_iri_in_non_latin_script_is_described() -> None:
    store = Store.in_memory()
    fact = "<https://w3id.org/wgig/id/issue/你好> a <x:Issue> ."
    store.apply(store.compute_addition(None, parse_graph_document(fact.encode(), "text/turtle")))
    response = make_store_client(store).get("/doc/issue/你好", headers={"Accept": "text/turtle"})
    assert response.status_code == 200
    assert '<https://w3id.org/wgig/id/issue/%E4%BD%A0%E5%A5%BD>; rel="about"' in response.headers["link"]


def test_iri_with_format_suffix_redirects_to_description_in_that_format(get: GetFunction) -> None:
    response = get("/id/issue/spam.ttl?lang=en")
    assert (response.status_code, response.headers["location"]) == (303, "/doc/issue/spam.ttl?lang=en")
    assert get("/id/issue/nothing.ttl").status_code == 404


@pytest.mark.parametrize("name", ["turtle", "n-triples", "json-ld"])
def test_format_has_same_short_name_for_resource_and_query(get: GetFunction, name: str) -> None:
    description = get(f"/doc/issue/spam?_mediatype={name}")
    result = get(f"/sparql?query=DESCRIBE%20%3C{BASE}id/issue/spam%3E&_mediatype={name}")
    assert (description.status_code, result.status_code) == (200, 200)
    assert description.headers["content-type"] == result.headers["content-type"]


def test_version_iri_redirects_to_ontology(get: GetFunction) -> None:
    (version,) = re.findall(r"owl:versionIRI +<https://w3id.org/wgig(/\S+)>", get("/ontology.ttl").text)
    response = get(version)
    assert (response.status_code, response.headers["location"]) == (303, "/ontology")
    refused = get("/ontology/9.9.9")
    assert (refused.status_code, version in refused.json()["detail"]) == (404, True)
