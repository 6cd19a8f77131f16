"""Jobs on Apache Spark: on a cluster that its settings name, else on processes of this machine.

Files are read by Spark, so from wherever it reads, and go to executors in parts of hundreds. What runs there
is what runs here: `workers.checked`, which keeps the prepared shapes for as long as its process lives.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import tee
from operator import add

from pyspark import TaskContext
from pyspark.core.rdd import RDD
from pyspark.sql import Row

from ..files import Candidate
from ..problems import Problem
from ..report import Outcome, Unread
from ..workers import Task, batches, checked, spread
from . import LOST, REPORTS, UNREAD, VOID, Job
from .counting import COLUMNS, figures, rows
from .lines import Done, Tally, lines
from .session import Session, named, plain, session
from .void import void


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
