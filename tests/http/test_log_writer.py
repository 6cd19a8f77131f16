"""The log is written on a thread of its own, which a full pipe may stop without stopping anything else."""

import io
import logging
import threading

import pytest
from wgig.http import log_writer
from wgig.http.log_writer import LogWriter


class HeldStream(io.StringIO):
    """A stream whose writes wait until the reader takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = threading.Event()

    def write(self, text: str) -> int:
        assert self.is_read.wait(10)
        return super().write(text)


def log_lines(writer: LogWriter, count: int) -> None:
    for number in range(count):
        writer.handle(logging.LogRecord("test", logging.INFO, "", 0, "line %d", (number,), None))


def test_lines_are_written_in_order() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    log_lines(writer, 100)
    writer.flush()
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]


def test_a_log_that_nobody_reads_stops_nothing_and_says_what_it_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_writer, "MAX_QUEUED_LOG_LINES", 5)
    stream = HeldStream()
    writer = LogWriter(stream)
    log_lines(writer, 20)
    assert writer.dropped in (14, 15)  # one may be in the hands of the thread
    stream.is_read.set()
    writer.flush()
    assert f"{writer.dropped} log lines were dropped" in stream.getvalue()
    assert stream.getvalue().splitlines()[-1] == f"line {19 - writer.dropped}"


def test_a_closed_stream_ends_the_thread() -> None:
    stream = io.StringIO()
    stream.close()
    writer = LogWriter(stream)
    log_lines(writer, 1)
    assert writer.thread
    writer.thread.join(10)
    assert not writer.thread.is_alive()
