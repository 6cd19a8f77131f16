"""What only shows on a real connection: framing, HEAD, and texts that would crash the engine."""

import resource
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from wgig.settings import Settings

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

DIRECT = {"Content-Type": "application/sparql-query"}
CHUNKED_ASK = "5\r\nASK{}\r\n0\r\n\r\n"


def exchange(url: str, request: str) -> str:
    """Send the text of a request and read until the server closes the connection."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("second", ["Transfer-Encoding: chunked", "Content-Length: 6"])
def test_a_body_with_two_lengths_is_refused(served: str, second: str) -> None:
    head = (
        "POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: 5\r\n"
    )
    assert exchange(served, f"{head}{second}\r\n\r\n{CHUNKED_ASK}").startswith("HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D", "/sparql", "/nothing", "/graphs", "/dump.nq.gz"])
def test_head_has_the_fields_of_get_and_no_body(served: str, path: str) -> None:
    got = httpx.get(f"{served}{path[1:]}", headers={"Accept-Encoding": "identity"})
    head = exchange(
        served, f"HEAD {path} HTTP/1.1\r\nHost: {urlsplit(served).netloc}\r\nConnection: close\r\n\r\n"
    )
    assert head.endswith("\r\n\r\n")
    assert head.count("\r\n\r\n") == 1
    assert f"content-length: {got.headers['content-length']}" in head.lower()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("ASK { FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }", 400),
        ("ASK { FILTER(" + "!" * 90_000 + "true) }", 400),
        ("ASK { FILTER(1<" + "(" * 40_000 + "1" + ")" * 40_000 + ">1) }", 400),
        ("ASK { " + "FILTER EXISTS { ?s ?p ?o " * 3_900, 400),
        ("ASK { FILTER(" + "IF(true," * 99 + "true" + ",false)" * 99 + ") }", 400),
        ("ASK { FILTER(" + "IF(true," * 98 + "true" + ",false)" * 98 + ") }", 200),
        ("ASK { " + "MINUS { <x:a> <x:b> 1 }" * 4_000 + " }", 200),
    ],
)
def test_no_permitted_text_crashes_the_service(served: str, text: str, status: int) -> None:
    assert httpx.post(f"{served}sparql", content=text, headers=DIRECT, timeout=60).status_code == status
    assert httpx.get(f"{served}ready").status_code == 200


def test_nothing_is_imported_from_the_folder_in_which_the_service_runs(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path / "store", WGIG_DATA="none", PYTHONSAFEPATH="") as url:
        answer = httpx.post(f"{url}validate", data={"paper": "---\npaper: x\n---\n"}, timeout=60)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("accept", "word"),
    [
        ("text/html", "Does not conform: "),
        ("application/json", '"conforms": false'),
        ("text/turtle", "sh:conforms false"),
        ("application/rdf+xml", "<sh:conforms"),
        ("application/sarif+json", "WGIG-3-SWOT-MISSING"),
    ],
)
def test_a_paper_is_checked_in_another_process_for_people_and_programs(
    served: str, accept: str, word: str
) -> None:
    form = {"paper": "---\npaper: x\ntitle: X\n---\n\n## 1. Issue (what?)\n\nMail.\n"}
    answer = httpx.post(f"{served}validate", data=form, headers={"Accept": accept}, timeout=60)
    assert answer.status_code == 200
    assert word in answer.text
    assert "WGIG-3-SWOT-MISSING" in answer.text


def test_a_body_that_would_be_lost_to_an_upgrade_is_refused(served: str) -> None:
    head = (
        "POST /validate HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n"
        "Content-Type: text/turtle\r\nContent-Length: 5\r\n\r\n"
    )
    answer = exchange(served, f"{head}hello")
    assert answer.startswith("HTTP/1.1 400")
    assert "Send the request without the Upgrade header." in answer


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate", "chunked, chunked"])
def test_a_transfer_coding_that_is_not_read_is_refused(served: str, coding: str) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: {coding}\r\n"
    body = "Content-Type: application/sparql-query\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n"
    answer = exchange(served, head + body)
    assert answer.startswith("HTTP/1.1 400")


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_the_sender_of_too_large_a_body_reads_the_refusal(served: str, connection: str) -> None:
    fields = {**DIRECT, "Connection": connection}
    answer = httpx.post(
        f"{served}sparql", content=b"x" * (Settings.body_bytes + 1), headers=fields, timeout=60
    )
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_what_is_no_http_gets_a_problem_document(served: str) -> None:
    answer = exchange(served, "GET / HTTP/1.1\r\nHost\r\n\r\n")
    assert "application/problem+json" in answer
    assert f'"type": "{Settings.base}doc/problem/bad-request"' in answer


def test_many_connections_that_ask_nothing_keep_out_nobody(serving: Serving, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    idle = 1100
    if hard < 2 * idle:
        pytest.skip(f"this system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # as most systems have it
    try:
        with serving(tmp_path / "store", WGIG_DATA="none") as url, ExitStack() as open_:
            resource.setrlimit(resource.RLIMIT_NOFILE, (2 * idle, hard))
            address = urlsplit(url)
            for _ in range(idle):
                open_.enter_context(socket.create_connection((address.hostname, address.port), timeout=10))
            assert httpx.get(f"{url}sparql", params={"query": "ASK {}"}, timeout=5).status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"])
def test_a_request_names_one_host(served: str, hosts: str) -> None:
    answer = exchange(served, f"GET /health HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 400")
    assert "one Host header" in answer
    assert exchange(served, "GET /health HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 200")
