"""Papers in Markdown, as RDF and back: front matter and the eight sections of the template."""

from .reader import check_paper_length, parse_paper_statements, parse_paper_triples
from .writer import UnsupportedStatementError, serialize_markdown_paper

__all__ = [
    "UnsupportedStatementError",
    "check_paper_length",
    "parse_paper_statements",
    "parse_paper_triples",
    "serialize_markdown_paper",
]
