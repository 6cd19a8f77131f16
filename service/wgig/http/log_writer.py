"""The writer of the log, on its own thread: a full pipe or disk behind standard error stops nothing else."""

import errno
import logging
import os
import select
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue
from typing import TextIO

MAX_QUEUED_LOG_LINES = 10_000  # some megabytes; more lines are dropped
FLUSH_TIMEOUT_SECONDS = 1.0  # at the end of the process
WRITE_RETRY_SECONDS = 0.1  # after an error, such as a full disk
CLOSED_LOG_ERRORS = (errno.EPIPE, errno.EBADF)  # the reader has exited, or the log is closed


class LogWriter(logging.Handler):
    """Writes log lines on a thread; if MAX_QUEUED_LOG_LINES wait, it drops and counts further lines.

    The number of dropped lines is logged as soon as somebody reads the log again.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to the file behind a stream, by default standard error, or to nothing if that is closed.

        The thread starts with the first line.
        """
        super().__init__()
        self.stream = stream or sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  never closed
        self.lines: Queue[str] = Queue(MAX_QUEUED_LOG_LINES)
        self.dropped = self.reported = 0  # lines
        self.thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record."""
        try:
            self.lines.put_nowait(self.format(record))
            if self.thread is None:  # emit is called under the lock of the handler
                self.thread = threading.Thread(target=self.write_lines, name="log", daemon=True)
                self.thread.start()
        except Full:
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def write_lines(self) -> None:
        """Write all lines as they come; ends if nobody can read the log any more."""
        while True:
            line = self.lines.get()
            try:
                self.write_line(line)
            except (OSError, ValueError):  # ValueError: the stream is closed
                return
            finally:
                self.lines.task_done()

    def write_line(self, line: str) -> None:
        """Write one line, and how many were dropped before it. Raises OSError as `write_text`."""
        dropped = self.dropped - self.reported
        if dropped:
            self.reported += dropped
            record = logging.LogRecord(
                "wgig",
                logging.WARNING,
                "",
                0,
                "%d log lines were dropped, because nothing was reading the log",
                (dropped,),
                None,
            )
            self.write_text(f"{self.format(record)}\n")
        self.write_text(f"{line}\n")

    def write_text(self, text: str) -> None:
        """Write all of a text, repeatedly if the disk or a nonblocking pipe is full.

        The file is written directly: the stream would keep a part of what it cannot write. Raises OSError
        with one of CLOSED_LOG_ERRORS.
        """
        data = text.encode(self.stream.encoding, "backslashreplace")
        while data:
            try:
                data = data[os.write(self.stream.fileno(), data) :]
            except OSError as error:
                if error.errno in CLOSED_LOG_ERRORS:
                    raise
                time.sleep(WRITE_RETRY_SECONDS)

    def flush(self) -> None:
        """Wait until all lines are written, up to FLUSH_TIMEOUT_SECONDS."""
        end = time.monotonic() + FLUSH_TIMEOUT_SECONDS
        while self.lines.unfinished_tasks and self.thread and self.thread.is_alive():
            if time.monotonic() > end:
                return
            time.sleep(0.001)


class DirectLogHandler(logging.StreamHandler[TextIO]):
    """Writes lines without a thread, for a process that forks others; drops a line if a pipe is full."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record, unless that would have to wait."""
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            if select.select([], [self.stream], [], 0)[1]:
                super().emit(record)


def count_dropped_log_lines() -> int:
    """How many lines of the log of this process were dropped."""
    handlers = logging.getLogger().handlers
    return sum(handler.dropped for handler in handlers if isinstance(handler, LogWriter))
