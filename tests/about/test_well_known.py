"""Well-known paths, catalog and robots.txt describe the service, its data and its contacts."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from wgig.settings import Settings
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.service import GetFunction, make_service_client

pytestmark = pytest.mark.slow

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
HOST = "http://localhost/"  # of the requests of the test clients
DESCRIPTION_PATHS = ("/.well-known/void", "/.well-known/sparql-examples", "/catalog")


def expand_name(name: str) -> ox.NamedNode:
    """The IRI of a prefixed name."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode(NAMESPACES[prefix] + local)


def parse_response_graph(response: httpx2.Response) -> ox.Store:
    """The graph in a response, as a store."""
    assert response.status_code == 200
    store = ox.Store()
    store.load(
        response.content, ox.RdfFormat.from_media_type(response.headers["content-type"].partition(";")[0])
    )
    return store


def list_objects(store: ox.Store, subject: Any, name: str) -> set[str]:
    """The values of the objects of a subject (None: of any) and a property."""
    quads: Any = store.quads_for_pattern(subject, expand_name(name), None)
    return {quad.object.value for quad in quads}


@pytest.mark.parametrize("path", DESCRIPTION_PATHS)
@pytest.mark.parametrize("media_type", ["text/turtle", "application/ld+json", "application/n-triples"])
def test_a_description_is_available_in_rdf_formats(
    filled_client: httpx2.Client, path: str, media_type: str
) -> None:
    response = filled_client.get(path, headers={"Accept": media_type})
    assert response.headers["content-type"].startswith(media_type)
    assert len(parse_response_graph(response)) > 50
    not_modified = filled_client.get(
        path, headers={"Accept": media_type, "If-None-Match": response.headers["etag"]}
    )
    assert not_modified.status_code == 304


@pytest.mark.parametrize("media_type", ["application/json", "application/ld+json", "text/turtle"])
def test_unchanged_catalog_keeps_its_etag(filled_client: httpx2.Client, media_type: str) -> None:
    fields = {"Accept": media_type, "Cache-Control": "no-cache"}
    assert len({filled_client.get("/catalog", headers=fields).headers["etag"] for _ in range(5)}) == 1


@pytest.mark.parametrize("path", DESCRIPTION_PATHS)
def test_json_ld_is_compact_and_has_the_triples_of_turtle(filled_client: httpx2.Client, path: str) -> None:
    compact, turtle = (
        filled_client.get(path, headers={"Accept": media_type})
        for media_type in ("application/ld+json", "text/turtle")
    )
    assert compact.json()["@context"]["@version"] == 1.1
    # The labels of blank nodes differ, so of the triples with blank nodes only the number is compared.
    json_ld_triples, turtle_triples = (
        {str(quad.triple) for quad in parse_response_graph(response) if "_:" not in str(quad)}
        for response in (compact, turtle)
    )
    assert json_ld_triples == turtle_triples
    assert len(parse_response_graph(compact)) == len(parse_response_graph(turtle))


@pytest.mark.parametrize("path", [path for path in DESCRIPTION_PATHS if path != "/catalog"])
def test_a_browser_is_redirected_to_the_page_of_the_graph(filled_client: httpx2.Client, path: str) -> None:
    response = filled_client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 303
    page = filled_client.get(response.headers["location"], headers={"Accept": "text/html"})
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("path", "html"),
    [
        ("/graph/dcat", ">graph/issues as Turtle</a>"),
        ("/graph/void", ">class/wgig:Agreement</a>"),
        ("/graph/queries", ">skos</a>"),
    ],
)
def test_the_page_of_a_description_shows_short_names(
    filled_client: httpx2.Client, path: str, html: str
) -> None:
    page = filled_client.get(path, headers={"Accept": "text/html"}).text
    assert html in page
    assert f">{Settings.base}graphs?" not in page  # a whole URL as the text of a link
    assert f">{Settings.base}.well-known/" not in page


@pytest.mark.parametrize("path", DESCRIPTION_PATHS)
def test_an_unsupported_format_is_refused(filled_client: httpx2.Client, path: str) -> None:
    assert filled_client.get(path, headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("path", DESCRIPTION_PATHS)
def test_a_store_without_descriptions_responds_with_404(get: GetFunction, path: str) -> None:
    response = get(path)
    assert response.status_code == 404
    assert "descriptions are computed only with" in response.json()["detail"]


def test_void_has_urls_on_the_host_of_the_request(
    filled_client: httpx2.Client,
) -> None:
    store = parse_response_graph(filled_client.get("/.well-known/void"))
    (dataset,) = list_objects(store, None, "foaf:primaryTopic")
    assert list_objects(store, ox.NamedNode(dataset), "void:sparqlEndpoint") == {f"{HOST}sparql"}
    dumps = list_objects(store, ox.NamedNode(dataset), "void:dataDump")
    assert dumps == {f"{HOST}dump.nq.gz", f"{HOST}dump.trig.gz"}
    assert all(filled_client.head(url.removeprefix(HOST[:-1])).status_code == 200 for url in dumps)


def test_example_queries_have_the_endpoint_on_the_host_of_the_request(filled_client: httpx2.Client) -> None:
    store = parse_response_graph(filled_client.get("/.well-known/sparql-examples"))
    assert list_objects(store, None, "schema:target") == {f"{HOST}sparql"}
    assert len(list_objects(store, None, "schema:keywords")) > 10


def test_all_urls_of_the_catalog_can_be_fetched(filled_client: httpx2.Client) -> None:
    store = parse_response_graph(filled_client.get("/catalog"))
    for url in list_objects(store, None, "dcat:downloadURL"):
        response = filled_client.get(url.removeprefix(HOST[:-1]))
        assert response.status_code == 200, url
        (file,) = store.quads_for_pattern(None, expand_name("dcat:downloadURL"), ox.NamedNode(url))
        (media_type,) = list_objects(store, file.subject, "dcat:mediaType")
        compressions = list_objects(store, file.subject, "dcat:compressFormat")
        (expected_type,) = compressions or {media_type}
        assert expected_type.endswith(response.headers["content-type"].partition(";")[0])
    for url in list_objects(store, None, "dcat:endpointURL"):
        assert filled_client.get(url.removeprefix(HOST[:-1])).status_code == 200


def test_each_dataset_of_the_catalog_has_title_description_license_and_distribution(
    filled_client: httpx2.Client, filled_store: Store
) -> None:
    store = parse_response_graph(filled_client.get("/catalog"))
    listed = list_objects(store, None, "dcat:dataset")
    graphs = {
        dataset
        for dataset in filled_store.graphs()
        if dataset.rpartition("/")[2] not in ("void", "dcat", "queries")  # the descriptions themselves
    }
    assert listed == {*graphs, f"{BASE}.well-known/void#dataset"}
    for dataset in listed:
        for name in ("dcterms:title", "dcterms:description", "dcterms:license", "dcat:distribution"):
            assert list_objects(store, ox.NamedNode(dataset), name), (dataset, name)


def test_the_profile_of_the_project_lists_its_resources_by_role(filled_client: httpx2.Client) -> None:
    store = parse_response_graph(filled_client.get("/catalog"))
    (profile,) = store.quads_for_pattern(None, expand_name("prof:hasToken"), ox.Literal("wgig"))
    roles = {
        (role.rpartition("/")[2], artifact)
        for resource in list_objects(store, profile.subject, "prof:hasResource")
        for role in list_objects(store, ox.NamedNode(resource), "prof:hasRole")
        for artifact in list_objects(store, ox.NamedNode(resource), "prof:hasArtifact")
    }
    assert roles == {
        ("vocabulary", f"{BASE}ontology"),
        ("validation", f"{BASE}shapes"),
        ("mapping", f"{BASE}context.jsonld"),
    }
    assert all(
        filled_client.get("/" + artifact.removeprefix(BASE)).status_code == 200 for _, artifact in roles
    )


def test_the_service_description_has_the_size_of_each_graph(
    filled_client: httpx2.Client, filled_store: Store
) -> None:
    store = parse_response_graph(filled_client.get("/sparql", headers={"Accept": "text/turtle"}))
    issues = f"{BASE}graph/issues"
    (graph,) = store.quads_for_pattern(None, expand_name("sd:name"), ox.NamedNode(issues))
    assert list_objects(store, graph.subject, "void:triples") == {
        str(len(list(filled_store.triples(issues))))
    }
    assert list_objects(store, None, "sd:availableGraphs") == list_objects(store, None, "sd:defaultDataset")
    assert not list_objects(store, None, "sd:extensionFunction")


def test_the_interfaces_are_listed_and_each_can_be_reached(get: GetFunction) -> None:
    response = get("/.well-known/api-catalog")
    assert response.headers["content-type"].startswith("application/linkset+json; profile=")
    assert response.headers["link"] == '</.well-known/api-catalog>; rel="api-catalog"'
    catalog, *interfaces = json.loads(response.content)["linkset"]
    assert catalog["anchor"] == f"{HOST}.well-known/api-catalog"
    assert [interface["anchor"] for interface in interfaces] == [
        interface["href"] for interface in catalog["item"]
    ]
    for interface in interfaces:
        for relation in ("service-desc", "service-doc", "status"):
            for link in interface[relation]:
                linked = get(link["href"].removeprefix(HOST[:-1]), accept=link["type"])
                assert linked.status_code == 200, link
                assert linked.headers["content-type"].startswith(link["type"])


def test_the_list_of_interfaces_answers_head_with_its_link(get: GetFunction) -> None:
    response = get("/.well-known/api-catalog", method="HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert 'rel="api-catalog"' in response.headers["link"]


@pytest.mark.parametrize("accept", ["text/html", "text/turtle", "image/png;q=.1"])
@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/api-catalog",
        "/context.jsonld",
        "/feed.atom",
        "/health",
        "/meetings.ics",
        "/openapi.json",
        "/opensearch.xml",
        "/robots.txt",
        "/sitemap.xml",
        "/tables/papers.csv",
    ],
)
def test_a_resource_with_one_format_ignores_the_accept_header(
    get: GetFunction, path: str, accept: str
) -> None:
    response, default_response = get(path, accept=accept), get(path)
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        default_response.headers["content-type"],
    )


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json"])
def test_the_event_stream_refuses_rdf_formats_other_than_its_two(get: GetFunction, accept: str) -> None:
    response = get("/changes", accept=accept)
    assert response.status_code == 406
    assert "Request one of: application/trig, application/n-quads, text/html." in response.text


def test_security_txt_is_missing_without_a_contact(get: GetFunction) -> None:
    assert get("/.well-known/security.txt").status_code == 404


def test_security_txt_has_contacts_and_expiry(small_store: Store) -> None:
    settings = Settings(contact="mailto:security@example.org https://example.org/contact")
    response = make_service_client(settings, small_store).get("/.well-known/security.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    *contacts, expires = response.text.splitlines()
    assert contacts == ["Contact: mailto:security@example.org", "Contact: https://example.org/contact"]
    day = datetime.fromisoformat(expires.removeprefix("Expires: "))
    assert timedelta(days=30) < day - datetime.now(UTC) < timedelta(days=365)
    assert response.headers["cache-control"] == "no-store"


def test_security_txt_has_its_canonical_url_on_https(small_store: Store) -> None:
    client = make_service_client(Settings(contact="https://example.org/contact"), small_store)
    response = client.get("https://example.org/.well-known/security.txt")
    assert response.text.splitlines()[-1] == "Canonical: https://example.org/.well-known/security.txt"


@pytest.mark.parametrize("contact", ["security@example.org", "http://example.org/", "mailto:nobody"])
def test_an_invalid_contact_is_refused_at_the_start(contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_CONTACT", contact)
    with pytest.raises(ValueError, match="WGIG_CONTACT has"):
        Settings.from_environment()


def test_robots_may_read_pages_and_not_run_queries(get: GetFunction) -> None:
    response = get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    lines = response.text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Allow: /", "Disallow: /sparql?", f"Sitemap: {HOST}sitemap.xml"} <= set(lines)


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("", True),
        ("sparql", True),
        ("search", True),
        ("queries", True),
        ("queries/coverage-matrix", True),
        ("doc/issue/spam", True),
        ("papers?page=2", True),
        ("sparql?query=ASK%20%7B%7D", False),
        ("search?q=spam", False),
        ("queries?_mediatype=json", False),
        ("queries/coverage-matrix?the_issue=spam", False),
        ("doc/issue/spam?_profile=all", False),
        ("coverage?issue=spam", False),
        ("cite?iri=x", False),
        ("cited?query=x", False),
    ],
)
def test_robots_may_read_pages_but_not_their_endless_variants(
    get: GetFunction, path: str, is_open: bool
) -> None:
    rules = [line.split(": ")[1] for line in get("/robots.txt").text.splitlines() if "Disallow" in line]
    matching_rules = [rule for rule in rules if re.match(re.escape(rule).replace(r"\*", ".*"), f"/{path}")]
    assert bool(matching_rules) is not is_open
