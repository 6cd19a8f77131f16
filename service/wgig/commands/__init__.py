"""The commands of the shell, one module each; `cli` says what they are called with."""

import sys


def say(sentence: str) -> None:
    """Tell the user something beside the answer."""
    print(f"wgig: {sentence}", file=sys.stderr, flush=True)
