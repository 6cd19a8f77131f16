"""The marks beside a store that tell whoever opens it whether all that is computed from it is in line."""

import uuid
from pathlib import Path

from ..durable import sync

SETTLED = "inferred-by"  # is there while stated and inferred quads agree
UNDESCRIBED = "undescribed"  # is there while what is computed last may be behind


class Marks:
    """The marks of the store in a folder. Methods raise OSError."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Take the folder, and the digest of how things are computed."""
        self.folder, self.digest = folder, digest

    @property
    def is_settled(self) -> bool:
        """Whether stated and inferred quads agree, and things are computed as they were last time."""
        return settling(self.folder).partition(" ")[0] == self.digest

    @property
    def is_described(self) -> bool:
        """Whether what is computed last is in line."""
        return not (self.folder / UNDESCRIBED).exists()

    def unsettle(self) -> None:
        """Note that a write is coming; on disk, lest a power cut keeps the write and forgets the note."""
        (self.folder / SETTLED).unlink(missing_ok=True)
        sync(self.folder)

    def settle(self) -> None:
        """Note that stated and inferred quads agree, in other words than ever before."""
        mark = self.folder / SETTLED
        mark.unlink(missing_ok=True)  # a backup may hold it by a link, so that it is not changed in place
        mark.write_text(f"{self.digest} {uuid.uuid4().hex}")

    def undescribe(self) -> None:
        """Note that what is computed last is going to be behind."""
        (self.folder / UNDESCRIBED).touch()

    def describe(self) -> None:
        """Note that what is computed last is in line."""
        (self.folder / UNDESCRIBED).unlink(missing_ok=True)


def settling(folder: Path) -> str:
    """What tells one settling of the store in a folder from any other; empty where it is not settled."""
    mark = folder / SETTLED
    return mark.read_text() if mark.exists() else ""
