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
from ..text import cut
from .auth import SCOPES, NotVouchedError, Token
from .outbound import verifying

if TYPE_CHECKING:
    from jwt import PyJWK


ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}  # by the type of a key; none is of a secret that the service would have to share, and none is "none"
TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
LEEWAY = 30  # seconds that clocks may differ by
AGAIN, STALE, DEAD = 60, 3600, 24 * 3600  # seconds after which keys may, should and must be fetched again
PATIENCE, MOST = 10, 1024 * 1024  # seconds and bytes of an answer of the issuer
FOREVER = 2**36  # seconds since 1970, some of the last that a calendar has
LONGEST = 16 * 1024  # characters of a token
SMALLEST = 2048  # bits of an RSA key
NAME = 100  # characters
OWN = "wgig:"  # what a scope of this service is called in a token, where no setting says otherwise
SOON = 2  # seconds until keys that are being fetched are most likely there

log = logging.getLogger("wgig")


class Key(NamedTuple):
    """A key of the issuer, and the algorithms that it is for."""

    key: Any
    algorithms: tuple[str, ...]


class Issuer:
    """Says who sends a JWT and what that opens."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; no key is there yet. Raises ValueError for those that do not fit."""
        self.iss, self.audience = settings.oidc_issuer, settings.oidc_audience
        self.claim, self.name = settings.oidc_claim, settings.oidc_name
        self.place = settings.oidc_keys
        if not self.audience:
            raise ValueError(
                "WGIG_OIDC_AUDIENCE is empty. Set it to what tokens for this service have as aud."
            )
        for one in filter(None, (self.iss, self.place)):
            check_address(one)
        self.opens = mapping(settings.oidc_scopes)
        self.scopes = frozenset(scope for those in self.opens.values() for scope in those)
        import jwt  # noqa: PLC0415  paid where there is an issuer

        self.jwt = jwt
        self.keys: dict[str, Key] = {}
        self.fetched, self.tried = float("-inf"), float("-inf")  # times of the monotonic clock
        self.fetching: threading.Thread | None = None
        self.lock = threading.Lock()

    def vouched(self, secret: str) -> Token:
        """The token that a JWT is. Raises NotVouchedError."""
        if len(secret) > LONGEST:
            raise NotVouchedError(f"This token is longer than {LONGEST} characters.")
        try:
            header = self.jwt.get_unverified_header(secret)
            key = self.key(header)
            claims = self.jwt.decode(
                secret,
                key.key,
                algorithms=key.algorithms,
                audience=self.audience,
                issuer=self.iss,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except self.jwt.PyJWTError as error:
            raise NotVouchedError(f"This token does not hold: {cut(str(error), NAME)}.") from error
        return self.token(claims)

    def token(self, claims: Mapping[str, Any]) -> Token:
        """The token that claims make, which were found right. The id of its holder is the same each time."""
        who = hashlib.sha256(f"{self.iss}\n{claims['sub']}".encode()).hexdigest()[:16]
        name = claims.get(self.name)
        return Token(
            f"oidc-{who}",
            cut(name if isinstance(name, str) and name else claims["sub"], NAME),
            "",
            tuple(
                one for one in SCOPES if any(one in self.opens.get(value, ()) for value in self.said(claims))
            ),
            "",
            datetime.fromtimestamp(min(claims["exp"], FOREVER) + LEEWAY, UTC).isoformat(timespec="seconds"),
        )

    def said(self, claims: Mapping[str, Any]) -> list[str]:
        """What the claim has that tells scopes: words of a text, or a list; the claim may be in others."""
        found: Any = claims.get(self.claim)
        if found is None:
            found = claims
            for step in self.claim.split("."):
                found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return found.split()
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def key(self, header: Mapping[str, Any]) -> Key:
        """The key that a header names, for the algorithm that it names. Raises NotVouchedError."""
        kind, id_ = str(header.get("typ") or "").lower(), header.get("kid", "")
        if kind not in TYPES or "crit" in header:
            raise NotVouchedError("This token is of another kind than those that open something here.")
        key = self.known(id_ if isinstance(id_, str) else "")
        if header.get("alg") not in key.algorithms:
            raise NotVouchedError("This token is signed by an algorithm that its key is not for.")
        return key

    def known(self, id_: str) -> Key:
        """The key of this id, or without one the only key. Raises NotVouchedError."""
        age = time.monotonic() - self.fetched
        if age > STALE:
            self.refresh()
        keys = self.keys if age < DEAD else {}
        key = next(iter(keys.values())) if len(keys) == 1 and not id_ else keys.get(id_)
        if key:
            return key
        if self.refresh() or not keys:
            raise NotVouchedError("The keys of the issuer are not there yet. Send it again.", again=SOON)
        raise NotVouchedError("The issuer has no such key as this token names.")

    def refresh(self) -> bool:
        """Fetch the keys aside, unless that was tried lately; whether that is being done now."""
        with self.lock:
            if self.fetching and self.fetching.is_alive():
                return True
            if time.monotonic() - self.tried < AGAIN:
                return False
            self.tried = time.monotonic()
            self.fetching = threading.Thread(target=self.fetch, daemon=True)
            self.fetching.start()
            return True

    def fetch(self) -> None:
        """Fetch the keys; those of before stay where that fails."""
        try:
            with httpx.Client(verify=verifying(), trust_env=False, timeout=PATIENCE) as client:
                found = keys_of(got(client, self.place or self.discovered(client)))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
            log.error("the keys of the issuer cannot be had: %s", error)
            return
        self.keys, self.fetched = found, time.monotonic()

    def discovered(self, client: httpx.Client) -> str:
        """Where the keys are, by the metadata of the issuer. Raises ValueError, httpx.HTTPError."""
        document = got(client, f"{self.iss.rstrip('/')}/.well-known/openid-configuration")
        place = document.get("jwks_uri")
        if document.get("issuer") != self.iss:
            raise ValueError("its metadata name another issuer; set WGIG_OIDC_ISSUER to the very same text")
        if not isinstance(place, str) or urlsplit(place)[:2] != urlsplit(self.iss)[:2]:
            raise ValueError(f"they are elsewhere, at {place!r}; set WGIG_OIDC_KEYS to that, if it is right")
        return place


def got(client: httpx.Client, url: str) -> dict[str, Any]:
    """The JSON object at an address, within bounds; no redirect is followed. Raises ValueError, HTTPError."""
    body, end = bytearray(), time.monotonic() + PATIENCE
    with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise ValueError(f"{url} answers {response.status_code}")
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MOST or time.monotonic() > end:
                raise ValueError(
                    f"{url} answers more than {MOST} bytes, or for longer than {PATIENCE} seconds"
                )
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"{url} answers no object")
    return document


def keys_of(document: Mapping[str, Any]) -> dict[str, Key]:
    """The public keys for signatures in a JWK set, by their ids; weak ones and other kinds are left out."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415  paid where there is an issuer

    found: dict[str, Key] = {}
    for one in document.get("keys") or ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") not in ALGORITHMS:
            continue
        try:
            key = PyJWK(one)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if getattr(key.key, "key_size", SMALLEST) >= SMALLEST or one["kty"] != "RSA":
            found[str(one.get("kid", ""))] = Key(key.key, fitting(one, key))
    if not found:
        raise ValueError("there is no key for signatures among them")
    return found


def fitting(said: Mapping[str, Any], key: "PyJWK") -> tuple[str, ...]:
    """The algorithms that a key is for: the one it names, or the one of its curve; of RSA, any."""
    those = ALGORITHMS[said["kty"]]
    if said["kty"] == "RSA" and "alg" not in said:
        return those
    return tuple(one for one in those if one == key.algorithm_name)


def mapping(written: str) -> dict[str, tuple[str, ...]]:
    """What each value of the claim opens, as the setting says it. Raises ValueError."""
    if not written.strip():
        return {OWN + one: (one,) for one in SCOPES}
    found: dict[str, tuple[str, ...]] = {}
    for one in written.split():
        value, _, scopes = one.rpartition("=")
        if not value or not set(scopes.split(",")) <= SCOPES.keys():
            raise ValueError(
                f"WGIG_OIDC_SCOPES has {one!r}. Write editors=graphs,update with scopes out of: "
                f"{', '.join(SCOPES)}."
            )
        found[value] = tuple(scopes.split(","))
    return found


def check_address(url: str) -> None:
    """Raises ValueError for what is no address of an issuer that can be trusted: it needs TLS."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise ValueError(f"{url!r} is no address of an issuer. Set one that begins with https://.")


def configured(settings: Settings) -> Issuer | None:
    """The issuer of the settings; None where there is none.

    Raises ValueError where they do not fit, or the library is missing.
    """
    if not settings.oidc_issuer:
        return None
    try:
        issuer = Issuer(settings)
    except ImportError as error:
        raise ValueError(
            "WGIG_OIDC_ISSUER is set, and the library for its tokens is missing. Install it: pip install "
            "'wgig[oidc]'."
        ) from error
    issuer.refresh()
    return issuer
