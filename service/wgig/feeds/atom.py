"""Feeds as Atom (RFC 4287), in pages (RFC 5005, section 3), which also tell what is gone (RFC 6721)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ..resources.alternates import LICENSE
from ..text import add_element, serialize_element

NAMESPACE = "http://www.w3.org/2005/Atom"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
AUTHOR = "WGIG knowledge graph"
RIGHTS = "CC-BY-4.0"


class Entry(NamedTuple):
    """An entry: its IRI, which stays, its title, when it last changed, and where a page on it is.

    `summary` says in words what it is about, `category` names its kind; without a title it is gone.
    """

    iri: str
    title: str
    updated: str
    page: str
    summary: str
    category: str


class Feed(NamedTuple):
    """A page of a feed. `links` are the addresses of this page and those around it, by their relation."""

    iri: str
    title: str
    updated: str
    links: Mapping[str, str]
    entries: Iterable[Entry]


def written(feed: Feed) -> bytes:
    """The feed as XML."""
    root = ET.Element("feed", {"xmlns": NAMESPACE, "xmlns:at": TOMBSTONES, "xml:lang": "en"})
    add_element(root, "id", feed.iri)
    add_element(root, "title", feed.title)
    add_element(root, "updated", feed.updated)
    add_element(add_element(root, "author"), "name", AUTHOR)
    add_element(root, "rights", RIGHTS)
    for relation, address in {**feed.links, "license": LICENSE}.items():
        add_element(root, "link", rel=relation, href=address)
    for entry in feed.entries:
        (add_entry if entry.title else add_gone)(root, entry)
    return serialize_element(root)


def add_entry(root: ET.Element, entry: Entry) -> None:
    """What there is."""
    element = add_element(root, "entry")
    add_element(element, "id", entry.iri)
    add_element(element, "title", entry.title)
    add_element(element, "updated", entry.updated)
    add_element(element, "link", rel="alternate", href=entry.page, type="text/html")
    add_element(element, "category", term=entry.category)
    add_element(element, "summary", entry.summary)


def add_gone(root: ET.Element, entry: Entry) -> None:
    """What is there no more."""
    add_element(root, "at:deleted-entry", ref=entry.iri, when=entry.updated)
