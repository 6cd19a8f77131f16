"""Readers of papers by file format: Markdown and Word, as documents to check.

The parsers are imported on first use, so that a check of RDF need not wait for them. A Word file has no line
numbers.
"""

from ..rdf.formats import MARKDOWN, WORD_DOCUMENT, Format
from ..rdf.namespaces import PAPER_NAMESPACE
from ..settings import Settings
from ..shacl.documents import Document, collect_limited_triples, decode_document_text, read_rdf


def read_paper_document(
    name: str, data: bytes, format_: Format, most: int = Settings.paper_triples, base: str = PAPER_NAMESPACE
) -> Document:
    """The document in the bytes, of at most so many triples; relative IRIs in RDF go by `base`.

    Raises Problem 400 with line and column, 413 for more triples or a huge Word file.
    """
    if format_ is MARKDOWN:
        return read_markdown_document(name, data, most)
    if format_ is WORD_DOCUMENT:
        return read_word_document(name, data, most)
    return read_rdf(name, data, format_, most, base)


def read_markdown_document(name: str, data: bytes, most: int) -> Document:
    """A paper in the Markdown form."""
    from . import markdown  # noqa: PLC0415  who sends RDF need not wait for it

    source = markdown.check_paper_length(decode_document_text(data))
    about = markdown.parse_paper_statements(source)
    return Document(
        name,
        source,
        MARKDOWN,
        collect_limited_triples(about.spots, most),
        lambda: list(about.spots.values()),
        about.slots,
    )


def read_word_document(name: str, data: bytes, most: int) -> Document:
    """A paper in a Word file with the headings of the Markdown form. Nothing in it has a line."""
    from . import word  # noqa: PLC0415  who sends RDF need not wait for it

    source, triples = word.read_word_paper(data)
    return Document(name, source, WORD_DOCUMENT, collect_limited_triples(triples, most), list)
