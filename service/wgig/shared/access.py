"""Who we are to a SPARQL service: a name and a password, or a token, from a file that not all can read."""

import base64
import stat
from pathlib import Path

import aiohttp

KINDS = ("basic", "digest", "bearer")
# A group may read it, as a cluster and systemd give a secret to the one user of a service in that way.
TOO_OPEN = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


class Access:
    """What is sent along with each request. Raises ValueError where the setting or its file does not fit."""

    def __init__(self, setting: str) -> None:
        """Take `basic:FILE` or `digest:FILE` with `user:password`, `bearer:FILE` with a token, or nothing."""
        self.kind, _, name = setting.partition(":")
        if not setting:
            self.word = ""
            return
        if self.kind not in KINDS or not name:
            raise ValueError(
                f"WGIG_REMOTE_AUTH is {setting!r}. Write basic:FILE, digest:FILE, bearer:FILE, or nothing."
            )
        self.word = read(Path(name))
        if self.kind != "bearer" and ":" not in self.word:
            raise ValueError(
                f"The file {name} of WGIG_REMOTE_AUTH has no colon. Write user:password into it."
            )

    @property
    def fields(self) -> dict[str, str]:
        """The fields of each request."""
        if self.kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(self.word.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.word}"} if self.kind == "bearer" else {}

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """What answers the challenges of the service."""
        return (aiohttp.DigestAuthMiddleware(*self.pair),) if self.kind == "digest" else ()

    @property
    def pair(self) -> tuple[str, str]:
        """The name and the password."""
        name, _, password = self.word.partition(":")
        return name, password


def read(path: Path) -> str:
    """The secret in a file. Raises ValueError where it cannot be read, or where all can read it."""
    try:
        if path.stat().st_mode & TOO_OPEN:
            raise ValueError(f"All can read the file {path} of WGIG_REMOTE_AUTH. Run chmod 600 {path}.")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"The file {path} of WGIG_REMOTE_AUTH cannot be read: {error.strerror}.") from error
