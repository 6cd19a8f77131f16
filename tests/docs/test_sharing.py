"""The page about sharing a store: settings and figures are correct, all known differences are listed."""

import re
from collections import defaultdict

import pytest
from wgig.remote.dialects import SERVICE_DIALECTS
from wgig.remote.ledger import MAX_LEDGER_ENTRIES
from wgig.settings import Settings, iter_variable_errors

from tests.docs.blocks import find_code_blocks, read_docs_page
from tests.remote.products.deviations import DEVIATIONS
from tests.remote.products.engines import SHARED_ENGINES

PAGE = read_docs_page("how-to/sharing.md")
BLOCKS = find_code_blocks(PAGE, "")
SETTINGS = [line for block in BLOCKS for line in block.splitlines() if re.match(r"WGIG_\w+=\S+$", line)]


def parse_table(title: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_page_lists_the_differences_of_each_engine() -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for test_words, difference in DEVIATIONS.items():  # the words include the name of the engine
        known[difference] |= {name for name in SHARED_ENGINES if name in test_words.split()}
    rows = parse_table("Differences between engines")
    assert {difference: set(engines.split(", ")) for difference, engines in rows} == known


def test_the_page_shows_settings() -> None:
    assert len(SETTINGS) == 7


@pytest.mark.parametrize("name", [name for name in SHARED_ENGINES if name in SERVICE_DIALECTS])
def test_settings_of_an_engine_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = (block for block in BLOCKS if f"WGIG_REMOTE_PROFILE={name}\n" in block)
    for line in block.split():
        monkeypatch.setenv(*line.split("=", 1))
    settings = Settings.from_environment()
    assert settings.remote_profile == name
    assert settings.remote_query
    assert settings.remote_update


def test_all_settings_of_sharing_are_listed_and_exist() -> None:
    names = {f"WGIG_{name.upper()}" for name in Settings.__dataclass_fields__ if name.startswith("remote_")}
    listed = {name for row in parse_table("Settings") for name in re.findall(r"WGIG_\w+", row[0])}
    assert listed >= names
    mentioned = re.findall(r"\bWGIG_[A-Z_]+\b(?!…)", PAGE.replace("WGIG_REMOTE_…", ""))
    assert list(iter_variable_errors(mentioned)) == []


def test_figures_are_those_of_the_code() -> None:
    assert f"the last {MAX_LEDGER_ENTRIES // 2} writes" in PAGE  # each has a second entry, for descriptions
    (profiles,) = (row[1] for row in parse_table("Settings") if "WGIG_REMOTE_PROFILE" in row[0])
    assert set(SERVICE_DIALECTS) == set(re.findall(r"`(\w+)`", profiles))
