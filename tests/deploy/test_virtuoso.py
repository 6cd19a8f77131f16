"""The commands of the docs set up, back up and restore Virtuoso with the shipped settings."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import httpx2
import pytest

from bench.compare import virtuoso
from bench.measure.server import find_free_port
from tests.deploy.balancing import wait_until
from tests.deploy.places import DEPLOY, load_yaml
from tests.docs.blocks import find_code_blocks, read_docs_page

SETTINGS_FILE = DEPLOY / "virtuoso" / "virtuoso.ini"
BLOCKS = find_code_blocks(read_docs_page("how-to/sharing.md"), "")
SMALL_BUFFERS = (("85000", "5000"), ("65000", "3000"))  # shipped values, and those for less memory
COUNT_QUERY = "SELECT (COUNT(*) AS ?n) { GRAPH <urn:g> { ?s ?p ?o } }"


def parse_settings(text: str) -> ConfigParser:
    settings = ConfigParser(interpolation=None)
    settings.read_string(text)
    return settings


def test_the_settings_are_those_of_the_compose_file() -> None:
    shipped = parse_settings(SETTINGS_FILE.read_text(encoding="utf-8"))
    stack = load_yaml(DEPLOY / "compose.yaml")["services"]["virtuoso"]["environment"]
    stack_settings = [(name.split("_"), value) for name, value in stack.items() if name.startswith("VIRT_")]
    assert len(stack_settings) == 10
    for (_, section, name), value in stack_settings:
        (shipped_section,) = (title for title in shipped.sections() if title.upper() == section)
        assert shipped[shipped_section][name] == value


class LocalVirtuoso:
    """A Virtuoso server with another folder and other ports than in the docs."""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder."""
        self.folder = folder
        self.sql_port, self.http_port = find_free_port(), find_free_port()

    def localize(self, text: str) -> str:
        """A text of the docs with the folder and the ports of this server."""
        for shown, local in (
            ("/var/lib/virtuoso", str(self.folder)),
            ("127.0.0.1:1111", f"127.0.0.1:{self.sql_port}"),
            ("127.0.0.1:8890", f"127.0.0.1:{self.http_port}"),
        ):
            text = text.replace(shown, local)
        return text

    def run_docs_block(self, text: str) -> None:
        """Run the block of the docs that contains a text."""
        (block,) = (block for block in BLOCKS if text in block)
        process = subprocess.run(
            ["bash", "-euc", self.localize(block)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
        )
        assert process.returncode == 0, process.stderr

    def write_settings(self) -> None:
        """Write the shipped settings, with less memory."""
        text = self.localize(SETTINGS_FILE.read_text(encoding="utf-8"))
        for shipped, small in SMALL_BUFFERS:
            text = text.replace(shipped, small)
        (self.folder / "deploy" / "virtuoso").mkdir(parents=True)
        (self.folder / "deploy" / "virtuoso" / "virtuoso.ini").write_text(text)

    def stop(self) -> None:
        """Stop the server, and wait until its lock file is deleted."""
        lock = self.folder / "virtuoso.lck"
        if match := re.search(r"VIRT_PID=(\d+)", lock.read_text() if lock.exists() else ""):
            subprocess.run(["kill", match[1]], check=False)
            wait_until(lambda: not lock.exists())

    def write(self, number: int) -> None:
        """Write a statement as the user of the service."""
        text = f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:s> <urn:p> {number} }} }}"
        fields = {"Content-Type": "application/sparql-update"}
        login = httpx2.DigestAuth("wgig", "a long password")
        url = f"http://127.0.0.1:{self.http_port}/sparql-auth"
        httpx2.post(url, content=text, headers=fields, auth=login).raise_for_status()

    def count(self) -> str:
        """The number of statements as CSV, queried without a login."""
        fields = {"Accept": "text/csv"}
        return httpx2.get(
            f"http://127.0.0.1:{self.http_port}/sparql", params={"query": COUNT_QUERY}, headers=fields
        ).text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalVirtuoso]:
    """A server that is stopped afterwards."""
    if not virtuoso.is_installed() or not shutil.which("bash"):
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    server = LocalVirtuoso(tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.long
def test_backup_and_restore_as_in_the_docs_keep_data_and_users(server: LocalVirtuoso) -> None:
    server.write_settings()
    server.run_docs_block("cp deploy/virtuoso/virtuoso.ini")
    server.run_docs_block("USER_CREATE")
    server.write(1)
    server.run_docs_block("backup_online")
    server.write(2)
    assert server.count().split() == ['"n"', "2"]
    server.stop()
    server.run_docs_block("+restore-backup")
    assert server.count().split() == ['"n"', "1"]
    server.write(3)  # as the user that was created before the backup
