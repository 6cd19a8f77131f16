"""Readers of papers by file format: Markdown and Word, as documents to check.

The parsers are imported on first use, so that a check of RDF does not wait for them. A Word file has no line
numbers.
"""

from ..rdf.formats import MARKDOWN, WORD_DOCUMENT, Format
from ..rdf.namespaces import PAPER_NAMESPACE
from ..settings import Settings
from ..shacl.documents import Document, collect_limited_triples, decode_document_text, read_rdf


def read_paper_document(
    name: str,
    data: bytes,
    format_: Format,
    max_triples: int = Settings.paper_triples,
    base: str = PAPER_NAMESPACE,
) -> Document:
    """The document in the bytes, with at most `max_triples` triples; `base` is the base IRI for RDF.

    Raises Problem 400 with line and column, 413 for more triples or a huge Word file.
    """
    if format_ is MARKDOWN:
        return read_markdown_document(name, data, max_triples)
    if format_ is WORD_DOCUMENT:
        return read_word_document(name, data, max_triples)
    return read_rdf(name, data, format_, max_triples, base)


def read_markdown_document(name: str, data: bytes, max_triples: int) -> Document:
    """A paper in Markdown."""
    from . import markdown  # noqa: PLC0415  checks of RDF need not wait for it

    source = markdown.check_paper_length(decode_document_text(data))
    statements = markdown.parse_paper_statements(source)
    return Document(
        name,
        source,
        MARKDOWN,
        collect_limited_triples(statements.spots, max_triples),
        lambda: list(statements.spots.values()),
        statements.slots,
    )


def read_word_document(name: str, data: bytes, max_triples: int) -> Document:
    """A paper in a Word file with the headings of the Markdown template; it has no positions."""
    from . import word  # noqa: PLC0415  checks of RDF need not wait for it

    source, triples = word.read_word_paper(data)
    return Document(name, source, WORD_DOCUMENT, collect_limited_triples(triples, max_triples), list)
