"""A client of the service in Python: ask the graph, read it, check papers, write graphs."""

from .errors import ServiceError
from .graph import Graph, connect
from .report import Report
from .rows import Rows
from .terms import IRI, Text
from .triples import Triples

__all__ = ["IRI", "Graph", "Report", "Rows", "ServiceError", "Text", "Triples", "connect"]
