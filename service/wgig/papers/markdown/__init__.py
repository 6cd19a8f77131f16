"""Papers in Markdown: a head of keys and the eight sections of the template, as RDF and back."""

from .reader import read, short, stated
from .writer import UnheldError, write

__all__ = ["UnheldError", "read", "short", "stated", "write"]
