"""Make the stores of older versions that `test_upgrade` opens: python -m tests.upgrade.make

Each store is made by the code of a commit. The stores are kept in the repository, as old code may not run
with newer dependencies. A store has a few bundled graphs, one of them changed by a user, and a graph that a
user wrote twice. Beside each store is a dump of the changed graphs by that version.
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

STORES_FOLDER = Path(__file__).with_name("stores")
# By name of a store: the commit whose code makes it. A name states what was new in that version; the last one
# is the last version that wrote no layout number into the store.
COMMITS = {
    "1-quads-alone": "b8d645f",
    "2-history": "35e3099",
    "3-index-and-stream": "081972f",
    "4-last-without-layout": "a80b54a",
}
# The bundled data that the code needs to run. With all of it, the stores would be twenty times as large.
BUNDLED_FILES = ("data/categories.ttl", "data/principles.ttl")
ARCHIVED_PATHS = ("service", "data/rules", "data/queries", "data/profiles", "data/tables", *BUNDLED_FILES)
IGNORED_NAME_PATTERN = re.compile(
    r"LOG.*|OPTIONS-.*|control|door|.*lock|changes-copy"
)  # logs, locks, sockets, copies
CHANGED_GRAPHS = ("<urn:theirs>", "<https://w3id.org/wgig/graph/principles>")
WRITES = (
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "one"@en, 1.50 ; <urn:q> [ <urn:p> <urn:a> ] .'),
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "zwei\\n"@de, 1.50 ; <urn:q> [ <urn:p> <urn:b> ] .'),
    ("POST", "/graph/principles", "<urn:added> <urn:p> <urn:by-them> ."),
)


def make_store(name: str, commit: str) -> None:
    """Make a store with the code of a commit, and a dump of its changed graphs."""
    with tempfile.TemporaryDirectory() as folder:
        code_folder, store_folder = Path(folder, "code"), Path(folder, "store")
        unpack_commit(commit, code_folder)
        wgig_command = [sys.executable, "-m", "wgig"]
        environment = os.environ | {
            "PYTHONPATH": str(code_folder / "service"),
            "WGIG_STORE": str(store_folder),
            "WGIG_TOKEN": "secret",
        }
        with subprocess.Popen(
            [*wgig_command, "serve", "--port", "0"],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdout
            match = re.search(r"http://\S+", server.stdout.readline())
            assert match
            write_changes(match[0])
            server.terminate()
        dump_command = [*wgig_command, "dump", "--format", "nq"]
        process = subprocess.run(
            dump_command, env=environment, cwd=folder, check=True, capture_output=True, text=True
        )
        lines = [
            line for line in process.stdout.splitlines(keepends=True) if line.split()[-2] in CHANGED_GRAPHS
        ]  # the last but one word of a line of N-Quads is the graph
        (STORES_FOLDER / f"{name}.nq").write_text("".join(sorted(lines)), encoding="utf-8")
        pack_store(store_folder, STORES_FOLDER / f"{name}.tar.xz")


def unpack_commit(commit: str, code_folder: Path) -> None:
    """Extract the code of a commit, with a few of its bundled graphs."""
    code_folder.mkdir()
    folders = subprocess.run(
        ["git", "ls-tree", "-d", "--name-only", "-r", commit],
        cwd=CHECKOUT_FOLDER,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    # Early commits lack some of the folders.
    paths = [path for path in ARCHIVED_PATHS if path in folders or path in BUNDLED_FILES]
    archive = subprocess.run(
        ["git", "archive", commit, *paths], cwd=CHECKOUT_FOLDER, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        file.extractall(code_folder, filter="data")


def write_changes(url: str) -> None:
    """Write a user's graph, and add a statement to a bundled graph."""
    headers = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for method, path, content in WRITES:
            client.request(method, path, content=content).raise_for_status()


def pack_store(store: Path, target: Path) -> None:
    """Pack a store, without the names of users and files that do not belong to the data."""

    def filter_member(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return None if IGNORED_NAME_PATTERN.fullmatch(Path(member.name).name) else member

    with tarfile.open(target, "w:xz", preset=9) as file:
        file.add(store, "store", filter=filter_member)


if __name__ == "__main__":
    shutil.rmtree(STORES_FOLDER, ignore_errors=True)
    STORES_FOLDER.mkdir()
    for name, commit in COMMITS.items():
        make_store(name, commit)
