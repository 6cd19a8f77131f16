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

MAX_DOCTYPE_CHARACTERS = 64 * 1024  # characters of a document type declaration
MAX_XML_DEPTH = 200  # elements within one another: the engine's time grows with the square
MAX_ELEMENT_ATTRIBUTES = 500  # of an element, for the same reason
# Bytes of UTF-8 that no XML document may hold (XML 1.0, section 2.2).
FORBIDDEN_XML_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
NESTED_ENTITY_PATTERN = re.compile(r"&(?!#|(?:lt|gt|amp|quot|apos);)")


class XmlChecker:
    """Watches the bytes of one XML document go by. External entities are never fetched."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self.begin_doctype
        self.parser.EndDoctypeDeclHandler = self.end_doctype
        self.parser.StartElementHandler = self.begin_element
        self.parser.EndElementHandler = self.end_element
        self.doctype = ""
        self.depth = 0
        self.is_ended = False

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes; none: the end. Raises SyntaxError with line and column."""
        if self.is_ended:
            return
        self.is_ended = not data
        try:
            self.parser.Parse(bytes(data), self.is_ended)
        except expat.ExpatError as error:
            said = f"this is not well-formed XML: {expat.ErrorString(error.code)}"
            raise build_xml_error(said, error.lineno, error.offset) from error
        except LookupError as error:
            raise build_xml_error(
                f"the encoding is not known: {error}; save the file as UTF-8", 1, 0
            ) from error

    def begin_element(self, _: str, attributes: dict[str, str]) -> None:
        """An element begins. Raises SyntaxError where too many are open, or it has too many attributes."""
        self.depth += 1
        if len(attributes) > MAX_ELEMENT_ATTRIBUTES:
            self.refuse(f"an element has more than {MAX_ELEMENT_ATTRIBUTES} attributes")
        if self.depth > MAX_XML_DEPTH:
            self.refuse(f"more than {MAX_XML_DEPTH} elements stand within one another")

    def end_element(self, _: str) -> None:
        """An element ends."""
        self.depth -= 1

    def begin_doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """A document type declaration begins."""
        del name, internal
        self.parser.DefaultHandlerExpand = self.continue_doctype
        self.continue_doctype(f"{system}{public}")

    def continue_doctype(self, text: str) -> None:
        """Take a piece of the declaration. Raises SyntaxError where it could grow without bound."""
        self.doctype += text
        if NESTED_ENTITY_PATTERN.search(text):
            self.refuse("an entity may not refer to another entity here; write its text out")
        if len(self.doctype) > MAX_DOCTYPE_CHARACTERS:
            self.refuse(
                f"the DOCTYPE is longer than {MAX_DOCTYPE_CHARACTERS} characters; write its entities out"
            )

    def end_doctype(self) -> None:
        """The declaration is over; how far its entities expand is bounded by the parser."""
        self.parser.DefaultHandlerExpand = None

    def refuse(self, why: str) -> None:
        """Raise the SyntaxError for where the parser is."""
        raise build_xml_error(why, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)


def build_xml_error(why: str, line: int, offset: int) -> SyntaxError:
    """A fault at a line and at a column that is counted from 0."""
    return SyntaxError(why, (None, line, offset + 1, None))


def check_xml(document: bytes) -> None:
    """Raise SyntaxError with line and column where a whole document is not well-formed or not harmless."""
    watch = XmlChecker()
    watch.feed(document)
    watch.feed(b"")


MAX_BRACKET_DEPTH = 100  # brackets; a paper needs a handful

# Texts, addresses and comments may hold any brackets. One that is not closed goes on to the end of its line
# or of the whole.
BRACKETLESS_REGEX = r"""
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
BRACKET_PATTERN = re.compile(
    rf"(?:{BRACKETLESS_REGEX})*+(?:(<<|[(\[{{])|>>|[)\]}}]|\Z)", re.VERBOSE | re.DOTALL
)


def check_brackets(text: str) -> None:
    """Raise SyntaxError with line and column where the brackets of a text in an RDF syntax are too many."""
    if sum(map(text.count, "([{<")) <= MAX_BRACKET_DEPTH:
        return
    depth = 0
    for bracket in BRACKET_PATTERN.finditer(text):
        depth = depth + 1 if bracket[1] else max(0, depth - 1)
        if depth > MAX_BRACKET_DEPTH:
            line, column = TextLines(text).locate(bracket.start(1))
            raise SyntaxError(
                f"more than {MAX_BRACKET_DEPTH} brackets are open here", (None, line, column, None)
            )


MAX_CONTEXT_TERMS = 3000  # terms of all contexts of a document together; that of schema.org has 2,900


class MemberCount(int):
    """How many members an object has, with those of the objects in it."""


class ContextTermCounter:
    """Counts the terms of contexts while JSON is read."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.count = 0

    def count_object(self, pairs: list[tuple[str, Any]]) -> MemberCount:
        """Take an object, in which those within are counted already."""
        sizes = [count_json_members(value) for _, value in pairs]
        self.count += sum(size for (key, _), size in zip(pairs, sizes, strict=True) if key == "@context")
        return MemberCount(len(pairs) + sum(sizes))


def count_json_members(value: Any) -> int:
    """How many members the objects in a value have."""
    if isinstance(value, list):
        return sum(map(count_json_members, value))
    return value if isinstance(value, MemberCount) else 0


def check_jsonld_contexts(document: str) -> None:
    """Raise SyntaxError where a document has too many terms, or is nested too deeply even to count them.

    One that is no JSON is left to the engine.
    """
    check_brackets(document)
    terms = ContextTermCounter()
    try:
        json.loads(document, object_pairs_hook=terms.count_object)
    except ValueError:
        return
    if terms.count > MAX_CONTEXT_TERMS:
        raise SyntaxError(
            f"the contexts define more than {MAX_CONTEXT_TERMS} terms; name only those that are used"
        )
