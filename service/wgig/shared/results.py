"""Results as a SPARQL service writes them, read by the engine of ours without a loss."""

import re
from collections.abc import Iterator
from io import RawIOBase
from typing import IO, Any, cast

import pyoxigraph as ox

from ..formats import XML_RESULTS
from ..opening import UnavailableError
from ..view import result_format
from .client import CutOffError

Row = dict[str, Any]

PIECE = 64 * 1024
END, TAIL = b"</sparql>", 64  # how they end, and the bytes in which that stands
SPACES = b" \t\r\n"
# Our engine takes spaces off the ends of a text in XML unless they are written as numbers.
BEGIN = re.compile(rb"<literal(?:\s[^>]*)?>")
AT_BEGIN = re.compile(rb"(<literal(?:\s[^>]*)?>)([ \t\r\n]+)")
AT_END = re.compile(rb"(?<![ \t\r\n])[ \t\r\n]+(?=</literal>)")


class Spaces(RawIOBase):
    """Results in XML in which the spaces at the ends of texts are written as numbers.

    Raises CutOffError where they end before their end.
    """

    def __init__(self, source: RawIOBase) -> None:
        """Take what is to be read."""
        super().__init__()
        self.source = source
        self.kept, self.done, self.tail, self.ended = b"", b"", b"", False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        while not self.done and not self.ended:
            piece = self.source.read(PIECE) or b""
            self.ended, self.tail = not piece, (self.tail + piece)[-TAIL:]
            if self.ended and not self.tail.rstrip(SPACES).endswith(END):  # our engine takes what it gets
                raise CutOffError("The shared store ended an answer before its end.")
            text = self.kept + piece
            cut = len(text) if self.ended else begin_of_open(text)
            self.done, self.kept = spaced(text[:cut]), text[cut:]
        count = min(len(target), len(self.done))
        target[:count], self.done = self.done[:count], self.done[count:]
        return count


def begin_of_open(text: bytes) -> int:
    """Where that begins at the end of a text that may go on: a tag, and spaces, and the tag before them."""
    tag = text.rfind(b"<")
    end = tag if tag > text.rfind(b">") else len(text)
    end = len(text[:end].rstrip(SPACES))
    tag = text.rfind(b"<", 0, end)
    return tag if BEGIN.fullmatch(text, max(tag, 0), end) else end


def spaced(text: bytes) -> bytes:
    """The text with those spaces as numbers."""
    text = AT_BEGIN.sub(lambda found: found[1] + numbered(found[2]), text)
    return AT_END.sub(lambda found: numbered(found[0]), text)


def numbered(spaces: bytes) -> bytes:
    """Spaces as numbers."""
    return b"".join(b"&#%d;" % one for one in spaces)


def parsed(body: RawIOBase, media_type: str) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results in a body, to be read to their end. Raises CutOffError where they have none."""
    source = Spaces(body) if media_type == XML_RESULTS.media_type else body
    try:
        found = ox.parse_query_results(cast(IO[bytes], source), format=result_format(media_type))
    except (SyntaxError, OSError) as error:
        raise broken(error) from error
    assert not isinstance(found, ox.QueryTriples)
    return found


def solutions(body: RawIOBase, media_type: str) -> Iterator[Row]:
    """The solutions in a body. Raises CutOffError where it ends too early, or a variable is unbound.

    No query of ours leaves one unbound, but a busy service may give a row before what is in it.
    """
    found = parsed(body, media_type)
    assert isinstance(found, ox.QuerySolutions)
    names = [one.value for one in found.variables]
    try:
        for solution in found:
            if None in solution:
                raise CutOffError("The shared store gave a row without what is in it.")
            yield dict(zip(names, solution, strict=True))
    except (SyntaxError, OSError) as error:
        raise broken(error) from error
    finally:
        del found  # it must not leave this thread, not even in a traceback


def broken(error: Exception) -> UnavailableError:
    """What an answer means that cannot be read."""
    cause = error if isinstance(error, UnavailableError) else error.__cause__
    if isinstance(cause, UnavailableError):
        return cause
    return CutOffError(f"The shared store gave an answer that is not whole, or none: {error}.")
