"""What the page about threats names is there."""

import re

from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import page

PAGE = page("explanation/threat-model.md")
NAMED = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|toml|yml)|tests/[\w/]+)`", PAGE)


def test_each_module_and_test_that_it_names_is_there() -> None:
    assert len(NAMED) > 50
    package = CHECKOUT_FOLDER / "service" / "wgig"
    assert [one for one in NAMED if not ((CHECKOUT_FOLDER / one).exists() or (package / one).exists())] == []


def test_each_way_in_has_a_test() -> None:
    table = PAGE.partition("## Each way in\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 12
    assert all("tests/" in row[2] for row in rows)
