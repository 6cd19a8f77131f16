"""Group commit: writes to different graphs that wait for their turn are committed together.

So many concurrent writers share one sync to disk, one inference and one update of the engine. Each write
still has its own version, conditions and error.
"""

from collections.abc import Sequence

from fastapi import Request, Response

from ..http.threads import run_in_write_thread
from ..problems import Problem
from ..store.errors import InferenceTooLargeError
from .write_pipeline import PendingWrite, PreparedWrite, WritePipeline, exclusive_write

MAX_GROUP_WRITES = 50  # so that the first of them need not wait long


async def commit_in_group(request: Request, pipeline: WritePipeline, write: PendingWrite) -> Response:
    """Commit a write, with others that wait, and return its response. Raises as `exclusive_write` does."""
    waiting = pipeline.waiting_writes
    waiting.append(write)
    try:
        async with exclusive_write(request, pipeline):
            if write in waiting:
                await commit_group(pipeline, take_group(waiting, write))
            await write.finished.wait()
            return write.get_response()
    except Problem:
        if write in waiting or write.finished.is_set():
            raise
    finally:
        if write in waiting:
            waiting.remove(write)
    # It waited too long for its turn, but another write had taken it into its group before.
    await write.finished.wait()
    return write.get_response()


def take_group(waiting: list[PendingWrite], first: PendingWrite) -> list[PendingWrite]:
    """Take a write from those that wait, and others that are to different graphs."""
    group = [first]
    graphs = {first.graph}
    for write in waiting:
        if write.graph not in graphs and len(group) < MAX_GROUP_WRITES:
            graphs.add(write.graph)
            group.append(write)
    waiting[:] = [write for write in waiting if write not in group]
    return group


async def commit_group(pipeline: WritePipeline, group: Sequence[PendingWrite]) -> None:
    """Commit writes together on a thread; then they are finished."""
    try:
        await run_in_write_thread(commit_writes, pipeline, group)
    except BaseException as error:
        for write in group:
            write.error = write.error or error
        raise
    finally:
        for write in group:
            write.finished.set()


def commit_writes(pipeline: WritePipeline, group: Sequence[PendingWrite]) -> None:
    """Commit writes together, and store the response or the error of each in it."""
    with pipeline.store.exclusive_writer():
        prepared = list[tuple[PendingWrite, PreparedWrite]]()
        for write in group:
            try:
                prepared.append((write, write.prepare()))
            except Exception as error:
                write.error = error
        changing = [(write, result) for write, result in prepared if result.commit]
        try:
            commit_prepared(pipeline, changing)
        except InferenceTooLargeError:
            for pair in changing:  # each may be small enough
                commit_alone(pipeline, *pair)
        except Exception as error:
            for write, _ in changing:
                write.error = error
        for write, result in prepared:
            write.response = result.response


def commit_alone(pipeline: WritePipeline, write: PendingWrite, result: PreparedWrite) -> None:
    """Commit one write, and store its error in it."""
    try:
        commit_prepared(pipeline, [(write, result)])
    except Exception as error:
        write.error = error


def commit_prepared(pipeline: WritePipeline, writes: Sequence[tuple[PendingWrite, PreparedWrite]]) -> None:
    """Commit prepared writes in one transaction."""
    checked_quads = {
        digest: results for write, _ in writes for digest, results in write.checked_quads.items()
    }
    pipeline.commit([result.commit for _, result in writes if result.commit], checked_quads)
