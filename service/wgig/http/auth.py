"""Bearer tokens: the token file, scopes and expiry, and authorization of requests (RFC 6750).

The file contains only the SHA-256 of each token. A slow hash would add no protection: it protects passwords
that people choose, but a token has 256 random bits, which nobody can guess. A fast hash can be computed for
each request. A file that other users can read or write is refused.

A token is accepted only in the Authorization header. RFC 6750 also allows a form field (section 2.2) and the
query string (section 2.3); both are refused with 400, because they end up in logs. Tokens of an identity
provider (JWT) are verified by `oidc`.
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
from typing import TYPE_CHECKING, Any, Protocol

from ..files import FileError, open_durable_file
from ..problems import Problem
from ..settings import open_token_file_message, read_settings_lines
from . import bodies
from .bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, Pairs

if TYPE_CHECKING:  # costs 120 ms, and commands do not need it
    from fastapi import Request

TOKEN_SCOPES = {
    "papers": "write the graphs of papers, which are checked first",
    "graphs": "write any graph; papers are checked first",
    "update": "run SPARQL Update",
    "admin": "list and cancel the queries of other clients",
    "metrics": "read the metrics of the service (`/metrics`)",
}
# The scopes that allow writing the graphs of papers; the second allows nothing else.
PAPER_WRITE_SCOPES = ("graphs", "papers")
# Lets people and secret scanners recognize a leaked token.
TOKEN_PREFIX = "wgig_"  # noqa: S105  the prefix of all tokens
# RFC 6750 allows this parameter in forms and URLs; here it is refused.
ACCESS_TOKEN_PARAMETER = "access_token"  # noqa: S105  the name of a parameter
JWT_REGEX = rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"  # a token of an identity provider
TOKEN_IN_QUERY_PATTERN = re.compile(
    rb"(?:^|&)%s=|%s[\w-]{43}|%s" % (ACCESS_TOKEN_PARAMETER.encode(), TOKEN_PREFIX.encode(), JWT_REGEX)
)
LEAKED_TOKEN_DETAIL = (
    "The {where} contains a token, which others can read, for example in logs. "  # noqa: S105  a message
    "Have it revoked now (wgig token revoke), and send a new one as Authorization: Bearer <token>."
)
BEARER_CHALLENGE = 'Bearer realm="wgig"'
# The error code is from RFC 6750, section 3.1.
MISPLACED_TOKEN_HEADERS = {"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="invalid_request"'}
DIGEST_PATTERN = re.compile(r"[0-9a-f]{64}")
TOKEN_LIFETIME_PATTERN = re.compile(r"(\d{1,5})([hdw])")
TOKEN_LIFETIME_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class AccessToken:
    """A stored token: the name of its holder, the SHA-256 of the secret, and its scopes.

    `made` and `expires` are ISO 8601 times in UTC; a token with an empty `expires` never expires.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    made: str
    expires: str = ""

    @property
    def is_expired(self) -> bool:
        """Whether the token has expired."""
        return bool(self.expires) and datetime.fromisoformat(self.expires) <= datetime.now(UTC)


class TokenVerificationError(Exception):
    """A token cannot be verified; the message says why."""

    def __init__(self, reason: str, retry_after_seconds: int = 0) -> None:
        """Store the reason; the verification may succeed after `retry_after_seconds`, or never if it is 0."""
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class TokenVerifier(Protocol):
    """Verifies tokens that are not in the token file, such as those of an identity provider."""

    scopes: frozenset[str]  # the scopes that tokens of this verifier can have

    def verify(self, secret: str) -> AccessToken:
        """The verified token for a secret. Raises TokenVerificationError."""


class TokenStore:
    """The tokens of a service: those in the token file and that of the setting WGIG_TOKEN.

    A verifier accepts tokens of an identity provider as well.
    """

    def __init__(
        self,
        path: Path | None,
        secret: str = "",
        verifier: TokenVerifier | None = None,
        settings_file: Path | None = None,
    ) -> None:
        """`path` is the token file, `secret` a token with all scopes, which `settings_file` may contain.

        All of them are optional.
        """
        self.verifier, self.settings_file = verifier, settings_file
        self.path = path
        self.set_settings_secret(secret)
        self.file_tokens: list[AccessToken] = []
        self.file_version: tuple[int, ...] = ()
        self.logged_error: object = None  # the last FileError that was logged, and the versions of the files

    def set_settings_secret(self, secret: str) -> None:
        """Replace the secret of the setting WGIG_TOKEN; empty removes it."""
        self.settings_tokens = (
            [AccessToken("setting", "WGIG_TOKEN", hash_secret(secret), (*TOKEN_SCOPES,), "")]
            if secret
            else []
        )

    def list_tokens(self) -> list[AccessToken]:
        """All current tokens; the file is read again if it has changed.

        Raises FileError, also if other users can open a settings file that contains a token.
        """
        if self.settings_tokens and self.settings_file:
            check_settings_file_mode(self.settings_file)
        if self.path is None:
            return self.settings_tokens
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return self.settings_tokens
        except OSError as error:
            raise FileError.from_os_error("The tokens", self.path, error) from error
        file_version = (stat.st_ino, stat.st_mtime_ns, stat.st_size, stat.st_mode)
        if file_version != self.file_version:
            self.file_tokens = read_token_file(self.path, stat.st_mode)
            self.file_version = file_version
        return self.settings_tokens + self.file_tokens

    def log_file_error(self, error: FileError) -> None:
        """Log why the tokens cannot be read, once per version of the files: each write could log it again."""
        versions = [read_file_version(path) for path in (self.path, self.settings_file) if path]
        if self.logged_error != (str(error), versions):
            self.logged_error = (str(error), versions)
            log.error("the tokens cannot be read: %s", error)

    def has_token_for(self, *scopes: str) -> bool:
        """Whether an unexpired token, or tokens of the verifier, have one of the scopes. Raises FileError."""
        return bool(self.verifier and self.verifier.scopes & set(scopes)) or any(
            set(scopes) & set(token.scopes) and not token.is_expired for token in self.list_tokens()
        )

    @property
    def has_tokens(self) -> bool:
        """Whether there is any token or a verifier. Raises FileError."""
        return bool(self.verifier or self.list_tokens())

    def find(self, secret: str) -> AccessToken | None:
        """The token with this secret, even if it has expired. The digests are compared in constant time.

        Raises FileError, and TokenVerificationError for a secret that looks like a JWT but cannot be
        verified.
        """
        digest = hash_secret(secret)
        matches = [token for token in self.list_tokens() if secrets.compare_digest(token.digest, digest)]
        if not matches and self.verifier and secret.count(".") == 2:
            return self.verifier.verify(secret)
        return matches[0] if matches else None


def read_file_version(path: Path) -> tuple[int, ...]:
    """Numbers that differ after each change of a file or of its mode; empty if there is no such file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_ctime_ns


def has_token_in_query(query: bytes) -> bool:
    """Whether a query string contains a token."""
    return TOKEN_IN_QUERY_PATTERN.search(query) is not None


def hash_secret(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_access_token(
    path: Path, scopes: Sequence[str], name: str = "", expires: str = ""
) -> tuple[str, AccessToken]:
    """Add a new token to the token file. Returns its secret, which is not stored, and the token.

    `expires` is a lifetime such as 30d. Raises ValueError for an invalid lifetime, and FileError.
    """
    secret, now = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}", datetime.now(UTC)
    id_ = secrets.token_hex(4)
    expires_at = (now + parse_token_lifetime(expires)).isoformat(timespec="seconds") if expires else ""
    made_at = now.isoformat(timespec="seconds")
    token = AccessToken(
        id_, name or id_, hash_secret(secret), tuple(dict.fromkeys(scopes)), made_at, expires_at
    )
    with edit_token_file(path) as tokens:
        tokens.append(token)
    return secret, token


def revoke_access_token(path: Path, id_: str) -> AccessToken | None:
    """Remove a token from the token file and return it; None if no token has this ID. Raises FileError."""
    with edit_token_file(path) as tokens:
        removed = [token for token in tokens if token.id == id_]
        tokens[:] = [token for token in tokens if token.id != id_]
    return removed[0] if removed else None


def parse_token_lifetime(text: str) -> timedelta:
    """The duration of a lifetime such as 12h, 30d or 2w. Raises ValueError."""
    match = TOKEN_LIFETIME_PATTERN.fullmatch(text)
    if not match or not int(match[1]):
        raise ValueError(f"{text!r} is not a lifetime. Give hours, days or weeks, such as 12h, 30d or 2w.")
    return timedelta(**{TOKEN_LIFETIME_UNITS[match[2]]: int(match[1])})


def check_settings_file_mode(path: Path) -> None:
    """Raise FileError if users other than its owner can open a settings file that contains a token.

    Also if they can open one with an invalid line: it may contain a token.
    """
    try:
        if path.stat().st_mode & 0o077 and "WGIG_TOKEN" in read_settings_lines(path):
            raise FileError(open_token_file_message(path))
    except OSError:
        return  # the settings that were read from it before still apply
    except ValueError as error:
        raise FileError(f"The settings in {path} cannot be read: {error}") from error


def read_token_file(path: Path, mode: int) -> list[AccessToken]:
    """The tokens in a file with this mode.

    Raises FileError if other users can read or write it, or if it is damaged.
    """
    if mode & 0o077:
        raise FileError(open_token_file_message(path))
    try:
        entries = list(json.loads(path.read_bytes()))
    except OSError as error:
        raise FileError.from_os_error("The tokens", path, error) from error
    except (ValueError, TypeError) as error:
        raise FileError(f"{path} is damaged. Remove it, and create new tokens: wgig token new") from error
    tokens: list[AccessToken] = []
    for number, entry in enumerate(entries, 1):
        try:
            tokens.append(parse_token_entry(entry))
        except (ValueError, TypeError, KeyError) as error:
            raise FileError(
                f"{path} is damaged: entry {number} is not a token ({error}). Remove the entry, and "
                "create a new token: wgig token new"
            ) from error
    return tokens


def parse_token_entry(entry: dict[str, Any]) -> AccessToken:
    """The token in an entry of the token file. Raises KeyError, TypeError or ValueError for others."""
    token = AccessToken(**entry | {"scopes": tuple(entry["scopes"])})
    texts = (token.id, token.name, token.made, token.expires, *token.scopes)
    if not isinstance(entry["scopes"], list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a name, time or scope is not a string")
    if not DIGEST_PATTERN.fullmatch(token.digest):
        raise ValueError("the digest is not a SHA-256 in hexadecimal")
    if token.expires and datetime.fromisoformat(token.expires).tzinfo is None:
        raise ValueError(f"{token.expires!r} is not a time with an offset from UTC")
    return token


@contextmanager
def edit_token_file(path: Path) -> Iterator[list[AccessToken]]:
    """The tokens of a file, to be changed in the block under a lock; the file is then replaced atomically.

    Raises FileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = read_token_file(path, path.stat().st_mode) if path.exists() else []
            yield tokens
            with open_durable_file(path) as file:
                file.write(
                    json.dumps([asdict(token) for token in tokens], ensure_ascii=False, indent=1).encode()
                )
    except OSError as error:
        raise FileError.from_os_error("The tokens", path, error) from error


# Forms sent without an Authorization header are searched for tokens up to this size.
MAX_INSPECTED_FORM_BYTES = 64 * 1024
READ_ONLY_DETAIL = (
    "This service is read-only. Its operator can enable writing with `wgig token new`, or by "
    "setting WGIG_TOKEN to a secret."
)
TOKEN_NEEDED_DETAIL = (
    "This needs a token. Send it as Authorization: Bearer <token>. "  # noqa: S105  a message
    "If you sent one in the URL or in the body, others may have read it: have it revoked."
)
UNKNOWN_TOKEN_DETAIL = (
    "This token is unknown. It may have been mistyped or revoked. "  # noqa: S105  a message
    "Ask the operator for a new one."
)
log = logging.getLogger("wgig")


def authorize_request(request: "Request", tokens: TokenStore, *scopes: str) -> AccessToken:
    """The token of a request, which has at least one of the scopes.

    Raises Problem 403 if the service is read-only or the token has none of the scopes, 401 if the token is
    missing, unknown or expired, 400 if the request has two tokens, 503 if the token file cannot be read.
    """
    return authorize_secret(tokens, lambda: get_bearer_secret(request), *scopes)


def authorize_secret(tokens: TokenStore, get_secret: Callable[[], str], *scopes: str) -> AccessToken:
    """The token of a secret, which has at least one of the scopes. Raises Problem as `authorize_request`.

    `get_secret` is called only if the service has tokens.
    """
    try:
        if not tokens.has_tokens:
            raise Problem(403, READ_ONLY_DETAIL)
        token = tokens.find(get_secret())
    except TokenVerificationError as error:
        if error.retry_after_seconds:
            raise Problem(503, str(error), headers={"Retry-After": str(error.retry_after_seconds)}) from error
        raise access_denied_problem(
            401, "invalid_token", f"{error} Ask the operator for a new one."
        ) from error
    except FileError as error:
        tokens.log_file_error(error)
        raise Problem(
            503,
            "This service cannot read its tokens at the moment. Its log gives the reason. Try again later.",
        ) from error
    if token is None:
        raise access_denied_problem(401, "invalid_token", UNKNOWN_TOKEN_DETAIL)
    if token.is_expired:
        raise access_denied_problem(
            401, "invalid_token", f"This token expired at {token.expires}. Ask the operator for a new one."
        )
    if not set(scopes) & set(token.scopes):
        needed = " or ".join(scopes)
        granted = ", ".join(token.scopes) or "none"
        detail = f"This needs the scope {needed}, but this token has {granted}. Use another token."
        raise access_denied_problem(403, "insufficient_scope", detail, f', scope="{scopes[0]}"')
    return token


def is_paper_writing_open(tokens: TokenStore) -> bool:
    """Whether any token allows writing papers. True if the tokens cannot be read: the write reports that."""
    try:
        return tokens.has_token_for(*PAPER_WRITE_SCOPES)
    except FileError:
        return True


def get_bearer_secret(request: "Request") -> str:
    """The bearer token of a request. Raises Problem 401 if there is none, 400 if there are two."""
    header_values = request.headers.getlist("authorization")
    if len(header_values) > 1:
        raise access_denied_problem(
            400, "invalid_request", "The request has more than one Authorization header. Send one."
        )
    scheme, _, secret = (header_values[0] if header_values else "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Problem(401, TOKEN_NEEDED_DETAIL, headers={"WWW-Authenticate": BEARER_CHALLENGE})
    return secret.strip()


def refuse_token_in_form(pairs: Pairs) -> None:
    """Raise Problem 400 if a form contains a token (RFC 6750, section 2.2)."""
    if any(key == ACCESS_TOKEN_PARAMETER for key, _ in pairs):
        raise Problem(400, LEAKED_TOKEN_DETAIL.format(where="body"), headers=MISPLACED_TOKEN_HEADERS)


async def refuse_token_in_body(request: "Request") -> None:
    """Raise Problem 400 if a small form contains a token and there is no Authorization header.

    Other errors in the form are ignored here: they are reported only to authorized clients.
    """
    content_type = bodies.parse_content_type(request.headers.get("content-type", ""))
    length = request.headers.get("content-length", "")
    if (
        "authorization" in request.headers
        or not content_type
        or not length.isdigit()
        or int(length) > MAX_INSPECTED_FORM_BYTES
    ):
        return
    pairs: Pairs = []
    with suppress(Problem):
        if content_type.media_type == FORM_MEDIA_TYPE:
            pairs = bodies.parse_form(await bodies.read_request_body(request, MAX_INSPECTED_FORM_BYTES))
        elif content_type.media_type == MULTIPART_MEDIA_TYPE:
            body = await bodies.read_request_body(request, MAX_INSPECTED_FORM_BYTES)
            parts = bodies.parse_multipart(body, content_type.parameters.get("boundary", ""))
            pairs = [(part.field_name, "") for part in parts]
    refuse_token_in_form(pairs)


def access_denied_problem(status: int, error: str, detail: str, challenge_suffix: str = "") -> Problem:
    """The Problem with a WWW-Authenticate challenge; `error` is an error code of RFC 6750, section 3.1."""
    return Problem(
        status,
        detail,
        headers={"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="{error}"{challenge_suffix}'},
    )
