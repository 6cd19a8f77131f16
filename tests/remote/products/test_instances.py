"""Instances that share an engine: writes are visible in all immediately, and instances can restart."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest

from bench.measure.server import find_free_port
from tests.fixtures.triples import put_turtle

from .conftest import TOKEN, run_filled_engine, run_instance
from .engines import Engine

TURTLE_HEADERS = {"Content-Type": "text/turtle"}
XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema#"
N_QUADS_HEADERS = {"Accept": "application/n-quads"}


@pytest.fixture(scope="module")
def instances(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[httpx2.Client]]:
    """Two instances, which are started concurrently with an empty store."""
    folder = tmp_path_factory.mktemp("instances")
    with ExitStack() as stack, ThreadPoolExecutor(2) as executor:
        contexts = [run_instance(folder / name, engine.settings()) for name in ("one", "two")]
        yield list(executor.map(stack.enter_context, contexts))


def put_number(client: httpx2.Client, number: int) -> None:
    """Replace a graph with a number."""
    put_turtle(client, f"<urn:a> <urn:n> {number} .", "/graph/number")


def query_number(client: httpx2.Client) -> str:
    """The number in the graph, from a query."""
    query = "SELECT ?n { <urn:a> <urn:n> ?n }"
    return client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}).text.split()[-1]


def read_dump(client: httpx2.Client) -> set[str]:
    """The quads in the dump of an instance."""
    response = client.get("/dump.nq", headers=N_QUADS_HEADERS)
    return set(map(str, ox.parse(response.content, ox.RdfFormat.N_QUADS)))


def test_instances_that_start_concurrently_have_the_same_data(instances: list[httpx2.Client]) -> None:
    assert read_dump(instances[0]) == read_dump(instances[1])


def test_write_is_immediately_visible_in_the_other_instance(instances: list[httpx2.Client]) -> None:
    for count in range(6):
        writer, reader = instances[count % 2], instances[1 - count % 2]
        put_number(writer, count)
        assert query_number(reader) == str(count)
        graph = reader.get("/graph/number", headers={"Accept": "application/n-triples"})
        assert f'"{count}"' in graph.text
        assert f'"{count}"' in writer.get("/graph/number", headers={"Accept": "application/n-triples"}).text


@pytest.mark.parametrize("path", ["/graph/number", "/id/issue/spam", "/ontology", "/papers"])
def test_instances_have_the_same_etags(instances: list[httpx2.Client], path: str) -> None:
    put_number(instances[0], 7)
    etags = [
        client.get(path, follow_redirects=True, headers={"Accept": "*/*"}).headers["etag"]
        for client in instances
    ]
    assert etags[0] == etags[1]
    revalidation = instances[1].get(
        path, follow_redirects=True, headers={"Accept": "*/*", "If-None-Match": etags[0]}
    )
    assert revalidation.status_code == 304


def test_etag_is_outdated_after_a_write_of_the_other_instance(instances: list[httpx2.Client]) -> None:
    put_number(instances[0], 1)
    etag = instances[0].get("/graph/number", headers={"Accept": "text/turtle"}).headers["etag"]
    put_number(instances[1], 2)
    response = instances[0].put(
        "/graph/number", content="<urn:a> <urn:n> 3 .", headers={**TURTLE_HEADERS, "If-Match": etag}
    )
    assert response.status_code == 412


def test_concurrent_writes_are_all_executed(instances: list[httpx2.Client]) -> None:
    def write(count: int) -> int:
        update = f"INSERT DATA {{ GRAPH <urn:many> {{ <urn:m> <urn:n> {count} }} }}"
        return instances[count % 2].post("/update", data={"update": update}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(write, range(12))) == {204}
    query = "SELECT ?n { GRAPH <urn:many> { ?m <urn:n> ?n } }"
    numbers = (
        instances[0].post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}).text.split()[1:]
    )
    assert sorted(map(int, numbers)) == list(range(12))
    assert read_dump(instances[0]) == read_dump(instances[1])


def test_old_versions_are_available_in_both_instances(instances: list[httpx2.Client]) -> None:
    put_number(instances[0], 1)
    put_number(instances[1], 2)
    for client in instances:
        versions = client.get("/graph/number?versions", headers={"Accept": "application/json"}).json()[
            "versions"
        ]
        texts = [
            client.get(version["version"], headers={"Accept": "application/n-triples"}).text
            for version in versions
        ]
        assert '"2"' in texts[-1]
        assert '"1"' in texts[-2]


def test_restarted_instance_updates_its_copy(
    instances: list[httpx2.Client], engine: Engine, tmp_path: Path
) -> None:
    with run_instance(tmp_path / "restarted", engine.settings()):
        put_number(instances[0], 1)
    put_number(instances[0], 2)
    with run_instance(tmp_path / "restarted", engine.settings()) as restarted_client:
        assert read_dump(instances[0]) == read_dump(restarted_client)


LITERALS = (
    *(f'"{value}"^^<{XSD_NAMESPACE}decimal>' for value in ("1", "1.5", "0.000001")),
    *(f'"{value}"^^<{XSD_NAMESPACE}double>' for value in ("1e0", "-2.5E-3", "1.5E300")),
    *(
        f'"{value}"^^<{XSD_NAMESPACE}{name}>'
        for name, value in (("float", "0.1"), ("time", "10:00:00"), ("token", "x"))
    ),
    *(
        f'"{value}"^^<{XSD_NAMESPACE}{name}>'
        for name, value in (("gYearMonth", "2004-11"), ("boolean", "true"))
    ),
    *("1", '"a\\r\\nb"', '"\\u0001"', '"中文"@zh'),
)
# Each with another subject, as Virtuoso merges equal numbers of a statement.
LITERALS_TURTLE = "".join(f"<urn:{number}> <urn:b> {literal} .\n" for number, literal in enumerate(LITERALS))


def test_new_instance_has_the_literals_as_written(
    instances: list[httpx2.Client], engine: Engine, tmp_path: Path
) -> None:
    client = instances[0]
    assert (
        client.put("/graph/literals", content=LITERALS_TURTLE.encode(), headers=TURTLE_HEADERS).status_code
        == 201
    )
    with run_instance(tmp_path / "new", engine.settings()) as new:
        assert read_dump(client) == read_dump(new)
    assert client.delete("/graph/literals").status_code == 204
    response = client.post("/sparql", data={"query": "SELECT ?o { GRAPH ?g { ?s <urn:b> ?o } }"})
    assert response.json()["results"]["bindings"] == []


# IRIs that Virtuoso would execute.
COMMANDS = ("<bif:exec>('shutdown')", "<sql:ANY>(1)", "<\\u0062if:http_get>('http://127.0.0.1:1/')")


def test_clients_cannot_write_the_ledger_or_execute_commands(instances: list[httpx2.Client]) -> None:
    client = instances[0]
    for name in ("state", "unnamed"):
        response = client.put(f"/graph/{name}", content="<urn:a> <urn:b> 1 .", headers=TURTLE_HEADERS)
        assert response.status_code == 403
    client.post("/update", data={"update": "DROP SILENT GRAPH <graph/state>"})
    put_number(client, 1)
    for command in COMMANDS:
        response = client.post("/sparql", data={"query": f"SELECT ({command} AS ?x) {{}}"})
        assert response.status_code == 422
    assert query_number(client) == "1"


@pytest.mark.long
@pytest.mark.parametrize("name", ["oxigraph"])
def test_rolling_restart_under_load_loses_no_request(name: str, tmp_path: Path) -> None:
    """Clients connect to the other instance if a connection is refused, as a load balancer does."""
    with run_filled_engine(name, tmp_path / "engine") as engine:
        ports = [find_free_port() for _ in range(2)]
        folders = [tmp_path / "one", tmp_path / "two"]
        processes = [
            start_instance(folder, port, engine.settings())
            for folder, port in zip(folders, ports, strict=True)
        ]
        stopped, errors, request_count = threading.Event(), list[str](), [0]

        def send_requests(writes: bool) -> None:
            count = 0
            with httpx2.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
                while not stopped.is_set():
                    count += 1
                    try:
                        send_balanced_request(client, ports, count, writes)
                        request_count[0] += 1
                    except (AssertionError, httpx2.HTTPError) as error:
                        errors.append(repr(error))

        threads = [threading.Thread(target=send_requests, args=(writes,)) for writes in (True, False, False)]
        for thread in threads:
            thread.start()
        for index in (0, 1):
            processes[index].send_signal(signal.SIGTERM)
            processes[index].communicate(timeout=30)
            assert processes[index].returncode == 0
            processes[index] = start_instance(folders[index], ports[index], engine.settings())
        stopped.set()
        for thread in threads:
            thread.join()
        for process in processes:
            process.terminate()
            process.communicate()
        assert errors == []
        assert request_count[0] > 20


def send_balanced_request(client: httpx2.Client, ports: list[int], count: int, writes: bool) -> None:
    """Send a request to one port, or to the other if the connection is refused, or closed without a response.

    deploy/haproxy/haproxy.cfg retries in the same cases: an instance that stops closes idle connections and
    the queue of its listener, and a request may be on its way on one of them. If it has arrived there unread,
    the kernel resets the connection.
    """
    for port in (ports[count % 2], ports[1 - count % 2]):
        try:
            if writes:
                url = f"http://127.0.0.1:{port}/graph/rolling"
                response = client.put(url, content=f"<urn:a> <urn:r> {count} .", headers=TURTLE_HEADERS)
            else:
                response = client.get(f"http://127.0.0.1:{port}/sparql?query=ASK%20%7B%7D")
        except (httpx2.ConnectError, httpx2.ReadError):  # an answer is small: none of it has arrived
            continue
        except httpx2.RemoteProtocolError as error:
            if "without sending a response" in str(error):
                continue
            raise
        assert response.status_code < 300, response.text
        return
    raise AssertionError("no instance accepts a connection")


def start_instance(folder: Path, port: int, settings: dict[str, str]) -> subprocess.Popen[str]:
    """Start an instance that listens on a port, and wait until it is ready."""
    script = str(Path(sys.executable).with_name("wgig"))
    command = [script, "serve", "--port", str(port), "--store", str(folder)]
    environment = os.environ | {"WGIG_TOKEN": TOKEN} | settings
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert any("http://" in line for line in process.stdout), "the instance did not start"
    deadline = time.monotonic() + 60
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline, "the instance is not ready"
            time.sleep(0.05)  # leaves the core to the instance and the engine
    return process
