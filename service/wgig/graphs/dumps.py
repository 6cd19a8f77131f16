"""Dumps of all graphs as files, each made once per version of the data.

The version of a dump is the start of the SHA-256 of all quads as N-Quads, so the same data always has the
same URL. Quads are in the order of the keys of the store, which does not depend on the order of writes; blank
nodes have the labels of the store. The last KEPT_DUMP_VERSIONS versions are kept in the folder of the store.
For a store in memory, they are kept in a temporary folder that is deleted with the store.

The SHA-256 of each file is in a file beside it. A file that is missing or differs from its digest is made
again: from the zstd file of its syntax, or if that is damaged too, from the store.
"""

import asyncio
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

from ..files import open_durable_file
from ..rdf.formats import DATASET_FORMATS, GZIP, N_QUADS, ZSTD
from ..store.errors import translate_disk_errors
from ..store.files import ASIDE_FOLDER, DUMPS_FOLDER
from ..store.store import Store
from ..store.view import StoreView
from ..zstd import WITH_CHECKSUM, ZstdFile

DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER = "copy", "new"
KEPT_DUMP_VERSIONS = 3
DUMP_VERSION_DIGITS = 32  # hexadecimal digits of the SHA-256
DUMP_CHUNK_BYTES = 1024 * 1024
ZSTD_SUFFIX, GZIP_SUFFIX = f".{ZSTD.suffix}", f".{GZIP.suffix}"
DUMP_NAMES = tuple(
    format_.suffix + coding
    for format_ in reversed(DATASET_FORMATS)
    for coding in (GZIP_SUFFIX, ZSTD_SUFFIX, "")
)
CHECKSUM_SUFFIX = ".sha256"


@dataclass(frozen=True)
class DumpFile:
    """A file with a dump; its name is its syntax and compression, such as `nq.gz`.

    `version` is the version of the dump, `digest` the SHA-256 of the file.
    """

    path: Path
    version: str
    digest: bytes

    @property
    def name(self) -> str:
        """The syntax and compression, such as `nq.gz`."""
        return self.path.name


class DamagedDumpError(Exception):
    """The files of a version of the dump are missing or damaged."""


class DigestTee(io.RawIOBase):
    """A writable file that computes the SHA-256 of all bytes and writes them to another file."""

    def __init__(self, out: IO[bytes] | ZstdFile) -> None:
        """Write all bytes to `out`."""
        self.out, self.digest = out, hashlib.sha256()

    def writable(self) -> bool:
        """Always True, as io.BufferedWriter requires."""
        return True

    def write(self, data: Any) -> int:
        """Write the bytes; return their number."""
        self.digest.update(data)
        self.out.write(data)
        return len(data)


def wrap_dump_future(future: "Future[DumpFile]") -> "asyncio.Future[DumpFile]":
    """The future for the event loop. A failure that nobody waits for any more is not logged."""
    wrapped = asyncio.wrap_future(future)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    return wrapped


class StoreDumps:
    """The dumps of a store, made one at a time on a separate thread, so that writes need not wait."""

    def __init__(self, store: Store, prefixes: dict[str, str]) -> None:
        """No dump is made and no thread started before the first call of `get_current` or `get_version`."""
        self.store, self.prefixes = store, prefixes
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None
        # By the name of the dump, and the number of the last write that it contains (0 for a kept version).
        self.pending: dict[tuple[str, int], Future[DumpFile]] = {}
        self.version, self.store_version = "", -1  # of the last dump, and the number of its last write
        # Inode, time of change, size and digest of the files that were compared with their digest.
        self.verified_files: dict[Path, tuple[int, int, int, bytes]] = {}
        self.temporary_folder: Path | None = None

    def get_current(self, name: str) -> "Future[DumpFile]":
        """The dump of the current data; concurrent calls for the same dump get the same future."""
        return self.submit_once((name, self.store.version), lambda: self.make_current_file(name))

    def get_version(self, version: str, name: str) -> "Future[DumpFile] | None":
        """The dump of a version, or None if that version is not kept.

        The exception of the future is DamagedDumpError if its files are damaged.
        """
        if not (self.folder / version / f"{N_QUADS.suffix}{ZSTD_SUFFIX}").is_file():
            return None
        return self.submit_once((f"{version}/{name}", 0), lambda: self.ensure_file(version, name))

    def submit_once(self, key: tuple[str, int], make: Callable[[], DumpFile]) -> "Future[DumpFile]":
        """The future result of `make()`; calls with the same key share a future until it is done."""
        with self.lock:
            if key in self.pending:
                return self.pending[key]
            self.executor = self.executor or ThreadPoolExecutor(1, "dumps")
            future = self.pending[key] = self.executor.submit(self.run_with_disk_errors, make)
        future.add_done_callback(lambda _: self.pending.pop(key, None))
        return future

    @property
    def folder(self) -> Path:
        """The folder with a subfolder for each version."""
        if self.store.folder:
            return self.store.folder / ASIDE_FOLDER / DUMPS_FOLDER
        with self.lock:
            if self.temporary_folder is None:
                self.temporary_folder = Path(tempfile.mkdtemp(prefix="wgig-dumps-"))
                weakref.finalize(self, shutil.rmtree, self.temporary_folder, ignore_errors=True)
            return self.temporary_folder

    # All methods below run on the thread of the executor.

    def run_with_disk_errors(self, make: Callable[[], DumpFile]) -> DumpFile:
        """The result of `make()`. Raises StoreError if the disk fails."""
        with translate_disk_errors(self.store.folder):
            return make()

    def make_current_file(self, name: str) -> DumpFile:
        """The file of the current version with this name; damaged files are made again from the store."""
        try:
            return self.ensure_file(self.refresh_version(), name)
        except DamagedDumpError:
            self.store_version = -1
            return self.ensure_file(self.refresh_version(), name)

    def refresh_version(self) -> str:
        """The version of the current data; writes its dumps if the store has changed since the last call."""
        if self.store_version == self.store.version:
            return self.version
        new_folder = self.folder / DUMPS_NEW_FOLDER
        shutil.rmtree(new_folder, ignore_errors=True)
        new_folder.mkdir(parents=True)
        with self.open_view() as (view, store_version):
            digests = {
                format_: self.write_dump(
                    view, format_.media_type, new_folder / f"{format_.suffix}{ZSTD_SUFFIX}"
                )
                for format_ in DATASET_FORMATS
            }
        version = digests[N_QUADS][:DUMP_VERSION_DIGITS]
        version_folder = self.folder / version
        if not all(
            self.read_intact_digest(version_folder / f"{format_.suffix}{ZSTD_SUFFIX}")
            for format_ in DATASET_FORMATS
        ):
            shutil.rmtree(version_folder, ignore_errors=True)
            new_folder.rename(version_folder)
        os.utime(version_folder)
        self.prune(version_folder)
        self.version, self.store_version = version, store_version
        return version

    @contextmanager
    def open_view(self) -> Iterator[tuple[StoreView, int]]:
        """A snapshot of the store with its descriptions up to date, and the number of its last write."""
        store_version = 0

        def prepare() -> None:
            nonlocal store_version
            self.store.flush_descriptions()
            store_version = self.store.version

        with self.store.snapshot(f"{DUMPS_FOLDER}/{DUMPS_COPY_FOLDER}", prepare) as view:
            yield view, store_version

    def write_dump(self, view: StoreView, media_type: str, path: Path) -> str:
        """Write a dump to a file, compressed by zstd; returns the SHA-256 of the uncompressed bytes."""
        with (
            open_durable_file(path) as file,
            ZstdFile(file, "wb", options=WITH_CHECKSUM) as out,
        ):
            out.write(b"")  # without it, an empty dump would have no frame, and could not be read
            tee = DigestTee(out)
            with io.BufferedWriter(tee, DUMP_CHUNK_BYTES) as buffer:
                view.dump(buffer, media_type, self.prefixes)
        write_file_digest(path)
        return tee.digest.hexdigest()

    def ensure_file(self, version: str, name: str) -> DumpFile:
        """The file of a kept version with this name, such as `nq.gz`; made from the zstd file if necessary.

        Raises DamagedDumpError if the zstd file is missing or damaged.
        """
        path = self.folder / version / name
        digest = self.read_intact_digest(path)
        if not digest:
            syntax, _, suffix = name.partition(".")
            source = path.with_name(syntax + ZSTD_SUFFIX)
            if not self.read_intact_digest(source):
                raise DamagedDumpError(version)
            with open_durable_file(path) as file:
                recompress_dump(source, file, f".{suffix}" if suffix else "")
            digest = write_file_digest(path)
        return DumpFile(path, version, digest)

    def read_intact_digest(self, path: Path) -> bytes:
        """The SHA-256 of a file from its digest file; empty if either is missing, or they do not match.

        An unchanged file is compared with its digest only once.
        """
        try:
            stat = path.stat()
            digest = path.with_name(path.name + CHECKSUM_SUFFIX).read_bytes()
        except FileNotFoundError:
            return b""
        verified_file = (stat.st_ino, stat.st_mtime_ns, stat.st_size, digest)
        if self.verified_files.get(path) != verified_file:
            if compute_file_digest(path) != digest:
                return b""
            self.verified_files[path] = verified_file
        return digest

    def prune(self, current_folder: Path) -> None:
        """Delete all but the current version and the ones before it, together KEPT_DUMP_VERSIONS.

        A folder that is newer than the current one is from before the clock was set back, and counts as
        oldest.
        """
        spared_names = (DUMPS_COPY_FOLDER, DUMPS_NEW_FOLDER, current_folder.name)
        folders = [path for path in self.folder.iterdir() if path.name not in spared_names]
        times = {path: path.stat().st_mtime_ns for path in folders}
        current_time = current_folder.stat().st_mtime_ns
        folders.sort(key=lambda path: (times[path] <= current_time, times[path]))
        for path in folders[: 1 - KEPT_DUMP_VERSIONS]:
            shutil.rmtree(path, ignore_errors=True)
        self.verified_files = {
            path: verified_file for path, verified_file in self.verified_files.items() if path.parent.exists()
        }


def compute_file_digest(path: Path) -> bytes:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def write_file_digest(path: Path) -> bytes:
    """Write the SHA-256 of a file to its digest file, and return it."""
    digest = compute_file_digest(path)
    with open_durable_file(path.with_name(path.name + CHECKSUM_SUFFIX)) as file:
        file.write(digest)
    return digest


def recompress_dump(source: Path, target: IO[bytes], suffix: str) -> None:
    """Copy a zstd file to `target`, compressed by gzip (suffix GZIP_SUFFIX) or uncompressed (no suffix)."""
    with source.open("rb") as file, ZstdFile(file) as plain:
        if suffix == GZIP_SUFFIX:
            with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as compressed:
                shutil.copyfileobj(plain, compressed, DUMP_CHUNK_BYTES)
        else:
            shutil.copyfileobj(plain, target, DUMP_CHUNK_BYTES)
