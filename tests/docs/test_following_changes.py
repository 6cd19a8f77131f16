"""The commands on the page about following changes run."""

from pathlib import Path

import pytest
from wgig.graphs.dumps import DUMP_NAMES, KEPT_DUMP_VERSIONS
from wgig.graphs.dumps_routes import DUMP_WAIT_SECONDS
from wgig.lists.tables import TABLE_LIST_SEPARATOR
from wgig.store.resource_versions.database import MEMBERS_PER_PAGE

from tests.docs.blocks import find_code_blocks, read_docs_page, run_shell_block

PAGE = read_docs_page("how-to/following-changes.md")
# test_ldes_client.py runs the block with npx.
BLOCKS = [block for block in find_code_blocks(PAGE, "sh") if "npx" not in block]


def test_only_one_block_is_left_to_another_test() -> None:
    assert len(BLOCKS) == len(find_code_blocks(PAGE, "sh")) - 1


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_run_as_shown(block: str, service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(block, service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout or any(path.stat().st_size for path in tmp_path.iterdir())


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"longer than {DUMP_WAIT_SECONDS} seconds" in PAGE
    assert KEPT_DUMP_VERSIONS == 3
    assert "last three that were requested" in PAGE
    assert f"A page holds {MEMBERS_PER_PAGE} members" in PAGE
    assert f"`{TABLE_LIST_SEPARATOR}`" in PAGE
    assert all(f"`/dump.{name}`" in PAGE or f"`.{name}`" in PAGE for name in DUMP_NAMES)
