"""Dumps of all graphs: each is made once into a file, and named after what it holds.

The version of a dump is the digest of all quads as N-Quads, so that the same data has the same address. The
store is dumped in the order of its keys, whatever the order in which it was written; only the names of blank
nodes are those that the store gave them. Some versions are kept in the folder of the store, where they are of
no use elsewhere; those of a store in memory in a folder that goes with it.
"""

import gzip
import hashlib
import io
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox
import zstandard

from ..files import durable
from ..rdf.formats import DATASETS, GZIP, N_QUADS, ZSTD
from ..store.errors import translate_disk_errors
from ..store.files import ASIDE
from ..store.store import Store
from ..store.view import View

FOLDER, COPY, NEW = "dumps", "copy", "new"
KEPT = 3  # versions
CHUNK = 1024 * 1024
PACKED, ZIPPED = f".{ZSTD.suffix}", f".{GZIP.suffix}"
NAMES = tuple(one.suffix + coding for one in reversed(DATASETS) for coding in (ZIPPED, PACKED, ""))
SUM = ".sha256"


@dataclass(frozen=True)
class Dump:
    """A dump of a version, which is named after its syntax and coding, such as `nq.gz`.

    `digest` is the SHA-256 of the file.
    """

    path: Path
    version: str
    digest: bytes

    @property
    def name(self) -> str:
        """The name of its syntax and coding."""
        return self.path.name


class Tee(io.RawIOBase):
    """A file that gives what is written to it to a digest and to another file."""

    def __init__(self, out: IO[bytes]) -> None:
        """Take the other file."""
        self.out, self.digest = out, hashlib.sha256()

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.digest.update(data)
        self.out.write(data)
        return len(data)


class Dumps:
    """The dumps of a store, made one after the other on a thread of their own, while others write on."""

    def __init__(self, store: Store, prefixes: dict[str, str]) -> None:
        """Nothing is made until somebody asks."""
        self.store, self.prefixes = store, prefixes
        self.lock = threading.Lock()
        self.thread: ThreadPoolExecutor | None = None
        self.under_way: dict[tuple[str, int], Future[Dump]] = {}
        self.version, self.as_of = "", -1
        self.made = set[str]()  # versions that are kept
        self.passing: Path | None = None

    def current(self, name: str) -> "Future[Dump]":
        """The dump of what the store holds now; who asks for the same meanwhile gets the same."""
        return self.once((name, self.store.version), lambda: self.file(self.renewed(), name))

    def of(self, version: str, name: str) -> "Future[Dump] | None":
        """The dump of a version that is kept; None where it is not."""
        if not (self.folder / version / f"{N_QUADS.suffix}{PACKED}").is_file():
            return None
        return self.once((f"{version}/{name}", 0), lambda: self.file(version, name))

    def once(self, key: tuple[str, int], make: Callable[[], Dump]) -> "Future[Dump]":
        """What `make` returns, in the future; one call at a time for a key."""
        with self.lock:
            if key in self.under_way:
                return self.under_way[key]
            self.thread = self.thread or ThreadPoolExecutor(1, "dumps")
            future = self.under_way[key] = self.thread.submit(self.spoken, make)
        future.add_done_callback(lambda _: self.under_way.pop(key, None))
        return future

    @property
    def folder(self) -> Path:
        """Where the dumps are."""
        if self.store.folder:
            return self.store.folder / ASIDE / FOLDER
        with self.lock:
            if self.passing is None:
                self.passing = Path(tempfile.mkdtemp(prefix="wgig-dumps-"))
                weakref.finalize(self, shutil.rmtree, self.passing, ignore_errors=True)
            return self.passing

    # What follows is done on the thread.

    def spoken(self, make: Callable[[], Dump]) -> Dump:
        """What `make` returns. Raises StoreError where the disk fails."""
        with translate_disk_errors(self.store.folder):
            return make()

    def renewed(self) -> str:
        """The version of what the store holds now, which is dumped if it is another than last time."""
        if self.as_of == self.store.version:
            return self.version
        new = self.folder / NEW
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        with self.view() as (view, as_of):
            digests = {
                one: self.write(view, one.media_type, new / f"{one.suffix}{PACKED}") for one in DATASETS
            }
        version = digests[N_QUADS][:32]
        place = self.folder / version
        if version not in self.made or not place.exists():
            shutil.rmtree(place, ignore_errors=True)  # of an earlier service, which may be damaged by now
            new.rename(place)
            self.made.add(version)
        os.utime(place)
        self.prune()
        self.version, self.as_of = version, as_of
        return version

    @contextmanager
    def view(self) -> Iterator[tuple[View, int]]:
        """The store as it is now, which stays so, and the number of its last write."""
        if self.store.folder is None:
            with self.store.alone():
                self.store.catch_up()
                yield self.store, self.store.version
            return
        copy = self.folder / COPY
        shutil.rmtree(copy, ignore_errors=True)
        try:
            with self.store.alone():
                self.store.catch_up()
                self.store.checkpoint(copy)
                as_of = self.store.version
            yield View(ox.Store.read_only(str(copy))), as_of
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def write(self, view: View, media_type: str, path: Path) -> str:
        """Dump into a file, compressed; the digest of what is in it."""
        with (
            durable(path) as file,
            zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as out,
        ):
            tee = Tee(out)
            with io.BufferedWriter(tee, CHUNK) as buffer:
                view.dump(buffer, media_type, self.prefixes)
        return tee.digest.hexdigest()

    def file(self, version: str, name: str) -> Dump:
        """The dump of a version, which is there compressed by zstd, under a name of its own."""
        path = self.folder / version / name
        sums = path.with_name(name + SUM)
        if not path.exists():
            syntax, _, coding = name.partition(".")
            with durable(path) as file:
                recode(path.with_name(syntax + PACKED), file, f".{coding}" if coding else "")
        if not sums.exists():
            with path.open("rb") as file, durable(sums) as out:
                out.write(hashlib.file_digest(file, "sha256").digest())
        return Dump(path, version, sums.read_bytes())

    def prune(self) -> None:
        """Keep the last versions only."""
        versions = [one for one in self.folder.iterdir() if one.name not in (COPY, NEW)]
        for one in sorted(versions, key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
            shutil.rmtree(one, ignore_errors=True)
            self.made.discard(one.name)


def recode(source: Path, target: IO[bytes], coding: str) -> None:
    """Write what a file holds, which is compressed by zstd, in another coding."""
    with source.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        if coding == ZIPPED:
            with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed:
                shutil.copyfileobj(plain, packed, CHUNK)
        else:
            shutil.copyfileobj(plain, target, CHUNK)
