"""The code on the page about feeds and the calendar runs."""

from pathlib import Path
from typing import Any

import pytest
from wgig.feeds.news import ENTRIES_PER_FEED_PAGE

from tests.docs.blocks import SHOWN_URL, find_code_blocks, read_docs_page, run_shell_block

PAGE = read_docs_page("how-to/feeds-and-calendar.md")
SHELL_BLOCKS, PYTHON_BLOCKS = (find_code_blocks(PAGE, language) for language in ("sh", "python"))


@pytest.mark.parametrize("block", SHELL_BLOCKS)
def test_commands_run_as_shown(block: str, service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(block, service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout


def test_python_code_runs_as_shown(service_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    for block in PYTHON_BLOCKS:
        exec(block.replace(SHOWN_URL, service_url), namespace)
    assert len(namespace["news"].entries) > 20
    assert capsys.readouterr().out == "World Summit on the Information Society, Geneva phase 2003-12-10\n"


def test_the_page_size_is_that_of_the_code() -> None:
    assert ENTRIES_PER_FEED_PAGE == 50
    assert "A page has fifty entries" in PAGE
