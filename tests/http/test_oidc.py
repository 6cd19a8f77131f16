"""Writers with the JWT of an issuer: it opens what it says as long as the issuer vouches for it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from wgig.app import create_app, make_service
from wgig.http import oidc
from wgig.http.auth import TokenStore, TokenVerificationError
from wgig.http.oidc import OidcIssuer, build_configured_issuer, parse_scope_mapping
from wgig.settings import TOKENS_FILE, Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of

pytestmark = pytest.mark.slow

AUDIENCE = "https://w3id.org/wgig/"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TURTLE = {"Content-Type": "text/turtle"}


def rsa_key(id_: str, key: rsa.RSAPrivateKey = RSA, **more: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": id_, "use": "sig", **more}


def ec_key(id_: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": id_}


class Place:
    """A tiny issuer, with two keys at first, that counts what it is asked for."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [rsa_key("r"), ec_key("e")]
        self.asked: list[str] = []
        self.metadata: dict[str, str] = {}
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                given = {"keys": outer.keys} if self.path == "/keys" else outer.metadata
                body = json.dumps(given).encode()
                self.send_response(outer.status)
                self.send_header("Location", "/keys")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.metadata = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.server.shutdown()
    made.server.server_close()


def settings(place: Place, **more: Any) -> Settings:
    return Settings(oidc_issuer=place.url, oidc_audience=AUDIENCE, **more)


def fetched(one: OidcIssuer) -> OidcIssuer:
    """The issuer, once it has tried to have keys."""
    assert one.refresh_keys()
    assert one.fetch_thread
    one.fetch_thread.join()
    return one


def signed(place: Place, key: Any = RSA, alg: str = "RS256", kid: str | None = "r", **claims: Any) -> str:
    """A token as the issuer makes it; what is given as None is left out."""
    header = {} if kid is None else {"kid": kid}
    every = {
        "iss": place.url,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": int(time.time()) + 300,
        "scope": "openid wgig:graphs",
        **claims,
    }
    return jwt.encode({k: v for k, v in every.items() if v is not None}, key, alg, header)


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    text = b".".join(parts)
    mac = hmac.new(secret, text, hashlib.sha256).digest() if secret else b""
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    ("key", "alg", "kid"), [(RSA, "RS256", "r"), (RSA, "RS512", "r"), (RSA, "PS256", "r"), (EC, "ES256", "e")]
)
def test_a_token_that_the_issuer_signed_holds(place: Place, key: Any, alg: str, kid: str) -> None:
    token = fetched(OidcIssuer(settings(place))).verify(signed(place, key, alg, kid))
    assert (token.name, token.scopes, token.is_expired) == ("alice", ("graphs",), False)
    assert place.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("expired", {"exp": int(time.time()) - 31}),
        ("Audience", {"aud": "https://other.example/"}),
        ("aud", {"aud": None}),
        ("issuer", {"iss": "https://evil.example"}),
        ("iss", {"iss": None}),
        ("exp", {"exp": None}),
        ("sub", {"sub": None}),
        ("not yet valid", {"nbf": int(time.time()) + 86_400}),
        ("Signature verification", {"key": STRANGE}),
        ("has no key with the ID", {"kid": "other"}),
        ("has no key with the ID", {"kid": None}),
        ("algorithm that does not fit its key", {"key": EC, "alg": "ES256", "kid": "r"}),
        ("algorithm that does not fit its key", {"kid": "e"}),
    ],
)
def test_what_the_issuer_does_not_vouch_for_is_refused(
    place: Place, why: str, change: dict[str, Any]
) -> None:
    one = fetched(OidcIssuer(settings(place)))
    with pytest.raises(TokenVerificationError, match=why):
        one.verify(signed(place, **change))


def test_clocks_may_differ_a_little(place: Place) -> None:
    token = fetched(OidcIssuer(settings(place))).verify(signed(place, exp=int(time.time()) - 20))
    assert not token.is_expired


@pytest.mark.parametrize(
    ("alg", "secret"),
    [
        ("none", None),
        ("None", None),
        ("HS256", RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        ("HS256", b"secret"),
    ],
)
def test_no_token_chooses_how_it_is_verified(place: Place, alg: str, secret: bytes | None) -> None:
    place.keys.append({"kty": "oct", "kid": "o", "k": "c2VjcmV0", "alg": "HS256"})
    one = fetched(OidcIssuer(settings(place)))
    claims = jwt.decode(signed(place), options={"verify_signature": False})
    for kid in ("r", "o"):
        with pytest.raises(TokenVerificationError):
            one.verify(by_hand({"alg": alg, "kid": kid}, claims, secret))


@pytest.mark.parametrize("header", [{"typ": "logout+jwt"}, {"crit": ["x"], "x": 1}])
def test_tokens_of_other_kinds_are_refused(place: Place, header: dict[str, Any]) -> None:
    claims = jwt.decode(signed(place), options={"verify_signature": False})
    token = jwt.encode(claims, RSA, "RS256", {"kid": "r", **header})
    with pytest.raises(TokenVerificationError, match=r"another kind|crit"):
        fetched(OidcIssuer(settings(place))).verify(token)


@pytest.mark.parametrize("secret", ["a.b.c", "..", "eyJ.eyJ.x", f"{'x' * 20000}.b.c"])
def test_what_is_no_token_at_all_is_refused(place: Place, secret: str) -> None:
    with pytest.raises(TokenVerificationError):
        fetched(OidcIssuer(settings(place))).verify(secret)


def test_weak_keys_and_keys_for_other_uses_are_none(place: Place) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    place.keys = [
        rsa_key("w", weak),
        rsa_key("enc", use="enc"),
        {"kty": "x"},
        {},
        {"kty": "RSA", "n": 1},
        {"kty": "EC"},
        rsa_key("r"),
    ]
    assert [*fetched(OidcIssuer(settings(place))).keys] == ["r"]


def test_a_key_that_names_its_algorithm_is_for_no_other(place: Place) -> None:
    place.keys = [rsa_key("r", alg="PS256")]
    one = fetched(OidcIssuer(settings(place)))
    assert one.verify(signed(place, alg="PS256"))
    with pytest.raises(TokenVerificationError, match="does not fit"):
        one.verify(signed(place))


def test_a_new_key_is_fetched_once_a_minute_at_most_and_nobody_waits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, now = fetched(OidcIssuer(settings(place))), [time.monotonic()]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    place.keys.append(rsa_key("new", STRANGE))
    token, asked = signed(place, STRANGE, kid="new"), len(place.asked)
    for number in range(50):
        with pytest.raises(TokenVerificationError, match="has no key with the ID"):
            one.verify(signed(place, kid=f"storm {number}"))
    assert len(place.asked) == asked
    now[0] += oidc.KEYS_RETRY_SECONDS + 1
    with pytest.raises(TokenVerificationError) as refused:
        one.verify(token)
    assert refused.value.retry_after_seconds
    assert one.fetch_thread
    one.fetch_thread.join()
    assert one.verify(token).name == "alice"
    assert one.verify(signed(place))


def test_old_keys_are_renewed_and_too_old_ones_believed_no_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, now = fetched(OidcIssuer(settings(place))), [time.monotonic()]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    place.status, asked = 500, len(place.asked)
    now[0] += oidc.KEYS_REFRESH_SECONDS + 1
    assert one.verify(signed(place))
    assert one.fetch_thread
    one.fetch_thread.join()
    assert len(place.asked) == asked + 1
    now[0] += oidc.KEYS_EXPIRY_SECONDS
    with pytest.raises(TokenVerificationError) as refused:
        one.verify(signed(place))
    assert refused.value.retry_after_seconds


@pytest.mark.parametrize(
    ("metadata", "status", "why"),
    [
        ({"issuer": "https://evil.example"}, 200, "names another issuer"),
        ({"jwks_uri": "http://127.0.0.1:9/keys"}, 200, "set WGIG_OIDC_KEYS"),
        ({}, 302, "status 302"),
        ({}, 500, "status 500"),
    ],
)
def test_nobody_but_the_issuer_is_asked(
    place: Place, metadata: dict[str, str], status: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.metadata |= metadata
    place.status = status
    one = fetched(OidcIssuer(settings(place)))
    assert one.keys == {}
    assert place.asked == ["/.well-known/openid-configuration"]
    assert why in caplog.text


def test_keys_may_be_elsewhere_where_a_setting_says_so(place: Place) -> None:
    one = fetched(OidcIssuer(settings(place, oidc_keys=f"{place.url}/keys")))
    assert (place.asked, [*one.keys]) == (["/keys"], ["r", "e"])


def test_an_issuer_that_says_too_much_or_cannot_be_reached_has_no_keys(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(oidc, "MAX_ISSUER_RESPONSE_BYTES", 100)
    assert fetched(OidcIssuer(settings(place))).keys == {}
    assert "larger than 100 bytes" in caplog.text
    nowhere = Settings(oidc_issuer="http://127.0.0.1:9", oidc_audience=AUDIENCE)
    assert fetched(OidcIssuer(nowhere)).keys == {}
    assert "cannot be fetched" in caplog.text


@pytest.mark.parametrize(
    ("claims", "more", "scopes"),
    [
        ({"scope": "wgig:papers wgig:admin other"}, {}, ("papers", "admin")),
        ({"scope": "papers"}, {}, ()),
        ({"scope": None}, {}, ()),
        (
            {"roles": ["editors", 1]},
            {"oidc_claim": "roles", "oidc_scopes": "editors=graphs,update"},
            ("graphs", "update"),
        ),
        ({"a": {"b": ["x=y"]}}, {"oidc_claim": "a.b", "oidc_scopes": "x=y=papers"}, ("papers",)),
        (
            {"https://x.example/r": ["e"]},
            {"oidc_claim": "https://x.example/r", "oidc_scopes": "e=update"},
            ("update",),
        ),
        ({"scope": {"a": 1}}, {}, ()),
    ],
)
def test_a_claim_tells_what_a_token_opens(
    place: Place, claims: dict[str, Any], more: dict[str, str], scopes: tuple[str, ...]
) -> None:
    assert fetched(OidcIssuer(settings(place, **more))).verify(signed(place, **claims)).scopes == scopes


@pytest.mark.parametrize("written", ["editors", "editors=", "=graphs", "editors=all", "editors=graphs,"])
def test_what_is_no_mapping_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="WGIG_OIDC_SCOPES"):
        parse_scope_mapping(written)


@pytest.mark.parametrize(
    "more",
    [
        {"oidc_issuer": "http://id.example", "oidc_audience": "x"},
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "https://id.example", "oidc_audience": "x", "oidc_keys": "file:///etc/passwd"},
    ],
)
def test_settings_that_cannot_be_safe_are_refused(more: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Set"):
        build_configured_issuer(Settings(**more))  # type: ignore[arg-type]


def test_without_an_issuer_nobody_vouches() -> None:
    assert build_configured_issuer(Settings()) is None


@pytest.fixture
def served(place: Place, tmp_path: Path) -> httpx.Client:
    """A client of a service that keeps a history, to which papers need not conform, with an issuer."""
    wanted = settings(place, store=tmp_path, write_profile="off", oidc_name="name")
    tokens = TokenStore(tmp_path / TOKENS_FILE, "fixed.se.cret", fetched(OidcIssuer(wanted)))
    return client_of(create_app(make_service(wanted, Store.open(tmp_path), tokens=tokens)))


def put_as(client: httpx.Client, secret: str) -> httpx.Response:
    headers = TURTLE | {"Authorization": f"Bearer {secret}"}
    return client.put("/graph/one", content="<urn:a> <urn:p> 1 .", headers=headers)


def test_a_writer_writes_and_is_on_record(served: httpx.Client, place: Place) -> None:
    assert put_as(served, signed(place, name="Alice A.")).status_code == 201
    query = (
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
        "SELECT ?who ?name { ?write prov:wasAssociatedWith ?who . ?who rdfs:label ?name }"
    )
    found = served.get("/sparql", params={"query": query, "_mediatype": "json"}).json()["results"]["bindings"]
    who = hashlib.sha256(f"{place.url}\nalice".encode()).hexdigest()[:16]
    assert [(one["who"]["value"], one["name"]["value"]) for one in found] == [
        (f"{Settings.base}id/writer/oidc-{who}", "Alice A.")
    ]


def test_tokens_of_our_own_open_as_before(served: httpx.Client) -> None:
    assert put_as(served, "fixed.se.cret").status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"exp": 1}, 401, "invalid_token"),
        ({"scope": "wgig:papers"}, 403, "insufficient_scope"),
        ({"scope": "openid"}, 403, "insufficient_scope"),
    ],
)
def test_a_refusal_says_why(
    served: httpx.Client, place: Place, change: dict[str, Any], status: int, error: str
) -> None:
    answer = put_as(served, signed(place, **change))
    assert answer.status_code == status
    assert f'error="{error}"' in answer.headers["www-authenticate"]


def test_who_comes_before_the_keys_is_asked_to_come_again(place: Place, tmp_path: Path) -> None:
    place.status = 500
    wanted = settings(place, store=tmp_path)
    client = client_of(
        create_app(
            make_service(
                wanted,
                Store.in_memory(),
                tokens=TokenStore(tmp_path / TOKENS_FILE, "", fetched(OidcIssuer(wanted))),
            )
        )
    )
    answer = put_as(client, signed(place))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert 'id="token"' in client.get("/write?issue=spam", headers={"Accept": "text/html"}).text
    assert "It is open" in client.get("/update", headers={"Accept": "text/html"}).text


def test_a_token_in_an_address_is_refused(served: httpx.Client, place: Place) -> None:
    assert served.get(f"/sparql?token={signed(place)}").status_code == 400
