"""Characters that steer a terminal or turn the direction of writing: no text of a stranger may bring them."""

import re

# Control characters but for tab and line feed, and those that turn the direction of writing.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text with each such character replaced by U+FFFD."""
    return STEERING.sub("\N{REPLACEMENT CHARACTER}", text)
