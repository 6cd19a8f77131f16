"""Read papers in Markdown, Word and RDF as documents to check.

The parsers of Markdown and Word are imported on first use, so that a check of RDF starts faster.
"""

from ..problems import Problem, missing_extra_problem
from ..rdf.formats import MARKDOWN, WORD_DOCUMENT, Format
from ..rdf.namespaces import PAPER_NAMESPACE
from ..settings import Settings
from ..shacl.documents import (
    EMPTY_FILE_MESSAGE,
    Document,
    collect_limited_triples,
    decode_document_text,
    read_rdf,
)


def read_paper_document(
    name: str,
    data: bytes,
    format_: Format,
    max_triples: int = Settings.paper_triples,
    base: str = PAPER_NAMESPACE,
) -> Document:
    """The document in a file. `base` is the base IRI for RDF.

    Raises Problem 400 with line and column, 413 for more than `max_triples` triples or a too large Word file,
    422 for an empty file, except RDF, which is an empty graph then.
    """
    if not data.strip() and format_ in (MARKDOWN, WORD_DOCUMENT):
        raise Problem(422, EMPTY_FILE_MESSAGE, slug="no-paper")
    if format_ is MARKDOWN:
        return read_markdown_document(name, data, max_triples)
    if format_ is WORD_DOCUMENT:
        return read_word_document(name, data, max_triples)
    return read_rdf(name, data, format_, max_triples, base)


def read_markdown_document(name: str, data: bytes, max_triples: int) -> Document:
    """The document in a Markdown file."""
    from . import markdown  # noqa: PLC0415  a check of RDF starts faster without it

    text = decode_document_text(data)
    markdown.check_paper_length(text)
    statements = markdown.parse_paper_statements(text)
    return Document(
        name,
        text,
        MARKDOWN,
        collect_limited_triples(statements.positions_by_triple, max_triples),
        find_positions=lambda: list(statements.positions_by_triple.values()),
        slots=statements.slots,
    )


def read_word_document(name: str, data: bytes, max_triples: int) -> Document:
    """The document in a Word file, without positions of the triples. Raises Problem 501 without `word`."""
    try:
        from . import word  # noqa: PLC0415  a check of RDF starts faster without it
    except ModuleNotFoundError as error:
        raise missing_extra_problem("Word files cannot be read", "word") from error
    text, triples = word.read_word_paper(data)
    limited_triples = collect_limited_triples(triples, max_triples)
    return Document(name, text, WORD_DOCUMENT, limited_triples, find_positions=lambda: [])
