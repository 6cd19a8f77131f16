"""The files, commands and settings on the page about rules of one's own are correct."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wgig.cli.infer import MAX_TRIPLES
from wgig.rules.evaluation import MAX_ROUNDS
from wgig.rules.follower import MAX_RULES_DELAY_SECONDS, RULES_PAUSE_SECONDS
from wgig.rules.rule_set import parse_rules, read_rule_files
from wgig.settings import Settings

from tests.docs.blocks import find_code_blocks, parse_transcript, read_docs_page

PAGE = read_docs_page("how-to/own-rules.md")
TURTLE_BLOCKS = find_code_blocks(PAGE, "turtle")
COMMANDS, SETTINGS = find_code_blocks(PAGE, "sh")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    blocks = (TURTLE_BLOCKS[0], *find_code_blocks(PAGE, "sparql"), TURTLE_BLOCKS[1])
    for name, text in zip(("data.ttl", "old.rq", "rules.ttl"), blocks, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run_commands(text: str, folder: Path) -> str:
    """The output of commands in a folder, with the store of that folder. They must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "WGIG_STORE": "store", "WGIG_DATA": "none", "LC_ALL": "C"}
    process = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize("number", range(len(parse_transcript(PAGE))))
def test_the_commands_over_files_print_what_the_page_shows(number: int, folder: Path) -> None:
    command, output = parse_transcript(PAGE)[number]
    assert run_commands(command, folder) == output


@pytest.mark.slow
def test_the_commands_over_graphs_run(folder: Path) -> None:
    output = run_commands(COMMANDS, folder)
    assert "<http://example.org/OldDog>" in output
    assert "prov:wasDerivedFrom <https://example.org/dogs>" in output


def test_the_settings_exist_and_their_rules_can_be_read(folder: Path) -> None:
    values = dict(re.findall(r'export WGIG_(\w+)="?([^"#\n]*?)"?(?:\s*#.*)?$', SETTINGS, re.MULTILINE))
    assert values.keys() == {"RULES", "RULES_GRAPHS", "RULES_GRAPH"}
    settings = Settings(**{name.lower(): value for name, value in values.items()})
    names = [name if name == "owl2rl" else str(folder / name) for name in settings.rules.split()]
    rules = parse_rules(read_rule_files(names, settings), settings)
    assert rules.has_owl
    assert rules.shapes
    assert settings.rules_graphs == "https://example.org/dogs"


def test_the_limits_and_pauses_are_those_of_the_code() -> None:
    settings = Settings()
    assert f"`WGIG_RULES_QUADS` statements ({settings.rules_quads:,})" in PAGE
    assert f"`WGIG_RULES_TRIPLES`, {settings.rules_triples:,} triples that follow; in" in PAGE
    assert f"in `wgig infer`, {MAX_TRIPLES:,} |" in PAGE
    assert f"`WGIG_RULES_SECONDS`, {settings.rules_seconds} s; 1 GiB" in PAGE
    assert f"{MAX_ROUNDS:,} rounds" in PAGE
    assert (RULES_PAUSE_SECONDS, MAX_RULES_DELAY_SECONDS) == (1, 10)
    assert "A second after the last write to these graphs" in PAGE
    assert "ten seconds after the\nfirst" in PAGE
