"""Papers by address: allowed hosts, and hosts that redirect, are slow or have private IP addresses."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from bs4 import BeautifulSoup
from wgig.papers import address
from wgig.papers.address import find_paper_url
from wgig.problems import Problem
from wgig.settings import Settings, parse_paper_hosts
from wgig.store.store import Store

from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.sent_papers import COMPLETE_PAPER, MARKDOWN_PAPER
from tests.fixtures.service import make_service_client
from tests.fixtures.tls import OPENSSL, write_certificate

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")]

HOST, OTHER_HOST = "papers.example", "other.example"
PUBLIC_ADDRESS = "1.1.1.1"
PAGE_HEADERS = {"accept": "text/html"}
PAPER_BYTES = 100_000


class PaperServer(ThreadingHTTPServer):
    """A server on this machine, with the responses set in `responses`, by path: status, headers, body."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), PaperHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.responses: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[tuple[str, str]] = []  # path and Host
        self.is_stopping = threading.Event()

    def set_response(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Set the response of a path, and return its address."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.responses[path] = status, {"Content-Length": str(len(body)), **fields}, body
        return f"https://{HOST}{path}"

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect."""


class PaperHandler(BaseHTTPRequestHandler):
    server: PaperServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers["Host"]))
        if self.path.startswith("/slow"):
            self.server.is_stopping.wait()
            return
        status, headers, body = self.server.responses.get(self.path, (404, {"Content-Length": "0"}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        while self.path.startswith("/endless"):
            self.wfile.write(b"x" * 10_000)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of HOST."""
    return write_certificate(tmp_path_factory.mktemp("certificate"), HOST)


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PaperServer]:
    """The server of HOST."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve_on_thread(PaperServer(certificate)) as paper_server:
        yield paper_server
        paper_server.is_stopping.set()


class Network:
    """Replaces the resolution of names, and leads each connection to the server."""

    def __init__(self, server_port: int) -> None:
        self.addresses = [[PUBLIC_ADDRESS]]  # of any name, for each resolution; the last one for all further
        self.resolved_names: list[str] = []
        self.connections: list[tuple[str, int]] = []
        self.server_port = server_port
        self.connect_tcp: Callable[..., Any] = anyio.connect_tcp

    async def resolve(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        addresses = self.addresses[min(len(self.resolved_names), len(self.addresses) - 1)]
        self.resolved_names.append(host)
        return [(socket.AF_INET, 0, 0, "", (ip_address, port)) for ip_address in addresses]

    async def connect(self, remote_host: str, remote_port: int, **_: Any) -> Any:
        self.connections.append((remote_host, remote_port))
        return await self.connect_tcp("127.0.0.1", self.server_port)


@pytest.fixture
def network(server: PaperServer, monkeypatch: pytest.MonkeyPatch) -> Network:
    """The network, in which HOST has a public address."""
    replaced = Network(server.server_port)
    monkeypatch.setattr(anyio, "getaddrinfo", replaced.resolve)
    monkeypatch.setattr(anyio, "connect_tcp", replaced.connect)
    return replaced


@pytest.fixture
def fetching_client(network: Network) -> httpx2.Client:  # noqa: ARG001  replaces the network
    """A client of a service that fetches papers from HOST and OTHER_HOST."""
    settings = Settings(paper_hosts=f"{HOST} {OTHER_HOST}", paper_bytes=PAPER_BYTES)
    return make_service_client(settings, Store.in_memory())


def post_address(client: httpx2.Client, paper_address: str, **fields: str) -> httpx2.Response:
    return client.post("/validate", data={"address": paper_address, **fields})


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/spam.ttl", ("text/turtle; charset=utf-8", COMPLETE_PAPER)),
        ("/raw/spam.md", ("text/plain", MARKDOWN_PAPER)),
        ("/spam?raw=1", ("text/markdown", MARKDOWN_PAPER)),
    ],
)
def test_paper_at_an_address_is_checked(
    fetching_client: httpx2.Client,
    server: PaperServer,
    network: Network,
    path: str,
    response: tuple[str, bytes],
) -> None:
    media_type, body = response
    url = server.set_response(path, body, Content_Type=media_type)
    report = post_address(fetching_client, f" {url}#part ", profile="draft", lang="fr")
    assert report.status_code == 200
    (file,) = report.json()["files"]
    assert (file["conforms"], file["name"]) == (True, path.rpartition("/")[2].partition("?")[0])
    assert network.resolved_names == [HOST]
    assert network.connections == [(PUBLIC_ADDRESS, 443)]
    assert server.requests == [(path, HOST)]


def test_page_shows_the_report_and_the_text_of_the_fetched_paper(
    fetching_client: httpx2.Client, server: PaperServer
) -> None:
    url = server.set_response("/spam.md", MARKDOWN_PAPER, Content_Type="text/plain")
    page = fetching_client.post("/validate", data={"address": url}, headers=PAGE_HEADERS)
    root = BeautifulSoup(page.text, "html.parser")
    assert root.select("#summary")
    assert root.select("#paper")[0].get_text().strip() == MARKDOWN_PAPER.decode().strip()
    assert root.select("#address")[0]["value"] == ""  # the text is checked next, not the address


def test_media_type_of_another_kind_is_refused(fetching_client: httpx2.Client, server: PaperServer) -> None:
    url = server.set_response("/spam.md", b"<html></html>", Content_Type="text/html")
    assert post_address(fetching_client, url).status_code == 415


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_address_is_refused_by_default(accept: str, network: Network) -> None:
    client = make_service_client(Settings(), Store.in_memory())
    response = client.post(
        "/validate", data={"address": f"https://{HOST}/spam.md"}, headers={"accept": accept}
    )
    assert response.status_code == 403
    assert "This service does not fetch papers from addresses." in response.text
    assert 'id="address"' not in client.get("/validate", headers=PAGE_HEADERS).text
    assert not network.resolved_names


REFUSED_ADDRESSES = [
    f"http://{HOST}/spam.md",
    f"https://{HOST}:8443/spam.md",
    f"https://user:password@{HOST}/spam.md",
    f"https://{HOST}@evil.example/spam.md",
    f"https://evil.example/{HOST}",
    f"https://{HOST}.evil.example/spam.md",
    f"https://{HOST}./spam.md",
    f"https://sub.{HOST}/spam.md",
    f"https://{HOST}\\@evil.example/spam.md",
    f"https://{HOST}/../spam.md",
    "https://127.0.0.1/spam.md",
    "https://[::1]/spam.md",
    "https://2130706433/spam.md",
    "https://localhost/spam.md",
    "file:///etc/passwd",
    f"//{HOST}/spam.md",
    f"ftp://{HOST}/spam.md",
    f"https://{HOST}/sp am.md",
    "x" * 100_000,
]


@pytest.mark.parametrize("refused", REFUSED_ADDRESSES)
def test_address_on_no_allowed_host_is_refused(
    fetching_client: httpx2.Client, network: Network, refused: str
) -> None:
    response = post_address(fetching_client, refused)
    assert response.status_code == 403
    assert f"on one of these hosts: {HOST}, {OTHER_HOST}." in response.json()["detail"]
    assert not network.resolved_names + network.connections


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/secret",
        "http://localhost/secret",
        f"https://{OTHER_HOST}/spam.md",
        f"http://{HOST}/spam.md",
        f"https://{HOST}:8443/spam.md",
        f"https://user:password@{HOST}/spam.md",
        "//169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://[",
    ],
)
def test_redirect_to_another_host_is_not_followed(
    fetching_client: httpx2.Client, server: PaperServer, network: Network, location: str
) -> None:
    url = server.set_response("/moved.md", b"", 302, Location=location)
    response = post_address(fetching_client, url)
    assert response.status_code == 502
    assert "it redirects to" in response.json()["detail"]
    assert len(network.connections) == 1


def test_redirect_on_the_same_host_is_followed(
    fetching_client: httpx2.Client, server: PaperServer, network: Network
) -> None:
    server.set_response("/new/spam.md", MARKDOWN_PAPER, Content_Type="text/plain")
    url = server.set_response("/old", b"", 301, Location="/new/spam.md")
    assert post_address(fetching_client, url).json()["files"][0]["name"] == "spam.md"
    assert network.connections == [(PUBLIC_ADDRESS, 443)] * 2


def test_each_redirect_is_resolved_and_verified_again(
    fetching_client: httpx2.Client, server: PaperServer, network: Network
) -> None:
    network.addresses = [[PUBLIC_ADDRESS], ["127.0.0.1"]]
    url = server.set_response("/old", b"", 301, Location="/new")
    response = post_address(fetching_client, url)
    assert (response.status_code, "private IP address" in response.json()["detail"]) == (502, True)
    assert network.connections == [(PUBLIC_ADDRESS, 443)]


def test_endless_redirects_are_given_up(fetching_client: httpx2.Client, server: PaperServer) -> None:
    url = server.set_response("/loop", b"", 302, Location="/loop")
    assert "too many times" in post_address(fetching_client, url).json()["detail"]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], [PUBLIC_ADDRESS, "192.168.0.1"]]
)
def test_host_with_a_private_address_is_not_connected_to(
    fetching_client: httpx2.Client, network: Network, addresses: list[str]
) -> None:
    network.addresses = [addresses]
    response = post_address(fetching_client, f"https://{HOST}/spam.md")
    assert (response.status_code, "private IP address" in response.json()["detail"]) == (502, True)
    assert not network.connections


def test_certificate_of_another_host_is_refused(fetching_client: httpx2.Client) -> None:
    response = post_address(fetching_client, f"https://{OTHER_HOST}/spam.md")
    assert (response.status_code, "cannot be reached" in response.json()["detail"]) == (502, True)


@pytest.mark.parametrize("path", ["/slow", "/endless"])
def test_slow_or_endless_response_is_given_up(
    fetching_client: httpx2.Client, server: PaperServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(address, "FETCH_TIMEOUT_SECONDS", 1)  # instead of 10
    server.set_response("/endless", b"", Content_Length="100000000")
    start = time.monotonic()
    response = post_address(fetching_client, f"https://{HOST}{path}")
    assert time.monotonic() - start < 15
    assert response.status_code == 502
    expected = {"/slow": "did not respond within 1 seconds", "/endless": f"larger than {PAPER_BYTES} bytes"}
    assert expected[path] in response.json()["detail"]


def test_response_may_be_as_large_as_an_upload(fetching_client: httpx2.Client, server: PaperServer) -> None:
    text = MARKDOWN_PAPER + b"\n" * (PAPER_BYTES - len(MARKDOWN_PAPER))
    url = server.set_response("/spam.md", text, Content_Type="text/plain")
    assert post_address(fetching_client, url).status_code == 200
    server.set_response("/spam.md", text + b"\n", Content_Type="text/plain")
    assert post_address(fetching_client, url).status_code == 502


def test_failure_is_shown_on_the_page_with_the_address(
    fetching_client: httpx2.Client, server: PaperServer
) -> None:
    url = server.set_response("/none.md", b"what only the host knows", 500)
    page = fetching_client.post("/validate", data={"address": url}, headers=PAGE_HEADERS)
    assert page.status_code == 502
    assert "what only the host knows" not in page.text
    root = BeautifulSoup(page.text, "html.parser")
    (field,) = root.select("#address")
    assert (field["value"], field["aria-invalid"]) == (url, "true")
    (problem,) = root.select("#problem")
    assert f"The paper at {url} was not fetched" in problem.get_text()
    assert problem.select("a[href='#address']")


def test_client_has_one_fetch_at_a_time(
    fetching_client: httpx2.Client, server: PaperServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "FETCH_TIMEOUT_SECONDS", 60)
    with ThreadPoolExecutor() as executor:
        slow_response = executor.submit(post_address, fetching_client, f"https://{HOST}/slow")
        while not server.requests:
            assert not slow_response.done()
        second_response = post_address(fetching_client, f"https://{HOST}/spam.md")
        server.is_stopping.set()
        assert slow_response.result().status_code == 502
    assert (second_response.status_code, second_response.headers["retry-after"]) == (429, "60")
    assert len(server.requests) == 1
    server.set_response("/spam.md", MARKDOWN_PAPER, Content_Type="text/plain")
    assert post_address(fetching_client, f"https://{HOST}/spam.md").status_code == 200


def test_all_clients_have_a_limited_number_of_fetches() -> None:
    fetcher = address.PaperFetcher()
    fetcher.busy_clients |= {str(number) for number in range(address.MAX_CONCURRENT_FETCHES)}
    settings = Settings(paper_hosts=HOST)
    with pytest.raises(Problem) as problem:
        anyio.run(fetcher.fetch_paper, f"https://{HOST}/", "another", settings)
    assert problem.value.status == 503


def test_address_is_kept_in_another_language(fetching_client: httpx2.Client, network: Network) -> None:
    fields = {"address": f"https://{HOST}/spam.md", "do": "show"}
    page = fetching_client.post("/validate?_lang=fr", data=fields, headers=PAGE_HEADERS)
    assert BeautifulSoup(page.text, "html.parser").select("#address")[0]["value"] == fields["address"]
    assert not network.resolved_names


def test_two_addresses_are_refused(fetching_client: httpx2.Client) -> None:
    response = fetching_client.post("/validate", data={"address": [f"https://{HOST}/a", f"https://{HOST}/b"]})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "entry",
    [
        "https://papers.example",
        "papers.example:443",
        "papers.example/",
        "user@papers.example",
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "127.0.0.0x1",
        "[::1]",
        "*.example",
        "papers..example",
        "papers.example.",
        "-.example",
        "\u00e9.example",
    ],
)
def test_invalid_host_in_the_setting_is_refused(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PAPER_HOSTS", f"{HOST} {entry}")
    with pytest.raises(ValueError, match="WGIG_PAPER_HOSTS has the invalid host"):
        Settings.from_environment()


def test_hosts_are_compared_without_case() -> None:
    hosts = parse_paper_hosts("Papers.Example xn--e1afmkfd.xn--p1ai")
    assert hosts == ("papers.example", "xn--e1afmkfd.xn--p1ai")
    assert find_paper_url("HTTPS://PAPERS.example:443/A", hosts) == "https://papers.example/A"
