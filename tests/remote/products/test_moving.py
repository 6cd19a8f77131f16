"""The way from a store of its own to a shared one, and back, as the docs show it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyoxigraph as ox
import pytest

from .engines import Engine

PATIENCE = 300  # seconds for a command on a busy machine


def wgig(*arguments: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
    """Run a command in a folder."""
    command = [str(Path(sys.executable).with_name("wgig")), *arguments]
    environment = os.environ | (settings or {})
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=PATIENCE, capture_output=True)


def quads(path: Path) -> tuple[set[str], int]:
    """The quads of a dump without blank nodes, and how many there are."""
    every = list(ox.parse(path=path, format=ox.RdfFormat.N_QUADS))
    named = {str(one) for one in every if not any(isinstance(term, ox.BlankNode) for term in one.triple)}
    return named, len(every)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["oxigraph"], indirect=True)
def test_a_store_is_moved_into_an_engine_and_back(engine: Engine, tmp_path: Path) -> None:
    data = '<urn:a> <urn:b> "c" <urn:d> .\n<urn:a> <urn:b> _:x <urn:d> .\n<urn:a> <urn:b> "e" .\n'
    (tmp_path / "own.nq").write_text(data)
    own, shared = {"WGIG_DATA": "none"}, {"WGIG_DATA": "none"} | engine.settings()
    wgig("load", "own.nq", "--store", "own", folder=tmp_path, settings=own)
    wgig("dump", "--store", "own", "--output", "all.nq", folder=tmp_path, settings=own)
    wgig("load", "all.nq", "--store", "copy", folder=tmp_path, settings=shared)
    wgig("dump", "--store", "another", "--output", "there.nq", folder=tmp_path, settings=shared)
    wgig("load", "there.nq", "--store", "again", folder=tmp_path, settings=own)
    wgig("dump", "--store", "again", "--output", "back.nq", folder=tmp_path, settings=own)
    assert quads(tmp_path / "all.nq") == quads(tmp_path / "there.nq") == quads(tmp_path / "back.nq")
    assert quads(tmp_path / "all.nq")[1] == 3
