"""Expensive queries are refused with a clear reason, and do not affect other clients."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.fixtures.processes import ServiceStarter

TOKEN = "secret"
BEARER_HEADERS = {"Authorization": f"Bearer {TOKEN}"}
MARKDOWN_HEADERS = {"Content-Type": "text/markdown"}
QUERY_BODY_HEADERS = {"Content-Type": "application/sparql-query"}
# Tests append different comments (`#1`) to queries, so that no response comes from the cache.
PATTERNS = " . ".join(f"?s{n} ?p{n} ?o{n}" for n in range(5))
ENDLESS_QUERY = f"SELECT (COUNT(*) AS ?n) {{ {PATTERNS} }}"
LARGE_RESULT_QUERY = "SELECT * { ?s ?p ?o . ?t ?q ?r }"
# 34 doublings of a string exceed the memory limit.
DOUBLINGS = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(34))
MAX_SLOW = 64  # more than the workers of three front processes
REQUEST_HEAD = "POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"


@pytest.fixture(scope="module")
def limited_service(start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service with the bundled data, small limits and three workers."""
    limits = {
        "WGIG_PROXIES": "127.0.0.1",
        "WGIG_TOKEN": TOKEN,
        "WGIG_READERS": "3",
        "WGIG_QUERY_SECONDS": "2",
        "WGIG_PAPER_SECONDS": "2",
        "WGIG_QUERY_MEMORY": str(256 << 20),
    }
    with start_service(tmp_path_factory.mktemp("store"), **limits, WGIG_RESULT_BYTES=str(32 << 20)) as url:
        # Until a process can parse long queries, whose start may take longer than WGIG_PAPER_SECONDS.
        while httpx2.post(f"{url}validate", content="x", headers=MARKDOWN_HEADERS).status_code == 503:
            pass
        yield url


def run_query(url: str, text: str, client: str = "203.0.113.1", timeout: float = 30) -> httpx2.Response:
    """The response to a query from a client with this address; `timeout` is in seconds."""
    headers = QUERY_BODY_HEADERS | {"X-Forwarded-For": client}
    return httpx2.post(f"{url}sparql", content=text, headers=headers, timeout=timeout)


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        # Whichever limit is reached first, that of time or that of memory.
        (ENDLESS_QUERY, 503, "took longer than 2 seconds|needed more than .* bytes of memory"),
        (
            "SELECT (COUNT(*) AS ?n) { ?s (!<x:p>|!^<x:p>)* ?o . ?o (!<x:p>|^!<x:p>)* ?s }",
            503,
            "took longer than",
        ),
        (f'SELECT (STRLEN(?x34) AS ?n) {{ BIND("0123456789" AS ?x0) {DOUBLINGS} }}', 503, "Request less"),
        ('SELECT (GROUP_CONCAT(STR(?s); SEPARATOR=" ") AS ?n) { ?s ?p ?o . ?t ?q ?r }', 503, "Request less"),
        ("ASK { FILTER(" + "(" * 100_000 + "1" + ")" * 100_000 + ") }", 413, "longer than"),
        ("ASK { FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }", 400, "brackets are open at this point"),
        ("ASK {} #" + "x" * 20_000_000, 413, "larger than"),
        ("ASK { FILTER(" + " || ".join(f"?x = {n}" for n in range(4_000)) + ") }", 503, "took longer than"),
        # The regular expressions of the engine take linear time.
        ('ASK { ?s ?p ?o FILTER(REGEX(STR(?o), "(a|a)*(b|b)*(c|c)*$")) }', 200, "boolean"),
        ('ASK { FILTER(REGEX("a", "' + "(a{0,99}){0,99}" * 20 + '")) }', 200, "boolean"),
    ],
)
def test_expensive_query_does_not_block_the_next_one(
    limited_service: str, text: str, status: int, message: str
) -> None:
    response = run_query(limited_service, text)
    assert response.status_code == status, response.text
    assert re.search(message, response.text)
    assert run_query(limited_service, "ASK {}").status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"ASK {} #\xff", "UTF-8"), (b"ASK {} #\x00", "NUL")],
)
def test_body_that_is_no_text_is_refused(limited_service: str, body: bytes, message: str) -> None:
    response = httpx2.post(f"{limited_service}sparql", content=body, headers=QUERY_BODY_HEADERS)
    assert response.status_code == 400
    assert message in response.text


def test_many_queries_of_a_client_leave_a_worker_to_others(limited_service: str) -> None:
    threads = [
        threading.Thread(target=run_query, args=(limited_service, f"{ENDLESS_QUERY} #{n}")) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    while httpx2.get(f"{limited_service}queries/running").json()["count"] < 2:  # of three workers
        time.sleep(0.05)
    responses = [run_query(limited_service, f"ASK {{}} #{n}", "203.0.113.2") for n in range(5)]
    assert all(thread.is_alive() for thread in threads)  # no slow query was canceled
    assert {response.status_code for response in responses} == {200}
    for thread in threads:
        thread.join()


def cancel_all_queries(url: str) -> None:
    for query in httpx2.get(f"{url}queries/running", headers=BEARER_HEADERS).json()["queries"]:
        httpx2.delete(f"{url}queries/running/{query['id']}")


def test_slow_queries_of_many_addresses_leave_a_worker_to_others(
    start_service: ServiceStarter, tmp_path: Path
) -> None:
    limits = {"WGIG_PROXIES": "127.0.0.1", "WGIG_READERS": "2", "WGIG_QUERY_SECONDS": "120"}
    with start_service(tmp_path, WGIG_TOKEN=TOKEN, **limits) as url, ThreadPoolExecutor(MAX_SLOW) as pool:
        # Until the quads are copied, there are additional workers that read from disk.
        while httpx2.get(f"{url}ready").json().get("copying", True):  # a problem if it is not ready
            time.sleep(0.05)
        slow_queries, responses = list[Future[httpx2.Response]](), list[httpx2.Response]()
        # Until all workers of a process have slow queries, and one of them is canceled.
        while not any(query.done() for query in slow_queries) and len(slow_queries) < MAX_SLOW:
            number = len(slow_queries)
            slow_queries.append(
                pool.submit(run_query, url, f"{ENDLESS_QUERY} #{number}", f"203.0.113.{number}", 150)
            )
            responses.append(run_query(url, f"ASK {{}} #{number}", f"198.51.100.{number}"))
        canceled, still_running = wait(slow_queries, return_when=FIRST_COMPLETED)
        refusals = [query.result() for query in canceled]
        while not all(query.done() for query in slow_queries):
            cancel_all_queries(url)
            time.sleep(0.05)
    assert {response.status_code for response in responses} == {200}
    assert still_running
    for refusal in refusals:
        assert refusal.status_code == 503
        assert "other clients were waiting" in refusal.json()["detail"]
        assert int(refusal.headers["Retry-After"]) > 0


def open_socket(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def test_streamed_response_that_fails_is_aborted(limited_service: str) -> None:
    with httpx2.stream("GET", f"{limited_service}sparql?query={LARGE_RESULT_QUERY}") as response:
        assert response.status_code == 200
        assert "content-length" not in response.headers
        with pytest.raises(httpx2.RemoteProtocolError):
            response.read()  # exceeds a limit of the service


# Both results exceed the buffer for HTTP/1.0, whose clients cannot detect an incomplete response.
@pytest.mark.parametrize("query", [LARGE_RESULT_QUERY, f"{LARGE_RESULT_QUERY} LIMIT 40000"])
def test_large_result_is_refused_for_http_1_0(limited_service: str, query: str) -> None:
    with closing(open_socket(limited_service)) as connection:
        target = str(httpx2.URL(f"{limited_service}sparql", params={"query": query}).raw_path.decode())
        connection.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert response.startswith(b"HTTP/1.1 413")
    assert json.loads(response.partition(b"\r\n\r\n")[2])["status"] == 413


@pytest.mark.parametrize("read_bytes", [0, 1000])  # disconnects before or after the start of the response
def test_query_is_canceled_when_its_client_disconnects(limited_service: str, read_bytes: int) -> None:
    for number in range(12):  # more than there are workers
        text = f"{LARGE_RESULT_QUERY if read_bytes else ENDLESS_QUERY} #{number}".encode()
        with closing(open_socket(limited_service)) as connection:
            connection.sendall(f"{REQUEST_HEAD}Content-Length: {len(text)}\r\n\r\n".encode() + text)
            if read_bytes:
                connection.recv(read_bytes)
    assert run_query(limited_service, "ASK {} #after").status_code == 200


def test_query_can_be_canceled_by_its_id(limited_service: str) -> None:
    query_id = "6f1c0f9e-1b5a-4c5e-9d8e-2f3a4b5c6d7e"
    query = f"{ENDLESS_QUERY} #{query_id}"
    with ThreadPoolExecutor() as pool:
        for _ in range(3):  # the query may end before it is canceled
            future = pool.submit(
                httpx2.post,
                f"{limited_service}sparql",
                content=query,
                headers=QUERY_BODY_HEADERS | {"WGIG-Query-Id": query_id},
            )
            while not future.done() and not httpx2.get(f"{limited_service}queries/running").json()["count"]:
                pass
            status = httpx2.delete(f"{limited_service}queries/running/{query_id}").status_code
            response = future.result()
            if status == 204:
                break
    assert (status, response.status_code) == (204, 503)
    assert "canceled on request" in response.json()["detail"]
    assert httpx2.delete(f"{limited_service}queries/running/{query_id}").status_code == 404


def test_running_queries_are_listed_only_with_a_token(limited_service: str) -> None:
    with ThreadPoolExecutor() as pool:
        future = pool.submit(run_query, limited_service, f"{ENDLESS_QUERY} #marked")
        matching: list[dict[str, str]] = []
        while not future.done() and not matching:
            running = httpx2.get(f"{limited_service}queries/running", headers=BEARER_HEADERS).json()[
                "queries"
            ]
            # Queries of other tests may still be running.
            matching = [query for query in running if query["query"].endswith("#marked")]
            assert "queries" not in httpx2.get(f"{limited_service}queries/running").json()
    assert [(query["client"], query["query"]) for query in matching] == [
        ("203.0.113.1", f"{ENDLESS_QUERY} #marked")
    ]
    assert (
        httpx2.get(f"{limited_service}queries/running", headers={"Authorization": "Bearer x"}).status_code
        == 401
    )


def test_query_id_that_others_could_guess_is_refused(limited_service: str) -> None:
    response = httpx2.post(
        f"{limited_service}sparql",
        content="ASK {} #guess",
        headers=QUERY_BODY_HEADERS | {"WGIG-Query-Id": "1"},
    )
    assert response.status_code == 400
    assert "UUID" in response.json()["detail"]


def test_endless_update_is_canceled_and_the_next_one_runs(limited_service: str) -> None:
    patterns = " ".join(f"GRAPH ?g{n} {{ ?s{n} ?p{n} ?o{n} }}" for n in range(5))
    endless_update = f"INSERT {{ <x:a> <x:n> ?n }} WHERE {{ SELECT (COUNT(*) AS ?n) {{ {patterns} }} }}"
    for text, status in ((endless_update, 503), ("INSERT { <x:a> <x:n> ?n } WHERE { BIND(1 AS ?n) }", 204)):
        response = httpx2.post(
            f"{limited_service}update", data={"update": text}, headers=BEARER_HEADERS, timeout=30
        )
        assert response.status_code == status, response.text
    rows = run_query(limited_service, "SELECT ?n { <x:a> <x:n> ?n }").json()["results"]["bindings"]
    assert [row["n"]["value"] for row in rows] == ["1"]


def test_page_shows_the_first_rows_of_a_large_result(service_url: str) -> None:
    response = httpx2.get(
        f"{service_url}sparql",
        params={"query": LARGE_RESULT_QUERY},
        headers={"Accept": "text/html"},
        timeout=30,
    )
    assert response.status_code == 200
    assert "The answer is too large for a page: rows 1 to 1,000 are shown." in response.text
    assert "</html>" in response.text
