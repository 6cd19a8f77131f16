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

from ...graphs.description.statistics import WHOLE_DATASET, Figures, link_figures
from ...problems import Problem
from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE_IRI
from ...shacl.findings import CheckOutcome, UncheckedFile
from ..check_workers import CheckTask, check_file_batch, check_in_workers, iter_file_batches
from ..files import CandidateFile
from . import LOST_FOLDER, REPORTS_FOLDER, UNREAD_FOLDER, VOID_FILE, BulkJob
from .lines import BulkResult, BulkTally, iter_report_lines, read_file_quads, serialize_void_figures
from .spark_session import BulkSparkSession, decode_spark_address, open_bulk_session, plain_spark_path

# A row is a quad of a file: its terms in N-Triples (the predicate and the graph as IRIs), the datatype of a
# literal, and the host of a link. A file without quads has a row of its path, and the line about it.
QUAD_COLUMNS = ", ".join(f"{one} STRING" for one in ("path", "g", "s", "p", "o", "datatype", "host", "line"))


def iter_quad_rows(file: CandidateFile, job: BulkJob) -> Iterator[tuple[str | None, ...]]:
    """The rows of a file."""
    found = read_file_quads(file, job.task)
    if isinstance(found, UncheckedFile):
        for line in iter_report_lines(file, found, job.language):
            yield (file.path, *[None] * 6, line)
    elif not found:
        yield (file.path, *[None] * 7)
    else:
        for one in found:
            yield (file.path, *quad_cells(one, job.base), None)


def quad_cells(quad: ox.Quad, base: str) -> tuple[str | None, ...]:
    """The cells of a quad."""
    graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else None
    datatype = quad.object.datatype.value if isinstance(quad.object, ox.Literal) else None
    hosts = [part[1] for part, _ in link_figures(quad.triple, base)]
    return graph, str(quad.subject), quad.predicate.value, str(quad.object), datatype, next(iter(hosts), None)


def count_table_figures(table: DataFrame, base: str) -> Figures:
    """The figures of the quads in a table."""
    found = Figures()
    triples = table.select("s", "p", "o", "datatype", "host").distinct().persist()
    types = triples.where(f"p = '{RDF_TYPE_IRI}' AND o LIKE '<%'").select("s", iri_column("o").alias("class"))
    ours = of.when(of.startswith(of.col("s"), of.lit(f"<{base}")), of.col("s"))
    counts = {
        "triples": of.count("*"),
        "distinctSubjects": of.countDistinct("s"),
        "distinctObjects": of.countDistinct("o"),
    }
    add_part_figures(found, [], triples, counts | {"entities": of.countDistinct(ours)})
    add_part_figures(found, ["property", "p"], triples, counts)
    add_part_figures(found, ["class", "class"], types, {"entities": of.countDistinct("s")})
    add_part_figures(
        found, ["linkset", "host", "p"], triples.where("host IS NOT NULL"), {"triples": of.count("*")}
    )
    graphs = table.where("g IS NOT NULL").select("g", "s", "p", "o").distinct()
    add_part_figures(found, ["graph", "g"], graphs, {"triples": of.count("*"), "stated": of.lit(1)})
    licenses = triples.where(f"p = '{DCTERMS_LICENSE.value}' AND o LIKE '<%'").select(
        iri_column("o").alias("license")
    )
    add_part_figures(found, ["license", "license"], licenses, {"stated": of.lit(1)})
    typed = triples.join(types, "s")
    ends = types.select(types["s"].alias("o"), types["class"].alias("end"))
    by_class, many = ["class", "class", "property", "p"], {"triples": of.count("*")}
    add_part_figures(found, by_class, typed, many)
    add_part_figures(found, [*by_class, "datatype", "datatype"], typed.where("datatype IS NOT NULL"), many)
    add_part_figures(found, [*by_class, "class", "end"], typed.join(ends, "o"), many)
    return +found


def iri_column(column: str) -> Column:
    """The IRI in a column of N-Triples."""
    return of.expr(f"substring({column}, 2, length({column}) - 2)")


def add_part_figures(found: Figures, names: list[str], table: DataFrame, counts: dict[str, Column]) -> None:
    """Add the figures of each part: its name is made of kinds, each before the column of what it is about."""
    columns = names[1::2] if names[:1] != ["linkset"] else names[1:]
    each: list[Any] = [count.alias(figure) for figure, count in counts.items()]
    for row in table.groupBy(*columns).agg(*each).collect():
        part = WHOLE_DATASET if not names else part_name(names, row)
        found.update({(part, figure): row[figure] for figure in counts})


def part_name(names: list[str], row: Any) -> tuple[str, ...]:
    """The name of a part."""
    if names[0] == "linkset":
        return ("linkset", row["host"], row["p"])
    return tuple(word if place % 2 == 0 else row[word] for place, word in enumerate(names))


def check_with_spark(job: BulkJob) -> BulkResult:
    """Check the files, and write the lines and what they come to. Raises Problem 400."""
    with open_bulk_session(job) as found:
        reports = found.files.rdd.mapPartitions(partial(iter_partition_lines, job=job))
        reports.saveAsTextFile(f"{job.out}/{REPORTS_FOLDER}")
        tally = read_line_tally(found, REPORTS_FOLDER)
        if tally.files < len(found.addresses):
            tally += write_lost_lines(
                found,
                found.sc.textFile(f"{job.out}/{REPORTS_FOLDER}").map(line_path),
                partial(check_lost_file, job=job),
            )
        return found.finish(tally.summarize_check())


def describe_with_spark(job: BulkJob) -> BulkResult:
    """Count what is in the files, and write the figures. Raises Problem 400."""
    with open_bulk_session(job) as found:
        read = found.files.rdd.mapPartitions(partial(iter_partition_rows, job=job))
        table = found.spark.createDataFrame(read, QUAD_COLUMNS).persist()
        unread = table.where("line IS NOT NULL")
        unread.rdd.map(lambda row: row.line).saveAsTextFile(f"{job.out}/{UNREAD_FOLDER}")
        found.write_file(
            VOID_FILE,
            serialize_void_figures(count_table_figures(table.where("s IS NOT NULL"), job.base), job.base),
        )
        tally = read_line_tally(found, UNREAD_FOLDER)
        there = table.select("path").distinct()
        if there.count() < len(found.addresses):
            tally += write_lost_lines(
                found, there.rdd.map(lambda row: row.path), partial(read_lost_file, job=job)
            )
        return found.finish(tally.summarize_description(len(found.addresses)))


def iter_partition_lines(given: Iterable[Row], job: BulkJob) -> Iterator[str]:
    """The lines about files of one part."""
    files, ahead = tee(map(build_candidate_file, given))
    for one, found in zip(files, check_partition_files(ahead, job.task), strict=True):
        yield from iter_report_lines(one, found, job.language)


def check_partition_files(files: Iterable[CandidateFile], task: CheckTask) -> Iterator[CheckOutcome | None]:
    """What is found in each file of one part; None for one that is passed over.

    A part that is tried again has a file that ends the process; so it is checked in another process.
    """
    context = TaskContext.get()
    if context and context.attemptNumber():
        return check_in_workers(iter_file_batches(files), task, 1)
    return (found for batch in iter_file_batches(files) for found in check_file_batch(batch, task))


def iter_partition_rows(given: Iterable[Row], job: BulkJob) -> Iterator[tuple[str | None, ...]]:
    """The rows to be counted of files of one part."""
    for one in map(build_candidate_file, given):
        yield from iter_quad_rows(one, job)


def build_candidate_file(row: Row) -> CandidateFile:
    """A file, as Spark has read it."""
    return CandidateFile(plain_spark_path(row.path), True, bytes(row.content))


def read_line_tally(found: BulkSparkSession, name: str) -> BulkTally:
    """What the lines in a folder come to, as they were written."""
    written = found.sc.textFile(f"{found.job.out}/{name}")
    return written.mapPartitions(lambda some: [BulkTally(some)]).fold(BulkTally(), add)


def line_path(line: str) -> str:
    """The path in a line."""
    path: str = json.loads(line)["path"]
    return path


def write_lost_lines(
    found: BulkSparkSession, there: "RDD[str]", look: Callable[[CandidateFile], list[str]]
) -> BulkTally:
    """Write the lines about the files that Spark did not give: those without content are looked at here."""
    every = found.sc.parallelize(list(found.addresses)).map(lambda one: (decode_spark_address(one), one))
    missing = every.subtractByKey(there.map(lambda one: (one, None))).collect()
    written: list[str] = []
    for path, address in sorted(missing):
        problem = found.find_fault(address)
        written += (
            list_unread_lines(path, problem, found.job) if problem else look(CandidateFile(path, True, b""))
        )
    if not written:
        return BulkTally()
    found.sc.parallelize(written, 1).saveAsTextFile(f"{found.job.out}/{LOST_FOLDER}")
    return BulkTally(written)


def list_unread_lines(path: str, problem: Problem, job: BulkJob) -> list[str]:
    """The line about a file that is not read."""
    return list(iter_report_lines(CandidateFile(path), UncheckedFile(path, problem), job.language))


def check_lost_file(file: CandidateFile, job: BulkJob) -> list[str]:
    """The lines about a file that is checked here."""
    return list(iter_report_lines(file, check_file_batch([file], job.task)[0], job.language))


def read_lost_file(file: CandidateFile, job: BulkJob) -> list[str]:
    """The line about a file that is read here, where it cannot be read."""
    return [line for *_, line in iter_quad_rows(file, job) if line]
