"""What each page of the built docs site must be: whole links, and nothing that a strict CSP refuses.

Zensical checks the links of the Markdown; these checks also see what the theme and the docstrings add.
"""

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

MAX_SITE_BYTES = 8 * 1024 * 1024  # the wheel contains the site
LOADING_ATTRIBUTES = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
ROOT_LINK = "/"  # to the home page of the service
ABSOLUTE_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*:|//")


class PageParser(HTMLParser):
    """Collects the anchors and links of a page, and what a strict CSP refuses."""

    def __init__(self) -> None:
        """Start without any."""
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag."""
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        self.faults.extend(
            f"<{tag}> has {name}" for name in attributes if name == "style" or name.startswith("on")
        )
        is_inline = "src" not in attributes and attributes.get("type") != "application/json"
        if tag == "style" or (tag == "script" and is_inline):
            self.faults.append(f"inline <{tag}>")
        address = attributes.get(LOADING_ATTRIBUTES.get(tag, "href" if tag == "a" else ""), "")
        if tag != "a" and ABSOLUTE_PATTERN.match(address):
            self.faults.append(f"<{tag}> loads {address}")
        elif address and not ABSOLUTE_PATTERN.match(address):
            self.links.append(address)


def parse_built_page(path: Path) -> PageParser:
    """The anchors, links and faults of a page."""
    parser = PageParser()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def iter_site_faults(site: Path) -> Iterator[str]:
    """A sentence for each fault of the site."""
    pages = {path: parse_built_page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        yield from (f"{name}: {fault}" for fault in page.faults)
        for link in page.links:
            file, _, anchor = unquote(link).partition("#")
            target = Path(os.path.normpath(path.parent / file)) if file else path
            if link == ROOT_LINK:
                continue
            if not target.is_relative_to(site) or not target.is_file():
                yield f"{name}: {link} leads to no file"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{name}: {link} leads to no anchor"
    for path in sorted(site.rglob("*.css")):
        for address in re.findall(r"url\(['\"]?((?:https?:)?//[^)'\"]+)", path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site).as_posix()}: loads {address}"
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    if size > MAX_SITE_BYTES:
        yield f"the site has {size} bytes, and may have {MAX_SITE_BYTES}"
