"""The words of Turtle and its relatives: one regular expression, linear in the size of the text."""

import re

NAME = r"0-9A-Za-z_:%\-\u0080-\U0010ffff"
BLANK = NAME.replace(":", "")
LOCAL = rf"(?:[{NAME}]++|\\.|\.++(?=[{NAME}\\]))*+"
_IRI = rf"<[^<>\s]*+>|[{NAME}]{LOCAL}"
_SPACE = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"
_SILENT = (
    rf"@[A-Za-z0-9-]++|\^\^{_SPACE}(?:{_IRI})|(?i:prefix)(?=[ \t\r\n#]){_SPACE}[{NAME}.]*+{_SPACE}<[^>]*+>"
    rf"|(?i:base){_SPACE}<[^>]*+>|(?i:graph)(?![{NAME}.\\])"
)
_TERM = (
    rf"_:[{BLANK}]++(?:\.++[{BLANK}]++)*+"
    r"|[+-]?(?:[0-9]++(?:\.[0-9]++|\.(?=[eE]))?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
    rf"|{_IRI}"
)
_TEXT = (
    r'"""(?:[^"\\]++|\\.|""?(?!"))*+"""'
    r'|"(?!"")(?:[^"\\\r\n]++|\\.)*+"'
    r"|'''(?:[^'\\]++|\\.|''?(?!'))*+'''"
    r"|'(?!'')(?:[^'\\\r\n]++|\\.)*+'"
)
_PUNCTUATION = r"[\[\]()};,.]|\{(?!\|)"

# In the order of their groups; what is none of them is no syntax of RDF 1.1.
SILENT, TERM, STRING, PUNCTUATION = range(1, 5)
SPACE = re.compile(rf"\ufeff?{_SPACE}")
TOKEN = re.compile(rf"(?:({_SILENT})|({_TERM})|({_TEXT})|({_PUNCTUATION})|.){_SPACE}", re.DOTALL)


def begin(text: str) -> int:
    """The offset of the first token."""
    return found.end() if (found := SPACE.match(text)) else 0
