"""Comunica, a SPARQL engine in JavaScript, queries the endpoint and the descriptions of resources."""

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyoxigraph as ox
import pytest
import uvicorn
from wgig import app
from wgig.http.operations import Route
from wgig.lists import query_editor
from wgig.settings import Settings
from wgig.sparql import routes
from wgig.sparql.examples import list_example_queries
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.npx import CLIENTS_FOLDER

pytestmark = pytest.mark.slow

BASE = Settings.base
JSON_RESULTS, N_TRIPLES = "application/sparql-results+json", "application/n-triples"
PREFIXES = "".join(
    f"PREFIX {prefix}: <{iri}>\n"
    for prefix, iri in namespaces_by_prefix(BASE).items()
    if prefix in ("dcat", "dcterms", "issue", "paper", "rdfs", "skos", "void", "wgig")
)
TITLES_QUERY = """
SELECT ?paper ?title ?issue {
  ?paper dcterms:title ?title ; wgig:issue ?about . ?about skos:prefLabel ?issue FILTER (LANG(?issue) = "en")
}
"""
LABELS_QUERY = """
CONSTRUCT { ?issue rdfs:label ?label ; wgig:in [ rdfs:label ?kind ] }
WHERE { ?issue skos:prefLabel ?label ; wgig:category/skos:prefLabel ?kind }
"""
SPAM_QUERY = "SELECT ?property ?value { issue:spam ?property ?value }"

Rows = Counter[frozenset[tuple[str, ...]]]
RunComunica = Callable[..., str]


@pytest.fixture(scope="session")
def comunica(npx: dict[str, str]) -> Iterator[RunComunica]:
    """A function that returns the output of Comunica: `comunica(query, source, …, media_type=N_TRIPLES)`."""
    command = ["node", str(CLIENTS_FOLDER / "comunica.js")]
    with subprocess.Popen(
        command, env=os.environ | npx, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def run(query: str, *sources: str, media_type: str = JSON_RESULTS, proxy: str = "") -> str:
            call = {
                "query": PREFIXES + query,
                "sources": [make_source(source) for source in sources],
                "mediaType": media_type,
                "proxy": proxy,
            }
            print(json.dumps(call), file=stdin, flush=True)
            result: dict[str, str] = json.loads(stdout.readline())
            assert "error" not in result, result
            return result["text"]

        yield run
        stdin.close()


def make_source(text: str) -> dict[str, str]:
    """A source of Comunica from a URL that may have a prefix with its type: `sparql@URL`."""
    prefix, _, url = text.rpartition("@")
    return {"type": prefix, "value": url} if prefix else {"value": url}


def count_rows(results: str) -> Rows:
    """How often each row occurs in results in JSON. The datatype xsd:string is left out."""
    bindings: list[dict[str, Any]] = json.loads(results)["results"]["bindings"]
    return Counter(
        frozenset(
            (name, *(value for key, value in sorted(term.items()) if not value.endswith("#string")))
            for name, term in row.items()
        )
        for row in bindings
    )


def query_service(url: str, query: str) -> Rows:
    """The rows of the result of the service, without Comunica."""
    response = httpx2.post(f"{url}sparql", data={"query": PREFIXES + query}, headers={"Accept": JSON_RESULTS})
    assert response.status_code == 200, response.text
    return count_rows(response.text)


def parse_canonical_triples(n_triples: str) -> ox.Dataset:
    """The triples of a text with canonical blank nodes."""
    dataset = ox.Dataset(ox.parse(n_triples, ox.RdfFormat.N_TRIPLES))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


# With and without the prefix that states the type of the source.
@pytest.mark.parametrize("source", ["sparql@{}sparql", "{}sparql"])
def test_comunica_selects_the_same_rows(comunica: RunComunica, service_url: str, source: str) -> None:
    rows = count_rows(comunica(TITLES_QUERY, source.format(service_url)))
    assert len(rows) > 15
    assert rows == query_service(service_url, TITLES_QUERY)


@pytest.mark.parametrize("name", ["coverage-matrix", "disagreements", "due-and-delivered"])
def test_comunica_has_the_same_results_for_examples(
    comunica: RunComunica, service_url: str, name: str
) -> None:
    (query,) = (example.text for example in list_example_queries() if example.name == name)
    rows = count_rows(comunica(query, f"{service_url}sparql"))
    assert rows
    assert rows == query_service(service_url, query)


def test_comunica_constructs_the_same_triples(comunica: RunComunica, service_url: str) -> None:
    response = httpx2.post(
        f"{service_url}sparql", data={"query": PREFIXES + LABELS_QUERY}, headers={"Accept": N_TRIPLES}
    )
    triples = parse_canonical_triples(comunica(LABELS_QUERY, f"{service_url}sparql", media_type=N_TRIPLES))
    assert len(triples) > 50
    assert triples == parse_canonical_triples(response.text)


@pytest.mark.parametrize(
    ("query", "boolean"), [("ASK { issue:spam ?p ?o }", True), ("ASK { issue:x ?p ?o }", False)]
)
def test_comunica_returns_the_boolean_of_ask(
    comunica: RunComunica, service_url: str, query: str, boolean: bool
) -> None:
    assert json.loads(comunica(query, f"{service_url}sparql"))["boolean"] is boolean


@pytest.fixture
def unusual_endpoint(monkeypatch: pytest.MonkeyPatch, shipped_store: ox.Store) -> Iterator[str]:
    """The URL of an endpoint whose path does not contain `sparql`."""
    monkeypatch.setattr(
        app,
        "ROUTES",
        [
            Route("/ask", app.READ_METHODS, query_editor.get_sparql, query_editor.GET_QUERY_OPERATION),
            Route("/ask", ("POST",), routes.post_query, routes.POST_QUERY_OPERATION),
            *app.ROUTES,
        ],
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app.create_app(app.make_service(Settings(), Store(shipped_store))),
            port=0,
            log_level="error",
            lifespan="off",
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    (socket,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{socket.getsockname()[1]}/ask"
    server.should_exit = True
    thread.join()


def test_endpoint_is_detected_by_its_service_description(
    comunica: RunComunica, unusual_endpoint: str
) -> None:
    rows = count_rows(comunica(SPAM_QUERY, unusual_endpoint))
    assert rows == query_service(unusual_endpoint.removesuffix("ask"), SPAM_QUERY)


@pytest.mark.parametrize(
    # The graph that the service queries for the same rows; empty for the union of all graphs.
    ("path", "query", "graph"),
    [
        (
            ".well-known/void",
            "SELECT ?class ?count { ?part void:class ?class ; void:entities ?count }",
            "void",
        ),
        ("catalog", "SELECT ?dataset ?file { ?dataset dcat:distribution ?file ; a dcat:Dataset }", "dcat"),
        ("doc/issue/spam", SPAM_QUERY, ""),
        ("id/issue/spam", SPAM_QUERY, ""),
    ],
)
def test_comunica_queries_a_description_as_a_document(
    comunica: RunComunica, service_url: str, path: str, query: str, graph: str
) -> None:
    rows = count_rows(comunica(query, f"{service_url}{path}"))
    assert len(rows) > 5
    if graph:
        query = query.replace("{", f"{{ GRAPH <{BASE}graph/{graph}> {{") + "}"
    assert rows == query_service(service_url, query)


@pytest.fixture
def w3id_proxy(service_url: str) -> Iterator[str]:
    """The URL of a proxy that redirects IRIs below the base IRI to the service, as w3id.org does."""

    class RedirectHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (iri,) = parse_qs(urlsplit(self.path).query)["iri"]
            self.send_response(302 if iri.startswith(BASE) else 404)
            self.send_header("Location", iri.replace(BASE, service_url))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serve_on_thread(ThreadingHTTPServer(("127.0.0.1", 0), RedirectHandler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/?iri="


def test_comunica_follows_iris_between_resources(
    comunica: RunComunica, service_url: str, w3id_proxy: str
) -> None:
    paper = f"{BASE}id/paper/wp-spam"
    issue_rows = count_rows(
        comunica(f"SELECT ?issue {{ <{paper}> wgig:issue ?issue }}", paper, proxy=w3id_proxy)
    )
    issues = [value for row in issue_rows for _, _, value in row]
    assert issues == [f"{BASE}id/issue/spam"]
    rows = count_rows(comunica(TITLES_QUERY, paper, *issues, proxy=w3id_proxy))
    assert len(rows) == 1
    assert rows == query_service(service_url, TITLES_QUERY.replace("{", f"{{ VALUES ?paper {{ <{paper}> }}"))
