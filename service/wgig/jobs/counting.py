"""The figures of `about.figures`, counted by Spark: what is a look at each subject there is a join here."""

from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as of

from ..about.figures import LICENSE, WHOLE, Figures, of_link
from ..files import Candidate
from ..rdf import term
from ..report import Unread
from . import Job
from .lines import lines
from .quads import quads

# A row is a quad of a file: its terms in N-Triples (the predicate and the graph as IRIs), the datatype of a
# literal, and the host of a link. A file without quads has a row of its path, and the line about it.
COLUMNS = ", ".join(f"{one} STRING" for one in ("path", "g", "s", "p", "o", "datatype", "host", "line"))
TYPE = term("rdf:type").value


def rows(file: Candidate, job: Job) -> Iterator[tuple[str | None, ...]]:
    """The rows of a file."""
    found = quads(file, job.task)
    if isinstance(found, Unread):
        for line in lines(file, found, job.language):
            yield (file.path, *[None] * 6, line)
    elif not found:
        yield (file.path, *[None] * 7)
    else:
        for one in found:
            yield (file.path, *cells(one, job.base), None)


def cells(quad: ox.Quad, base: str) -> tuple[str | None, ...]:
    """The cells of a quad."""
    graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else None
    datatype = quad.object.datatype.value if isinstance(quad.object, ox.Literal) else None
    hosts = [part[1] for part, _ in of_link(quad.triple, base)]
    return graph, str(quad.subject), quad.predicate.value, str(quad.object), datatype, next(iter(hosts), None)


def figures(table: DataFrame, base: str) -> Figures:
    """The figures of the quads in a table."""
    found = Figures()
    triples = table.select("s", "p", "o", "datatype", "host").distinct().persist()
    types = triples.where(f"p = '{TYPE}' AND o LIKE '<%'").select("s", iri("o").alias("class"))
    ours = of.when(of.startswith(of.col("s"), of.lit(f"<{base}")), of.col("s"))
    counts = {
        "triples": of.count("*"),
        "distinctSubjects": of.countDistinct("s"),
        "distinctObjects": of.countDistinct("o"),
    }
    add(found, [], triples, counts | {"entities": of.countDistinct(ours)})
    add(found, ["property", "p"], triples, counts)
    add(found, ["class", "class"], types, {"entities": of.countDistinct("s")})
    add(found, ["linkset", "host", "p"], triples.where("host IS NOT NULL"), {"triples": of.count("*")})
    graphs = table.where("g IS NOT NULL").select("g", "s", "p", "o").distinct()
    add(found, ["graph", "g"], graphs, {"triples": of.count("*"), "stated": of.lit(1)})
    licenses = triples.where(f"p = '{LICENSE.value}' AND o LIKE '<%'").select(iri("o").alias("license"))
    add(found, ["license", "license"], licenses, {"stated": of.lit(1)})
    typed = triples.join(types, "s")
    ends = types.select(types["s"].alias("o"), types["class"].alias("end"))
    by_class, many = ["class", "class", "property", "p"], {"triples": of.count("*")}
    add(found, by_class, typed, many)
    add(found, [*by_class, "datatype", "datatype"], typed.where("datatype IS NOT NULL"), many)
    add(found, [*by_class, "class", "end"], typed.join(ends, "o"), many)
    return +found


def iri(column: str) -> Column:
    """The IRI in a column of N-Triples."""
    return of.expr(f"substring({column}, 2, length({column}) - 2)")


def add(found: Figures, names: list[str], table: DataFrame, counts: dict[str, Column]) -> None:
    """Add the figures of each part: its name is made of kinds, each before the column of what it is about."""
    columns = names[1::2] if names[:1] != ["linkset"] else names[1:]
    each: list[Any] = [count.alias(figure) for figure, count in counts.items()]
    for row in table.groupBy(*columns).agg(*each).collect():
        part = WHOLE if not names else name(names, row)
        found.update({(part, figure): row[figure] for figure in counts})


def name(names: list[str], row: Any) -> tuple[str, ...]:
    """The name of a part."""
    if names[0] == "linkset":
        return ("linkset", row["host"], row["p"])
    return tuple(word if place % 2 == 0 else row[word] for place, word in enumerate(names))
