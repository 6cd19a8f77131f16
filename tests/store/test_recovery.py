"""Opening a store after a crash: the engine may have any number of the commits after its position."""

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.store import Store

UPDATES = (
    "INSERT DATA { <urn:a> <urn:p> 1 }",
    "INSERT DATA { <urn:a> <urn:p> 2 . GRAPH <urn:g> { <urn:a> <urn:p> 2 } }",
    "DELETE DATA { <urn:a> <urn:p> 2 } ; DROP GRAPH <urn:g>",
    "INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:p> 3 } } ; DELETE DATA { <urn:a> <urn:p> 1 }",
    "INSERT DATA { <urn:a> <urn:p> 1 }",
)


def list_quads(store: Store) -> set[ox.Quad]:
    """All quads of a store."""
    return set(store.match())


@pytest.mark.parametrize("engine_version", range(1, len(UPDATES) + 1))
def test_commits_are_replayed_from_any_state_of_the_engine(tmp_path: Path, engine_version: int) -> None:
    store = Store.open(tmp_path / "store")
    for version, update in enumerate(UPDATES, start=1):
        store.update(update)
        if version == 1:
            store.flush()  # writes the position
        if version == engine_version:
            store.snapshot("copied")
    shutil.copytree(tmp_path / "store", tmp_path / "crashed", ignore=shutil.ignore_patterns("quads"))
    (tmp_path / "store/aside/copied").rename(tmp_path / "crashed/quads")
    recovered = Store.open(tmp_path / "crashed")
    assert list_quads(recovered) == list_quads(store)
    assert recovered.graphs() == store.graphs()
