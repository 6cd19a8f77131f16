"""Queries that would freeze, flood or crash a service get a clear answer, and nobody else notices."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures.processes import Serving

TOKEN = "secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
DIRECT = {"Content-Type": "application/sparql-query"}
PATTERNS = " . ".join(f"?s{n} ?p{n} ?o{n}" for n in range(5))
ENDLESS = f"SELECT (COUNT(*) AS ?n) {{ {PATTERNS} }}"
ALL = "SELECT * { ?s ?p ?o . ?t ?q ?r }"
DOUBLINGS = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(34))
FROM = "/sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"


@pytest.fixture(scope="module")
def hard(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service with the shipped graph, small limits and few readers."""
    limits = {
        "WGIG_PROXIES": "127.0.0.1",
        "WGIG_TOKEN": TOKEN,
        "WGIG_READERS": "3",
        "WGIG_QUERY_SECONDS": "1",
        "WGIG_PAPER_SECONDS": "2",
        "WGIG_QUERY_MEMORY": str(256 << 20),
    }
    with serving(tmp_path_factory.mktemp("store"), **limits, WGIG_RESULT_BYTES=str(32 << 20)) as url:
        yield url


def ask(url: str, text: str, client: str = "203.0.113.1", patience: float = 30) -> httpx.Response:
    """The answer to a query from a client at this address, which waits for so many seconds."""
    headers = DIRECT | {"X-Forwarded-For": client}
    return httpx.post(f"{url}sparql", content=text, headers=headers, timeout=patience)


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (ENDLESS, 503, "took longer than 1 seconds"),
        (
            "SELECT (COUNT(*) AS ?n) { ?s (!<x:p>|!^<x:p>)* ?o . ?o (!<x:p>|^!<x:p>)* ?s }",
            503,
            "took longer than",
        ),
        (f'SELECT (STRLEN(?x34) AS ?n) {{ BIND("0123456789" AS ?x0) {DOUBLINGS} }}', 503, "Ask for less"),
        ('SELECT (GROUP_CONCAT(STR(?s); SEPARATOR=" ") AS ?n) { ?s ?p ?o . ?t ?q ?r }', 503, "Ask for less"),
        ("ASK { FILTER(" + "(" * 100_000 + "1" + ")" * 100_000 + ") }", 413, "longer than"),
        ("ASK { FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }", 400, "brackets are open here"),
        ("ASK {} #" + "x" * 20_000_000, 413, "larger than"),
        ("ASK { FILTER(" + " || ".join(f"?x = {n}" for n in range(4_000)) + ") }", 503, "took longer than"),
        ('ASK { ?s ?p ?o FILTER(REGEX(STR(?o), "(a|a)*(b|b)*(c|c)*$")) }', 200, "boolean"),
        ('ASK { FILTER(REGEX("a", "' + "(a{0,99}){0,99}" * 20 + '")) }', 200, "boolean"),
    ],
)
def test_it_is_answered_in_time_and_the_next_is_as_well(hard: str, text: str, status: int, says: str) -> None:
    answer = ask(hard, text)
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert ask(hard, "ASK {}").status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"ASK {} #\xff", "UTF-8"), (b"ASK {} #\x00", "NUL")],
)
def test_bytes_that_are_no_text_are_told_of(hard: str, body: bytes, says: str) -> None:
    answer = httpx.post(f"{hard}sparql", content=body, headers=DIRECT)
    assert answer.status_code == 400
    assert says in answer.text


def test_a_flood_of_one_client_leaves_a_reader_to_others(hard: str) -> None:
    flood = [threading.Thread(target=ask, args=(hard, f"{ENDLESS} #{n}")) for n in range(6)]
    for one in flood:
        one.start()
    while httpx.get(f"{hard}queries/running").json()["count"] < 2:
        time.sleep(0.05)
    answers = [ask(hard, f"ASK {{}} #{n}", "203.0.113.2") for n in range(5)]
    assert all(one.is_alive() for one in flood)  # none of them had to end for these
    assert {one.status_code for one in answers} == {200}
    for one in flood:
        one.join()


def end_all(url: str) -> None:
    """End all queries that are being answered."""
    for one in httpx.get(f"{url}queries/running", headers=BEARER).json()["queries"]:
        httpx.delete(f"{url}queries/running/{one['id']}")


def test_slow_queries_of_many_addresses_leave_a_reader_to_another(serving: Serving, tmp_path: Path) -> None:
    limits = {"WGIG_PROXIES": "127.0.0.1", "WGIG_READERS": "2", "WGIG_QUERY_SECONDS": "120"}
    with serving(tmp_path, WGIG_TOKEN=TOKEN, **limits) as url, ThreadPoolExecutor() as pool:
        # Until the quads are copied, those who read from disk are readers beyond these.
        while httpx.get(f"{url}ready").json()["copying"]:
            time.sleep(0.05)
        slow = [pool.submit(ask, url, f"{ENDLESS} #{n}", f"203.0.113.{n}", 150) for n in range(5)]
        while httpx.get(f"{url}queries/running").json()["count"] < 4:  # as many readers as there can be
            time.sleep(0.05)
        answers = [ask(url, f"ASK {{}} #{n}", f"198.51.100.{n}") for n in range(3)]
        ended, others = wait(slow, return_when=FIRST_COMPLETED)
        refused = [one.result() for one in ended]
        while not all(one.done() for one in slow):
            end_all(url)
            time.sleep(0.05)
    assert {one.status_code for one in answers} == {200}
    assert others
    for one in refused:
        assert one.status_code == 503
        assert "other clients waited" in one.json()["detail"]
        assert int(one.headers["Retry-After"]) > 0


def connected(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def test_an_answer_that_cannot_be_ended_breaks_off(hard: str) -> None:
    with httpx.stream("GET", f"{hard}sparql?query={ALL}") as answer:
        assert answer.status_code == 200
        assert "content-length" not in answer.headers
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


@pytest.mark.parametrize("query", [ALL, f"{ALL} LIMIT 40000"])
def test_for_an_old_client_a_large_answer_is_refused_whole(hard: str, query: str) -> None:
    with closing(connected(hard)) as connection:
        target = str(httpx.URL(f"{hard}sparql", params={"query": query}).raw_path.decode())
        connection.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 503


@pytest.mark.parametrize("taken", [0, 1000])
def test_a_client_that_leaves_takes_its_query_with_it(hard: str, taken: int) -> None:
    for number in range(12):
        text = f"{ALL if taken else ENDLESS} #{number}".encode()
        with closing(connected(hard)) as connection:
            connection.sendall(f"POST {FROM}Content-Length: {len(text)}\r\n\r\n".encode() + text)
            while taken and connection.recv(taken) == b"":
                pass
    assert ask(hard, "ASK {} #after").status_code == 200


def test_who_knows_a_query_can_end_it(hard: str) -> None:
    id_ = "6f1c0f9e-1b5a-4c5e-9d8e-2f3a4b5c6d7e"
    query = f"{ENDLESS} #{id_}"
    with ThreadPoolExecutor() as pool:
        for _ in range(3):  # it may have come to its end before it was found
            asking = pool.submit(
                httpx.post, f"{hard}sparql", content=query, headers=DIRECT | {"WGIG-Query-Id": id_}
            )
            while not asking.done() and not httpx.get(f"{hard}queries/running").json()["count"]:
                pass
            ended = httpx.delete(f"{hard}queries/running/{id_}").status_code
            answer = asking.result()
            if ended == 204:
                break
    assert (ended, answer.status_code) == (204, 503)
    assert "canceled on request" in answer.json()["detail"]
    assert httpx.delete(f"{hard}queries/running/{id_}").status_code == 404


def test_only_a_token_tells_whose_queries_run(hard: str) -> None:
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask, hard, f"{ENDLESS} #whose")
        found: list[dict[str, str]] = []
        while not asking.done() and not found:
            running = httpx.get(f"{hard}queries/running", headers=BEARER).json()["queries"]
            found = [one for one in running if one["query"].endswith("#whose")]  # others may still be ending
            assert "queries" not in httpx.get(f"{hard}queries/running").json()
    assert [(one["client"], one["query"]) for one in found] == [("203.0.113.1", f"{ENDLESS} #whose")]
    assert httpx.get(f"{hard}queries/running", headers={"Authorization": "Bearer x"}).status_code == 401


def test_an_id_that_others_could_guess_is_refused(hard: str) -> None:
    answer = httpx.post(f"{hard}sparql", content="ASK {} #guess", headers=DIRECT | {"WGIG-Query-Id": "1"})
    assert answer.status_code == 400
    assert "UUID" in answer.json()["detail"]


def test_an_update_without_end_is_ended_and_the_next_is_done(hard: str) -> None:
    named = " ".join(f"GRAPH ?g{n} {{ ?s{n} ?p{n} ?o{n} }}" for n in range(5))
    endless = f"INSERT {{ <x:a> <x:n> ?n }} WHERE {{ SELECT (COUNT(*) AS ?n) {{ {named} }} }}"
    for text, status in ((endless, 503), ("INSERT { <x:a> <x:n> ?n } WHERE { BIND(1 AS ?n) }", 204)):
        answer = httpx.post(f"{hard}update", data={"update": text}, headers=BEARER, timeout=30)
        assert answer.status_code == status, answer.text
    asked = ask(hard, "SELECT ?n { <x:a> <x:n> ?n }").json()["results"]["bindings"]
    assert [one["n"]["value"] for one in asked] == ["1"]


def test_a_page_shows_the_begin_of_what_is_too_large_and_says_so(hard: str) -> None:
    answer = httpx.get(f"{hard}sparql", params={"query": ALL}, headers={"Accept": "text/html"}, timeout=30)
    assert answer.status_code == 200
    assert "its first 1,000 rows are shown; the formats below hold all" in answer.text
    assert "</html>" in answer.text
