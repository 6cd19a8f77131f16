"""Readers of papers by file format: Markdown and Word, as documents to check.

The parsers are imported on first use, so that a check of RDF need not wait for them. A Word file has no line
numbers.
"""

from ..rdf.formats import MARKDOWN, WORD, Format
from ..settings import Settings
from ..shacl.documents import BASE, Document, decoded, few, read_rdf


def read(
    name: str, data: bytes, format_: Format, most: int = Settings.paper_triples, base: str = BASE
) -> Document:
    """The document in the bytes, of at most so many triples; relative IRIs in RDF go by `base`.

    Raises Problem 400 with line and column, 413 for more triples or a huge Word file.
    """
    if format_ is MARKDOWN:
        return read_markdown(name, data, most)
    if format_ is WORD:
        return read_word(name, data, most)
    return read_rdf(name, data, format_, most, base)


def read_markdown(name: str, data: bytes, most: int) -> Document:
    """A paper in the Markdown form."""
    from . import markdown  # noqa: PLC0415  who sends RDF need not wait for it

    source = markdown.short(decoded(data))
    about = markdown.stated(source)
    return Document(
        name, source, MARKDOWN, few(about.spots, most), lambda: list(about.spots.values()), about.slots
    )


def read_word(name: str, data: bytes, most: int) -> Document:
    """A paper in a Word file with the headings of the Markdown form. Nothing in it has a line."""
    from . import word  # noqa: PLC0415  who sends RDF need not wait for it

    source, triples = word.read(data)
    return Document(name, source, WORD, few(triples, most), list)
