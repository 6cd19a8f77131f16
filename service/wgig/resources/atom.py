"""Atom feeds (RFC 4287), in pages (RFC 5005, section 3), with tombstones for deleted resources (RFC 6721)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..i18n import ENGLISH
from ..rdf.namespaces import LICENSE_IRI
from ..settings import SERVICE_TITLE
from ..text import append_xml_element, make_xml_element, serialize_xml_element

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ATOM_FEED_NAMESPACE = "http://www.w3.org/2005/Atom"
TOMBSTONE_NAMESPACE = "http://purl.org/atompub/tombstones/1.0"
FEED_RIGHTS = "CC-BY-4.0"


class AtomLink(NamedTuple):
    """A link: relation, URL, and media type of the target (empty if unknown)."""

    relation: str
    address: str
    media_type: str = ""


class AtomEntry(NamedTuple):
    """An entry: its permanent IRI, its title, the time of its last change, and the link to its page, if any.

    `summary` is plain text, or HTML if `has_html_summary`. `category` is the type of the resource, such as
    `issue`. Of a deleted entry (`is_deleted`), only the IRI and the time are written.
    """

    iri: str
    title: str
    updated: str
    page_link: AtomLink | None
    summary: str
    category: str
    has_html_summary: bool = False
    is_deleted: bool = False


class AtomExtension(NamedTuple):
    """An element of another namespace; its name includes the prefix."""

    name: str
    text: str | None
    attributes: Mapping[str, str]


class AtomFeed(NamedTuple):
    """A page of a feed. `links` lead to this page, the next and the previous one.

    `iri` identifies the whole feed, and is the same on each page. `language` is the language of the texts,
    empty if they are in several languages. If `is_licensed`, the feed states the license of this service.
    `subtitle` says what the feed is for, to those who open it without a feed reader; it may be empty.
    `namespaces` are the namespaces of the `extensions`, by prefix.
    """

    iri: str
    title: str
    updated: str
    links: Sequence[AtomLink]
    entries: Iterable[AtomEntry]
    language: str = ENGLISH
    is_licensed: bool = True
    subtitle: str = ""
    extensions: Sequence[AtomExtension] = ()
    namespaces: Mapping[str, str] = {}


def serialize_atom_feed(feed: AtomFeed) -> bytes:
    """The feed as XML."""
    namespace_attributes = {"xmlns:at": TOMBSTONE_NAMESPACE} | {
        f"xmlns:{prefix}": iri for prefix, iri in feed.namespaces.items()
    }
    language_attribute = {"xml:lang": feed.language} if feed.language else {}
    root = make_xml_element("feed", xmlns=ATOM_FEED_NAMESPACE, **namespace_attributes, **language_attribute)
    append_xml_element(root, "id", feed.iri)
    append_xml_element(root, "title", feed.title)
    if feed.subtitle:
        append_xml_element(root, "subtitle", feed.subtitle)
    append_xml_element(root, "updated", feed.updated)
    append_xml_element(append_xml_element(root, "author"), "name", SERVICE_TITLE)
    if feed.is_licensed:
        append_xml_element(root, "rights", FEED_RIGHTS)
    for link in [*feed.links, *([AtomLink("license", LICENSE_IRI)] if feed.is_licensed else [])]:
        append_atom_link(root, link)
    for extension in feed.extensions:
        append_xml_element(root, extension.name, extension.text, **extension.attributes)
    for entry in feed.entries:
        if entry.is_deleted:
            append_xml_element(root, "at:deleted-entry", ref=entry.iri, when=entry.updated)
        else:
            append_atom_entry(root, entry)
    return serialize_xml_element(root)


def append_atom_entry(root: "Element", entry: AtomEntry) -> None:
    """Append an entry to its feed."""
    element = append_xml_element(root, "entry")
    append_xml_element(element, "id", entry.iri)
    append_xml_element(element, "title", entry.title)
    append_xml_element(element, "updated", entry.updated)
    if entry.page_link:
        append_atom_link(element, entry.page_link)
    append_xml_element(element, "category", term=entry.category)
    append_xml_element(
        element, "summary", entry.summary, **({"type": "html"} if entry.has_html_summary else {})
    )


def append_atom_link(parent: "Element", link: AtomLink) -> None:
    """Append a link to a feed or an entry."""
    media_type = {"type": link.media_type} if link.media_type else {}
    append_xml_element(parent, "link", rel=link.relation, href=link.address, **media_type)
