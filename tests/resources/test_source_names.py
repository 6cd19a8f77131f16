"""Sources are named by title: from source_names.tsv, by the documents of the graph, or by what they are."""

import pyoxigraph as ox
import pytest
from wgig.http import language
from wgig.rdf.namespaces import DCTERMS_SOURCE
from wgig.resources.source_names import SourceName, name_sources, read_source_rows
from wgig.settings import Settings
from wgig.store.labels import find_label
from wgig.store.store import Store

BASE = Settings.base


def name_source(store: Store, url: str) -> SourceName:
    return name_sources(store, [ox.NamedNode(url)], BASE, ("en",))[url]


def test_every_source_of_the_graph_has_a_title(filled_store: Store) -> None:
    sources = {quad.object for quad in filled_store.match(None, DCTERMS_SOURCE)}
    names = name_sources(filled_store, sources, BASE, ("en",))
    assert len(names) > 250
    assert [url for url, name in names.items() if name.detail] == []


def test_every_row_names_a_source_and_a_document_of_the_graph(filled_store: Store) -> None:
    addresses = {
        quad.object.value.partition("://")[2].removeprefix("www.")
        for quad in filled_store.match(None, DCTERMS_SOURCE)
        if isinstance(quad.object, ox.NamedNode)
    }
    rows = read_source_rows()
    assert [row for row in rows if not any(address.startswith(row.address) for address in addresses)] == []
    documents = {row.document for row in rows if row.document}
    assert [name for name in documents if find_label(filled_store, f"{BASE}id/{name}") is None] == []


@pytest.mark.parametrize(
    ("url", "title", "number", "tag"),
    [
        ("http://www.itu.int/net/wsis/docs2/pc3/html/off5/index-fr13.html", "WGIG report", "13", "fr"),
        ("http://itu.int/net/wsis/docs/geneva/official/dop.html", "Geneva Declaration of Principles", "", ""),
        (
            "https://lists.apc.org/pipermail/plenary/2005-April/005392.html",
            "Message to the mailing list “plenary”, April 2005",
            "",
            "",
        ),
        ("https://x.example/pipermail/list/2010q3/0.html", "Message to the mailing list “list”", "", ""),
        ("https://x.example/a.PDF", "PDF document", "", ""),
        ("https://x.example/a.docx", "Word document", "", ""),
        ("https://x.example/0000-Foo/?page=2", "Web page", "2", ""),
    ],
)
def test_a_source_has_a_title(filled_store: Store, url: str, title: str, number: str, tag: str) -> None:
    name = name_source(filled_store, url)
    assert (name.title.value, name.page_number, name.language) == (title, number, tag)


def test_titles_of_documents_are_in_the_language_of_the_page(filled_store: Store) -> None:
    url = "https://studylib.net/doc/13498527/i-tunis-agenda"
    with language.use_language("fr"):
        name = name_sources(filled_store, [ox.NamedNode(url)], BASE, ("fr", "en"))[url]
    assert name.title.language == "fr"


def test_a_source_without_a_row_keeps_its_address(filled_store: Store) -> None:
    assert name_source(filled_store, "https://x.example/a%20b?c=d").detail == "a b?c=d"
