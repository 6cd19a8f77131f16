"""The tokens that open writing: who they were given to, what they open, and until when.

Of a token the file holds the SHA-256 alone. A slow hash would protect nothing more: it makes guessing dear
where people choose the secret, and nobody guesses 256 random bits. A fast one can be asked at each request.
"""

import fcntl
import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from .durable import durable
from .opening import StoreError, refusal

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
        """All tokens, as they are now: the file is read again when it was changed. Raises StoreError."""
        if self.path is None:
            return self.fixed
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return self.fixed
        except OSError as error:
            raise refusal(error, self.path.parent) from error
        mark = (there.st_ino, there.st_mtime_ns, there.st_size, there.st_mode)
        if mark != self.read:
            self.kept = read(self.path, there.st_mode)
            self.read = mark
        return self.fixed + self.kept

    def opens(self, *scopes: str) -> bool:
        """Whether a token may open at least one of the scopes now. Raises StoreError."""
        return bool(self.voucher and self.voucher.scopes & set(scopes)) or any(
            set(scopes) & set(one.scopes) and not one.expired for one in self.all()
        )

    @property
    def is_open(self) -> bool:
        """Whether there can be any token. Raises StoreError."""
        return bool(self.voucher or self.all())

    def find(self, secret: str) -> Token | None:
        """The token with this secret, be it expired. Takes as long whatever the secret of one that is kept.

        Raises StoreError, and NotVouchedError for what looks like one for which somebody might vouch.
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

    Raises ValueError for a time that is none, StoreError.
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
    """Take a token out; None where there is none of this id. Raises StoreError."""
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
    """The tokens in a file of this mode. Raises StoreError where others may read or write it."""
    if mode & 0o077:
        raise StoreError(f"Others than its owner may open {path}. Close it to them: chmod 600 {path}")
    try:
        return [Token(**one | {"scopes": tuple(one["scopes"])}) for one in json.loads(path.read_bytes())]
    except OSError as error:
        raise refusal(error, path.parent) from error
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is damaged. Remove it, and make new tokens: wgig token new") from error


@contextmanager
def changing(path: Path) -> Iterator[list[Token]]:
    """Around a change of the tokens in a file, while there is no other; the file is replaced as a whole.

    Raises StoreError.
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
        raise refusal(error, path.parent) from error
