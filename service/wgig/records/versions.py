"""What graphs held before they were written, kept in the folder of the store: compressed, by its digest.

A version is on disk before the write that replaces it. One that a crash left without its write is harmless:
nothing leads to it, and the next one of the same content finds it there.
"""

import gzip
import hashlib
import re
from pathlib import Path

from ..durable import durable, sync
from ..opening import StoreError, refusal

FOLDER = "versions"
DIGEST = re.compile(r"[0-9a-f]{64}")
LEVEL = 6


class Versions:
    """Contents by their SHA-256 in hexadecimal. Methods raise StoreError where the disk fails."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder of the store (None: they are kept in memory)."""
        self.folder = folder and folder / FOLDER
        self.kept: dict[str, bytes] = {}

    def keep(self, content: bytes) -> str:
        """Keep the content, if it is not there; its digest."""
        digest = hashlib.sha256(content).hexdigest()
        if self.folder is None:
            self.kept[digest] = content
            return digest
        path = self.path(self.folder, digest)
        try:
            if not path.parent.exists():
                path.parent.mkdir(parents=True)
                sync(self.folder)
            if path.exists():  # the one who put it there may have died before the folder was on disk
                sync(path.parent)
            else:
                with durable(path) as file:
                    file.write(gzip.compress(content, LEVEL, mtime=0))
        except OSError as error:
            raise refusal(error, self.folder.parent) from error
        return digest

    def content(self, digest: str) -> bytes:
        """What has this digest."""
        if self.folder is None:
            return self.kept[digest]
        try:
            content = gzip.decompress(self.path(self.folder, digest).read_bytes())
        except (OSError, EOFError) as error:
            raise StoreError(f"The version {digest} of a graph cannot be read: {error}.") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"The version {digest} of a graph is damaged. Take it from a backup.")
        return content

    def path(self, folder: Path, digest: str) -> Path:
        """Where a version is; few files in one folder."""
        if not DIGEST.fullmatch(digest):
            raise StoreError(f"{digest!r} is no digest of a version.")
        return folder / digest[:2] / f"{digest[2:]}.nt.gz"
