"""Papers in Markdown: a head of keys and the eight sections of the template, as RDF and back."""

from .reading import read, short, stated
from .unheld import UnheldError
from .writing import write

__all__ = ["UnheldError", "read", "short", "stated", "write"]
