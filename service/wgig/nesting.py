"""How deeply brackets stand within one another, found out before a parser follows them.

The engine keeps a copy of what it knows for each bracket that is open: some hundred kilobytes of brackets
could take all memory.
"""

import re

from .lines import Lines

DEEPEST = 100  # brackets; a paper needs a handful

# Texts, addresses and comments may hold any brackets. One that is not closed goes on to the end of its line
# or of the whole.
QUIET = r"""
    [^"'<>\#\\()\[\]{}]++
  | \\.
  | "{3}(?:[^"\\]++|\\.|"{1,2}+(?!"))*+(?:"{3}|\Z)
  | "(?:[^"\\\r\n]++|\\.)*+"?
  | '{3}(?:[^'\\]++|\\.|'{1,2}+(?!'))*+(?:'{3}|\Z)
  | '(?:[^'\\\r\n]++|\\.)*+'?
  | \#[^\r\n]*+
  | <[^<>\s]*+>
  | <(?!<) | >(?!>)
"""
BRACKET = re.compile(rf"(?:{QUIET})*+(?:(<<|[(\[{{])|>>|[)\]}}]|\Z)", re.VERBOSE | re.DOTALL)


def check(text: str) -> None:
    """Raise SyntaxError with line and column where the brackets of a text in an RDF syntax are too many."""
    if sum(map(text.count, "([{<")) <= DEEPEST:
        return
    depth = 0
    for bracket in BRACKET.finditer(text):
        depth = depth + 1 if bracket[1] else max(0, depth - 1)
        if depth > DEEPEST:
            line, column = Lines(text).place(bracket.start(1))
            raise SyntaxError(f"more than {DEEPEST} brackets are open here", (None, line, column, None))
