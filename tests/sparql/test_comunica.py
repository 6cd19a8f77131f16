"""Comunica asks the service, finds it by its description, and follows IRIs to what is said of them."""

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyoxigraph as ox
import pytest
import uvicorn
from wgig import app
from wgig.http.operations import Route
from wgig.lists import query_editor
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import Settings
from wgig.sparql import routes
from wgig.sparql.examples import list_example_queries
from wgig.store.store import Store

pytestmark = pytest.mark.slow

BASE = Settings.base
RESULTS, TRIPLES = "application/sparql-results+json", "application/n-triples"
PREFIXES = "".join(
    f"PREFIX {prefix}: <{iri}>\n"
    for prefix, iri in namespaces_by_prefix(BASE).items()
    if prefix in ("dcat", "dcterms", "issue", "paper", "rdfs", "skos", "void", "wgig")
)
TITLES = """
SELECT ?paper ?title ?issue { ?paper dcterms:title ?title ; wgig:issue ?about . ?about skos:prefLabel ?issue }
"""
LABELS = """
CONSTRUCT { ?issue rdfs:label ?label ; wgig:in [ rdfs:label ?kind ] }
WHERE { ?issue skos:prefLabel ?label ; wgig:category/skos:prefLabel ?kind }
"""
SPAM = "SELECT ?property ?value { issue:spam ?property ?value }"

Rows = Counter[frozenset[tuple[str, ...]]]
Ask = Callable[..., str]


@pytest.fixture(scope="session")
def comunica(npx: dict[str, str]) -> Ask:
    """What Comunica prints: `comunica(query, source, source, ..., as_=TRIPLES)`."""

    def ask(text: str, *sources: str, as_: str = RESULTS, **options: str) -> str:
        more = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = ["npx", "comunica-sparql", *sources, PREFIXES + text, "-t", as_, *more]
        done = subprocess.run(command, env=os.environ | npx, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ask


def rows(results: str) -> Rows:
    """The rows of results in JSON, in no order; a plain text is one of no datatype."""
    found: list[dict[str, Any]] = json.loads(results)["results"]["bindings"]
    return Counter(
        frozenset(
            (name, *(value for key, value in sorted(one.items()) if not value.endswith("#string")))
            for name, one in row.items()
        )
        for row in found
    )


def ours(url: str, text: str) -> Rows:
    """The rows of the answer of the service itself."""
    answer = httpx.post(f"{url}sparql", data={"query": PREFIXES + text}, headers={"Accept": RESULTS})
    assert answer.status_code == 200, answer.text
    return rows(answer.text)


def triples(text: str) -> ox.Dataset:
    """The triples of a text, blank nodes by names that do not depend on whose they were."""
    found = ox.Dataset(ox.parse(text, ox.RdfFormat.N_TRIPLES))
    found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return found


@pytest.mark.parametrize("source", ["sparql@{}sparql", "{}sparql"])
def test_it_selects_what_we_do(comunica: Ask, served: str, source: str) -> None:
    found = rows(comunica(TITLES, source.format(served)))
    assert len(found) > 15
    assert found == ours(served, TITLES)


@pytest.mark.parametrize("name", ["coverage-matrix", "disagreements", "due-and-delivered"])
def test_it_answers_the_examples_as_we_do(comunica: Ask, served: str, name: str) -> None:
    (text,) = (one.text for one in list_example_queries() if one.name == name)
    found = rows(comunica(text, f"{served}sparql"))
    assert found
    assert found == ours(served, text)


def test_it_constructs_what_we_do(comunica: Ask, served: str) -> None:
    answer = httpx.post(f"{served}sparql", data={"query": PREFIXES + LABELS}, headers={"Accept": TRIPLES})
    found = triples(comunica(LABELS, f"{served}sparql", as_=TRIPLES))
    assert len(found) > 50
    assert found == triples(answer.text)


@pytest.mark.parametrize(
    ("text", "answer"), [("ASK { issue:spam ?p ?o }", True), ("ASK { issue:x ?p ?o }", False)]
)
def test_it_asks_as_we_do(comunica: Ask, served: str, text: str, answer: bool) -> None:
    assert json.loads(comunica(text, f"{served}sparql"))["boolean"] is answer


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, shipped: ox.Store) -> Iterator[str]:
    """A service at an address that does not look like one of SPARQL."""
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
            app.create_app(app.make_service(Settings(), Store(shipped))),
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


def test_the_endpoint_is_found_by_its_description_alone(comunica: Ask, elsewhere: str) -> None:
    found = rows(comunica(SPAM, elsewhere))
    assert found == ours(elsewhere.removesuffix("ask"), SPAM)


@pytest.mark.parametrize(
    ("path", "text", "graph"),
    [
        (
            ".well-known/void",
            "SELECT ?class ?count { ?part void:class ?class ; void:entities ?count }",
            "void",
        ),
        ("catalog", "SELECT ?dataset ?file { ?dataset dcat:distribution ?file ; a dcat:Dataset }", "dcat"),
        ("doc/issue/spam", SPAM, ""),
        ("id/issue/spam", SPAM, ""),
    ],
)
def test_a_description_is_data_by_itself(
    comunica: Ask, served: str, path: str, text: str, graph: str
) -> None:
    found = rows(comunica(text, f"{served}{path}"))
    assert len(found) > 5
    assert found == ours(
        served, text.replace("{", f"{{ GRAPH <{BASE}graph/{graph}> {{") + "}" if graph else text
    )


@pytest.fixture
def w3id(served: str) -> Iterator[str]:
    """A proxy that leads the IRIs to the service, as the host in them does, and nowhere else."""

    class Leading(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (iri,) = parse_qs(urlsplit(self.path).query)["iri"]
            self.send_response(302 if iri.startswith(BASE) else 404)
            self.send_header("Location", iri.replace(BASE, served))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Leading) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/?iri="
        server.shutdown()
        thread.join()


def test_iris_lead_from_thing_to_thing(comunica: Ask, served: str, w3id: str) -> None:
    paper = f"{BASE}id/paper/wp-spam"
    leads = rows(comunica(f"SELECT ?issue {{ <{paper}> wgig:issue ?issue }}", paper, proxy=w3id))
    issues = [value for row in leads for _, _, value in row]
    assert issues == [f"{BASE}id/issue/spam"]
    found = rows(comunica(TITLES, paper, *issues, proxy=w3id))
    text = TITLES.replace("{", f"{{ VALUES ?paper {{ <{paper}> }}")
    assert len(found) == 1
    assert found == ours(served, text)
