"""Whether RDF/XML is well-formed and harmless XML, which the engine itself does not ask.

The engine takes a document that breaks off for a whole one, and expands entities without bound: some hundred
bytes can become gigabytes. What it takes for an entity may even stand in a comment, so that the whole text of
the document type declaration is judged.
"""

import re
from xml.parsers import expat

LONGEST_TYPE = 64 * 1024  # characters of a document type declaration
DEEPEST = 200  # elements within one another: the engine's time grows with the square
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
        if self.depth > DEEPEST:
            self.refuse(f"more than {DEEPEST} elements stand within one another")

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


def check(document: bytes) -> None:
    """Raise SyntaxError with line and column where a whole document is not well-formed or not harmless."""
    watch = WellFormed()
    watch.feed(document)
    watch.feed(b"")
