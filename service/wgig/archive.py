"""The XML of a Word file, taken out of its zip archive and found harmless before anything else reads it."""

import io
import lzma
import re
import zipfile
import zlib
from typing import NoReturn
from xml.parsers import expat

from .problems import Problem
from .settings import MIB

LARGEST = 20 * MIB  # of all entries together, unpacked
MOST = 1000  # entries
DEEPEST = 100  # elements in each other
ELEMENTS = 100_000  # of one part; five pages have some thousand
CHUNK = 64 * 1024
DOCUMENT = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
AGAIN = "Save the paper in Word as .docx and send it again."


def checked(data: bytes) -> io.BytesIO:
    """A Word file with nothing but the XML of the given one.

    Raises Problem 400 where the bytes are no Word file or hold XML that is not read here, 413 where they
    unpack too large or to too many elements.
    """
    clean = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(clean, "w") as kept:
            left = LARGEST
            for entry in entries(given):
                content = unpacked(given, entry, left)
                left -= len(content)
                if entry.filename.lower().endswith((".xml", ".rels")):
                    harmless(content)
                    kept.writestr(entry.filename, content)
    except UNREADABLE as error:
        raise Problem(400, f"The file is no Word file (.docx). {AGAIN}") from error
    clean.seek(0)
    return clean


def entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What the archive lists. Raises Problem where it is no Word file, or says that it is too large."""
    found = archive.infolist()
    if len(set(archive.namelist())) < len(found):
        raise zipfile.BadZipFile("two entries of one name")
    if len(found) > MOST or sum(one.file_size for one in found) > LARGEST:
        too_large()
    if not any(map(DOCUMENT.fullmatch, archive.namelist())):
        raise Problem(400, f"The file is no Word file (.docx): no text is in it. {AGAIN}")
    return found


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """The bytes of an entry. Raises Problem 413 where they are more than what is left."""
    content = bytearray()
    with archive.open(entry) as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            content += chunk
            if len(content) > left:
                too_large()
    return bytes(content)


def too_large() -> NoReturn:
    """Raise the Problem 413 for what unpacks too large."""
    raise Problem(
        413,
        f"The Word file unpacks to more than {LARGEST // MIB} MiB or {MOST} parts. Take out pictures, or "
        "send the text as Markdown.",
    )


def harmless(content: bytes) -> None:
    """Raise Problem 400 for XML that is not well-formed, declares a type or entities, or is nested deeply.

    Raises Problem 413 for more elements than any paper has.
    """
    parser = expat.ParserCreate()
    depth = elements = 0

    def opens(*_: object) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if elements > ELEMENTS:
            cause = f"A part of the Word file has more than {ELEMENTS} elements."
            raise Problem(413, f"{cause} Take out what does not belong to the paper.")
        if depth > DEEPEST:
            raise Problem(400, f"The XML in the Word file is nested more than {DEEPEST} deep. {AGAIN}")

    def closes(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declares(*_: object) -> None:
        raise Problem(400, f"The XML in the Word file has a DOCTYPE, which Word never writes. {AGAIN}")

    parser.StartElementHandler, parser.EndElementHandler = opens, closes
    parser.StartDoctypeDeclHandler = declares
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Problem(400, f"The Word file is damaged: {expat.ErrorString(error.code)}. {AGAIN}") from error
    except LookupError as error:
        raise Problem(400, f"The Word file is damaged: {error}. {AGAIN}") from error
