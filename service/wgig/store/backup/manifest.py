"""What a backup says of itself: when it was made, what is in it, and the checksum of each file."""

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
from ..folder import QUADS_FOLDER

MANIFEST_FILE = "manifest.json"
BACKUP_CHUNK_BYTES = 1024 * 1024  # bytes that are read at once

ByteProgress = Callable[[int], None]


class DamagedBackupError(OSError):
    """A backup is not what it should be; the message is what is wrong with it."""


@dataclass(frozen=True)
class FileChecksum:
    """The length of a file and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class StoreContent:
    """What a store holds, whatever its files are like.

    `digest` is the sum of the SHA-256 of all quads, each as a line of N-Quads, modulo 2^256, in hexadecimal.
    """

    quads: int
    graphs: int
    digest: str


@dataclass(frozen=True)
class BackupManifest:
    """What a backup says of itself: everything acknowledged up to the moment `made` (UTC) is in it."""

    wgig: str
    made: str
    content: StoreContent
    files: dict[str, FileChecksum]

    @classmethod
    def read(cls, backup: Path) -> Self:
        """The manifest of a backup. Raises DamagedBackupError."""
        try:
            found: dict[str, Any] = json.loads((backup / MANIFEST_FILE).read_bytes())
            files = {name: FileChecksum(**one) for name, one in found["files"].items()}
            return cls(found["wgig"], found["made"], StoreContent(**found["content"]), files)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedBackupError(f"its {MANIFEST_FILE} cannot be read") from error

    def write(self, backup: Path) -> None:
        """Write the manifest of a backup. Raises OSError."""
        with open_durable_file(backup / MANIFEST_FILE) as file:
            file.write(json.dumps(asdict(self), indent=1).encode() + b"\n")


class DigestWriter(io.RawIOBase):
    """A file that keeps nothing of the lines that are written to it but their number and their digest."""

    def __init__(self, reached: ByteProgress) -> None:
        """Nothing is written yet; `reached` is told the number of lines."""
        super().__init__()
        self.line_count = self.digest_sum = 0
        self.partial_line = b""
        self.report_progress = reached

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        *whole, self.partial_line = (self.partial_line + data).split(b"\n")
        self.digest_sum += sum(int.from_bytes(hashlib.sha256(line).digest(), "big") for line in whole)
        self.line_count += len(whole)
        self.report_progress(self.line_count)
        return len(data)

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of the lines, modulo 2^256, in hexadecimal."""
        return f"{self.digest_sum % 2**256:064x}"


def read_store_content(store: Path, reached: ByteProgress = lambda _: None) -> StoreContent:
    """What the store in a folder holds: all of it is read, nothing is changed. Raises DamagedBackupError."""
    with open_backup_quads(store) as quads:
        sums = DigestWriter(reached)
        with io.BufferedWriter(sums, BACKUP_CHUNK_BYTES) as file:
            quads.dump(file, ox.RdfFormat.N_QUADS)
        return StoreContent(sums.line_count, len(list(quads.named_graphs())), sums.digest)


def check_content_counts(store: Path, holds: StoreContent) -> None:
    """Raises DamagedBackupError where the store in a folder holds other numbers of quads and graphs."""
    with open_backup_quads(store) as quads:
        found = len(quads), len(list(quads.named_graphs()))
    if found != (holds.quads, holds.graphs):
        raise DamagedBackupError(
            f"it holds {found[0]} quads in {found[1]} graphs in place of {holds.quads} in {holds.graphs}"
        )


@contextmanager
def open_backup_quads(store: Path) -> Iterator[ox.Store]:
    """The quads of the store in a folder, to read only. Raises DamagedBackupError where the engine cannot."""
    try:
        yield ox.Store.read_only(str(store / QUADS_FOLDER))
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedBackupError(f"the engine cannot read it ({error})") from error


def list_file_sizes(folder: Path) -> dict[str, int]:
    """The files below a folder with their lengths in bytes, by their path below it, sorted."""
    return {
        one.relative_to(folder).as_posix(): one.stat().st_size
        for one in sorted(folder.rglob("*"))
        if not one.is_dir()
    }


def check_file_checksums(
    store: Path, files: dict[str, FileChecksum], reached: ByteProgress = lambda _: None
) -> None:
    """Raises DamagedBackupError where the files below a folder are not these, to the byte."""
    there = list_file_sizes(store)
    for name in sorted(there.keys() ^ files.keys()):
        raise DamagedBackupError(
            f"the file {name} {'is missing' if name in files else 'does not belong to it'}"
        )
    done = 0
    for name, one in files.items():
        digest = hashlib.sha256()
        for piece in iter_file_chunks(store / name):
            digest.update(piece)
            done += len(piece)
            reached(done)
        if FileChecksum(there[name], digest.hexdigest()) != one:
            raise DamagedBackupError(f"the file {name} has changed")


def iter_file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(BACKUP_CHUNK_BYTES):
            yield piece
