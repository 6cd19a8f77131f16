"""The log is written on its own thread: a full pipe or disk stops nothing else."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import pytest
from wgig.http import log_writer
from wgig.http.log_writer import WRITE_RETRY_SECONDS, DirectLogHandler, LogWriter

from tests.fixtures.outputs import fill_pipe


class FullPipe(NamedTuple):
    """A full pipe, and the number of bytes in it."""

    read_end: int
    stream: TextIO
    size: int

    def read_bytes(self, size: int) -> bytes:
        """This number of bytes, which must come."""
        data = b""
        while len(data) < size:
            data += os.read(self.read_end, size - len(data))
        return data


@pytest.fixture
def full_pipe() -> Iterator[FullPipe]:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream:
        yield FullPipe(read_end, stream, fill_pipe(write_end))
    os.close(read_end)


@pytest.fixture
def wait_for_retry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """A function that waits until a write has failed, and returns whether it has."""
    has_failed = threading.Event()

    def sleep(seconds: float) -> None:
        if seconds == WRITE_RETRY_SECONDS:
            has_failed.set()

    monkeypatch.setattr(time, "sleep", sleep)
    return lambda: has_failed.wait(10)


def log_lines(writer: LogWriter, count: int, message: str = "line %d") -> None:
    for number in range(count):
        writer.handle(logging.LogRecord("test", logging.INFO, "", 0, message, (number,), None))


def test_handler_without_a_thread_drops_lines_while_a_pipe_is_full(full_pipe: FullPipe) -> None:
    handler = DirectLogHandler(full_pipe.stream)
    record = logging.LogRecord("test", logging.INFO, "", 0, "a line", (), None)
    handler.handle(record)
    full_pipe.read_bytes(full_pipe.size)
    handler.handle(record)
    handler.handle(record)
    assert full_pipe.read_bytes(14) == b"a line\na line\n"


def test_lines_are_written_in_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        writer = LogWriter(stream)
        log_lines(writer, 100)
        writer.flush()
    assert (tmp_path / "log").read_text().splitlines() == [f"line {number}" for number in range(100)]


def test_a_log_that_nobody_reads_stops_nothing_and_says_what_it_lost(
    monkeypatch: pytest.MonkeyPatch, full_pipe: FullPipe
) -> None:
    monkeypatch.setattr(log_writer, "MAX_QUEUED_LOG_LINES", 5)
    writer = LogWriter(full_pipe.stream)
    log_lines(writer, 20)
    assert writer.dropped in (14, 15)  # one may be in the hands of the thread
    full_pipe.read_bytes(full_pipe.size)
    writer.flush()
    lines = os.read(full_pipe.read_end, full_pipe.size).decode().splitlines()
    assert f"{writer.dropped} log lines were dropped, because nothing was reading the log" in lines
    assert lines[-1] == f"line {19 - writer.dropped}"


def test_lines_are_written_when_the_disk_has_space_again(
    tmp_path: Path, wait_for_retry: Callable[[], bool]
) -> None:
    with Path("/dev/full").open("w") as stream, (tmp_path / "log").open("w") as file:
        writer = LogWriter(stream)
        log_lines(writer, 3)
        assert wait_for_retry()
        os.dup2(file.fileno(), stream.fileno())
        writer.flush()
    assert (tmp_path / "log").read_text().splitlines() == ["line 0", "line 1", "line 2"]


def test_lines_are_written_completely_to_a_nonblocking_pipe(
    full_pipe: FullPipe, wait_for_retry: Callable[[], bool]
) -> None:
    os.set_blocking(full_pipe.stream.fileno(), False)
    message = f"line %d{' ' * full_pipe.size}"
    writer = LogWriter(full_pipe.stream)
    log_lines(writer, 3, message)
    assert wait_for_retry()
    full_pipe.read_bytes(full_pipe.size)
    expected_text = "".join(f"{message % number}\n" for number in range(3))
    assert full_pipe.read_bytes(len(expected_text)).decode() == expected_text


def test_the_thread_ends_if_the_reader_has_exited() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stream:
        writer = LogWriter(stream)
        log_lines(writer, 1)
        assert writer.thread
        writer.thread.join(10)
        assert not writer.thread.is_alive()


def test_the_thread_ends_if_the_stream_is_closed(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    stream.close()
    writer = LogWriter(stream)
    log_lines(writer, 1)
    assert writer.thread
    writer.thread.join(10)
    assert not writer.thread.is_alive()
