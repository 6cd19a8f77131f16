"""Somebody who clicks: what is written on a page of a service, and where its links lead by their texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag

import httpx

UNSEEN = frozenset({"script", "style", "template", "head"})
EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta", "rect", "line", "wbr"})


@dataclass
class Piece:
    """An element, such as a link, a cell or an item of a list: what is written in it, and the links in it."""

    tag: str
    target: str = ""
    classes: tuple[str, ...] = ()
    written: list[str] = field(default_factory=list)
    links: list["Piece"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is written in it, in one line."""
        return " ".join("".join(self.written).split())


class Page(HTMLParser):
    """A page as it is read: its text, its pieces, and the rows of each of its tables by their heads."""

    def __init__(self, path: str, source: str) -> None:
        super().__init__()
        self.path = path
        self.whole = Piece("body")
        self.pieces: list[Piece] = []
        self.tables: list[list[list[Piece]]] = []
        self.open: list[Piece] = [self.whole]
        self.unseen = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a piece."""
        self.unseen += tag in UNSEEN
        if tag in EMPTY:
            return
        given = dict(attrs)
        piece = Piece(tag, given.get("href") or "", tuple((given.get("class") or "").split()))
        if tag == "a":
            for around in self.open:
                around.links.append(piece)
        self.open.append(piece)
        self.pieces.append(piece)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append(piece)

    def handle_endtag(self, tag: str) -> None:
        """Close a piece."""
        self.unseen -= tag in UNSEEN
        if tag not in EMPTY:
            assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Write into all pieces that are open."""
        if not self.unseen:
            for piece in self.open:
                piece.written.append(data)

    def table(self, caption: str = "") -> list[dict[str, Piece]]:
        """The rows of the one table in which the caption stands, by what the heads of its columns say."""
        captions = [one.text for one in self.pieces if one.tag == "caption"]
        (found,) = (rows for rows, said in zip(self.tables, captions, strict=True) if caption in said)
        heads = [one.text for one in found[0]]
        return [dict(zip(heads, row, strict=False)) for row in found[1:]]

    def link(self, text: str) -> str:
        """Where the links lead on which that is written; a person can tell where only if it is one place."""
        targets = {one.target for one in self.whole.links if one.text == text}
        assert len(targets) == 1, f"On {self.path} {text!r} leads to {targets or 'nowhere'}."
        return urldefrag(targets.pop()).url


def opened(service: httpx.Client, path: str) -> Page:
    """The page at a path."""
    answer = service.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, path
    return Page(path, answer.text)


def walked(service: httpx.Client, way: list[str]) -> Page:
    """The last page of a way that begins at the home page, whose steps are what is written on links."""
    page = opened(service, "/")
    for text in way:
        page = opened(service, page.link(text))
    return page
