"""What the page about writing shows is what happens."""

import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from wgig.cli.arguments import SCOPE_CHOICES
from wgig.graphs.write_pipeline import COMPUTED_GRAPH_PURPOSES
from wgig.settings import SHIPPED_FOLDER, TOKENS_FILE, Settings
from wgig.store.change import MAX_COMPARED_QUADS
from wgig.store.files import VERSIONS_FOLDER

from tests.docs.blocks import calls, page

PAGE = page("how-to/writing-to-the-graph.md")
TOKEN = "secret"


def test_the_calls_do_what_the_page_says(
    serving: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    if not shutil.which("curl"):
        pytest.skip("There is no curl, with which the page writes.")
    example = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    files = {
        "mine.ttl": "<x:a> <x:b> 1 .",
        "more.ttl": "<x:a> <x:b> 2 .",
        "yet-more.jsonld": '{"@id": "x:a", "x:b": 3}',
        "spam.md": example.replace("example-community-networks", "spam"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with serving(tmp_path / "store", WGIG_DATA="none", WGIG_TOKEN=TOKEN) as url:
        env = {"TOKEN": TOKEN, "SERVICE": url.rstrip("/")}
        statuses = [
            subprocess.run(
                ["bash", "-c", f"curl -s -o answer -w '%{{http_code}}' {call}"],
                cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
            ).stdout
            for call in calls(PAGE, "curl")
        ]  # fmt: skip
    assert statuses == ["201", "204", "204", "201", "204"]


def test_the_tables_list_what_there_is() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) >= {*SCOPE_CHOICES}
    (profile,) = [one for one in Settings.__dataclass_fields__.values() if one.name == "write_profile"]
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) >= {*profile.metadata["choices"]}
    assert Settings.write_profile == "draft"


def test_what_it_names_is_called_so() -> None:
    assert f"`{TOKENS_FILE}`" in PAGE
    assert f"`{VERSIONS_FOLDER}/`" in PAGE
    assert f"{MAX_COMPARED_QUADS:,}" in PAGE
    assert "The graphs " + ", ".join(f"`{one}`" for one in sorted(COMPUTED_GRAPH_PURPOSES)[:-1]) in PAGE
    assert all(f"WGIG_{name}" in PAGE for name in ("TOKEN", "WRITE_PROFILE", "HISTORY", "BODY_BYTES"))
