"""A service of a process of its own, whose signals and logs are looked at."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit


class Started(NamedTuple):
    """A running service."""

    url: str
    process: "subprocess.Popen[str]"

    def ask(self, path: str, times: int, **headers: str) -> list[HTTPResponse]:
        """The answers to the same bytes, so many times on one connection.

        From the third on they are known by these; clients that send a Connection field never come so far.
        """
        connection = HTTPConnection(urlsplit(self.url).netloc)
        answers = []
        for _ in range(times):
            connection.request("GET", path, headers=headers)
            answers.append(connection.getresponse())
            answers[-1].read()
        connection.close()
        return answers

    def said(self) -> str:
        """What it said on standard error until its end."""
        assert self.process.stderr
        return self.process.stderr.read()


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Started]:
    """Around a service over an empty store, which is told to stop at the end."""
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(folder), "--data", "none"]
    with subprocess.Popen(
        command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield Started(process.stdout.readline().split()[2], process)
        finally:
            process.kill()
