"""Client addresses and schemes from the headers of trusted proxies.

Requests are sent three times, because later responses come from caches. The raw cache finds a response by
the bytes of the request.
"""

import json
import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from wgig.settings import Settings

from tests.fixtures.processes import RunningService, run_service

pytestmark = pytest.mark.slow

PEER, PROXY = "127.0.0.1", "127.0.0.2"  # source addresses of the connections of the tests
LOG_SETTINGS = {"WGIG_LOG": "json", "WGIG_ACCESS_LOG": "address"}


def logged_clients(service: RunningService) -> list[str]:
    """Stop the service, and return the client of each request in its log."""
    service.process.terminate()
    lines = [json.loads(line) for line in service.read_log().splitlines()]
    return [line["client"] for line in lines if line["logger"] == "wgig.access"]


@pytest.mark.parametrize(
    ("proxies", "clients_by_forwarded_for"),
    [
        ("", {"203.0.113.5": PEER}),  # no proxy is trusted
        ("192.0.2.1", {"203.0.113.5": PEER}),  # another proxy is trusted
        (
            f"{PEER},10.0.0.0/8",
            {
                "203.0.113.5": "203.0.113.5",
                # 6.6.6.6 is what the client itself claims.
                "6.6.6.6, 203.0.113.5": "203.0.113.5",
                "6.6.6.6, 203.0.113.5, 10.1.2.3": "203.0.113.5",
                "10.9.9.9, 10.1.2.3": "10.9.9.9",
                "2001:db8::7": "2001:db8::7",
                "": PEER,  # without the header
            },
        ),
    ],
)
def test_client_is_last_untrusted_hop(
    tmp_path: Path, proxies: str, clients_by_forwarded_for: dict[str, str]
) -> None:
    with run_service(tmp_path, WGIG_PROXIES=proxies, **LOG_SETTINGS) as service:
        for forwarded_for in clients_by_forwarded_for:
            headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
            responses = service.request("/sparql?query=ASK%7B%7D", 3, **headers)
            assert [response.status for response in responses] == [200] * 3
        expected_clients = [client for client in clients_by_forwarded_for.values() for _ in range(3)]
        # Several front processes write to the log independently of each other.
        in_order = list if os.environ["WGIG_WORKERS"] == "1" else sorted
        assert in_order(logged_clients(service)) == in_order(expected_clients)


@pytest.mark.parametrize(
    ("proxies", "cases"),
    [
        ("", [({"X-Forwarded-Proto": "https"}, "http")]),
        (
            PEER,
            [
                ({"X-Forwarded-Proto": "https"}, "https"),
                ({"X-Forwarded-Proto": "javascript"}, "http"),
                # Other headers are ignored.
                ({"Forwarded": "for=203.0.113.5;proto=https;host=evil.example"}, "http"),
                ({"X-Forwarded-Host": "evil.example"}, "http"),
            ],
        ),
    ],
)
def test_scheme_is_taken_from_trusted_proxy(
    tmp_path: Path, proxies: str, cases: list[tuple[dict[str, str], str]]
) -> None:
    with run_service(tmp_path, WGIG_PROXIES=proxies) as service:
        host = urlsplit(service.url).netloc
        for headers, scheme in cases * 3:
            text = httpx2.get(f"{service.url}robots.txt", headers=headers).text
            assert f"Sitemap: {scheme}://{host}/sitemap.xml" in text


def request_robots_txt(service: RunningService, peer: str) -> str:
    """The body of the response to a request whose bytes are always the same, sent from the address `peer`."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), source_address=(peer, 0)) as connection:
        connection.sendall(
            b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n"
            b"X-Forwarded-For: 203.0.113.5\r\n\r\n"
        )
        with connection.makefile("rb") as file:
            head = b"".join(iter(file.readline, b"\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head)
            assert length
            return file.read(int(length[1])).decode()


@pytest.mark.parametrize("order", [(PEER, PROXY), (PROXY, PEER)])
def test_raw_cache_does_not_mix_trusted_and_untrusted_peers(tmp_path: Path, order: tuple[str, str]) -> None:
    with run_service(tmp_path, WGIG_PROXIES=PROXY, **LOG_SETTINGS) as service:
        for peer in order * 3:
            assert f"Sitemap: {'https' if peer == PROXY else 'http'}://a/" in request_robots_txt(
                service, peer
            )
        expected_clients = {PEER: PEER, PROXY: "203.0.113.5"}
        in_order = list if os.environ["WGIG_WORKERS"] == "1" else sorted
        assert in_order(logged_clients(service)) == in_order(expected_clients[peer] for peer in order * 3)


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", "127.0.0.1,,x"])
def test_invalid_proxy_address_is_refused(proxies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PROXIES", proxies)
    with pytest.raises(ValueError, match="Write addresses and networks"):
        Settings.from_environment()
