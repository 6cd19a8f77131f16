"""Bearer tokens: the token file, scopes and expiry, and authorization of requests (RFC 6750).

The file holds only the SHA-256 of each token. A slow hash would add no protection: it makes guessing
expensive where people choose the secret, and nobody guesses 256 random bits, while a fast one can be computed
for each request. The file is refused where others may read or write it.

A token is accepted only in the Authorization header. RFC 6750 also allows a form field (section 2.2) and the
query string (section 2.3); both are refused with 400, because logs and others can read them. Tokens of an
identity provider (JWT) are verified by `oidc`.
"""

import fcntl
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..files import FileError, open_durable_file
from ..problems import Problem
from . import bodies
from .bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, Pairs

if TYPE_CHECKING:  # costs 120 ms, and the shell needs none
    from fastapi import Request

TOKEN_SCOPES = {
    "papers": "write the graphs of papers, each checked first",
    "graphs": "write any graph, papers checked first",
    "update": "run SPARQL Update",
    "admin": "see and stop the queries of others",
    "metrics": "read the figures of the service (`/metrics`)",
}
# The scopes that open the graphs of papers; the second opens these alone.
PAPER_WRITE_SCOPES = ("graphs", "papers")
# By which people and scanners know a token that lies about.
TOKEN_PREFIX = "wgig_"  # noqa: S105 - what all tokens begin with
# Where RFC 6750 lets a token stand in a form or an address, and we do not.
ACCESS_TOKEN_PARAMETER = "access_token"  # noqa: S105 - the name of a parameter
JWT_PATTERN = rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"  # how one begins that a provider of identities made
TOKEN_IN_QUERY_PATTERN = re.compile(
    rb"(?:^|&)%s=|%s[\w-]{43}|%s" % (ACCESS_TOKEN_PARAMETER.encode(), TOKEN_PREFIX.encode(), JWT_PATTERN)
)
LEAKED_TOKEN_DETAIL = (
    "A token stands in the {where}, where logs and others can read it. "  # noqa: S105 - text of a refusal
    "Have it revoked now (wgig token revoke), and send a new one as Authorization: Bearer <token>."
)
BEARER_CHALLENGE = 'Bearer realm="wgig"'
# RFC 6750, section 3.1.
MISPLACED_TOKEN_HEADERS = {"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="invalid_request"'}
TOKEN_LIFETIME_PATTERN = re.compile(r"(\d{1,5})([hdw])")
TOKEN_LIFETIME_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class AccessToken:
    """A token as it is kept: to whom it was given, the digest of the secret, what it opens.

    `made` and `expires` are times as ISO 8601 writes them, in UTC; an empty `expires` is never.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    made: str
    expires: str = ""

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return bool(self.expires) and datetime.fromisoformat(self.expires) <= datetime.now(UTC)


class TokenVerificationError(Exception):
    """Nobody vouches for a token, and why; where `again`, that may be otherwise in so many seconds."""

    def __init__(self, why: str, again: int = 0) -> None:
        """Say why."""
        super().__init__(why)
        self.retry_after_seconds = again


class TokenVerifier(Protocol):
    """Who vouches for tokens that are kept nowhere here."""

    scopes: frozenset[str]  # what these may open

    def verify(self, secret: str) -> AccessToken:
        """The token with this secret. Raises TokenVerificationError."""


class TokenStore:
    """The tokens of a service: those in a file, and the one of its settings.

    Others there may be for which somebody vouches.
    """

    def __init__(self, path: Path | None, secret: str = "", voucher: TokenVerifier | None = None) -> None:
        """Take the file (None: there is none), and the secret that opens all (empty: none)."""
        self.verifier = voucher
        self.path = path
        self.set_settings_secret(secret)
        self.file_tokens: list[AccessToken] = []
        self.file_signature: tuple[int, ...] = ()

    def set_settings_secret(self, secret: str) -> None:
        """Let this be the secret of the settings."""
        self.settings_tokens = (
            [AccessToken("setting", "WGIG_TOKEN", hash_secret(secret), (*TOKEN_SCOPES,), "")]
            if secret
            else []
        )

    def list_tokens(self) -> list[AccessToken]:
        """All tokens, as they are now: the file is read again when it was changed. Raises FileError."""
        if self.path is None:
            return self.settings_tokens
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return self.settings_tokens
        except OSError as error:
            raise FileError.from_os_error("The tokens", self.path, error) from error
        mark = (there.st_ino, there.st_mtime_ns, there.st_size, there.st_mode)
        if mark != self.file_signature:
            self.file_tokens = read_token_file(self.path, there.st_mode)
            self.file_signature = mark
        return self.settings_tokens + self.file_tokens

    def has_token_for(self, *scopes: str) -> bool:
        """Whether a token may open at least one of the scopes now. Raises FileError."""
        return bool(self.verifier and self.verifier.scopes & set(scopes)) or any(
            set(scopes) & set(one.scopes) and not one.is_expired for one in self.list_tokens()
        )

    @property
    def has_tokens(self) -> bool:
        """Whether there can be any token. Raises FileError."""
        return bool(self.verifier or self.list_tokens())

    def find(self, secret: str) -> AccessToken | None:
        """The token with this secret, be it expired. Takes as long whatever the secret of one that is kept.

        Raises FileError, and TokenVerificationError for what looks like one for which somebody might vouch.
        """
        given = hash_secret(secret)
        found = [one for one in self.list_tokens() if secrets.compare_digest(one.digest, given)]
        if not found and self.verifier and secret.count(".") == 2:
            return self.verifier.verify(secret)
        return found[0] if found else None


def has_token_in_query(query: bytes) -> bool:
    """Whether a token stands in a query string."""
    return TOKEN_IN_QUERY_PATTERN.search(query) is not None


def hash_secret(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_access_token(
    path: Path, scopes: Sequence[str], name: str = "", expires: str = ""
) -> tuple[str, AccessToken]:
    """Make a token and keep it; the secret, which is kept nowhere, and the token.

    Raises ValueError for a time that is none, FileError.
    """
    secret, now = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}", datetime.now(UTC)
    id_ = secrets.token_hex(4)
    until = (now + parse_token_lifetime(expires)).isoformat(timespec="seconds") if expires else ""
    made = now.isoformat(timespec="seconds")
    token = AccessToken(id_, name or id_, hash_secret(secret), tuple(dict.fromkeys(scopes)), made, until)
    with edit_token_file(path) as tokens:
        tokens.append(token)
    return secret, token


def revoke_access_token(path: Path, id_: str) -> AccessToken | None:
    """Take a token out; None where there is none of this id. Raises FileError."""
    with edit_token_file(path) as tokens:
        found = [one for one in tokens if one.id == id_]
        tokens[:] = [one for one in tokens if one.id != id_]
    return found[0] if found else None


def parse_token_lifetime(written: str) -> timedelta:
    """The time from now on that is written such as 12h, 30d or 2w. Raises ValueError."""
    found = TOKEN_LIFETIME_PATTERN.fullmatch(written)
    if not found or not int(found[1]):
        raise ValueError(f"{written!r} is no span of time. Write hours, days or weeks: 12h, 30d or 2w.")
    return timedelta(**{TOKEN_LIFETIME_UNITS[found[2]]: int(found[1])})


def read_token_file(path: Path, mode: int) -> list[AccessToken]:
    """The tokens in a file of this mode. Raises FileError where others may read or write it."""
    if mode & 0o077:
        raise FileError(f"Others than its owner may open {path}. Close it to them: chmod 600 {path}")
    try:
        return [
            AccessToken(**one | {"scopes": tuple(one["scopes"])}) for one in json.loads(path.read_bytes())
        ]
    except OSError as error:
        raise FileError.from_os_error("The tokens", path, error) from error
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(f"{path} is damaged. Remove it, and make new tokens: wgig token new") from error


@contextmanager
def edit_token_file(path: Path) -> Iterator[list[AccessToken]]:
    """Around a change of the tokens in a file, while there is no other; the file is replaced as a whole.

    Raises FileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = read_token_file(path, path.stat().st_mode) if path.exists() else []
            yield tokens
            with open_durable_file(path) as file:
                file.write(json.dumps([asdict(one) for one in tokens], ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise FileError.from_os_error("The tokens", path, error) from error


# Bytes of a form in which a token is looked for, of those who may not write.
MAX_INSPECTED_FORM_BYTES = 64 * 1024
READ_ONLY_DETAIL = (
    "This service is read-only. Its operator opens it by `wgig token new`, or by setting WGIG_TOKEN to a "
    "secret of choice."
)
TOKEN_NEEDED_DETAIL = (
    "This needs a token. Send it as Authorization: Bearer <token>. "  # noqa: S105 - text of a refusal
    "If you sent one in the address or in the body, others may have read it: have it revoked."
)
UNKNOWN_TOKEN_DETAIL = (
    "This service knows no such token; it may be mistyped or revoked. "  # noqa: S105 - text of a refusal
    "Ask the operator for a new one."
)
log = logging.getLogger("wgig")


def authorize_request(request: "Request", tokens: TokenStore, *scopes: str) -> AccessToken:
    """The token of a request, which opens at least one of the scopes.

    Raises Problem 403 where the service is closed or the token opens none of them, 401 where the token is
    missing, wrong or expired, 400 where there are two, 503 where the tokens
    cannot be read.
    """
    return authorize_secret(tokens, lambda: get_bearer_secret(request), *scopes)


def authorize_secret(tokens: TokenStore, given: Callable[[], str], *scopes: str) -> AccessToken:
    """The token of the given secret, which opens one of the scopes. Raises as `authorize_request`."""
    try:
        if not tokens.has_tokens:
            raise Problem(403, READ_ONLY_DETAIL)
        token = tokens.find(given())
    except TokenVerificationError as error:
        if error.retry_after_seconds:
            raise Problem(503, str(error), headers={"Retry-After": str(error.retry_after_seconds)}) from error
        raise access_denied_problem(401, "invalid_token", f"{error} Ask for a new one.") from error
    except FileError as error:
        log.error("the tokens cannot be read: %s", error)
        raise Problem(503, "The tokens of this service cannot be read now. Its log says why.") from error
    if token is None:
        raise access_denied_problem(401, "invalid_token", UNKNOWN_TOKEN_DETAIL)
    if token.is_expired:
        raise access_denied_problem(
            401, "invalid_token", f"This token expired at {token.expires}. Ask for a new one."
        )
    if not set(scopes) & set(token.scopes):
        wanted = " or ".join(scopes)
        opens = ", ".join(token.scopes) or "nothing here"
        sentence = f"This token opens {opens}, and this needs {wanted}. Take another one."
        raise access_denied_problem(403, "insufficient_scope", sentence, f', scope="{scopes[0]}"')
    return token


def is_paper_writing_open(tokens: TokenStore) -> bool:
    """Whether somebody may write papers. Where the tokens cannot be read, who writes one is told that."""
    try:
        return tokens.has_token_for(*PAPER_WRITE_SCOPES)
    except FileError:
        return True


def get_bearer_secret(request: "Request") -> str:
    """The secret that a request carries. Raises Problem 401 where it carries none, 400 for two."""
    fields = request.headers.getlist("authorization")
    if len(fields) > 1:
        raise access_denied_problem(
            400, "invalid_request", "The request has two Authorization fields. Send one."
        )
    scheme, _, given = (fields[0] if fields else "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise Problem(401, TOKEN_NEEDED_DETAIL, headers={"WWW-Authenticate": BEARER_CHALLENGE})
    return given.strip()


def refuse_token_in_form(pairs: Pairs) -> None:
    """Raises Problem 400 where a token is among the fields of a form (RFC 6750, section 2.2)."""
    if any(key == ACCESS_TOKEN_PARAMETER for key, _ in pairs):
        raise Problem(400, LEAKED_TOKEN_DETAIL.format(where="body"), headers=MISPLACED_TOKEN_HEADERS)


async def refuse_token_in_body(request: "Request") -> None:
    """Raises Problem 400 where a small form has a token in place of the Authorization field.

    Whatever else is wrong with the form is for those who may write: then the body is read no more.
    """
    given = bodies.parse_content_type(request.headers.get("content-type", ""))
    length = request.headers.get("content-length", "")
    if (
        "authorization" in request.headers
        or not given
        or not length.isdigit()
        or int(length) > MAX_INSPECTED_FORM_BYTES
    ):
        return
    pairs: Pairs = []
    with suppress(Problem):
        if given.media_type == FORM_MEDIA_TYPE:
            pairs = bodies.parse_form(await bodies.read_request_body(request, MAX_INSPECTED_FORM_BYTES))
        elif given.media_type == MULTIPART_MEDIA_TYPE:
            body = await bodies.read_request_body(request, MAX_INSPECTED_FORM_BYTES)
            parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
            pairs = [(part.field, "") for part in parts]
    refuse_token_in_form(pairs)


def access_denied_problem(status: int, error: str, sentence: str, more: str = "") -> Problem:
    """The refusal that names an error of RFC 6750, section 3.1."""
    return Problem(
        status, sentence, headers={"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="{error}"{more}'}
    )
