"""Load a file of RDF into the store: format by name, decompressed on the way, faults with their place."""

import gzip
import io
import re
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from .formats import DATASETS, GRAPHS
from .rdf import rdf_format
from .store import Store
from .wellformed import WellFormed

BUFFER = 1024 * 1024
NOTHING = "Nothing of this file was loaded."

# By the ending of a file's name: our own suffixes, and what other programs call the same.
OURS = {one.suffix: rdf_format(one.media_type) for one in (*GRAPHS, *DATASETS)}
FORMATS = OURS | {
    "owl": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "json": ox.RdfFormat.JSON_LD,
}
PLACE = re.compile(r"Parser error [\w ]+: ")


class UnreadableError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message is a sentence with line and column."""


class Source(io.RawIOBase):
    """The bytes of a file, decompressed where need be. Its faults are UnreadableError, not the store's.

    What it holds may be watched on the way: the watch gets all pieces, then an empty one.
    """

    def __init__(
        self,
        file: Any,
        name: str,
        reached: Callable[[int], None],
        watch: Callable[[memoryview], None] = lambda _: None,
    ) -> None:
        """Take a buffered binary file, its name, and a function that is told how far reading came.

        Where that cannot be known, as in a pipe, it is told 0.
        """
        super().__init__()
        self.file = file
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        self.bytes = gzip.GzipFile(fileobj=self.file) if compressed else self.file
        self.name = name
        self.reached = reached
        self.watch = watch
        self.begun = False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as there is data, and tell how far into the file that was."""
        try:
            if not self.begun and self.bytes.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
                self.bytes.read(len(BOM_UTF8))
            self.begun = True
            count: int = self.bytes.readinto(target)
            self.reached(self.file.tell() if self.file.seekable() else 0)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING}"
            ) from error
        except OSError as error:
            raise UnreadableError(f"{self.name}: {error.strerror or error}. {NOTHING}") from error
        self.watch(memoryview(target)[:count])
        return count


def load(
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None] = lambda _: None,
) -> None:
    """Load one file, all of it or nothing; `-` is standard input.

    A graph format goes into `graph` (None: the unnamed one). A dataset format keeps its graphs, unless
    `graph` is given. `reached` is called with the number of bytes of the file that were read so far. Raises
    UnreadableError.
    """
    rdf_format = format_of(name, format_)
    try:
        given = sys.stdin.fileno() if name == "-" else name
        file = open(given, "rb", BUFFER, closefd=name != "-")  # noqa: SIM115  a Path is no number
    except OSError as error:
        raise UnreadableError(f"{name}: {error.strerror}. Name a file that can be read.") from error
    watch = [WellFormed().feed] if rdf_format == ox.RdfFormat.RDF_XML else []
    with file:
        source = Source(file, name, reached, *watch)
        try:
            store.bulk_load(io.BufferedReader(source, BUFFER), rdf_format, graph)
        except SyntaxError as error:
            raise UnreadableError(f"{fault(name, error)} {NOTHING}") from error


def format_of(name: str, format_: str | None) -> ox.RdfFormat:
    """The format that is given, or that the name of the file ends in. Raises UnreadableError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise UnreadableError(
            f"{name}: its name tells no RDF format. Say which with --format ({', '.join(OURS)})."
        )
    return FORMATS[suffix]


def size_of(name: str) -> int | None:
    """The bytes of a file, None where that cannot be known."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def fault(name: str, error: SyntaxError) -> str:
    """What is wrong in a file, and at which line and column where that is known."""
    place = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
    return f"{name}{place}: {PLACE.sub('', error.msg, count=1)}."
