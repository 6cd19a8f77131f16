"""Profiles are identified by IRI or token, described, and say the same in every format."""

import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document as parse
from wgig.resources import mappings
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES
from wgig.resources.profiles import PROFILES_FOLDER, profile_triples, profiles_by_token, read_profile_file
from wgig.store.store import Store

from tests.fixtures.profiles import BASE, IRIS, KNOWN, SPAM, profile
from tests.fixtures.service import Get, client_over
from tests.fixtures.triples import response_triples

# 6.2 Profile identification


@pytest.mark.parametrize("token", ["schema.org", "skos", "oai_dc", "wgig"])
def test_a_profile_is_identified_by_its_iri_or_by_a_token(get: Get, token: str) -> None:
    by_token = get(SPAM, accept_profile=token)
    by_iri = get(SPAM, accept_profile=f"<{IRIS[token]}>")
    assert profile(by_token) == profile(by_iri) == token
    assert by_token.content == by_iri.content


@pytest.mark.parametrize("iri", ["http://schema.org/", "https://schema.org"])
def test_a_profile_may_have_other_names(get: Get, iri: str) -> None:
    assert profile(get(SPAM, accept_profile=f"<{iri}>")) == "schema.org"


# 6.2: an IRI had better be one that leads to a description


def test_profiles_are_named_by_http_and_ours_leads_to_its_description(get: Get) -> None:
    assert all(iri.startswith(("http://", "https://")) for iri in IRIS.values())
    assert get(f"/{IRIS['wgig'].removeprefix(BASE)}").status_code == 200


# What our own rules add


def test_the_link_field_is_bounded_whatever_the_name_of_the_thing() -> None:
    store = Store.in_memory()
    name = "x" * 2_000
    store.apply(store.compute_addition(None, parse(f"<{BASE}id/{name}> a <urn:C> .".encode(), "text/turtle")))
    answer = client_over(store).get(f"/doc/{name}")
    assert answer.status_code == 200
    assert 0 < len(answer.headers["link"]) <= MAX_LINK_FIELD_BYTES


@pytest.mark.parametrize("token", [token for token in KNOWN if token != "wgig"])
def test_a_profile_says_the_same_in_every_format_of_rdf(reader: httpx.Client, token: str) -> None:
    path = f"/graph/issues?_profile={token}" if token == "dcat" else f"{SPAM}?_profile={token}"
    formats = {"text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES}
    formats |= {"application/rdf+xml": ox.RdfFormat.RDF_XML, "application/ld+json": ox.RdfFormat.JSON_LD}
    said = [
        response_triples(reader.get(f"{path}&_mediatype={quote(name)}"), format_)
        for name, format_ in formats.items()
    ]
    assert said[0]
    assert all(one == said[0] for one in said)


def test_dublin_core_is_written_as_harvesters_read_it(get: Get) -> None:
    answer = get("/doc/issue/hostile.xml")
    assert answer.headers["content-type"] == "application/xml"
    root = ET.fromstring(answer.content)
    assert root.tag == f"{{{mappings.OAI_DC_NAMESPACE}}}dc"
    elements = [one.tag.removeprefix(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}") for one in root]
    assert set(elements) <= set(mappings.DC_ELEMENTS)
    assert elements == sorted(elements, key=mappings.DC_ELEMENTS.index)
    assert not [
        one for one in root if len(one) or one.attrib.keys() - {"{http://www.w3.org/XML/1998/namespace}lang"}
    ]
    assert root.findtext(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}title") == "<script>alert(1)</script>"


def test_a_character_that_xml_does_not_have_is_not_acceptable_in_it() -> None:
    store = Store.in_memory()
    fact = f'<{BASE}id/x/y> <http://purl.org/dc/terms/title> "a\\u0001b" .'
    store.apply(store.compute_addition(None, parse(fact.encode(), "text/turtle")))
    answer = client_over(store).get("/doc/x/y.xml")
    assert answer.status_code == 406
    assert "U+0001" in answer.json()["detail"]


def test_a_graph_is_itself_by_our_own_profile_and_a_dataset_by_others(get: Get) -> None:
    dataset = ox.NamedNode("http://www.w3.org/ns/dcat#Dataset")
    found = response_triples(get("/graph/ontology?_profile=dcat"))
    assert dataset in {one.object for one in found}
    downloads = [one.object for one in found if one.predicate.value.endswith("#downloadURL")]
    assert len(downloads) == 4
    for one in downloads:
        assert isinstance(one, ox.NamedNode)
        assert one.value.startswith("http://localhost/graph/ontology?")
        assert get(one.value).status_code == 200
    assert dataset not in {one.object for one in response_triples(get("/graph/ontology"))}
    assert get("/graph/ontology?_profile=skos").status_code == 406


def test_a_graph_that_a_format_cannot_say_is_not_acceptable_in_it(get: Get) -> None:
    answer = get("/graph/test?_mediatype=application/ld%2Bjson")
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["offered"]


def test_what_a_thing_says_of_other_pages_does_not_move_its_profiles() -> None:
    store = Store.in_memory()
    topic = "<http://xmlns.com/foaf/0.1/primaryTopic>"
    facts = f"<{BASE}id/x/y> {topic} <urn:other> . <urn:page> {topic} <{BASE}id/x/y> ."
    store.apply(store.compute_addition(None, parse(facts.encode(), "text/turtle")))
    found = response_triples(client_over(store).get("/doc/x/y?_profile=schema.org"))
    assert {one.subject for one in found} == {ox.NamedNode(f"{BASE}id/x/y")}
    assert [one.object for one in found if one.predicate.value == "https://schema.org/url"] == [
        ox.NamedNode("http://localhost/doc/x/y")
    ]


def test_a_client_of_another_site_may_ask_and_read(writable: httpx.Client, get: Get) -> None:
    asked = writable.options("/doc/issue/spam")
    allowed = asked.headers["access-control-allow-headers"].split(", ")
    assert {"Accept-Profile", "If-Range", "Range"} <= set(allowed)
    exposed = get(SPAM).headers["access-control-expose-headers"]
    assert "Content-Profile" in exposed
    assert "Content-Language" in exposed


def test_each_profile_is_described_in_prof() -> None:
    found = list(profile_triples(BASE))
    tokens = {one.subject: one.object for one in found if one.predicate.value.endswith("hasToken")}
    assert tokens == {ox.NamedNode(iri): ox.Literal(token) for token, iri in IRIS.items()}
    assert {one.subject for one in found} == tokens.keys()


def test_no_name_means_two_profiles() -> None:
    names = [name for one in KNOWN.values() for name in (one.token, one.iri, *one.alias_iris)]
    assert len(names) == len(set(names))


def test_a_profile_of_another_base_speaks_of_that() -> None:
    elsewhere = profiles_by_token("https://example.org/")
    assert elsewhere["wgig"].iri == "https://example.org/ontology"
    assert "https://example.org/ontology#Issue" in elsewhere["skos"].classes
    assert BASE not in elsewhere["schema.org"].query


def test_a_file_without_its_header_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "x.rq"
    path.write_text((PROFILES_FOLDER / "skos.rq").read_text().replace("# title", "# titel"))
    with pytest.raises(ValueError, match=r"x.rq lacks the comment line '# title"):
        read_profile_file(path, BASE)
