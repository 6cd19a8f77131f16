"""Writers whom an issuer of OpenID Connect vouches for: its JWTs are tokens of this service (RFC 7519, 9068).

Nobody but the configured issuer is asked for anything, and never while a request waits: its keys are fetched
aside, kept, and fetched again each hour, or when a token names one that is new; then at most once a minute.
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

import httpx

from ..settings import Settings
from ..text import shorten_untrusted_text
from .auth import TOKEN_SCOPES, AccessToken, TokenVerificationError
from .outbound import make_tls_context

if TYPE_CHECKING:
    from jwt import PyJWK


SIGNING_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}  # by the type of a key; none is of a secret that the service would have to share, and none is "none"
JWT_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
CLOCK_LEEWAY_SECONDS = 30  # seconds that clocks may differ by
# Seconds after which keys may, should and must be fetched again.
KEYS_RETRY_SECONDS, KEYS_REFRESH_SECONDS, KEYS_EXPIRY_SECONDS = 60, 3600, 24 * 3600
# Seconds and bytes of an answer of the issuer.
ISSUER_TIMEOUT_SECONDS, MAX_ISSUER_RESPONSE_BYTES = 10, 1024 * 1024
MAX_EXPIRY_EPOCH_SECONDS = 2**36  # seconds since 1970, some of the last that a calendar has
MAX_JWT_CHARACTERS = 16 * 1024  # characters of a token
MIN_RSA_KEY_BITS = 2048  # bits of an RSA key
MAX_HOLDER_NAME_CHARACTERS = 100  # characters
# What a scope of this service is called in a token, where no setting says otherwise.
JWT_SCOPE_PREFIX = "wgig:"
KEYS_FETCH_SECONDS = 2  # seconds until keys that are being fetched are most likely there

log = logging.getLogger("wgig")


class IssuerKey(NamedTuple):
    """A key of the issuer, and the algorithms that it is for."""

    key: Any
    algorithms: tuple[str, ...]


class OidcIssuer:
    """Says who sends a JWT and what that opens."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; no key is there yet. Raises ValueError for those that do not fit."""
        self.iss, self.audience = settings.oidc_issuer, settings.oidc_audience
        self.scopes_claim, self.name_claim = settings.oidc_claim, settings.oidc_name
        self.keys_url = settings.oidc_keys
        if not self.audience:
            raise ValueError(
                "WGIG_OIDC_AUDIENCE is empty. Set it to what tokens for this service have as aud."
            )
        for one in filter(None, (self.iss, self.keys_url)):
            check_issuer_url(one)
        self.scopes_by_value = parse_scope_mapping(settings.oidc_scopes)
        self.scopes = frozenset(scope for those in self.scopes_by_value.values() for scope in those)
        import jwt  # noqa: PLC0415  paid where there is an issuer

        self.jwt = jwt
        self.keys: dict[str, IssuerKey] = {}
        self.fetched_at, self.tried_at = float("-inf"), float("-inf")  # times of the monotonic clock
        self.fetch_thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def verify(self, secret: str) -> AccessToken:
        """The token that a JWT is. Raises TokenVerificationError."""
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
                f"This token does not hold: {shorten_untrusted_text(str(error), MAX_HOLDER_NAME_CHARACTERS)}."
            ) from error
        return self.build_token(claims)

    def build_token(self, claims: Mapping[str, Any]) -> AccessToken:
        """The token that claims make, which were found right. The id of its holder is the same each time."""
        who = hashlib.sha256(f"{self.iss}\n{claims['sub']}".encode()).hexdigest()[:16]
        name = claims.get(self.name_claim)
        return AccessToken(
            f"oidc-{who}",
            shorten_untrusted_text(
                name if isinstance(name, str) and name else claims["sub"], MAX_HOLDER_NAME_CHARACTERS
            ),
            "",
            tuple(
                one
                for one in TOKEN_SCOPES
                if any(one in self.scopes_by_value.get(value, ()) for value in self.claim_values(claims))
            ),
            "",
            datetime.fromtimestamp(
                min(claims["exp"], MAX_EXPIRY_EPOCH_SECONDS) + CLOCK_LEEWAY_SECONDS, UTC
            ).isoformat(timespec="seconds"),
        )

    def claim_values(self, claims: Mapping[str, Any]) -> list[str]:
        """What the claim has that tells scopes: words of a text, or a list; the claim may be in others."""
        found: Any = claims.get(self.scopes_claim)
        if found is None:
            found = claims
            for step in self.scopes_claim.split("."):
                found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return found.split()
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def get_key(self, header: Mapping[str, Any]) -> IssuerKey:
        """The key that a header names, for the algorithm that it names. Raises TokenVerificationError."""
        kind, id_ = str(header.get("typ") or "").lower(), header.get("kid", "")
        if kind not in JWT_TYPES or "crit" in header:
            raise TokenVerificationError("This token is of another kind than those that open something here.")
        key = self.get_key_by_id(id_ if isinstance(id_, str) else "")
        if header.get("alg") not in key.algorithms:
            raise TokenVerificationError("This token is signed by an algorithm that its key is not for.")
        return key

    def get_key_by_id(self, id_: str) -> IssuerKey:
        """The key of this id, or without one the only key. Raises TokenVerificationError."""
        age = time.monotonic() - self.fetched_at
        if age > KEYS_REFRESH_SECONDS:
            self.refresh_keys()
        keys = self.keys if age < KEYS_EXPIRY_SECONDS else {}
        key = next(iter(keys.values())) if len(keys) == 1 and not id_ else keys.get(id_)
        if key:
            return key
        if self.refresh_keys() or not keys:
            raise TokenVerificationError(
                "The keys of the issuer are not there yet. Send it again.", again=KEYS_FETCH_SECONDS
            )
        raise TokenVerificationError("The issuer has no such key as this token names.")

    def refresh_keys(self) -> bool:
        """Fetch the keys aside, unless that was tried lately; whether that is being done now."""
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
        """Fetch the keys; those of before stay where that fails."""
        try:
            with httpx.Client(
                verify=make_tls_context(), trust_env=False, timeout=ISSUER_TIMEOUT_SECONDS
            ) as client:
                found = parse_jwk_set(
                    fetch_json_object(client, self.keys_url or self.discover_keys_url(client))
                )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
            log.error("the keys of the issuer cannot be had: %s", error)
            return
        self.keys, self.fetched_at = found, time.monotonic()

    def discover_keys_url(self, client: httpx.Client) -> str:
        """Where the keys are, by the metadata of the issuer. Raises ValueError, httpx.HTTPError."""
        document = fetch_json_object(client, f"{self.iss.rstrip('/')}/.well-known/openid-configuration")
        place = document.get("jwks_uri")
        if document.get("issuer") != self.iss:
            raise ValueError("its metadata name another issuer; set WGIG_OIDC_ISSUER to the very same text")
        if not isinstance(place, str) or urlsplit(place)[:2] != urlsplit(self.iss)[:2]:
            raise ValueError(f"they are elsewhere, at {place!r}; set WGIG_OIDC_KEYS to that, if it is right")
        return place


def fetch_json_object(client: httpx.Client, url: str) -> dict[str, Any]:
    """The JSON object at an address, within bounds; no redirect is followed. Raises ValueError, HTTPError."""
    body, end = bytearray(), time.monotonic() + ISSUER_TIMEOUT_SECONDS
    with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise ValueError(f"{url} answers {response.status_code}")
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MAX_ISSUER_RESPONSE_BYTES or time.monotonic() > end:
                raise ValueError(
                    f"{url} answers more than {MAX_ISSUER_RESPONSE_BYTES} bytes, "
                    f"or for longer than {ISSUER_TIMEOUT_SECONDS} seconds"
                )
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"{url} answers no object")
    return document


def parse_jwk_set(document: Mapping[str, Any]) -> dict[str, IssuerKey]:
    """The public keys for signatures in a JWK set, by their ids; weak ones and other kinds are left out."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415  paid where there is an issuer

    found: dict[str, IssuerKey] = {}
    for one in document.get("keys") or ():
        if (
            not isinstance(one, dict)
            or one.get("use", "sig") != "sig"
            or one.get("kty") not in SIGNING_ALGORITHMS
        ):
            continue
        try:
            key = PyJWK(one)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if getattr(key.key, "key_size", MIN_RSA_KEY_BITS) >= MIN_RSA_KEY_BITS or one["kty"] != "RSA":
            found[str(one.get("kid", ""))] = IssuerKey(key.key, key_algorithms(one, key))
    if not found:
        raise ValueError("there is no key for signatures among them")
    return found


def key_algorithms(said: Mapping[str, Any], key: "PyJWK") -> tuple[str, ...]:
    """The algorithms that a key is for: the one it names, or the one of its curve; of RSA, any."""
    those = SIGNING_ALGORITHMS[said["kty"]]
    if said["kty"] == "RSA" and "alg" not in said:
        return those
    return tuple(one for one in those if one == key.algorithm_name)


def parse_scope_mapping(written: str) -> dict[str, tuple[str, ...]]:
    """What each value of the claim opens, as the setting says it. Raises ValueError."""
    if not written.strip():
        return {JWT_SCOPE_PREFIX + one: (one,) for one in TOKEN_SCOPES}
    found: dict[str, tuple[str, ...]] = {}
    for one in written.split():
        value, _, scopes = one.rpartition("=")
        if not value or not set(scopes.split(",")) <= TOKEN_SCOPES.keys():
            raise ValueError(
                f"WGIG_OIDC_SCOPES has {one!r}. Write editors=graphs,update with scopes out of: "
                f"{', '.join(TOKEN_SCOPES)}."
            )
        found[value] = tuple(scopes.split(","))
    return found


def check_issuer_url(url: str) -> None:
    """Raises ValueError for what is no address of an issuer that can be trusted: it needs TLS."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise ValueError(f"{url!r} is no address of an issuer. Set one that begins with https://.")


def build_configured_issuer(settings: Settings) -> OidcIssuer | None:
    """The issuer of the settings; None where there is none.

    Raises ValueError where they do not fit, or the library is missing.
    """
    if not settings.oidc_issuer:
        return None
    try:
        issuer = OidcIssuer(settings)
    except ImportError as error:
        raise ValueError(
            "WGIG_OIDC_ISSUER is set, and the library for its tokens is missing. Install it: pip install "
            "'wgig[oidc]'."
        ) from error
    issuer.refresh_keys()
    return issuer
