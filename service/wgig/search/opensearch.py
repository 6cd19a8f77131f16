"""OpenSearch 1.1: how a browser or program searches here, and results as an Atom feed (RFC 4287)."""

from xml.etree import ElementTree

from fastapi import Request, Response

from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..rdf.formats import ATOM, HTML, JSON, Format
from ..text import clean_xml_text
from .results import SearchHit, SearchResults

OPENSEARCH_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
OPENSEARCH_FORMAT = Format("application/opensearchdescription+xml", "xml", "OpenSearch")
SHORT_SERVICE_NAME = "WGIG"  # at most 16 characters
LONG_SERVICE_NAME = "WGIG knowledge graph"
OPENSEARCH_LINK = (
    f'</opensearch.xml>; rel="search"; type="{OPENSEARCH_FORMAT.media_type}"; title="{LONG_SERVICE_NAME}"'
)


def get_opensearch_description(request: Request) -> Response:
    """How to search here, for browsers and programs (OpenSearch 1.1)."""
    check_query_parameters(request)
    home = str(request.base_url)
    root = ElementTree.Element("OpenSearchDescription", {"xmlns": OPENSEARCH_NAMESPACE})
    for name, text in (
        ("ShortName", SHORT_SERVICE_NAME),
        ("LongName", LONG_SERVICE_NAME),
        (
            "Description",
            "Issues, papers, people, meetings and texts of the Working Group on Internet Governance.",
        ),
        ("InputEncoding", "UTF-8"),
        ("OutputEncoding", "UTF-8"),
    ):
        ElementTree.SubElement(root, name).text = text
    for format_ in (HTML, ATOM, JSON):
        # A browser would give the language of its menus.
        language = "" if format_ is HTML else "&lang={language?}"
        template = (
            f"{home}search?q={{searchTerms}}{language}&page={{startPage?}}&_mediatype={format_.media_type}"
        )
        ElementTree.SubElement(root, "Url", {"type": format_.media_type, "template": template})
    ElementTree.SubElement(root, "Query", {"role": "example", "searchTerms": "spam"})
    return respond_with_body(request, serialize_xml_document(root), OPENSEARCH_FORMAT)


def serialize_search_feed(results: SearchResults, home: str, changed: str) -> bytes:
    """The results as an Atom feed with the elements of OpenSearch; `home` is the address of the service.

    The index was `changed` at that time, which is the age of all that is in the feed.
    """
    root = ElementTree.Element("feed", {"xmlns": ATOM_NAMESPACE, "xmlns:opensearch": OPENSEARCH_NAMESPACE})
    here = f"{home}search?{results.page_queries['first']}"
    add_feed_element(root, "id", here if results.page == 1 else f"{here}&page={results.page}")
    add_feed_element(root, "title", f"{results.text} in the {LONG_SERVICE_NAME}")
    add_feed_element(root, "updated", changed)
    add_feed_element(add_feed_element(root, "author", ""), "name", LONG_SERVICE_NAME)
    for name, query in results.page_queries.items():
        rel = {"prev": "previous"}.get(name, name)
        add_feed_element(root, "link", "", rel=rel, type=ATOM.media_type, href=f"{home}search.atom?{query}")
    add_feed_element(
        root, "link", "", rel="search", type=OPENSEARCH_FORMAT.media_type, href=f"{home}opensearch.xml"
    )
    for name, number in (
        ("totalResults", results.total),
        ("startIndex", results.start + 1),
        ("itemsPerPage", results.size),
    ):
        add_feed_element(root, f"opensearch:{name}", str(number))
    add_feed_element(
        root, "opensearch:Query", "", role="request", searchTerms=results.text, startPage=str(results.page)
    )
    if results.corrected_text:
        add_feed_element(root, "opensearch:Query", "", role="correction", searchTerms=results.corrected_text)
    for one in results.hits:
        root.append(build_hit_entry(one, home, changed))
    return serialize_xml_document(root)


def build_hit_entry(one: SearchHit, home: str, changed: str) -> ElementTree.Element:
    """A hit as an entry of the feed."""
    found = ElementTree.Element("entry")
    add_feed_element(found, "id", one.iri)
    add_feed_element(found, "title", one.label)
    add_feed_element(found, "updated", changed)
    if one.path:
        path = one.path if "://" in one.path else home + one.path.removeprefix("/")
        add_feed_element(found, "link", "", rel="alternate", href=path)
    add_feed_element(found, "category", "", term=one.kind)
    add_feed_element(found, "summary", str(one.marked_html), type="html")
    return found


def add_feed_element(
    parent: ElementTree.Element, name: str, text: str, **attributes: str
) -> ElementTree.Element:
    """An element that is put into another one."""
    given = {key: clean_xml_text(value) for key, value in attributes.items()}
    found = ElementTree.SubElement(parent, name, given)
    found.text = clean_xml_text(text) or None
    return found


def serialize_xml_document(root: ElementTree.Element) -> bytes:
    """The document as UTF-8."""
    found: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return found
