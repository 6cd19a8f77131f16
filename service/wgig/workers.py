"""Files checked by several processes, in order, with few of them in memory at a time."""

import gc
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from typing import NamedTuple

from .bulk import check_many
from .documents import Document
from .engines import engine
from .files import File, opened
from .report import Outcome
from .settings import MIB

BATCH = 25  # files
BATCH_BYTES = MIB
FEW = 32  # batches, below which it takes longer to start a process than to check them
AHEAD = 4  # batches a process, so that none waits for work


class Task(NamedTuple):
    """How files are checked: the profile, the engine, and the most bytes and triples of a file."""

    profile: str
    engine: str
    most_bytes: int
    most_triples: int


def outcomes(files: Iterable[File], task: Task, jobs: int) -> Iterator[Outcome | None]:
    """What is found in each file, in the order of the files; None for one that is passed over.

    Few files are checked in this process, many in so many `jobs`.
    """
    waiting = batches(files)
    first = list(islice(waiting, FEW))
    every = chain(first, waiting)
    if jobs > 1 and len(first) == FEW:
        yield from spread(every, task, jobs)
    else:
        for batch in every:
            yield from checked(batch, task)


def batches(files: Iterable[File]) -> Iterator[list[File]]:
    """The files in batches, of which none holds many bytes unless a single file does."""
    batch: list[File] = []
    room = BATCH_BYTES
    for file in files:
        size = size_of(file)
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(file)
        room -= size
    if batch:
        yield batch


def size_of(file: File) -> int:
    """The size of a file in bytes, 0 where it cannot be told."""
    try:
        return os.stat(file.path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def checked(files: Sequence[File], task: Task) -> list[Outcome | None]:
    """What is found in each of the files; None for one that is passed over."""
    read = [opened(one, task.most_bytes, task.most_triples) for one in files]
    documents = [one for one in read if isinstance(one, Document)]
    found = iter(check_many(documents, task.profile, task.engine))
    return [next(found) if isinstance(one, Document) else one for one in read]


def spread(waiting: Iterable[list[File]], task: Task, jobs: int) -> Iterator[Outcome | None]:
    """What is found in each file of the batches, which are spread over processes."""
    # A forked process would take over locks of threads that it does not have.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=prepare, initargs=(task.engine,))
    running: deque[Future[list[Outcome | None]]] = deque()
    try:
        for batch in waiting:
            running.append(pool.submit(checked, batch, task))
            if len(running) > jobs * AHEAD:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    except BrokenProcessPool as error:
        raise OSError(
            "A process that checked papers was ended, perhaps for want of memory. Take fewer with --jobs."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def prepare(name: str) -> None:
    """Make a process ready: it ends at Ctrl-C without a word, and has the engine at hand.

    The one that started it says what is to be said.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    engine(name)(())
    gc.freeze()  # what is there now stays, and need not be looked through for garbage
