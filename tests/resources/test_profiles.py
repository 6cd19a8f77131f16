"""Profiles: identification by IRI or token, description, and the same triples in every format.

The numbers are those of sections of Content Negotiation by Profile. The fixture `get` sends requests to a
service with the small graph of tests/fixtures/graph.ttl.
"""

import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import quote

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.resources import mappings
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES
from wgig.resources.profiles import PROFILES_FOLDER, profile_triples, profiles_by_token, read_profile_file
from wgig.store.store import Store

from tests.fixtures.profiles import BASE, PROFILE_IRIS, PROFILES_BY_TOKEN, SPAM_PATH, content_profile
from tests.fixtures.service import GetFunction, make_store_client
from tests.fixtures.triples import response_triples

# 6.2 Profile identification


@pytest.mark.parametrize("token", ["schema.org", "skos", "oai_dc", "wgig"])
def test_profile_is_identified_by_iri_or_token(get: GetFunction, token: str) -> None:
    by_token = get(SPAM_PATH, accept_profile=token)
    by_iri = get(SPAM_PATH, accept_profile=f"<{PROFILE_IRIS[token]}>")
    assert content_profile(by_token) == content_profile(by_iri) == token
    assert by_token.content == by_iri.content


@pytest.mark.parametrize("iri", ["http://schema.org/", "https://schema.org"])
def test_profile_may_have_alias_iris(get: GetFunction, iri: str) -> None:
    assert content_profile(get(SPAM_PATH, accept_profile=f"<{iri}>")) == "schema.org"


# 6.2: the IRI of a profile should lead to a description


def test_profiles_have_http_iris_and_default_one_can_be_fetched(get: GetFunction) -> None:
    assert all(iri.startswith(("http://", "https://")) for iri in PROFILE_IRIS.values())
    assert get(f"/{PROFILE_IRIS['wgig'].removeprefix(BASE)}").status_code == 200


# Rules of this service


def test_link_header_is_limited_for_long_iri() -> None:
    store = Store.in_memory()
    name = "x" * 2_000
    store.apply(
        store.compute_addition(
            None, parse_graph_document(f"<{BASE}id/{name}> a <urn:C> .".encode(), "text/turtle")
        )
    )
    response = make_store_client(store).get(f"/doc/{name}")
    assert response.status_code == 200
    assert 0 < len(response.headers["link"]) <= MAX_LINK_FIELD_BYTES


@pytest.mark.parametrize("token", [token for token in PROFILES_BY_TOKEN if token != "wgig"])
def test_profile_has_same_triples_in_every_rdf_format(shipped_client: httpx2.Client, token: str) -> None:
    path = f"/graph/issues?_profile={token}" if token == "dcat" else f"{SPAM_PATH}?_profile={token}"
    formats = {"text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES}
    formats |= {"application/rdf+xml": ox.RdfFormat.RDF_XML, "application/ld+json": ox.RdfFormat.JSON_LD}
    triples_by_format = [
        response_triples(shipped_client.get(f"{path}&_mediatype={quote(name)}"), format_)
        for name, format_ in formats.items()
    ]
    assert triples_by_format[0]
    assert all(triples == triples_by_format[0] for triples in triples_by_format)


def test_dublin_core_conforms_to_oai_dc(get: GetFunction) -> None:
    response = get("/doc/issue/hostile.xml")
    assert response.headers["content-type"] == "application/xml"
    root = ET.fromstring(response.content)
    assert root.tag == f"{{{mappings.OAI_DC_NAMESPACE}}}dc"
    names = [element.tag.removeprefix(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}") for element in root]
    assert set(names) <= set(mappings.DC_ELEMENTS)
    assert names == sorted(names, key=mappings.DC_ELEMENTS.index)
    for element in root:
        assert not len(element)
        assert element.attrib.keys() <= {"{http://www.w3.org/XML/1998/namespace}lang"}
    assert root.findtext(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}title") == "<script>alert(1)</script>"


def test_character_not_allowed_in_xml_is_406() -> None:
    store = Store.in_memory()
    fact = f'<{BASE}id/x/y> <http://purl.org/dc/terms/title> "a\\u0001b" .'
    store.apply(store.compute_addition(None, parse_graph_document(fact.encode(), "text/turtle")))
    response = make_store_client(store).get("/doc/x/y.xml")
    assert response.status_code == 406
    assert "U+0001" in response.json()["detail"]


def test_graph_is_dataset_in_dcat_profile_only(get: GetFunction) -> None:
    dataset = ox.NamedNode("http://www.w3.org/ns/dcat#Dataset")
    triples = response_triples(get("/graph/ontology?_profile=dcat"))
    assert dataset in {triple.object for triple in triples}
    downloads = [triple.object for triple in triples if triple.predicate.value.endswith("#downloadURL")]
    assert len(downloads) == 4  # Turtle, N-Triples, RDF/XML, JSON-LD
    for download in downloads:
        assert isinstance(download, ox.NamedNode)
        assert download.value.startswith("http://localhost/graph/ontology?")
        assert get(download.value).status_code == 200
    assert dataset not in {triple.object for triple in response_triples(get("/graph/ontology"))}
    assert get("/graph/ontology?_profile=skos").status_code == 406


def test_graph_that_json_ld_cannot_express_is_406(get: GetFunction) -> None:
    response = get("/graph/test?_mediatype=application/ld%2Bjson")  # has a triple term
    assert response.status_code == 406
    assert "text/turtle" in response.json()["offered"]


def test_statements_about_pages_do_not_change_profiles() -> None:
    store = Store.in_memory()
    # With this property the service links pages to their resources; data may use it, too.
    topic = "<http://xmlns.com/foaf/0.1/primaryTopic>"
    facts = f"<{BASE}id/x/y> {topic} <urn:other> . <urn:page> {topic} <{BASE}id/x/y> ."
    store.apply(store.compute_addition(None, parse_graph_document(facts.encode(), "text/turtle")))
    triples = response_triples(make_store_client(store).get("/doc/x/y?_profile=schema.org"))
    assert {triple.subject for triple in triples} == {ox.NamedNode(f"{BASE}id/x/y")}
    assert [triple.object for triple in triples if triple.predicate.value == "https://schema.org/url"] == [
        ox.NamedNode("http://localhost/doc/x/y")
    ]


def test_cors_allows_and_exposes_header_fields(writable_client: httpx2.Client, get: GetFunction) -> None:
    preflight = writable_client.options("/doc/issue/spam")
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"Accept-Profile", "If-Range", "Range"} <= set(allowed)
    exposed = get(SPAM_PATH).headers["access-control-expose-headers"]
    assert "Content-Profile" in exposed
    assert "Content-Language" in exposed


def test_profiles_are_described_in_prof() -> None:
    triples = list(profile_triples(BASE))
    tokens = {
        triple.subject: triple.object for triple in triples if triple.predicate.value.endswith("hasToken")
    }
    assert tokens == {ox.NamedNode(iri): ox.Literal(token) for token, iri in PROFILE_IRIS.items()}
    assert {triple.subject for triple in triples} == tokens.keys()


def test_names_of_profiles_are_unique() -> None:
    names = [
        name
        for profile in PROFILES_BY_TOKEN.values()
        for name in (profile.token, profile.iri, *profile.alias_iris)
    ]
    assert len(names) == len(set(names))


def test_profiles_use_given_base() -> None:
    profiles = profiles_by_token("https://example.org/")
    assert profiles["wgig"].iri == "https://example.org/ontology"
    assert "https://example.org/ontology#Issue" in profiles["skos"].classes
    assert BASE not in profiles["schema.org"].query


def test_error_names_missing_header_line(tmp_path: Path) -> None:
    path = tmp_path / "x.rq"
    path.write_text((PROFILES_FOLDER / "skos.rq").read_text().replace("# title", "# unknown"))
    with pytest.raises(ValueError, match=r"x.rq lacks the comment line '# title"):
        read_profile_file(path, BASE)
