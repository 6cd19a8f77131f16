"""Papers in Markdown: a head of keys and the eight sections of the template, as RDF and back."""

from .reader import check_paper_length, parse_paper_statements, parse_paper_triples
from .writer import UnsupportedStatementError, serialize_markdown_paper

__all__ = [
    "UnsupportedStatementError",
    "check_paper_length",
    "parse_paper_statements",
    "parse_paper_triples",
    "serialize_markdown_paper",
]
