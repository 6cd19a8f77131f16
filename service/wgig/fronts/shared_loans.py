"""Which clients have query workers of any front process, in shared memory, so that a client has one limit."""

import mmap
import os

from .shared_memory import SharedLock, digest_client

CELL_BYTES = 8
FREE_CELL = bytes(CELL_BYTES)


class SharedLoans:
    """A table with a row for each front process: its process ID, and the digest of the client of each loan.

    Only that process writes to its row, until the supervisor clears it.
    """

    def __init__(self, row_count: int, row_loans: int, max_per_client: int) -> None:
        """Start with free rows for `row_loans` loans each. A client may have `max_per_client` in all."""
        self.row_bytes, self.max_per_client = CELL_BYTES * (1 + row_loans), max_per_client
        self.memory = mmap.mmap(-1, row_count * self.row_bytes)
        self.rows = range(0, len(self.memory), self.row_bytes)  # their offsets
        self.claim_lock = SharedLock()
        self.cells = range(0)  # offsets of the cells of this process

    def claim_row(self) -> None:
        """Take a row for this process. If all are taken, its loans are not counted."""
        self.cells = range(0)
        with self.claim_lock.hold():
            for row in self.rows:
                if self.read_cell(row) == FREE_CELL:
                    self.write_cell(row, encode_number(os.getpid()))
                    self.cells = range(row + CELL_BYTES, row + self.row_bytes, CELL_BYTES)
                    return

    def clear_row(self, process_id: int) -> None:
        """Free the row of a process that has exited."""
        for row in self.rows:
            if self.read_cell(row) == encode_number(process_id):
                self.memory[row : row + self.row_bytes] = bytes(self.row_bytes)

    def is_reached(self, client: str) -> bool:
        """Whether a client may not have another loan."""
        return self.count(encode_client(client)) >= self.max_per_client

    def add(self, client: str) -> bool:
        """Note a loan. False if the client has got the last one of another process meanwhile.

        It is noted before all are counted, so that two processes never exceed the limit together.
        """
        digest = encode_client(client)
        self.replace_cell(FREE_CELL, digest)
        if self.count(digest) <= self.max_per_client:
            return True
        self.remove(client)
        return False

    def remove(self, client: str) -> None:
        """Note the end of a loan."""
        self.replace_cell(encode_client(client), FREE_CELL)

    def count(self, digest: bytes) -> int:
        """The number of loans of a client, from all processes."""
        return self.memory[:].count(digest)

    def replace_cell(self, old: bytes, new: bytes) -> None:
        """Write to the first cell of this process with the content `old`, if there is one."""
        for cell in self.cells:
            if self.read_cell(cell) == old:
                return self.write_cell(cell, new)
        return None

    def read_cell(self, offset: int) -> bytes:
        """The content of the cell at an offset."""
        return self.memory[offset : offset + CELL_BYTES]

    def write_cell(self, offset: int, content: bytes) -> None:
        """Replace the content of the cell at an offset."""
        self.memory[offset : offset + CELL_BYTES] = content


def encode_number(number: int) -> bytes:
    """A number as the content of a cell."""
    return number.to_bytes(CELL_BYTES, "little")


def encode_client(client: str) -> bytes:
    """The digest of a client as the content of a cell."""
    return encode_number(digest_client(client))
