"""What one process at a time may do, told by a lock on a file."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Around what one process at a time may do; who comes second waits, or is refused in the words of `busy`.

    The lock goes with its process, however that ends. Raises OSError, also where it is busy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise OSError(busy) from error
        yield
