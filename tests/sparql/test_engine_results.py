"""Generated queries have the results of the engine, whichever way they take through the service.

The same queries go to services with one or three processes that speak HTTP, with the quads in memory or on
disk, as plain and other requests. pyoxigraph has the same quads and evaluates them directly. Many triples are
in two graphs, and all queries run between writes. In long tests, each query goes to a random service.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.formats import JSON_RESULTS, N_TRIPLES, TSV, TURTLE, XML_RESULTS
from wgig.sparql.language.bounded_query import find_bounded_patterns
from wgig.sparql.language.count_query import find_count_query
from wgig.sparql.request import LONG_QUERY_CHARS

from tests.fixtures.processes import run_service
from tests.fixtures.random_queries import BASE, PROLOGUE, QueryGenerator, RandomQuery
from tests.fixtures.raw_client import LONG_PATH_FIELDS, RawClient, RawResponse
from tests.fixtures.result_rows import summarize_results

pytestmark = pytest.mark.slow
GENERATED_QUERIES, SEEDS, WRITES_PER_SEED = 2000, 4, 10
QUERIES_PER_WRITE = GENERATED_QUERIES // (SEEDS * WRITES_PER_SEED)
SERVICES_PER_LONG_QUERY = 1
MAX_ROWS = 500  # of a query; others would take most of the time
SERVICES = {
    "in memory": {},
    "from disk": {"WGIG_READER_QUADS": "0"},
    "by threads": {"WGIG_READERS": "0"},
    "fronts": {"WGIG_WORKERS": "3"},
    "fronts from disk": {"WGIG_WORKERS": "3", "WGIG_READER_QUADS": "0"},
}
TOKEN = "let me in"
# The dataset has what the test writes, and nothing else.
SETTINGS = {"WGIG_TOKEN": TOKEN, "WGIG_HISTORY": "lost", "WGIG_WRITE_PROFILE": "off"}
UPDATE_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
# Front processes leave long texts that might name graphs to the writer.
LONG_COMMENT = "# from " + "x" * LONG_QUERY_CHARS
# These depend on the order of rows, and on the labels of blank nodes.
FIELDS_OF_CONTENT = ("etag:", "content-length:")
ROW_FORMATS, GRAPH_FORMATS = (JSON_RESULTS, XML_RESULTS, TSV), (N_TRIPLES, TURTLE)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URLs of all services, by name."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                run_service(tmp_path_factory.mktemp("store"), **SETTINGS, **settings)
            ).url
            for name, settings in SERVICES.items()
        }


def send_update(url: str, text: str) -> None:
    """Change the quads of a service."""
    response = httpx2.post(f"{url}update", content=text, headers=UPDATE_HEADERS, timeout=30)
    assert response.status_code == 204, response.text


def summarize_response(response: RawResponse, media_type: str) -> Counter[Any]:
    """The rows or triples of a response, as `summarize_results` returns them."""
    assert response.head[0] == "HTTP/1.1 200 OK", response
    if rdf_format := ox.RdfFormat.from_media_type(media_type):
        return summarize_results(quad.triple for quad in ox.parse(response.body, rdf_format))
    return summarize_results(
        ox.parse_query_results(response.body, ox.QueryResultsFormat.from_media_type(media_type))
    )


class EngineResult:
    """The result of the engine for a query, with and without LIMIT and OFFSET."""

    def __init__(self, quads: ox.Store, query: RandomQuery) -> None:
        """Evaluate the query."""
        self.rows, self.all_rows = (
            summarize_results(
                quads.query(
                    query.write(modifiers=modifiers),
                    base_iri=BASE,
                    use_default_graph_as_union=not query.has_dataset,
                )
            )
            for modifiers in (True, False)
        )
        self.has_modifiers = bool(query.modifiers)

    def matches(self, rows: Counter[Any]) -> bool:
        """Whether a result is the same; with LIMIT or OFFSET, it may have any rows."""
        if self.has_modifiers:
            return rows.total() == self.rows.total() and rows <= self.all_rows
        return rows == self.rows


def iter_responses(
    urls: dict[str, str], query: RandomQuery, accept: str, rng: random.Random
) -> Iterator[tuple[str, RawResponse]]:
    """The responses to a query on all paths, with the name of the path.

    Each service gets two connections, perhaps to different front processes.
    """
    for name, url in urls.items():
        with closing(RawClient(url)) as first, closing(RawClient(url)) as second:
            first.send(query.write(), accept)
            yield f"{name}, short", (short := first.receive())
            first.send(query.write(), accept + LONG_PATH_FIELDS)
            yield f"{name}, long", (long := first.receive())
            short_fields, long_fields = (
                sorted(line for line in response.head if not line.startswith(FIELDS_OF_CONTENT))
                for response in (short, long)
            )
            assert short_fields == long_fields, query
            if query.has_dataset and rng.random() < 0.5:
                second.post(query.write(clauses=False), accept, write_dataset_parameters(query))
            else:
                second.post(query.write(), accept)
            yield f"{name}, POST", second.receive()
            if rng.random() < 0.1:
                second.post(f"{query.write()} {LONG_COMMENT}", accept)
                yield f"{name}, long text", second.receive()


def write_dataset_parameters(query: RandomQuery) -> str:
    """The graphs of a query as parameters (SPARQL 1.1 Protocol, section 2.1.4)."""
    graphs = [("default-graph-uri", graph) for graph in query.default_graphs]
    graphs += [("named-graph-uri", graph) for graph in query.named_graphs]
    return "?" + "&".join(f"{name}={graph.replace('x:', BASE)}" for name, graph in graphs)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, SEEDS))]
)
def test_results_are_those_of_the_engine(urls: dict[str, str], seed: int) -> None:
    generator, rng, quads = QueryGenerator(seed), random.Random(seed), ox.Store()
    updates = (generator.generate_first_update, *[generator.generate_update] * (WRITES_PER_SEED - 1))
    service_count = SERVICES_PER_LONG_QUERY if seed else len(urls)
    queries: list[RandomQuery] = []
    counted = bounded = repeated = empty = 0
    for generate_update in updates:
        update = generate_update()
        quads.update(update)
        for url in urls.values():
            send_update(url, update)
        triples = Counter(quad.triple for quad in quads if quad.graph_name != ox.DefaultGraph())
        repeated += max(triples.values()) > 1
        # Some were answered before the write, so they might be in a cache.
        round_queries = rng.sample(queries, min(len(queries), QUERIES_PER_WRITE // 10))
        while len(round_queries) < QUERIES_PER_WRITE:
            query = generator.generate_query()
            if EngineResult(quads, query).all_rows.total() <= MAX_ROWS:
                round_queries.append(query)
                queries.append(query)
        for query in round_queries:
            expected = EngineResult(quads, query)
            empty += not expected.rows
            counted += find_count_query(query.write(), BASE) is not None
            bounded += find_bounded_patterns(query.write()) is not None
            format_ = rng.choice(ROW_FORMATS if query.form in ("SELECT", "ASK") else GRAPH_FORMATS)
            if query.form == "ASK":
                format_ = JSON_RESULTS
            matching = set[bytes]()  # bodies; most are the same
            query_urls = {name: urls[name] for name in rng.sample([*urls], service_count)}
            accept = f"Accept: {format_.media_type}\r\n"
            for path, response in iter_responses(query_urls, query, accept, rng):
                if response.body not in matching:
                    rows = summarize_response(response, format_.media_type)
                    assert expected.matches(rows), (path, query.write(), update)
                    matching.add(response.body)
    # The queries are not trivial.
    assert repeated == WRITES_PER_SEED
    assert min(counted, bounded) > GENERATED_QUERIES // SEEDS // 20
    assert empty < GENERATED_QUERIES // SEEDS // 2


def test_a_triple_in_two_graphs_counts_twice_and_once_with_distinct(
    urls: dict[str, str],
) -> None:
    """As in the engine (oxigraph/oxigraph#1919), though RDF would merge the graphs of the union."""
    triples = "x:s x:p 1 , 2 ."
    update = f"{PROLOGUE}DROP ALL ; INSERT DATA {{ GRAPH x:g0 {{ {triples} }} GRAPH x:g1 {{ {triples} }} }}"
    counts = {
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }": 4,
        "SELECT (COUNT(?o) AS ?n) { ?s x:p ?o }": 4,
        "SELECT (COUNT(?o) AS ?n) FROM x:g0 FROM x:g1 { ?s x:p ?o }": 4,
        "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }": 4,
        "SELECT (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o }": 2,
        "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s x:p ?o }": 2,
        "SELECT (COUNT(*) AS ?n) { GRAPH x:g0 { ?s ?p ?o } }": 2,
    }
    for name, url in urls.items():
        send_update(url, update)
        with closing(RawClient(url)) as client:
            for query, count in counts.items():
                client.send(PROLOGUE + query, "Accept: text/csv\r\n")
                assert client.receive().body.split()[1:] == [b"%d" % count], (name, query)
