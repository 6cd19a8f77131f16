"""`wgig stats`: how much there is, graph by graph and class by class."""

import argparse
import json
import sys

from ..lookup import rows
from ..namespaces import namespaces, shorten
from ..settings import Settings
from ..shipped import open_to_read
from . import say, show

GRAPHS = "SELECT ?name (COUNT(*) AS ?count) { GRAPH ?name { ?s ?p ?o } } GROUP BY ?name ORDER BY ?name"
UNNAMED = "SELECT (COUNT(*) AS ?count) { ?s ?p ?o }"
CLASSES = """
SELECT ?name (COUNT(DISTINCT ?s) AS ?count) { ?s a ?name } GROUP BY ?name ORDER BY DESC(?count) ?name"""


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print counts of quads by graph and of things by class. Exit code 0. Raises StoreError."""
    store = open_to_read(settings, say)
    graphs = {row["name"].value: int(row["count"].value) for row in rows(store, GRAPHS)}
    classes = {row["name"].value: int(row["count"].value) for row in rows(store, CLASSES)}
    unnamed = int(rows(store, UNNAMED, union=False)[0]["count"].value)
    total = sum(graphs.values()) + unnamed
    form = arguments.format or ("table" if sys.stdout.isatty() else "json")
    if form == "json":
        print(
            json.dumps({"quads": total, "unnamed": unnamed, "graphs": graphs, "classes": classes}, indent=2)
        )
        return 0
    known = namespaces(settings.base)
    for columns, counts in ((["graph", "quads"], graphs), (["class", "things"], classes)):
        show(columns, ((shorten(name, known), f"{count:,}") for name, count in counts.items()))
    print(f"{total:,} quads in {len(graphs):,} named graphs and the unnamed one ({unnamed:,})")
    return 0
