"""JWTs of an OpenID Connect issuer: verification, keys, scopes, and writes by their holders."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
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

from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.service import make_client

pytestmark = pytest.mark.slow

AUDIENCE = "https://w3id.org/wgig/"
SETTINGS_SECRET = "fixed.se.cret"  # WGIG_TOKEN, with two dots, as in a JWT
RSA_PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_RSA_PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TURTLE_HEADERS = {"Content-Type": "text/turtle"}


def make_rsa_jwk(id_: str, key: rsa.RSAPrivateKey = RSA_PRIVATE_KEY, **members: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": id_, "use": "sig", **members}


def make_ec_jwk(id_: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(EC_PRIVATE_KEY.public_key(), as_dict=True), "kid": id_}


class FakeIssuer:
    """An HTTP server of an issuer with the RSA key `r` and the EC key `e`; it records the requested paths."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [make_rsa_jwk("r"), make_ec_jwk("e")]
        self.requested_paths: list[str] = []
        self.metadata: dict[str, str] = {}
        self.status = 200
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requested_paths.append(self.path)
                document = {"keys": issuer.keys} if self.path == "/keys" else issuer.metadata
                body = json.dumps(document).encode()
                self.send_response(issuer.status)
                self.send_header("Location", "/keys")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.metadata = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}


@pytest.fixture
def fake_issuer() -> Iterator[FakeIssuer]:
    issuer = FakeIssuer()
    with serve_on_thread(issuer.server):
        yield issuer


def make_settings(fake_issuer: FakeIssuer, **options: Any) -> Settings:
    return Settings(oidc_issuer=fake_issuer.url, oidc_audience=AUDIENCE, **options)


def fetch_keys(issuer: OidcIssuer) -> OidcIssuer:
    """The issuer, after an attempt to fetch its keys."""
    assert issuer.refresh_keys()
    assert issuer.fetch_thread
    issuer.fetch_thread.join()
    return issuer


def sign_token(
    fake_issuer: FakeIssuer,
    key: Any = RSA_PRIVATE_KEY,
    alg: str = "RS256",
    kid: str | None = "r",
    **claims: Any,
) -> str:
    """A JWT as the issuer makes it; claims that are None are left out."""
    header = {} if kid is None else {"kid": kid}
    all_claims = {
        "iss": fake_issuer.url,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": int(time.time()) + 300,
        "scope": "openid wgig:graphs",
        **claims,
    }
    return jwt.encode({k: v for k, v in all_claims.items() if v is not None}, key, alg, header)


def forge_token(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A JWT with an arbitrary header, which libraries refuse to make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed_part = b".".join(parts)
    mac = hmac.new(secret, signed_part, hashlib.sha256).digest() if secret else b""
    return (signed_part + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    ("key", "alg", "kid"),
    [
        (RSA_PRIVATE_KEY, "RS256", "r"),
        (RSA_PRIVATE_KEY, "RS512", "r"),
        (RSA_PRIVATE_KEY, "PS256", "r"),
        (EC_PRIVATE_KEY, "ES256", "e"),
    ],
)
def test_token_signed_by_issuer_is_valid(fake_issuer: FakeIssuer, key: Any, alg: str, kid: str) -> None:
    token = fetch_keys(OidcIssuer(make_settings(fake_issuer))).verify(sign_token(fake_issuer, key, alg, kid))
    assert (token.name, token.scopes, token.is_expired) == ("alice", ("graphs",), False)
    assert fake_issuer.requested_paths == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("expired", {"exp": int(time.time()) - oidc.CLOCK_LEEWAY_SECONDS - 1}),
        ("Audience", {"aud": "https://other.example/"}),
        ("aud", {"aud": None}),
        ("issuer", {"iss": "https://evil.example"}),
        ("iss", {"iss": None}),
        ("exp", {"exp": None}),
        ("sub", {"sub": None}),
        ("not yet valid", {"nbf": int(time.time()) + 86_400}),
        ("Signature verification", {"key": OTHER_RSA_PRIVATE_KEY}),
        ("has no key with the ID", {"kid": "other"}),
        ("has no key with the ID", {"kid": None}),
        ("algorithm that does not match its key", {"key": EC_PRIVATE_KEY, "alg": "ES256", "kid": "r"}),
        ("algorithm that does not match its key", {"kid": "e"}),
    ],
)
def test_invalid_token_is_refused(fake_issuer: FakeIssuer, reason: str, change: dict[str, Any]) -> None:
    issuer = fetch_keys(OidcIssuer(make_settings(fake_issuer)))
    with pytest.raises(TokenVerificationError, match=reason):
        issuer.verify(sign_token(fake_issuer, **change))


def test_clock_leeway_is_allowed(fake_issuer: FakeIssuer) -> None:
    token = fetch_keys(OidcIssuer(make_settings(fake_issuer))).verify(
        sign_token(fake_issuer, exp=int(time.time()) - 20)
    )
    assert not token.is_expired


@pytest.mark.parametrize(
    ("alg", "secret"),
    [
        ("none", None),
        ("None", None),
        ("HS256", RSA_PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        ("HS256", b"secret"),
    ],
)
def test_token_cannot_choose_weak_algorithm(fake_issuer: FakeIssuer, alg: str, secret: bytes | None) -> None:
    fake_issuer.keys.append({"kty": "oct", "kid": "o", "k": "c2VjcmV0", "alg": "HS256"})
    issuer = fetch_keys(OidcIssuer(make_settings(fake_issuer)))
    claims = jwt.decode(sign_token(fake_issuer), options={"verify_signature": False})
    for kid in ("r", "o"):
        with pytest.raises(TokenVerificationError):
            issuer.verify(forge_token({"alg": alg, "kid": kid}, claims, secret))


@pytest.mark.parametrize(
    ("header", "reason"),
    [({"typ": "logout+jwt"}, "unsupported type"), ({"crit": ["x"], "x": 1}, "critical extension: x")],
)
def test_tokens_of_other_types_or_with_extensions_are_refused(
    fake_issuer: FakeIssuer, header: dict[str, Any], reason: str
) -> None:
    claims = jwt.decode(sign_token(fake_issuer), options={"verify_signature": False})
    token = jwt.encode(claims, RSA_PRIVATE_KEY, "RS256", {"kid": "r", **header})
    with pytest.raises(TokenVerificationError, match=reason):
        fetch_keys(OidcIssuer(make_settings(fake_issuer))).verify(token)


@pytest.mark.parametrize("token", ["a.b.c", "..", "eyJ.eyJ.x", f"{'x' * 20000}.b.c"])
def test_malformed_token_is_refused(fake_issuer: FakeIssuer, token: str) -> None:
    with pytest.raises(TokenVerificationError):
        fetch_keys(OidcIssuer(make_settings(fake_issuer))).verify(token)


def test_weak_and_unsupported_keys_are_ignored(fake_issuer: FakeIssuer) -> None:
    weak_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    fake_issuer.keys = [
        make_rsa_jwk("w", weak_key),
        make_rsa_jwk("enc", use="enc"),
        {"kty": "x"},
        {},
        {"kty": "RSA", "n": 1},
        {"kty": "EC"},
        make_rsa_jwk("r"),
    ]
    assert [*fetch_keys(OidcIssuer(make_settings(fake_issuer))).keys] == ["r"]  # the last one


def test_key_with_algorithm_is_used_only_with_it(fake_issuer: FakeIssuer) -> None:
    fake_issuer.keys = [make_rsa_jwk("r", alg="PS256")]
    issuer = fetch_keys(OidcIssuer(make_settings(fake_issuer)))
    assert issuer.verify(sign_token(fake_issuer, alg="PS256"))
    with pytest.raises(TokenVerificationError, match="does not match"):
        issuer.verify(sign_token(fake_issuer))


def test_unknown_key_is_fetched_at_most_once_a_minute(
    fake_issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, now = fetch_keys(OidcIssuer(make_settings(fake_issuer))), [time.monotonic()]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    fake_issuer.keys.append(make_rsa_jwk("new", OTHER_RSA_PRIVATE_KEY))
    token, request_count = (
        sign_token(fake_issuer, OTHER_RSA_PRIVATE_KEY, kid="new"),
        len(fake_issuer.requested_paths),
    )
    for number in range(50):
        with pytest.raises(TokenVerificationError, match="has no key with the ID"):
            issuer.verify(sign_token(fake_issuer, kid=f"storm {number}"))
    assert len(fake_issuer.requested_paths) == request_count
    now[0] += oidc.KEYS_RETRY_SECONDS + 1
    with pytest.raises(TokenVerificationError) as refused:
        issuer.verify(token)
    assert refused.value.retry_after_seconds
    assert issuer.fetch_thread
    issuer.fetch_thread.join()
    assert issuer.verify(token).name == "alice"
    assert issuer.verify(sign_token(fake_issuer))


def test_old_keys_are_refreshed_and_expire(fake_issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, now = fetch_keys(OidcIssuer(make_settings(fake_issuer))), [time.monotonic()]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    fake_issuer.status, request_count = 500, len(fake_issuer.requested_paths)
    now[0] += oidc.KEYS_REFRESH_SECONDS + 1
    assert issuer.verify(sign_token(fake_issuer))
    assert issuer.fetch_thread
    issuer.fetch_thread.join()
    assert len(fake_issuer.requested_paths) == request_count + 1
    now[0] += oidc.KEYS_EXPIRY_SECONDS
    with pytest.raises(TokenVerificationError) as refused:
        issuer.verify(sign_token(fake_issuer))
    assert refused.value.retry_after_seconds


@pytest.mark.parametrize(
    ("metadata", "status", "reason"),
    [
        ({"issuer": "https://evil.example"}, 200, "gives a different issuer"),
        ({"jwks_uri": "http://127.0.0.1:9/keys"}, 200, "set WGIG_OIDC_KEYS"),
        ({}, 302, "status 302"),  # a redirect to /keys, which is not followed
        ({}, 500, "status 500"),
    ],
)
def test_only_the_issuer_is_contacted(
    fake_issuer: FakeIssuer,
    metadata: dict[str, str],
    status: int,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_issuer.metadata |= metadata
    fake_issuer.status = status
    issuer = fetch_keys(OidcIssuer(make_settings(fake_issuer)))
    assert issuer.keys == {}
    assert fake_issuer.requested_paths == ["/.well-known/openid-configuration"]
    assert reason in caplog.text


def test_keys_url_can_be_set(fake_issuer: FakeIssuer) -> None:
    issuer = fetch_keys(OidcIssuer(make_settings(fake_issuer, oidc_keys=f"{fake_issuer.url}/keys")))
    assert (fake_issuer.requested_paths, [*issuer.keys]) == (["/keys"], ["r", "e"])


def test_unreachable_issuer_or_large_response_yields_no_keys(
    fake_issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(oidc, "MAX_ISSUER_RESPONSE_BYTES", 100)
    assert fetch_keys(OidcIssuer(make_settings(fake_issuer))).keys == {}
    assert "larger than 100 bytes" in caplog.text
    unreachable = Settings(oidc_issuer="http://127.0.0.1:9", oidc_audience=AUDIENCE)
    assert fetch_keys(OidcIssuer(unreachable)).keys == {}
    assert "cannot be fetched" in caplog.text


@pytest.mark.parametrize(
    ("claims", "options", "scopes"),
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
def test_claim_determines_scopes(
    fake_issuer: FakeIssuer, claims: dict[str, Any], options: dict[str, str], scopes: tuple[str, ...]
) -> None:
    assert (
        fetch_keys(OidcIssuer(make_settings(fake_issuer, **options)))
        .verify(sign_token(fake_issuer, **claims))
        .scopes
        == scopes
    )


@pytest.mark.parametrize("setting", ["editors", "editors=", "=graphs", "editors=all", "editors=graphs,"])
def test_invalid_scope_mapping_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="WGIG_OIDC_SCOPES"):
        parse_scope_mapping(setting)


@pytest.mark.parametrize(
    "options",
    [
        {"oidc_issuer": "http://id.example", "oidc_audience": "x"},
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "https://id.example", "oidc_audience": "x", "oidc_keys": "file:///etc/passwd"},
    ],
)
def test_unsafe_issuer_settings_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Set"):
        build_configured_issuer(Settings(**options))  # type: ignore[arg-type]


def test_no_issuer_is_built_without_setting() -> None:
    assert build_configured_issuer(Settings()) is None


@pytest.fixture
def oidc_client(fake_issuer: FakeIssuer, tmp_path: Path) -> httpx2.Client:
    """A client of a service with an issuer, which keeps a history and does not check papers."""
    settings = make_settings(fake_issuer, store=tmp_path, write_profile="off", oidc_name="name")
    tokens = TokenStore(tmp_path / TOKENS_FILE, SETTINGS_SECRET, fetch_keys(OidcIssuer(settings)))
    return make_client(create_app(make_service(settings, Store.open(tmp_path), tokens=tokens)))


def put_with_token(client: httpx2.Client, secret: str) -> httpx2.Response:
    headers = TURTLE_HEADERS | {"Authorization": f"Bearer {secret}"}
    return client.put("/graph/one", content="<urn:a> <urn:p> 1 .", headers=headers)


def test_holder_of_jwt_can_write_and_is_recorded(oidc_client: httpx2.Client, fake_issuer: FakeIssuer) -> None:
    assert put_with_token(oidc_client, sign_token(fake_issuer, name="Alice A.")).status_code == 201
    query = (
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
        "SELECT ?who ?name { ?write prov:wasAssociatedWith ?who . ?who rdfs:label ?name }"
    )
    rows = oidc_client.get("/sparql", params={"query": query, "_mediatype": "json"}).json()["results"][
        "bindings"
    ]
    digest = hashlib.sha256(f"{fake_issuer.url}\nalice".encode()).hexdigest()[:16]
    assert [(row["who"]["value"], row["name"]["value"]) for row in rows] == [
        (f"{Settings.base}id/writer/oidc-{digest}", "Alice A.")
    ]


def test_token_of_setting_works_beside_issuer(oidc_client: httpx2.Client) -> None:
    assert put_with_token(oidc_client, SETTINGS_SECRET).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"exp": 1}, 401, "invalid_token"),
        ({"scope": "wgig:papers"}, 403, "insufficient_scope"),
        ({"scope": "openid"}, 403, "insufficient_scope"),
    ],
)
def test_refused_jwt_gets_error_code(
    oidc_client: httpx2.Client, fake_issuer: FakeIssuer, change: dict[str, Any], status: int, error: str
) -> None:
    response = put_with_token(oidc_client, sign_token(fake_issuer, **change))
    assert response.status_code == status
    assert f'error="{error}"' in response.headers["www-authenticate"]


def test_token_before_keys_are_fetched_gets_503(fake_issuer: FakeIssuer, tmp_path: Path) -> None:
    fake_issuer.status = 500
    settings = make_settings(fake_issuer, store=tmp_path)
    client = make_client(
        create_app(
            make_service(
                settings,
                Store.in_memory(),
                tokens=TokenStore(tmp_path / TOKENS_FILE, "", fetch_keys(OidcIssuer(settings))),
            )
        )
    )
    response = put_with_token(client, sign_token(fake_issuer))
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    # The pages offer writing even if the keys could not be fetched.
    assert 'id="token"' in client.get("/write?issue=spam", headers={"Accept": "text/html"}).text
    assert "You need a token" in client.get("/update", headers={"Accept": "text/html"}).text


def test_jwt_in_url_is_refused(oidc_client: httpx2.Client, fake_issuer: FakeIssuer) -> None:
    assert oidc_client.get(f"/sparql?token={sign_token(fake_issuer)}").status_code == 400
