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

from ...files import durable
from ..folder import QUADS

NAME = "manifest.json"
PIECE = 1024 * 1024  # bytes that are read at once

Reached = Callable[[int], None]


class DamagedError(OSError):
    """A backup is not what it should be; the message is what is wrong with it."""


@dataclass(frozen=True)
class File:
    """The length of a file and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Content:
    """What a store holds, whatever its files are like.

    `digest` is the sum of the SHA-256 of all quads, each as a line of N-Quads, modulo 2^256, in hexadecimal.
    """

    quads: int
    graphs: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself: everything acknowledged up to the moment `made` (UTC) is in it."""

    wgig: str
    made: str
    content: Content
    files: dict[str, File]

    @classmethod
    def read(cls, backup: Path) -> Self:
        """The manifest of a backup. Raises DamagedError."""
        try:
            found: dict[str, Any] = json.loads((backup / NAME).read_bytes())
            files = {name: File(**one) for name, one in found["files"].items()}
            return cls(found["wgig"], found["made"], Content(**found["content"]), files)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedError(f"its {NAME} cannot be read") from error

    def write(self, backup: Path) -> None:
        """Write the manifest of a backup. Raises OSError."""
        with durable(backup / NAME) as file:
            file.write(json.dumps(asdict(self), indent=1).encode() + b"\n")


class Summing(io.RawIOBase):
    """A file that keeps nothing of the lines that are written to it but their number and their digest."""

    def __init__(self, reached: Reached) -> None:
        """Nothing is written yet; `reached` is told the number of lines."""
        super().__init__()
        self.lines = self.sum = 0
        self.rest = b""
        self.reached = reached

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.sum += sum(int.from_bytes(hashlib.sha256(line).digest(), "big") for line in whole)
        self.lines += len(whole)
        self.reached(self.lines)
        return len(data)

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of the lines, modulo 2^256, in hexadecimal."""
        return f"{self.sum % 2**256:064x}"


def content(store: Path, reached: Reached = lambda _: None) -> Content:
    """What the store in a folder holds: all of it is read, nothing is changed. Raises DamagedError."""
    with opened(store) as quads:
        sums = Summing(reached)
        with io.BufferedWriter(sums, PIECE) as file:
            quads.dump(file, ox.RdfFormat.N_QUADS)
        return Content(sums.lines, len(list(quads.named_graphs())), sums.digest)


def check_count(store: Path, holds: Content) -> None:
    """Raises DamagedError where the store in a folder holds other numbers of quads and graphs."""
    with opened(store) as quads:
        found = len(quads), len(list(quads.named_graphs()))
    if found != (holds.quads, holds.graphs):
        raise DamagedError(
            f"it holds {found[0]} quads in {found[1]} graphs in place of {holds.quads} in {holds.graphs}"
        )


@contextmanager
def opened(store: Path) -> Iterator[ox.Store]:
    """The quads of the store in a folder, to read only. Raises DamagedError where the engine cannot."""
    try:
        yield ox.Store.read_only(str(store / QUADS))
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedError(f"the engine cannot read it ({error})") from error


def listed(folder: Path) -> dict[str, int]:
    """The files below a folder with their lengths in bytes, by their path below it, sorted."""
    return {
        one.relative_to(folder).as_posix(): one.stat().st_size
        for one in sorted(folder.rglob("*"))
        if not one.is_dir()
    }


def check_files(store: Path, files: dict[str, File], reached: Reached = lambda _: None) -> None:
    """Raises DamagedError where the files below a folder are not these, to the byte."""
    there = listed(store)
    for name in sorted(there.keys() ^ files.keys()):
        raise DamagedError(f"the file {name} {'is missing' if name in files else 'does not belong to it'}")
    done = 0
    for name, one in files.items():
        digest = hashlib.sha256()
        for piece in pieces(store / name):
            digest.update(piece)
            done += len(piece)
            reached(done)
        if File(there[name], digest.hexdigest()) != one:
            raise DamagedError(f"the file {name} has changed")


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
