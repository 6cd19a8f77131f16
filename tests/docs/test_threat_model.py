"""The modules and tests on the page about threats exist."""

import re

from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import read_docs_page

PAGE = read_docs_page("explanation/threat-model.md")
PATHS = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|toml|yml)|tests/[\w/]+)`", PAGE)


def test_each_module_and_test_on_the_page_exists() -> None:
    assert len(PATHS) > 50
    folders = (CHECKOUT_FOLDER, CHECKOUT_FOLDER / "service" / "wgig")
    assert [path for path in PATHS if not any((folder / path).exists() for folder in folders)] == []


def test_each_entry_point_has_a_test() -> None:
    table = PAGE.partition("## Entry points\n")[2].partition("\n## ")[0]
    _, _, *rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]  # head and rule
    assert len(rows) > 12
    assert all("tests/" in tests for _, _, tests, *_ in rows)
