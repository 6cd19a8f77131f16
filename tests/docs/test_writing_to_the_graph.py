"""The commands, tables and names on the page about writing are correct."""

import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from wgig.cli.arguments import SCOPE_CHOICES
from wgig.graphs.write_pipeline import COMPUTED_GRAPH_PURPOSES
from wgig.settings import MIB, SHIPPED_FOLDER, TOKENS_FILE, Settings
from wgig.store.change import MAX_COMPARED_QUADS
from wgig.store.change_log import MAX_CHANGES_BETWEEN_SNAPSHOTS
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.inference.inference import MAX_INFERENCE_STEPS, MAX_INFERRED_TRIPLES

from tests.docs.blocks import find_calls, read_docs_page

PAGE = read_docs_page("how-to/writing-to-the-graph.md")
TOKEN = "secret"


def test_the_commands_have_the_documented_statuses(
    start_service: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    if not shutil.which("curl"):
        pytest.skip("There is no curl, which the commands of the page use.")
    example = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    files = {
        "mine.ttl": "<x:a> <x:b> 1 .",
        "more.ttl": "<x:a> <x:b> 2 .",
        "yet-more.jsonld": '{"@id": "x:a", "x:b": 3}',
        "spam.md": example.replace("example-community-networks", "spam"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with start_service(tmp_path / "store", WGIG_DATA="none", WGIG_TOKEN=TOKEN) as url:
        environment = {"TOKEN": TOKEN, "SERVICE": url.rstrip("/")}
        statuses = [
            subprocess.run(
                ["bash", "-c", f"curl -s -o answer -w '%{{http_code}}' {call}"],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
            ).stdout
            for call in find_calls(PAGE, "curl")
        ]  # fmt: skip
    # Creates a graph, replaces it, adds to it, creates a paper, runs an update.
    assert statuses == ["201", "204", "204", "201", "204"]


def test_the_tables_are_complete() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) >= {*SCOPE_CHOICES}
    profile = Settings.__dataclass_fields__["write_profile"]
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) >= {*profile.metadata["choices"]}
    assert Settings.write_profile == "draft"


def test_names_and_limits_are_those_of_the_code() -> None:
    assert f"`{TOKENS_FILE}`" in PAGE
    assert f"`{CHANGE_LOG_FILE}`" in PAGE
    assert f"every {MAX_CHANGES_BETWEEN_SNAPSHOTS} of its changes" in PAGE
    assert f"({Settings.write_statements:,})" in PAGE
    assert f"({Settings.write_bytes // MIB} MiB)" in PAGE
    assert f"{MAX_INFERRED_TRIPLES:,} inferred statements" in PAGE
    assert f"{MAX_INFERENCE_STEPS:,} steps" in PAGE
    assert f"{MAX_COMPARED_QUADS:,}" in PAGE
    # The last name follows an "and".
    assert "The graphs " + ", ".join(f"`{name}`" for name in sorted(COMPUTED_GRAPH_PURPOSES)[:-1]) in PAGE
    assert all(f"WGIG_{name}" in PAGE for name in ("TOKEN", "WRITE_PROFILE", "HISTORY", "BODY_BYTES"))
