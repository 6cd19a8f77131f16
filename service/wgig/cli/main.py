"""The command `wgig`: how it runs, and how it ends.

Exit codes: 0 all is well; 1 the answer is no, or nothing was found; 2 the input cannot be read or the call is
wrong; 3 the surroundings fail (disk, port, network), or we do. As in shells, a signal that ends the
command makes 128 and its number: 130 after Ctrl-C, 141 (SIGPIPE) when the reader of the output goes away.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from ..text import defuse_ci_command, replace_control_characters
from .parser import EXIT_FAILED, EXIT_NO, EXIT_UNREADABLE, build_command_parser

# The module of each command and its function, imported when the command is called: help must come at once.
COMMAND_RUNNERS = {
    "backup": ("backup", "run_backup"),
    "bulk": ("bulk", "run_bulk"),
    "check": ("check", "run_check"),
    "dump": ("data", "run_dump"),
    "load": ("data", "run_load"),
    "mcp": ("mcp", "run_mcp"),
    "new": ("check", "run_new"),
    "queries": ("query", "run_queries"),
    "query": ("query", "run_query"),
    "restore": ("backup", "run_restore"),
    "serve": ("serve", "run_serve"),
    "stats": ("data", "run_stats"),
    "token": ("tokens", "run_token"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what goes wrong is said in a sentence on standard error."""
    arguments = build_command_parser().parse_args(argv)
    os.environ["PYTHONSAFEPATH"] = "1"  # processes that we start import nothing from the folder we are in
    if sys.stdout is None:
        print("wgig: Standard output is closed. Leave it open, or send it to /dev/null.", file=sys.stderr)
        return EXIT_FAILED
    try:
        code = run_command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt as interrupt:
        return print_error(interrupt)
    except Exception as error:
        if os.environ.get("WGIG_DEBUG"):
            raise
        return print_error(error)
    return code


def run_command(arguments: argparse.Namespace) -> int:
    """Import the module of the command and run it."""
    from ..settings import Settings, iter_unknown_variables  # noqa: PLC0415  help must come at once
    from .console import print_message  # noqa: PLC0415

    for sentence in iter_unknown_variables(os.environ):
        print_message(sentence)

    settings = Settings.from_arguments(arguments)
    module, function = COMMAND_RUNNERS[arguments.command]
    code: int = getattr(import_module(f".{module}", __package__), function)(arguments, settings)
    return code


def discard_output() -> None:
    """Throw away what is not printed yet, as nobody takes it; the interpreter must not complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: Exception | KeyboardInterrupt) -> int:
    """Say what an error means, and return the exit code for it."""
    from ..files import FileError  # noqa: PLC0415
    from ..problems import Problem  # noqa: PLC0415
    from ..store.errors import StoreError  # noqa: PLC0415
    from .console import print_message  # noqa: PLC0415  help must come at once
    from .files import mistake_problem  # noqa: PLC0415

    excerpt = ""
    match error:
        case KeyboardInterrupt():
            text, code = str(error) or "Stopped.", 128 + signal.SIGINT
        case Problem():
            text, excerpt = error.detail, str(error.members.get("excerpt") or "")
            code = EXIT_NO if error.status == 404 else EXIT_UNREADABLE
        case StoreError() | FileError():
            text, code = str(error), EXIT_FAILED
        case FileNotFoundError() | IsADirectoryError():
            text, code = f"{error.filename}: {error.strerror}. Name a file that can be read.", EXIT_UNREADABLE
        case ValueError() | SyntaxError():
            text, code = f"{error}", EXIT_UNREADABLE
        case OSError(strerror=str()):
            discard_output()
            text, code = f"{error.filename or 'The output'} cannot be written: {error.strerror}.", EXIT_FAILED
        case OSError():
            text, code = str(error), EXIT_FAILED
        case _:
            text, code = mistake_problem(error).detail, EXIT_FAILED
    print_message(text)
    for line in replace_control_characters(excerpt).splitlines():
        print(defuse_ci_command(line), file=sys.stderr)
    return code
