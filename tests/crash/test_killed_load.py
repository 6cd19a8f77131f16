"""`wgig load`, killed or interrupted in any stage and run again, ends like one that was never stopped."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.load import CHECK_STAGE, COUNT_STAGE, INDEX_STAGE, INFERENCE_STAGE, LOAD_STAGE
from wgig.projections import make_projections
from wgig.rdf.namespaces import DCTERMS_MODIFIED
from wgig.search.index import SEARCH_INDEX_PATH
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.files import ASIDE_FOLDER, RESOURCE_VERSIONS_FILE
from wgig.store.projection import ProjectionState
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.stores import open_filled_copy

pytestmark = pytest.mark.slow

BASE = Settings.base
Rows = list[tuple[object, ...]]
LoadedStore = tuple[set[ox.Quad], list[Rows]]  # its quads, and the rows of its projections
PAPER_NAMES = ("first", "second", "third")
INDEXED = "indexed"  # the search index is built, and lacks the statistics that the engine has
SCANNED = "scanned"  # the versions of resources are complete, and all else is not
IN_PROCESSES = "in processes"  # papers are checked in several processes
INTERRUPT = "interrupt "  # before a stage: the process group gets Ctrl-C, as from a terminal
NOTHING_LOADED = "wgig: Stopped; nothing from {file} was loaded: repeat the command to load it."
NOT_COMPLETE = (
    "wgig: Stopped with {file} in the store, but before all steps were complete: "
    "repeat the command or start wgig serve to complete them."
)
# Runs `wgig load FILE --store STORE`, and kills or interrupts itself at a stage.
LOAD_SCRIPT = f"""
import os, signal, sys
from wgig.cli.console import StageProgress
from wgig.cli.load import LoadJob
from wgig.cli.main import main
from wgig.search.index import FullTextIndex
from wgig.shacl import conformance_graph, conformance_workers
from wgig.store.resource_versions import rescan
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store

if __name__ == "__main__":  # a shell ignores it in background jobs
    signal.signal(signal.SIGINT, signal.default_int_handler)
stage = os.environ["STOP_STAGE"]  # also in processes that are started
is_interrupted = stage.startswith({INTERRUPT!r})
stage = stage.removeprefix({INTERRUPT!r})
jobs = []
if __name__ != "__main__" and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, []):
    print("Ctrl-C can interrupt a process while it starts.", file=sys.stderr)

def wait_forever(*arguments):
    signal.pause()

def make_job(job, *arguments):
    jobs.append(job)
    init_job(job, *arguments)

def kill():
    if is_interrupted:
        os.killpg(os.getpgrp(), signal.SIGINT)
        jobs[0].stopped.wait()
    else:
        os.kill(os.getpid(), signal.SIGKILL)

def check_and_kill(*arguments, **options):
    papers = check(*arguments, **options)
    yield next(papers)
    kill()
    yield from papers

def kill_at_stage(progress, name, *arguments, **options):
    if name == stage:
        kill()
    begin_stage(progress, name, *arguments, **options)

def scan_and_kill(*arguments):
    scan(*arguments)
    kill()

begin_stage, StageProgress.begin_stage = StageProgress.begin_stage, kill_at_stage
init_job, LoadJob.__init__ = LoadJob.__init__, make_job
if is_interrupted:
    rescan.LARGE_STORE_BYTES = 0  # so that processes scan the store and build the search index
    rescan.read_snapshot_states = wait_forever  # in a process of the one that scans
if stage == {IN_PROCESSES!r}:
    conformance_graph.MIN_PARALLEL_PAPERS = 1
    check, conformance_workers.check_in_processes = conformance_workers.check_in_processes, check_and_kill
if stage == {INDEXED!r}:
    def build_index(index):
        calls.append(index)  # the thread that builds the index calls this again
        is_first = len(calls) == 1
        build = start_index_build(index)
        if is_first:
            build.result()
        return build

    def apply_and_kill(store, change):
        apply_descriptions(store, change)
        kill()

    calls = []
    start_index_build, FullTextIndex.start_build = FullTextIndex.start_build, build_index
    apply_descriptions, Store._apply_descriptions = Store._apply_descriptions, apply_and_kill
if stage == {SCANNED!r}:
    scan = ResourceVersionsProjection.scan_loaded_quads
    ResourceVersionsProjection.scan_loaded_quads = scan_and_kill
    Store.finish_load = lambda store, title: signal.pause()
if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of which of the shipped graphs only the ontology is left, so that a load takes a second."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    store = open_filled_copy(folder)
    dropped_graphs = [graph for graph in list_shipped_files(BASE) if graph != f"{BASE}graph/ontology"]
    store.update(" ; ".join(f"DROP GRAPH <{graph}>" for graph in dropped_graphs))
    assert store.close()
    return folder


@pytest.fixture(scope="module")
def papers_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of papers."""
    path = tmp_path_factory.mktemp("papers") / "papers.nq"
    namespaces = namespaces_by_prefix(BASE)
    path.write_text(
        "".join(
            f"<{namespaces['paper']}{name}> <{predicate}> {object_} <{BASE}graph/paper/{name}> .\n"
            for name in PAPER_NAMES
            for predicate, object_ in (
                ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", f"<{BASE}ontology#IssuePaper>"),
                ("http://purl.org/dc/terms/title", f'"{name} on quokkas"@en'),
            )
        )
    )
    return path


def run_load(store: Path, file: Path, stage: str = "") -> subprocess.CompletedProcess[str]:
    script = store.with_name("load.py")
    script.write_text(LOAD_SCRIPT)
    command = [sys.executable, str(script), "load", str(file), "--store", str(store)]
    environment = os.environ | {"WGIG_DATA": "shipped", "STOP_STAGE": stage}
    # It returns when all its processes have closed standard error.
    return subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,  # with a process group of its own
    )


def read_rows(path: Path, select: str) -> Rows:
    """The rows of a table of an SQLite file."""
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute(select))
    finally:
        connection.close()


def read_loaded_store(folder: Path) -> LoadedStore:
    """The quads of a store without times, and what its projections on disk have."""
    quads = ox.Store.read_only(str(folder / "quads"))
    index, versions = folder / SEARCH_INDEX_PATH, folder / ASIDE_FOLDER / RESOURCE_VERSIONS_FILE
    return {quad for quad in quads if quad.predicate != DCTERMS_MODIFIED}, [
        read_rows(versions, "SELECT iri, activity, hex(digest) FROM resources"),
        read_rows(index, "SELECT iri, language, label, passages FROM things NATURAL JOIN entries"),
        read_rows(index, "SELECT word FROM words"),
    ]


def check_current(folder: Path) -> None:
    """Check that a service has no projection on disk to build."""
    store = Store.open(folder)
    projections = make_projections(store, BASE)
    for projection in (projections.search_index, projections.resource_versions):
        projection.open()
        assert projection.state is ProjectionState.CURRENT
    del store


@pytest.fixture(scope="module")
def expected(filled: Path, papers_file: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedStore:
    """What the store has after a load that was not killed."""
    folder = tmp_path_factory.mktemp("complete") / "store"
    shutil.copytree(filled, folder)
    assert run_load(folder, papers_file).returncode == 0
    return read_loaded_store(folder)


@pytest.mark.parametrize("stage", [CHECK_STAGE, INFERENCE_STAGE, SCANNED, COUNT_STAGE, INDEXED, INDEX_STAGE])
def test_a_killed_load_goes_on(
    filled: Path, papers_file: Path, expected: LoadedStore, tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "store"
    shutil.copytree(filled, folder)
    assert run_load(folder, papers_file, stage).returncode == -signal.SIGKILL
    again = run_load(folder, papers_file)
    assert again.returncode == 0, again.stderr
    assert "was loaded before the interruption" in again.stdout
    assert read_loaded_store(folder) == expected
    check_current(folder)


@pytest.mark.parametrize(
    "stage", [LOAD_STAGE, CHECK_STAGE, IN_PROCESSES, INFERENCE_STAGE, COUNT_STAGE, INDEX_STAGE]
)
def test_an_interrupted_load_says_what_is_loaded_and_goes_on(
    filled: Path, papers_file: Path, expected: LoadedStore, tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "store"
    shutil.copytree(filled, folder)
    stopped = run_load(folder, papers_file, f"{INTERRUPT}{stage}")
    *lines, last_line = stopped.stderr.splitlines()
    message = NOTHING_LOADED if stage == LOAD_STAGE else NOT_COMPLETE
    assert (stopped.returncode, last_line) == (130, message.format(file=papers_file))
    assert all(re.match(r"wgig: \d/5 ", line) for line in lines), lines  # no traceback, no warning
    assert stopped.stdout == ""
    again = run_load(folder, papers_file)
    assert again.returncode == 0, again.stderr
    assert ("was loaded before the interruption" in again.stdout) == (stage != LOAD_STAGE)
    assert read_loaded_store(folder) == expected
    check_current(folder)
