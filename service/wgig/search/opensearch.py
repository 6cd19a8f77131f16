"""OpenSearch 1.1: the description document of /search, and search results as Atom (RFC 4287)."""

from collections.abc import Iterator

from fastapi import Request, Response

from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..rdf.formats import ATOM, HTML, JSON, Format
from ..resources.atom import AtomEntry, AtomExtension, AtomFeed, AtomLink, serialize_atom_feed
from ..settings import SERVICE_TITLE
from ..text import append_xml_element, make_xml_element, serialize_xml_element
from .results import SearchHit, SearchResults
from .suggestions import SUGGESTIONS_FORMAT

OPENSEARCH_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
OPENSEARCH_FORMAT = Format("application/opensearchdescription+xml", "xml", "OpenSearch")
SHORT_SERVICE_NAME = "WGIG"  # OpenSearch allows 16 characters
OPENSEARCH_LINK = (
    f'</opensearch.xml>; rel="search"; type="{OPENSEARCH_FORMAT.media_type}"; title="{SERVICE_TITLE}"'
)


OPENSEARCH_OPERATION = Operation(formats=(OPENSEARCH_FORMAT,))


def get_opensearch_description(request: Request) -> Response:
    """The OpenSearch description document of /search."""
    base_url = str(request.base_url)
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
        # For HTML there is no language parameter, as browsers would set it to the language of their menus.
        language = "" if format_ is HTML else "&lang={language?}"
        parameters = f"q={{searchTerms}}{language}&page={{startPage?}}&_mediatype={format_.media_type}"
        template = f"{base_url}search?{parameters}"
        append_xml_element(root, "Url", type=format_.media_type, template=template)
    append_xml_element(
        root,
        "Url",
        type=SUGGESTIONS_FORMAT.media_type,
        rel="suggestions",
        template=f"{base_url}search/suggestions?q={{searchTerms}}",
    )
    append_xml_element(root, "Query", role="example", searchTerms="spam")
    return respond_with_body(request, serialize_xml_element(root), OPENSEARCH_FORMAT)


def serialize_search_feed(results: SearchResults, base_url: str, changed: str) -> bytes:
    """The results as an Atom feed with OpenSearch elements; `base_url` is the URL of the service.

    `changed` is the time of the last change of the index (RFC 3339), and the date of all entries. The feed
    has no language, as the texts are in several.
    """
    feed_url = f"{base_url}search?{results.page_queries['first']}"
    page_links = [  # Atom has another name for `prev` (RFC 5005)
        AtomLink({"prev": "previous"}.get(name, name), f"{base_url}search.atom?{query}", ATOM.media_type)
        for name, query in results.page_queries.items()
    ]
    return serialize_atom_feed(
        AtomFeed(
            feed_url if results.page == 1 else f"{feed_url}&page={results.page}",
            f"{results.text} in the {SERVICE_TITLE}",
            changed,
            [*page_links, AtomLink("search", f"{base_url}opensearch.xml", OPENSEARCH_FORMAT.media_type)],
            [build_hit_entry(hit, base_url, changed) for hit in results.hits],
            language="",
            is_licensed=False,
            extensions=[*iter_opensearch_extensions(results)],
            namespaces={"opensearch": OPENSEARCH_NAMESPACE},
        )
    )


def iter_opensearch_extensions(results: SearchResults) -> Iterator[AtomExtension]:
    """The OpenSearch elements of a feed of results."""
    yield AtomExtension("opensearch:totalResults", str(results.total), {})
    yield AtomExtension("opensearch:startIndex", str(results.start + 1), {})
    yield AtomExtension("opensearch:itemsPerPage", str(results.size), {})
    request = {"role": "request", "searchTerms": results.text, "startPage": str(results.page)}
    yield AtomExtension("opensearch:Query", None, request)
    if results.corrected_text:
        correction = {"role": "correction", "searchTerms": results.corrected_text}
        yield AtomExtension("opensearch:Query", None, correction)


def build_hit_entry(hit: SearchHit, base_url: str, changed: str) -> AtomEntry:
    """A hit as an entry of an Atom feed."""
    page_link = None
    if hit.path:
        page_link = AtomLink(
            "alternate", hit.path if "://" in hit.path else base_url + hit.path.removeprefix("/")
        )
    return AtomEntry(
        hit.iri, hit.label, changed, page_link, str(hit.marked_html), hit.kind, has_html_summary=True
    )
