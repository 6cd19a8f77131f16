"""Papers by the million, checked or counted: on Apache Spark, or on the processes of one machine.

Both write the same folder. The mark `_SUCCESS` is in it as soon as all is: without it, the rest is a part.

- `reports/part-*`, of a check: a line of JSON for each paper, in no order
- `unread/part-*`, of a description: such a line for each file that cannot be read
- `lost/part-*`, only where there are such: lines about files that Spark did not give, as they are too large,
  without content, or unreadable
- `summary.json`: how many there are of what
- `void.ttl`, of a description: the figures as VoID
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
from ..files import IGNORED_ENDING

REPORTS_FOLDER, UNREAD_FOLDER, LOST_FOLDER = "reports", "unread", "lost"  # folders of lines
SUMMARY_FILE, VOID_FILE, SUCCESS_MARK = "summary.json", "void.ttl", "_SUCCESS"
BULK_FILE_ENDINGS = sorted({*FORMATS_BY_SUFFIX} - {IGNORED_ENDING})  # of the files that are read
REMOTE_PATH_PATTERN = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class BulkJob(NamedTuple):
    """What to do: the paths, the folder to write, how a file is checked, and the processes of this machine.

    Messages are in the language, and `base` begins the IRIs that count as ours.
    """

    paths: tuple[str, ...]
    out: str
    task: CheckTask
    language: str
    base: str
    jobs: int


def serialize_bulk_summary(summary: dict[str, Any]) -> bytes:
    """A summary as it is written."""
    return f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n".encode()


def output_exists_problem(out: str) -> Problem:
    """The 400 for a folder that is there."""
    return Problem(400, f"There is a {out} already, and nothing is written over. Name another --out.")


def no_paper_problem(paths: tuple[str, ...]) -> Problem:
    """The 400 for paths at which there is nothing to read."""
    endings = ", ".join(f".{one}" for one in BULK_FILE_ENDINGS)
    return Problem(400, f"There is no paper at {', '.join(paths)}. Papers end in {endings}.")


def run_bulk(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do the job, and print what it comes to. The exit code is that of `wgig check`.

    Raises Problem for a wrong call.
    """
    checks = arguments.action == "check"
    task = CheckTask(
        arguments.profile if checks else "complete",
        settings.shacl,
        settings.paper_bytes,
        settings.paper_triples,
    )
    language = arguments.lang if checks else "en"
    job = BulkJob(tuple(arguments.paths), arguments.out, task, language, settings.base, arguments.jobs)
    engine = choose_bulk_engine(arguments.on)
    work = getattr(import_module(f".{engine}", __package__), f"{arguments.action}_with_{engine}")
    done = work(job)
    sys.stdout.buffer.write(serialize_bulk_summary(done.summary))
    code: int = done.code
    return code


def choose_bulk_engine(asked: str | None) -> str:
    """The module that does it. Raises Problem 400 where Spark is asked for and not there."""
    there = find_spec("pyspark") is not None
    if asked == "spark" and not there:
        raise Problem(400, "Spark is not installed: pip install 'wgig[spark]', or take --on processes.")
    return asked or ("spark" if there else "processes")
