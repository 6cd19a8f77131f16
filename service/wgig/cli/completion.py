"""`wgig completion`: the completion script of a shell, made from the arguments of all commands."""

import argparse

import shtab

from ..settings import Settings
from .parser import EXIT_OK, build_command_parser

# What completes an argument, by its name in the help, or else its name; shells complete others with nothing.
ARGUMENT_COMPLETIONS = {
    "FILE": shtab.FILE,
    "PATH": shtab.FILE,
    "query": shtab.FILE,
    "QUERY": shtab.FILE,
    "DIR": shtab.DIRECTORY,
    # shtab takes the results of functions with `_file` in their names for file names.
    "RULES": {"bash": "_wgig_rule_files", "zsh": "{_files; compadd owl2rl}"},
}
SHELL_PREAMBLES = {
    "bash": """
_wgig_rule_files() {
  compgen -f -- "$1"
  compgen -W owl2rl -- "$1"
}
"""
}


def run_completion(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the script. Exit code 0."""
    del settings
    parser = build_command_parser()
    add_completions(parser)
    print(shtab.complete(parser, arguments.shell, preamble=SHELL_PREAMBLES.get(arguments.shell, "")))
    return EXIT_OK


def add_completions(parser: argparse.ArgumentParser) -> None:
    """Add what completes them to the arguments of a parser, and of its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                add_completions(subparser)
        elif completion := ARGUMENT_COMPLETIONS.get(str(action.metavar or action.dest)):
            action.complete = completion  # type: ignore[attr-defined]  # as shtab documents
