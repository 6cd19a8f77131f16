"""OpenSearch 1.1: how a browser or program searches here, and results as an Atom feed (RFC 4287)."""

from xml.etree import ElementTree

from fastapi import Request, Response

from ..http.parameters import only
from ..http.responses import answer
from ..rdf.formats import ATOM, HTML, JSON, Format
from ..text import xml_text
from .results import Hit, Results

OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
DESCRIPTION = Format("application/opensearchdescription+xml", "xml", "OpenSearch")
NAME = "WGIG"  # at most 16 characters
LONG_NAME = "WGIG knowledge graph"
LINK = f'</opensearch.xml>; rel="search"; type="{DESCRIPTION.media_type}"; title="{LONG_NAME}"'


def description(request: Request) -> Response:
    """How to search here, for browsers and programs (OpenSearch 1.1)."""
    only(request)
    home = str(request.base_url)
    root = ElementTree.Element("OpenSearchDescription", {"xmlns": OPENSEARCH})
    for name, text in (
        ("ShortName", NAME),
        ("LongName", LONG_NAME),
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
    return answer(request, as_bytes(root), DESCRIPTION)


def feed(results: Results, home: str, changed: str) -> bytes:
    """The results as an Atom feed with the elements of OpenSearch; `home` is the address of the service.

    The index was `changed` at that time, which is the age of all that is in the feed.
    """
    root = ElementTree.Element("feed", {"xmlns": ATOM_NAMESPACE, "xmlns:opensearch": OPENSEARCH})
    here = f"{home}search?{results.around['first']}"
    add(root, "id", here if results.page == 1 else f"{here}&page={results.page}")
    add(root, "title", f"{results.text} in the {LONG_NAME}")
    add(root, "updated", changed)
    add(add(root, "author", ""), "name", LONG_NAME)
    for name, query in results.around.items():
        rel = {"prev": "previous"}.get(name, name)
        add(root, "link", "", rel=rel, type=ATOM.media_type, href=f"{home}search.atom?{query}")
    add(root, "link", "", rel="search", type=DESCRIPTION.media_type, href=f"{home}opensearch.xml")
    for name, number in (
        ("totalResults", results.total),
        ("startIndex", results.start + 1),
        ("itemsPerPage", results.size),
    ):
        add(root, f"opensearch:{name}", str(number))
    add(root, "opensearch:Query", "", role="request", searchTerms=results.text, startPage=str(results.page))
    if results.meant:
        add(root, "opensearch:Query", "", role="correction", searchTerms=results.meant)
    for one in results.hits:
        root.append(entry(one, home, changed))
    return as_bytes(root)


def entry(one: Hit, home: str, changed: str) -> ElementTree.Element:
    """A hit as an entry of the feed."""
    found = ElementTree.Element("entry")
    add(found, "id", one.iri)
    add(found, "title", one.label)
    add(found, "updated", changed)
    if one.path:
        path = one.path if "://" in one.path else home + one.path.removeprefix("/")
        add(found, "link", "", rel="alternate", href=path)
    add(found, "category", "", term=one.kind)
    add(found, "summary", str(one.marked), type="html")
    return found


def add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> ElementTree.Element:
    """An element that is put into another one."""
    given = {key: xml_text(value) for key, value in attributes.items()}
    found = ElementTree.SubElement(parent, name, given)
    found.text = xml_text(text) or None
    return found


def as_bytes(root: ElementTree.Element) -> bytes:
    """The document as UTF-8."""
    found: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return found
