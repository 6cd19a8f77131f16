"""What the page about sharing a store shows is there, and what it says to be other is what the tests know."""

import re
from collections import defaultdict

import pytest
from wgig.remote.dialects import SERVICE_DIALECTS
from wgig.remote.ledger import MAX_LEDGER_ENTRIES
from wgig.settings import Settings, iter_unknown_variables

from tests.docs.blocks import blocks, page
from tests.remote.products.deviations import DEVIATIONS
from tests.remote.products.engines import SHARED

PAGE = page("how-to/sharing.md")
BLOCKS = blocks(PAGE, "")
SETTINGS = [line for one in BLOCKS for line in one.splitlines() if re.match(r"WGIG_\w+=\S+$", line)]


def table(title: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_page_lists_what_is_other_over_each_engine() -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for signs, why in DEVIATIONS.items():
        known[why] |= {name for name in SHARED if name in signs.split()}
    assert {why: set(over.split(", ")) for why, over in table("What is other over each engine")} == known


def test_the_page_shows_settings() -> None:
    assert len(SETTINGS) == 7


@pytest.mark.parametrize("name", [one for one in SHARED if one in SERVICE_DIALECTS])
def test_settings_of_an_engine_fit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = (one for one in BLOCKS if f"WGIG_REMOTE_PROFILE={name}\n" in one)
    for line in block.split():
        monkeypatch.setenv(*line.split("=", 1))
    settings = Settings.from_environment()
    assert settings.remote_profile == name
    assert settings.remote_query
    assert settings.remote_update


def test_all_settings_of_sharing_are_told_and_each_is_known() -> None:
    names = {f"WGIG_{name.upper()}" for name in Settings.__dataclass_fields__ if name.startswith("remote_")}
    told = {name for row in table("Settings") for name in re.findall(r"WGIG_\w+", row[0])}
    assert told >= names
    assert (
        list(iter_unknown_variables(re.findall(r"\bWGIG_[A-Z_]+\b(?!…)", PAGE.replace("WGIG_REMOTE_…", ""))))
        == []
    )


def test_figures_are_those_of_the_code() -> None:
    assert f"the last {MAX_LEDGER_ENTRIES} writes" in PAGE
    assert set(SERVICE_DIALECTS) == set(re.findall(r"`(\w+)`", table("Settings")[2][1]))
