"""Jobs on the processes of this machine."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice, tee
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox

from ...graphs.description.statistics import count
from ...problems import Problem
from ...shacl.findings import Unread
from ..check_workers import check_files
from ..console import progress
from ..files import Candidate, inside
from . import ENDINGS, FAR, MARK, REPORTS, SUMMARY, UNREAD, VOID, Job, in_json, nothing, taken
from .lines import Done, Line, Tally, about, quads, void, written

PART = 10_000  # lines of a file


def check(job: Job) -> Done:
    """Check the files, and write the lines and what they come to. Raises Problem 400, OSError."""
    with begun(job) as (out, files):
        every, found = tee(files)
        each = zip(every, check_files(found, job.task, job.jobs), strict=True)
        tally = write(out / REPORTS, (one for pair in each for one in about(*pair, job.language)))
        done = tally.of_papers()
        (out / SUMMARY).write_bytes(in_json(done.summary))
    return done


def describe(job: Job) -> Done:
    """Count what is in the files, and write the figures. Raises Problem 400, OSError."""
    unread: list[Line] = []
    seen = 0

    def read(file: Candidate) -> Iterable[ox.Quad]:
        nonlocal seen
        seen += 1
        found = quads(file, job.task)
        if not isinstance(found, Unread):
            return found
        unread.extend(about(file, found, job.language))
        return ()

    with begun(job) as (out, files), TemporaryDirectory() as scratch:
        store = ox.Store(scratch)
        store.bulk_extend(chain.from_iterable(map(read, files)))
        (out / VOID).write_bytes(void(count(store, job.base, frozenset()), job.base))
        done = write(out / UNREAD, unread).of_files(seen)
        (out / SUMMARY).write_bytes(in_json(done.summary))
    return done


@contextmanager
def begun(job: Job) -> Iterator[tuple[Path, Iterator[Candidate]]]:
    """The folder to write, which gets its mark at the end, and the files, which are counted as they go.

    Raises Problem 400 where there is the one, or none of the other.
    """
    if far := next(filter(FAR.match, (*job.paths, job.out)), None):
        raise Problem(400, f"{far} is not on this machine. Spark reads it: pip install 'wgig[spark]'")
    out = Path(job.out)
    if out.exists():
        raise taken(job.out)
    files = candidates(job.paths)
    first = list(islice(files, 1))
    if not first:
        raise nothing(job.paths)
    out.mkdir(parents=True)
    with progress("Reading", None, "files") as reached:
        yield out, told(chain(first, files), reached)
    (out / MARK).touch()


def told(files: Iterable[Candidate], reached: Callable[[int], None]) -> Iterator[Candidate]:
    """The files; the number of those that went by is told."""
    for number, one in enumerate(files, 1):
        reached(number)
        yield one


def candidates(paths: Iterable[str]) -> Iterator[Candidate]:
    """The files that may be papers, by the globs, folders and names of files: what Spark reads, too.

    None begins with a dot or an underscore, nor does a folder in which it is.
    """
    for path in paths:
        there = os.path.abspath(path.removeprefix("file:"))  # noqa: PTH100  what it says is shown
        names = sorted(glob.glob(there))  # noqa: PTH207
        if not names:
            raise nothing((path,))
        for one in names:
            listed = inside(one) if os.path.isdir(one) else [Candidate(one, found=True)]  # noqa: PTH112
            yield from (file for file in listed if is_sought(file.path, os.path.dirname(one)))  # noqa: PTH120


def is_sought(path: str, above: str) -> bool:
    """Whether a file is read: by its ending, and the names from the folder above on."""
    names = path.removeprefix(above).lstrip("/").split("/")
    return names[-1].rpartition(".")[2].lower() in ENDINGS and not any(one[:1] in "._" for one in names)


def write(folder: Path, lines: Iterable[Line]) -> Tally:
    """Write lines into files of the folder, and count them."""
    folder.mkdir()
    tally, waiting = Tally(), iter(lines)
    for number, first in enumerate(waiting):
        with (folder / f"part-{number:05}").open("w", encoding="utf-8") as file:
            for line in chain([first], islice(waiting, PART - 1)):
                tally.take(line)
                file.write(f"{written(line)}\n")
    return tally
