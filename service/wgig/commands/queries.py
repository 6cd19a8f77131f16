"""`wgig queries`: the example queries, as a list or one as text."""

import argparse
import sys

from ..examples import example, examples
from ..settings import Settings
from . import show


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the list, in a pipe by lines of name, tab, question; or the text of the query that is named.

    Exit code 0. Raises Problem 404.
    """
    del settings
    if arguments.name:
        print(example(arguments.name).text, end="")
    elif not sys.stdout.isatty():
        for one in examples():
            print(one.name, one.question, sep="\t")
    else:
        show(["name", "question"], ((one.name, one.question) for one in examples()))
    return 0
