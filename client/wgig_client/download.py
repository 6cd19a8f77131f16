"""Download of a dump into a file, which appears when it is complete and has the stated digest."""

import base64
import errno
import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from .calls import N_QUADS_MEDIA_TYPE, Call, invalid_response_error
from .errors import ServiceError

GZIP_MEDIA_TYPE, ZSTD_MEDIA_TYPE = "application/gzip", "application/zstd"
# By the suffix of the dump.
DOWNLOAD_MEDIA_TYPES = {
    "nq": N_QUADS_MEDIA_TYPE,
    "nq.gz": GZIP_MEDIA_TYPE,
    "nq.zst": ZSTD_MEDIA_TYPE,
    "trig": "application/trig",
    "trig.gz": GZIP_MEDIA_TYPE,
    "trig.zst": ZSTD_MEDIA_TYPE,
}
REPR_DIGEST_PATTERN = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")  # in Repr-Digest (RFC 9530)


class DumpDownload:
    """The file of a dump while it is downloaded; as a context manager, it removes what is incomplete."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the path, whose suffix is the format. Raises ValueError for another suffix."""
        self.path = Path(path)
        name = self.path.name.lower()
        suffix = next((suffix for suffix in DOWNLOAD_MEDIA_TYPES if name.endswith(f".{suffix}")), "")
        if not suffix:
            suffixes = ", ".join(DOWNLOAD_MEDIA_TYPES)
            raise ValueError(f"{path} has the suffix of no dump. Use one of: {suffixes}.")
        self.part_path = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        # A content coding would be applied to the dump as a whole, which may be compressed already.
        headers = {"Accept": DOWNLOAD_MEDIA_TYPES[suffix], "Accept-Encoding": "identity"}
        options = {"headers": headers}
        self.call = Call("GET", f"dump.{suffix}", options, self.complete, receive=self.write)
        self.digest = hashlib.sha256()

    def __enter__(self) -> Self:
        """Create the file of the incomplete download. Raises OSError."""
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        if not self.path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path.parent))
        self.file = self.part_path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file, unless it has been completed."""
        self.file.close()
        with suppress(FileNotFoundError):
            self.part_path.unlink()

    def write(self, chunk: bytes) -> None:
        """Add bytes of the dump. Raises OSError."""
        self.file.write(chunk)
        self.digest.update(chunk)

    def complete(self, response: httpx2.Response) -> Path:
        """Move the file to its place. Raises OSError, or ServiceError if no or another digest is stated."""
        match = REPR_DIGEST_PATTERN.search(response.headers.get("repr-digest", ""))
        if not match:
            raise invalid_response_error("does not state the SHA-256 of the dump")
        if match[1] != base64.b64encode(self.digest.digest()).decode():
            detail = "The dump does not have the SHA-256 that the service states. Download it again."
            raise ServiceError(None, "Damaged dump", detail)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.part_path.replace(self.path)
        return self.path
