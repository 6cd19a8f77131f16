"""The allowlist of outbound URLs and the check for public IP addresses."""

from ipaddress import ip_address

import pytest
from wgig.http.outbound import find_allowed_url, is_ip_literal, is_public_address
from wgig.settings import Settings, canonicalize_url, parse_allowed_urls

ALLOW = "https://a.example/sparql https://b.example/data/ http://127.0.0.1:3030 https://[2001:db8::1]/x"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://a.example/sparql", "https://a.example/sparql"),
        ("HTTPS://A.Example:443/sparql#part", "https://a.example/sparql"),
        ("https://b.example/data/x?y=z", "https://b.example/data/x?y=z"),
        ("http://127.0.0.1:3030/any", "http://127.0.0.1:3030/any"),
        ("http://127.0.0.1:3030", "http://127.0.0.1:3030/"),
        ("https://[2001:DB8::1]/x", "https://[2001:db8::1]/x"),
    ],
)
def test_listed_url_is_allowed_in_canonical_form(url: str, canonical: str) -> None:
    assert find_allowed_url(url, ALLOW) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/sparql",
        "https://a.example/sparql/",
        "https://a.example/sparql?x",
        "https://a.example:8443/sparql",
        "https://a.example./sparql",
        "https://b.example/data",
        "https://b.example/database",
        "https://b.example.evil.example/data/",
        "https://b.example@evil.example/data/",
        "https://evil.example/https://b.example/data/",
        "https://user:word@b.example/data/x",
        "https://b.example/data/../x",
        "https://b.example/data/%2e%2E/x",
        "https://b.example/data/..%2Fx",
        "https://b.example/data/..;/x",
        "https://b.example/data/%5C..%5Cx",
        "https://b.example\\@evil.example/data/",
        "https://b.example/data/ x",
        "https://b.example/data/x\n",
        "https://b.example/data/\u00e9",
        "https://\uff42.example/data/x",
        "https://b\u3002example/data/x",
        "http://2130706433:3030/any",
        "http://0177.0.0.1:3030/any",
        "http://0x7f.1:3030/any",
        "http://127.1:3030/any",
        "http://[::ffff:127.0.0.1]:3030/any",
        "https://[2001:db8::1%25eth0]/x",
        "http://127.0.0.1:03030303/any",
        "http://127.0.0.1:/any",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://b.example/data/x",
        "//b.example/data/x",
        "",
    ],
)
def test_other_urls_are_not_allowed(url: str) -> None:
    assert find_allowed_url(url, ALLOW) is None


def test_no_url_is_allowed_by_default() -> None:
    assert parse_allowed_urls(Settings.allow) == ()
    assert find_allowed_url("https://a.example/", Settings.allow) is None


@pytest.mark.parametrize(
    "entry",
    ["a.example", "ftp://a.example/", "https://u@a.example/", "https://a.example/#x", "file:///", "*"],
)
def test_invalid_allow_setting_is_refused(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_ALLOW", f"https://a.example/ {entry}")
    with pytest.raises(ValueError, match="has the invalid URL"):
        Settings.from_environment()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_private_address_is_not_public(address: str) -> None:
    assert not is_public_address(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_internet_address_is_public(address: str) -> None:
    assert is_public_address(ip_address(address))


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("[::1]", True), ("0177.0.0.1", False)])
def test_only_canonical_ip_literals_are_recognized(host: str, expected: bool) -> None:
    assert is_ip_literal(host) == expected
    assert canonicalize_url(f"http://{host}/") == f"http://{host}/"
