"""FAIR Signposting: typed links, by which programs find the parts of what a page is about.

The recipe (https://signposting.org/FAIR/): a landing page links to the persistent identifier (`cite-as`), the
types and the license of its subject, its authors, its content (`item`), its metadata (`describedby`) and the
collection that it belongs to. Content and metadata link back (`collection`, `describes`). The Link header has
these links (level 1), and the address of all of them as a link set (level 2, RFC 9264). Data at the address
of a page has the main links, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyoxigraph as ox

from ..http.language import StatementLike
from ..http.parameters import add_url_parameters
from ..rdf.formats import Format
from ..rdf.namespaces import RDF_TYPE, SCHEMA_NAMESPACE, expand_curie
from .schema_org import SCHEMA_CREATIVE_WORK, SCHEMA_THING, read_schema_tables

LINKSET_TEXT = Format("application/linkset", "linkset", "Link set", "", ("text/plain",))
LINKSET_JSON = Format("application/linkset+json", "json", "JSON", "", ("application/json",))
LINKSET_FORMATS = (LINKSET_JSON, LINKSET_TEXT)
LINKSET_PATH = "/linkset"
ABOUT_PAGE_IRI = f"{SCHEMA_NAMESPACE}AboutPage"
LANDING_AUTHOR_PROPERTIES = tuple(map(expand_curie, ("wgig:drafter", "dcterms:creator")))
LANDING_CONTENT_PROPERTIES = (expand_curie("foaf:page"),)
GENERAL_TYPES = {SCHEMA_THING, SCHEMA_CREATIVE_WORK}  # also of papers, which are reports
MAX_LINKS_OF_RELATION = 5  # of authors, or of content, in a Link header; the link set has all


class TypedLink(NamedTuple):
    """A link with its relation type, and with the media type and the profile of its target if known."""

    relation: str
    target: str
    media_type: str = ""
    profile: str = ""

    def serialize(self, anchor: str = "") -> str:
        """The link as a value of a Link header (RFC 8288), from `anchor` unless that is the page itself."""
        attributes = {"type": self.media_type, "profile": self.profile, "anchor": anchor}
        written = "".join(f'; {name}="{value}"' for name, value in attributes.items() if value)
        return f'<{self.target}>; rel="{self.relation}"{written}'


@dataclass(frozen=True)
class LandingPage:
    """What the typed links of a landing page say of its subject.

    `iri` is the persistent identifier, `types` are IRIs of classes in schema.org, `authors` are IRIs,
    `content` are links to content outside of this service, and `collection` is the path of the collection.
    """

    iri: str
    types: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    content: tuple[TypedLink, ...] = ()
    collection: str = ""


def describe_landing_page(
    iri: str, statements: Iterable[StatementLike], base: str, collection: str = ""
) -> LandingPage:
    """The landing page of a resource with these statements."""
    values: list[tuple[ox.NamedNode, str]] = [
        (statement.predicate, statement.object.value)
        for statement in statements
        if isinstance(statement.object, ox.NamedNode)
    ]
    types = list_schema_types([value for property_, value in values if property_ == RDF_TYPE], base)
    authors = sorted({value for property_, value in values if property_ in LANDING_AUTHOR_PROPERTIES})
    content = sorted({value for property_, value in values if property_ in LANDING_CONTENT_PROPERTIES})
    links = tuple(TypedLink("item", url) for url in content)
    return LandingPage(iri, types, tuple(authors), links, collection)


def list_schema_types(classes: Iterable[str], base: str) -> tuple[str, ...]:
    """The IRIs of the classes in schema.org for these classes, sorted; a general one only if it is alone."""
    schema_types = read_schema_tables(base).types
    types = {schema_types[node] for node in map(ox.NamedNode, classes) if node in schema_types}
    return tuple(sorted(type_.value for type_ in types - GENERAL_TYPES or types))


def iter_landing_links(page: LandingPage, max_links: int | None = None) -> Iterator[TypedLink]:
    """The links of a landing page, except to metadata and license; `max_links` of authors, and of content."""
    yield TypedLink("cite-as", page.iri)
    yield TypedLink("type", ABOUT_PAGE_IRI)
    yield from (TypedLink("type", type_) for type_ in page.types)
    yield from (TypedLink("author", author) for author in page.authors[:max_links])
    yield from page.content[:max_links]
    if page.collection:
        yield TypedLink("collection", page.collection)


def list_linkset_links(iri: str) -> list[str]:
    """The links to the link set of a landing page in each format, as values of a Link header."""
    return [
        TypedLink(
            "linkset",
            add_url_parameters(LINKSET_PATH, [("iri", iri), ("_mediatype", format_.media_type)]),
            format_.media_type,
        ).serialize()
        for format_ in LINKSET_FORMATS
    ]


def list_landing_header(page: LandingPage) -> list[str]:
    """The links of a landing page as values of a Link header."""
    links = [link.serialize() for link in iter_landing_links(page, MAX_LINKS_OF_RELATION)]
    return [*links, *list_linkset_links(page.iri)]


def list_data_header(page: LandingPage) -> list[str]:
    """The links of data at the address of a landing page, for clients that do not ask for a page.

    Those to authors and content are only in the link set, as reading them costs time.
    """
    links = iter_landing_links(replace(page, authors=(), content=()))
    shown = [link.serialize() for link in links if link.target != ABOUT_PAGE_IRI]
    return [*shown, *list_linkset_links(page.iri)]
