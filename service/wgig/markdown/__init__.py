"""Papers in Markdown: a head of keys and the eight sections of the template, as RDF and back."""

from .reading import read, stated
from .writing import write

__all__ = ["read", "stated", "write"]
