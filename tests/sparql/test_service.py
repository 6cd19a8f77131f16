"""/sparql: the ways to send a query, the responses, and the refusal of bad requests."""

import gzip

import httpx2
import pytest
from wgig.app import QueryBackends, create_app, make_service
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.result_page import PageResult
from wgig.sparql.workers.protocol import QueryJob
from wgig.sparql.workers.result import QueryResult
from wgig.sparql.workers.threads import ThreadQueryWorkers
from wgig.store.store import Store

from tests.fixtures.service import make_client, make_service_client

FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
QUERY_BODY_HEADERS = {"Content-Type": "application/sparql-query"}
ONE_ROW_QUERY = "SELECT (1 AS ?x) {}"
TRUE_RESULT = {"head": {}, "boolean": True}


@pytest.fixture
def two_graph_client(writable_client: httpx2.Client) -> httpx2.Client:
    """A client of a service with the graphs a and b, each of one triple."""
    for name in ("a", "b"):
        writable_client.put(
            f"/graph/{name}", content=f"<x:{name}> <x:p> 1 .", headers={"Content-Type": "text/turtle"}
        )
    return writable_client


def test_query_is_accepted_in_each_way_of_the_protocol(writable_client: httpx2.Client) -> None:
    responses = [
        writable_client.get("/sparql", params={"query": "ASK {}"}),
        writable_client.post("/sparql", data={"query": "ASK {}"}),
        writable_client.post("/sparql", content="ASK {}", headers=QUERY_BODY_HEADERS),
        writable_client.request("QUERY", "/sparql", content="ASK {}", headers=QUERY_BODY_HEADERS),
    ]
    assert [response.json() for response in responses] == [TRUE_RESULT] * 4


def test_default_graph_is_the_union_of_all_graphs(two_graph_client: httpx2.Client) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert two_graph_client.get("/sparql", params={"query": count, "_mediatype": "csv"}).text.split() == [
        "n",
        "2",
    ]


@pytest.mark.parametrize("key", ["default-graph-uri", "named-graph-uri"])
def test_dataset_of_the_request_takes_precedence_over_from(two_graph_client: httpx2.Client, key: str) -> None:
    pattern = "?s ?p ?o" if key.startswith("default") else "GRAPH ?g { ?s ?p ?o }"
    params = {"query": f"SELECT ?s FROM <x:none> {{ {pattern} }}", key: "https://w3id.org/wgig/graph/b"}
    assert two_graph_client.get("/sparql", params=params, headers={"Accept": "text/csv"}).text.split() == [
        "s",
        "x:b",
    ]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("SELECT ?s { ?s ?p ?o }", ["x:a", "x:b"]),
        ("SELECT ?s FROM <graph/b> { ?s ?p ?o }", ["x:b"]),
        ("SELECT?s FROM<graph/a>FROM<graph/b>{ ?s ?p ?o }", ["x:a", "x:b"]),
        ("SELECT ?s FROM NAMED <graph/b> { ?s ?p ?o }", []),
        ("SELECT ?s FROM NAMED <graph/b> { GRAPH ?g { ?s ?p ?o } }", ["x:b"]),
        ("SELECT ?s { ?s ?p ?o FILTER('FROM <graph/b>' != '') }", ["x:a", "x:b"]),
    ],
)
def test_from_selects_the_graphs_of_a_query(
    two_graph_client: httpx2.Client, query: str, subjects: list[str]
) -> None:
    response = two_graph_client.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert sorted(response.text.split()[1:]) == subjects


def test_relative_iris_are_resolved_against_the_base_iri(writable_client: httpx2.Client) -> None:
    response = writable_client.get(
        "/sparql", params={"query": "SELECT (<id/issue/spam> AS ?x) {}"}, headers={"Accept": "text/csv"}
    )
    assert response.text.split() == ["x", "https://w3id.org/wgig/id/issue/spam"]


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (ONE_ROW_QUERY, "text/csv", "text/csv; charset=utf-8"),
        (ONE_ROW_QUERY, "application/json", "application/sparql-results+json"),
        ("ASK {}", "application/sparql-results+xml", "application/sparql-results+xml"),
        ("CONSTRUCT { <x:a> <x:b> 1 } {}", "*/*", "text/turtle; charset=utf-8"),
        ("DESCRIBE <x:a>", "application/ld+json", "application/ld+json"),
        ("DESCRIBE <x:a>", "application/json", "application/ld+json"),
        ("DESCRIBE <x:a>", "application/xml", "application/rdf+xml"),
        ("CONSTRUCT { <x:a> <x:b> 1 } {}", "text/xml", "application/rdf+xml"),
        (ONE_ROW_QUERY, "application/xml", "application/sparql-results+xml"),
        (ONE_ROW_QUERY, "text/html", "text/html; charset=utf-8"),
    ],
)
def test_response_has_the_negotiated_media_type(
    writable_client: httpx2.Client, query: str, accept: str, media_type: str
) -> None:
    response = writable_client.get("/sparql", params={"query": query}, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (400, "GET", "/sparql?query=", "", {}),
        (400, "GET", "/sparql?query=ASK%7B%7D&query=ASK%7B%7D", "", {}),
        (400, "GET", "/sparql?update=CLEAR%20ALL", "", {}),
        (400, "GET", "/sparql?query=CLEAR%20ALL", "", {}),
        (400, "GET", "/sparql?query=ASK%7B%7D&default-graph-uri=relative", "", {}),
        (400, "GET", "/sparql?query=ASK%7B%7D&default-graph-uri=http://[", "", {}),
        (400, "GET", "/graphs?graph=http://[", "", {}),
        (400, "GET", "/graph/%FF", "", {}),
        (400, "GET", "/sparql?query=%FF", "", {}),
        (400, "POST", "/sparql?query=ASK%7B%7D", "ASK {}", QUERY_BODY_HEADERS),
        (400, "POST", "/sparql", "query=ASK%7B%7D&update=CLEAR%20ALL", FORM_HEADERS),
        (400, "POST", "/sparql", "\udcff", QUERY_BODY_HEADERS),
        (403, "POST", "/sparql", "ASK { SERVICE <http://x/> {} }", QUERY_BODY_HEADERS),
        (406, "POST", "/sparql", "ASK {}", QUERY_BODY_HEADERS | {"Accept": "image/png"}),
        (406, "POST", "/sparql", "ASK { deliberately broken", QUERY_BODY_HEADERS | {"Accept": "image/png"}),
        # The limits of `writable_client`: 2,000 characters in a query, 10,000 bytes in a body.
        (413, "POST", "/sparql", f"ASK {{}} #{'x' * 3_000}", QUERY_BODY_HEADERS),
        (413, "POST", "/sparql", "x" * 11_000, QUERY_BODY_HEADERS),
        (414, "GET", f"/sparql?query={'x' * 40_000}", "", {}),
        (415, "POST", "/sparql", "ASK {}", {"Content-Type": "text/plain"}),
        (415, "POST", "/sparql", "ASK {}", {"Content-Type": "application/sparql-query; charset=latin-1"}),
        (415, "POST", "/sparql", "ASK {}", QUERY_BODY_HEADERS | {"Content-Encoding": "br"}),
        (422, "POST", "/sparql", "ASK { FILTER(<x:unknown>(1)) }", QUERY_BODY_HEADERS),
        (405, "DELETE", "/sparql", "", {}),
    ],
)
def test_bad_request_is_refused_with_a_sentence(  # noqa: PLR0917 - a table of requests
    writable_client: httpx2.Client, status: int, method: str, path: str, body: str, headers: dict[str, str]
) -> None:
    response = writable_client.request(
        method, path, content=body.encode("utf-8", "surrogateescape"), headers=headers
    )
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].endswith(".")


def test_refusal_of_a_media_type_lists_the_supported_ones(writable_client: httpx2.Client) -> None:
    response = writable_client.post("/sparql", content="ASK {}", headers={"Content-Type": "text/plain"})
    assert response.headers["accept-post"] == "application/sparql-query, application/x-www-form-urlencoded"


NAMES_QUERY = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?thing ?thingLabel ?number WHERE {
  VALUES (?thing ?thingLabel ?number) {
    (<urn:a> UNDEF 1) (<urn:b> "stated" 2) ("http://x.example/1 | http://x.example/2" "one | two" UNDEF)
  }
}"""


def test_csv_has_names_on_request(writable_client: httpx2.Client) -> None:
    content = '<urn:a> <http://www.w3.org/2000/01/rdf-schema#label> "A thing"@en , "Une chose"@fr .'
    writable_client.put("/graph/names", content=content, headers={"Content-Type": "text/turtle"})
    form = {"query": NAMES_QUERY, "_mediatype": "text/csv", "names": ""}
    response = writable_client.post("/sparql", data=form)
    assert response.text == "thing,number\r\nA thing,1\r\nstated,2\r\none | two,\r\n"
    assert "Accept-Language" in response.headers["vary"]
    french = writable_client.get("/sparql", params=form, headers={"Accept-Language": "fr"})
    assert "Une chose,1" in french.text


def test_names_are_refused_for_other_formats(writable_client: httpx2.Client) -> None:
    form = {"query": NAMES_QUERY, "_mediatype": "json", "names": ""}
    assert writable_client.get("/sparql", params=form).status_code == 400


def test_names_are_refused_for_large_results(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_beginning(*_: object) -> PageResult:
        return PageResult(b"", "SELECT", is_whole=False)

    monkeypatch.setattr("wgig.sparql.service.read_page_result", read_beginning)
    form = {"query": NAMES_QUERY, "_mediatype": "csv", "names": ""}
    response = writable_client.post("/sparql", data=form)
    assert response.status_code == 413
    assert "too large for names" in response.text


def test_gzip_body_is_accepted(writable_client: httpx2.Client) -> None:
    response = writable_client.post(
        "/sparql", content=gzip.compress(b"ASK {}"), headers=QUERY_BODY_HEADERS | {"Content-Encoding": "gzip"}
    )
    assert response.json() == TRUE_RESULT


def test_result_above_the_size_limit_is_refused(writable_client: httpx2.Client) -> None:
    values = " ".join(map(str, range(100)))
    query = f"SELECT * {{ VALUES ?a {{ {values} }} VALUES ?b {{ {values} }} }}"
    response = writable_client.get("/sparql", params={"query": query})
    assert response.status_code == 413
    assert "LIMIT" in response.json()["detail"]
    assert "retry-after" not in response.headers


def test_etag_is_strong_and_differs_by_format_and_coding(writable_client: httpx2.Client) -> None:
    query = f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(300)))} }} }}"
    tags = {
        writable_client.get(
            "/sparql", params={"query": query}, headers={"Accept": accept, "Accept-Encoding": coding}
        ).headers["etag"]
        for accept in ("text/csv", "text/tab-separated-values")
        for coding in ("gzip", "identity")
    }
    assert len(tags) == 4
    assert not any(tag.startswith("W/") for tag in tags)


@pytest.mark.parametrize("condition", ["{}", "W/{}", '"other", {}', "*"])
def test_cached_response_is_revalidated_with_304(writable_client: httpx2.Client, condition: str) -> None:
    first = writable_client.get("/sparql", params={"query": ONE_ROW_QUERY})
    second = writable_client.get(
        "/sparql",
        params={"query": ONE_ROW_QUERY},
        headers={"If-None-Match": condition.format(first.headers["etag"])},
    )
    assert (second.status_code, second.content) == (304, b"")
    for field in ("etag", "vary", "cache-control"):
        assert second.headers[field] == first.headers[field]


def test_head_response_is_the_get_response_without_body(writable_client: httpx2.Client) -> None:
    get_response, head_response = (
        writable_client.request(method, "/sparql", params={"query": ONE_ROW_QUERY})
        for method in ("GET", "HEAD")
    )
    assert head_response.content == b""
    assert head_response.headers.pop("x-request-id") != get_response.headers.pop("x-request-id")
    assert head_response.headers == get_response.headers


def test_request_without_query_returns_the_service_description(two_graph_client: httpx2.Client) -> None:
    response = two_graph_client.get("/sparql")
    assert response.headers["content-type"] == "text/turtle; charset=utf-8"
    for statement in (
        "sd:supportedLanguage sd:SPARQL11Query",
        "sd:UnionDefaultGraph",
        "sd:endpoint <http://localhost/sparql>",
        "sd:name graph:b",
    ):
        assert statement in response.text
    assert "Update" not in response.text


def test_update_service_has_a_description(writable_client: httpx2.Client) -> None:
    text = writable_client.get("/update").text
    assert "sd:supportedLanguage sd:SPARQL11Update" in text
    assert "sd:endpoint <http://localhost/update>" in text
    assert "Query" not in text


def test_description_without_union_default_graph_omits_the_feature(
    unnamed_graph_client: httpx2.Client,
) -> None:
    assert "sd:UnionDefaultGraph" not in unnamed_graph_client.get("/sparql").text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELCT * {}", "Did you mean SELECT?"),
        ("# nothing", "The query is empty."),
        ("CLEAR ALL", "Send it by POST to /update."),
        ("?x", "The query is empty."),
    ],
)
def test_text_that_is_no_query_is_refused_with_a_suggestion(
    writable_client: httpx2.Client, query: str, message: str
) -> None:
    response = writable_client.get("/sparql", params={"query": query})
    assert response.status_code == 400
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "media_type", "other_media_type"),
    [
        ("SELECT ('\u0001' AS ?x) {}", "application/sparql-results+xml", "text/csv"),
        ("CONSTRUCT { <x:a> <x:b> '\uffff' } {}", "application/rdf+xml", "text/turtle"),
    ],
)
def test_character_invalid_in_xml_is_refused_in_xml_formats_only(
    writable_client: httpx2.Client, query: str, media_type: str, other_media_type: str
) -> None:
    response = writable_client.get("/sparql", params={"query": query}, headers={"Accept": media_type})
    assert response.status_code == 406
    assert other_media_type in response.json()["offered"]
    assert media_type not in response.json()["offered"]
    valid_query = query.replace("\u0001", "\u0085\t").replace("\uffff", "\ufffd")
    assert (
        writable_client.get(
            "/sparql", params={"query": valid_query}, headers={"Accept": media_type}
        ).status_code
        == 200
    )
    assert (
        writable_client.get(
            "/sparql", params={"query": query}, headers={"Accept": other_media_type}
        ).status_code
        == 200
    )


def test_excerpt_of_a_syntax_error_is_the_text_as_sent(writable_client: httpx2.Client) -> None:
    query = "SELECT * { ?s none:p ?o }"
    response = writable_client.get("/sparql", params={"query": query})
    assert response.json()["excerpt"].splitlines()[0] == query


def test_pages_use_other_workers_than_queries_of_clients() -> None:
    class RefusingWorkers(ThreadQueryWorkers):
        async def start_query(self, job: QueryJob, client: str) -> QueryResult:
            raise Problem(503, f"{client} sent {job.query.text}.")

    store = Store.in_memory()
    backends = QueryBackends(RefusingWorkers(store), ThreadQueryWorkers(store))
    client = make_client(create_app(make_service(Settings(), store, backends=backends)))
    assert client.get("/sparql", params={"query": ONE_ROW_QUERY}).status_code == 503
    for path in ("/", "/papers", "/timeline", "/people"):
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "cache_control"),
    [
        ("SELECT (NOW() AS ?x) {}", "no-store"),
        ("SELECT (uuid() AS ?x) {}", "no-store"),
        ("SELECT (StrUUID () AS ?x) {}", "no-store"),
        ("SELECT * { VALUES ?x { 1 2 } } ORDER BY RAND()", "no-store"),
        ("CONSTRUCT { ?b <x:p> 1 } { BIND(BNODE() AS ?b) }", "no-store"),
        ("SELECT ?now $uuid { BIND(1 AS ?now) }", "no-cache"),
        ("PREFIX rand: <x:> ASK { rand:a <x:p> 1 }", "no-cache"),
        ("ASK { _:bnode2 ?p 1 }", "no-cache"),
    ],
)
def test_result_that_differs_each_time_is_not_cached(query: str, cache_control: str) -> None:
    response = make_service_client(Settings(), Store.in_memory()).get("/sparql", params={"query": query})
    assert (response.status_code, response.headers["Cache-Control"]) == (200, cache_control)
