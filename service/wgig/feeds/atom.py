"""Feeds as Atom (RFC 4287), in pages (RFC 5005, section 3), which also tell what is gone (RFC 6721)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ..resources.alternates import CONTENT_LICENSE_IRI
from ..text import append_xml_element, serialize_xml_element

ATOM_FEED_NAMESPACE = "http://www.w3.org/2005/Atom"
TOMBSTONE_NAMESPACE = "http://purl.org/atompub/tombstones/1.0"
FEED_AUTHOR = "WGIG knowledge graph"
FEED_RIGHTS = "CC-BY-4.0"


class AtomEntry(NamedTuple):
    """An entry: its IRI, which stays, its title, when it last changed, and where a page on it is.

    `summary` says in words what it is about, `category` names its kind; without a title it is gone.
    """

    iri: str
    title: str
    updated: str
    page: str
    summary: str
    category: str


class AtomFeed(NamedTuple):
    """A page of a feed. `links` are the addresses of this page and those around it, by their relation."""

    iri: str
    title: str
    updated: str
    links: Mapping[str, str]
    entries: Iterable[AtomEntry]


def serialize_atom_feed(feed: AtomFeed) -> bytes:
    """The feed as XML."""
    root = ET.Element(
        "feed", {"xmlns": ATOM_FEED_NAMESPACE, "xmlns:at": TOMBSTONE_NAMESPACE, "xml:lang": "en"}
    )
    append_xml_element(root, "id", feed.iri)
    append_xml_element(root, "title", feed.title)
    append_xml_element(root, "updated", feed.updated)
    append_xml_element(append_xml_element(root, "author"), "name", FEED_AUTHOR)
    append_xml_element(root, "rights", FEED_RIGHTS)
    for relation, address in {**feed.links, "license": CONTENT_LICENSE_IRI}.items():
        append_xml_element(root, "link", rel=relation, href=address)
    for entry in feed.entries:
        (add_atom_entry if entry.title else add_tombstone)(root, entry)
    return serialize_xml_element(root)


def add_atom_entry(root: ET.Element, entry: AtomEntry) -> None:
    """What there is."""
    element = append_xml_element(root, "entry")
    append_xml_element(element, "id", entry.iri)
    append_xml_element(element, "title", entry.title)
    append_xml_element(element, "updated", entry.updated)
    append_xml_element(element, "link", rel="alternate", href=entry.page, type="text/html")
    append_xml_element(element, "category", term=entry.category)
    append_xml_element(element, "summary", entry.summary)


def add_tombstone(root: ET.Element, entry: AtomEntry) -> None:
    """What is there no more."""
    append_xml_element(root, "at:deleted-entry", ref=entry.iri, when=entry.updated)
