"""Moving an embedded store into a shared store and back, as documented."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyoxigraph as ox
import pytest

from .engines import Engine

COMMAND_TIMEOUT_SECONDS = 300  # on a busy machine


def run_wgig(*arguments: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
    """Run `wgig` in a folder."""
    command = [str(Path(sys.executable).with_name("wgig")), *arguments]
    environment = os.environ | (settings or {})
    subprocess.run(
        command, cwd=folder, env=environment, check=True, timeout=COMMAND_TIMEOUT_SECONDS, capture_output=True
    )


def read_dump(path: Path) -> tuple[set[str], int]:
    """The quads of a dump that have no blank nodes, and the number of all quads."""
    quads = list(ox.parse(path=path, format=ox.RdfFormat.N_QUADS))
    ground_quads = {
        str(quad) for quad in quads if not any(isinstance(term, ox.BlankNode) for term in quad.triple)
    }
    return ground_quads, len(quads)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["oxigraph"], indirect=True)
def test_store_is_moved_into_an_engine_and_back(engine: Engine, tmp_path: Path) -> None:
    data = '<urn:a> <urn:b> "c" <urn:d> .\n<urn:a> <urn:b> _:x <urn:d> .\n<urn:a> <urn:b> "e" .\n'
    (tmp_path / "original.nq").write_text(data)
    embedded_settings, shared_settings = {"WGIG_DATA": "none"}, {"WGIG_DATA": "none"} | engine.settings()

    def load(name: str, store: str, settings: Mapping[str, str]) -> None:
        run_wgig("load", name, "--store", store, folder=tmp_path, settings=settings)

    def dump(store: str, name: str, settings: Mapping[str, str]) -> tuple[set[str], int]:
        run_wgig("dump", "--store", store, "--output", name, folder=tmp_path, settings=settings)
        return read_dump(tmp_path / name)

    load("original.nq", "embedded", embedded_settings)
    embedded_quads = dump("embedded", "embedded.nq", embedded_settings)
    load("embedded.nq", "copy-of-shared", shared_settings)
    shared_quads = dump("other-copy-of-shared", "shared.nq", shared_settings)
    load("shared.nq", "embedded-again", embedded_settings)
    assert embedded_quads == shared_quads == dump("embedded-again", "embedded-again.nq", embedded_settings)
    assert embedded_quads[1] == 3  # the number of quads
