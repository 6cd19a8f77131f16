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

from ..files import FileError, durable
from ..problems import Problem
from . import bodies
from .bodies import FORM, MULTIPART, Pairs

if TYPE_CHECKING:  # costs 120 ms, and the shell needs none
    from fastapi import Request

SCOPES = {
    "papers": "write the graphs of papers, each checked first",
    "graphs": "write any graph, papers checked first",
    "update": "run SPARQL Update",
    "admin": "see and stop the queries of others",
    "metrics": "read the figures of the service (`/metrics`)",
}
OF_PAPERS = ("graphs", "papers")  # the scopes that open the graphs of papers; the second opens these alone
BEGINNING = "wgig_"  # by which people and scanners know a token that lies about
FIELD = "access_token"  # where RFC 6750 lets a token stand in a form or an address, and we do not
JWT = rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"  # how one begins that a provider of identities made
IN_ADDRESS = re.compile(rb"(?:^|&)%s=|%s[\w-]{43}|%s" % (FIELD.encode(), BEGINNING.encode(), JWT))
LEAKED = (
    "A token stands in the {where}, where logs and others can read it. Have it revoked now "
    "(wgig token revoke), and send a new one as Authorization: Bearer <token>."
)
CHALLENGE = 'Bearer realm="wgig"'
MISPLACED = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_request"'}  # RFC 6750, section 3.1
SPAN = re.compile(r"(\d{1,5})([hdw])")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Token:
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
    def expired(self) -> bool:
        """Whether its time is over."""
        return bool(self.expires) and datetime.fromisoformat(self.expires) <= datetime.now(UTC)


class NotVouchedError(Exception):
    """Nobody vouches for a token, and why; where `again`, that may be otherwise in so many seconds."""

    def __init__(self, why: str, again: int = 0) -> None:
        """Say why."""
        super().__init__(why)
        self.again = again


class Voucher(Protocol):
    """Who vouches for tokens that are kept nowhere here."""

    scopes: frozenset[str]  # what these may open

    def vouched(self, secret: str) -> Token:
        """The token with this secret. Raises NotVouchedError."""


class Tokens:
    """The tokens of a service: those in a file, and the one of its settings.

    Others there may be for which somebody vouches.
    """

    def __init__(self, path: Path | None, secret: str = "", voucher: Voucher | None = None) -> None:
        """Take the file (None: there is none), and the secret that opens all (empty: none)."""
        self.voucher = voucher
        self.path = path
        self.fix(secret)
        self.kept: list[Token] = []
        self.read: tuple[int, ...] = ()

    def fix(self, secret: str) -> None:
        """Let this be the secret of the settings."""
        self.fixed = [Token("setting", "WGIG_TOKEN", digest(secret), (*SCOPES,), "")] if secret else []

    def all(self) -> list[Token]:
        """All tokens, as they are now: the file is read again when it was changed. Raises FileError."""
        if self.path is None:
            return self.fixed
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return self.fixed
        except OSError as error:
            raise FileError.of("The tokens", self.path, error) from error
        mark = (there.st_ino, there.st_mtime_ns, there.st_size, there.st_mode)
        if mark != self.read:
            self.kept = read(self.path, there.st_mode)
            self.read = mark
        return self.fixed + self.kept

    def opens(self, *scopes: str) -> bool:
        """Whether a token may open at least one of the scopes now. Raises FileError."""
        return bool(self.voucher and self.voucher.scopes & set(scopes)) or any(
            set(scopes) & set(one.scopes) and not one.expired for one in self.all()
        )

    @property
    def is_open(self) -> bool:
        """Whether there can be any token. Raises FileError."""
        return bool(self.voucher or self.all())

    def find(self, secret: str) -> Token | None:
        """The token with this secret, be it expired. Takes as long whatever the secret of one that is kept.

        Raises FileError, and NotVouchedError for what looks like one for which somebody might vouch.
        """
        given = digest(secret)
        found = [one for one in self.all() if secrets.compare_digest(one.digest, given)]
        if not found and self.voucher and secret.count(".") == 2:
            return self.voucher.vouched(secret)
        return found[0] if found else None


def in_address(query: bytes) -> bool:
    """Whether a token stands in a query string."""
    return IN_ADDRESS.search(query) is not None


def digest(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new(path: Path, scopes: Sequence[str], name: str = "", expires: str = "") -> tuple[str, Token]:
    """Make a token and keep it; the secret, which is kept nowhere, and the token.

    Raises ValueError for a time that is none, FileError.
    """
    secret, now = f"{BEGINNING}{secrets.token_urlsafe(32)}", datetime.now(UTC)
    id_ = secrets.token_hex(4)
    until = (now + span(expires)).isoformat(timespec="seconds") if expires else ""
    made = now.isoformat(timespec="seconds")
    token = Token(id_, name or id_, digest(secret), tuple(dict.fromkeys(scopes)), made, until)
    with changing(path) as tokens:
        tokens.append(token)
    return secret, token


def revoke(path: Path, id_: str) -> Token | None:
    """Take a token out; None where there is none of this id. Raises FileError."""
    with changing(path) as tokens:
        found = [one for one in tokens if one.id == id_]
        tokens[:] = [one for one in tokens if one.id != id_]
    return found[0] if found else None


def span(written: str) -> timedelta:
    """The time from now on that is written such as 12h, 30d or 2w. Raises ValueError."""
    found = SPAN.fullmatch(written)
    if not found or not int(found[1]):
        raise ValueError(f"{written!r} is no span of time. Write hours, days or weeks: 12h, 30d or 2w.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def read(path: Path, mode: int) -> list[Token]:
    """The tokens in a file of this mode. Raises FileError where others may read or write it."""
    if mode & 0o077:
        raise FileError(f"Others than its owner may open {path}. Close it to them: chmod 600 {path}")
    try:
        return [Token(**one | {"scopes": tuple(one["scopes"])}) for one in json.loads(path.read_bytes())]
    except OSError as error:
        raise FileError.of("The tokens", path, error) from error
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(f"{path} is damaged. Remove it, and make new tokens: wgig token new") from error


@contextmanager
def changing(path: Path) -> Iterator[list[Token]]:
    """Around a change of the tokens in a file, while there is no other; the file is replaced as a whole.

    Raises FileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = read(path, path.stat().st_mode) if path.exists() else []
            yield tokens
            with durable(path) as file:
                file.write(json.dumps([asdict(one) for one in tokens], ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise FileError.of("The tokens", path, error) from error


LARGEST = 64 * 1024  # bytes of a form in which a token is looked for, of those who may not write
CLOSED = (
    "This service is read-only. Its operator opens it by `wgig token new`, or by setting WGIG_TOKEN to a "
    "secret of choice."
)
NEEDED = (
    "This needs a token. Send it as Authorization: Bearer <token>. If you sent one in the address or in the "
    "body, others may have read it: have it revoked."
)
UNKNOWN = "This service knows no such token; it may be mistyped or revoked. Ask the operator for a new one."
log = logging.getLogger("wgig")


def may(request: "Request", *scopes: str) -> Token:
    """The token of a request, which opens at least one of the scopes.

    Raises Problem 403 where the service is closed or the token opens none of them, 401 where the token is
    missing, wrong or expired, 400 where there are two, 503 where the tokens
    cannot be read.
    """
    return opened(request.app.state.tokens, lambda: secret(request), *scopes)


def opened(tokens: Tokens, given: Callable[[], str], *scopes: str) -> Token:
    """The token with the secret that is given, which opens at least one of the scopes. Raises as `may`."""
    try:
        if not tokens.is_open:
            raise Problem(403, CLOSED)
        token = tokens.find(given())
    except NotVouchedError as error:
        if error.again:
            raise Problem(503, str(error), headers={"Retry-After": str(error.again)}) from error
        raise denied(401, "invalid_token", f"{error} Ask for a new one.") from error
    except FileError as error:
        log.error("the tokens cannot be read: %s", error)
        raise Problem(503, "The tokens of this service cannot be read now. Its log says why.") from error
    if token is None:
        raise denied(401, "invalid_token", UNKNOWN)
    if token.expired:
        raise denied(401, "invalid_token", f"This token expired at {token.expires}. Ask for a new one.")
    if not set(scopes) & set(token.scopes):
        wanted = " or ".join(scopes)
        opens = ", ".join(token.scopes) or "nothing here"
        sentence = f"This token opens {opens}, and this needs {wanted}. Take another one."
        raise denied(403, "insufficient_scope", sentence, f', scope="{scopes[0]}"')
    return token


def takes_papers(request: "Request") -> bool:
    """Whether somebody may write papers. Where the tokens cannot be read, who writes one is told that."""
    tokens: Tokens = request.app.state.tokens
    try:
        return tokens.opens(*OF_PAPERS)
    except FileError:
        return True


def secret(request: "Request") -> str:
    """The secret that a request carries. Raises Problem 401 where it carries none, 400 for two."""
    fields = request.headers.getlist("authorization")
    if len(fields) > 1:
        raise denied(400, "invalid_request", "The request has two Authorization fields. Send one.")
    scheme, _, given = (fields[0] if fields else "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise Problem(401, NEEDED, headers={"WWW-Authenticate": CHALLENGE})
    return given.strip()


def refuse_in_form(pairs: Pairs) -> None:
    """Raises Problem 400 where a token is among the fields of a form (RFC 6750, section 2.2)."""
    if any(key == FIELD for key, _ in pairs):
        raise Problem(400, LEAKED.format(where="body"), headers=MISPLACED)


async def refuse_in_body(request: "Request") -> None:
    """Raises Problem 400 where a small form has a token in place of the Authorization field.

    Whatever else is wrong with the form is for those who may write: then the body is read no more.
    """
    given = bodies.parse_content_type(request.headers.get("content-type", ""))
    length = request.headers.get("content-length", "")
    if "authorization" in request.headers or not given or not length.isdigit() or int(length) > LARGEST:
        return
    pairs: Pairs = []
    with suppress(Problem):
        if given.media_type == FORM:
            pairs = bodies.parse_form(await bodies.read(request, LARGEST))
        elif given.media_type == MULTIPART:
            body = await bodies.read(request, LARGEST)
            parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
            pairs = [(part.field, "") for part in parts]
    refuse_in_form(pairs)


def denied(status: int, error: str, sentence: str, more: str = "") -> Problem:
    """The refusal that names an error of RFC 6750, section 3.1."""
    return Problem(status, sentence, headers={"WWW-Authenticate": f'{CHALLENGE}, error="{error}"{more}'})
