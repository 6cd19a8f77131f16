"""`wgig new`: the beginning of a paper, to be filled in."""

import argparse
import sys
from pathlib import Path

from ..problems import Problem
from ..settings import Settings
from ..skeleton import skeleton
from . import refuse_without_folder, say


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the skeleton of a paper on an issue into a new file, or to standard output.

    Exit code 0. Raises Problem 400 for an unknown issue, and where the file is there already or no folder is.
    """
    del settings
    issue = arguments.issue.lower()
    try:
        text = skeleton(issue)
    except Problem as unknown:  # here an issue is no thing to look up, but part of the call
        raise Problem(400, unknown.detail) from unknown
    if arguments.output == "-":
        sys.stdout.write(text)
        return 0
    path = Path(arguments.output or f"{issue}.md")
    refuse_without_folder(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Problem(
            400, f"{path} is there already. Name another file with --output. For standard output: --output -"
        ) from error
    say(f"Wrote {path}. Fill it in, then: wgig check {path}")
    return 0
