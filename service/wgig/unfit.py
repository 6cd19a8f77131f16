"""What a format cannot write: the engine says so in its own words, or writes it all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from xml.parsers import expat

from .formats import CSV, JSON_RESULTS, N_TRIPLES, PLAIN_XML, RDF_XML, TSV, TURTLE, XML_RESULTS
from .problems import Problem
from .wellformed import NOT_IN_XML

XML = (PLAIN_XML.media_type, RDF_XML.media_type, XML_RESULTS.media_type)
SERIALIZERS = ("RDF/XML", "JSON-LD")  # one of which the engine names when it cannot go on


class UnfitError(Problem):
    """The 406 for a format that has no way to write something."""

    def __init__(self, why: str, media_type: str) -> None:
        """What cannot be written in the format of this media type."""
        self.why = why
        others = (JSON_RESULTS, CSV, TSV) if media_type == XML_RESULTS.media_type else (TURTLE, N_TRIPLES)
        types = [one.media_type for one in others]
        sentence = f"This cannot be written as {media_type}: {why}. Ask for one of: {', '.join(types)}."
        super().__init__(406, sentence, offered=types)


@contextmanager
def told(media_type: str) -> Iterator[None]:
    """Around the writing of a format. Raises UnfitError where the engine says that it cannot."""
    try:
        yield
    except OSError as error:
        if error.errno is None and str(error).startswith(SERIALIZERS):
            raise UnfitError(str(error), media_type) from error
        raise


class Watch:
    """Looks at what is written in a format. Raises UnfitError where no parser could read it."""

    def __init__(self, media_type: str) -> None:
        """Begin before the first byte."""
        self.media_type = media_type
        self.is_xml = media_type in XML
        # A name may be none in the eyes of a parser that knows namespaces, such as that of <http://x.org/1>.
        self.parser = (
            expat.ParserCreate(namespace_separator=" ") if media_type == RDF_XML.media_type else None
        )
        self.before = b""

    def feed(self, piece: bytes | bytearray) -> None:
        """Take the next bytes."""
        if self.is_xml and (found := NOT_IN_XML.search(self.before + piece)):
            why = f"a text holds character U+{ord(found[0].decode()):04X}, which XML cannot hold"
            raise UnfitError(why, self.media_type)
        self.before = bytes(piece[-2:])  # a character may be cut in two
        if self.parser:
            try:
                self.parser.Parse(bytes(piece), False)
            except expat.ExpatError as error:
                why = "a property has an IRI that no XML name can be made of"
                raise UnfitError(why, self.media_type) from error


def check(body: bytes, media_type: str) -> None:
    """Raises UnfitError where a whole body cannot be read as what it says it is."""
    Watch(media_type).feed(body)
