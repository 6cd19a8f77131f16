"""What the page on the architecture names is there, and what it lists is all that there is."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from inspect import getsource
from pathlib import Path

import pytest
from wgig import projections
from wgig.app import create_app, make_service
from wgig.projections import ComputedGraphs, Projections
from wgig.remote import store as remote_store
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.store import Store

from tests.docs.blocks import page

PAGE = page("explanation/architecture.md")
CONTRIBUTING = (CHECKOUT_FOLDER / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = CHECKOUT_FOLDER / "service" / "wgig"
NAMED = re.compile(r"`([\w./-]+\.py)(?:: ([\w.]+))?`")
WORDS = [
    *("query", "request", "response", "result", "finding", "report", "paper", "resource", "graph", "change"),
    *("commit", "snapshot", "projection", "change log", "worker", "cache"),
]
WALKS = [
    "Walk 1: GET /sparql",
    "Walk 2: PUT /graph/paper/x",
    "Walk 3: GET /doc/issue/spam as HTML",
    "Walk 4: how a finding gets its line",
]


def section(title: str) -> str:
    """What stands below a heading of the page, up to the next one of its level."""
    found = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of all tables in a text, without their heads."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if is_rule(line):
            found.pop()  # the head above it
        elif line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def is_rule(line: str) -> bool:
    """Whether a line stands between the head of a table and its rows."""
    return line.startswith("|") and set(line) <= set("|- ")


def place(path: str) -> Path:
    """The file that a path on the page means: of the package, or of the repository."""
    return next((one / path for one in (PACKAGE, CHECKOUT_FOLDER) if (one / path).is_file()), PACKAGE / path)


@cache
def names(path: Path) -> frozenset[str]:
    """The names that a module defines: functions, classes, constants, methods behind their classes."""
    return frozenset(names_in(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def names_in(body: list[ast.stmt], before: str) -> Iterator[str]:
    """The names that statements define, with what stands before them."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield before + statement.name
        if isinstance(statement, ast.ClassDef):
            yield from names_in(statement.body, f"{before}{statement.name}.")
        if isinstance(statement, ast.Assign):
            yield from (before + one.id for one in statement.targets if isinstance(one, ast.Name))
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield before + statement.target.id


def named(text: str) -> set[tuple[str, str]]:
    """The files and names in a text; the name is empty where a file is named alone."""
    return set(NAMED.findall(text))


def is_there(path: str, name: str) -> bool:
    return place(path).is_file() and (not name or name in names(place(path)))


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_file_and_name_exists(text: str) -> None:
    assert sorted(f"{path}: {name}" for path, name in named(text) if not is_there(path, name)) == []


def test_the_names_are_found() -> None:
    assert len(named(PAGE)) > 200


def test_a_name_that_does_not_exist_is_found_out() -> None:
    assert is_there("store/store.py", "Store.apply")
    assert not is_there("store/store.py", "Store.not_there")
    assert not is_there("store/not_there.py", "")


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_folder_and_file_of_the_repository_exists(text: str) -> None:
    tops = "|".join(
        sorted(one.name for one in CHECKOUT_FOLDER.iterdir() if one.is_dir() and one.name[0] != ".")
    )
    found = re.findall(rf"(?<![\w./-])((?:{tops})/[\w./-]*+)(?!<|…)", text)
    paths = {one.rstrip(".") for one in found}
    assert len(paths) > 10
    assert sorted(one for one in paths if not (CHECKOUT_FOLDER / one).exists()) == []


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_setting_exists(text: str) -> None:
    known = {f"WGIG_{one.name.upper()}" for one in fields(Settings)}
    assert set(re.findall(r"WGIG_[A-Z_]+", text)) - known == set()


@pytest.mark.parametrize("title", WALKS)
def test_a_step_of_a_walk_begins_with_one_function(title: str) -> None:
    steps = rows(section(title))
    assert [number for number, *_ in steps] == [str(number) for number in range(1, len(steps) + 1)]
    for _, code, _ in steps:
        found = NAMED.fullmatch(code)
        assert found, code
        assert found[2], code


def test_the_packages_are_those_of_the_contract_in_its_order() -> None:
    project = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (one for one in project["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    layers = [sorted(layer.split(" | ")) for layer in reversed(contract["layers"])]
    expected = [(str(number), f"`{name}`") for number, layer in enumerate(layers, 1) for name in layer]
    assert [(number, name) for number, name, _, _ in rows(section("Packages"))] == expected


def test_the_picture_has_each_package() -> None:
    picture = section("Layers and processes").partition("```\n")[2].partition("```")[0]
    packages = {name.strip("`") for _, name, _, _ in rows(section("Packages"))} - {"__main__"}
    assert packages - set(re.findall(r"\w+", picture)) == set()
    assert max(map(len, picture.splitlines())) <= 110


def test_the_middleware_is_that_of_the_app_in_its_order() -> None:
    listed = [NAMED.fullmatch(code) for code, _ in rows(section("Middleware"))]
    found = create_app(make_service(Settings(), Store.in_memory())).user_middleware
    assert [one and one[2] for one in listed] == [getattr(one.cls, "__name__", "") for one in found]


def test_each_projection_is_named() -> None:
    listed = {name for _, name in named(section("Projections"))}
    made = set(re.findall(r"\b([A-Z]\w+)\(", getsource(projections.make_projections))) - {"Projections"}
    computed = set(re.findall(r"\b([A-Z]\w+)\(", getsource(projections.build_computed_graphs)))
    assert len(made) == len(fields(Projections))
    assert (made | computed) - {ComputedGraphs.__name__} - listed == set()
    getters = "".join(one.read_text(encoding="utf-8") for one in PACKAGE.rglob("dependencies.py"))
    assert set(re.findall(r"service\.projections\.(\w+)", getters)) == {
        one.name for one in fields(Projections)
    }


def test_each_listener_of_the_store_is_named() -> None:
    listens = re.compile(r"store\.(?:projections\.append|on_external_write\.append|on_commit =)")
    files = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if listens.search(path.read_text(encoding="utf-8"))
    }
    assert len(files) >= 3
    assert files - {path for path, _ in named(section("Projections"))} == set()
    assert not listens.search(getsource(remote_store))


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_explains_a_word_that_names_one_concept(word: str) -> None:
    words = {one for cells in rows(section("Glossary")) for one in cells[0].split(", ")}
    assert word in words
