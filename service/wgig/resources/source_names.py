"""How the pages of other sites that the graph cites are named: by title, not by address.

source_names.tsv names them: pages with the text of a document by the label of the document, others by a
title or, if we do not know their title, by what they are. The address of a row, without `http://` and `www.`,
is the beginning of those that it names; the longest one counts. The names are only shown, as the graph states
facts about its subject, not about web pages.
"""

import csv
import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox

from ..http.language import current_language, format_month, gettext
from ..i18n import ENGLISH
from ..store.labels import find_label
from ..store.node_cache import cache_for_node
from ..store.store import Store
from .text_links import FOAF_PAGE, find_page_language, find_site

MAX_CACHED_PAGE_NAMES = 5_000  # of pages, in all languages
SOURCE_NAMES_FILE = Path(__file__).with_name("source_names.tsv")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MAILING_LIST_PATTERN = re.compile(
    rf"/pipermail/(?P<list>[^/]+)/(?:(?P<year>[12][0-9]{{3}})-(?P<month>{'|'.join(MONTH_NAMES)})/)?"
)
NUMBERED_PAGE_PATTERN = re.compile(r"(?:/index(?:-[a-z]{2})?|[?&]page=|/page)(?P<number>[0-9]+)(?:\.html)?$")
PDF_SUFFIX, WORD_SUFFIXES = ".pdf", (".doc", ".docx")


class SourceRow(NamedTuple):
    """A row of source_names.tsv, with a document of the graph or a title; English has no `language`."""

    address: str
    document: str
    language: str
    title: str


class SourceName(NamedTuple):
    """How a page of another site is named.

    `page_number` is that of the page in a text, `language` is empty for English. `detail` is the address
    without the site, if the title only says what kind of page it is.
    """

    title: ox.Literal
    page_number: str
    site: str
    language: str
    detail: str


@cache
def read_source_rows() -> list[SourceRow]:
    """The rows of source_names.tsv, the longest address first."""
    with SOURCE_NAMES_FILE.open(encoding="utf-8", newline="") as file:
        rows = [SourceRow(*row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return sorted(rows[1:], key=lambda row: -len(row.address))


def name_sources(
    store: Store, terms: Iterable[Any], base: str, language_ranges: tuple[str, ...]
) -> dict[str, SourceName]:
    """The names of those sources that are pages of other sites, by IRI."""
    return {
        term.value: name_source(store, term.value, base, language_ranges, current_language())
        for term in terms
        if isinstance(term, ox.NamedNode) and not term.value.startswith(base) and find_site(term.value)
    }


def name_source(
    store: Store, url: str, base: str, language_ranges: tuple[str, ...], page_language: str
) -> SourceName:
    """The name of a page of another site: that of a resource whose page it is, of its row, or of its kind.

    `page_language` is the current language.
    """
    name, row_document = name_page(url, page_language)
    documents = [*find_page_documents(store, url), *([f"{base}id/{row_document}"] if row_document else [])]
    title = next(filter(None, (find_label(store, iri, language_ranges) for iri in documents)), None)
    return name._replace(title=title, detail="") if title else name


@lru_cache(MAX_CACHED_PAGE_NAMES)
def name_page(url: str, page_language: str) -> tuple[SourceName, str]:
    """The name of a page by its row or its kind, and the document of its row, or an empty text.

    `page_language` is the current language, as a parameter for the cache.
    """
    parts = urlsplit(url)
    address = url.partition("://")[2].removeprefix("www.")
    row = next((row for row in read_source_rows() if address.startswith(row.address)), None)
    row_title = row.title if row else ""
    number = NUMBERED_PAGE_PATTERN.search(url)
    detail = unquote(parts.path.strip("/")) + (f"?{parts.query}" if parts.query else "")
    has_own_words = row_title or MAILING_LIST_PATTERN.search(parts.path)
    name = SourceName(
        ox.Literal(row_title, language=ENGLISH)
        if row_title
        else ox.Literal(describe_kind(url), language=page_language),
        number["number"] if number else "",
        find_site(url),
        (row.language if row else "") or find_page_language(url),
        "" if has_own_words else detail,
    )
    return name, row.document if row else ""


@cache_for_node
def find_page_documents(store: Store, url: str) -> tuple[str, ...]:
    """The IRIs of the resources whose page is at a URL; cached until a write touches the URL."""
    subjects = (quad.subject for quad in store.match(None, FOAF_PAGE, ox.NamedNode(url)))
    return tuple(subject.value for subject in subjects if isinstance(subject, ox.NamedNode))


def describe_kind(url: str) -> str:
    """What kind of page is at a URL, in the current language."""
    path = urlsplit(url).path
    if mailing_list := MAILING_LIST_PATTERN.search(path):
        name = mailing_list["list"]
        if not mailing_list["month"]:
            return gettext("Message to the mailing list “%(name)s”") % {"name": name}
        first_day = date(int(mailing_list["year"]), MONTH_NAMES.index(mailing_list["month"]) + 1, 1)
        words = {"name": name, "month": format_month(first_day)}
        return gettext("Message to the mailing list “%(name)s”, %(month)s") % words
    if path.lower().endswith(PDF_SUFFIX):
        return gettext("PDF document")
    return gettext("Word document") if path.lower().endswith(WORD_SUFFIXES) else gettext("Web page")
