"""What nobody can mean is refused in words at each route, and never becomes something else in silence."""

from urllib.parse import unquote

import httpx
import pytest
from wgig.http.parameters import add_url_parameters
from wgig.settings import Settings
from wgig.store.store import Store
from wgig.text import find_near_name

from tests.fixtures.service import service_of

GRAPH = "/graph/issues"
FIRST = "graph=https%3A%2F%2Fw3id.org%2Fwgig%2Fgraph%2Fissues"
CITED = "iri=https%3A%2F%2Fw3id.org%2Fwgig%2Fid%2Fissue%2Fspam"
ASK = "query=ASK%7B%7D"
FORM = "application/x-www-form-urlencoded"
Fields = list[tuple[str, str]]


@pytest.fixture(scope="module")
def client(filled_store: Store) -> httpx.Client:
    """A client of a service with all that it has at its first start."""
    return service_of(Settings(token="secret"), filled_store)


def refused(answer: httpx.Response, status: int, said: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        # profiles and languages
        ("/doc/issue/spam?_profile=marc", 406, "None of the profiles marc is known"),
        ("/issues?_profile=marc", 406, "Ask for one of: wgig"),
        ("/issues?_profile=skos", 406, "Ask for one of: wgig"),
        ("/catalog?_profile=wgig", 406, "Ask for one of: dcat"),
        ("/issues?_profile=", 400, "Write IRIs between angle brackets"),
        ("/search?q=spam&_profile=skos", 406, "Ask for one of: wgig"),
        ("/validate?profile=perfect", 400, "There is no profile 'perfect'."),
        ("/doc/issue/spam?lang=tlh", 406, "No text here is in tlh."),
        ("/doc/issue/spam?lang=", 400, "does not name languages"),
        ("/graph/issues?lang=tlh", 406, "No text here is in tlh."),
        ("/search?q=spam&lang=tlh", 400, "Nothing has the language 'tlh'."),
        ("/validate?lang=tlh", 400, "There is no report in 'tlh'."),
        ("/issues?lang=fr", 400, "There is no parameter 'lang' here."),
        # pages, and cursors of other lists
        ("/issues?page=99", 404, "There is no page 99."),
        ("/issues?before=1", 400, "There is no parameter 'before' here."),
        ("/issues?cursor=1", 400, "There is no parameter 'cursor' here."),
        ("/feed.atom?page=2", 400, "There are: before."),
        ("/feed.atom?before=999999999", 404, "no page before 999999999"),
        ("/feed/query/who-wrote-what.atom?before=3", 400, "There are: graph, page."),
        ("/search?q=spam&page=99", 404, "There is no page 99"),
        ("/changes/20200101T000000000000Z/1", 404, "Start from /changes."),
        ("/sitemap/7.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/doc/issue/spam.json?inverse=issue&page=99", 404, "There is no page 99. The last one is 1."),
        ("/doc/issue/spam.json?inverse=isue", 400, "Did you mean issue?"),
        ("/doc/issue/spam.json?page=2", 400, "page needs inverse"),
        ("/doc/declaration/48", 404, "Did you mean <https://w3id.org/wgig/id/document/declaration/48>?"),
        ("/doc/issue?inverse=issue", 400, "There is no parameter 'inverse' here."),
        ("/doc/nothing?inverse=issue", 404, "Nothing is known about"),
        ("/reconcile/suggest/entity?prefix=a&cursor=next", 400, "must be a number from 0"),
        # versions
        (f"{GRAPH}?version=yesterday", 404, "There is no version 'yesterday'"),
        (f"/cite?{CITED}&version=yesterday", 404, "There is no version 'yesterday'"),
        (f"/cited?{CITED}&version=20200101T000000000000Z", 404, "There is no version"),
        (f"/dump/{'0' * 32}.nq", 404, "is not kept here"),
        # what contradicts itself
        (f"{GRAPH}?version=a&versions", 400, "The parameters version and versions exclude each other."),
        (f"{GRAPH}?versions&changes=x", 400, "The parameters versions and changes exclude each other."),
        ("/papers?_lang=xx", 400, "use the parameter lang"),
        (f"{GRAPH}?versions&_profile=dcat", 400, "There is no parameter '_profile' here."),
        (f"{GRAPH}?{FIRST}", 400, "There is no parameter 'graph' here."),
        (f"/graphs?{FIRST}&default", 400, "Name exactly one graph"),
        ("/graphs?version=a", 400, "Name exactly one graph"),
        ("/graphs?default=issues", 400, "The parameter default has no value."),
        (f"/sparql?{ASK}&explain=false", 400, "The parameter explain has no value."),
        (f"/sparql?{ASK}&format=json&output=xml", 400, "name different formats"),
        (f"/sparql?{ASK}&{ASK}", 400, "Send the parameter query exactly once"),
        (f"/sparql?{ASK}&update=x", 400, "This is the query service."),
        (f"/sparql?{ASK}&version=2.0", 400, "SPARQL '2.0' is not supported. Use one of: 1.0, 1.1,"),
        (f"/sparql?{ASK}&default-graph=x", 400, "Did you mean default-graph-uri?"),
        ("/sparql?example=no-such-query", 404, "There is no example query no-such-query."),
        ("/doc/issue/spam?_frame=issue&_profile=skos", 406, "None of the profiles skos is known"),
        ("/doc/issue/spam?_frame=issue&inverse=issue", 400, "There is no parameter 'inverse' here."),
        (
            "/doc/issue/spam.ttl?inverse=issue",
            406,
            "This is not available as .ttl. End the address in one of: .json",
        ),
        (f"/cite?{CITED}&{ASK}", 400, "Name what to cite"),
        ("/reconcile?queries=%7B%7D&extend=%7B%7D", 400, "Send only one of them."),
        # numbers out of range
        ("/issues?size=501", 400, "from 1 to 500"),
        ("/issues?size=-1", 400, "from 1 to 500"),
        ("/issues?page=1e999", 400, "Give a whole number"),
        ("/reconcile/properties?type=issue&limit=101", 400, "from 0 to 100"),
        ("/queries/due-and-delivered?in_time=perhaps", 400, "Nothing is known about"),
    ],
)
def test_an_address_that_means_nothing_is_refused(
    client: httpx.Client, path: str, status: int, said: str
) -> None:
    refused(client.get(path), status, said)


@pytest.mark.parametrize(
    ("asked", "fields", "status", "said"),
    [
        ("GET /issues", [("Accept-Profile", "skos")], 406, "Ask for one of: wgig"),
        ("GET /issues", [("Accept-Profile", "skos;v=2")], 400, "Accept-Profile"),
        ("GET /issues", [("Accept", "image/png")], 406, "text/csv"),
        ("GET /issues", [("Accept", "*/*;q=0")], 406, "text/csv"),
        ("GET /", [("Accept", "text/turtle")], 406, "text/html"),
        ("GET /validate", [("Accept", "application/json")], 406, "text/html"),
        ("GET /doc/problem/not-found", [("Accept", "text/turtle")], 406, "text/html"),
        ("GET /reconcile/preview?id=issue/spam", [("Accept", "text/csv")], 406, "text/html"),
        ("GET /catalog", [("Accept-Profile", "schema.org")], 406, "Ask for one of: dcat"),
        ("GET /search?q=spam", [("Accept-Profile", "skos")], 406, "Ask for one of: wgig"),
        (
            f"GET {GRAPH}",
            [("Accept-Datetime", "a"), ("Accept-Datetime", "b")],
            400,
            "more than one Accept-Datetime field",
        ),
        ("POST /sparql", [("Content-Type", f"{FORM}; version=3")], 400, "SPARQL '3' is not supported."),
        ("GET /dump.nq", [("Range", "bytes=99999999999-")], 416, "the requested range begins after its end"),
        (
            "GET /queries/running",
            [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
            400,
            "more than one",
        ),
        ("POST /sparql", [("Content-Type", FORM), ("Content-Type", "text/plain")], 415, "Send one of"),
        (
            "POST /sparql",
            [("Content-Type", FORM), ("Content-Encoding", "gzip"), ("Content-Encoding", "br")],
            415,
            "'gzip, br'",
        ),
        (f"GET /sparql?{ASK}", [("WGIG-Query-Id", "1")], 400, "no valid query ID"),
    ],
)
def test_fields_that_contradict_each_other_or_what_there_is_are_refused(
    client: httpx.Client, asked: str, fields: Fields, status: int, said: str
) -> None:
    method, _, path = asked.partition(" ")
    body = b"query=ASK%7B%7D" if method == "POST" else None
    refused(client.request(method, path, headers=fields, content=body), status, said)


@pytest.mark.parametrize("name", ["format", "output", "results"])
@pytest.mark.parametrize(
    ("query", "called", "media_type"),
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
def test_what_other_services_call_a_format_is_understood(
    client: httpx.Client, name: str, query: str, called: str, media_type: str
) -> None:
    asked = {"query": query, name: called, "ac": "1"}
    for answer in (client.get("/sparql", params=asked), client.post("/sparql", data=asked)):
        assert answer.headers["content-type"].partition(";")[0] == media_type
    better = client.get("/sparql", params={**asked, "_mediatype": "html"})
    assert better.headers["content-type"].startswith("text/html")


def test_a_parameter_of_another_service_changes_nothing_and_the_answer_says_so(client: httpx.Client) -> None:
    asked = {"query": "ASK {}", "timeout": "5", "<b>": ""}
    for answer in (client.get("/sparql", params=asked), client.post("/sparql", data=asked)):
        assert answer.json()["boolean"] is True
        said = unquote(answer.headers["wgig-warning"])
        assert said == "%\"Unknown parameters were ignored: 'timeout', '<b>'.\""
    page = client.get("/sparql", params={**asked, "_mediatype": "html"})
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text


def test_a_foreign_parameter_is_no_slip_where_the_one_it_resembles_is_given(client: httpx.Client) -> None:
    answer = client.get("/sparql", params={"query": "ASK {}", "queryLn": "SPARQL"})
    assert answer.json()["boolean"] is True
    assert "queryLn" in unquote(answer.headers["wgig-warning"])
    refused(client.get("/sparql", params={"query": "ASK {}", "exlain": ""}), 400, "explain")


def test_a_format_that_is_not_offered_is_refused_by_any_name(client: httpx.Client) -> None:
    for name in ("format", "output", "results", "_mediatype"):
        for answer in (
            client.get("/sparql", params={"query": "ASK {}", name: "auto"}),
            client.post("/sparql", data={"query": "ASK {}", name: "auto"}),
        ):
            refused(answer, 406, "application/sparql-results+json")


def test_a_page_of_what_points_to_a_thing_has_an_address_of_its_own(client: httpx.Client) -> None:
    path = "/doc/category/access-for-all?inverse=category&page=1"
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-location"] == "/doc/category/access-for-all.json?inverse=category&page=1"
    again = client.get(answer.headers["content-location"])
    assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    items = answer.json()["inverse"]["category"]["items"]
    assert items
    assert page.text.count("<li><a href=") >= len(items)


def test_a_batch_of_ten_thousand_is_refused_with_what_may_be_sent(client: httpx.Client) -> None:
    queries = "{" + ",".join(f'"q{number}":{{"query":"x"}}' for number in range(10_000)) + "}"
    refused(client.post("/reconcile", data={"queries": queries}), 413, "Send at most 50")


@pytest.mark.parametrize(
    ("name", "meant"), [("verdic", "verdict"), ("Verdic", "Verdict"), ("VERDICT", "Verdict")]
)
def test_a_name_in_the_same_letters_is_nearer(name: str, meant: str) -> None:
    assert find_near_name(name, ("verdict", "Verdict")) == meant


@pytest.mark.parametrize(
    ("url", "pairs", "expected"),
    [
        ("/x", [], "/x"),
        ("/x", [("a", "1"), ("b", "")], "/x?a=1&b="),
        ("/x?a=1", [("b", "x y&z+/,:é")], "/x?a=1&b=x+y%26z%2B/,:%C3%A9"),
        ("/graphs?default", [("versions", None)], "/graphs?default&versions"),
    ],
)
def test_parameters_stand_behind_those_that_an_address_has(
    url: str, pairs: list[tuple[str, str | None]], expected: str
) -> None:
    assert add_url_parameters(url, pairs) == expected
