"""`wgig completion`: the completion script of a shell, made from the arguments of all commands."""

import argparse

import shtab

from ..settings import Settings
from .parser import EXIT_OK, build_command_parser


def run_completion(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the script. Exit code 0."""
    del settings
    print(shtab.complete(build_command_parser(), arguments.shell))
    return EXIT_OK
