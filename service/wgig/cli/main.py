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

from ..text import harmless, inert
from .parser import FAILED, NO, UNREADABLE, parser

# The module of each command and its function, imported when the command is called: help must come at once.
RUNNERS = {
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
    arguments = parser().parse_args(argv)
    os.environ["PYTHONSAFEPATH"] = "1"  # processes that we start import nothing from the folder we are in
    if sys.stdout is None:
        print("wgig: Standard output is closed. Leave it open, or send it to /dev/null.", file=sys.stderr)
        return FAILED
    try:
        code = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt as interrupt:
        return refuse(interrupt)
    except Exception as error:
        if os.environ.get("WGIG_DEBUG"):
            raise
        return refuse(error)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Import the module of the command and run it."""
    from ..settings import Settings, unknown  # noqa: PLC0415  help must come at once
    from .console import say  # noqa: PLC0415

    for sentence in unknown(os.environ):
        say(sentence)

    settings = Settings.called_with(arguments)
    module, function = RUNNERS[arguments.command]
    code: int = getattr(import_module(f".{module}", __package__), function)(arguments, settings)
    return code


def forget_output() -> None:
    """Throw away what is not printed yet, as nobody takes it; the interpreter must not complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refuse(error: Exception | KeyboardInterrupt) -> int:
    """Say what an error means, and return the exit code for it."""
    from ..files import FileError  # noqa: PLC0415
    from ..problems import Problem  # noqa: PLC0415
    from ..store.errors import StoreError  # noqa: PLC0415
    from .console import say  # noqa: PLC0415  help must come at once
    from .files import mistake  # noqa: PLC0415

    excerpt = ""
    match error:
        case KeyboardInterrupt():
            text, code = str(error) or "Stopped.", 128 + signal.SIGINT
        case Problem():
            text, excerpt = error.detail, str(error.members.get("excerpt") or "")
            code = NO if error.status == 404 else UNREADABLE
        case StoreError() | FileError():
            text, code = str(error), FAILED
        case FileNotFoundError() | IsADirectoryError():
            text, code = f"{error.filename}: {error.strerror}. Name a file that can be read.", UNREADABLE
        case ValueError() | SyntaxError():
            text, code = f"{error}", UNREADABLE
        case OSError(strerror=str()):
            forget_output()
            text, code = f"{error.filename or 'The output'} cannot be written: {error.strerror}.", FAILED
        case OSError():
            text, code = str(error), FAILED
        case _:
            text, code = mistake(error).detail, FAILED
    say(text)
    for line in harmless(excerpt).splitlines():
        print(inert(line), file=sys.stderr)
    return code
