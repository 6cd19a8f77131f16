"""Who asks, by what a proxy says: a believed one alone, and of its list the last hop that is none of ours."""

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from wgig.settings import Settings

from tests.fixtures.processes import Started, started

pytestmark = pytest.mark.slow

ME, OTHER = "127.0.0.1", "127.0.0.2"
LOG = {"WGIG_LOG": "json", "WGIG_ACCESS_LOG": "address"}


def clients(service: Started) -> list[str]:
    """Who asked, by the log."""
    service.process.terminate()
    lines = [json.loads(line) for line in service.said().splitlines()]
    return [one["client"] for one in lines if one["logger"] == "wgig.access"]


@pytest.mark.parametrize(
    ("proxies", "cases"),
    [
        ("", {"203.0.113.5": ME}),
        ("192.0.2.1", {"203.0.113.5": ME}),
        (
            f"{ME},10.0.0.0/8",
            {
                "203.0.113.5": "203.0.113.5",
                "6.6.6.6, 203.0.113.5": "203.0.113.5",
                "6.6.6.6, 203.0.113.5, 10.1.2.3": "203.0.113.5",
                "10.9.9.9, 10.1.2.3": "10.9.9.9",
                "2001:db8::7": "2001:db8::7",
                "": ME,
            },
        ),
    ],
)
def test_the_last_hop_that_is_none_of_ours_asks(tmp_path: Path, proxies: str, cases: dict[str, str]) -> None:
    with started(tmp_path, WGIG_PROXIES=proxies, **LOG) as service:
        for said in cases:
            headers = {"X-Forwarded-For": said} if said else {}
            answers = service.ask("/sparql?query=ASK%7B%7D", 3, **headers)
            assert [one.status for one in answers] == [200] * 3
        assert clients(service) == [client for client in cases.values() for _ in range(3)]


@pytest.mark.parametrize(
    ("proxies", "cases"),
    [
        ("", [({"X-Forwarded-Proto": "https"}, "http")]),
        (
            ME,
            [
                ({"X-Forwarded-Proto": "https"}, "https"),
                ({"X-Forwarded-Proto": "javascript"}, "http"),
                ({"Forwarded": "for=203.0.113.5;proto=https;host=evil.example"}, "http"),
                ({"X-Forwarded-Host": "evil.example"}, "http"),
            ],
        ),
    ],
)
def test_addresses_of_the_service_begin_as_a_believed_proxy_says(
    tmp_path: Path, proxies: str, cases: list[tuple[dict[str, str], str]]
) -> None:
    with started(tmp_path, WGIG_PROXIES=proxies) as service:
        host = urlsplit(service.url).netloc
        for fields, scheme in cases * 3:
            text = httpx.get(f"{service.url}robots.txt", headers=fields).text
            assert f"Sitemap: {scheme}://{host}/sitemap.xml" in text


def ask(service: Started, peer: str) -> str:
    """The answer to the same bytes from another address of this machine."""
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


@pytest.mark.parametrize("order", [(ME, OTHER), (OTHER, ME)])
def test_what_one_peer_is_believed_another_is_not_though_it_sends_the_same(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    with started(tmp_path, WGIG_PROXIES=OTHER, **LOG) as service:
        for peer in order * 3:
            assert f"Sitemap: {'https' if peer == OTHER else 'http'}://a/" in ask(service, peer)
        told = {ME: ME, OTHER: "203.0.113.5"}
        assert clients(service) == [told[peer] for peer in order * 3]


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", "127.0.0.1,,x"])
def test_what_is_no_address_of_a_proxy_is_refused(proxies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PROXIES", proxies)
    with pytest.raises(ValueError, match="Write addresses and networks"):
        Settings.from_environment()
