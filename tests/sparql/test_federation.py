"""SERVICE and LOAD: joined results, failures of other services, limits, redirects, DNS and TLS."""

import csv
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx2
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.http import outbound
from wgig.http.bodies import FORM_MEDIA_TYPE
from wgig.http.outbound import OUTBOUND_SCHEME
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.sparql import federation
from wgig.store.change import Change
from wgig.store.errors import StoreError
from wgig.store.store import Store

from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.processes import ServiceStarter
from tests.fixtures.service import make_service_client
from tests.fixtures.shared_facts import require_shared
from tests.fixtures.tls import OPENSSL, write_certificate

pytestmark = pytest.mark.slow

JSON_RESULTS, XML_RESULTS, TURTLE = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/turtle",
)
SECRET = "what only the peer knows"  # must not occur in responses of the service
EMPTY_RESULTS = b'{"head": {"vars": ["s"]}, "results": {"bindings": []}}'
TRIPLE_TERM_RESULTS = b"""{"head": {"vars": ["s"]}, "results": {"bindings": [{"s": {
    "type": "triple", "value": {"subject": {"type": "bnode", "value": "b"},
    "predicate": {"type": "uri", "value": "x:p"}, "object": {"type": "uri", "value": "x:o"}}}}]}}"""
PEER_DATA = """
    <x:a> <x:name> "A"@en , "say \\"hi\\"\\n\\u0007\\\\" ; <x:knows> _:b .
    _:b <x:name> "B" ; <x:knows> _:b .
    <x:c#d> <x:age> 3 .
"""


class Peer(ThreadingHTTPServer):
    """Another service on this machine.

    /json and /xml are endpoints over PEER_DATA; `set_response` sets the responses of other paths.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PeerHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.queries: list[str] = []  # received
        self.hosts: list[str] = []  # Host headers received
        self.responses: dict[str, tuple[int, dict[str, str], bytes]] = {}  # by path
        self.is_stopping = threading.Event()
        # The media type of results and the data in Turtle, by path.
        self.endpoints = {
            "/json": (JSON_RESULTS, PEER_DATA.encode()),
            "/xml": (XML_RESULTS, PEER_DATA.encode()),
        }

    def set_response(
        self, path: str, body: bytes, content_type: str, status: int = 200, **headers: str
    ) -> str:
        """Set the response of a path, and return its URL."""
        default_headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        extra_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.responses[f"/{path}"] = status, default_headers | extra_headers, body
        return f"{self.url}{path}"


class PeerHandler(BaseHTTPRequestHandler):
    server: Peer

    def do_GET(self) -> None:
        self.send_results("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_form = self.headers["Content-Type"] == FORM_MEDIA_TYPE
        self.send_results(parse_qs(body)["query"][0] if is_form else body)

    def send_results(self, query: str) -> None:
        self.server.queries.append(query)
        self.server.hosts.append(self.headers["Host"])
        if self.path == "/slow":
            self.server.is_stopping.wait()
            return
        if self.path in self.server.endpoints:
            media_type, turtle = self.server.endpoints[self.path]
            store = ox.Store()
            store.load(turtle, ox.RdfFormat.TURTLE)
            results = store.query(query)
            assert isinstance(results, ox.QuerySolutions)
            body = results.serialize(format=ox.QueryResultsFormat.from_media_type(media_type)) or b""
            status, headers = 200, {"Content-Type": media_type, "Content-Length": str(len(body))}
        else:
            status, headers, body = self.server.responses.get(self.path, (404, {"Content-Length": "0"}, b""))
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
        pass


SendText = Callable[[str], httpx2.Response]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serve_on_thread(Peer()) as server:
        yield server
        server.is_stopping.set()


@pytest.fixture
def store() -> Store:
    """A store with two triples in the default graph."""
    store = Store.in_memory()
    store.update("INSERT DATA { <x:a> <x:here> 1 . <x:z> <x:here> 2 }")
    return store


@pytest.fixture
def run_query(peer: Peer, store: Store) -> SendText:
    """A function that sends a query to a service that may call the peer."""
    client = make_service_client(Settings(allow=peer.url), store)
    return lambda query: client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"})


@pytest.fixture
def run_update(peer: Peer, store: Store) -> SendText:
    """A function that sends an update to a service that may call the peer."""
    client = make_service_client(Settings(allow=peer.url, token="t", history="lost"), store)
    return lambda text: client.post("/update", data={"update": text}, headers={"Authorization": "Bearer t"})


@pytest.fixture
def query_with_service() -> SendText:
    """A function that sends a query with SERVICE <url> to a service that may call only this URL."""

    def send(url: str) -> httpx2.Response:
        query = f"SELECT * {{ SERVICE <{url}> {{ ?s <x:age> ?o }} }}"
        return make_service_client(Settings(allow=url), Store.in_memory()).post(
            "/sparql", data={"query": query}
        )

    return send


@pytest.fixture
def resolved_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The host names that were resolved. All resolve to 127.0.0.1, which counts as a public address."""
    names: list[str] = []

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        names.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", lookup)
    monkeypatch.setattr(outbound, "is_public_address", lambda _: True)
    return names


@pytest.fixture
def small_response_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses of other services may have 1,000 bytes."""
    monkeypatch.setattr(outbound, "MAX_OUTBOUND_RESPONSE_BYTES", 1000)


@pytest.mark.parametrize("path", ["json", "xml"])
@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT ?n { ?s <x:here> ?h SERVICE <%s> { ?s <x:name> ?n } }", ["A", 'say "hi"\n\x07\\']),
        (
            "SELECT ?h { ?s <x:here> ?h OPTIONAL { SERVICE <%s> { ?s <x:knows> ?o } } FILTER(!BOUND(?o)) }",
            ["2"],
        ),
        ("SELECT ?h { ?s <x:here> ?h FILTER EXISTS { SERVICE <%s> { ?s <x:knows> ?o } } }", ["1"]),
        ("SELECT ?n { SERVICE <%s> { ?a <x:knows> ?b . ?b <x:knows> ?b . ?b <x:name> ?n } }", ["B", "B"]),
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { SERVICE <%s> { ?a <x:knows> ?b } FILTER(ISBLANK(?b)) }", ["1"]),
        ("SELECT ?b { SERVICE <%s> { ?a <x:age> ?b . OPTIONAL { ?a <x:none> ?c } } }", ["3"]),
        ("SELECT ?s { SERVICE <%s> { SELECT ?s { ?s <x:age> ?b } } }", ["x:c#d"]),
        ("BASE <x:> PREFIX p: <x:c#> SELECT ?o { SERVICE <%s> { p:d <x:age> ?o } }", ["3"]),
        ("SELECT (1 AS ?n) { SERVICE <%s> { <x:c#d> <x:age> 3 } }", ["1"]),
        ("SELECT ?s { SERVICE <%s> { ?s <x:age> 4 } }", []),
    ],
)
def test_results_of_a_service_are_joined_with_the_store(
    run_query: SendText, peer: Peer, path: str, query: str, rows: list[str]
) -> None:
    response = run_query(query % f"{peer.url}{path}")
    assert response.status_code == 200
    assert [row for (row,) in list(csv.reader(response.text.splitlines(keepends=True)))[1:]] == rows
    assert len(peer.queries) == 1


def test_blank_nodes_of_two_calls_are_distinct(run_query: SendText, peer: Peer) -> None:
    call = f"SERVICE <{peer.url}json> {{ ?b <x:knows> ?b }}"
    response = run_query(f"SELECT (COUNT(*) AS ?n) {{ {call} {{ {call} }} }}")
    assert response.text.split() == ["n", "0"]  # no blank node of one call is equal to one of the other
    assert len(peer.queries) == 2


# By a part of the error message, the response of the other service: body, media type, status, headers.
SERVICE_FAILURES: dict[str, tuple[bytes, str, int, dict[str, str]]] = {
    "status 500": (SECRET.encode(), JSON_RESULTS, 500, {}),
    "status 404": (SECRET.encode(), "text/plain", 404, {}),
    "not in a supported results format": (SECRET.encode(), "text/plain", 200, {}),
    "cannot be parsed": (SECRET.encode(), JSON_RESULTS, 200, {}),
    "its response cannot be parsed": (
        EMPTY_RESULTS.replace(b": []", b': [{"s": {"type": "uri", "value": "x"}}]'),
        JSON_RESULTS,
        200,
        {},
    ),
    "a boolean, not a table": (b'{"head": {}, "boolean": true}', JSON_RESULTS, 200, {}),
    "not in the pattern": (
        b'{"head": {"vars": ["s", "h"]}, "results": {"bindings": []}}',
        JSON_RESULTS,
        200,
        {},
    ),
    "does not state its length": (EMPTY_RESULTS, JSON_RESULTS, 200, {"Content_Length": ""}),
    "was cut off": (EMPTY_RESULTS, JSON_RESULTS, 200, {"Content_Length": "1000"}),
    "compressed": (EMPTY_RESULTS, JSON_RESULTS, 200, {"Content_Encoding": "gzip"}),
    "a redirect": (SECRET.encode(), JSON_RESULTS, 307, {"Location": "/json"}),
    "larger than 1000 bytes": (EMPTY_RESULTS + b" " * 1000, JSON_RESULTS, 200, {}),
    "within a triple": (TRIPLE_TERM_RESULTS, JSON_RESULTS, 200, {}),
}


@pytest.mark.usefixtures("small_response_limit")
@pytest.mark.parametrize("message", SERVICE_FAILURES)
def test_failure_of_a_service_is_reported_without_its_content(
    run_query: SendText, peer: Peer, message: str
) -> None:
    body, content_type, status, headers = SERVICE_FAILURES[message]
    url = peer.set_response("fault", body, content_type, status, **headers)
    response = run_query(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
    assert response.status_code == 502
    assert f"SERVICE <{url}> failed: " in response.json()["detail"]
    assert message in response.json()["detail"]
    assert SECRET not in response.text
    silent_response = run_query(f"SELECT ?h {{ <x:a> <x:here> ?h SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}")
    assert silent_response.text.split() == ["h", "1"]
    header, *rows = run_query(f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}").text.splitlines()
    assert sorted(header.split(",")) == ["o", "p", "s"]
    assert rows == [",,"]


@pytest.mark.parametrize("silent", ["", "SILENT"])
def test_slow_service_times_out(
    run_query: SendText, peer: Peer, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation, "FEDERATION_TIMEOUT_SECONDS", 0.05)
    response = run_query(f"SELECT (1 AS ?n) {{ SERVICE {silent} <{peer.url}slow> {{ ?s ?p ?o }} }}")
    if silent:
        assert response.text.split() == ["n", "1"]
    else:
        assert response.status_code == 502
        assert "did not respond within 0.05 seconds" in response.json()["detail"]


def test_url_with_escapes_is_unescaped_before_the_call(run_query: SendText, peer: Peer) -> None:
    escaped = peer.url.replace("http", r"\u0068ttp") + r"\U0000006Ason"
    response = run_query(f"SELECT ?o {{ SERVICE <{escaped}> {{ ?s <x:age> ?o }} }}")
    assert response.text.split() == ["o", "3"]
    assert len(peer.queries) == 1


def test_no_call_is_made_for_a_refused_query(run_query: SendText, peer: Peer) -> None:
    misspelled = run_query(f"SELECT * {{\n  SERVICE <{peer.url}json> {{ ?s ?p ?o }}\n  FLITER(true)\n}}")
    assert (misspelled.status_code, misspelled.json()["line"]) == (400, 3)
    unclosed = run_query(f"SELECT * {{ SERVICE <{peer.url}json> {{ ?s ?p ?o }}")
    assert "never closed" in unclosed.json()["detail"]
    too_many = run_query(f"SELECT * {{ {f'SERVICE <{peer.url}json> {{}} ' * 11} }}")
    assert too_many.status_code == 413
    assert peer.queries == []


@pytest.mark.parametrize(
    "target", ["?s", "<https://other.example/sparql>", "<file:///etc/passwd>", "<sparql>"]
)
def test_refusal_of_a_service_names_the_setting_but_no_allowed_url(
    run_query: SendText, peer: Peer, target: str
) -> None:
    response = run_query(f"PREFIX p: <{peer.url}> SELECT * {{ ?s ?p ?o SERVICE {target} {{}} }}")
    assert response.status_code == 403
    assert "WGIG_ALLOW" in response.json()["detail"]
    assert peer.url not in response.json()["detail"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_load_of_other_url_schemes_is_refused(run_update: SendText, url: str) -> None:
    assert run_update(f"LOAD <{url}>").status_code == 403


def test_engine_cannot_request_the_outbound_scheme(peer: Peer) -> None:
    target = f"<{OUTBOUND_SCHEME}{peer.url}json>"
    store = Store.in_memory()
    with pytest.raises(OSError, match="invalid authority"):
        store.query(f"SELECT * {{ SERVICE {target} {{ ?s ?p ?o }} }}", "text/csv", BytesIO())
    with pytest.raises((RuntimeError, StoreError)):
        store.update(f"LOAD {target}")
    assert peer.queries == []


def test_load_adds_all_triples_of_a_document(run_update: SendText, peer: Peer, store: Store) -> None:
    url = peer.set_response("doc", PEER_DATA.encode(), TURTLE)
    redirecting_url = peer.set_response("onward", SECRET.encode(), "text/plain", 302, Location="/doc")
    text = (
        f"LOAD <{url}>; LOAD <{redirecting_url}#part> INTO GRAPH <x:g>; "
        "INSERT { <x:d> <x:copied> ?o } WHERE { GRAPH <x:g> { ?s <x:age> ?o } }"
    )
    changes: list[Change | None] = []
    store.on_commit = changes.append
    assert run_update(text).status_code == 204
    # The document has 6 triples: one load into the default graph and one into <x:g>, then one copied triple.
    assert [len(change.added) for change in changes if change] == [6 + 6 + 1]
    assert len(list(store.triples("x:g"))) == 6
    assert len(list(store.triples(None))) == 2 + 6 + 1


@pytest.mark.usefixtures("small_response_limit")
@pytest.mark.parametrize(
    ("response", "message"),
    [
        ((SECRET, TURTLE, 500, {}), "status 500"),
        ((SECRET, TURTLE, 200, {}), "cannot be parsed"),
        ((SECRET, "text/html", 200, {}), "not in a supported RDF format"),
        ((PEER_DATA, TURTLE, 200, {"Content_Length": ""}), "does not state its length"),
        ((PEER_DATA, TURTLE, 200, {"Content_Length": "1000"}), "was cut off"),
        ((PEER_DATA + "#" * 1000, TURTLE, 200, {}), "larger than 1000 bytes"),
        (('{"@context": "http://127.0.0.1:1/"}', "application/json", 200, {}), "cannot be parsed"),
        ((SECRET, TURTLE, 302, {"Location": "/fault"}), "too many times"),
        ((SECRET, TURTLE, 302, {"Location": "http://127.0.0.1:1/"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "http://169.254.169.254/latest"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "file:///etc/passwd"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "http://[x"}), "invalid URL"),
        ((SECRET, TURTLE, 302, {"Location": "//[/"}), "invalid URL"),
    ],
)
def test_failed_load_changes_nothing(
    run_update: SendText,
    peer: Peer,
    store: Store,
    response: tuple[str, str, int, dict[str, str]],
    message: str,
) -> None:
    body, content_type, status, headers = response
    url = peer.set_response("fault", body.encode(), content_type, status, **headers)
    refusal = run_update(f"INSERT DATA {{ <x:n> <x:n> 1 }}; LOAD <{url}> INTO GRAPH <x:g>")
    assert refusal.status_code == 502
    assert message in refusal.json()["detail"]
    assert SECRET not in refusal.text
    assert len(list(store.triples(None))) == 2
    assert (
        run_update(f"LOAD SILENT <{url}> INTO GRAPH <x:g>; INSERT DATA {{ <x:n> <x:n> 1 }}").status_code
        == 204
    )
    assert (store.graphs(), len(list(store.triples(None)))) == ([], 3)


@pytest.mark.parametrize("host", ["localhost", "0177.0.0.1", "2130706433", "127.1"])
def test_host_name_of_a_local_address_is_not_called(
    query_with_service: SendText, peer: Peer, host: str
) -> None:
    response = query_with_service(f"{peer.url}json".replace("127.0.0.1", host))
    assert response.status_code == 502
    assert "failed: " in response.json()["detail"]
    assert peer.queries == []


def test_host_name_is_resolved_once(
    query_with_service: SendText, peer: Peer, resolved_names: list[str]
) -> None:
    assert query_with_service(f"http://peer.example:{peer.server_port}/json").status_code == 200
    assert resolved_names == ["peer.example"]
    assert peer.hosts == [f"peer.example:{peer.server_port}"]


def test_proxy_settings_of_the_environment_are_ignored(
    run_query: SendText, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert run_query(f"SELECT * {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}").status_code == 200


# The data file of each endpoint in the W3C tests, by host. Test 5 has a variable as endpoint: refused.
W3C_ENDPOINTS = {
    "service01": {"example.org": "data01endpoint"},
    "service02": {"example1.org": "data02endpoint1", "example2.org": "data02endpoint2"},
    "service03": {"example1.org": "data03endpoint1", "example2.org": "data03endpoint2"},
    "service04a": {"example.org": "data04endpoint"},
    "service06": {"example1.org": "data06endpoint1"},
    "service07": {},
}
W3C_DEFAULT_GRAPHS = {"service01": "data01", "service04a": "data04", "service07": "data07"}


@pytest.mark.parametrize("case", W3C_ENDPOINTS)
def test_w3c_federation_suite_passes(peer: Peer, case: str) -> None:
    suite = require_shared("w3c", "sparql", "sparql11", "service")
    query = (suite / f"{case}.rq").read_text()
    for host, data in W3C_ENDPOINTS[case].items():
        peer.endpoints[f"/{data}"] = JSON_RESULTS, (suite / f"{data}.ttl").read_bytes()
        query = query.replace(f"http://{host}/sparql", f"{peer.url}{data}")
    query = query.replace("http://invalid.endpoint.org/", f"{peer.url}invalid/")
    store = Store.in_memory()
    if case in W3C_DEFAULT_GRAPHS:
        store.apply(
            store.compute_addition(
                None, parse_graph_document((suite / f"{W3C_DEFAULT_GRAPHS[case]}.ttl").read_bytes(), TURTLE)
            )
        )
    client = make_service_client(Settings(allow=peer.url), store)
    response = client.post("/sparql", data={"query": query}, headers={"Accept": JSON_RESULTS})
    assert response.status_code == 200
    expected = (suite / f"{case.rstrip('a')}.srx").read_bytes()
    rows = parse_sorted_rows(response.content, ox.QueryResultsFormat.JSON)
    assert rows == parse_sorted_rows(expected, ox.QueryResultsFormat.XML)


def parse_sorted_rows(body: bytes, format_: ox.QueryResultsFormat) -> list[dict[str, str]]:
    """The rows of a results table, sorted."""
    results = ox.parse_query_results(body, format=format_)
    assert isinstance(results, ox.QuerySolutions)
    names = [variable.value for variable in results.variables]
    return sorted(({name: str(row[name]) for name in names} for row in results), key=str)


def test_result_with_service_is_not_cached(run_query: SendText, peer: Peer) -> None:
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ <x:c#d> <x:age> ?o }} }}"
    assert run_query(query).headers["Cache-Control"] == "no-store"
    peer.endpoints["/json"] = JSON_RESULTS, b"<x:c#d> <x:age> 4 ."
    assert run_query(query).text.split() == ["o", "4"]


def test_running_service_makes_the_calls_for_its_workers(
    peer: Peer, start_service: ServiceStarter, tmp_path: Path
) -> None:
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}"
    with start_service(tmp_path / "store", WGIG_DATA="none", WGIG_ALLOW=peer.url) as url:
        response = httpx2.get(f"{url}sparql", params={"query": query, "_mediatype": "csv"})
    assert response.text.split() == ["o", "3"]


def test_service_description_lists_federation_if_calls_are_allowed(read_only_client: httpx2.Client) -> None:
    calling_client = make_service_client(Settings(allow="https://a.example/"), Store.in_memory())
    assert "sd:BasicFederatedQuery" in calling_client.get("/sparql").text
    assert "sd:BasicFederatedQuery" not in read_only_client.get("/sparql").text


@pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")
@pytest.mark.usefixtures("resolved_names")
def test_certificate_is_verified_for_the_host_name(
    query_with_service: SendText, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path, "peer.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    peer.socket = context.wrap_socket(peer.socket, server_side=True)
    url = f"https://peer.example:{peer.server_port}/json"
    assert query_with_service(url).status_code == 502
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert query_with_service(url).status_code == 200
    assert query_with_service(url.replace("peer", "other")).status_code == 502


def test_unreachable_service_is_reported(query_with_service: SendText) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_server:
        url = f"http://127.0.0.1:{closed_server.getsockname()[1]}/"
    response = query_with_service(url)
    assert response.status_code == 502
    assert "cannot be reached" in response.json()["detail"]


def test_command_line_makes_calls_as_the_service_does(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WGIG_ALLOW", peer.url)
    monkeypatch.setenv("WGIG_DATA", "none")
    Store.open(tmp_path / "store")
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}"
    assert main(["query", query, "--format", "csv", "--store", str(tmp_path / "store")]) == 0
    assert capsys.readouterr().out.split() == ["o", "3"]
