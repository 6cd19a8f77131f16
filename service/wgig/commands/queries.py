"""`wgig queries`: the example queries, as a list or one as text."""

import argparse

from ..examples import example, examples
from ..settings import Settings
from . import show


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the list, or the text of the query that is named. Exit code 0. Raises Problem 404."""
    del settings
    if arguments.name:
        print(example(arguments.name).text, end="")
    else:
        show(["name", "question"], ((one.name, one.question) for one in examples()))
    return 0
