"""Limits on untrusted RDF, checked before pyoxigraph parses it, because pyoxigraph has none.

RDF/XML must be well-formed: pyoxigraph accepts truncated documents and expands entities without limit, so
that a few hundred bytes can become gigabytes (billion laughs). It may even read text in a comment as an
entity declaration, so the whole document type declaration is checked. External entities are never fetched.
Element depth and attributes per element are limited, as the parsing time of pyoxigraph grows with their
square.

JSON-LD may define at most 3000 terms in all its contexts together, because pyoxigraph recurses for each;
the context of schema.org has 2900. Brackets may nest at most 100 deep in JSON-LD and in papers to validate:
pyoxigraph copies its state for each open bracket, so that a few hundred kilobytes of brackets could exhaust
memory.

All checks raise SyntaxError, with line and column except for too many terms.
"""

import json
import re
from typing import Any
from xml.parsers import expat

from ..text import TextLines

MAX_DOCTYPE_CHARACTERS = 64 * 1024
MAX_XML_DEPTH = 200  # nested elements: parsing time grows with the square
MAX_ELEMENT_ATTRIBUTES = 500  # for the same reason
# UTF-8 bytes of characters that XML does not allow (XML 1.0, section 2.2).
FORBIDDEN_XML_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
NESTED_ENTITY_PATTERN = re.compile(r"&(?!#|(?:lt|gt|amp|quot|apos);)")


class XmlChecker:
    """Checks an XML document as its bytes arrive. External entities are never fetched."""

    def __init__(self) -> None:
        """Set up the parser at the start of a document."""
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self.begin_doctype
        self.parser.EndDoctypeDeclHandler = self.end_doctype
        self.parser.StartElementHandler = self.begin_element
        self.parser.EndElementHandler = self.end_element
        self.doctype = ""
        self.depth = 0
        self.is_ended = False

    def feed(self, data: bytes | memoryview) -> None:
        """Check the next bytes; empty bytes mark the end. Raises SyntaxError with line and column."""
        if self.is_ended:
            return
        self.is_ended = not data
        try:
            self.parser.Parse(bytes(data), self.is_ended)
        except expat.ExpatError as error:
            message = f"this is not well-formed XML: {expat.ErrorString(error.code)}"
            raise build_xml_error(message, error.lineno, error.offset) from error
        except LookupError as error:
            raise build_xml_error(f"unknown encoding: {error}; save the file as UTF-8", 1, 0) from error

    def begin_element(self, _: str, attributes: dict[str, str]) -> None:
        """Handle a start tag. Raises SyntaxError for too many nested elements or attributes."""
        self.depth += 1
        if len(attributes) > MAX_ELEMENT_ATTRIBUTES:
            self.refuse(f"an element has more than {MAX_ELEMENT_ATTRIBUTES} attributes")
        if self.depth > MAX_XML_DEPTH:
            self.refuse(f"more than {MAX_XML_DEPTH} nested elements")

    def end_element(self, _: str) -> None:
        """Handle an end tag."""
        self.depth -= 1

    def begin_doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """Handle the start of a document type declaration."""
        del name, internal
        self.parser.DefaultHandlerExpand = self.continue_doctype
        self.continue_doctype(f"{system}{public}")

    def continue_doctype(self, text: str) -> None:
        """Check more of the declaration. Raises SyntaxError for nested entities or excessive length."""
        self.doctype += text
        if NESTED_ENTITY_PATTERN.search(text):
            self.refuse("an entity must not refer to another entity; write out its text")
        if len(self.doctype) > MAX_DOCTYPE_CHARACTERS:
            self.refuse(
                f"the DOCTYPE is longer than {MAX_DOCTYPE_CHARACTERS} characters; write out its entities"
            )

    def end_doctype(self) -> None:
        """Handle the end of the declaration. Expat itself limits the expansion of its entities."""
        self.parser.DefaultHandlerExpand = None

    def refuse(self, reason: str) -> None:
        """Raise SyntaxError at the current position of the parser."""
        raise build_xml_error(reason, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)


def build_xml_error(reason: str, line: int, offset: int) -> SyntaxError:
    """A SyntaxError at a line counted from 1 and an offset in it counted from 0."""
    return SyntaxError(reason, (None, line, offset + 1, None))


def check_xml(document: bytes) -> None:
    """Raise SyntaxError with line and column if a document is not well-formed or exceeds the limits."""
    checker = XmlChecker()
    checker.feed(document)
    checker.feed(b"")


MAX_BRACKET_DEPTH = 100  # open brackets; papers need fewer than ten

# Literals, IRIs and comments may contain any brackets. If one is not closed, it extends to the end of its
# line or of the document.
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
    """Raise SyntaxError with line and column if brackets in an RDF text nest too deeply."""
    if sum(map(text.count, "([{<")) <= MAX_BRACKET_DEPTH:
        return
    depth = 0
    for bracket in BRACKET_PATTERN.finditer(text):
        depth = depth + 1 if bracket[1] else max(0, depth - 1)
        if depth > MAX_BRACKET_DEPTH:
            line, column = TextLines(text).locate(bracket.start(1))
            raise SyntaxError(
                f"more than {MAX_BRACKET_DEPTH} brackets are open at this point", (None, line, column, None)
            )


MAX_CONTEXT_TERMS = 3000  # in all contexts of a document together; the context of schema.org has 2,900


class MemberCount(int):
    """The number of members of a JSON object and those nested in it; replaces the object during parsing."""


class ContextTermCounter:
    """Counts the terms defined in contexts, as the `object_pairs_hook` of the JSON parser."""

    def __init__(self) -> None:
        """Start at zero."""
        self.count = 0

    def count_object(self, pairs: list[tuple[str, Any]]) -> MemberCount:
        """Count an object whose nested objects are already replaced by their counts."""
        sizes = [count_json_members(value) for _, value in pairs]
        self.count += sum(size for (key, _), size in zip(pairs, sizes, strict=True) if key == "@context")
        return MemberCount(len(pairs) + sum(sizes))


def count_json_members(value: Any) -> int:
    """The number of members of the objects in a value."""
    if isinstance(value, list):
        return sum(map(count_json_members, value))
    return value if isinstance(value, MemberCount) else 0


def check_jsonld_contexts(document: str) -> None:
    """Raise SyntaxError if a document defines too many terms, or is nested too deeply.

    Invalid JSON is not reported here but by pyoxigraph.
    """
    check_brackets(document)
    counter = ContextTermCounter()
    try:
        json.loads(document, object_pairs_hook=counter.count_object)
    except ValueError:
        return
    if counter.count > MAX_CONTEXT_TERMS:
        raise SyntaxError(
            f"the contexts define more than {MAX_CONTEXT_TERMS} terms; keep only the terms that are used"
        )
