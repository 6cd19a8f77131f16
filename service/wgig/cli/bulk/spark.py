"""Bulk checks and statistics on Apache Spark: on a cluster, or on the processes of this machine.

Spark reads the files, so from wherever it can read, and sends them to executors in partitions of some
hundred. There the same check runs as for `wgig check`, with shapes prepared once per process. Statistics are
joins instead of lookups per subject. Files that Spark does not give (without content, too large) are reported
as lost or unread.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import tee
from operator import add
from typing import Any

import pyoxigraph as ox
from pyspark import TaskContext
from pyspark.core.rdd import RDD
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as of

from ...graphs.description.statistics import LICENSE, WHOLE, Figures, of_link
from ...problems import Problem
from ...rdf.serialization import term
from ...shacl.findings import Outcome, Unread
from ..check_workers import Task, batches, checked, spread
from ..files import Candidate
from . import LOST, REPORTS, UNREAD, VOID, Job
from .lines import Done, Tally, lines, quads, void
from .spark_session import Session, named, plain, session

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
    add_figures(found, [], triples, counts | {"entities": of.countDistinct(ours)})
    add_figures(found, ["property", "p"], triples, counts)
    add_figures(found, ["class", "class"], types, {"entities": of.countDistinct("s")})
    add_figures(
        found, ["linkset", "host", "p"], triples.where("host IS NOT NULL"), {"triples": of.count("*")}
    )
    graphs = table.where("g IS NOT NULL").select("g", "s", "p", "o").distinct()
    add_figures(found, ["graph", "g"], graphs, {"triples": of.count("*"), "stated": of.lit(1)})
    licenses = triples.where(f"p = '{LICENSE.value}' AND o LIKE '<%'").select(iri("o").alias("license"))
    add_figures(found, ["license", "license"], licenses, {"stated": of.lit(1)})
    typed = triples.join(types, "s")
    ends = types.select(types["s"].alias("o"), types["class"].alias("end"))
    by_class, many = ["class", "class", "property", "p"], {"triples": of.count("*")}
    add_figures(found, by_class, typed, many)
    add_figures(found, [*by_class, "datatype", "datatype"], typed.where("datatype IS NOT NULL"), many)
    add_figures(found, [*by_class, "class", "end"], typed.join(ends, "o"), many)
    return +found


def iri(column: str) -> Column:
    """The IRI in a column of N-Triples."""
    return of.expr(f"substring({column}, 2, length({column}) - 2)")


def add_figures(found: Figures, names: list[str], table: DataFrame, counts: dict[str, Column]) -> None:
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


def check(job: Job) -> Done:
    """Check the files, and write the lines and what they come to. Raises Problem 400."""
    with session(job) as found:
        reports = found.files.rdd.mapPartitions(partial(lines_of, job=job))
        reports.saveAsTextFile(f"{job.out}/{REPORTS}")
        tally = told(found, REPORTS)
        if tally.files < len(found.names):
            tally += lost(
                found, found.sc.textFile(f"{job.out}/{REPORTS}").map(path_in), partial(check_here, job=job)
            )
        return found.end(tally.of_papers())


def describe(job: Job) -> Done:
    """Count what is in the files, and write the figures. Raises Problem 400."""
    with session(job) as found:
        read = found.files.rdd.mapPartitions(partial(rows_of, job=job))
        table = found.spark.createDataFrame(read, COLUMNS).persist()
        unread = table.where("line IS NOT NULL")
        unread.rdd.map(lambda row: row.line).saveAsTextFile(f"{job.out}/{UNREAD}")
        found.write(VOID, void(figures(table.where("s IS NOT NULL"), job.base), job.base))
        tally = told(found, UNREAD)
        there = table.select("path").distinct()
        if there.count() < len(found.names):
            tally += lost(found, there.rdd.map(lambda row: row.path), partial(read_here, job=job))
        return found.end(tally.of_files(len(found.names)))


def lines_of(given: Iterable[Row], job: Job) -> Iterator[str]:
    """The lines about files of one part."""
    files, ahead = tee(map(candidate, given))
    for one, found in zip(files, outcomes(ahead, job.task), strict=True):
        yield from lines(one, found, job.language)


def outcomes(files: Iterable[Candidate], task: Task) -> Iterator[Outcome | None]:
    """What is found in each file of one part; None for one that is passed over.

    A part that is tried again has a file that ends the process; so it is checked in another process.
    """
    context = TaskContext.get()
    if context and context.attemptNumber():
        return spread(batches(files), task, 1)
    return (found for batch in batches(files) for found in checked(batch, task))


def rows_of(given: Iterable[Row], job: Job) -> Iterator[tuple[str | None, ...]]:
    """The rows to be counted of files of one part."""
    for one in map(candidate, given):
        yield from rows(one, job)


def candidate(row: Row) -> Candidate:
    """A file, as Spark has read it."""
    return Candidate(plain(row.path), True, bytes(row.content))


def told(found: Session, name: str) -> Tally:
    """What the lines in a folder come to, as they were written."""
    written = found.sc.textFile(f"{found.job.out}/{name}")
    return written.mapPartitions(lambda some: [Tally(some)]).fold(Tally(), add)


def path_in(line: str) -> str:
    """The path in a line."""
    path: str = json.loads(line)["path"]
    return path


def lost(found: Session, there: "RDD[str]", look: Callable[[Candidate], list[str]]) -> Tally:
    """Write the lines about the files that Spark did not give: those without content are looked at here."""
    every = found.sc.parallelize(list(found.names)).map(lambda one: (named(one), one))
    missing = every.subtractByKey(there.map(lambda one: (one, None))).collect()
    written: list[str] = []
    for path, address in sorted(missing):
        problem = found.fault(address)
        written += unread(path, problem, found.job) if problem else look(Candidate(path, True, b""))
    if not written:
        return Tally()
    found.sc.parallelize(written, 1).saveAsTextFile(f"{found.job.out}/{LOST}")
    return Tally(written)


def unread(path: str, problem: Problem, job: Job) -> list[str]:
    """The line about a file that is not read."""
    return list(lines(Candidate(path), Unread(path, problem), job.language))


def check_here(file: Candidate, job: Job) -> list[str]:
    """The lines about a file that is checked here."""
    return list(lines(file, checked([file], job.task)[0], job.language))


def read_here(file: Candidate, job: Job) -> list[str]:
    """The line about a file that is read here, where it cannot be read."""
    return [line for *_, line in rows(file, job) if line]
