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
from ..shacl.batch import check_documents
from ..shacl.documents import Document
from ..shacl.engines import get_shacl_engine
from ..shacl.findings import CheckOutcome, UncheckedFile
from .files import CandidateFile, candidate_size, displayable_path, mistake_problem, read_candidate_document

CHECK_BATCH_FILES = 25  # files
CHECK_BATCH_BYTES = MIB
MIN_PARALLEL_BATCHES = 32  # batches, below which it takes longer to start a process than to check them
QUEUED_BATCHES_PER_PROCESS = 4  # batches a process, so that none waits for work


OutcomesFuture = Future[list[CheckOutcome | None]]


class CheckTask(NamedTuple):
    """How files are checked: the profile, the engine, and the most bytes and triples of a file."""

    profile: str
    engine: str
    max_bytes: int
    max_triples: int


def check_candidate_files(
    files: Iterable[CandidateFile], task: CheckTask, jobs: int
) -> Iterator[CheckOutcome | None]:
    """What is found in each file, in the order of the files; None for one that is passed over.

    Few files are checked in this process, many in so many `jobs`.
    """
    waiting = iter_file_batches(files)
    first = list(islice(waiting, MIN_PARALLEL_BATCHES))
    every = chain(first, waiting)
    if jobs > 1 and len(first) == MIN_PARALLEL_BATCHES:
        yield from check_in_workers(every, task, jobs)
    else:
        for batch in every:
            yield from check_file_batch(batch, task)


def iter_file_batches(files: Iterable[CandidateFile]) -> Iterator[list[CandidateFile]]:
    """The files in batches, of which none holds many bytes unless a single file does."""
    batch: list[CandidateFile] = []
    room = CHECK_BATCH_BYTES
    for file in files:
        size = candidate_size(file)
        if batch and (len(batch) == CHECK_BATCH_FILES or size > room):
            yield batch
            batch, room = [], CHECK_BATCH_BYTES
        batch.append(file)
        room -= size
    if batch:
        yield batch


def check_file_batch(files: Sequence[CandidateFile], task: CheckTask) -> list[CheckOutcome | None]:
    """What is found in each of the files; None for one that is passed over.

    When something unforeseen happens, each is checked by itself, so that it befalls one file alone.
    """
    try:
        return check_files_together(files, task)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of an engine is no Exception
        if len(files) == 1:
            return [UncheckedFile(displayable_path(files[0].path), mistake_problem(error))]
        return [found for one in files for found in check_file_batch([one], task)]


def check_files_together(files: Sequence[CandidateFile], task: CheckTask) -> list[CheckOutcome | None]:
    """What is found in each of the files, in one go; None for one that is passed over."""
    read = [read_candidate_document(one, task.max_bytes, task.max_triples) for one in files]
    documents = [one for one in read if isinstance(one, Document)]
    found = iter(check_documents(documents, task.profile, task.engine))
    return [next(found) if isinstance(one, Document) else one for one in read]


class CheckWorkers:
    """Processes that check files; when one dies, others take over."""

    def __init__(self, jobs: int, task: CheckTask) -> None:
        """No process is started before there is work."""
        self.jobs, self.task = jobs, task
        self.pool = self.make_pool()

    def make_pool(self) -> ProcessPoolExecutor:
        """A pool of processes that are still to be started."""
        # A forked process would take over locks of threads that it does not have.
        context = get_context("spawn")
        return ProcessPoolExecutor(
            self.jobs, context, initializer=prepare_check_worker, initargs=(self.task.engine,)
        )

    def submit(self, files: list[CandidateFile]) -> OutcomesFuture:
        """What will be found in the files; BrokenProcessPool for all under way when a process dies."""
        try:
            return self.pool.submit(check_file_batch, files, self.task)
        except BrokenProcessPool:
            self.pool = self.make_pool()
            return self.pool.submit(check_file_batch, files, self.task)

    def check_alone(self, file: CandidateFile) -> CheckOutcome | None:
        """What is found in a file while nothing else is under way, so that a death is its own doing."""
        try:
            return self.submit([file]).result()[0]
        except BrokenProcessPool:
            sentence = "This takes more memory or deeper nesting than there is for it. Check smaller files."
            return UncheckedFile(displayable_path(file.path), Problem(413, sentence))

    def close(self) -> None:
        """Begin nothing that has not begun, and let the processes end."""
        self.pool.shutdown(cancel_futures=True)


def check_in_workers(
    waiting: Iterable[list[CandidateFile]], task: CheckTask, jobs: int
) -> Iterator[CheckOutcome | None]:
    """What is found in each file of the batches, which are spread over processes.

    Files that were under way when a process died are checked again one by one.
    """
    crew, careful = CheckWorkers(jobs, task), CheckWorkers(1, task)
    running: deque[tuple[list[CandidateFile], OutcomesFuture]] = deque()

    def first() -> Iterator[CheckOutcome | None]:
        batch, found = running.popleft()
        try:
            return iter(found.result())
        except BrokenProcessPool:
            return map(careful.check_alone, batch)

    try:
        for batch in waiting:
            running.append((batch, crew.submit(batch)))
            if len(running) > jobs * QUEUED_BATCHES_PER_PROCESS:
                yield from first()
        while running:
            yield from first()
    finally:
        crew.close()
        careful.close()


def prepare_check_worker(name: str) -> None:
    """Make a process ready: it ends at Ctrl-C without a word, and has the engine at hand.

    The one that started it says what is to be said.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    get_shacl_engine(name)(())
    gc.freeze()  # what is there now stays, and need not be looked through for garbage
