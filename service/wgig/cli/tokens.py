"""`wgig token`: who may write to the service on a store, and what."""

import argparse
import json
import sys
from collections.abc import Callable

from ..http.auth import TokenStore, create_access_token, revoke_access_token
from ..problems import Problem
from ..settings import Settings
from .console import print_message, print_table

TOKEN_COLUMNS = ("id", "name", "scopes", "made", "expires")


def run_token(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make, list or revoke tokens; a service that runs on the store heeds it at once. Exit code 0.

    Raises Problem 404 for an unknown token, ValueError, FileError.
    """
    TOKEN_ACTION_RUNNERS[arguments.action](arguments, settings)
    return 0


def run_token_new(arguments: argparse.Namespace, settings: Settings) -> None:
    """Make a token and print its secret, and nothing else, on standard output."""
    secret, token = create_access_token(
        settings.token_file, arguments.scope, arguments.name, arguments.expires
    )
    until = f"until {token.expires}" if token.expires else "until it is revoked"
    print_message(
        f"Token {token.id} of {token.name} opens {', '.join(token.scopes)} {until}. It is shown only now."
    )
    print(secret)


def run_token_list(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print what is known of the tokens, which is not their secrets."""
    tokens = TokenStore(settings.token_file).list_tokens()
    rows = [
        (one.id, one.name, " ".join(one.scopes), one.made, format_token_end(one.expires, one.is_expired))
        for one in tokens
    ]
    if (arguments.format or ("table" if sys.stdout.isatty() else "json")) == "table":
        print_table(TOKEN_COLUMNS, rows)
    else:
        print(
            json.dumps(
                [dict(zip(TOKEN_COLUMNS, row, strict=True)) for row in rows], ensure_ascii=False, indent=1
            )
        )


def format_token_end(expires: str, expired: bool) -> str:
    """When a token ends, or that it did."""
    return f"{expires} (expired)" if expired else expires or "never"


def run_token_revoke(arguments: argparse.Namespace, settings: Settings) -> None:
    """Let a token open nothing any more."""
    token = revoke_access_token(settings.token_file, arguments.id)
    if token is None:
        raise Problem(404, f"There is no token {arguments.id}. `wgig token list` shows those that there are.")
    print_message(f"Token {token.id} of {token.name} opens nothing any more.")


TOKEN_ACTION_RUNNERS: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
    "new": run_token_new,
    "list": run_token_list,
    "revoke": run_token_revoke,
}
