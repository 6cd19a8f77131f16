"""What all processes of a service share.

An ID, the version of the data, the numbers of connections, and the buckets of rate limits.
"""

import ctypes
import fcntl
import mmap
import os
import struct
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b

from .listener import ConnectionCounts

BUCKET_STRUCT = struct.Struct("<Qd")  # the digest of a client, and when its bucket is full
BUCKET_COUNT = 32_768
MAX_PROBED_BUCKETS = 8  # in which the bucket of a client may be
NUMBER_BYTES = 8
NUMBERS_BYTES = 2 * NUMBER_BYTES  # the version of the data, and whether settings were reloaded


class SharedMemory:
    """The memory that a process shares with the processes that it forks."""

    def __init__(self, front_count: int = 1) -> None:
        """Begin at version 0, with full buckets, for that many front processes."""
        self.id = uuid.uuid4().hex  # other data may have the same version in another service
        connections = ctypes.c_uint32 * front_count
        counts_offset = NUMBERS_BYTES + BUCKET_COUNT * BUCKET_STRUCT.size
        self.memory = mmap.mmap(-1, counts_offset + ctypes.sizeof(connections))
        # Written and read in one instruction.
        self.version_cell = ctypes.c_uint64.from_buffer(self.memory)
        self.reload_cell = ctypes.c_uint64.from_buffer(self.memory, NUMBER_BYTES)
        self.buckets = SharedBuckets(self.memory)
        self.connection_counts = ConnectionCounts(connections.from_buffer(self.memory, counts_offset))

    @property
    def version(self) -> int:
        """The version of the data that results of queries reflect. Reading it takes no system call."""
        return self.version_cell.value

    @version.setter
    def version(self, version: int) -> None:
        self.version_cell.value = version

    @property
    def has_reloaded(self) -> bool:
        """Whether the settings were reloaded, so that those of the supervisor are old."""
        return bool(self.reload_cell.value)

    def set_reloaded(self) -> None:
        """Announce that the settings were reloaded."""
        self.reload_cell.value = 1


class SharedLock:
    """A lock on a file, because the system releases it if its process is killed."""

    def __init__(self) -> None:
        """Create a file without a name."""
        with tempfile.TemporaryFile() as file:
            self.descriptor = os.dup(file.fileno())  # open until the process ends

    @contextmanager
    def hold(self) -> Iterator[None]:
        """A context in which no other process holds the lock. Takes 2 µs."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)


class SharedBuckets:
    """The buckets of clients as a hash table. Each may be in one of MAX_PROBED_BUCKETS places.

    If all these are taken, the fullest bucket makes room.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        """Start with full buckets. They are in the memory after the numbers."""
        self.memory = memory
        self.lock = SharedLock().hold

    def get(self, client: str) -> float:
        """When the bucket of a client is full; 0 if it is not stored."""
        digest = digest_client(client)
        return next((full_at for _, key, full_at in self.iter_places(digest) if key == digest), 0.0)

    def set(self, client: str, full_at: float, now: float) -> None:
        """Store a bucket, in the place of the fullest one if there is no other."""
        del now  # a bucket that is full by now is the fullest one
        digest = digest_client(client)
        places = list(self.iter_places(digest))
        offset = next((offset for offset, key, _ in places if key == digest), None)
        if offset is None:
            offset = min(places, key=lambda place: place[2])[0]
        BUCKET_STRUCT.pack_into(self.memory, offset, digest, full_at)

    def iter_places(self, digest: int) -> Iterator[tuple[int, int, float]]:
        """The places where a bucket may be: offset, digest of the client there, and when that is full."""
        for probe in range(MAX_PROBED_BUCKETS):
            offset = NUMBERS_BYTES + (digest + probe) % BUCKET_COUNT * BUCKET_STRUCT.size
            yield offset, *BUCKET_STRUCT.unpack_from(self.memory, offset)


@lru_cache
def digest_client(client: str) -> int:
    """The digest of a client, not 0; the same in all processes, unlike `hash`."""
    return int.from_bytes(blake2b(client.encode(), digest_size=8).digest(), "little") or 1
