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

from ..files import open_durable_file
from ..rdf.formats import DATASET_FORMATS, GZIP, N_QUADS, ZSTD
from ..store.errors import translate_disk_errors
from ..store.files import ASIDE_FOLDER
from ..store.store import Store
from ..store.view import StoreView

DUMPS_FOLDER, DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER = "dumps", "copy", "new"
KEPT_DUMP_VERSIONS = 3  # versions
DUMP_CHUNK_BYTES = 1024 * 1024
ZSTD_SUFFIX, GZIP_SUFFIX = f".{ZSTD.suffix}", f".{GZIP.suffix}"
DUMP_NAMES = tuple(
    one.suffix + coding for one in reversed(DATASET_FORMATS) for coding in (GZIP_SUFFIX, ZSTD_SUFFIX, "")
)
CHECKSUM_SUFFIX = ".sha256"


@dataclass(frozen=True)
class DumpFile:
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


class DigestTee(io.RawIOBase):
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


class StoreDumps:
    """The dumps of a store, made one after the other on a thread of their own, while others write on."""

    def __init__(self, store: Store, prefixes: dict[str, str]) -> None:
        """Nothing is made until somebody asks."""
        self.store, self.prefixes = store, prefixes
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None
        self.pending: dict[tuple[str, int], Future[DumpFile]] = {}
        self.version, self.store_version = "", -1
        self.made_versions = set[str]()  # versions that are kept
        self.temporary_folder: Path | None = None

    def get_current(self, name: str) -> "Future[DumpFile]":
        """The dump of what the store holds now; who asks for the same meanwhile gets the same."""
        return self.submit_once(
            (name, self.store.version), lambda: self.ensure_file(self.refresh_version(), name)
        )

    def get_version(self, version: str, name: str) -> "Future[DumpFile] | None":
        """The dump of a version that is kept; None where it is not."""
        if not (self.folder / version / f"{N_QUADS.suffix}{ZSTD_SUFFIX}").is_file():
            return None
        return self.submit_once((f"{version}/{name}", 0), lambda: self.ensure_file(version, name))

    def submit_once(self, key: tuple[str, int], make: Callable[[], DumpFile]) -> "Future[DumpFile]":
        """What `make` returns, in the future; one call at a time for a key."""
        with self.lock:
            if key in self.pending:
                return self.pending[key]
            self.executor = self.executor or ThreadPoolExecutor(1, "dumps")
            future = self.pending[key] = self.executor.submit(self.run_with_disk_errors, make)
        future.add_done_callback(lambda _: self.pending.pop(key, None))
        return future

    @property
    def folder(self) -> Path:
        """Where the dumps are."""
        if self.store.folder:
            return self.store.folder / ASIDE_FOLDER / DUMPS_FOLDER
        with self.lock:
            if self.temporary_folder is None:
                self.temporary_folder = Path(tempfile.mkdtemp(prefix="wgig-dumps-"))
                weakref.finalize(self, shutil.rmtree, self.temporary_folder, ignore_errors=True)
            return self.temporary_folder

    # What follows is done on the thread.

    def run_with_disk_errors(self, make: Callable[[], DumpFile]) -> DumpFile:
        """What `make` returns. Raises StoreError where the disk fails."""
        with translate_disk_errors(self.store.folder):
            return make()

    def refresh_version(self) -> str:
        """The version of what the store holds now, which is dumped if it is another than last time."""
        if self.store_version == self.store.version:
            return self.version
        new = self.folder / DUMPS_NEW_FOLDER
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        with self.open_view() as (view, as_of):
            digests = {
                one: self.write_dump(view, one.media_type, new / f"{one.suffix}{ZSTD_SUFFIX}")
                for one in DATASET_FORMATS
            }
        version = digests[N_QUADS][:32]
        place = self.folder / version
        if version not in self.made_versions or not place.exists():
            shutil.rmtree(place, ignore_errors=True)  # of an earlier service, which may be damaged by now
            new.rename(place)
            self.made_versions.add(version)
        os.utime(place)
        self.prune()
        self.version, self.store_version = version, as_of
        return version

    @contextmanager
    def open_view(self) -> Iterator[tuple[StoreView, int]]:
        """The store as it is now, which stays so, and the number of its last write."""
        if self.store.folder is None:
            with self.store.write_lock():
                self.store.flush_descriptions()
                yield self.store, self.store.version
            return
        copy = self.folder / DUMPS_COPY_FOLDER
        shutil.rmtree(copy, ignore_errors=True)
        try:
            with self.store.write_lock():
                self.store.flush_descriptions()
                self.store.copy_to(copy)
                as_of = self.store.version
            yield StoreView(ox.Store.read_only(str(copy))), as_of
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def write_dump(self, view: StoreView, media_type: str, path: Path) -> str:
        """Dump into a file, compressed; the digest of what is in it."""
        with (
            open_durable_file(path) as file,
            zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as out,
        ):
            tee = DigestTee(out)
            with io.BufferedWriter(tee, DUMP_CHUNK_BYTES) as buffer:
                view.dump(buffer, media_type, self.prefixes)
        return tee.digest.hexdigest()

    def ensure_file(self, version: str, name: str) -> DumpFile:
        """The dump of a version, which is there compressed by zstd, under a name of its own."""
        path = self.folder / version / name
        sums = path.with_name(name + CHECKSUM_SUFFIX)
        if not path.exists():
            syntax, _, coding = name.partition(".")
            with open_durable_file(path) as file:
                recompress_dump(path.with_name(syntax + ZSTD_SUFFIX), file, f".{coding}" if coding else "")
        if not sums.exists():
            with path.open("rb") as file, open_durable_file(sums) as out:
                out.write(hashlib.file_digest(file, "sha256").digest())
        return DumpFile(path, version, sums.read_bytes())

    def prune(self) -> None:
        """Keep the last versions only."""
        versions = [
            one for one in self.folder.iterdir() if one.name not in (DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER)
        ]
        for one in sorted(versions, key=lambda path: path.stat().st_mtime_ns)[:-KEPT_DUMP_VERSIONS]:
            shutil.rmtree(one, ignore_errors=True)
            self.made_versions.discard(one.name)


def recompress_dump(source: Path, target: IO[bytes], coding: str) -> None:
    """Write what a file holds, which is compressed by zstd, in another coding."""
    with source.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        if coding == GZIP_SUFFIX:
            with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed:
                shutil.copyfileobj(plain, packed, DUMP_CHUNK_BYTES)
        else:
            shutil.copyfileobj(plain, target, DUMP_CHUNK_BYTES)
