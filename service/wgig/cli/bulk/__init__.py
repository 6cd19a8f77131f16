"""Check or describe millions of papers, with Apache Spark or with the processes of one machine.

A job writes a folder with these files. `_SUCCESS` is written last: without it, the output is incomplete.

`reports/part-*` (only check): a JSON line for each paper, in no order.
`unread/part-*` (only describe): a JSON line for each file that cannot be read.
`lost/part-*` (only if necessary): JSON lines for files that Spark skipped: too large, empty or unreadable.
`summary.json`: the counts.
`void.ttl` (only describe): the statistics as VoID.
"""

import argparse
import json
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from ...problems import Problem
from ...rdf.formats import FORMATS_BY_SUFFIX
from ...settings import Settings
from ..check_workers import CheckTask
from ..files import IGNORED_SUFFIX

REPORTS_FOLDER, UNREAD_FOLDER, LOST_FOLDER = "reports", "unread", "lost"  # folders of files with JSON lines
SUMMARY_FILE, VOID_FILE, SUCCESS_MARK = "summary.json", "void.ttl", "_SUCCESS"
BULK_FILE_SUFFIXES = sorted({*FORMATS_BY_SUFFIX} - {IGNORED_SUFFIX})  # suffixes of the files that are read
REMOTE_PATH_PATTERN = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class BulkJob(NamedTuple):
    """The input paths, the output folder, the parameters of the check, and the number of processes to run.

    Messages are in `language`; `base` is the base IRI of the graph.
    """

    paths: tuple[str, ...]
    out: str
    task: CheckTask
    language: str
    base: str
    jobs: int


def serialize_bulk_summary(summary: dict[str, Any]) -> bytes:
    """A summary as JSON."""
    return f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n".encode()


def output_exists_problem(out: str) -> Problem:
    """The problem 400 for an output folder that exists."""
    return Problem(
        400, f"{out} already exists and will not be overwritten. Choose another folder with --out."
    )


def no_paper_problem(paths: tuple[str, ...]) -> Problem:
    """The problem 400 for paths without any file that may be a paper."""
    suffixes = ", ".join(f".{suffix}" for suffix in BULK_FILE_SUFFIXES)
    return Problem(
        400, f"No papers found at {', '.join(paths)}. The file name of a paper ends in {suffixes}."
    )


def run_bulk(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the job and print its summary. The exit code is that of `wgig check`.

    Raises Problem for wrong arguments.
    """
    is_check = arguments.action == "check"
    task = CheckTask(
        arguments.profile if is_check else "complete",
        settings.shacl,
        settings.paper_bytes,
        settings.paper_triples,
    )
    language = arguments.lang if is_check else "en"
    job = BulkJob(tuple(arguments.paths), arguments.out, task, language, settings.base, arguments.jobs)
    engine = choose_bulk_engine(arguments.on)
    run_job = getattr(import_module(f".{engine}", __package__), f"{arguments.action}_with_{engine}")
    result = run_job(job)
    sys.stdout.buffer.write(serialize_bulk_summary(result.summary))
    code: int = result.code
    return code


def choose_bulk_engine(engine: str | None) -> str:
    """The module that runs the job. Raises Problem 400 if Spark is requested but not installed."""
    is_spark_installed = find_spec("pyspark") is not None
    if engine == "spark" and not is_spark_installed:
        raise Problem(400, "Spark is not installed: pip install 'wgig[spark]', or use --on processes.")
    return engine or ("spark" if is_spark_installed else "processes")
