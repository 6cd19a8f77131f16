"""The short path sends the same responses as the long path, and leaves the rest to it.

`test_engine_results.py` compares both for generated queries.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from wgig.sparql.examples import bind_query_parameters, list_example_queries

from tests.crash.family import find_descendants
from tests.fixtures.processes import RunningService, run_service
from tests.fixtures.raw_client import LONG_PATH_FIELDS, RawClient

pytestmark = pytest.mark.slow
TOKEN = "let me in"
DATA = """
PREFIX x: <http://example.org/>
INSERT DATA { GRAPH x:g { x:a a x:C ; x:p x:b , x:c , "é" , 1 . x:b x:p x:c ; x:q "a, \\"b\\"" , "c"@en . }
              GRAPH x:h { x:a x:p x:b . x:c x:p x:a , 2.5 , true } }
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(tmp_path_factory.mktemp("store"), WGIG_TOKEN=TOKEN, WGIG_METRICS="open") as running:
        write_data(running)
        yield running


def write_data(service: RunningService) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
    assert httpx2.post(f"{service.url}update", content=DATA, headers=headers).status_code == 204


@pytest.fixture
def client(service: RunningService) -> Iterator[RawClient]:
    raw_client = RawClient(service.url)
    yield raw_client
    raw_client.close()


def compare_paths(client: RawClient, query: str, fields: str = "", parameters: str = "") -> list[str]:
    """Check that both paths send the same response. Returns its head."""
    client.send(query, fields, parameters)
    short = client.receive()
    client.send(query, fields + LONG_PATH_FIELDS, parameters)
    assert short == client.receive(), query
    return short[0]


def test_example_queries_have_the_same_responses(client: RawClient) -> None:
    for example in list_example_queries():
        compare_paths(client, bind_query_parameters(example.source, {}))


@pytest.mark.parametrize(
    ("query", "fields", "parameters", "status"),
    [
        ("SELECT", "", "", 400),
        ("ASK {}", "Accept: image/png\r\n", "", 406),
        ("ASK {}", "Accept: text/html\r\n", "", 200),
        ("ASK {}", "", "&_mediatype=text/csv", 406),
        ("ASK {}", "", "&format=json", 200),
        ("ASK {}", "", "&unknown=1", 200),
        ("ASK {}", "", "&query=ASK{}", 400),
        ("SELECT (UUID() AS ?u) {} LIMIT 0", "", "", 200),
        ("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }", "", "", 403),
        ("SELECT * FROM <http://example.org/g> { ?s ?p ?o } ORDER BY ?s ?p ?o", "", "", 200),
        ("SELECT * { VALUES (?x ?y) { " + "(1 2)" * 300 + " } }", "", "", 200),
        ("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?a ?b ?c ?d ?e ?f", "", "", 200),
    ],
)
def test_unusual_requests_have_the_same_responses(
    client: RawClient, query: str, fields: str, parameters: str, status: int
) -> None:
    assert compare_paths(client, query, fields, parameters)[0].startswith(f"HTTP/1.1 {status} ")


def test_pipelined_requests_are_answered_in_order(client: RawClient) -> None:
    for number in range(20):
        client.send(f"SELECT ({number} AS ?n) {{}}", "Accept: text/csv\r\n" + LONG_PATH_FIELDS * (number % 2))
    assert [client.receive()[1].split()[1] for _ in range(20)] == [b"%d" % number for number in range(20)]


def test_long_result_comes_from_the_cache(service: RunningService, client: RawClient) -> None:
    bodies, processes = [], []
    for _ in range(5):
        client.send("SELECT * { ?a ?b ?c . ?d ?e ?f } # once")
        bodies.append(client.receive().body)
        processes.append({process.pid for process in find_descendants(service.process.pid)})
    assert len(set(bodies)) == 1
    assert processes[0] <= processes[-1]  # a worker whose query is canceled, as it is not needed, ends


def test_equal_requests_share_one_query(service: RunningService) -> None:
    def count_queries() -> int:
        text = httpx2.get(f"{service.url}metrics").text
        return int(float(re.findall(r'wgig_queries_total\{outcome="answered"\} (\S+)', text)[0]))

    before = count_queries()
    query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    clients = [RawClient(service.url) for _ in range(8)]
    for client in clients:
        client.send(query)
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda client: client.receive()[1], clients))
    for client in clients:
        client.close()
    assert len(set(bodies)) == 1
    assert count_queries() == before + 1


def test_a_client_does_not_wait_with_another_one_that_has_all_its_workers(tmp_path: Path) -> None:
    with run_service(tmp_path, WGIG_READERS="2", WGIG_WORKERS="1", WGIG_TOKEN=TOKEN) as service:
        write_data(service)
        busy, waiting = RawClient(service.url), RawClient(service.url)
        busy.send("SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12)) + " }")
        while not httpx2.get(f"{service.url}queries/running").json()["count"]:
            pass
        waiting.send("SELECT (1 + 1 AS ?sum) {}")
        other = RawClient(service.url, "127.0.0.2")
        other.send("SELECT (1 + 1 AS ?sum) {}")
        assert b'"2"' in other.receive().body
        assert httpx2.get(f"{service.url}queries/running").json()["count"] == 1
        for client in (busy, waiting, other):
            client.close()


def test_query_ends_when_its_client_disconnects(service: RunningService) -> None:
    client = RawClient(service.url)
    client.send("SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12)) + " }")
    while not httpx2.get(f"{service.url}queries/running").json()["count"]:
        pass
    client.close()
    while httpx2.get(f"{service.url}queries/running").json()["count"]:
        pass


def test_rate_limit_counts_requests_of_the_short_path(tmp_path: Path) -> None:
    with run_service(tmp_path, WGIG_RATE_REQUESTS="3", WGIG_RATE_SECONDS="3600") as service:
        client = RawClient(service.url)
        statuses = []
        for number in range(5):
            client.send(f"ASK {{}} #{number}")
            statuses.append(client.receive()[0][0].split()[1])
        client.close()
    assert statuses == ["200", "200", "200", "429", "429"]
