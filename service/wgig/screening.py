"""Tell the queries that need no closer look: most of them, and a look takes longer than many answers do.

What passes here is left by `admission` as it is, and its form is what `sparql` says; a test holds them
against each other. What does not pass may be as harmless.
"""

import re

_SPACE = r"[ \t\r\n]"
_IRI = r'<[^<>"{}|^`\\\x00-\x20]*>'
_BEGIN = re.compile(
    rf"(?:{_SPACE}|\#[^\r\n]*+[\r\n]|BASE{_SPACE}*+{_IRI}|PREFIX{_SPACE}++[^\s:<>\#\\]*+:{_SPACE}*+{_IRI})*+"
    rf"(?P<form>SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])",
    re.IGNORECASE | re.ASCII,
)
_REFUSED = ("service", "load", "from")  # keywords that are looked at, wherever they stand
_OPENING = ("(", "[", "{", "<<", "!")  # what adds to the depth
_COMMENT = re.compile(r"(?:^|[\s;.,{}()\[\]])#")
# An IRI that the engine may take for less-than and something, but for where no operand stands before it.
_MISREAD = re.compile(rf"""(?:^|[^\s(,=;{{]){_SPACE}*+<[^<>"{{}}|^`\\\x00-\x20]*[#'(\[!]""")


def form_of(text: str, nesting: int) -> str:
    """The form of a query that needs no closer look; empty for any other text.

    Such a query calls nobody, names no graphs of its own, nests no deeper than `nesting`, and is not misread.
    """
    begin = _BEGIN.match(text)
    if begin is None:
        return ""
    lowered = text.lower()
    if any(word in lowered for word in _REFUSED) or sum(map(text.count, _OPENING)) > nesting:
        return ""
    rest = text[begin.end() :]
    if "(" in rest and (_COMMENT.search(rest) or _MISREAD.search(rest)):
        return ""
    return begin["form"].upper()
