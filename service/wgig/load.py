"""Load a file of RDF into the store: format by name, decompressed on the way, faults with their place."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyoxigraph as ox

from .formats import DATASETS, GRAPHS
from .rdf import rdf_format
from .store import Store

BUFFER = 1024 * 1024
NOTHING = "Nothing of this file was loaded."

# By the ending of a file's name: our own suffixes, and what other programs call the same.
FORMATS = {one.suffix: rdf_format(one.media_type) for one in (*GRAPHS, *DATASETS)} | {
    "owl": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "json": ox.RdfFormat.JSON_LD,
}
PLACE = re.compile(
    r"Parser error at line (\d+) (?:column|between columns) (\d+)(?: and \d+| and line \d+ column \d+)?: "
)
TAIL = re.compile(r" \((?:[^()]*, )?line \d+\)$")


class UnreadableError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message is a sentence with line and column."""


class Source(io.RawIOBase):
    """The bytes of a file, decompressed where need be. Its faults are UnreadableError, not the store's."""

    def __init__(self, file: Any, name: str, reached: Callable[[int], None]) -> None:
        """Take a buffered binary file, its name, and a function that is told how far reading came."""
        super().__init__()
        self.file = file
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        self.bytes = gzip.GzipFile(fileobj=self.file) if compressed else self.file
        self.name = name
        self.reached = reached

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as there is data, and tell how far into the file that was."""
        try:
            count = self.bytes.readinto(target)
            if self.file.seekable():
                self.reached(self.file.tell())
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING}"
            ) from error
        except OSError as error:
            raise UnreadableError(f"{self.name}: {error.strerror or error}. {NOTHING}") from error
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
    with file:
        try:
            store.bulk_load(io.BufferedReader(Source(file, name, reached), BUFFER), rdf_format, graph)
        except SyntaxError as error:
            raise UnreadableError(f"{fault(name, rdf_format, error)} {NOTHING}") from error


def format_of(name: str, format_: str | None) -> ox.RdfFormat:
    """The format that is given, or that the name of the file ends in. Raises UnreadableError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise UnreadableError(
            f"{name}: its name tells no RDF format. Say which with --format ({', '.join(FORMATS)})."
        )
    return FORMATS[suffix]


def size_of(name: str) -> int | None:
    """The bytes of a file, None where that cannot be known."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def fault(name: str, rdf_format: ox.RdfFormat, error: SyntaxError) -> str:
    """What is wrong in a file, and at which line and column, as far as that can be told."""
    said = str(error)
    where = PLACE.match(said)
    if where:
        return f"{name}, line {where[1]}, column {where[2]}: {TAIL.sub('', said[where.end() :])}."
    if rdf_format == ox.RdfFormat.RDF_XML and name != "-":
        return f"{name}{place_in_xml(name)}: {said}."
    return f"{name}: {said}."


def place_in_xml(name: str) -> str:
    """Where a file stops being well-formed XML, as `, line 3, column 7`; empty where it is well-formed."""
    parser = expat.ParserCreate()
    try:
        with gzip.open(name) if name.endswith(".gz") else Path(name).open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        return f", line {error.lineno}, column {error.offset + 1}"
    return ""
