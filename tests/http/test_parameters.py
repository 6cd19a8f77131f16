"""Invalid and contradictory parameters and headers are refused by every route with a specific message."""

from urllib.parse import unquote

import httpx2
import pytest
from wgig.http.parameters import add_url_parameters
from wgig.settings import Settings
from wgig.store.store import Store
from wgig.text import find_near_name

from tests.fixtures.service import make_service_client

GRAPH_PATH = "/graph/issues"
GRAPH_PAIR = "graph=https%3A%2F%2Fw3id.org%2Fwgig%2Fgraph%2Fissues"
IRI_PAIR = "iri=https%3A%2F%2Fw3id.org%2Fwgig%2Fid%2Fissue%2Fspam"
QUERY_PAIR = "query=ASK%7B%7D"
FORM_TYPE = "application/x-www-form-urlencoded"
HeaderFields = list[tuple[str, str]]


@pytest.fixture(scope="module")
def client(filled_store: Store) -> httpx2.Client:
    """A client of a service with the shipped graphs and a token."""
    return make_service_client(Settings(token="secret"), filled_store)


def assert_refused(response: httpx2.Response, status: int, message: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        # profiles and languages
        ("/doc/issue/spam?_profile=marc", 406, "None of the profiles marc is known"),
        ("/issues?_profile=marc", 406, "Request one of: wgig"),
        ("/issues?_profile=skos", 406, "Request one of: wgig"),
        ("/catalog?_profile=wgig", 406, "Request one of: dcat"),
        ("/issues?_profile=", 400, "Write IRIs between angle brackets"),
        ("/search?q=spam&_profile=skos", 406, "Request one of: wgig"),
        ("/validate?profile=perfect", 400, "There is no profile 'perfect'."),
        ("/doc/issue/spam?lang=tlh", 406, "None of the texts is in tlh."),
        ("/doc/issue/spam?lang=", 400, "does not contain valid language tags"),
        ("/graph/issues?lang=tlh", 406, "None of the texts is in tlh."),
        ("/search?q=spam&lang=tlh", 400, "Nothing has the language 'tlh'."),
        ("/validate?lang=tlh", 400, "There is no report in 'tlh'."),
        ("/issues?lang=fr", 400, "There is no parameter 'lang'."),
        # pages, and cursors of other lists
        ("/issues?page=99", 404, "There is no page 99."),
        ("/issues?before=1", 400, "There is no parameter 'before'."),
        ("/issues?cursor=1", 400, "There is no parameter 'cursor'."),
        ("/feed.atom?page=2", 400, "The parameters are: before."),
        ("/feed.atom?before=999999999", 404, "no page before 999999999"),
        ("/feed/query/who-wrote-what.atom?before=3", 400, "The parameters are: graph, page."),
        ("/search?q=spam&page=99", 404, "There is no page 99"),
        ("/changes/20200101T000000000000Z/1", 404, "Start from /changes."),
        ("/sitemap/7.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/doc/issue/spam.json?inverse=issue&page=99", 404, "There is no page 99. The last one is 1."),
        ("/doc/issue/spam.json?inverse=isue", 400, "Did you mean issue?"),
        ("/doc/issue/spam.json?page=2", 400, "page needs inverse"),
        ("/doc/declaration/48", 404, "Did you mean <https://w3id.org/wgig/id/document/declaration/48>?"),
        ("/doc/issue?inverse=issue", 400, "There is no parameter 'inverse'."),
        ("/doc/nothing?inverse=issue", 404, "There is no resource"),
        ("/reconcile/suggest/entity?prefix=a&cursor=next", 400, "must be a number from 0"),
        # versions
        (f"{GRAPH_PATH}?version=yesterday", 404, "There is no version 'yesterday'"),
        (f"/cite?{IRI_PAIR}&version=yesterday", 404, "There is no version 'yesterday'"),
        (f"/cited?{IRI_PAIR}&version=20200101T000000000000Z", 404, "There is no version"),
        (f"/dump/{'0' * 32}.nq", 404, "no longer keeps that version"),
        # contradictions
        (f"{GRAPH_PATH}?version=a&versions", 400, "The parameters version and versions exclude each other."),
        (f"{GRAPH_PATH}?versions&changes=x", 400, "The parameters versions and changes exclude each other."),
        ("/papers?_lang=xx", 400, "use the parameter lang"),
        (f"{GRAPH_PATH}?versions&_profile=dcat", 400, "There is no parameter '_profile'."),
        (f"{GRAPH_PATH}?{GRAPH_PAIR}", 400, "There is no parameter 'graph'."),
        (f"/graphs?{GRAPH_PAIR}&default", 400, "The list of graphs takes no other parameters"),
        ("/graphs?version=a", 400, "The list of graphs takes no other parameters"),
        ("/graphs?default=issues", 400, "The parameter default takes no value."),
        (f"/sparql?{QUERY_PAIR}&explain=false", 400, "The parameter explain takes no value."),
        (f"/sparql?{QUERY_PAIR}&check=yes", 400, "The parameter check takes no value."),
        (f"/sparql?{QUERY_PAIR}&format=json&output=xml", 400, "request different formats"),
        (f"/sparql?{QUERY_PAIR}&{QUERY_PAIR}", 400, "Send the parameter query exactly once"),
        (f"/sparql?{QUERY_PAIR}&update=x", 400, "This is the query service."),
        (f"/sparql?{QUERY_PAIR}&version=2.0", 400, "SPARQL '2.0' is not supported. Use one of: 1.0, 1.1,"),
        (f"/sparql?{QUERY_PAIR}&default-graph=x", 400, "Did you mean default-graph-uri?"),
        ("/sparql?example=no-such-query", 404, "There is no example query no-such-query."),
        ("/doc/issue/spam?_frame=issue&_profile=skos", 406, "None of the profiles skos is known"),
        ("/doc/issue/spam?_frame=issue&inverse=issue", 400, "There is no parameter 'inverse'."),
        (
            "/doc/issue/spam.ttl?inverse=issue",
            406,
            "This is not available as .ttl. Use one of these suffixes in the address: .json",
        ),
        (f"/cite?{IRI_PAIR}&{QUERY_PAIR}", 400, "Give what to cite"),
        ("/reconcile?queries=%7B%7D&extend=%7B%7D", 400, "Send only one of them."),
        # numbers out of range
        ("/issues?size=501", 400, "from 1 to 500"),
        ("/issues?size=-1", 400, "from 1 to 500"),
        ("/issues?page=1e999", 400, "Give a whole number"),
        ("/reconcile/properties?type=issue&limit=101", 400, "from 0 to 100"),
        ("/queries/due-and-delivered?in_time=perhaps", 400, "There is no resource"),
    ],
)
def test_invalid_url_is_refused(client: httpx2.Client, path: str, status: int, message: str) -> None:
    assert_refused(client.get(path), status, message)


@pytest.mark.parametrize(
    ("request_line", "fields", "status", "message"),
    [
        ("GET /issues", [("Accept-Profile", "skos")], 406, "Request one of: wgig"),
        ("GET /issues", [("Accept-Profile", "skos;v=2")], 400, "Accept-Profile"),
        ("GET /issues", [("Accept", "image/png")], 406, "text/csv"),
        ("GET /issues", [("Accept", "*/*;q=0")], 406, "text/csv"),
        ("GET /", [("Accept", "text/turtle")], 406, "text/html"),
        ("GET /validate", [("Accept", "application/json")], 406, "text/html"),
        ("GET /doc/problem/not-found", [("Accept", "text/turtle")], 406, "text/html"),
        ("GET /reconcile/preview?id=issue/spam", [("Accept", "text/csv")], 406, "text/html"),
        ("GET /catalog", [("Accept-Profile", "schema.org")], 406, "Request one of: dcat"),
        ("GET /search?q=spam", [("Accept-Profile", "skos")], 406, "Request one of: wgig"),
        (
            f"GET {GRAPH_PATH}",
            [("Accept-Datetime", "a"), ("Accept-Datetime", "b")],
            400,
            "more than one Accept-Datetime field",
        ),
        ("POST /sparql", [("Content-Type", f"{FORM_TYPE}; version=3")], 400, "SPARQL '3' is not supported."),
        ("GET /dump.nq", [("Range", "bytes=99999999999-")], 416, "the requested range begins after its end"),
        (
            "GET /queries/running",
            [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
            400,
            "more than one",
        ),
        ("POST /sparql", [("Content-Type", FORM_TYPE), ("Content-Type", "text/plain")], 415, "Send one of"),
        (
            "POST /sparql",
            [("Content-Type", FORM_TYPE), ("Content-Encoding", "gzip"), ("Content-Encoding", "br")],
            415,
            "'gzip, br'",
        ),
        (f"GET /sparql?{QUERY_PAIR}", [("WGIG-Query-Id", "1")], 400, "not a valid query ID"),
    ],
)
def test_invalid_or_contradictory_headers_are_refused(
    client: httpx2.Client, request_line: str, fields: HeaderFields, status: int, message: str
) -> None:
    method, _, path = request_line.partition(" ")
    body = b"query=ASK%7B%7D" if method == "POST" else None
    assert_refused(client.request(method, path, headers=fields, content=body), status, message)


@pytest.mark.parametrize("name", ["format", "output", "results"])
@pytest.mark.parametrize(
    ("query", "format_name", "media_type"),
    [
        ("ASK {}", "json", "application/sparql-results+json"),
        ("ASK {}", "xml", "application/sparql-results+xml"),
        ("SELECT * {}", "csv", "text/csv"),
        ("SELECT * {}", "text/tab-separated-values", "text/tab-separated-values"),
        ("CONSTRUCT WHERE {}", "xml", "application/rdf+xml"),
        ("CONSTRUCT WHERE {}", "json", "application/ld+json"),
        ("CONSTRUCT WHERE {}", "n3", "text/turtle"),
        ("CONSTRUCT WHERE {}", "N-Triples", "application/n-triples"),
    ],
)
def test_format_parameters_of_other_services_are_supported(
    client: httpx2.Client, name: str, query: str, format_name: str, media_type: str
) -> None:
    parameters = {"query": query, name: format_name, "ac": "1"}  # editors send `ac`, which has no effect
    for response in (client.get("/sparql", params=parameters), client.post("/sparql", data=parameters)):
        assert response.headers["content-type"].partition(";")[0] == media_type
    page = client.get("/sparql", params={**parameters, "_mediatype": "html"})
    assert page.headers["content-type"].startswith("text/html")


def test_unknown_query_parameter_is_ignored_with_warning(client: httpx2.Client) -> None:
    parameters = {"query": "ASK {}", "debug": "on", "<b>": ""}
    for response in (client.get("/sparql", params=parameters), client.post("/sparql", data=parameters)):
        assert response.json()["boolean"] is True
        warning = unquote(response.headers["wgig-warning"])
        assert warning == "%\"Unknown parameters were ignored: 'debug', '<b>'.\""
    page = client.get("/sparql", params={**parameters, "_mediatype": "html"})
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text


def test_misspelled_parameter_is_refused_unless_similar_one_is_given(client: httpx2.Client) -> None:
    response = client.get("/sparql", params={"query": "ASK {}", "queryLn": "SPARQL"})
    assert response.json()["boolean"] is True
    assert "queryLn" in unquote(response.headers["wgig-warning"])
    assert_refused(client.get("/sparql", params={"query": "ASK {}", "exlain": ""}), 400, "explain")


def test_unavailable_format_is_refused_in_all_format_parameters(client: httpx2.Client) -> None:
    for name in ("format", "output", "results", "_mediatype"):
        for response in (
            client.get("/sparql", params={"query": "ASK {}", name: "auto"}),
            client.post("/sparql", data={"query": "ASK {}", name: "auto"}),
        ):
            assert_refused(response, 406, "application/sparql-results+json")


def test_inverse_page_has_content_location(client: httpx2.Client) -> None:
    path = "/doc/category/access-for-all?inverse=category&page=1"
    response = client.get(path)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-location"] == "/doc/category/access-for-all.json?inverse=category&page=1"
    second_response = client.get(response.headers["content-location"])
    assert (second_response.content, second_response.headers["etag"]) == (
        response.content,
        response.headers["etag"],
    )
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    items = response.json()["inverse"]["category"]["items"]
    assert items
    assert page.text.count("<li><a href=") >= len(items)


def test_too_large_reconciliation_batch_is_refused(client: httpx2.Client) -> None:
    queries = "{" + ",".join(f'"q{number}":{{"query":"x"}}' for number in range(10_000)) + "}"
    assert_refused(client.post("/reconcile", data={"queries": queries}), 413, "Send at most 50")


@pytest.mark.parametrize(
    ("name", "expected"), [("verdic", "verdict"), ("Verdic", "Verdict"), ("VERDICT", "Verdict")]
)
def test_nearest_name_prefers_same_case(name: str, expected: str) -> None:
    assert find_near_name(name, ("verdict", "Verdict")) == expected


@pytest.mark.parametrize(
    ("url", "pairs", "expected"),
    [
        ("/x", [], "/x"),
        ("/x", [("a", "1"), ("b", "")], "/x?a=1&b="),
        ("/x?a=1", [("b", "x y&z+/,:é")], "/x?a=1&b=x+y%26z%2B/,:%C3%A9"),
        ("/graphs?default", [("versions", None)], "/graphs?default&versions"),
    ],
)
def test_parameters_are_appended_to_url(url: str, pairs: list[tuple[str, str | None]], expected: str) -> None:
    assert add_url_parameters(url, pairs) == expected
