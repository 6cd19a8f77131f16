"""`wgig token`: who may write to the service on a store, and what."""

import argparse
import json
import sys
from collections.abc import Callable

from ..http.auth import Tokens, new, revoke
from ..problems import Problem
from ..settings import Settings
from .console import say, show

COLUMNS = ("id", "name", "scopes", "made", "expires")


def run_token(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make, list or revoke tokens; a service that runs on the store heeds it at once. Exit code 0.

    Raises Problem 404 for an unknown token, ValueError, FileError.
    """
    ACTIONS[arguments.action](arguments, settings)
    return 0


def make(arguments: argparse.Namespace, settings: Settings) -> None:
    """Make a token and print its secret, and nothing else, on standard output."""
    secret, token = new(settings.token_file, arguments.scope, arguments.name, arguments.expires)
    until = f"until {token.expires}" if token.expires else "until it is revoked"
    say(f"Token {token.id} of {token.name} opens {', '.join(token.scopes)} {until}. It is shown only now.")
    print(secret)


def list_(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print what is known of the tokens, which is not their secrets."""
    tokens = Tokens(settings.token_file).all()
    rows = [
        (one.id, one.name, " ".join(one.scopes), one.made, ending(one.expires, one.expired)) for one in tokens
    ]
    if (arguments.format or ("table" if sys.stdout.isatty() else "json")) == "table":
        show(COLUMNS, rows)
    else:
        print(
            json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], ensure_ascii=False, indent=1)
        )


def ending(expires: str, expired: bool) -> str:
    """When a token ends, or that it did."""
    return f"{expires} (expired)" if expired else expires or "never"


def take_back(arguments: argparse.Namespace, settings: Settings) -> None:
    """Let a token open nothing any more."""
    token = revoke(settings.token_file, arguments.id)
    if token is None:
        raise Problem(404, f"There is no token {arguments.id}. `wgig token list` shows those that there are.")
    say(f"Token {token.id} of {token.name} opens nothing any more.")


ACTIONS: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
    "new": make,
    "list": list_,
    "revoke": take_back,
}
