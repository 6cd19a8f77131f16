"""Make the stores of older versions that `test_upgrade` opens: python -m tests.upgrade.make [NAME ...]

Each store is made by the code of a commit. The stores are kept in the repository, as old code may not run
with newer dependencies. A store has a few bundled graphs, one of them changed by a user, and a graph that a
user wrote twice. Beside each store is a dump of the changed graphs by that version.

A store of STORES_WITH_CITATIONS also has a paper with a waiver, and the versions of two deleted graphs.
Beside it is a JSON file with what that version returned: the versions of each graph, and what was cited
before the later writes.
"""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
from wgig.settings import CHECKOUT_FOLDER

STORES_FOLDER = Path(__file__).with_name("stores")
# By name of a store: the commit whose code makes it. A name states what was new in that version; the fourth
# is the last version that wrote no layout number into the store, the fifth the last without one change log.
COMMITS = {
    "1-quads-alone": "b8d645f",
    "2-history": "35e3099",
    "3-index-and-stream": "081972f",
    "4-last-without-layout": "a80b54a",
    "5-journal-and-marks": "bed6ed5",
}
STORES_WITH_CITATIONS = {"5-journal-and-marks"}
# The bundled data that the code needs to run. With all of it, the stores would be twenty times as large.
BUNDLED_FILES = ("data/categories.ttl", "data/principles.ttl")
ARCHIVED_PATHS = ("service", "data/rules", "data/queries", "data/profiles", "data/tables", *BUNDLED_FILES)
# Without these, the paper is refused. With all shapes, the packed store has 1.2 MB instead of 0.9 MB.
PAPER_CHECK_PATHS = ("ontology", ":(glob)shapes/issue-paper*.ttl", "data/issues.ttl")
IGNORED_NAME_PATTERN = re.compile(
    r"LOG.*|OPTIONS-.*|control|door|.*lock|changes-copy"
)  # logs, locks, sockets, copies
BASE = "https://w3id.org/wgig/"
PAPER_IRI = f"{BASE}id/paper/waiving"
CHANGED_GRAPHS = ("<urn:theirs>", f"<{BASE}graph/principles>", f"<{BASE}graph/paper/waiving>")
WRITES = (
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "one"@en, 1.50 ; <urn:q> [ <urn:p> <urn:a> ] .'),
    ("PUT", "/graphs?graph=urn:theirs", '<urn:a> <urn:p> "zwei\\n"@de, 1.50 ; <urn:q> [ <urn:p> <urn:b> ] .'),
    ("POST", "/graph/principles", "<urn:added> <urn:p> <urn:by-them> ."),
)

WRITE_HEADERS = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}

# A paper that lacks most parts. The rule for section 5 is waived, by a waiver that is a blank node.
PAPER_TURTLE = f"""
@prefix wgig: <{BASE}ontology#> .
<{PAPER_IRI}> a wgig:IssuePaper ;
    <http://www.w3.org/2000/01/rdf-schema#label> "Issue paper: %(title)s"@en ;
    <http://purl.org/dc/terms/title> "%(title)s"@en ;
    <http://purl.org/dc/terms/source> <{BASE}id/document/form/issue-paper> ;
    <https://schema.org/inLanguage> "en" ;
    wgig:issue <{BASE}id/issue/spam> ;
    wgig:waiver [
        a wgig:Waiver ;
        wgig:waives <{BASE}shapes#WGIG-5-FORUM-MISSING> ;
        wgig:reason "%(reason)s"@en
    ] ."""
WRITES_BEFORE_CITATIONS = (
    (
        "PUT",
        "/graph/paper/waiving",
        PAPER_TURTLE % {"title": "Unwanted mail", "reason": "No forum is known."},
    ),
    ("PUT", "/graph/notes", '<urn:note> <urn:p> "first", 1.50 .'),
    ("PUT", "/graphs?default", "<urn:s> <urn:p> 1 ."),
)
WRITES_AFTER_CITATIONS = (
    ("PUT", "/graph/paper/waiving", PAPER_TURTLE % {"title": "Spam", "reason": "The forum was closed."}),
    ("PUT", "/graph/notes", '<urn:note> <urn:p> "second", 1.5 .'),
    ("DELETE", "/graph/notes", ""),
    ("POST", "/graphs?default", "<urn:s> <urn:p> 2 ."),
    ("DELETE", "/graphs?default", ""),
    ("POST", "/graph/principles", "<urn:added> <urn:p> <urn:later> ."),
)
CITED_QUERY = f"""
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX wgig: <{BASE}ontology#>
SELECT ?title ?reason {{ <{PAPER_IRI}> dcterms:title ?title ; wgig:waiver/wgig:reason ?reason }}"""
CITED_SUBJECTS = (
    ("iri", f"{BASE}graph/notes"),
    ("iri", f"{BASE}graph/paper/waiving"),
    ("iri", f"{BASE}graph/principles"),
    ("query", CITED_QUERY),
)
CSL_JSON = "application/vnd.citationstyles.csl+json"
CITATION_NOTE_PATTERN = re.compile(rf"SHA-256 ([0-9a-f]{{64}})\. The same bytes: {re.escape(BASE)}(\S+)")


def make_store(name: str, commit: str) -> None:
    """Make a store with the code of a commit, and a dump of its changed graphs."""
    with tempfile.TemporaryDirectory() as folder:
        code_folder, store_folder = Path(folder, "code"), Path(folder, "store")
        unpack_commit(commit, code_folder, PAPER_CHECK_PATHS if name in STORES_WITH_CITATIONS else ())
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
            try:
                match = re.search(r"http://\S+", server.stdout.readline())
                assert match
                with httpx2.Client(base_url=match[0], headers=WRITE_HEADERS, timeout=60) as client:
                    send_writes(client, WRITES)
                    if name in STORES_WITH_CITATIONS:
                        text = json.dumps(write_cited_graphs(client), indent=2, ensure_ascii=False)
                        (STORES_FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
            finally:
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


def unpack_commit(commit: str, code_folder: Path, more_paths: Sequence[str]) -> None:
    """Extract the code of a commit, with a few of its bundled graphs, and more files and folders."""
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
        ["git", "archive", commit, *paths, *more_paths], cwd=CHECKOUT_FOLDER, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        file.extractall(code_folder, filter="data")


def send_writes(client: httpx2.Client, writes: Iterable[tuple[str, str, str]]) -> None:
    """Send writes: the method, the path and the content in Turtle of each."""
    for method, path, content in writes:
        response = client.request(method, path, content=content)
        assert response.is_success, response.text


def write_cited_graphs(client: httpx2.Client) -> dict[str, Any]:
    """Write graphs, cite their first versions, and write them again. Returns what the service returns then.

    `versions` has the TimeMap of each graph by its path, each version with the digest of its content.
    `citations` has the path and the SHA-256 of the cited content.
    """
    send_writes(client, WRITES_BEFORE_CITATIONS)
    citations = [cite_content(client, name, value) for name, value in CITED_SUBJECTS]
    send_writes(client, WRITES_AFTER_CITATIONS)
    for citation in citations:
        assert digest_cited_content(client, citation["path"]) == citation["sha256"], citation
    paths = dict.fromkeys(path for _, path, _ in (*WRITES, *WRITES_BEFORE_CITATIONS))
    return {
        "versions": {path: list_digested_versions(client, path) for path in paths},
        "citations": citations,
    }


def cite_content(client: httpx2.Client, parameter: str, value: str) -> dict[str, str]:
    """Cite the current content of a graph or query: the path of the cited content, and its SHA-256."""
    response = client.get("/cite", params={parameter: value}, headers={"Accept": CSL_JSON})
    (item,) = response.raise_for_status().json()
    match = CITATION_NOTE_PATTERN.fullmatch(item["note"])
    assert match
    return {"path": f"/{match[2]}", "sha256": match[1]}


def digest_cited_content(client: httpx2.Client, path: str) -> str:
    """The SHA-256 of cited content."""
    return hashlib.sha256(client.get(path).raise_for_status().content).hexdigest()


def list_digested_versions(client: httpx2.Client, path: str) -> list[dict[str, Any]]:
    """The TimeMap of a graph as JSON; each version has the SHA-256 of its content as `sha256`, too.

    The digest is that of canonical N-Triples (RDFC-1.0), and so independent of blank node labels.
    """
    response = client.get(
        f"{path}{'&' if '?' in path else '?'}versions", headers={"Accept": "application/json"}
    )
    timemap = response.raise_for_status().json()
    return [
        {**version, "sha256": digest_version(client, version["version"])} for version in timemap["versions"]
    ]


def digest_version(client: httpx2.Client, path: str) -> str:
    """The SHA-256 of the content of a version, as canonical N-Triples (RDFC-1.0)."""
    response = client.get(path, headers={"Accept": "application/n-triples"}).raise_for_status()
    dataset = ox.Dataset(ox.parse(response.content, ox.RdfFormat.N_TRIPLES))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return hashlib.sha256("".join(sorted(f"{quad} .\n" for quad in dataset)).encode()).hexdigest()


def pack_store(store: Path, target: Path) -> None:
    """Pack a store, without the names of users and files that do not belong to the data."""

    def filter_member(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return None if IGNORED_NAME_PATTERN.fullmatch(Path(member.name).name) else member

    with tarfile.open(target, "w:xz", preset=9) as file:
        file.add(store, "store", filter=filter_member)


if __name__ == "__main__":
    for name in sys.argv[1:] or COMMITS:
        make_store(name, COMMITS[name])
