"""The docs site builds strictly, has all content of every page, and nothing that a strict CSP refuses."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wgig
import wgig_client
from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from wgig.settings import CHECKOUT_FOLDER

from docs.site import stamp
from docs.site.build import build_site
from docs.site.checks import MAX_SITE_BYTES, iter_site_faults
from docs.site.pages import (
    SiteError,
    find_site_path,
    indent_lists,
    iter_page_sources,
    read_nav,
    rewrite_links,
)
from tests.docs.blocks import DOCS

MARKDOWN = MarkdownIt("commonmark").enable("table")
SOURCES = [source for source in iter_page_sources(CHECKOUT_FOLDER) if source.endswith(".md")]
KINDS = ["Start", "Tutorials", "How-to guides", "Reference", "Explanation", "Benchmarks", "Project"]


def read_built_page(site: Path, source: str) -> BeautifulSoup:
    """A page of the site, by the path of its source."""
    path = site / Path(find_site_path(source)).with_suffix(".html")
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def count_source_elements(text: str) -> Counter[str]:
    """The elements of a page that CommonMark sees."""
    names = {
        "list_item_open": "li",
        "fence": "pre",
        "code_block": "pre",
        "tr_open": "tr",
        "heading_open": "h",
    }
    inline = {"link_open": "a", "image": "img", "code_inline": "code", "strong_open": "b", "em_open": "b"}
    tokens = MARKDOWN.parse(text)
    children = [child for token in tokens for child in token.children or []]
    return Counter(
        [names[token.type] for token in tokens if token.type in names]
        + [inline[child.type] for child in children if child.type in inline]
    )


def count_built_elements(article: Tag) -> Counter[str]:
    """The same elements in a page of the site."""
    selectors = {"li": "li", "pre": "pre", "tr": "tr", "h": "h1, h2, h3, h4, h5, h6", "img": "img"}
    selectors |= {"a": "a[href]:not(.headerlink)", "code": ":not(pre) > code", "b": "strong, em"}
    return Counter({name: len(article.select(selector)) for name, selector in selectors.items()})


@pytest.mark.parametrize(
    "source", [source for source in SOURCES if not source.endswith("reference/python.md")]
)
def test_each_page_has_all_content_of_its_source(docs_site: Path, source: str) -> None:
    article = read_built_page(docs_site, source).select_one("article")
    assert article
    text = (CHECKOUT_FOLDER / source).read_text(encoding="utf-8")
    assert +count_built_elements(article) == count_source_elements(text)


def test_the_site_has_no_fault(docs_site: Path) -> None:
    assert [*iter_site_faults(docs_site)] == []
    assert sum(1 for _ in docs_site.rglob("*.html")) == len(SOURCES) + 1  # and the notebook
    assert sum(path.stat().st_size for path in docs_site.rglob("*") if path.is_file()) < MAX_SITE_BYTES


def test_the_navigation_has_the_four_kinds_and_every_page(docs_site: Path) -> None:
    page = read_built_page(docs_site, "README.md")
    assert [link.get_text(strip=True) for link in page.select(".md-tabs__link")] == KINDS
    targets = {str(link["href"]) for link in page.select(".md-nav--primary a[href]")}
    pages = {path.relative_to(docs_site).as_posix() for path in docs_site.rglob("*.html")}
    assert {target.removeprefix("./") for target in targets} >= pages


def test_navigation_names_exist_in_the_index() -> None:
    nav = read_nav((DOCS / "README.md").read_text(encoding="utf-8"))
    assert [name for section in nav for name in section] == KINDS


def test_the_notebook_is_a_page_with_its_outputs(docs_site: Path) -> None:
    page = read_built_page(docs_site, "docs/tutorials/questions.ipynb")
    cells = json.loads((DOCS / "tutorials" / "questions.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    tables = [output for output in outputs if "text/html" in output.get("data", {})]
    assert len(page.select(".cell-output table")) == len(tables) > 5
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(page.select("article pre")) == len(code) + len(outputs) - len(tables)
    assert page.select('a[href="questions.ipynb"]')
    assert (docs_site / "tutorials" / "questions.ipynb").is_file()


def test_figures_of_the_benchmarks_are_on_the_site(docs_site: Path) -> None:
    figures = {path.name for path in (DOCS / "benchmarks" / "figures").iterdir()}
    assert {path.name for path in (docs_site / "benchmarks" / "figures").iterdir()} == figures
    page = read_built_page(docs_site, "docs/benchmarks/serving.md")
    assert page.select('article img[src^="figures/"]')


@pytest.mark.parametrize("name", [*wgig_client.PUBLIC_NAMES])
def test_each_public_name_of_the_client_is_in_the_built_reference(docs_site: Path, name: str) -> None:
    page = read_built_page(docs_site, "docs/reference/python.md")
    module = getattr(wgig, name).__module__
    heading = page.find(id=f"{module}.{name}")
    assert isinstance(heading, Tag)
    section = heading.find_parent(class_="doc-object")
    assert isinstance(section, Tag)
    assert section.select(".doc-contents p")  # the docstring


def test_each_public_method_of_the_graph_is_in_the_built_reference(docs_site: Path) -> None:
    page = read_built_page(docs_site, "docs/reference/python.md")
    methods = [
        name
        for name in vars(wgig.GraphClient)
        if not name.startswith("_") and callable(getattr(wgig.GraphClient, name))
    ]
    assert len(methods) > 5
    prefix = f"{wgig.GraphClient.__module__}.GraphClient"
    assert [name for name in methods if not page.find(id=f"{prefix}.{name}")] == []


def test_the_search_index_has_sections_of_every_page(docs_site: Path) -> None:
    items = json.loads((docs_site / "search.json").read_text(encoding="utf-8"))["items"]
    pages = {item["location"].partition("#")[0] for item in items}
    assert pages == {path.relative_to(docs_site).as_posix() for path in docs_site.rglob("*.html")}
    texts = [item["text"] for item in items if item["location"].startswith("reference/settings.html")]
    assert any("WGIG_RATE_REQUESTS" in text for text in texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# A page\n\n[A link](missing.md)\n", "docs/how-to/page.md links to missing.md"),
        ("# A page\n\n[A link](../../pyproject.toml)\n", "links to ../../pyproject.toml"),
        ("# A page\n\n[A link](#missing)\n", "anchor"),
        ("# A page\n\n[A link](../../README.md#missing)\n", "anchor"),
        ('# A page\n\n<p style="color: red">Text</p>\n', "how-to/page.html: <p> has style"),
        ("# A page\n\n<script>alert(1)</script>\n\n![](https://example.org/a.png)\n", "<img> loads"),
        ("# A page\n\n::: wgig_client.missing\n", "wgig_client.missing"),
    ],
)
def test_a_fault_of_a_page_ends_the_build(
    small_project: Callable[[str], Path], text: str, message: str
) -> None:
    with pytest.raises(SiteError) as error:
        build_site(small_project(text))
    assert message in str(error.value)


def test_a_page_without_a_fault_is_built(small_project: Callable[[str], Path]) -> None:
    root = small_project("# A page\n\n## Äpfel & Birnen, `x`\n\n[A link](#äpfel--birnen-x)\n")
    site = build_site(root)
    assert (site / "how-to" / "page.html").is_file()
    assert not stamp.is_site_current(root)  # until it is installed in the package


def iter_links(text: str) -> Iterator[str]:
    """The links of a rewritten page."""
    for token in MARKDOWN.parse(text):
        yield from (str(child.attrGet("href")) for child in token.children or [] if child.type == "link_open")


def test_links_lead_to_pages_of_the_site() -> None:
    text = "[a](docs/README.md) [b](docs/how-to/checking.md#waivers) [c](https://example.org/) [d](#here)"
    assert [*iter_links(rewrite_links(text, "README.md", CHECKOUT_FOLDER))] == [
        "contents.md",
        "how-to/checking.md#waivers",
        "https://example.org/",
        "#here",
    ]
    text = (
        "[a](../../README.md#settings) [b](../tutorials/questions.ipynb) `[c](d.md)`\n\n```\n[e](f.md)\n```\n"
    )
    rewritten = rewrite_links(text, "docs/how-to/checking.md", CHECKOUT_FOLDER)
    assert [*iter_links(rewritten)] == ["../index.md#settings", "../tutorials/questions.md"]
    assert "`[c](d.md)`" in rewritten
    assert "[e](f.md)" in rewritten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Text:\n- a\n  b\n", "Text:\n\n- a\n    b\n"),
        (
            "1. a\n\n   ```\n   x\n     y\n   ```\n2. b\n",
            "1. a\n\n    ```\n    x\n      y\n    ```\n\n2. b\n",
        ),
        ("- a\n  - b\n    c\n- d\n", "- a\n    - b\n        c\n- d\n"),
        ("Text\n\n```\n- no list\n  b\n```\n", "Text\n\n```\n- no list\n  b\n```\n"),
    ],
)
def test_lists_are_indented_for_python_markdown(text: str, expected: str) -> None:
    assert indent_lists(text) == expected
