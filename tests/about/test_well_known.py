"""Who comes for the first time finds what there is, at the places where one looks."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import Get, service_of

pytestmark = pytest.mark.slow

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
HOST = "http://localhost/"
DESCRIPTIONS = ("/.well-known/void", "/.well-known/sparql-examples", "/catalog")


def term(name: str) -> ox.NamedNode:
    """The term of a short name."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode(KNOWN[prefix] + local)


def graph(answer: httpx.Response) -> ox.Store:
    """The graph in an answer, to be asked."""
    assert answer.status_code == 200
    store = ox.Store()
    store.load(answer.content, ox.RdfFormat.from_media_type(answer.headers["content-type"].partition(";")[0]))
    return store


def objects(store: ox.Store, subject: Any, name: str) -> set[str]:
    """What a property leads to."""
    found: Any = store.quads_for_pattern(subject, term(name), None)
    return {one.object.value for one in found}


@pytest.mark.parametrize("path", DESCRIPTIONS)
@pytest.mark.parametrize("media_type", ["text/turtle", "application/ld+json", "application/n-triples"])
def test_a_description_comes_in_the_format_that_is_asked_for(
    filled_client: httpx.Client, path: str, media_type: str
) -> None:
    answer = filled_client.get(path, headers={"Accept": media_type})
    assert answer.headers["content-type"].startswith(media_type)
    assert len(graph(answer)) > 50
    again = filled_client.get(path, headers={"Accept": media_type, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_json_ld_is_compact_and_says_what_turtle_says(filled_client: httpx.Client, path: str) -> None:
    compact, turtle = (
        filled_client.get(path, headers={"Accept": one}) for one in ("application/ld+json", "text/turtle")
    )
    assert compact.json()["@context"]["@version"] == 1.1
    said, meant = (
        {str(quad.triple) for quad in graph(one) if "_:" not in str(quad)} for one in (compact, turtle)
    )
    assert said == meant
    assert len(graph(compact)) == len(graph(turtle))


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_a_browser_is_led_to_the_page_of_the_graph(filled_client: httpx.Client, path: str) -> None:
    answer = filled_client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    page = filled_client.get(answer.headers["location"], headers={"Accept": "text/html"})
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/graph/dcat", ">graph/issues as Turtle</a>"),
        ("/graph/void", ">class/wgig:Agreement</a>"),
        ("/graph/queries", ">skos</a>"),
    ],
)
def test_the_page_of_a_description_calls_by_names_what_it_describes(
    filled_client: httpx.Client, path: str, name: str
) -> None:
    page = filled_client.get(path, headers={"Accept": "text/html"}).text
    assert name in page
    assert f">{Settings.base}graphs?" not in page
    assert f">{Settings.base}.well-known/" not in page


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_another_format_is_refused(filled_client: httpx.Client, path: str) -> None:
    assert filled_client.get(path, headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_a_store_that_does_not_describe_itself_says_so(get: Get, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert "descriptions are computed only with" in answer.json()["detail"]


def test_void_describes_the_dataset_by_addresses_of_the_host_that_was_asked(
    filled_client: httpx.Client,
) -> None:
    store = graph(filled_client.get("/.well-known/void"))
    (dataset,) = objects(store, None, "foaf:primaryTopic")
    assert objects(store, ox.NamedNode(dataset), "void:sparqlEndpoint") == {f"{HOST}sparql"}
    dumps = objects(store, ox.NamedNode(dataset), "void:dataDump")
    assert dumps == {f"{HOST}dump.nq.gz", f"{HOST}dump.trig.gz"}
    assert all(filled_client.head(one.removeprefix(HOST[:-1])).status_code == 200 for one in dumps)


def test_an_example_names_the_endpoint_of_the_host_that_was_asked(filled_client: httpx.Client) -> None:
    store = graph(filled_client.get("/.well-known/sparql-examples"))
    assert objects(store, None, "schema:target") == {f"{HOST}sparql"}
    assert len(objects(store, None, "schema:keywords")) > 10


def test_all_that_the_catalog_offers_can_be_had(filled_client: httpx.Client) -> None:
    store = graph(filled_client.get("/catalog"))
    for one in objects(store, None, "dcat:downloadURL"):
        answer = filled_client.get(one.removeprefix(HOST[:-1]))
        assert answer.status_code == 200, one
        (file,) = store.quads_for_pattern(None, term("dcat:downloadURL"), ox.NamedNode(one))
        (media_type,) = objects(store, file.subject, "dcat:mediaType")
        packed = objects(store, file.subject, "dcat:compressFormat")
        (carried,) = packed or {media_type}
        assert carried.endswith(answer.headers["content-type"].partition(";")[0])
    for one in objects(store, None, "dcat:endpointURL"):
        assert filled_client.get(one.removeprefix(HOST[:-1])).status_code == 200


def test_each_dataset_of_the_catalog_has_title_description_license_and_distribution(
    filled_client: httpx.Client, filled_store: Store
) -> None:
    store = graph(filled_client.get("/catalog"))
    listed = objects(store, None, "dcat:dataset")
    graphs = {
        one for one in filled_store.graphs() if one.rpartition("/")[2] not in ("void", "dcat", "queries")
    }
    assert listed == {*graphs, f"{BASE}.well-known/void#dataset"}
    for one in listed:
        for name in ("dcterms:title", "dcterms:description", "dcterms:license", "dcat:distribution"):
            assert objects(store, ox.NamedNode(one), name), (one, name)


def test_the_profile_tells_its_resources_by_their_roles(filled_client: httpx.Client) -> None:
    store = graph(filled_client.get("/catalog"))
    (profile,) = store.quads_for_pattern(None, term("prof:hasToken"), ox.Literal("wgig"))
    roles = {
        (role.rpartition("/")[2], place)
        for resource in objects(store, profile.subject, "prof:hasResource")
        for role in objects(store, ox.NamedNode(resource), "prof:hasRole")
        for place in objects(store, ox.NamedNode(resource), "prof:hasArtifact")
    }
    assert roles == {
        ("vocabulary", f"{BASE}ontology"),
        ("validation", f"{BASE}shapes"),
        ("mapping", f"{BASE}context.jsonld"),
    }
    assert all(filled_client.get("/" + place.removeprefix(BASE)).status_code == 200 for _, place in roles)


def test_the_service_description_tells_how_large_each_graph_is(
    filled_client: httpx.Client, filled_store: Store
) -> None:
    store = graph(filled_client.get("/sparql", headers={"Accept": "text/turtle"}))
    issues = f"{BASE}graph/issues"
    (named,) = store.quads_for_pattern(None, term("sd:name"), ox.NamedNode(issues))
    assert objects(store, named.subject, "void:triples") == {str(len(list(filled_store.triples(issues))))}
    assert objects(store, None, "sd:availableGraphs") == objects(store, None, "sd:defaultDataset")
    assert not objects(store, None, "sd:extensionFunction")


def test_the_interfaces_are_listed_and_each_can_be_reached(get: Get) -> None:
    answer = get("/.well-known/api-catalog")
    assert answer.headers["content-type"].startswith("application/linkset+json; profile=")
    assert answer.headers["link"] == '</.well-known/api-catalog>; rel="api-catalog"'
    catalog, *each = json.loads(answer.content)["linkset"]
    assert catalog["anchor"] == f"{HOST}.well-known/api-catalog"
    assert [one["anchor"] for one in each] == [one["href"] for one in catalog["item"]]
    for one in each:
        for relation in ("service-desc", "service-doc", "status"):
            for link in one[relation]:
                found = get(link["href"].removeprefix(HOST[:-1]), accept=link["type"])
                assert found.status_code == 200, link
                assert found.headers["content-type"].startswith(link["type"])


def test_the_list_of_interfaces_answers_head_with_its_link(get: Get) -> None:
    answer = get("/.well-known/api-catalog", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert 'rel="api-catalog"' in answer.headers["link"]


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
def test_what_has_one_form_comes_in_it_whatever_is_accepted(get: Get, path: str, accept: str) -> None:
    answer, unasked = get(path, accept=accept), get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, unasked.headers["content-type"])


@pytest.mark.parametrize("accept", ["text/turtle", "text/html", "application/ld+json"])
def test_the_event_stream_has_two_forms_and_never_another_in_their_place(get: Get, accept: str) -> None:
    answer = get("/changes", accept=accept)
    assert answer.status_code == 406
    assert "Ask for one of: application/trig, application/n-quads." in answer.text


def test_nobody_is_named_for_security_unless_the_operator_names_somebody(get: Get) -> None:
    assert get("/.well-known/security.txt").status_code == 404


def test_whom_to_tell_of_a_weakness(small_store: Store) -> None:
    settings = Settings(contact="mailto:security@example.org https://example.org/contact")
    answer = service_of(settings, small_store).get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    *contacts, expires = answer.text.splitlines()
    assert contacts == ["Contact: mailto:security@example.org", "Contact: https://example.org/contact"]
    day = datetime.fromisoformat(expires.removeprefix("Expires: "))
    assert timedelta(days=30) < day - datetime.now(UTC) < timedelta(days=365)
    assert answer.headers["cache-control"] == "no-store"


def test_the_place_of_that_is_named_where_it_is_safe(small_store: Store) -> None:
    client = service_of(Settings(contact="https://example.org/contact"), small_store)
    answer = client.get("https://example.org/.well-known/security.txt")
    assert answer.text.splitlines()[-1] == "Canonical: https://example.org/.well-known/security.txt"


@pytest.mark.parametrize("contact", ["security@example.org", "http://example.org/", "mailto:nobody"])
def test_a_contact_that_is_no_address_is_refused_at_the_start(
    contact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WGIG_CONTACT", contact)
    with pytest.raises(ValueError, match="WGIG_CONTACT has"):
        Settings.from_environment()


def test_robots_may_read_pages_and_not_run_queries(get: Get) -> None:
    answer = get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
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
def test_robots_are_kept_from_what_has_no_end(get: Get, path: str, is_open: bool) -> None:
    rules = [line.split(": ")[1] for line in get("/robots.txt").text.splitlines() if "Disallow" in line]
    matched = [one for one in rules if re.match(re.escape(one).replace(r"\*", ".*"), f"/{path}")]
    assert bool(matched) is not is_open
