"""Tests on real connections: framing, HEAD, refused requests, and queries that could crash the engine."""

import resource
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from wgig.settings import Settings

from tests.fixtures.processes import ServiceStarter

pytestmark = pytest.mark.slow

QUERY_HEADERS = {"Content-Type": "application/sparql-query"}
CHUNKED_ASK = "5\r\nASK{}\r\n0\r\n\r\n"


def send_raw_request(url: str, request: str) -> str:
    """Send the text of a request and read until the server closes the connection."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("second_length", ["Transfer-Encoding: chunked", "Content-Length: 6"])
def test_body_with_two_lengths_is_refused(service_url: str, second_length: str) -> None:
    head = (
        "POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: 5\r\n"
    )
    response = send_raw_request(service_url, f"{head}{second_length}\r\n\r\n{CHUNKED_ASK}")
    assert response.startswith("HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D", "/sparql", "/nothing", "/graphs", "/dump.nq.gz"])
def test_head_response_has_headers_of_get_without_body(service_url: str, path: str) -> None:
    get_response = httpx2.get(f"{service_url}{path[1:]}", headers={"Accept-Encoding": "identity"})
    head = send_raw_request(
        service_url,
        f"HEAD {path} HTTP/1.1\r\nHost: {urlsplit(service_url).netloc}\r\nConnection: close\r\n\r\n",
    )
    assert head.endswith("\r\n\r\n")
    assert head.count("\r\n\r\n") == 1
    assert f"content-length: {get_response.headers['content-length']}" in head.lower()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("ASK { FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }", 400),
        ("ASK { FILTER(" + "!" * 90_000 + "true) }", 400),
        ("ASK { FILTER(1<" + "(" * 40_000 + "1" + ")" * 40_000 + ">1) }", 400),
        ("ASK { " + "FILTER EXISTS { ?s ?p ?o " * 3_900, 400),
        # One level more than the default of WGIG_QUERY_NESTING, and exactly that level.
        ("ASK { FILTER(" + "IF(true," * 99 + "true" + ",false)" * 99 + ") }", 400),
        ("ASK { FILTER(" + "IF(true," * 98 + "true" + ",false)" * 98 + ") }", 200),
        # Long, but not nested.
        ("ASK { " + "MINUS { <x:a> <x:b> 1 }" * 4_000 + " }", 200),
    ],
)
def test_deeply_nested_query_does_not_crash_service(service_url: str, query: str, status: int) -> None:
    assert (
        httpx2.post(f"{service_url}sparql", content=query, headers=QUERY_HEADERS, timeout=60).status_code
        == status
    )
    assert httpx2.get(f"{service_url}ready").status_code == 200


def test_service_does_not_import_from_working_directory(
    start_service: ServiceStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit")  # would end the processes that check papers
    monkeypatch.chdir(tmp_path)
    with start_service(tmp_path / "store", WGIG_DATA="none", PYTHONSAFEPATH="") as url:
        response = httpx2.post(f"{url}validate", data={"paper": "---\npaper: x\n---\n"}, timeout=60)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("accept", "expected_text"),
    [
        ("text/html", "This paper is not complete"),
        ("application/json", '"conforms": false'),
        ("text/turtle", "sh:conforms false"),
        ("application/rdf+xml", "<sh:conforms"),
        ("application/sarif+json", "WGIG-3-SWOT-MISSING"),
    ],
)
def test_paper_check_is_available_in_all_formats(service_url: str, accept: str, expected_text: str) -> None:
    form = {"paper": "---\npaper: x\ntitle: X\n---\n\n## 1. Issue (what?)\n\nMail.\n"}
    response = httpx2.post(f"{service_url}validate", data=form, headers={"Accept": accept}, timeout=60)
    assert response.status_code == 200
    assert expected_text in response.text
    assert "WGIG-3-SWOT-MISSING" in response.text


def test_upgrade_request_with_body_is_refused(service_url: str) -> None:
    head = (
        "POST /validate HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n"
        "Content-Type: text/turtle\r\nContent-Length: 5\r\n\r\n"
    )
    response = send_raw_request(service_url, f"{head}hello")
    assert response.startswith("HTTP/1.1 400")
    assert "Send the request without the Upgrade header." in response


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate", "chunked, chunked"])
def test_unsupported_transfer_coding_is_refused(service_url: str, coding: str) -> None:
    head = (
        "POST /sparql HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/sparql-query\r\n"
        f"Transfer-Encoding: {coding}\r\n\r\n"
    )
    response = send_raw_request(service_url, head + CHUNKED_ASK)
    assert response.startswith("HTTP/1.1 400")


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_client_receives_413_for_too_large_body(service_url: str, connection: str) -> None:
    fields = {**QUERY_HEADERS, "Connection": connection}
    response = httpx2.post(
        f"{service_url}sparql", content=b"x" * (Settings.body_bytes + 1), headers=fields, timeout=60
    )
    assert (response.status_code, response.json()["status"]) == (413, 413)


def test_invalid_http_gets_problem_document(service_url: str) -> None:
    response = send_raw_request(service_url, "GET / HTTP/1.1\r\nHost\r\n\r\n")
    assert "application/problem+json" in response
    assert f'"type": "{Settings.base}doc/problem/bad-request"' in response


def test_idle_connections_do_not_block_others(start_service: ServiceStarter, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    idle_connections = 1100  # more than the soft limit of 1024 open files
    if hard < 2 * idle_connections:
        pytest.skip(f"this system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # as most systems have it
    try:
        with start_service(tmp_path / "store", WGIG_DATA="none") as url, ExitStack() as connections:
            resource.setrlimit(resource.RLIMIT_NOFILE, (2 * idle_connections, hard))
            address = urlsplit(url)
            for _ in range(idle_connections):
                connections.enter_context(
                    socket.create_connection((address.hostname, address.port), timeout=60)
                )
            assert httpx2.get(f"{url}sparql", params={"query": "ASK {}"}, timeout=5).status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"])
def test_request_needs_exactly_one_host(service_url: str, hosts: str) -> None:
    response = send_raw_request(service_url, f"GET /health HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")
    assert response.startswith("HTTP/1.1 400")
    assert "one Host header" in response
    assert send_raw_request(service_url, "GET /health HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 200")


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://target.example/opensearch.xml", "http://target.example/"),
        ("HTTP://target.example:8080/opensearch.xml", "http://target.example:8080/"),
        ("/opensearch.xml", "http://field.example/"),
    ],
)
def test_host_of_absolute_target_replaces_host_header(service_url: str, target: str, host: str) -> None:
    response = send_raw_request(
        service_url, f"GET {target} HTTP/1.1\r\nHost: field.example\r\nConnection: close\r\n\r\n"
    )
    assert response.startswith("HTTP/1.1 200")
    assert f'template="{host}search?' in response


@pytest.mark.parametrize("target", ["http://user@target.example/health", "http://a:99999/health"])
def test_invalid_host_of_absolute_target_is_refused(service_url: str, target: str) -> None:
    response = send_raw_request(
        service_url, f"GET {target} HTTP/1.1\r\nHost: field.example\r\nConnection: close\r\n\r\n"
    )
    assert response.startswith("HTTP/1.1 400")
