"""`wgig load`, killed in any stage and run again, ends like one that was never killed."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.data import CHECK_STAGE, COUNT_STAGE, INDEX_STAGE, INFERENCE_STAGE
from wgig.projections import make_projections
from wgig.rdf.namespaces import DCTERMS_MODIFIED, namespaces_by_prefix
from wgig.search.index import SEARCH_INDEX_PATH
from wgig.seed import open_filled_store
from wgig.settings import Settings
from wgig.store.files import ASIDE_FOLDER
from wgig.store.projection import ProjectionState
from wgig.store.resource_versions.projection import RESOURCE_VERSIONS_FILE
from wgig.store.store import Store

pytestmark = pytest.mark.slow

BASE = Settings.base
Rows = list[tuple[object, ...]]
LoadedStore = tuple[set[ox.Quad], list[Rows]]  # its quads, and the rows of its projections
PAPER_NAMES = ("first", "second", "third")
SCANNED = "scanned"  # the versions of resources are complete, and all else is not
# Runs `wgig load FILE --store STORE`, and kills itself at a stage.
LOAD_SCRIPT = f"""
import os, signal, sys
from wgig.cli.console import StageProgress
from wgig.cli.main import main
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store

stage = sys.argv.pop(1)

def kill(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_at_stage(progress, name, *arguments, **options):
    if name == stage:
        kill()
    begin_stage(progress, name, *arguments, **options)

def scan_and_kill(*arguments):
    scan(*arguments)
    kill()

begin_stage, StageProgress.begin_stage = StageProgress.begin_stage, kill_at_stage
if stage == {SCANNED!r}:
    scan = ResourceVersionsProjection.scan_loaded_quads
    ResourceVersionsProjection.scan_loaded_quads = scan_and_kill
    Store.finish_load = lambda store: signal.pause()
if __name__ == "__main__":
    main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the shipped graphs."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    assert open_filled_store(Settings(store=folder), lambda _: None).close()
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
    command = [sys.executable, str(script), stage or "none", "load", str(file), "--store", str(store)]
    environment = os.environ | {"WGIG_DATA": "shipped"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


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


@pytest.mark.parametrize("stage", [CHECK_STAGE, INFERENCE_STAGE, SCANNED, COUNT_STAGE, INDEX_STAGE])
def test_a_killed_load_goes_on(
    filled: Path, papers_file: Path, expected: LoadedStore, tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "store"
    shutil.copytree(filled, folder)
    assert run_load(folder, papers_file, stage).returncode == -signal.SIGKILL
    again = run_load(folder, papers_file)
    assert again.returncode == 0, again.stderr
    is_finished = stage in {COUNT_STAGE, INDEX_STAGE}  # then the second load is one of its own
    assert ("was loaded before the interruption" in again.stdout) != is_finished
    assert read_loaded_store(folder) == expected
    check_current(folder)
