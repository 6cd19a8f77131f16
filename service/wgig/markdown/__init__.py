"""Papers in Markdown: a head of keys and the eight sections of the template, as RDF and back."""

from .reading import read, short, stated
from .writing import write

__all__ = ["read", "short", "stated", "write"]
