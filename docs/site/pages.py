"""The pages of the docs site: the Markdown of this project, as Zensical needs it.

The sources are written for GitHub and GitLab (CommonMark). Zensical parses Markdown with Python-Markdown,
which indents the content of list items by four columns, and needs a blank line before a list. Zensical and
mkdocs have no plugin for that, and nbconvert, for notebooks, installs 30 packages and writes inline styles.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt

from .stamp import ICON, ROOT_PAGES

DOCS = "docs"
BUILDER = "docs/site"  # not part of the site
CONTENTS = "contents.md"
CODE_OR_LINK_PATTERN = re.compile(
    r"(?P<code>^ *(?P<fence>`{3,}).*?^ *(?P=fence) *$|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<start>\]\()(?P<target>[^)\s]+)(?P<end>\))",
    re.MULTILINE | re.DOTALL,
)
ABSOLUTE_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*:|#|//")
STYLE_PATTERN = re.compile(r"<style.*?</style>\s*| style=\"[^\"]*\"| border=\"[^\"]*\"", re.DOTALL)
LIST_INDENT = 4
NavEntry = dict[str, str | list[dict[str, str]]]


class SiteError(Exception):
    """The site cannot be built; the message says which page is wrong, and how."""


def find_site_path(source: str) -> str:
    """The path of a page or file on the site, by its path in the checkout; empty if it is not on the site."""
    if source in ROOT_PAGES:
        return "index.md" if source == "README.md" else source.lower()
    if source == f"{DOCS}/README.md":
        return CONTENTS
    if not source.startswith(f"{DOCS}/") or source.startswith(f"{BUILDER}/"):
        return ""
    path = source.removeprefix(f"{DOCS}/")
    return re.sub(r"\.ipynb$", ".md", re.sub(r"(^|/)README\.md$", r"\1index.md", path))


def rewrite_links(text: str, source: str, root: Path) -> str:
    """The text of a page with links to the paths of the site. Raises SiteError for one to another file."""

    def rewrite(match: re.Match[str]) -> str:
        if match["code"] or ABSOLUTE_PATTERN.match(match["target"]):
            return match[0]
        file, mark, anchor = match["target"].partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(source), unquote(file)))  # noqa: PTH118, PTH120
        path = find_site_path(target)
        if not path or not (root / target).is_file():
            raise SiteError(f"{source} links to {match['target']}, which is not on the site.")
        start = os.path.dirname(find_site_path(source)) or "."  # noqa: PTH120
        return f"{match['start']}{os.path.relpath(path, start)}{mark}{anchor}{match['end']}"

    return CODE_OR_LINK_PATTERN.sub(rewrite, text)


def indent_lists(text: str) -> str:
    """The text as Python-Markdown reads it: content of list items at four columns, blank lines before lists.

    If an item of a list contains a blank line, the next item needs one before it, too.
    """
    lines = text.splitlines()
    depths, widths = [0] * len(lines), [0] * len(lines)  # levels of lists, and columns that they take
    item_starts, starts_after_blank = set(), set()
    is_loose: dict[int, bool] = {}  # by the level of a list: whether a blank line is in it
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if not token.map:
            continue
        first, end = token.map
        if token.type in ("bullet_list_open", "ordered_list_open"):
            is_loose[token.level] = not all(line.strip() for line in lines[first:end])
            if not depths[first]:
                starts_after_blank.add(first)
        if token.type == "list_item_open":
            if is_loose[token.level - 1]:
                starts_after_blank.add(first)
            marker = re.match(r"\s*(?:[-*+]|\d+[.)])\s+", lines[first])
            width = len(marker[0]) if marker else 0
            item_starts.add(first)
            for number in range(first, end):
                depths[number] += 1
                widths[number] = width
    indented = []
    for number, line in enumerate(lines):
        if number in starts_after_blank and number and lines[number - 1].strip():
            indented.append("")
        if not depths[number] or not line.strip():
            indented.append(line)
        elif number in item_starts:
            indented.append(" " * LIST_INDENT * (depths[number] - 1) + line.lstrip())
        else:
            content = line[min(widths[number], len(line) - len(line.lstrip())) :]
            indented.append(" " * LIST_INDENT * depths[number] + content)
    return "\n".join(indented) + "\n"


def convert_notebook(notebook: dict[str, Any], file_name: str) -> str:
    """A notebook as Markdown: its texts, its code, and the outputs that it contains."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts.extend(convert_output(output) for output in cell.get("outputs", []))
    title, *rest = parts
    note = f"This is a notebook with its results. To run it, open [{file_name}]({file_name}) in Jupyter."
    return "\n\n".join([title, note, *rest]) + "\n"


def convert_output(output: dict[str, Any]) -> str:
    """An output of a cell: a table as HTML without styles, or a text."""
    data = output.get("data", {})
    if "text/html" in data:
        return f'<div class="cell-output">\n{STYLE_PATTERN.sub("", "".join(data["text/html"]))}\n</div>'
    text = "".join(output.get("text") or data["text/plain"])
    return f"```text\n{text.rstrip()}\n```"


def read_nav(index: str) -> list[NavEntry]:
    """The navigation of the site: the sections and pages of docs/README.md, in their order."""
    nav: list[NavEntry] = [{"Start": [{"Overview": "index.md"}, {"All pages": CONTENTS}]}]
    for heading, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", index, re.MULTILINE | re.DOTALL):
        titles = re.findall(r"\[([^]]+)\]\(([^)#]+)\)", f"{heading}\n{section}")
        name = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).partition(":")[0]
        pages = [{title: find_site_path(os.path.normpath(f"{DOCS}/{path}"))} for title, path in titles]
        nav.append({name: pages})
    return nav


def iter_page_sources(root: Path) -> Iterator[str]:
    """The path of each page and file of the site, in the checkout."""
    yield from ROOT_PAGES
    for path in sorted((root / DOCS).rglob("*")):
        source = path.relative_to(root).as_posix()
        if path.is_file() and find_site_path(source) and "__pycache__" not in path.parts:
            yield source


def write_pages(root: Path, folder: Path) -> None:
    """Write all pages and files of the site into a folder. Raises SiteError."""
    for source in iter_page_sources(root):
        target = folder / find_site_path(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            text = (root / source).read_text(encoding="utf-8")
            target.write_text(indent_lists(rewrite_links(text, source, root)), encoding="utf-8")
            continue
        if source.endswith(".ipynb"):
            notebook = json.loads((root / source).read_text(encoding="utf-8"))
            target.write_text(convert_notebook(notebook, Path(source).name), encoding="utf-8")
        shutil.copy(root / source, target.parent)
    (folder / "assets").mkdir()
    shutil.copy(root / ICON, folder / "assets")
    for name in ("docs.css", "docs.js"):
        shutil.copy(root / BUILDER / name, folder / "assets")
