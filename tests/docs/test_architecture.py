"""The files and names on the architecture page exist, and its lists are complete."""

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

from tests.docs.blocks import read_docs_page

PAGE = read_docs_page("explanation/architecture.md")
CONTRIBUTING = (CHECKOUT_FOLDER / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = CHECKOUT_FOLDER / "service" / "wgig"
CODE_REFERENCE = re.compile(r"`([\w./-]+\.py)(?:: ([\w.]+))?`")
GLOSSARY_WORDS = [
    *("query", "request", "response", "result", "finding", "report", "paper", "resource", "graph", "change"),
    *("commit", "snapshot", "projection", "change log", "worker", "cache"),
]
WALK_TITLES = [  # of sections, each of which follows a request through the code
    "Walk 1: GET /sparql",
    "Walk 2: PUT /graph/paper/x",
    "Walk 3: GET /doc/issue/spam as HTML",
    "Walk 4: how a finding gets its line",
]


def read_section(title: str) -> str:
    """The text below a heading of level 2, up to the next one."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert text, title
    return text


def parse_rows(text: str) -> list[list[str]]:
    """The cells of the rows of all tables in a text, without their heads."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("|") and set(line) <= set("|- "):
            rows.pop()  # the head, which is above this line
        elif line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def find_file(path: str) -> Path:
    """The file of a path on the page, which is relative to the package or to the repository."""
    folders = (PACKAGE, CHECKOUT_FOLDER)
    return next((folder / path for folder in folders if (folder / path).is_file()), PACKAGE / path)


@cache
def list_defined_names(path: Path) -> frozenset[str]:
    """The names that a module defines: functions, classes, constants, and methods as `Class.method`."""
    return frozenset(iter_defined_names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def iter_defined_names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    """The names that statements define, with a prefix."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + statement.name
        if isinstance(statement, ast.ClassDef):
            yield from iter_defined_names(statement.body, f"{prefix}{statement.name}.")
        if isinstance(statement, ast.Assign):
            yield from (prefix + target.id for target in statement.targets if isinstance(target, ast.Name))
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield prefix + statement.target.id


def find_code_references(text: str) -> set[tuple[str, str]]:
    """The files and names in a text; the name is empty if only a file is given."""
    return set(CODE_REFERENCE.findall(text))


def is_defined(path: str, name: str) -> bool:
    file = find_file(path)
    return file.is_file() and (not name or name in list_defined_names(file))


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_file_and_name_exists(text: str) -> None:
    references = find_code_references(text)
    assert sorted(f"{path}: {name}" for path, name in references if not is_defined(path, name)) == []


def test_the_references_are_found() -> None:
    assert len(find_code_references(PAGE)) > 200


def test_a_name_that_does_not_exist_is_detected() -> None:
    assert is_defined("store/store.py", "Store.apply")
    assert not is_defined("store/store.py", "Store.not_there")
    assert not is_defined("store/not_there.py", "")


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_folder_and_file_of_the_repository_exists(text: str) -> None:
    folders = "|".join(
        sorted(path.name for path in CHECKOUT_FOLDER.iterdir() if path.is_dir() and path.name[0] != ".")
    )
    # Without placeholders such as `data/<name>`.
    matches = re.findall(rf"(?<![\w./-])((?:{folders})/[\w./-]*+)(?!<|…)", text)
    paths = {match.rstrip(".") for match in matches}
    assert len(paths) > 10
    assert sorted(path for path in paths if not (CHECKOUT_FOLDER / path).exists()) == []


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_each_setting_exists(text: str) -> None:
    known = {f"WGIG_{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"WGIG_[A-Z_]+", text)) - known == set()


@pytest.mark.parametrize("title", WALK_TITLES)
def test_each_step_of_a_walk_names_one_function(title: str) -> None:
    steps = parse_rows(read_section(title))
    assert [number for number, *_ in steps] == [str(number) for number in range(1, len(steps) + 1)]
    for _, code, _ in steps:
        match = CODE_REFERENCE.fullmatch(code)
        assert match, code
        assert match[2], code


def test_the_packages_are_the_layers_of_import_linter_in_order() -> None:
    project = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    layers = [sorted(layer.split(" | ")) for layer in reversed(contract["layers"])]
    expected = [(str(number), f"`{name}`") for number, layer in enumerate(layers, 1) for name in layer]
    assert [(number, name) for number, name, _, _ in parse_rows(read_section("Packages"))] == expected


def test_the_diagram_has_each_package() -> None:
    diagram = read_section("Layers and processes").partition("```\n")[2].partition("```")[0]
    packages = {name.strip("`") for _, name, _, _ in parse_rows(read_section("Packages"))} - {"__main__"}
    assert packages - set(re.findall(r"\w+", diagram)) == set()
    assert max(map(len, diagram.splitlines())) <= 110


def test_the_middleware_is_that_of_the_app_in_its_order() -> None:
    listed = [CODE_REFERENCE.fullmatch(code) for code, _ in parse_rows(read_section("Middleware"))]
    middleware = create_app(make_service(Settings(), Store.in_memory())).user_middleware
    names = [getattr(entry.cls, "__name__", "") for entry in middleware]
    assert [match and match[2] for match in listed] == names


def test_each_projection_is_named() -> None:
    listed = {name for _, name in find_code_references(read_section("Projections"))}
    projection_classes = re.findall(r"\b([A-Z]\w+)\(store\b", getsource(projections.make_projections))
    graph_classes = set(re.findall(r"\b([A-Z]\w+)\(", getsource(projections.build_computed_graphs)))
    assert len(projection_classes) == len(fields(Projections))
    assert (graph_classes | {*projection_classes}) - {ComputedGraphs.__name__} - listed == set()
    # Each projection is used by a dependency of routes.
    dependencies_code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("dependencies.py"))
    assert set(re.findall(r"service\.projections\.(\w+)", dependencies_code)) == {
        field.name for field in fields(Projections)
    }


def test_each_listener_of_the_store_is_named() -> None:
    registration_pattern = re.compile(r"store\.(?:runner\.subscribe\(|on_external_write\.append|on_commit =)")
    files = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if registration_pattern.search(path.read_text(encoding="utf-8"))
    }
    assert len(files) >= 3
    assert files - {path for path, _ in find_code_references(read_section("Projections"))} == set()
    assert not registration_pattern.search(getsource(remote_store))  # so the page need not name it


@pytest.mark.parametrize("word", GLOSSARY_WORDS)
def test_the_glossary_has_each_concept(word: str) -> None:
    assert word in {name for cells in parse_rows(read_section("Glossary")) for name in cells[0].split(", ")}
