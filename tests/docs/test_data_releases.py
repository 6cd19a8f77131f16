"""The commands on the page about releases of the data run."""

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wgig.graphs.releases import (
    MAX_RECORDED_RESOURCES,
    RELEASE_FILE_TYPES,
    ReleaseOrigin,
    create_release,
    list_releases,
)
from wgig.settings import Settings
from wgig.store.files import RELEASES_FOLDER
from wgig.store.store import Store

from tests.docs.blocks import find_code_blocks, read_docs_page, run_shell_block
from tests.fixtures.processes import run_service
from tests.fixtures.triples import parse_triples

PAGE = read_docs_page("how-to/data-releases.md")
MAKE_BLOCK, *READ_BLOCKS = find_code_blocks(PAGE, "sh")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service with the two releases that the page names."""
    folder = tmp_path_factory.mktemp("store")
    store = Store.in_memory()
    for day, text in ((1, "<x:a> <x:p> 1, 2 ."), (3, "<x:a> <x:p> 2, 3 . <x:b> <x:p> 4 .")):
        store.replace({"x:g": parse_triples(text)})
        create_release(store, folder, ReleaseOrigin(Settings.base, "", datetime(2026, 12, day, tzinfo=UTC)))
    with run_service(folder) as running:
        yield running.url


@pytest.mark.parametrize("block", READ_BLOCKS)
def test_commands_run_as_shown(block: str, service: str, tmp_path: Path) -> None:
    process = run_shell_block(block, service, tmp_path)
    assert process.returncode == 0, process.stderr + process.stdout


def test_the_command_makes_a_release(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    folder = tmp_path / "store"
    Store.open(folder).close()
    process = run_shell_block(MAKE_BLOCK, "", tmp_path, WGIG_STORE=str(folder), WGIG_DATA="none", PATH=path)
    assert process.returncode == 0, process.stderr
    assert len(list_releases(folder)) == 1


def test_names_and_numbers_are_those_of_the_code() -> None:
    assert set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)) == {*RELEASE_FILE_TYPES}
    assert f"below `{RELEASES_FOLDER}`" in PAGE
    assert MAX_RECORDED_RESOURCES == 1000
    assert "first thousand resources" in PAGE
