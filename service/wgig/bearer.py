"""Who may do what: the token that a request carries, where it must stand (RFC 6750)."""

import logging

from fastapi import Request

from .bodies import Pairs
from .problems import Problem
from .store import StoreError
from .tokens import FIELD, LEAKED, Token, Tokens

CHALLENGE = 'Bearer realm="wgig"'
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
    tokens: Tokens = request.app.state.tokens
    try:
        if not tokens.all():
            raise Problem(403, CLOSED)
        token = tokens.find(secret(request))
    except StoreError as error:
        log.error("the tokens cannot be read: %s", error)
        raise Problem(503, "The tokens of this service cannot be read now. Its log says why.") from error
    if token is None:
        raise denied(401, "invalid_token", UNKNOWN)
    if token.expired:
        raise denied(401, "invalid_token", f"This token expired at {token.expires}. Ask for a new one.")
    if not set(scopes) & set(token.scopes):
        wanted = " or ".join(scopes)
        sentence = f"This token opens {', '.join(token.scopes)}, and this needs {wanted}. Take another one."
        raise denied(403, "insufficient_scope", sentence, f', scope="{scopes[0]}"')
    return token


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
    """Raises Problem 400 where a token is among the fields of a form."""
    if any(key == FIELD for key, _ in pairs):
        raise Problem(400, LEAKED.format(where="body"))


def denied(status: int, error: str, sentence: str, more: str = "") -> Problem:
    """The refusal that names an error of RFC 6750, section 3.1."""
    return Problem(status, sentence, headers={"WWW-Authenticate": f'{CHALLENGE}, error="{error}"{more}'})
