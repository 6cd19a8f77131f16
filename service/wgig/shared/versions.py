"""What graphs held before they were written, kept in the shared store, so that all instances can tell."""

import base64
import gzip
from pathlib import Path

from ..opening import StoreError
from ..records.versions import LEVEL, Versions
from .texts import Texts


class SharedVersions(Versions):
    """Contents by their digests, in the shared store, and in a folder as far as they were asked for."""

    def __init__(self, folder: Path, texts: Texts) -> None:
        """Take the folder of the copy, and the texts of the shared store."""
        super().__init__(folder)
        self.texts = texts

    def keep(self, content: bytes) -> str:
        """Keep the content, if it is not there; its digest."""
        digest = super().keep(content)
        packed = gzip.compress(content, LEVEL, mtime=0)
        self.texts.keep(f"version/{digest}", base64.b64encode(packed).decode())
        return digest

    def content(self, digest: str) -> bytes:
        """What has this digest."""
        assert self.folder
        if not self.path(self.folder, digest).exists():
            found = self.texts.read(f"version/{digest}")
            if not found:
                raise StoreError(f"The version {digest} of a graph is not in the shared store.")
            super().keep(gzip.decompress(base64.b64decode(found[1])))
        return super().content(digest)
