"""Limits on untrusted RDF that are checked before the engine parses it, as the engine has none.

RDF/XML must be well-formed: the engine accepts a truncated document and expands entities without bound, so
that some hundred bytes can become gigabytes (billion laughs). It may even take text in a comment for an
entity declaration, so the whole document type declaration is judged. External entities are never fetched.
Element depth and attributes per element are bounded, as the time of the engine grows with their square.

JSON-LD may define at most 3000 terms in all its contexts together, because the engine recurses along them;
the context of schema.org has 2900. Brackets in Turtle and its relatives may nest at most 100 deep: the engine
copies its state for each open bracket, so that some hundred kilobytes of brackets could exhaust memory.

All checks raise SyntaxError with line and column.
"""

import json
import re
from typing import Any
from xml.parsers import expat

from ..text import TextLines

LONGEST_TYPE = 64 * 1024  # characters of a document type declaration
MAX_XML_DEPTH = 200  # elements within one another: the engine's time grows with the square
MOST_ATTRIBUTES = 500  # of an element, for the same reason
# Bytes of UTF-8 that no XML document may hold (XML 1.0, section 2.2).
NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
NESTED = re.compile(r"&(?!#|(?:lt|gt|amp|quot|apos);)")


class WellFormed:
    """Watches the bytes of one XML document go by. External entities are never fetched."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self.type_begins
        self.parser.EndDoctypeDeclHandler = self.type_ends
        self.parser.StartElementHandler = self.opens
        self.parser.EndElementHandler = self.closes
        self.type = ""
        self.depth = 0
        self.ended = False

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes; none: the end. Raises SyntaxError with line and column."""
        if self.ended:
            return
        self.ended = not data
        try:
            self.parser.Parse(bytes(data), self.ended)
        except expat.ExpatError as error:
            said = f"this is not well-formed XML: {expat.ErrorString(error.code)}"
            raise fault(said, error.lineno, error.offset) from error
        except LookupError as error:
            raise fault(f"the encoding is not known: {error}; save the file as UTF-8", 1, 0) from error

    def opens(self, _: str, attributes: dict[str, str]) -> None:
        """An element begins. Raises SyntaxError where too many are open, or it has too many attributes."""
        self.depth += 1
        if len(attributes) > MOST_ATTRIBUTES:
            self.refuse(f"an element has more than {MOST_ATTRIBUTES} attributes")
        if self.depth > MAX_XML_DEPTH:
            self.refuse(f"more than {MAX_XML_DEPTH} elements stand within one another")

    def closes(self, _: str) -> None:
        """An element ends."""
        self.depth -= 1

    def type_begins(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """A document type declaration begins."""
        del name, internal
        self.parser.DefaultHandlerExpand = self.type_goes_on
        self.type_goes_on(f"{system}{public}")

    def type_goes_on(self, text: str) -> None:
        """Take a piece of the declaration. Raises SyntaxError where it could grow without bound."""
        self.type += text
        if NESTED.search(text):
            self.refuse("an entity may not refer to another entity here; write its text out")
        if len(self.type) > LONGEST_TYPE:
            self.refuse(f"the DOCTYPE is longer than {LONGEST_TYPE} characters; write its entities out")

    def type_ends(self) -> None:
        """The declaration is over; how far its entities expand is bounded by the parser."""
        self.parser.DefaultHandlerExpand = None

    def refuse(self, why: str) -> None:
        """Raise the SyntaxError for where the parser is."""
        raise fault(why, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)


def fault(why: str, line: int, offset: int) -> SyntaxError:
    """A fault at a line and at a column that is counted from 0."""
    return SyntaxError(why, (None, line, offset + 1, None))


def check_xml(document: bytes) -> None:
    """Raise SyntaxError with line and column where a whole document is not well-formed or not harmless."""
    watch = WellFormed()
    watch.feed(document)
    watch.feed(b"")


MAX_BRACKET_DEPTH = 100  # brackets; a paper needs a handful

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


def check_brackets(text: str) -> None:
    """Raise SyntaxError with line and column where the brackets of a text in an RDF syntax are too many."""
    if sum(map(text.count, "([{<")) <= MAX_BRACKET_DEPTH:
        return
    depth = 0
    for bracket in BRACKET.finditer(text):
        depth = depth + 1 if bracket[1] else max(0, depth - 1)
        if depth > MAX_BRACKET_DEPTH:
            line, column = TextLines(text).place(bracket.start(1))
            raise SyntaxError(
                f"more than {MAX_BRACKET_DEPTH} brackets are open here", (None, line, column, None)
            )


MOST = 3000  # terms of all contexts of a document together; that of schema.org has 2,900


class Members(int):
    """How many members an object has, with those of the objects in it."""


class Terms:
    """Counts the terms of contexts while JSON is read."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.count = 0

    def take(self, pairs: list[tuple[str, Any]]) -> Members:
        """Take an object, in which those within are counted already."""
        sizes = [members(value) for _, value in pairs]
        self.count += sum(size for (key, _), size in zip(pairs, sizes, strict=True) if key == "@context")
        return Members(len(pairs) + sum(sizes))


def members(value: Any) -> int:
    """How many members the objects in a value have."""
    if isinstance(value, list):
        return sum(map(members, value))
    return value if isinstance(value, Members) else 0


def check_contexts(document: str) -> None:
    """Raise SyntaxError where a document has too many terms, or is nested too deeply even to count them.

    One that is no JSON is left to the engine.
    """
    check_brackets(document)
    terms = Terms()
    try:
        json.loads(document, object_pairs_hook=terms.take)
    except ValueError:
        return
    if terms.count > MOST:
        raise SyntaxError(f"the contexts define more than {MOST} terms; name only those that are used")
