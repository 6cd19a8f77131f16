"""Things and terms as linked data."""

import json
import re
from html import unescape

import pyoxigraph as ox
import pytest
from wgig.rdf.jsonld import build_jsonld_context, compact_triples
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.vocabulary import list_node_shapes, list_vocabulary_terms
from wgig.resources import description as resources_description
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import Get, client_over
from tests.fixtures.triples import response_triples

BASE = Settings.base
SPAM = ox.NamedNode(f"{BASE}id/issue/spam")
FORMATS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
}


def test_the_name_of_a_thing_leads_to_its_description(get: Get) -> None:
    answer = get("/id/issue/spam")
    assert (answer.status_code, answer.headers["location"]) == (303, "/doc/issue/spam")


def test_a_name_that_nobody_knows_is_not_found(get: Get) -> None:
    for path in ("/id/issue/nothing", "/doc/issue/nothing", "/doc/nothing.ttl"):
        answer = get(path)
        assert answer.status_code == 404
        assert "Nothing is known about <https://w3id.org/wgig/id/" in answer.json()["detail"]


def test_a_machine_that_does_not_care_gets_turtle_and_a_browser_a_page(get: Get) -> None:
    assert get("/doc/issue/spam").headers["content-type"] == "text/turtle; charset=utf-8"
    browser = get("/doc/issue/spam", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert browser.headers["content-type"] == "text/html; charset=utf-8"


def test_the_parameter_beats_the_suffix_and_the_suffix_the_header(get: Get) -> None:
    assert get("/doc/issue/spam.nt", accept="text/turtle").headers["content-type"] == "application/n-triples"
    answer = get("/doc/issue/spam.nt?_mediatype=application/ld%2Bjson", accept="text/turtle")
    assert answer.headers["content-type"] == "application/ld+json"


def test_only_a_known_suffix_is_a_suffix(get: Get) -> None:
    answer = get("/doc/document/declaration/49.a")
    assert answer.status_code == 200
    assert answer.headers["content-location"] == "/doc/document/declaration/49.a.ttl"
    assert response_triples(answer) == response_triples(get("/doc/document/declaration/49.a.ttl"))


def test_a_type_that_is_not_offered_is_refused_with_those_that_are(get: Get) -> None:
    answer = get("/doc/issue/spam", accept="image/png")
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["offered"]


@pytest.mark.parametrize(("suffix", "media_type"), FORMATS.items())
def test_every_format_holds_the_same_triples(get: Get, suffix: str, media_type: str) -> None:
    answer = get(f"/doc/paper/wp-spam.{suffix}")
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert response_triples(answer, ox.RdfFormat.from_media_type(media_type)) == response_triples(
        get("/doc/paper/wp-spam")
    )


def test_a_description_says_where_its_other_formats_are_and_its_license(get: Get) -> None:
    answer = get("/doc/issue/spam.ttl")
    links = answer.headers["link"]
    assert '</doc/issue/spam.jsonld>; rel="alternate"; type="application/ld+json"' in links
    assert f'<{BASE}id/issue/spam>; rel="about"' in links
    assert 'rel="describedby"' in links
    assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in links
    assert "Accept" in answer.headers["vary"]


def test_an_answer_that_the_client_has_is_not_sent_again(get: Get) -> None:
    first = get("/doc/issue/spam")
    again = get("/doc/issue/spam", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in ("etag", "vary", "cache-control")] == [
        first.headers[name] for name in ("etag", "vary", "cache-control")
    ]


@pytest.mark.parametrize(
    "path", ["/", "/id/issue/spam", "/doc/issue/spam", "/doc/issue", "/ontology", "/context.jsonld"]
)
def test_head_is_get_without_the_body(get: Get, path: str) -> None:
    head, whole = get(path, "HEAD"), get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers.get("etag") == whole.headers.get("etag")
    assert head.headers.get("content-length") == whole.headers.get("content-length")


def test_a_description_holds_the_thing_its_labels_and_what_points_to_it(get: Get) -> None:
    found = response_triples(get("/doc/issue/spam"))
    category = ox.NamedNode(f"{BASE}id/category/stable")
    label = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    assert ox.Triple(SPAM, ox.NamedNode(f"{BASE}ontology#category"), category) in found
    assert ox.Triple(category, label, ox.Literal("stable and secure", language="en")) in found
    assert (
        ox.Triple(ox.NamedNode(f"{BASE}id/paper/wp-spam"), ox.NamedNode(f"{BASE}ontology#issue"), SPAM)
        in found
    )


def test_a_description_holds_the_parts_below_the_thing(get: Get) -> None:
    part = ox.NamedNode(f"{BASE}id/paper/wp-spam/assessment/transparency")
    rationale = ox.Literal("Nobody can see it.", language="en")
    found = response_triples(get("/doc/paper/wp-spam"))
    assert ox.Triple(part, ox.NamedNode(f"{BASE}ontology#rationale"), rationale) in found


def test_a_description_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_description, "MAX_INCOMING_STATEMENTS", 2)
    monkeypatch.setattr(resources_description, "MAX_INCOMING_PER_PROPERTY", 2)
    store = Store.in_memory()
    links = "".join(f"<urn:{n}> <urn:p> <{SPAM.value}> ." for n in range(5))
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(links.encode(), "text/turtle"))
    )
    description = resources_description.describe_resource(store, SPAM.value)
    assert description is not None
    assert len(description.incoming) == 2
    assert [*map(str, description.cut_notices)] == ["Of 5 statements that point here, 2 are shown."]


def test_a_description_of_too_many_parts_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_description, "MAX_DESCRIBED_PARTS", 2)
    store = Store.in_memory()
    links = "".join(
        f"<{SPAM.value}> <urn:p> <{SPAM.value}/{n}> . <{SPAM.value}/{n}> <urn:n> {n} ." for n in range(3)
    )
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(links.encode(), "text/turtle"))
    )
    answer = client_over(store).get("/doc/issue/spam")
    assert "Only the first 2 parts are shown." in answer.text
    assert len({t for t in response_triples(answer) if t.predicate.value == "urn:n"}) == 2


def test_what_stands_in_the_unnamed_graph_is_described_too() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            None, parse_graph_document(f"<{SPAM.value}> <urn:p> 1 .".encode(), "text/turtle")
        )
    )
    description = resources_description.describe_resource(store, SPAM.value)
    assert description is not None
    assert [statement.graphs for statement in description.statements] == [()]


@pytest.mark.parametrize("path", ["/doc/a%3E%20%7D%20%23", "/doc/%22%7B", "/doc/50%25"])
def test_no_path_reaches_the_query_language(get: Get, path: str) -> None:
    assert get(path).status_code == 404


@pytest.mark.parametrize("path", ["/doc/%FF", "/id/issue/%00"])
def test_a_path_that_is_no_text_is_a_bad_request(get: Get, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 400
    assert "The path " in answer.json()["detail"]


@pytest.mark.parametrize("suffix", ["json", "jsonld"])
def test_what_a_format_cannot_say_is_not_acceptable_in_it(get: Get, suffix: str) -> None:
    answer = get(f"/doc/issue/quoted.{suffix}")
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["offered"]
    assert "<<(" in get("/doc/issue/quoted.ttl").text
    assert "wgig/id/issue/spam" in get("/doc/issue/quoted.html").text


def test_a_kind_lists_its_things_in_the_order_of_people(get: Get) -> None:
    page = get("/doc/issue.html").text
    assert page.index("Item 9") < page.index("Item 10")
    members = {t.object for t in response_triples(get("/doc/issue")) if t.predicate.value.endswith("member")}
    assert SPAM in members
    assert len(members) == 5


def test_a_kind_of_many_things_lists_them_bit_by_bit(
    get: Get, small_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {
        one.object for one in response_triples(get("/doc/issue")) if one.predicate.value.endswith("member")
    }
    monkeypatch.setattr("wgig.resources.existence.MAX_THINGS_AT_ONCE", 2)
    service, path, found = client_over(small_store), "/doc/issue", list[object]()
    while path:
        answer = service.get(path)
        here = [one.object for one in response_triples(answer) if one.predicate.value.endswith("member")]
        assert 0 < len(here) <= 2
        assert answer.headers["content-location"] == path.replace("/doc/issue", "/doc/issue.ttl")
        found += here
        page = service.get(path, headers={"Accept": "text/html"}).text
        following = re.search(r'<([^<>]*)>; rel="next"', answer.headers["link"])
        path = following[1] if following else ""
        assert (f'href="{path}" rel="next"' in page) == bool(path)
    assert (len(found), set(found)) == (len(whole), whole)


@pytest.mark.parametrize("path", ["/doc/issue.jsonld?lang=en", "/doc/issue?_mediatype=nt", "/doc/issue.html"])
def test_the_next_things_are_listed_in_the_same_format(
    monkeypatch: pytest.MonkeyPatch, small_store: Store, path: str
) -> None:
    monkeypatch.setattr("wgig.resources.existence.MAX_THINGS_AT_ONCE", 2)
    service = client_over(small_store)
    first = service.get(path)
    following = service.get(first.links["next"]["url"])
    assert following.headers["content-type"] == first.headers["content-type"] != "text/turtle; charset=utf-8"
    assert ("lang=en" in str(following.url)) == ("lang=en" in path)


def test_nothing_after_the_last_thing_is_no_list(get: Get) -> None:
    answer = get("/doc/issue?after=zzz")
    assert answer.status_code == 404
    assert "Nothing comes after zzz in this list." in answer.json()["detail"]
    assert "Nothing is known about" in get("/doc/nothing?after=zzz").json()["detail"]
    assert get("/doc/issue/spam?after=a").status_code == 400


@pytest.mark.parametrize("after", ["", "paper/wp-spam", f"{BASE}id/issue/spam"])
def test_things_come_after_one_of_the_same_list_alone(get: Get, after: str) -> None:
    answer = get(f"/doc/issue?after={after}")
    assert answer.status_code == 400
    assert f"after is {after!r}, which names no resource of this list." in answer.json()["detail"]


@pytest.mark.parametrize("name", ["page", "inverse"])
def test_a_list_of_a_kind_has_no_parameters_of_a_thing(get: Get, name: str) -> None:
    answer = get(f"/doc/issue?{name}=2")
    assert answer.status_code == 400
    assert answer.json()["parameters"] == ["_mediatype", "_profile", "lang", "after"]
    assert f"There is no parameter {name!r} here." in answer.json()["detail"]


def test_what_is_further_below_is_listed_unless_it_is_a_thing_itself(get: Get) -> None:
    page = get("/doc/document", accept="text/html").text
    assert "Further below" in page
    assert "Further below" not in get("/doc/issue", accept="text/html").text


def test_the_ontology_is_a_page_and_a_graph(get: Get) -> None:
    page = get("/ontology", accept="text/html").text
    assert 'id="IssuePaper"' in page
    found = response_triples(get("/ontology.ttl"))
    owl_class = ox.NamedNode("http://www.w3.org/2002/07/owl#Class")
    rdf_type = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    assert ox.Triple(ox.NamedNode(f"{BASE}ontology#IssuePaper"), rdf_type, owl_class) in found


def test_shapes_that_are_not_loaded_say_how_to_load_them(get: Get) -> None:
    answer = get("/shapes")
    assert answer.status_code == 404
    assert "wgig load" in answer.json()["detail"]


def test_the_page_of_shapes_shows_what_each_says() -> None:
    store = Store.in_memory()
    for path in sorted(SHIPPED_FOLDER.glob("shapes/*.ttl")):
        store.apply(
            store.compute_addition(
                f"{BASE}graph/shapes", parse_graph_document(path.read_bytes(), "text/turtle")
            )
        )
    found = list_node_shapes(store.triples(f"{BASE}graph/shapes"))
    assert len(found) > 10
    assert all(one.messages for one in found if one.targets)
    page = unescape(client_over(store).get("/shapes", headers={"Accept": "text/html"}).text)
    said = {iri: sentences for one in found for iri, sentences in one.messages.items()}
    assert all(sentence in page for sentences in said.values() for sentence in sentences)
    ours = {
        t.subject.value for t in store.triples(f"{BASE}graph/shapes") if isinstance(t.subject, ox.NamedNode)
    }
    fragments = {iri.partition("#")[2] for iri in ours if iri.startswith(f"{BASE}shapes#")}
    assert len(fragments) > 100
    assert not [fragment for fragment in fragments if page.count(f'id="{fragment}"') != 1]


def test_shapes_stand_by_name_whatever_article_it_has() -> None:
    names = ("a zebra", "The yak", "Antelope", "an ibis")
    text = " ".join(
        f'<urn:{n}> rdfs:label "{name}" ; sh:targetClass <urn:C> .' for n, name in enumerate(names)
    )
    prefixes = (
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX sh: <http://www.w3.org/ns/shacl#> "
    )
    found = list_node_shapes(parse_graph_document((prefixes + text).encode(), "text/turtle"))
    assert [one.name for one in found] == ["Antelope", "Ibis", "Yak", "Zebra"]


def test_the_context_gives_short_names_their_meaning(get: Get) -> None:
    answer = get("/context.jsonld")
    context = answer.json()["@context"]
    assert answer.headers["content-type"] == "application/ld+json"
    assert context["issue"] == {"@id": "wgig:issue", "@type": "@id"}
    assert context["round"] == {"@id": "wgig:round", "@type": "xsd:integer"}
    assert context["rationale"] == {"@id": "wgig:rationale", "@container": "@language"}
    assert context["IssuePaper"] == {"@id": "wgig:IssuePaper"}


def test_plain_json_reads_like_json_and_means_the_same_triples(get: Get) -> None:
    document = get("/ontology.json").json()
    issue = next(node for node in document["@graph"] if node["id"].endswith("#Issue"))
    assert issue["type"] == "owl:Class"
    assert {"@language": "en", "@value": "issue"} in issue["rdfs:label"]
    assert document["@context"] == "/context.jsonld"
    document["@context"] = get("/context.jsonld").json()["@context"]
    found = {quad.triple for quad in ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)}
    assert found == response_triples(get("/ontology.ttl"))


@pytest.mark.parametrize("path", ["/id/%EF%BF%BF", "/doc/%F3%B8%90%87.json", "/doc/issue/%C2%81"])
def test_a_path_with_characters_that_no_iri_has_leads_to_nothing(get: Get, path: str) -> None:
    assert get(path).status_code == 404


def test_json_ld_is_compact_and_brings_what_it_needs_of_its_context(get: Get) -> None:
    document = get("/doc/paper/wp-spam.jsonld").json()
    paper = next(node for node in document["@graph"] if node["id"].endswith("id/paper/wp-spam"))
    assert (paper["type"], paper["issue"]) == ("IssuePaper", SPAM.value)
    whole = get("/context.jsonld").json()["@context"]
    assert document["@context"].items() <= whole.items()
    assert len(document["@context"]) < 20


def test_a_text_with_a_direction_is_not_acceptable_as_json() -> None:
    store = Store.in_memory()
    fact = f'<{SPAM.value}> <urn:p> "a"@ar--rtl .'
    store.apply(store.compute_addition(None, parse_graph_document(fact.encode(), "text/turtle")))
    for suffix in ("json", "jsonld"):
        assert client_over(store).get(f"/doc/issue/spam.{suffix}").status_code == 406


def test_plain_json_keeps_values_that_do_not_fit_the_ontology() -> None:
    ontology = CHECKOUT_FOLDER / "ontology" / "wgig.ttl"
    context = build_jsonld_context(
        list_vocabulary_terms(quad.triple for quad in ox.parse(path=ontology)), BASE
    )
    odd = f"""<urn:a> <{BASE}ontology#issue> "text", _:b ; <{BASE}ontology#round> "two", 2 ;
        <{BASE}ontology#rationale> "plain", "voll"@de, "full"@en, "whole"@en ; a <urn:C> ; <urn:p> 1.5 ."""
    given = [quad.triple for quad in ox.parse(odd, format=ox.RdfFormat.TURTLE)]
    document = compact_triples(given, context, "") | {"@context": context}
    found = [quad.triple for quad in ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)]
    assert same(found, given)


def same(one: list[ox.Triple], other: list[ox.Triple]) -> bool:
    """Whether two graphs differ at most in the names of their blank nodes."""
    sets = [ox.Dataset([ox.Quad(*t) for t in triples]) for triples in (one, other)]
    for found in sets:
        found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return sets[0] == sets[1]


def test_a_name_in_any_script_is_described() -> None:
    store = Store.in_memory()
    fact = "<https://w3id.org/wgig/id/issue/你好> a <x:Issue> ."
    store.apply(store.compute_addition(None, parse_graph_document(fact.encode(), "text/turtle")))
    answer = client_over(store).get("/doc/issue/你好", headers={"Accept": "text/turtle"})
    assert answer.status_code == 200
    assert '<https://w3id.org/wgig/id/issue/%E4%BD%A0%E5%A5%BD>; rel="about"' in answer.headers["link"]


def test_the_name_of_a_thing_with_an_ending_leads_to_its_description_in_that_format(get: Get) -> None:
    answer = get("/id/issue/spam.ttl?lang=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/doc/issue/spam.ttl?lang=en")
    assert get("/id/issue/nothing.ttl").status_code == 404


@pytest.mark.parametrize("name", ["turtle", "n-triples", "json-ld"])
def test_a_format_has_the_same_short_names_at_things_as_at_queries(get: Get, name: str) -> None:
    thing = get(f"/doc/issue/spam?_mediatype={name}")
    answer = get(f"/sparql?query=DESCRIBE%20%3C{BASE}id/issue/spam%3E&_mediatype={name}")
    assert (thing.status_code, answer.status_code) == (200, 200)
    assert thing.headers["content-type"] == answer.headers["content-type"]


def test_the_iri_of_the_current_version_leads_to_the_ontology(get: Get) -> None:
    (version,) = re.findall(r"owl:versionIRI +<https://w3id.org/wgig(/\S+)>", get("/ontology.ttl").text)
    answer = get(version)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ontology")
    refused = get("/ontology/9.9.9")
    assert (refused.status_code, version in refused.json()["detail"]) == (404, True)
