"""References to documents themselves, with their real authors, dates and numbers as the graph states them."""

import re

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.labels import best_text
from ...rdf.namespaces import DCTERMS_TITLE, expand_curie
from ...resources.contents import find_nearest_document
from ...resources.text_links import (
    FOAF_PAGE,
    find_document_symbols,
    find_text_pages,
    list_object_values,
    list_web_pages,
)
from ...store.labels import find_label
from ...store.store import Store
from .references import DOCUMENT_TYPE, Reference

AUTHOR_PROPERTIES = ("dcterms:creator", "wgig:drafter")
DATE_PROPERTIES = ("dcterms:issued", "wgig:posted")
DOCUMENT_DATE_PATTERN = re.compile(r"\d{4}(-\d\d){0,2}")
SET_DATE_BASIS = "set-level"  # the beginning of the basis of a date that is that of a whole set
NON_KEY_CHARACTERS = re.compile(r"[^a-z0-9]+")  # replaced by a hyphen in the key of an entry


def build_document_reference(store: Store, iri: str, base: str) -> Reference:
    """The reference to a document, or to a paragraph of it. Raises Problem 404 for other resources."""
    document = find_nearest_document(store, iri, base)
    if not document:
        raise Problem(404, f"<{iri}> is not a document or a part of one. Omit the parameter work.")
    symbols = find_document_symbols(store, document, base)
    texts = find_text_pages(store, document, document, base)
    lists = [page.url for page in texts if page.is_list]
    pages = [page.url for page in texts if not page.is_list] or list_web_pages(store, document, FOAF_PAGE)
    number = best_text(list_object_values(store, iri, expand_curie("wgig:number", base))).value
    return Reference(
        key=NON_KEY_CHARACTERS.sub("-", iri.removeprefix(f"{base}id/").lower()).strip("-"),
        work_type=DOCUMENT_TYPE,
        title=find_document_title(store, document),
        authors=tuple(list_document_authors(store, document, base)),
        date=find_document_date(store, document, base),
        url=pages[0] if pages else document,
        number=symbols[0] if symbols else "",
        locator="" if iri == document else number,
        listed_in=lists[0] if lists and not pages else "",
    )


def find_document_title(store: Store, document: str) -> str:
    """The title of a document in English, or else its label."""
    title = best_text(list_object_values(store, document, DCTERMS_TITLE)).value
    label = find_label(store, document)
    return title or (label.value if label else document)


def list_document_authors(store: Store, document: str, base: str) -> list[str]:
    """The names of the authors of a document, as far as they are known."""
    authors = {
        author.value
        for name in AUTHOR_PROPERTIES
        for author in list_object_values(store, document, expand_curie(name, base))
        if isinstance(author, ox.NamedNode)
    }
    labels = [find_label(store, author) for author in sorted(authors)]
    return [label.value for label in labels if label]


def find_document_date(store: Store, document: str, base: str) -> str:
    """The first date of a document: a year, month or day; empty if none is known.

    Of a date that is only known for a whole set of documents, the month.
    """
    dates = [
        value.value
        for name in DATE_PROPERTIES
        for value in list_object_values(store, document, expand_curie(name, base))
        if isinstance(value, ox.Literal) and DOCUMENT_DATE_PATTERN.fullmatch(value.value)
    ]
    bases = list_object_values(store, document, expand_curie("wgig:dateBasis", base))
    is_of_set = any(getattr(basis, "value", "").startswith(SET_DATE_BASIS) for basis in bases)
    return min(dates, default="")[: len("2005-02") if is_of_set else None]
