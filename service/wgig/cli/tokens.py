"""`wgig token`: create, list and revoke access tokens for the service."""

import argparse
import json
import sys
from collections.abc import Callable

from ..http.auth import TokenStore, create_access_token, revoke_access_token
from ..problems import Problem
from ..settings import Settings
from .console import print_message, print_table

# The keys of a token in JSON, and the columns of the table.
TOKEN_COLUMNS = ("id", "name", "scopes", "made", "expires")


def run_token(arguments: argparse.Namespace, settings: Settings) -> int:
    """Create, list or revoke tokens; a running service applies changes immediately. Exit code 0.

    Raises Problem 404 for an unknown token, ValueError for an invalid lifetime, FileError for the token file,
    StoreError for the store of a backup.
    """
    if arguments.action != "list":
        from ..store.folder import check_not_in_backup  # noqa: PLC0415 - costs 60 ms

        check_not_in_backup(settings.store)
    TOKEN_ACTION_RUNNERS[arguments.action](arguments, settings)
    return 0


def run_token_new(arguments: argparse.Namespace, settings: Settings) -> None:
    """Create a token. Print its secret to standard output, and a description to standard error."""
    secret, token = create_access_token(
        settings.token_file, arguments.scope, arguments.name, arguments.expires
    )
    validity = f"until {token.expires}" if token.expires else "until it is revoked"
    print_message(
        f"Token {token.id} of {token.name} allows {', '.join(token.scopes)} {validity}. "
        "Copy it now: it is not shown again."
    )
    print(secret)


def run_token_list(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the tokens without their secrets."""
    tokens = TokenStore(settings.token_file).list_tokens()
    rows = [
        (
            token.id,
            token.name,
            " ".join(token.scopes),
            token.made,
            format_token_end(token.expires, token.is_expired),
        )
        for token in tokens
    ]
    if (arguments.format or ("table" if sys.stdout.isatty() else "json")) == "table":
        print_table(TOKEN_COLUMNS, rows)
    else:
        print(
            json.dumps(
                [dict(zip(TOKEN_COLUMNS, row, strict=True)) for row in rows], ensure_ascii=False, indent=1
            )
        )


def format_token_end(expires: str, is_expired: bool) -> str:
    """The expiry time of a token, and whether it has expired."""
    return f"{expires} (expired)" if is_expired else expires or "never"


def run_token_revoke(arguments: argparse.Namespace, settings: Settings) -> None:
    """Revoke a token. Raises Problem 404 if there is none with this ID."""
    token = revoke_access_token(settings.token_file, arguments.id)
    if token is None:
        raise Problem(404, f"There is no token {arguments.id}. `wgig token list` shows all tokens.")
    print_message(f"Token {token.id} of {token.name} was revoked.")


TOKEN_ACTION_RUNNERS: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
    "new": run_token_new,
    "list": run_token_list,
    "revoke": run_token_revoke,
}
