"""What steers a terminal, turns the direction of writing, or commands a CI job: no stranger may bring it."""

import re

LONGEST = 1000  # characters of a text of a stranger that are repeated

# Control characters but for tab and line feed, other ends of lines, and what turns the direction of writing.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# What begins a command in the log of GitHub Actions: `::error::…`, indented or not, or `##[error]…` anywhere.
COMMAND = re.compile(r"^(\s*)::|##\[")


def harmless(text: str) -> str:
    """The text with each such character replaced by U+FFFD."""
    return STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def cut(text: str, longest: int = LONGEST) -> str:
    """The text as it can be shown: harmless, and a long one cut, with an ellipsis."""
    return harmless(text if len(text) <= longest else f"{text[: longest - 1]}…")


def inert(line: str) -> str:
    """The line with U+FFFD in place of the sign that would make it a command of a CI job."""
    return COMMAND.sub("\\1\N{REPLACEMENT CHARACTER}", line)


def one_line(text: str) -> str:
    """The text in one line that neither steers nor commands."""
    return inert(harmless(text).replace("\n", " "))
