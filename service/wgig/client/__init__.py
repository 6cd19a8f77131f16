"""The Python client of a service: query the graph, read it, check papers, write graphs.

Start with `connect` in `graph`. The client imports neither the store nor the server.
"""

from .errors import Report, ServiceError
from .graph import Graph, connect
from .values import IRI, Rows, Text, Triples

__all__ = ["IRI", "Graph", "Report", "Rows", "ServiceError", "Text", "Triples", "connect"]
