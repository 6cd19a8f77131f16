"""Every link of a page leads to a file and a heading that exist, and the index lists every page."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import DOCS

PAGES = sorted([*CHECKOUT_FOLDER.glob("*.md"), *DOCS.rglob("*.md")])
MARKDOWN = MarkdownIt("commonmark").enable("table")
# Files whose comments refer to pages.
FILES_WITH_COMMENTS = [
    CHECKOUT_FOLDER / "action.yml",
    CHECKOUT_FOLDER / ".pre-commit-hooks.yaml",
    *(path for path in sorted((CHECKOUT_FOLDER / "deploy").rglob("*")) if path.is_file()),
]


def relative_path(path: Path) -> str:
    """The path of a file below the checkout."""
    return path.relative_to(CHECKOUT_FOLDER).as_posix()


@cache
def parse_page(path: Path) -> list[Token]:
    """The tokens of a page."""
    return MARKDOWN.parse(path.read_text(encoding="utf-8"))


def iter_relative_links(path: Path) -> Iterator[tuple[str, str]]:
    """The file and the anchor of each link or picture that is relative; either may be empty."""
    for block in parse_page(path):
        for token in block.children or []:
            target = token.attrGet("href") or token.attrGet("src")
            if target and not re.match(r"[a-z][a-z+.-]*:", str(target)):
                file, _, anchor = unquote(str(target)).partition("#")
                yield file, anchor


@cache
def list_anchors(path: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub and GitLab generate them."""
    repetitions: dict[str, int] = {}
    for opening, heading in pairwise(parse_page(path)):
        if opening.type == "heading_open":
            text = "".join(token.content for token in heading.children or [])
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            number = repetitions[anchor] = repetitions.get(anchor, -1) + 1
            if number:
                repetitions[f"{anchor}-{number}"] = 0
    return set(repetitions)


@pytest.mark.parametrize("path", PAGES, ids=relative_path)
def test_each_relative_link_has_an_existing_file_and_heading(path: Path) -> None:
    for file, anchor in iter_relative_links(path):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path}: {file}"
        assert target.is_relative_to(CHECKOUT_FOLDER), f"{path}: {file}"
        assert not anchor or anchor in list_anchors(target), f"{path}: {file}#{anchor}"


def test_links_are_found() -> None:
    assert sum(1 for path in PAGES for _ in iter_relative_links(path)) > 100


def test_the_index_lists_every_page() -> None:
    listed = {(DOCS / file).resolve() for file, _ in iter_relative_links(DOCS / "README.md")}
    pages = {*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")} - {DOCS / "README.md"}
    assert sorted(map(relative_path, pages - listed)) == []


@pytest.mark.parametrize("path", FILES_WITH_COMMENTS, ids=relative_path)
def test_each_page_in_a_comment_exists(path: Path) -> None:
    for page in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text(encoding="utf-8")):
        assert (CHECKOUT_FOLDER / page).exists(), page
