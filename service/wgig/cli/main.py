"""The command `wgig`: entry point, errors and exit codes.

Exit codes: 0 success; 1 a negative or empty result; 2 wrong arguments or unreadable input; 3 an error of the
environment (disk, port, network), or a bug. As in shells, the exit code after a signal is 128 plus the number
of the signal: 130 after Ctrl-C, 141 (SIGPIPE) if the reader of the output has exited.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ..text import defuse_ci_command, replace_control_characters
from .parser import EXIT_FAILED, EXIT_NO, EXIT_UNREADABLE, build_command_parser

# The module and function of each command. A module is imported when its command runs, so that --help is fast.
COMMAND_RUNNERS = {
    "backup": ("backup", "run_backup"),
    "bulk": ("bulk", "run_bulk"),
    "check": ("check", "run_check"),
    "cite": ("lookup", "run_cite"),
    "completion": ("completion", "run_completion"),
    "describe": ("lookup", "run_describe"),
    "dump": ("data", "run_dump"),
    "forget": ("forget", "run_forget"),
    "infer": ("infer", "run_infer"),
    "load": ("load", "run_load"),
    "mcp": ("mcp", "run_mcp"),
    "new": ("check", "run_new"),
    "queries": ("query", "run_queries"),
    "query": ("query", "run_query"),
    "release": ("release", "run_release"),
    "restore": ("backup", "run_restore"),
    "search": ("lookup", "run_search"),
    "serve": ("serve_start", "run_serve"),
    "stats": ("data", "run_stats"),
    "token": ("tokens", "run_token"),
    "verify": ("backup", "run_verify"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; print an error to standard error as one sentence."""
    arguments = build_command_parser().parse_args(argv)
    os.environ["PYTHONSAFEPATH"] = "1"  # child processes import nothing from the current folder
    if sys.stdout is None:
        print("wgig: Standard output is closed. Leave it open, or redirect it to /dev/null.", file=sys.stderr)
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
    """Import the module of the command, run it, and return the exit code."""
    from ..settings import Settings, iter_variable_errors  # noqa: PLC0415  not needed for --help
    from .console import print_message  # noqa: PLC0415

    for warning in iter_variable_errors(os.environ):
        print_message(warning)

    settings = Settings.from_arguments(arguments)
    runner = import_command_runner(arguments.command)
    try:
        code = runner(arguments, settings)
    except (OSError, RuntimeError, ValueError) as error:
        from ..store.errors import build_store_error, is_engine_damage  # noqa: PLC0415  not needed otherwise

        if is_engine_damage(error):
            raise build_store_error(error, settings.store) from error
        raise
    return code


def import_command_runner(command: str) -> Callable[..., int]:
    """The function of a command, whose module is imported.

    Garbage is not collected meanwhile: there is none, and looking for it takes a fifth of the time.
    """
    module, function = COMMAND_RUNNERS[command]
    gc.disable()
    try:
        runner: Callable[..., int] = getattr(import_module(f".{module}", __package__), function)
    finally:
        gc.enable()
    return runner


def discard_output() -> None:
    """Discard buffered output that cannot be written, so that the interpreter does not report it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: Exception | KeyboardInterrupt) -> int:
    """Print a message for an error, and return its exit code."""
    from ..files import FileError  # noqa: PLC0415
    from ..problems import Problem  # noqa: PLC0415
    from ..store.errors import StoreError  # noqa: PLC0415
    from .console import print_message  # noqa: PLC0415  not needed for --help
    from .files import bug_problem  # noqa: PLC0415

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
            text, code = f"{error.filename}: {error.strerror}. Give a file that can be read.", EXIT_UNREADABLE
        case ValueError() | SyntaxError():
            text, code = f"{error}", EXIT_UNREADABLE
        case OSError(strerror=str()):
            discard_output()
            text, code = f"{error.filename or 'The output'} cannot be written: {error.strerror}.", EXIT_FAILED
        case OSError():
            text, code = str(error), EXIT_FAILED
        case _:
            text, code = bug_problem(error).detail, EXIT_FAILED
    print_message(text)
    for line in replace_control_characters(excerpt).splitlines():
        print(defuse_ci_command(line), file=sys.stderr)
    return code
