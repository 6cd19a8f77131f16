"""What XML can hold of the texts of strangers."""

import re

# What no document may hold (XML 1.0, section 2.2).
UNKNOWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text, each character that XML does not know replaced by U+FFFD."""
    return UNKNOWN.sub("\N{REPLACEMENT CHARACTER}", text)
