"""OpenSearch 1.1: how a browser or program searches here, and results as an Atom feed (RFC 4287)."""

from collections.abc import Iterator

from fastapi import Request, Response

from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..rdf.formats import ATOM, HTML, JSON, Format
from ..resources.atom import AtomEntry, AtomExtension, AtomFeed, AtomLink, serialize_atom_feed
from ..settings import SERVICE_TITLE
from ..text import append_xml_element, make_xml_element, serialize_xml_element
from .results import SearchHit, SearchResults

OPENSEARCH_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
OPENSEARCH_FORMAT = Format("application/opensearchdescription+xml", "xml", "OpenSearch")
SHORT_SERVICE_NAME = "WGIG"  # at most 16 characters
OPENSEARCH_LINK = (
    f'</opensearch.xml>; rel="search"; type="{OPENSEARCH_FORMAT.media_type}"; title="{SERVICE_TITLE}"'
)


def get_opensearch_description(request: Request) -> Response:
    """How to search here, for browsers and programs (OpenSearch 1.1)."""
    check_query_parameters(request)
    home = str(request.base_url)
    root = make_xml_element("OpenSearchDescription", xmlns=OPENSEARCH_NAMESPACE)
    for name, text in (
        ("ShortName", SHORT_SERVICE_NAME),
        ("LongName", SERVICE_TITLE),
        (
            "Description",
            "Issues, papers, people, meetings and texts of the Working Group on Internet Governance.",
        ),
        ("InputEncoding", "UTF-8"),
        ("OutputEncoding", "UTF-8"),
    ):
        append_xml_element(root, name, text)
    for format_ in (HTML, ATOM, JSON):
        # A browser would give the language of its menus.
        language = "" if format_ is HTML else "&lang={language?}"
        template = (
            f"{home}search?q={{searchTerms}}{language}&page={{startPage?}}&_mediatype={format_.media_type}"
        )
        append_xml_element(root, "Url", type=format_.media_type, template=template)
    append_xml_element(root, "Query", role="example", searchTerms="spam")
    return respond_with_body(request, serialize_xml_element(root), OPENSEARCH_FORMAT)


def serialize_search_feed(results: SearchResults, home: str, changed: str) -> bytes:
    """The results as an Atom feed with the elements of OpenSearch; `home` is the address of the service.

    The index was `changed` at that time, which is the age of all that is in the feed. Its texts are in
    several languages.
    """
    here = f"{home}search?{results.page_queries['first']}"
    pages = [
        AtomLink({"prev": "previous"}.get(name, name), f"{home}search.atom?{query}", ATOM.media_type)
        for name, query in results.page_queries.items()
    ]
    return serialize_atom_feed(
        AtomFeed(
            here if results.page == 1 else f"{here}&page={results.page}",
            f"{results.text} in the {SERVICE_TITLE}",
            changed,
            [*pages, AtomLink("search", f"{home}opensearch.xml", OPENSEARCH_FORMAT.media_type)],
            [build_hit_entry(one, home, changed) for one in results.hits],
            language="",
            is_licensed=False,
            extensions=[*iter_opensearch_extensions(results)],
            namespaces={"opensearch": OPENSEARCH_NAMESPACE},
        )
    )


def iter_opensearch_extensions(results: SearchResults) -> Iterator[AtomExtension]:
    """What OpenSearch adds to a feed of results."""
    yield AtomExtension("opensearch:totalResults", str(results.total), {})
    yield AtomExtension("opensearch:startIndex", str(results.start + 1), {})
    yield AtomExtension("opensearch:itemsPerPage", str(results.size), {})
    request = {"role": "request", "searchTerms": results.text, "startPage": str(results.page)}
    yield AtomExtension("opensearch:Query", None, request)
    if results.corrected_text:
        correction = {"role": "correction", "searchTerms": results.corrected_text}
        yield AtomExtension("opensearch:Query", None, correction)


def build_hit_entry(one: SearchHit, home: str, changed: str) -> AtomEntry:
    """A hit as an entry of the feed."""
    page = None
    if one.path:
        page = AtomLink("alternate", one.path if "://" in one.path else home + one.path.removeprefix("/"))
    return AtomEntry(one.iri, one.label, changed, page, str(one.marked_html), one.kind, has_html_summary=True)
