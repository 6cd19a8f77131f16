"""Where the text of a document or paragraph can be read.

The graph has summaries, not texts. The official text is preferred, then a copy that is named by the symbol of
the document, then the sources at which the full text was seen.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pyoxigraph as ox

from ..i18n import ENGLISH
from ..rdf.labels import best_text
from ..rdf.namespaces import DCTERMS_SOURCE, expand_curie, kind_of_iri
from ..store.store import Store
from ..text import natural_sort_key
from .property_path import NO_KNOWN_VALUES, KnownValues, PathStep, follow_step

FOAF_PAGE, SKOS_NOTATION = expand_curie("foaf:page"), expand_curie("skos:notation")
MAX_TEXT_PAGES = 3
FULL_TEXT_EVIDENCE = "full text"
UN_SYMBOL_SCHEME = "UN document symbol"
# The sites of the summit and of the group, without `www.`, with the folders of their documents.
PAPER_LIST = "wgig.org/working-papers.html"  # the official list of the issue papers
OFFICIAL_TEXT_FOLDERS = ("itu.int/net/wsis/docs", "itu.int/net/wsis/outcome/", "wgig.org/docs/")
# The end of the name of a page in another language than English: index-fr13.html, tunis-agenda_Cru.html.
TRANSLATION_PATTERN = re.compile(r"[-_][BC]?-?(?P<language>ar|es|fr|ru|zh)\d*\.html$")
NON_SYMBOL_CHARACTERS = re.compile(r"[^a-z0-9]+")


class TextPage(NamedTuple):
    """A page at which a text can be read: its URL and its site, such as `itu.int`.

    `language` is empty if the name of the page does not say that it is in another language than English.
    `is_list`: the page lists the paper, and does not have its text.
    """

    url: str
    site: str
    language: str
    is_list: bool = False


def find_site(url: str) -> str:
    """The host of a URL, without `www.`; empty for other IRIs."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.") if re.match("https?:", url, re.IGNORECASE) else ""


def list_object_values(
    store: Store, iri: str, property_: ox.NamedNode, known_values: KnownValues = NO_KNOWN_VALUES
) -> list[Any]:
    """The objects of the statements about a resource with this property."""
    step = PathStep(property_, is_inverse=False)
    return [*dict.fromkeys(follow_step(store, ox.NamedNode(iri), step, known_values))]


def list_web_pages(store: Store, iri: str, property_: ox.NamedNode) -> list[str]:
    """The web pages that are values of a property of a resource, sorted."""
    values = list_object_values(store, iri, property_)
    urls = (value.value for value in values if isinstance(value, ox.NamedNode) and find_site(value.value))
    return sorted(urls, key=natural_sort_key)


def find_document_symbols(store: Store, document: str, base: str) -> list[str]:
    """The United Nations symbols of a document, that of its English text first."""
    identifiers = (
        quad.subject
        for quad in store.match(None, expand_curie("wgig:identifies", base), ox.NamedNode(document))
    )
    schemes = (
        (
            node.value,
            best_text(list_object_values(store, node.value, expand_curie("wgig:identifierScheme", base))),
        )
        for node in identifiers
        if isinstance(node, ox.NamedNode)
    )
    symbols = {
        best_text(list_object_values(store, node, SKOS_NOTATION)).value
        for node, scheme in schemes
        if scheme.value == UN_SYMBOL_SCHEME
    }
    return sorted(filter(None, symbols), key=lambda symbol: (is_translated_symbol(symbol), symbol))


def is_translated_symbol(symbol: str) -> bool:
    """Whether a symbol is that of a translation, as its last letter is the language."""
    return bool(re.search(r"[-) ][ACFRS]$", symbol))


def find_text_pages(
    store: Store, iri: str, document: str, base: str, language: str = ENGLISH
) -> list[TextPage]:
    """Where the text of a document, or of a part of it, can be read: one page, or several copies.

    If there is no official page in English, one in `language` is preferred.
    """
    if kind_of_iri(iri, base) == "paper":
        return find_paper_pages(store, iri)
    sources = list_web_pages(store, iri, DCTERMS_SOURCE)
    pages = [*list_web_pages(store, iri, FOAF_PAGE), *list_web_pages(store, document, FOAF_PAGE)]
    official = [url for url in (*sources, *pages) if is_official_text(url)]
    if official:
        languages = {url: find_page_language(url) for url in official}
        return build_text_pages(
            sorted(official, key=lambda url: (languages[url] != "", languages[url] != language))[:1]
        )
    symbols = [normalize_symbol(symbol) for symbol in find_document_symbols(store, document, base)[:1]]
    copies = [url for url in sources if any(symbol in normalize_symbol(url) for symbol in symbols)]
    evidence = list_object_values(store, iri, expand_curie("wgig:evidence", base))
    is_seen = any(getattr(value, "value", "") == FULL_TEXT_EVIDENCE for value in evidence)
    return build_text_pages(copies[:1] if copies else sources[:MAX_TEXT_PAGES] if is_seen else [])


def find_paper_pages(store: Store, iri: str) -> list[TextPage]:
    """The pages with the text of an issue paper, or else the official list of papers if it is a source."""
    if pages := list_web_pages(store, iri, FOAF_PAGE):
        return build_text_pages(pages)
    sources = list_web_pages(store, iri, DCTERMS_SOURCE)
    lists = [url for url in sources if find_site(url) + urlsplit(url).path == PAPER_LIST]
    return [page._replace(is_list=True) for page in build_text_pages(lists)]


def build_text_pages(urls: Sequence[str]) -> list[TextPage]:
    """The pages at these URLs, the first of each site."""
    urls_by_site = dict[str, str]()
    for url in urls:
        urls_by_site.setdefault(find_site(url), url)
    return [TextPage(url, site, find_page_language(url)) for site, url in urls_by_site.items()]


def is_official_text(url: str) -> bool:
    """Whether a page is in one of OFFICIAL_TEXT_FOLDERS."""
    return (find_site(url) + urlsplit(url).path).startswith(OFFICIAL_TEXT_FOLDERS)


def find_page_language(url: str) -> str:
    """The language of a page by its name, other than English; else empty."""
    match = TRANSLATION_PATTERN.search(urlsplit(url).path)
    return match["language"] if match else ""


def normalize_symbol(text: str) -> str:
    """A text as lowercase letters and digits, in which a symbol is found whatever separates its parts."""
    return NON_SYMBOL_CHARACTERS.sub("", text.lower())
