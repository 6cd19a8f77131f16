"""What the README shows is what happens."""

import re
from dataclasses import fields
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```sparql\n(.*?)```\n\n```csv\n(.*?)```", README, re.DOTALL)


def test_readme_shows_three_queries() -> None:
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("query", "answer"), SHOWN)
def test_query_answers_as_shown(query: str, answer: str, shipped: ox.Store) -> None:
    results = shipped.query(query, use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    given = results.serialize(format=ox.QueryResultsFormat.CSV)
    assert given is not None
    assert given.decode().replace("\r\n", "\n") == answer


def test_table_of_settings_matches_the_code() -> None:
    rows = re.findall(r"^\| `WGIG_(\w+)` \| (.*?) \| (.*) \|$", README, re.MULTILINE)
    assert [(name.lower(), help_) for name, _, help_ in rows] == [
        (one.name, one.metadata["help"]) for one in fields(Settings)
    ]


def test_layout_names_folders_that_exist() -> None:
    root = Path(__file__).parents[1]
    tree = README.partition("## The whole system\n\n```\n")[2].partition("```")[0]
    for line in tree.splitlines():
        folder = line.split()[0]
        assert (root / folder).is_dir() or (root / "data" / folder).is_dir(), folder
