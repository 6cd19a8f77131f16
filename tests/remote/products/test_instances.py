"""Several instances over one engine: each sees at once what another wrote, and any may go and come."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from tests.fixtures.triples import put_turtle

from .conftest import TOKEN, instance
from .engines import Engine, running

TURTLE = {"Content-Type": "text/turtle"}
XSD = "http://www.w3.org/2001/XMLSchema#"
N_QUADS = {"Accept": "application/n-quads"}
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f FILTER(?b = ?c && ?d = ?e) }"


@pytest.fixture(scope="module")
def both(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[httpx.Client]]:
    """Two instances, which are started at once while there is nothing in the store."""
    folder = tmp_path_factory.mktemp("both")
    with ExitStack() as stack, ThreadPoolExecutor(2) as threads:
        opened = [instance(folder / name, engine.settings()) for name in ("one", "two")]
        yield list(threads.map(stack.enter_context, opened))


def put_number(client: httpx.Client, number: int) -> None:
    """Write a number to a graph."""
    put_turtle(client, f"<urn:a> <urn:n> {number} .", "/graph/number")


def number(client: httpx.Client) -> str:
    """The number, by a query."""
    query = "SELECT ?n { <urn:a> <urn:n> ?n }"
    return client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}).text.split()[-1]


def dump(client: httpx.Client) -> set[str]:
    """All quads."""
    answer = client.get("/dump.nq", headers=N_QUADS)
    return set(map(str, ox.parse(answer.content, ox.RdfFormat.N_QUADS)))


def test_instances_that_begin_at_once_hold_the_same(both: list[httpx.Client]) -> None:
    assert dump(both[0]) == dump(both[1])


def test_a_write_through_one_is_seen_through_the_other_at_once(both: list[httpx.Client]) -> None:
    for count in range(6):
        here, there = both[count % 2], both[1 - count % 2]
        put_number(here, count)
        assert number(there) == str(count)
        graph = there.get("/graph/number", headers={"Accept": "application/n-triples"})
        assert f'"{count}"' in graph.text
        assert f'"{count}"' in here.get("/graph/number", headers={"Accept": "application/n-triples"}).text


@pytest.mark.parametrize("path", ["/graph/number", "/id/issue/spam", "/ontology", "/papers"])
def test_entity_tags_agree(both: list[httpx.Client], path: str) -> None:
    put_number(both[0], 7)
    tags = [one.get(path, follow_redirects=True, headers={"Accept": "*/*"}).headers["etag"] for one in both]
    assert tags[0] == tags[1]
    again = both[1].get(path, follow_redirects=True, headers={"Accept": "*/*", "If-None-Match": tags[0]})
    assert again.status_code == 304


def test_a_condition_holds_against_what_another_wrote(both: list[httpx.Client]) -> None:
    put_number(both[0], 1)
    tag = both[0].get("/graph/number", headers={"Accept": "text/turtle"}).headers["etag"]
    put_number(both[1], 2)
    stale = both[0].put("/graph/number", content="<urn:a> <urn:n> 3 .", headers={**TURTLE, "If-Match": tag})
    assert stale.status_code == 412


def test_writes_at_once_are_all_done(both: list[httpx.Client]) -> None:
    def write(count: int) -> int:
        update = f"INSERT DATA {{ GRAPH <urn:many> {{ <urn:m> <urn:n> {count} }} }}"
        return both[count % 2].post("/update", data={"update": update}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(write, range(12))) == {204}
    query = "SELECT ?n { GRAPH <urn:many> { ?m <urn:n> ?n } }"
    said = both[0].post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}).text.split()[1:]
    assert sorted(map(int, said)) == list(range(12))
    assert dump(both[0]) == dump(both[1])


def test_old_versions_are_read_through_either(both: list[httpx.Client]) -> None:
    put_number(both[0], 1)
    put_number(both[1], 2)
    for client in both:
        versions = client.get("/graph/number?versions", headers={"Accept": "application/json"}).json()[
            "versions"
        ]
        texts = [
            client.get(one["version"], headers={"Accept": "application/n-triples"}).text for one in versions
        ]
        assert '"2"' in texts[-1]
        assert '"1"' in texts[-2]


def test_an_instance_that_was_away_catches_up(
    both: list[httpx.Client], engine: Engine, tmp_path: Path
) -> None:
    with instance(tmp_path / "away", engine.settings()):
        put_number(both[0], 1)
    put_number(both[0], 2)
    with instance(tmp_path / "away", engine.settings()) as back:
        assert dump(both[0]) == dump(back)


LITERALS = (
    *(f'"{value}"^^<{XSD}decimal>' for value in ("1", "1.5", "0.000001")),
    *(f'"{value}"^^<{XSD}double>' for value in ("1e0", "-2.5E-3", "1.5E300")),
    *(
        f'"{value}"^^<{XSD}{name}>'
        for name, value in (("float", "0.1"), ("time", "10:00:00"), ("token", "x"))
    ),
    *(f'"{value}"^^<{XSD}{name}>' for name, value in (("gYearMonth", "2004-11"), ("boolean", "true"))),
    *("1", '"a\\r\\nb"', '"\\u0001"', '"中文"@zh'),
)
# Each of something else: numbers that are equal are one to Virtuoso.
STATED = "".join(f"<urn:{number}> <urn:b> {one} .\n" for number, one in enumerate(LITERALS))


def test_what_one_wrote_a_new_instance_holds_as_it_was(
    both: list[httpx.Client], engine: Engine, tmp_path: Path
) -> None:
    one = both[0]
    assert one.put("/graph/literals", content=STATED.encode(), headers=TURTLE).status_code == 201
    with instance(tmp_path / "new", engine.settings()) as new:
        assert dump(one) == dump(new)
    assert one.delete("/graph/literals").status_code == 204
    said = one.post("/sparql", data={"query": "SELECT ?o { GRAPH ?g { ?s <urn:b> ?o } }"})
    assert said.json()["results"]["bindings"] == []


COMMANDS = ("<bif:exec>('shutdown')", "<sql:ANY>(1)", "<\\u0062if:http_get>('http://127.0.0.1:1/')")


def test_nobody_writes_the_ledger_or_commands_the_engine(both: list[httpx.Client]) -> None:
    one = both[0]
    for name in ("state", "unnamed"):
        answer = one.put(f"/graph/{name}", content="<urn:a> <urn:b> 1 .", headers=TURTLE)
        assert answer.status_code == 403
    one.post("/update", data={"update": "DROP SILENT GRAPH <graph/state>"})
    put_number(one, 1)
    for command in COMMANDS:
        answer = one.post("/sparql", data={"query": f"SELECT ({command} AS ?x) {{}}"})
        assert answer.status_code == 422
    assert number(one) == "1"


@pytest.mark.long
@pytest.mark.parametrize("name", ["oxigraph"])
def test_a_rolling_restart_under_load_drops_nothing(name: str, tmp_path: Path) -> None:
    """As a balancer does, clients ask the other instance where one takes no connection, or says it ends."""
    with running(name, tmp_path / "engine") as engine:
        ports = [free() for _ in range(2)]
        folders = [tmp_path / "one", tmp_path / "two"]
        processes = [started(*place, engine.settings()) for place in zip(folders, ports, strict=True)]
        over, failed, done = threading.Event(), [], [0]

        def work(writes: bool) -> None:
            count = 0
            with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
                while not over.is_set():
                    count += 1
                    try:
                        balanced(client, ports, count, writes)
                        done[0] += 1
                    except (AssertionError, httpx.HTTPError) as error:
                        failed.append(repr(error))

        threads = [threading.Thread(target=work, args=(writes,)) for writes in (True, False, False)]
        for thread in threads:
            thread.start()
        for at in (0, 1):
            processes[at].send_signal(signal.SIGTERM)
            processes[at].communicate(timeout=30)
            assert processes[at].returncode == 0
            processes[at] = started(folders[at], ports[at], engine.settings())
        over.set()
        for thread in threads:
            thread.join()
        for process in processes:
            process.terminate()
            process.communicate()
        assert failed == []
        assert done[0] > 20


def balanced(client: httpx.Client, ports: list[int], count: int, writes: bool) -> None:
    """Ask as a balancer does: another one where a connection is refused; what was begun is not repeated."""
    for port in (ports[count % 2], ports[1 - count % 2]):
        try:
            if writes:
                url = f"http://127.0.0.1:{port}/graph/rolling"
                answer = client.put(url, content=f"<urn:a> <urn:r> {count} .", headers=TURTLE)
            else:
                answer = client.get(f"http://127.0.0.1:{port}/sparql?query=ASK%20%7B%7D")
        except httpx.ConnectError:
            continue
        assert answer.status_code < 300, answer.text
        return
    raise AssertionError("nobody takes a connection")


def started(folder: Path, port: int, settings: dict[str, str]) -> subprocess.Popen[str]:
    """An instance that listens on a port."""
    script = str(Path(sys.executable).with_name("wgig"))
    command = [script, "serve", "--port", str(port), "--store", str(folder)]
    environment = os.environ | {"WGIG_TOKEN": TOKEN} | settings
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert any("http://" in line for line in process.stdout), "the service did not start"
    until = time.monotonic() + 60
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < until, "the service is not ready"
    return process


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
