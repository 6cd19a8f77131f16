"""A reader who only clicks: the visible text of HTML pages, and their links by text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag

import httpx2

INVISIBLE_TAGS = frozenset({"script", "style", "template", "head"})
VOID_TAGS = frozenset({"br", "hr", "img", "input", "link", "meta", "rect", "line", "wbr"})


@dataclass
class Element:
    """An element, such as a link, a cell or a list item: its visible text, and the links in it."""

    tag: str
    target: str = ""  # of a link
    title: str = ""
    classes: tuple[str, ...] = ()
    texts: list[str] = field(default_factory=list)
    links: list["Element"] = field(default_factory=list)
    is_invisible: bool = False

    @property
    def text(self) -> str:
        """The visible text on one line."""
        return " ".join("".join(self.texts).split())


class ParsedPage(HTMLParser):
    """A page: its elements, its visible text, and the rows of its tables."""

    def __init__(self, path: str, source: str) -> None:
        super().__init__()
        self.path = path
        self.body = Element("body")
        self.elements: list[Element] = []
        self.tables: list[list[list[Element]]] = []
        self.open_elements: list[Element] = [self.body]
        self.invisible_depth = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag in VOID_TAGS:
            return
        attributes = dict(attrs)
        is_invisible = tag in INVISIBLE_TAGS or "hidden" in attributes
        self.invisible_depth += is_invisible
        classes = tuple((attributes.get("class") or "").split())
        target, title = attributes.get("href") or "", attributes.get("title") or ""
        element = Element(tag, target, title, classes, is_invisible=is_invisible)
        if tag == "a":
            for ancestor in self.open_elements:
                ancestor.links.append(element)
        self.open_elements.append(element)
        self.elements.append(element)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append(element)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if tag in VOID_TAGS:
            return
        if tag == "li":  # begins on a line of its own
            self.handle_data(" ")
        element = self.open_elements.pop()
        assert element.tag == tag
        self.invisible_depth -= element.is_invisible

    def handle_data(self, data: str) -> None:
        """Add a text to all open elements."""
        if not self.invisible_depth:
            for element in self.open_elements:
                element.texts.append(data)

    def find_table(self, caption: str = "") -> list[dict[str, Element]]:
        """The rows of the only table whose caption contains `caption`: cells by the head of their column.

        A head that is a shorter name has the whole name in the title of its link. The title of a link that
        sorts is a description instead. A head of several columns stands for their heads, in the second row.
        """
        captions = [element.text for element in self.elements if element.tag == "caption"]
        (rows,) = (rows for rows, text in zip(self.tables, captions, strict=True) if caption in text)
        is_grouped = any("group" in cell.classes for cell in rows[0])
        cells = [head for cell in rows[0] for head in (rows[1] if "group" in cell.classes else [cell])]
        heads = [
            next((link.title for link in cell.links if link.title and "sort" not in link.classes), cell.text)
            for cell in cells
        ]
        return [dict(zip(heads, row, strict=False)) for row in rows[1 + is_grouped :]]

    def find_link_target(self, text: str) -> str:
        """The target of the links with a text; they must all have the same one."""
        targets = {link.target for link in self.body.links if link.text == text}
        assert len(targets) == 1, f"On {self.path} {text!r} links to {targets or 'nothing'}."
        return urldefrag(targets.pop()).url


def read_list_rows(page: ParsedPage, service: httpx2.Client, caption: str = "") -> list[dict[str, Element]]:
    """The rows of a list: those of its first page, and of the pages that follow it."""
    rows = page.find_table(caption)
    while any(link.text == "Next page" for link in page.body.links):
        page = open_page(service, page.find_link_target("Next page"))
        rows += page.find_table(caption)
    return rows


def open_page(service: httpx2.Client, path: str) -> ParsedPage:
    """The page at a path."""
    response = service.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200, path
    return ParsedPage(path, response.text)


def follow_path(service: httpx2.Client, link_texts: list[str]) -> ParsedPage:
    """The page that is reached from the home page by links with these texts."""
    page = open_page(service, "/")
    for text in link_texts:
        page = open_page(service, page.find_link_target(text))
    return page
