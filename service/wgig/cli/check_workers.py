"""Files checked by several processes, in order, with few of them in memory at a time."""

import gc
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from typing import NamedTuple

from ..problems import Problem
from ..settings import MIB
from ..shacl.batch import check_many
from ..shacl.documents import Document
from ..shacl.engines import engine
from ..shacl.findings import Outcome, Unread
from .files import Candidate, mistake, opened, shown, size_of

BATCH = 25  # files
BATCH_BYTES = MIB
FEW = 32  # batches, below which it takes longer to start a process than to check them
AHEAD = 4  # batches a process, so that none waits for work


Found = Future[list[Outcome | None]]


class Task(NamedTuple):
    """How files are checked: the profile, the engine, and the most bytes and triples of a file."""

    profile: str
    engine: str
    most_bytes: int
    most_triples: int


def check_files(files: Iterable[Candidate], task: Task, jobs: int) -> Iterator[Outcome | None]:
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


def batches(files: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """The files in batches, of which none holds many bytes unless a single file does."""
    batch: list[Candidate] = []
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


def checked(files: Sequence[Candidate], task: Task) -> list[Outcome | None]:
    """What is found in each of the files; None for one that is passed over.

    When something unforeseen happens, each is checked by itself, so that it befalls one file alone.
    """
    try:
        return together(files, task)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of an engine is no Exception
        if len(files) == 1:
            return [Unread(shown(files[0].path), mistake(error))]
        return [found for one in files for found in checked([one], task)]


def together(files: Sequence[Candidate], task: Task) -> list[Outcome | None]:
    """What is found in each of the files, in one go; None for one that is passed over."""
    read = [opened(one, task.most_bytes, task.most_triples) for one in files]
    documents = [one for one in read if isinstance(one, Document)]
    found = iter(check_many(documents, task.profile, task.engine))
    return [next(found) if isinstance(one, Document) else one for one in read]


class Crew:
    """Processes that check files; when one dies, others take over."""

    def __init__(self, jobs: int, task: Task) -> None:
        """No process is started before there is work."""
        self.jobs, self.task = jobs, task
        self.pool = self.fresh()

    def fresh(self) -> ProcessPoolExecutor:
        """A pool of processes that are still to be started."""
        # A forked process would take over locks of threads that it does not have.
        context = get_context("spawn")
        return ProcessPoolExecutor(self.jobs, context, initializer=prepare, initargs=(self.task.engine,))

    def submit(self, files: list[Candidate]) -> Found:
        """What will be found in the files; BrokenProcessPool for all under way when a process dies."""
        try:
            return self.pool.submit(checked, files, self.task)
        except BrokenProcessPool:
            self.pool = self.fresh()
            return self.pool.submit(checked, files, self.task)

    def alone(self, file: Candidate) -> Outcome | None:
        """What is found in a file while nothing else is under way, so that a death is its own doing."""
        try:
            return self.submit([file]).result()[0]
        except BrokenProcessPool:
            sentence = "This takes more memory or deeper nesting than there is for it. Check smaller files."
            return Unread(shown(file.path), Problem(413, sentence))

    def end(self) -> None:
        """Begin nothing that has not begun, and let the processes end."""
        self.pool.shutdown(cancel_futures=True)


def spread(waiting: Iterable[list[Candidate]], task: Task, jobs: int) -> Iterator[Outcome | None]:
    """What is found in each file of the batches, which are spread over processes.

    Files that were under way when a process died are checked again one by one.
    """
    crew, careful = Crew(jobs, task), Crew(1, task)
    running: deque[tuple[list[Candidate], Found]] = deque()

    def first() -> Iterator[Outcome | None]:
        batch, found = running.popleft()
        try:
            return iter(found.result())
        except BrokenProcessPool:
            return map(careful.alone, batch)

    try:
        for batch in waiting:
            running.append((batch, crew.submit(batch)))
            if len(running) > jobs * AHEAD:
                yield from first()
        while running:
            yield from first()
    finally:
        crew.end()
        careful.end()


def prepare(name: str) -> None:
    """Make a process ready: it ends at Ctrl-C without a word, and has the engine at hand.

    The one that started it says what is to be said.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    engine(name)(())
    gc.freeze()  # what is there now stays, and need not be looked through for garbage
