"""/sparql: how a query is sent, what comes back, and what is refused before anything runs."""

import gzip

import httpx
import pytest
from wgig.app import QueryBackends, create_app, make_service
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.workers.evaluation import ThreadQueryWorkers
from wgig.sparql.workers.protocol import QueryJob
from wgig.sparql.workers.result import QueryResult
from wgig.store.store import Store

from tests.fixtures.service import client_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DIRECT = {"Content-Type": "application/sparql-query"}
ONE = "SELECT (1 AS ?x) {}"
TRUE = {"head": {}, "boolean": True}


@pytest.fixture
def filled(writable: httpx.Client) -> httpx.Client:
    for name in ("a", "b"):
        writable.put(
            f"/graph/{name}", content=f"<x:{name}> <x:p> 1 .", headers={"Content-Type": "text/turtle"}
        )
    return writable


def test_a_query_is_asked_in_each_way_of_the_protocol(writable: httpx.Client) -> None:
    answers = [
        writable.get("/sparql", params={"query": "ASK {}"}),
        writable.post("/sparql", data={"query": "ASK {}"}),
        writable.post("/sparql", content="ASK {}", headers=DIRECT),
        writable.request("QUERY", "/sparql", content="ASK {}", headers=DIRECT),
    ]
    assert [one.json() for one in answers] == [TRUE] * 4


def test_the_default_graph_is_the_union_of_all(filled: httpx.Client) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert filled.get("/sparql", params={"query": count, "_mediatype": "csv"}).text.split() == ["n", "2"]


@pytest.mark.parametrize("key", ["default-graph-uri", "named-graph-uri"])
def test_the_dataset_of_the_request_wins_over_from(filled: httpx.Client, key: str) -> None:
    pattern = "?s ?p ?o" if key.startswith("default") else "GRAPH ?g { ?s ?p ?o }"
    params = {"query": f"SELECT ?s FROM <x:none> {{ {pattern} }}", key: "https://w3id.org/wgig/graph/b"}
    assert filled.get("/sparql", params=params, headers={"Accept": "text/csv"}).text.split() == ["s", "x:b"]


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
def test_from_says_what_a_query_runs_over(filled: httpx.Client, query: str, subjects: list[str]) -> None:
    answer = filled.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert sorted(answer.text.split()[1:]) == subjects


def test_relative_iris_stand_below_the_base(writable: httpx.Client) -> None:
    answer = writable.get(
        "/sparql", params={"query": "SELECT (<id/issue/spam> AS ?x) {}"}, headers={"Accept": "text/csv"}
    )
    assert answer.text.split() == ["x", "https://w3id.org/wgig/id/issue/spam"]


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (ONE, "text/csv", "text/csv; charset=utf-8"),
        (ONE, "application/json", "application/sparql-results+json"),
        ("ASK {}", "application/sparql-results+xml", "application/sparql-results+xml"),
        ("CONSTRUCT { <x:a> <x:b> 1 } {}", "*/*", "text/turtle; charset=utf-8"),
        ("DESCRIBE <x:a>", "application/ld+json", "application/ld+json"),
        (ONE, "text/html", "text/html; charset=utf-8"),
    ],
)
def test_the_answer_has_the_negotiated_type(
    writable: httpx.Client, query: str, accept: str, media_type: str
) -> None:
    answer = writable.get("/sparql", params={"query": query}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


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
        (400, "POST", "/sparql?query=ASK%7B%7D", "ASK {}", DIRECT),
        (400, "POST", "/sparql", "query=ASK%7B%7D&update=CLEAR%20ALL", FORM),
        (400, "POST", "/sparql", "\udcff", DIRECT),
        (403, "POST", "/sparql", "ASK { SERVICE <http://x/> {} }", DIRECT),
        (406, "POST", "/sparql", "ASK {}", DIRECT | {"Accept": "image/png"}),
        (406, "POST", "/sparql", "ASK { deliberately broken", DIRECT | {"Accept": "image/png"}),
        (413, "POST", "/sparql", f"ASK {{}} #{'x' * 3_000}", DIRECT),
        (413, "POST", "/sparql", "x" * 11_000, DIRECT),
        (414, "GET", f"/sparql?query={'x' * 40_000}", "", {}),
        (415, "POST", "/sparql", "ASK {}", {"Content-Type": "text/plain"}),
        (415, "POST", "/sparql", "ASK {}", {"Content-Type": "application/sparql-query; charset=latin-1"}),
        (415, "POST", "/sparql", "ASK {}", DIRECT | {"Content-Encoding": "br"}),
        (422, "POST", "/sparql", "ASK { FILTER(<x:unknown>(1)) }", DIRECT),
        (405, "DELETE", "/sparql", "", {}),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(  # noqa: PLR0917 - a table of requests
    writable: httpx.Client, status: int, method: str, path: str, body: str, headers: dict[str, str]
) -> None:
    answer = writable.request(method, path, content=body.encode("utf-8", "surrogateescape"), headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


def test_an_unsupported_type_is_told_what_to_send(writable: httpx.Client) -> None:
    answer = writable.post("/sparql", content="ASK {}", headers={"Content-Type": "text/plain"})
    assert answer.headers["accept-post"] == "application/sparql-query, application/x-www-form-urlencoded"


def test_a_gzip_body_is_read(writable: httpx.Client) -> None:
    answer = writable.post(
        "/sparql", content=gzip.compress(b"ASK {}"), headers=DIRECT | {"Content-Encoding": "gzip"}
    )
    assert answer.json() == TRUE


def test_a_result_over_the_limit_is_refused_not_cut(writable: httpx.Client) -> None:
    values = " ".join(map(str, range(100)))
    query = f"SELECT * {{ VALUES ?a {{ {values} }} VALUES ?b {{ {values} }} }}"
    answer = writable.get("/sparql", params={"query": query})
    assert answer.status_code == 503
    assert "LIMIT" in answer.json()["detail"]
    assert "retry-after" not in answer.headers


def test_the_etag_is_strong_and_differs_by_format_and_coding(writable: httpx.Client) -> None:
    query = f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(300)))} }} }}"
    tags = {
        writable.get(
            "/sparql", params={"query": query}, headers={"Accept": accept, "Accept-Encoding": coding}
        ).headers["etag"]
        for accept in ("text/csv", "text/tab-separated-values")
        for coding in ("gzip", "identity")
    }
    assert len(tags) == 4
    assert not any(tag.startswith("W/") for tag in tags)


@pytest.mark.parametrize("condition", ["{}", "W/{}", '"other", {}', "*"])
def test_a_known_answer_is_not_sent_again(writable: httpx.Client, condition: str) -> None:
    first = writable.get("/sparql", params={"query": ONE})
    again = writable.get(
        "/sparql", params={"query": ONE}, headers={"If-None-Match": condition.format(first.headers["etag"])}
    )
    assert (again.status_code, again.content) == (304, b"")
    for field in ("etag", "vary", "cache-control"):
        assert again.headers[field] == first.headers[field]


def test_head_is_get_without_the_body(writable: httpx.Client) -> None:
    got, head = (writable.request(method, "/sparql", params={"query": ONE}) for method in ("GET", "HEAD"))
    assert head.content == b""
    assert head.headers.pop("x-request-id") != got.headers.pop("x-request-id")
    assert head.headers == got.headers


def test_without_a_query_the_service_describes_itself(filled: httpx.Client) -> None:
    answer = filled.get("/sparql")
    assert answer.headers["content-type"] == "text/turtle; charset=utf-8"
    for says in (
        "sd:supportedLanguage sd:SPARQL11Query",
        "sd:UnionDefaultGraph",
        "sd:endpoint <http://localhost/sparql>",
        "sd:name graph:b",
    ):
        assert says in answer.text
    assert "Update" not in answer.text


def test_the_update_service_describes_itself_too(writable: httpx.Client) -> None:
    text = writable.get("/update").text
    assert "sd:supportedLanguage sd:SPARQL11Update" in text
    assert "sd:endpoint <http://localhost/update>" in text
    assert "Query" not in text


def test_no_union_is_described_where_there_is_none(unnamed: httpx.Client) -> None:
    assert "sd:UnionDefaultGraph" not in unnamed.get("/sparql").text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELCT * {}", "Did you mean SELECT?"),
        ("# nothing", "The query is empty."),
        ("CLEAR ALL", "Send it by POST to /update."),
        ("?x", "The query is empty."),
    ],
)
def test_what_is_no_query_is_told_what_it_lacks(writable: httpx.Client, query: str, says: str) -> None:
    answer = writable.get("/sparql", params={"query": query})
    assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.text


@pytest.mark.parametrize(
    ("query", "media_type", "other"),
    [
        ("SELECT ('\u0001' AS ?x) {}", "application/sparql-results+xml", "text/csv"),
        ("CONSTRUCT { <x:a> <x:b> '\uffff' } {}", "application/rdf+xml", "text/turtle"),
    ],
)
def test_what_xml_cannot_hold_is_refused_and_comes_in_other_formats(
    writable: httpx.Client, query: str, media_type: str, other: str
) -> None:
    answer = writable.get("/sparql", params={"query": query}, headers={"Accept": media_type})
    assert answer.status_code == 406
    assert other in answer.json()["offered"]
    assert media_type not in answer.json()["offered"]
    allowed = query.replace("\u0001", "\u0085\t").replace("\uffff", "\ufffd")
    assert (
        writable.get("/sparql", params={"query": allowed}, headers={"Accept": media_type}).status_code == 200
    )
    assert writable.get("/sparql", params={"query": query}, headers={"Accept": other}).status_code == 200


def test_the_excerpt_of_a_slip_is_what_was_sent(writable: httpx.Client) -> None:
    query = "SELECT * { ?s none:p ?o }"
    answer = writable.get("/sparql", params={"query": query})
    assert answer.json()["excerpt"].splitlines()[0] == query


def test_pages_ask_whom_they_are_given_and_strangers_somebody_else() -> None:
    class Refusing(ThreadQueryWorkers):
        async def ask(self, job: QueryJob, client: str) -> QueryResult:
            raise Problem(503, f"{client} asks {job.query.text}.")

    store = Store.in_memory()
    backends = QueryBackends(Refusing(store), ThreadQueryWorkers(store))
    client = client_of(create_app(make_service(Settings(), store, backends=backends)))
    assert client.get("/sparql", params={"query": ONE}).status_code == 503
    for path in ("/", "/papers", "/timeline", "/people"):
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 200
