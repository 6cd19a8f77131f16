"""What the page about following changes shows is what happens."""

from pathlib import Path

import pytest
from wgig.graphs.dumps import DUMP_NAMES, KEPT_DUMP_VERSIONS
from wgig.graphs.dumps_routes import DUMP_WAIT_SECONDS
from wgig.lists.tables import TABLE_LIST_SEPARATOR
from wgig.store.changelog.log import MEMBERS_PER_PAGE

from tests.docs.blocks import blocks, page, run

TEXT = page("how-to/following-changes.md")
BLOCKS = [one for one in blocks(TEXT, "sh") if "npx" not in one]  # that is run by test_ldes_client.py


def test_one_block_is_left_to_another_test() -> None:
    assert len(BLOCKS) == len(blocks(TEXT, "sh")) - 1


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_run_as_shown(block: str, served: str, tmp_path: Path) -> None:
    given = run(block, served, tmp_path)
    assert given.returncode == 0, given.stderr
    assert given.stdout or any(one.stat().st_size for one in tmp_path.iterdir())


def test_the_numbers_that_it_names_are_those_of_the_code() -> None:
    assert (DUMP_WAIT_SECONDS, KEPT_DUMP_VERSIONS, MEMBERS_PER_PAGE, TABLE_LIST_SEPARATOR) == (
        20,
        3,
        250,
        "|",
    )
    assert all(f"`/dump.{name}`" in TEXT or f"`.{name}`" in TEXT for name in DUMP_NAMES)
