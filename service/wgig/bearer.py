"""Who may do what: the token that a request carries, where it must stand (RFC 6750)."""

import logging
from collections.abc import Callable
from contextlib import suppress

from fastapi import Request

from . import bodies
from .bodies import FORM, MULTIPART, Pairs
from .problems import Problem
from .store import StoreError
from .tokens import CHALLENGE, FIELD, LEAKED, MISPLACED, OF_PAPERS, NotVouchedError, Token, Tokens

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


def may(request: Request, *scopes: str) -> Token:
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
    except StoreError as error:
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


def takes_papers(request: Request) -> bool:
    """Whether somebody may write papers. Where the tokens cannot be read, who writes one is told that."""
    tokens: Tokens = request.app.state.tokens
    try:
        return tokens.opens(*OF_PAPERS)
    except StoreError:
        return True


def secret(request: Request) -> str:
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


async def refuse_in_body(request: Request) -> None:
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
