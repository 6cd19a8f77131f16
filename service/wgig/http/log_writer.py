"""The writer of the log, on its own thread: a full pipe behind standard error stops nothing else."""

import logging
import sys
import threading
import time
from queue import Full, Queue
from typing import TextIO

MAX_QUEUED_LOG_LINES = 10_000  # some megabytes; more lines are dropped
FLUSH_TIMEOUT_SECONDS = 1.0  # at the end of the process


class LogWriter(logging.Handler):
    """Writes log lines on a thread; if MAX_QUEUED_LOG_LINES wait, it drops and counts further lines.

    The number of dropped lines is logged as soon as somebody reads the log again.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to a stream, by default standard error. The thread starts with the first line."""
        super().__init__()
        self.stream = stream or sys.stderr
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
        """Write all lines as they come; ends if the stream is closed."""
        while True:
            line = self.lines.get()
            try:
                self.write_line(line)
            except (OSError, ValueError):  # nobody can read the log any more
                return
            finally:
                self.lines.task_done()

    def write_line(self, line: str) -> None:
        """Write one line, and how many were dropped before it."""
        dropped = self.dropped - self.reported
        if dropped:
            self.reported += dropped
            record = logging.LogRecord(
                "wgig",
                logging.WARNING,
                "",
                0,
                "%d log lines were dropped: nobody read the log",
                (dropped,),
                None,
            )
            self.stream.write(f"{self.format(record)}\n")
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def flush(self) -> None:
        """Wait until all lines are written, up to FLUSH_TIMEOUT_SECONDS."""
        end = time.monotonic() + FLUSH_TIMEOUT_SECONDS
        while self.lines.unfinished_tasks and self.thread and self.thread.is_alive():
            if time.monotonic() > end:
                return
            time.sleep(0.001)


def count_dropped_log_lines() -> int:
    """How many lines of the log of this process were dropped."""
    handlers = logging.getLogger().handlers
    return sum(handler.dropped for handler in handlers if isinstance(handler, LogWriter))
