"""What the page about feeds and the calendar shows is what happens."""

from pathlib import Path
from typing import Any

import pytest
from wgig.feeds.news import ENTRIES_PER_FEED_PAGE

from tests.docs.blocks import HERE, blocks, page, run

TEXT = page("how-to/feeds-and-calendar.md")
SHELL, PYTHON = (blocks(TEXT, kind) for kind in ("sh", "python"))


@pytest.mark.parametrize("block", SHELL)
def test_commands_run_as_shown(block: str, served: str, tmp_path: Path) -> None:
    given = run(block, served, tmp_path)
    assert given.returncode == 0, given.stderr
    assert given.stdout


def test_readers_read_as_shown(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in PYTHON:
        exec(block.replace(HERE, served), names)
    assert len(names["news"].entries) > 20
    assert capsys.readouterr().out == "World Summit on the Information Society, Geneva phase 2003-12-10\n"


def test_the_number_that_it_names_is_that_of_the_code() -> None:
    assert ENTRIES_PER_FEED_PAGE == 50
    assert "A page has fifty entries" in TEXT
