"""Verification of JWTs of an OpenID Connect issuer, which are access tokens of this service (RFC 7519, 9068).

Only the configured issuer is contacted, and no request waits for it. Its keys are fetched in a background
thread and cached. They are fetched again when a token comes after an hour, or when a token names an unknown
key, but not more often than once a minute.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ..settings import Settings
from ..text import shorten_untrusted_text
from .auth import TOKEN_SCOPES, AccessToken, TokenVerificationError
from .outbound import make_tls_context

if TYPE_CHECKING:
    import httpx2
    from jwt import PyJWK


SIGNING_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}  # by key type; symmetric algorithms need a shared secret, and "none" is insecure
# Accepted values of the header field `typ`, in lower case; empty if it is missing.
JWT_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
CLOCK_LEEWAY_SECONDS = 30  # allowed difference of clocks
KEYS_RETRY_SECONDS = 60  # minimum time between two attempts to fetch the keys
# Age of keys at which they are fetched again, and at which they are no longer valid.
KEYS_REFRESH_SECONDS, KEYS_EXPIRY_SECONDS = 3600, 24 * 3600
# Limits of a response of the issuer.
ISSUER_TIMEOUT_SECONDS, MAX_ISSUER_RESPONSE_BYTES = 10, 1024 * 1024
MAX_EXPIRY_EPOCH_SECONDS = 2**36  # later expiry times are reduced to it, as datetime has a maximum
MAX_JWT_CHARACTERS = 16 * 1024  # longer tokens are refused without parsing
MIN_RSA_KEY_BITS = 2048  # weaker keys are left out
MAX_JWT_TEXT_CHARACTERS = 100  # of the name of a holder, and of an error in a JWT
# Prefix of the scopes of this service in tokens, if WGIG_OIDC_SCOPES is not set.
JWT_SCOPE_PREFIX = "wgig:"
KEYS_FETCH_SECONDS = 2  # usual time of a fetch of the keys, after which a client tries again

log = logging.getLogger("wgig")


class IssuerKey(NamedTuple):
    """A public key of the issuer, and the signature algorithms that it may be used with."""

    key: Any
    algorithms: tuple[str, ...]


class OidcIssuer:
    """A TokenVerifier that verifies JWTs by the keys of an OpenID Connect issuer."""

    def __init__(self, settings: Settings) -> None:
        """Use the settings; no keys are fetched yet. Raises ValueError for invalid settings."""
        self.iss, self.audience = settings.oidc_issuer, settings.oidc_audience
        self.scopes_claim, self.name_claim = settings.oidc_claim, settings.oidc_name
        self.keys_url = settings.oidc_keys
        if not self.audience:
            raise ValueError("WGIG_OIDC_AUDIENCE is empty. Set it to the aud of tokens for this service.")
        for url in filter(None, (self.iss, self.keys_url)):
            check_issuer_url(url)
        self.scopes_by_value = parse_scope_mapping(settings.oidc_scopes)
        self.scopes = frozenset(scope for scopes in self.scopes_by_value.values() for scope in scopes)
        import jwt  # noqa: PLC0415  only needed with an issuer

        self.jwt = jwt
        self.keys: dict[str, IssuerKey] = {}
        self.fetched_at, self.tried_at = float("-inf"), float("-inf")  # times of the monotonic clock
        self.fetch_thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def verify(self, secret: str) -> AccessToken:
        """The AccessToken for a JWT. Raises TokenVerificationError if the JWT is invalid."""
        if len(secret) > MAX_JWT_CHARACTERS:
            raise TokenVerificationError(f"This token is longer than {MAX_JWT_CHARACTERS} characters.")
        try:
            header = self.jwt.get_unverified_header(secret)
            key = self.get_key(header)
            claims = self.jwt.decode(
                secret,
                key.key,
                algorithms=key.algorithms,
                audience=self.audience,
                issuer=self.iss,
                leeway=CLOCK_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except self.jwt.PyJWTError as error:
            raise TokenVerificationError(
                f"This token is invalid: {shorten_untrusted_text(str(error), MAX_JWT_TEXT_CHARACTERS)}."
            ) from error
        return self.build_token(claims)

    def build_token(self, claims: Mapping[str, Any]) -> AccessToken:
        """The AccessToken for verified claims. Its ID depends only on the issuer and the subject."""
        subject_digest = hashlib.sha256(f"{self.iss}\n{claims['sub']}".encode()).hexdigest()[:16]
        name = claims.get(self.name_claim)
        expires_at = min(claims["exp"], MAX_EXPIRY_EPOCH_SECONDS) + CLOCK_LEEWAY_SECONDS
        return AccessToken(
            id=f"oidc-{subject_digest}",
            name=shorten_untrusted_text(
                name if isinstance(name, str) and name else claims["sub"], MAX_JWT_TEXT_CHARACTERS
            ),
            digest="",
            scopes=tuple(
                scope
                for scope in TOKEN_SCOPES
                if any(scope in self.scopes_by_value.get(value, ()) for value in self.claim_values(claims))
            ),
            made="",
            expires=datetime.fromtimestamp(expires_at, UTC).isoformat(timespec="seconds"),
        )

    def claim_values(self, claims: Mapping[str, Any]) -> list[str]:
        """The values of the claim that grants scopes, which is a list or a space-separated text.

        Its name may be a path into nested claims, such as `realm_access.roles`.
        """
        claim: Any = claims.get(self.scopes_claim)
        if claim is None:
            claim = claims
            for key in self.scopes_claim.split("."):
                claim = claim.get(key) if isinstance(claim, Mapping) else None
        if isinstance(claim, str):
            return claim.split()
        return [value for value in claim if isinstance(value, str)] if isinstance(claim, list) else []

    def get_key(self, header: Mapping[str, Any]) -> IssuerKey:
        """The key for the `kid` and `alg` of a JWT header. Raises TokenVerificationError if none fits."""
        type_, id_ = str(header.get("typ") or "").lower(), header.get("kid", "")
        if type_ not in JWT_TYPES or "crit" in header:
            raise TokenVerificationError("This token has an unsupported type or critical header.")
        key = self.get_key_by_id(id_ if isinstance(id_, str) else "")
        if header.get("alg") not in key.algorithms:
            raise TokenVerificationError(
                "This token is signed with an algorithm that does not match its key."
            )
        return key

    def get_key_by_id(self, id_: str) -> IssuerKey:
        """The key with an ID, or for an empty ID the only key. Raises TokenVerificationError if none fits."""
        age = time.monotonic() - self.fetched_at
        if age > KEYS_REFRESH_SECONDS:
            self.refresh_keys()
        keys = self.keys if age < KEYS_EXPIRY_SECONDS else {}
        key = next(iter(keys.values())) if len(keys) == 1 and not id_ else keys.get(id_)
        if key:
            return key
        if self.refresh_keys() or not keys:
            raise TokenVerificationError(
                "The keys of the issuer are being fetched. Send the request again.",
                retry_after_seconds=KEYS_FETCH_SECONDS,
            )
        raise TokenVerificationError("The issuer has no key with the ID that this token names.")

    def refresh_keys(self) -> bool:
        """Start to fetch the keys, unless tried in the last minute. Returns whether a fetch is running."""
        with self.lock:
            if self.fetch_thread and self.fetch_thread.is_alive():
                return True
            if time.monotonic() - self.tried_at < KEYS_RETRY_SECONDS:
                return False
            self.tried_at = time.monotonic()
            self.fetch_thread = threading.Thread(target=self.fetch_keys, daemon=True)
            self.fetch_thread.start()
            return True

    def fetch_keys(self) -> None:
        """Fetch the keys; if that fails, the old keys are kept."""
        import httpx2  # noqa: PLC0415  only needed with an issuer

        try:
            with httpx2.Client(
                verify=make_tls_context(), trust_env=False, timeout=ISSUER_TIMEOUT_SECONDS
            ) as client:
                keys = parse_jwk_set(
                    fetch_json_object(client, self.keys_url or self.discover_keys_url(client))
                )
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
            log.error("the keys of the issuer cannot be fetched: %s", error)
            return
        self.keys, self.fetched_at = keys, time.monotonic()

    def discover_keys_url(self, client: "httpx2.Client") -> str:
        """The URL of the keys in the metadata of the issuer.

        Raises ValueError for wrong metadata, httpx2.HTTPError if there is no response.
        """
        document = fetch_json_object(client, f"{self.iss.rstrip('/')}/.well-known/openid-configuration")
        keys_url = document.get("jwks_uri")
        if document.get("issuer") != self.iss:
            raise ValueError(
                "the metadata of the issuer gives a different issuer; set WGIG_OIDC_ISSUER to exactly "
                "that value"
            )
        if not isinstance(keys_url, str) or urlsplit(keys_url)[:2] != urlsplit(self.iss)[:2]:
            raise ValueError(
                f"the keys are on another host, at {keys_url!r}; set WGIG_OIDC_KEYS if that is correct"
            )
        return keys_url


def fetch_json_object(client: "httpx2.Client", url: str) -> dict[str, Any]:
    """The JSON object at a URL, without redirects.

    Raises ValueError for any other response or one that exceeds the limits, HTTPError if there is none.
    """
    body, deadline = bytearray(), time.monotonic() + ISSUER_TIMEOUT_SECONDS
    with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise ValueError(f"{url} responds with status {response.status_code}")
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_ISSUER_RESPONSE_BYTES or time.monotonic() > deadline:
                raise ValueError(
                    f"the response of {url} is larger than {MAX_ISSUER_RESPONSE_BYTES} bytes, "
                    f"or takes longer than {ISSUER_TIMEOUT_SECONDS} seconds"
                )
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"the response of {url} is not a JSON object")
    return document


def parse_jwk_set(document: Mapping[str, Any]) -> dict[str, IssuerKey]:
    """The signature keys in a JWK set, by ID; weak and unsupported keys are left out.

    Raises ValueError if no key is left.
    """
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415  only needed with an issuer

    keys: dict[str, IssuerKey] = {}
    for jwk in document.get("keys") or ():
        if (
            not isinstance(jwk, dict)
            or jwk.get("use", "sig") != "sig"
            or jwk.get("kty") not in SIGNING_ALGORITHMS
        ):
            continue
        try:
            key = PyJWK(jwk)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if getattr(key.key, "key_size", MIN_RSA_KEY_BITS) >= MIN_RSA_KEY_BITS or jwk["kty"] != "RSA":
            keys[str(jwk.get("kid", ""))] = IssuerKey(key.key, key_algorithms(jwk, key))
    if not keys:
        raise ValueError("none of the keys is a supported signature key")
    return keys


def key_algorithms(jwk: Mapping[str, Any], key: "PyJWK") -> tuple[str, ...]:
    """The algorithms for a key: the one that it names, else the one of its curve, or for RSA all."""
    algorithms = SIGNING_ALGORITHMS[jwk["kty"]]
    if jwk["kty"] == "RSA" and "alg" not in jwk:
        return algorithms
    return tuple(name for name in algorithms if name == key.algorithm_name)


def parse_scope_mapping(setting: str) -> dict[str, tuple[str, ...]]:
    """The scopes that each value of the claim grants, by the setting WGIG_OIDC_SCOPES.

    Raises ValueError if the setting is malformed or names an unknown scope.
    """
    if not setting.strip():
        return {JWT_SCOPE_PREFIX + scope: (scope,) for scope in TOKEN_SCOPES}
    mapping: dict[str, tuple[str, ...]] = {}
    for entry in setting.split():
        value, _, scopes = entry.rpartition("=")
        if not value or not set(scopes.split(",")) <= TOKEN_SCOPES.keys():
            raise ValueError(
                f"WGIG_OIDC_SCOPES has the invalid entry {entry!r}. Write it like editors=graphs,update. "
                f"The scopes are: {', '.join(TOKEN_SCOPES)}."
            )
        mapping[value] = tuple(scopes.split(","))
    return mapping


def check_issuer_url(url: str) -> None:
    """Raise ValueError for a URL of an issuer without TLS, unless it is on this machine."""
    parts = urlsplit(url)
    is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        raise ValueError(f"{url!r} is not a valid URL of an issuer. Set one that begins with https://.")


def build_configured_issuer(settings: Settings) -> OidcIssuer | None:
    """The issuer of the settings, after starting to fetch its keys; None if no issuer is set.

    Raises ValueError for invalid settings, or if the library for JWTs is not installed.
    """
    if not settings.oidc_issuer:
        return None
    try:
        issuer = OidcIssuer(settings)
    except ImportError as error:
        raise ValueError(
            "WGIG_OIDC_ISSUER is set, but the library for JWTs is not installed. Install it: pip install "
            "'wgig[oidc]'."
        ) from error
    issuer.refresh_keys()
    return issuer
