"""The manifest of a backup: when it was made, its content, and the checksum of each file."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pyoxigraph as ox

from ...files import open_durable_file
from ..files import MANIFEST_FILE
from ..folder import QUADS_FOLDER

BACKUP_CHUNK_BYTES = 1024 * 1024  # per read

ProgressCallback = Callable[[int], None]  # called with the bytes, lines or quads handled so far


class DamagedBackupError(OSError):
    """A backup is damaged. The message is the cause, to be printed after the name of the backup."""


@dataclass(frozen=True)
class FileChecksum:
    """The size of a file in bytes, and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class StoreContent:
    """The content of a store, independent of its files: numbers of quads and named graphs, and a digest.

    `digest` is the sum of the SHA-256 of all quads, each as a line of N-Quads, modulo 2^256, in hexadecimal.
    """

    quads: int
    graphs: int
    digest: str


@dataclass(frozen=True)
class LogContent:
    """What a change log has: its last version, and the SHA-256 of each content that was erased from it."""

    version: int = 0
    erased: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupManifest:
    """The manifest of a backup, which includes all writes acknowledged before the time `made` (UTC).

    `wgig` is the version of the package that made the backup; `files` are by relative path. A content that
    was erased from the store, and is not in `log.erased`, may still be in the backup.
    """

    wgig: str
    made: str
    content: StoreContent
    log: LogContent
    files: dict[str, FileChecksum]

    @classmethod
    def read(cls, backup: Path) -> Self:
        """The manifest of a backup. Raises DamagedBackupError if it cannot be read."""
        try:
            manifest: dict[str, Any] = json.loads((backup / MANIFEST_FILE).read_bytes())
            files = {name: FileChecksum(**checksum) for name, checksum in manifest["files"].items()}
            log = manifest.get("log", {"version": 0, "erased": ()})  # none in a backup of the first layout
            return cls(
                manifest["wgig"],
                manifest["made"],
                StoreContent(**manifest["content"]),
                LogContent(log["version"], tuple(log["erased"])),
                files,
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedBackupError(f"its {MANIFEST_FILE} cannot be read") from error

    def write(self, backup: Path) -> None:
        """Write the manifest of a backup. Raises OSError."""
        with open_durable_file(backup / MANIFEST_FILE) as file:
            file.write(json.dumps(asdict(self), indent=1).encode() + b"\n")


class DigestWriter(io.RawIOBase):
    """A writable file that only counts and digests the lines written to it."""

    def __init__(self, report_lines: ProgressCallback) -> None:
        """Take a function that is called with the number of lines so far."""
        super().__init__()
        self.line_count = self.digest_sum = 0
        self.partial_line = b""
        self.report_lines = report_lines

    def writable(self) -> bool:
        """Always True."""
        return True

    def write(self, data: Any) -> int:
        """Count and digest the lines of the data. Returns its length in bytes."""
        *lines, self.partial_line = (self.partial_line + data).split(b"\n")
        self.digest_sum += sum(int.from_bytes(hashlib.sha256(line).digest(), "big") for line in lines)
        self.line_count += len(lines)
        self.report_lines(self.line_count)
        return len(data)

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of the lines, modulo 2^256, in hexadecimal."""
        return f"{self.digest_sum % 2**256:064x}"


def read_store_content(store: Path, report_quads: ProgressCallback = lambda _: None) -> StoreContent:
    """The content of the store in a folder, by reading all quads. Raises DamagedBackupError if that fails."""
    with open_backup_quads(store) as quads:
        digest_writer = DigestWriter(report_quads)
        with io.BufferedWriter(digest_writer, BACKUP_CHUNK_BYTES) as file:
            quads.dump(file, ox.RdfFormat.N_QUADS)
        return StoreContent(digest_writer.line_count, len(list(quads.named_graphs())), digest_writer.digest)


def check_content_counts(store: Path, content: StoreContent) -> None:
    """Raise DamagedBackupError if the store in a folder does not have these numbers of quads and graphs."""
    with open_backup_quads(store) as quads:
        counts = len(quads), len(list(quads.named_graphs()))
    if counts != (content.quads, content.graphs):
        raise DamagedBackupError(
            f"it has {counts[0]} quads in {counts[1]} graphs instead of {content.quads} in {content.graphs}"
        )


@contextmanager
def open_backup_quads(store: Path) -> Iterator[ox.Store]:
    """The quads of the store in a folder, read-only. Raises DamagedBackupError if it is unreadable."""
    try:
        yield ox.Store.read_only(str(store / QUADS_FOLDER))
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedBackupError(f"the engine cannot read it ({error})") from error


def list_file_sizes(folder: Path) -> dict[str, int]:
    """The size in bytes of each file below a folder, by its relative path, sorted."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def check_file_checksums(
    store: Path, files: dict[str, FileChecksum], report_bytes: ProgressCallback = lambda _: None
) -> None:
    """Raise DamagedBackupError if the files below a folder do not have these checksums."""
    sizes = list_file_sizes(store)
    for name in sorted(sizes.keys() ^ files.keys()):
        raise DamagedBackupError(
            f"the file {name} {'is missing' if name in files else 'does not belong to it'}"
        )
    read_bytes = 0
    for name, checksum in files.items():
        digest = hashlib.sha256()
        for chunk in iter_file_chunks(store / name):
            digest.update(chunk)
            read_bytes += len(chunk)
            report_bytes(read_bytes)
        if FileChecksum(sizes[name], digest.hexdigest()) != checksum:
            raise DamagedBackupError(f"the file {name} has changed")


def iter_file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in chunks."""
    with path.open("rb") as file:
        while chunk := file.read(BACKUP_CHUNK_BYTES):
            yield chunk
