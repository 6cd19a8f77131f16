"""What the page about following changes shows is what happens."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from wgig.dumps.download import PATIENCE
from wgig.dumps.files import KEPT, NAMES
from wgig.feeds.paging import ENTRIES
from wgig.settings import CHECKOUT
from wgig.stream.log import PAGE
from wgig.tables.columns import SEPARATOR

TEXT = (CHECKOUT / "docs" / "following-changes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_page_shows_commands() -> None:
    assert len(BLOCKS) == 3


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_run_as_shown(block: str, served: str, tmp_path: Path) -> None:
    for tool in ("curl", "sha256sum"):
        if not shutil.which(tool):
            pytest.skip(f"There is no {tool}, with which the page asks the service.")
    given = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env=os.environ | {"SERVICE": served.rstrip("/")},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert given.returncode == 0, given.stderr
    assert given.stdout or list(tmp_path.iterdir())


def test_the_numbers_that_it_names_are_those_of_the_code() -> None:
    assert (PATIENCE, KEPT, PAGE, ENTRIES, SEPARATOR) == (20, 3, 250, 50, "|")
    assert all(f"`/dump.{name}`" in TEXT or f"`.{name}`" in TEXT for name in NAMES)
