"""The files on the page about deploying exist, and its commands can be parsed."""

import re
import shlex

import pytest
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import find_code_blocks, read_docs_page

PAGE = read_docs_page("how-to/deploying.md")
LINES = [line for block in find_code_blocks(PAGE, "") for line in block.replace("\\\n", " ").splitlines()]
# Arguments of `wgig`, which is called in a folder `bin` or in a container named wgig; empty for other lines.
COMMANDS = [line.partition("bin/wgig ")[2] or line.partition(" wgig wgig ")[2] for line in LINES]
SECRETS_SCRIPT = (CHECKOUT_FOLDER / "deploy" / "secrets" / "make").read_text(encoding="utf-8")
# A number with its unit, as on the pages of figures.
FIGURE = re.compile(r"\d[\d.,]* (?:[MG]B|m?s)\b")
DEPLOY_PATH = re.compile(r"`(deploy/[\w./-]+)`")


def test_each_way_to_deploy_in_the_table_has_a_section() -> None:
    table = PAGE.partition("| way | use it if | files |\n")[2].partition("\n\n")[0]
    titles = {
        title.lower().replace(" ", "-").replace(",", "") for title in re.findall(r"^## (.*)$", PAGE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", table)) <= titles
    assert len(table.splitlines()) == 6  # a rule and five ways


def test_files_on_the_page_exist() -> None:
    shown = {path for line in LINES for path in re.findall(r"\bdeploy/[\w./-]+", line)}
    secrets = re.findall(r"> ([\w.]+)$", SECRETS_SCRIPT, re.MULTILINE)
    created = {f"deploy/secrets/{name}" for name in secrets}
    for path in (shown | set(DEPLOY_PATH.findall(PAGE))) - created:
        assert (CHECKOUT_FOLDER / path).exists() or list(CHECKOUT_FOLDER.glob(f"{path}*")), path


@pytest.mark.parametrize("command", list(filter(None, COMMANDS)))
def test_the_arguments_of_wgig_can_be_parsed(command: str) -> None:
    build_command_parser().parse_args(shlex.split(command))


def test_make_targets_on_the_page_exist() -> None:
    targets = re.findall(r"^(\w+):", (CHECKOUT_FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    shown = set(re.findall(r"\bmake ([a-z]+)(?=`|$)", PAGE, re.MULTILINE))
    assert shown >= {"packages", "sbom", "tools"}
    assert shown <= set(targets)


def test_each_figure_in_the_table_is_the_same_as_in_its_source() -> None:
    table = PAGE.partition("| what | figure | source |\n| --- | --- | --- |\n")[2].partition("\n\n")[0]
    figures = [
        (figure, source)
        for _, _, text, source, _ in (line.split("|") for line in table.splitlines())
        for figure in FIGURE.findall(text)
    ]
    figures += [
        (figure, "(../benchmarks/serving.md)") for figure in re.findall(r"then takes ([\d,]+ ms)", PAGE)
    ]
    for figure, source in figures:
        path = CHECKOUT_FOLDER / "docs" / "how-to" / source.partition("(")[2].partition("#")[0].rstrip(") ")
        in_source = figure.removesuffix(" ms") if path.name == "serving.md" else figure
        assert in_source in path.read_text(encoding="utf-8"), (figure, source)
    assert len(figures) == 12
