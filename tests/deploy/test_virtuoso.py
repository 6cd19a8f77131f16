"""Virtuoso with the shipped settings is set up, backed up and restored as the docs show."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import httpx
import pytest

from bench.compare import virtuoso
from bench.measure.server import free_port
from tests.deploy.balancing import wait
from tests.deploy.places import DEPLOY, document
from tests.docs.blocks import blocks, page

FILE = DEPLOY / "virtuoso" / "virtuoso.ini"
BLOCKS = blocks(page("how-to/sharing.md"), "")
LITTLE = (("85000", "5000"), ("65000", "3000"))  # memory in the place of a gigabyte
COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH <urn:g> { ?s ?p ?o } }"


def settings(text: str) -> ConfigParser:
    found = ConfigParser(interpolation=None)
    found.read_string(text)
    return found


def test_the_settings_are_those_of_the_stack() -> None:
    alone = settings(FILE.read_text(encoding="utf-8"))
    stack = document(DEPLOY / "compose.yaml")["services"]["virtuoso"]["environment"]
    shared = [(name.split("_"), value) for name, value in stack.items() if name.startswith("VIRT_")]
    assert len(shared) == 10
    for (_, section, name), value in shared:
        (known,) = (one for one in alone.sections() if one.upper() == section)
        assert alone[known][name] == value


class Place:
    """A folder and ports, in the place of those that the docs show."""

    def __init__(self, folder: Path) -> None:
        """Nothing is there yet."""
        self.folder = folder
        self.sql, self.http = free_port(), free_port()

    def read(self, text: str) -> str:
        """The text with what is here."""
        for there, here in (
            ("/var/lib/virtuoso", str(self.folder)),
            ("127.0.0.1:1111", f"127.0.0.1:{self.sql}"),
            ("127.0.0.1:8890", f"127.0.0.1:{self.http}"),
        ):
            text = text.replace(there, here)
        return text

    def run(self, mark: str) -> None:
        """Run the block of the docs that has this in it."""
        (block,) = (one for one in BLOCKS if mark in one)
        done = subprocess.run(
            ["bash", "-euc", self.read(block)], capture_output=True, text=True, cwd=self.folder, check=False
        )
        assert done.returncode == 0, done.stderr

    def set_up(self) -> None:
        """Write the shipped settings, which take less memory here."""
        text = self.read(FILE.read_text(encoding="utf-8"))
        for much, little in LITTLE:
            text = text.replace(much, little)
        (self.folder / "deploy" / "virtuoso").mkdir(parents=True)
        (self.folder / "deploy" / "virtuoso" / "virtuoso.ini").write_text(text)

    def stop(self) -> None:
        """End it, and wait until its lock is gone."""
        lock = self.folder / "virtuoso.lck"
        if found := re.search(r"VIRT_PID=(\d+)", lock.read_text() if lock.exists() else ""):
            subprocess.run(["kill", found[1]], check=False)
            wait(lambda: not lock.exists())

    def write(self, number: int) -> None:
        """Write a statement as the user of the service."""
        text = f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:s> <urn:p> {number} }} }}"
        fields = {"Content-Type": "application/sparql-update"}
        who = httpx.DigestAuth("wgig", "a long password")
        address = f"http://127.0.0.1:{self.http}/sparql-auth"
        httpx.post(address, content=text, headers=fields, auth=who).raise_for_status()

    def count(self) -> str:
        """How many statements there are, as somebody who has no login reads it."""
        fields = {"Accept": "text/csv"}
        return httpx.get(f"http://127.0.0.1:{self.http}/sparql", params={"query": COUNT}, headers=fields).text


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place that ends its server."""
    if not virtuoso.installed() or not shutil.which("bash"):
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    one = Place(tmp_path)
    try:
        yield one
    finally:
        one.stop()


@pytest.mark.long
def test_what_was_backed_up_as_shown_comes_back_as_shown_with_the_user(place: Place) -> None:
    place.set_up()
    place.run("cp deploy/virtuoso/virtuoso.ini")
    place.run("USER_CREATE")
    place.write(1)
    place.run("backup_online")
    place.write(2)
    assert place.count().split() == ['"n"', "2"]
    place.stop()
    place.run("+restore-backup")
    assert place.count().split() == ['"n"', "1"]
    place.write(3)
