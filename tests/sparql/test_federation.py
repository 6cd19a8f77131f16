"""SERVICE and LOAD ask others within bounds, and what they say is put into the text whole or not at all."""

import csv
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx
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

from tests.fixtures.processes import Serving
from tests.fixtures.service import service_of
from tests.fixtures.shared_facts import require_shared

pytestmark = pytest.mark.slow

JSON, XML, TURTLE = "application/sparql-results+json", "application/sparql-results+xml", "text/turtle"
SECRET = "what only the peer knows"
EMPTY = b'{"head": {"vars": ["s"]}, "results": {"bindings": []}}'
TRIPLE = b"""{"head": {"vars": ["s"]}, "results": {"bindings": [{"s": {"type": "triple", "value": {
    "subject": {"type": "bnode", "value": "b"}, "predicate": {"type": "uri", "value": "x:p"},
    "object": {"type": "uri", "value": "x:o"}}}}]}}"""
DATA = """
    <x:a> <x:name> "A"@en , "say \\"hi\\"\\n\\u0007\\\\" ; <x:knows> _:b .
    _:b <x:name> "B" ; <x:knows> _:b .
    <x:c#d> <x:age> 3 .
"""


class Peer(ThreadingHTTPServer):
    """Another service on this machine: an endpoint over DATA, and paths that answer as they are told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.asked: list[str] = []
        self.hosts: list[str] = []
        self.told: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.over = threading.Event()
        self.endpoints = {f"/{name}": (kind, DATA.encode()) for name, kind in (("json", JSON), ("xml", XML))}

    def tell(self, path: str, body: bytes, content_type: str, status: int = 200, **headers: str) -> str:
        """Let a path answer so; its address."""
        fields = {"Content-Type": content_type, "Content-Length": str(len(body))}
        self.told[f"/{path}"] = status, fields | {k.replace("_", "-"): v for k, v in headers.items()}, body
        return f"{self.url}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Peer

    def do_GET(self) -> None:
        self.answer("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        by_form = self.headers["Content-Type"] == FORM_MEDIA_TYPE
        self.answer(parse_qs(body)["query"][0] if by_form else body)

    def answer(self, query: str) -> None:
        self.server.asked.append(query)
        self.server.hosts.append(self.headers["Host"])
        if self.path == "/slow":
            self.server.over.wait()
            return
        if self.path in self.server.endpoints:
            kind, turtle = self.server.endpoints[self.path]
            store = ox.Store()
            store.load(turtle, ox.RdfFormat.TURTLE)
            results = store.query(query)
            assert isinstance(results, ox.QuerySolutions)
            body = results.serialize(format=ox.QueryResultsFormat.from_media_type(kind)) or b""
            status, fields = 200, {"Content-Type": kind, "Content-Length": str(len(body))}
        else:
            status, fields, body = self.server.told.get(self.path, (404, {"Content-Length": "0"}, b""))
        self.send_response(status)
        for name, value in fields.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name it has above
        pass


Ask = Callable[[str], httpx.Response]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as one:
        serving = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield one
        one.over.set()
        one.shutdown()
        serving.join()


@pytest.fixture
def store() -> Store:
    store = Store.in_memory()
    store.update("INSERT DATA { <x:a> <x:here> 1 . <x:z> <x:here> 2 }")
    return store


@pytest.fixture
def ask(peer: Peer, store: Store) -> Ask:
    client = service_of(Settings(allow=peer.url), store)
    return lambda query: client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"})


@pytest.fixture
def change(peer: Peer, store: Store) -> Ask:
    client = service_of(Settings(allow=peer.url, token="t", history="lost"), store)
    return lambda text: client.post("/update", data={"update": text}, headers={"Authorization": "Bearer t"})


@pytest.fixture
def ask_at() -> Ask:
    """Ask a service that may ask this address alone."""

    def ask(url: str) -> httpx.Response:
        query = f"SELECT * {{ SERVICE <{url}> {{ ?s <x:age> ?o }} }}"
        return service_of(Settings(allow=url), Store.in_memory()).post("/sparql", data={"query": query})

    return ask


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; all of them lead to this machine, which counts as any other."""
    names: list[str] = []

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        names.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", lookup)
    monkeypatch.setattr(outbound, "is_public_address", lambda _: True)
    return names


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of others may have 1,000 bytes."""
    monkeypatch.setattr(outbound, "MAX_OUTBOUND_RESPONSE_BYTES", 1000)


@pytest.mark.parametrize("kind", ["json", "xml"])
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
def test_a_service_is_joined_with_what_is_here(
    ask: Ask, peer: Peer, kind: str, query: str, rows: list[str]
) -> None:
    answer = ask(query % f"{peer.url}{kind}")
    assert answer.status_code == 200
    assert [row for (row,) in list(csv.reader(answer.text.splitlines(keepends=True)))[1:]] == rows
    assert len(peer.asked) == 1


def test_two_services_and_their_blank_nodes_stay_apart(ask: Ask, peer: Peer) -> None:
    one = f"SERVICE <{peer.url}json> {{ ?b <x:knows> ?b }}"
    assert "0" in ask(f"SELECT (COUNT(*) AS ?n) {{ {one} {{ {one} }} }}").text
    assert len(peer.asked) == 2


FAULTS: dict[str, tuple[bytes, str, int, dict[str, str]]] = {
    "status 500": (SECRET.encode(), JSON, 500, {}),
    "status 404": (SECRET.encode(), "text/plain", 404, {}),
    "not in a results format": (SECRET.encode(), "text/plain", 200, {}),
    "cannot be parsed": (SECRET.encode(), JSON, 200, {}),
    "its response cannot be parsed": (
        EMPTY.replace(b": []", b': [{"s": {"type": "uri", "value": "x"}}]'),
        JSON,
        200,
        {},
    ),
    "a boolean, not a table": (b'{"head": {}, "boolean": true}', JSON, 200, {}),
    "not in the pattern": (b'{"head": {"vars": ["s", "h"]}, "results": {"bindings": []}}', JSON, 200, {}),
    "has no length": (EMPTY, JSON, 200, {"Content_Length": ""}),
    "was cut off": (EMPTY, JSON, 200, {"Content_Length": "1000"}),
    "compressed": (EMPTY, JSON, 200, {"Content_Encoding": "gzip"}),
    "a redirect": (SECRET.encode(), JSON, 307, {"Location": "/json"}),
    "larger than 1000 bytes": (EMPTY + b" " * 1000, JSON, 200, {}),
    "within a triple": (TRIPLE, JSON, 200, {}),
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("why", FAULTS)
def test_a_service_that_fails_is_said_and_nothing_of_it_is_repeated(ask: Ask, peer: Peer, why: str) -> None:
    body, kind, status, headers = FAULTS[why]
    url = peer.tell("fault", body, kind, status, **headers)
    answer = ask(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
    assert answer.status_code == 502
    assert f"SERVICE <{url}> failed: " in answer.json()["detail"]
    assert why in answer.json()["detail"]
    assert SECRET not in answer.text
    silent = ask(f"SELECT ?h {{ <x:a> <x:here> ?h SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}")
    assert silent.text.split() == ["h", "1"]
    every = ask(f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}")
    assert sorted(every.text.splitlines()[0].split(",")) == ["o", "p", "s"]
    assert every.text.splitlines()[1:] == [",,"]


@pytest.mark.parametrize("silent", ["", "SILENT"])
def test_a_slow_service_is_given_up(
    ask: Ask, peer: Peer, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation, "FEDERATION_TIMEOUT_SECONDS", 0.05)
    answer = ask(f"SELECT (1 AS ?n) {{ SERVICE {silent} <{peer.url}slow> {{ ?s ?p ?o }} }}")
    if silent:
        assert answer.text.split() == ["n", "1"]
    else:
        assert answer.status_code == 502
        assert "did not respond within 0.05 seconds" in answer.json()["detail"]


def test_an_address_with_escapes_is_asked_as_it_is_meant(ask: Ask, peer: Peer) -> None:
    escaped = peer.url.replace("http", r"\u0068ttp") + r"\U0000006Ason"
    answer = ask(f"SELECT ?o {{ SERVICE <{escaped}> {{ ?s <x:age> ?o }} }}")
    assert answer.text.split() == ["o", "3"]
    assert len(peer.asked) == 1


def test_nobody_is_asked_what_cannot_be_read_here(ask: Ask, peer: Peer) -> None:
    wrong = ask(f"SELECT * {{\n  SERVICE <{peer.url}json> {{ ?s ?p ?o }}\n  FLITER(true)\n}}")
    assert (wrong.status_code, wrong.json()["line"]) == (400, 3)
    open_ = ask(f"SELECT * {{ SERVICE <{peer.url}json> {{ ?s ?p ?o }}")
    assert "never closed" in open_.json()["detail"]
    many = ask(f"SELECT * {{ {f'SERVICE <{peer.url}json> {{}} ' * 11} }}")
    assert many.status_code == 413
    assert peer.asked == []


@pytest.mark.parametrize(
    "target", ["?s", "<https://other.example/sparql>", "<file:///etc/passwd>", "<sparql>", "p:x"]
)
def test_a_service_that_is_not_allowed_is_refused_and_told_who_allows(
    ask: Ask, peer: Peer, target: str
) -> None:
    answer = ask(f"PREFIX p: <{peer.url}> SELECT * {{ ?s ?p ?o SERVICE {target} {{}} }}")
    assert answer.status_code == 403
    assert "WGIG_ALLOW" in answer.json()["detail"]
    assert peer.url not in answer.json()["detail"]


@pytest.mark.parametrize(
    "scheme", ["file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"]
)
def test_load_reads_no_file(change: Ask, scheme: str) -> None:
    assert change(f"LOAD <{scheme}>").status_code == 403


def test_the_engine_itself_asks_nobody_whose_address_is_marked(peer: Peer) -> None:
    marked = f"<{OUTBOUND_SCHEME}{peer.url}json>"
    store = Store.in_memory()
    with pytest.raises(OSError, match="invalid authority"):
        store.query(f"SELECT * {{ SERVICE {marked} {{ ?s ?p ?o }} }}", "text/csv", BytesIO())
    with pytest.raises((RuntimeError, StoreError)):
        store.update(f"LOAD {marked}")
    assert peer.asked == []


def test_a_document_is_loaded_whole(change: Ask, peer: Peer, store: Store) -> None:
    url = peer.tell("doc", DATA.encode(), TURTLE)
    onward = peer.tell("onward", SECRET.encode(), "text/plain", 302, Location="/doc")
    text = (
        f"LOAD <{url}>; LOAD <{onward}#part> INTO GRAPH <x:g>; "
        "INSERT { <x:d> <x:copied> ?o } WHERE { GRAPH <x:g> { ?s <x:age> ?o } }"
    )
    heard: list[Change | None] = []
    store.on_commit = heard.append
    assert change(text).status_code == 204
    assert [len(one.added) for one in heard if one] == [6 + 6 + 1]
    assert len(list(store.triples("x:g"))) == 6
    assert len(list(store.triples(None))) == 2 + 6 + 1


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((SECRET, TURTLE, 500, {}), "status 500"),
        ((SECRET, TURTLE, 200, {}), "cannot be parsed"),
        ((SECRET, "text/html", 200, {}), "not in an RDF format"),
        ((DATA, TURTLE, 200, {"Content_Length": ""}), "has no length"),
        ((DATA, TURTLE, 200, {"Content_Length": "1000"}), "was cut off"),
        ((DATA + "#" * 1000, TURTLE, 200, {}), "larger than 1000 bytes"),
        (('{"@context": "http://127.0.0.1:1/"}', "application/json", 200, {}), "cannot be parsed"),
        ((SECRET, TURTLE, 302, {"Location": "/fault"}), "too many times"),
        ((SECRET, TURTLE, 302, {"Location": "http://127.0.0.1:1/"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "http://169.254.169.254/latest"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "file:///etc/passwd"}), "not allowed"),
        ((SECRET, TURTLE, 302, {"Location": "http://[x"}), "invalid URL"),
        ((SECRET, TURTLE, 302, {"Location": "//[/"}), "invalid URL"),
    ],
)
def test_a_document_that_cannot_be_had_changes_nothing(
    change: Ask, peer: Peer, store: Store, told: tuple[str, str, int, dict[str, str]], why: str
) -> None:
    body, kind, status, headers = told
    url = peer.tell("fault", body.encode(), kind, status, **headers)
    answer = change(f"INSERT DATA {{ <x:n> <x:n> 1 }}; LOAD <{url}> INTO GRAPH <x:g>")
    assert answer.status_code == 502
    assert why in answer.json()["detail"]
    assert SECRET not in answer.text
    assert len(list(store.triples(None))) == 2
    assert change(f"LOAD SILENT <{url}> INTO GRAPH <x:g>; INSERT DATA {{ <x:n> <x:n> 1 }}").status_code == 204
    assert (store.graphs(), len(list(store.triples(None)))) == ([], 3)


@pytest.mark.parametrize("host", ["localhost", "0177.0.0.1", "2130706433", "127.1"])
def test_a_name_that_leads_within_is_not_followed(ask_at: Ask, peer: Peer, host: str) -> None:
    answer = ask_at(f"{peer.url}json".replace("127.0.0.1", host))
    assert answer.status_code == 502
    assert "failed: " in answer.json()["detail"]
    assert peer.asked == []


def test_a_name_is_looked_up_once_and_asked_by_its_number(
    ask_at: Ask, peer: Peer, looked_up: list[str]
) -> None:
    assert ask_at(f"http://peer.example:{peer.server_port}/json").status_code == 200
    assert looked_up == ["peer.example"]
    assert peer.hosts == [f"peer.example:{peer.server_port}"]


def test_nothing_of_the_environment_stands_between(
    ask: Ask, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert ask(f"SELECT * {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}").status_code == 200


# The endpoints of each test of the W3C that we pass; 5 has a variable for an endpoint, which is refused.
ENDPOINTS = {
    "service01": {"example.org": "data01endpoint"},
    "service02": {"example1.org": "data02endpoint1", "example2.org": "data02endpoint2"},
    "service03": {"example1.org": "data03endpoint1", "example2.org": "data03endpoint2"},
    "service04a": {"example.org": "data04endpoint"},
    "service06": {"example1.org": "data06endpoint1"},
    "service07": {},
}
DEFAULT = {"service01": "data01", "service04a": "data04", "service07": "data07"}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_the_suite_of_the_w3c_passes(peer: Peer, case: str) -> None:
    suite = require_shared("w3c", "sparql", "sparql11", "service")
    query = (suite / f"{case}.rq").read_text()
    for host, data in ENDPOINTS[case].items():
        peer.endpoints[f"/{data}"] = JSON, (suite / f"{data}.ttl").read_bytes()
        query = query.replace(f"http://{host}/sparql", f"{peer.url}{data}")
    query = query.replace("http://invalid.endpoint.org/", f"{peer.url}invalid/")
    store = Store.in_memory()
    if case in DEFAULT:
        store.apply(
            store.compute_addition(
                None, parse_graph_document((suite / f"{DEFAULT[case]}.ttl").read_bytes(), TURTLE)
            )
        )
    client = service_of(Settings(allow=peer.url), store)
    answer = client.post("/sparql", data={"query": query}, headers={"Accept": JSON})
    assert answer.status_code == 200
    expected = (suite / f"{case.rstrip('a')}.srx").read_bytes()
    assert rows(answer.content, ox.QueryResultsFormat.JSON) == rows(expected, ox.QueryResultsFormat.XML)


def rows(body: bytes, format_: ox.QueryResultsFormat) -> list[dict[str, str]]:
    """The rows of a table, in an order of their own."""
    results = ox.parse_query_results(body, format=format_)
    assert isinstance(results, ox.QuerySolutions)
    names = [one.value for one in results.variables]
    return sorted(({name: str(row[name]) for name in names} for row in results), key=str)


def test_what_others_said_is_not_kept(ask: Ask, peer: Peer) -> None:
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ <x:c#d> <x:age> ?o }} }}"
    assert ask(query).headers["Cache-Control"] == "no-store"
    peer.endpoints["/json"] = JSON, b"<x:c#d> <x:age> 4 ."
    assert ask(query).text.split() == ["o", "4"]


def test_a_running_service_asks_for_its_readers(peer: Peer, serving: Serving, tmp_path: Path) -> None:
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}"
    with serving(tmp_path / "store", WGIG_DATA="none", WGIG_ALLOW=peer.url) as url:
        answer = httpx.get(f"{url}sparql", params={"query": query, "_mediatype": "csv"})
    assert answer.text.split() == ["o", "3"]


def test_the_description_names_what_is_possible(closed: httpx.Client) -> None:
    open_ = service_of(Settings(allow="https://a.example/"), Store.in_memory())
    assert "sd:BasicFederatedQuery" in open_.get("/sparql").text
    assert "sd:BasicFederatedQuery" not in closed.get("/sparql").text


OPENSSL = shutil.which("openssl")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for peer.example with its key, in one file."""
    assert OPENSSL
    key, file = tmp_path / "key.pem", tmp_path / "both.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key))
    name = ("-subj", "/CN=peer.example", "-addext", "subjectAltName=DNS:peer.example")
    made = subprocess.run([OPENSSL, "req", "-x509", *curve, *name], check=True, capture_output=True)
    file.write_bytes(made.stdout + key.read_bytes())
    return file


@pytest.mark.skipif(not OPENSSL, reason="without openssl there is no certificate to show")
@pytest.mark.usefixtures("looked_up")
def test_a_certificate_is_verified_for_the_name_that_is_asked(
    ask_at: Ask, peer: Peer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    peer.socket = context.wrap_socket(peer.socket, server_side=True)
    address = f"https://peer.example:{peer.server_port}/json"
    assert ask_at(address).status_code == 502
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ask_at(address).status_code == 200
    assert ask_at(address.replace("peer", "other")).status_code == 502


def test_a_service_that_is_not_there_is_said(ask_at: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    answer = ask_at(url)
    assert answer.status_code == 502
    assert "cannot be reached" in answer.json()["detail"]


def test_the_shell_asks_as_the_service_does(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WGIG_ALLOW", peer.url)
    monkeypatch.setenv("WGIG_DATA", "none")
    Store.open(tmp_path / "store")
    query = f"SELECT ?o {{ SERVICE <{peer.url}json> {{ ?s <x:age> ?o }} }}"
    assert main(["query", query, "--format", "csv", "--store", str(tmp_path / "store")]) == 0
    assert capsys.readouterr().out.split() == ["o", "3"]
