"""Check files in several processes; outcomes are in the order of the files, of which few are in memory."""

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
from .files import CandidateFile, bug_problem, candidate_size, displayable_path, read_candidate_document

CHECK_BATCH_FILES = 25  # maximum files that are checked together
CHECK_BATCH_BYTES = MIB  # maximum total size of these files
MIN_PARALLEL_BATCHES = 32  # with fewer, starting processes takes longer than checking
QUEUED_BATCHES_PER_PROCESS = 4  # so that no process waits for work


OutcomesFuture = Future[list[CheckOutcome | None]]


class CheckTask(NamedTuple):
    """The parameters of a check: the profile, the engine, and the maximum bytes and triples of a file."""

    profile: str
    engine: str
    max_bytes: int
    max_triples: int


def check_candidate_files(
    files: Iterable[CandidateFile], task: CheckTask, jobs: int
) -> Iterator[CheckOutcome | None]:
    """The outcome of each file, in order; None for a file that is skipped.

    Few files are checked in this process, many in `jobs` processes.
    """
    batches = iter_file_batches(files)
    first_batches = list(islice(batches, MIN_PARALLEL_BATCHES))
    all_batches = chain(first_batches, batches)
    if jobs > 1 and len(first_batches) == MIN_PARALLEL_BATCHES:
        yield from check_in_workers(all_batches, task, jobs)
    else:
        for batch in all_batches:
            yield from check_file_batch(batch, task)


def iter_file_batches(files: Iterable[CandidateFile]) -> Iterator[list[CandidateFile]]:
    """The files in batches of at most CHECK_BATCH_FILES and CHECK_BATCH_BYTES; a larger file is alone."""
    batch: list[CandidateFile] = []
    remaining_bytes = CHECK_BATCH_BYTES
    for file in files:
        size = candidate_size(file)
        if batch and (len(batch) == CHECK_BATCH_FILES or size > remaining_bytes):
            yield batch
            batch, remaining_bytes = [], CHECK_BATCH_BYTES
        batch.append(file)
        remaining_bytes -= size
    if batch:
        yield batch


def check_file_batch(files: Sequence[CandidateFile], task: CheckTask) -> list[CheckOutcome | None]:
    """The outcome of each file; None for a file that is skipped.

    After an unexpected error, the files are checked one by one, so that only the cause of the error fails.
    """
    try:
        return check_files_together(files, task)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a Rust panic of an engine is not an Exception
        if len(files) == 1:
            return [UncheckedFile(displayable_path(files[0].path), bug_problem(error))]
        return [outcome for file in files for outcome in check_file_batch([file], task)]


def check_files_together(files: Sequence[CandidateFile], task: CheckTask) -> list[CheckOutcome | None]:
    """The outcome of each file, from one call of the engine; None for a file that is skipped."""
    results = [read_candidate_document(file, task.max_bytes, task.max_triples) for file in files]
    documents = [result for result in results if isinstance(result, Document)]
    outcomes = iter(check_documents(documents, task.profile, task.engine))
    return [next(outcomes) if isinstance(result, Document) else result for result in results]


class CheckWorkers:
    """A pool of processes that check files; it is replaced when a process dies."""

    def __init__(self, jobs: int, task: CheckTask) -> None:
        """Take the number of processes, which start with the first files."""
        self.jobs, self.task = jobs, task
        self.pool = self.make_pool()

    def make_pool(self) -> ProcessPoolExecutor:
        """A pool of processes, which start with the first files."""
        # A forked process would inherit locks that threads of this process hold, and wait for them forever.
        context = get_context("spawn")
        return ProcessPoolExecutor(
            self.jobs, context, initializer=prepare_check_worker, initargs=(self.task.engine,)
        )

    def submit(self, files: list[CandidateFile]) -> OutcomesFuture:
        """The future of the outcomes; it raises BrokenProcessPool if a process dies meanwhile."""
        try:
            return self.pool.submit(check_file_batch, files, self.task)
        except BrokenProcessPool:
            self.pool = self.make_pool()
            return self.pool.submit(check_file_batch, files, self.task)

    def check_alone(self, file: CandidateFile) -> CheckOutcome | None:
        """The outcome of a file that is checked alone, so that a crash is certainly due to it."""
        try:
            return self.submit([file]).result()[0]
        except BrokenProcessPool:
            detail = "This check needs more memory or stack depth than is available. Check smaller files."
            return UncheckedFile(displayable_path(file.path), Problem(413, detail))

    def close(self) -> None:
        """Cancel queued files and end the processes."""
        self.pool.shutdown(cancel_futures=True)


def check_in_workers(
    batches: Iterable[list[CandidateFile]], task: CheckTask, jobs: int
) -> Iterator[CheckOutcome | None]:
    """The outcome of each file of the batches, checked in several processes.

    After a process died, the files of the unfinished batches are checked again, one by one.
    """
    workers, single_worker = CheckWorkers(jobs, task), CheckWorkers(1, task)
    running: deque[tuple[list[CandidateFile], OutcomesFuture]] = deque()

    def next_outcomes() -> Iterator[CheckOutcome | None]:
        batch, future = running.popleft()
        try:
            return iter(future.result())
        except BrokenProcessPool:
            return map(single_worker.check_alone, batch)

    try:
        for batch in batches:
            running.append((batch, workers.submit(batch)))
            if len(running) > jobs * QUEUED_BATCHES_PER_PROCESS:
                yield from next_outcomes()
        while running:
            yield from next_outcomes()
    finally:
        workers.close()
        single_worker.close()


def prepare_check_worker(engine: str) -> None:
    """Prepare a worker process: load the engine, and exit silently on Ctrl-C, as the parent reports it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    get_shacl_engine(engine)(())  # checks no documents
