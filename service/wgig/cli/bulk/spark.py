"""Bulk checks and statistics with Apache Spark: on a cluster, or with the processes of this machine.

Spark reads the files from any of its file systems, and sends them to executors in partitions of some hundred
files. Executors run the same check as `wgig check`, with shapes prepared once per process. Statistics are
computed by joins instead of lookups per subject. Spark skips empty, too large and unreadable files. Such lost
files are handled in the driver: it checks the empty ones, and reports the others as unread.
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
from pyspark.sql import functions as sql

from ...graphs.description.statistics import WHOLE_DATASET, Figures, link_figures
from ...problems import Problem
from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE_IRI
from ...shacl.findings import CheckOutcome, UncheckedFile
from ..check_workers import CheckTask, check_file_batch, check_in_workers, iter_file_batches
from ..files import CandidateFile
from . import LOST_FOLDER, REPORTS_FOLDER, UNREAD_FOLDER, VOID_FILE, BulkJob
from .lines import BulkResult, BulkTally, iter_report_lines, read_file_quads, serialize_void_figures
from .spark_session import BulkSparkSession, decode_spark_address, open_bulk_session, plain_spark_path

# A row is a quad of a file: its graph, subject, predicate and object in N-Triples (predicate and graph
# without angle brackets), the datatype of a literal, and the host that an external link leads to. A file
# without quads has one row with its path and, if it cannot be read, its JSON line in the column `line`.
QUAD_COLUMNS = ", ".join(
    f"{column} STRING" for column in ("path", "g", "s", "p", "o", "datatype", "host", "line")
)


def iter_quad_rows(file: CandidateFile, job: BulkJob) -> Iterator[tuple[str | None, ...]]:
    """The rows of a file."""
    quads = read_file_quads(file, job.task)
    if isinstance(quads, UncheckedFile):
        for line in iter_report_lines(file, quads, job.language):
            yield (file.path, *[None] * 6, line)
    elif not quads:
        yield (file.path, *[None] * 7)
    else:
        for quad in quads:
            yield (file.path, *quad_cells(quad, job.base), None)


def quad_cells(quad: ox.Quad, base: str) -> tuple[str | None, ...]:
    """The cells of a quad, for the columns from `g` to `host`."""
    graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else None
    datatype = quad.object.datatype.value if isinstance(quad.object, ox.Literal) else None
    hosts = [key[1] for key, _ in link_figures(quad.triple, base)]
    return graph, str(quad.subject), quad.predicate.value, str(quad.object), datatype, next(iter(hosts), None)


def count_table_figures(table: DataFrame, base: str) -> Figures:
    """The VoID statistics of the quads in a table."""
    figures = Figures()
    triples = table.select("s", "p", "o", "datatype", "host").distinct().persist()
    types = triples.where(f"p = '{RDF_TYPE_IRI}' AND o LIKE '<%'").select("s", iri_column("o").alias("class"))
    graph_subjects = sql.when(sql.startswith(sql.col("s"), sql.lit(f"<{base}")), sql.col("s"))
    counts = {
        "triples": sql.count("*"),
        "distinctSubjects": sql.countDistinct("s"),
        "distinctObjects": sql.countDistinct("o"),
    }
    add_partition_figures(figures, [], triples, counts | {"entities": sql.countDistinct(graph_subjects)})
    add_partition_figures(figures, ["property", "p"], triples, counts)
    add_partition_figures(figures, ["class", "class"], types, {"entities": sql.countDistinct("s")})
    add_partition_figures(
        figures, ["linkset", "host", "p"], triples.where("host IS NOT NULL"), {"triples": sql.count("*")}
    )
    graphs = table.where("g IS NOT NULL").select("g", "s", "p", "o").distinct()
    add_partition_figures(figures, ["graph", "g"], graphs, {"triples": sql.count("*"), "stated": sql.lit(1)})
    licenses = triples.where(f"p = '{DCTERMS_LICENSE.value}' AND o LIKE '<%'").select(
        iri_column("o").alias("license")
    )
    add_partition_figures(figures, ["license", "license"], licenses, {"stated": sql.lit(1)})
    triples_with_class = triples.join(types, "s")
    object_classes = types.select(types["s"].alias("o"), types["class"].alias("object_class"))
    by_class, triple_count = ["class", "class", "property", "p"], {"triples": sql.count("*")}
    add_partition_figures(figures, by_class, triples_with_class, triple_count)
    add_partition_figures(
        figures,
        [*by_class, "datatype", "datatype"],
        triples_with_class.where("datatype IS NOT NULL"),
        triple_count,
    )
    add_partition_figures(
        figures,
        [*by_class, "class", "object_class"],
        triples_with_class.join(object_classes, "o"),
        triple_count,
    )
    return +figures  # without figures that are 0


def iri_column(column: str) -> Column:
    """The values of a column without angle brackets: from N-Triples to IRIs."""
    return sql.expr(f"substring({column}, 2, length({column}) - 2)")


def add_partition_figures(
    figures: Figures, names: list[str], table: DataFrame, counts: dict[str, Column]
) -> None:
    """Add the statistics of each group of rows of the table, which is a VoID partition or a linkset.

    `names` alternates the names of partition levels and the columns to group by, such as `["class", "class",
    "property", "p"]`. A linkset has two columns: `["linkset", "host", "p"]`; the whole dataset has none.
    """
    columns = names[1::2] if names[:1] != ["linkset"] else names[1:]
    aggregates: list[Any] = [count.alias(figure) for figure, count in counts.items()]
    for row in table.groupBy(*columns).agg(*aggregates).collect():
        key = partition_key(names, row) if names else WHOLE_DATASET
        figures.update({(key, figure): row[figure] for figure in counts})


def partition_key(names: list[str], row: Any) -> tuple[str, ...]:
    """The key in Figures of the group of a row, such as `("class", CLASS, "property", PROPERTY)`."""
    if names[0] == "linkset":
        return ("linkset", row["host"], row["p"])
    return tuple(name if index % 2 == 0 else row[name] for index, name in enumerate(names))


def check_with_spark(job: BulkJob) -> BulkResult:
    """Check the files, and write the JSON lines and the summary. Raises Problem 400."""
    with open_bulk_session(job) as session:
        reports = session.files.rdd.mapPartitions(partial(iter_partition_lines, job=job))
        reports.saveAsTextFile(f"{job.out}/{REPORTS_FOLDER}")
        tally = read_line_tally(session, REPORTS_FOLDER)
        if tally.file_count < len(session.addresses):
            tally += write_lost_lines(
                session,
                session.sc.textFile(f"{job.out}/{REPORTS_FOLDER}").map(line_path),
                partial(check_lost_file, job=job),
            )
        return session.finish(tally.summarize_check())


def describe_with_spark(job: BulkJob) -> BulkResult:
    """Compute and write the statistics of the files. Raises Problem 400."""
    with open_bulk_session(job) as session:
        quad_rows = session.files.rdd.mapPartitions(partial(iter_partition_rows, job=job))
        table = session.spark.createDataFrame(quad_rows, QUAD_COLUMNS).persist()
        unread_rows = table.where("line IS NOT NULL")
        unread_rows.rdd.map(lambda row: row.line).saveAsTextFile(f"{job.out}/{UNREAD_FOLDER}")
        session.write_file(
            VOID_FILE,
            serialize_void_figures(count_table_figures(table.where("s IS NOT NULL"), job.base), job.base),
        )
        tally = read_line_tally(session, UNREAD_FOLDER)
        read_paths = table.select("path").distinct()
        if read_paths.count() < len(session.addresses):
            tally += write_lost_lines(
                session, read_paths.rdd.map(lambda row: row.path), partial(read_lost_file, job=job)
            )
        return session.finish(tally.summarize_description(len(session.addresses)))


def iter_partition_lines(rows: Iterable[Row], job: BulkJob) -> Iterator[str]:
    """The JSON lines of the files of a Spark partition, each of which is a row with path and content."""
    files, checked_files = tee(map(build_candidate_file, rows))
    for file, outcome in zip(files, check_partition_files(checked_files, job.task), strict=True):
        yield from iter_report_lines(file, outcome, job.language)


def check_partition_files(files: Iterable[CandidateFile], task: CheckTask) -> Iterator[CheckOutcome | None]:
    """The outcome of each file of a Spark partition; None for a file that is skipped.

    If Spark retries a partition, a file of it may have crashed the executor, so it is checked in another
    process.
    """
    context = TaskContext.get()
    if context and context.attemptNumber():
        return check_in_workers(iter_file_batches(files), task, 1)
    return (outcome for batch in iter_file_batches(files) for outcome in check_file_batch(batch, task))


def iter_partition_rows(rows: Iterable[Row], job: BulkJob) -> Iterator[tuple[str | None, ...]]:
    """The rows of the files of a Spark partition."""
    for file in map(build_candidate_file, rows):
        yield from iter_quad_rows(file, job)


def build_candidate_file(row: Row) -> CandidateFile:
    """A file that Spark has read."""
    return CandidateFile(plain_spark_path(row.path), True, bytes(row.content))


def read_line_tally(session: BulkSparkSession, name: str) -> BulkTally:
    """The counts of the JSON lines in a subfolder of the output."""
    lines = session.sc.textFile(f"{session.job.out}/{name}")
    return lines.mapPartitions(lambda partition: [BulkTally(partition)]).fold(BulkTally(), add)


def line_path(line: str) -> str:
    """The path in a JSON line."""
    path: str = json.loads(line)["path"]
    return path


def write_lost_lines(
    session: BulkSparkSession, read_paths: "RDD[str]", check_file: Callable[[CandidateFile], list[str]]
) -> BulkTally:
    """Write the JSON lines of files that Spark skipped; `check_file` returns those of an empty file."""
    all_paths = session.sc.parallelize(list(session.addresses)).map(
        lambda spark_address: (decode_spark_address(spark_address), spark_address)
    )
    missing = all_paths.subtractByKey(read_paths.map(lambda read_path: (read_path, None))).collect()
    lines: list[str] = []
    for path, address in sorted(missing):
        problem = session.find_read_problem(address)
        lines += (
            list_unread_lines(path, problem, session.job)
            if problem
            else check_file(CandidateFile(path, True, b""))
        )
    if not lines:
        return BulkTally()
    session.sc.parallelize(lines, 1).saveAsTextFile(f"{session.job.out}/{LOST_FOLDER}")
    return BulkTally(lines)


def list_unread_lines(path: str, problem: Problem, job: BulkJob) -> list[str]:
    """The JSON line of a file that cannot be read, as a list."""
    return list(iter_report_lines(CandidateFile(path), UncheckedFile(path, problem), job.language))


def check_lost_file(file: CandidateFile, job: BulkJob) -> list[str]:
    """The JSON lines of a file, which is checked in this process."""
    return list(iter_report_lines(file, check_file_batch([file], job.task)[0], job.language))


def read_lost_file(file: CandidateFile, job: BulkJob) -> list[str]:
    """The JSON line of a file, as a list; empty if this process can read the file."""
    return [line for *_, line in iter_quad_rows(file, job) if line]
