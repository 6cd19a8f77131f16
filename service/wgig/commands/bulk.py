"""`wgig bulk`: papers by the million, checked or counted."""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec

from ..jobs import Job, in_json
from ..problems import Problem
from ..settings import Settings
from ..workers import Task


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do the job, and print what it comes to. The exit code is that of `wgig check`.

    Raises Problem for a wrong call.
    """
    checks = arguments.action == "check"
    task = Task(
        arguments.profile if checks else "complete",
        settings.shacl,
        settings.paper_bytes,
        settings.paper_triples,
    )
    language = arguments.lang if checks else "en"
    job = Job(tuple(arguments.paths), arguments.out, task, language, settings.base, arguments.jobs)
    work = getattr(import_module(f"..jobs.{means(arguments.on)}", __package__), arguments.action)
    done = work(job)
    sys.stdout.buffer.write(in_json(done.summary))
    code: int = done.code
    return code


def means(asked: str | None) -> str:
    """The module that does it. Raises Problem 400 where Spark is asked for and not there."""
    there = find_spec("pyspark") is not None
    if asked == "spark" and not there:
        raise Problem(400, "Spark is not installed: pip install 'wgig[spark]', or take --on processes.")
    return asked or ("spark" if there else "processes")
