"""What the page about deploying shows is there, and can be called."""

import re
import shlex

import pytest
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import blocks, page

PAGE = page("how-to/deploying.md")
LINES = [line for block in blocks(PAGE, "") for line in block.replace("\\\n", " ").splitlines()]
COMMANDS = [line.partition("bin/wgig ")[2] or line.partition(" wgig wgig ")[2] for line in LINES]
MADE = (CHECKOUT_FOLDER / "deploy" / "secrets" / "make").read_text(encoding="utf-8")
WHERE = re.compile(r"`(deploy/[\w./-]+)`")


def test_every_way_of_the_table_has_its_part() -> None:
    table = PAGE.partition("| way | use it if | files |\n")[2].partition("\n\n")[0]
    titles = {one.lower().replace(" ", "-").replace(",", "") for one in re.findall(r"^## (.*)$", PAGE, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", table)) <= titles
    assert table.count("\n") == 5


def test_what_it_names_is_there() -> None:
    shown = {path for line in LINES for path in re.findall(r"\bdeploy/[\w./-]+", line)}
    made = {f"deploy/secrets/{name}" for name in re.findall(r"> ([\w.]+)$", MADE, re.MULTILINE)}
    for path in (shown | set(WHERE.findall(PAGE))) - made:
        assert (CHECKOUT_FOLDER / path).exists() or list(CHECKOUT_FOLDER.glob(f"{path}*")), path


@pytest.mark.parametrize("command", [one for one in COMMANDS if one])
def test_a_command_of_ours_can_be_called_as_shown(command: str) -> None:
    build_command_parser().parse_args(shlex.split(command))


def test_targets_of_make_are_there() -> None:
    targets = re.findall(r"^(\w+):", (CHECKOUT_FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = set(re.findall(r"\bmake ([a-z]+)(?=`|$)", PAGE, re.MULTILINE))
    assert wanted >= {"wheel", "sbom", "tools"}
    assert wanted <= set(targets)


@pytest.mark.parametrize(
    ("figure", "source"),
    [
        ("140 MB", "docs/how-to/operating.md"),
        ("475 MB", "docs/how-to/operating.md"),
        ("0.28 GB", "docs/how-to/operating.md"),
        ("3.6 GB", "docs/how-to/operating.md"),
        ("0.34 s", "README.md"),
        ("1.00", "docs/benchmarks/serving.md"),
        ("18.7", "docs/benchmarks/serving.md"),
        ("1.05", "docs/benchmarks/serving.md"),
        ("215", "docs/benchmarks/serving.md"),
        ("1,311", "docs/benchmarks/serving.md"),
    ],
)
def test_a_figure_is_one_that_was_measured(figure: str, source: str) -> None:
    assert figure in PAGE
    assert figure in (CHECKOUT_FOLDER / source).read_text(encoding="utf-8")
