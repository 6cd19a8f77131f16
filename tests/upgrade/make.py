"""Make the stores of older versions that `test_upgrade` opens: python -m tests.upgrade.make

Each is made by the code of a commit, and kept, as that code need not run for ever with what it is installed
with. It has a few graphs, one of which somebody changed, and a graph that somebody wrote, twice. Beside it is
what that version of the package said that it holds.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import httpx
from wgig.settings import CHECKOUT_FOLDER

HERE = Path(__file__).with_name("stores")
COMMITS = {
    "1-quads-alone": "b8d645f",
    "2-history": "35e3099",
    "3-index-and-stream": "081972f",
    "4-last-without-layout": "a80b54a",
}
# Of what a commit ships, so much that its code runs; whole, its stores would be twenty times as large.
KEPT = ("data/categories.ttl", "data/principles.ttl")
PARTS = ("service", "data/rules", "data/queries", "data/profiles", "data/tables", *KEPT)
PASSING = re.compile(r"LOG.*|OPTIONS-.*|control|door|.*lock|changes-copy")  # what is for people, or goes
THEIRS = ("<urn:theirs>", "<https://w3id.org/wgig/graph/principles>")
WRITES = (
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "one"@en, 1.50 ; <urn:q> [ <urn:p> <urn:a> ] .'),
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "zwei\\n"@de, 1.50 ; <urn:q> [ <urn:p> <urn:b> ] .'),
    ("POST", "/graph/principles", "<urn:added> <urn:p> <urn:by-them> ."),
)


def make(name: str, commit: str) -> None:
    """Make the store that a commit makes, and write down what it holds."""
    with tempfile.TemporaryDirectory() as place:
        code, store = Path(place, "code"), Path(place, "store")
        unpack(commit, code)
        wgig = [sys.executable, "-m", "wgig"]
        environment = os.environ | {
            "PYTHONPATH": str(code / "service"),
            "WGIG_STORE": str(store),
            "WGIG_TOKEN": "secret",
        }
        with subprocess.Popen(
            [*wgig, "serve", "--port", "0"], env=environment, cwd=place, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            write(found[0])
            process.terminate()
        dump = [*wgig, "dump", "--format", "nq"]
        done = subprocess.run(dump, env=environment, cwd=place, check=True, capture_output=True, text=True)
        held = [line for line in done.stdout.splitlines(keepends=True) if line.split()[-2] in THEIRS]
        (HERE / f"{name}.nq").write_text("".join(sorted(held)), encoding="utf-8")
        pack(store, HERE / f"{name}.tar.xz")


def unpack(commit: str, code: Path) -> None:
    """Lay out the code of a commit, with a few of its shipped graphs."""
    code.mkdir()
    there = subprocess.run(
        ["git", "ls-tree", "-d", "--name-only", "-r", commit],
        cwd=CHECKOUT_FOLDER,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    wanted = [one for one in PARTS if one in there or one in KEPT]
    archive = subprocess.run(
        ["git", "archive", commit, *wanted], cwd=CHECKOUT_FOLDER, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        file.extractall(code, filter="data")


def write(url: str) -> None:
    """Write as somebody would who has a graph of his own, and changes a shipped one."""
    headers = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for method, path, content in WRITES:
            client.request(method, path, content=content).raise_for_status()


def pack(store: Path, target: Path) -> None:
    """Pack a store, without what only tells how it was written."""

    def kept(one: tarfile.TarInfo) -> tarfile.TarInfo | None:
        one.uid = one.gid = 0
        one.uname = one.gname = ""
        return None if PASSING.fullmatch(Path(one.name).name) else one

    with tarfile.open(target, "w:xz", preset=9) as file:
        file.add(store, "store", filter=kept)


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    for name, commit in COMMITS.items():
        make(name, commit)
