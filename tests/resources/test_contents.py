"""Tables of contents of documents, and links to the paragraphs before and after."""

import re

import httpx2
import pytest
from pyoxigraph import Literal
from wgig.rdf.serialization import parse_graph_document
from wgig.resources import contents
from wgig.resources.contents import (
    NO_PARAGRAPHS,
    AdjacentParagraphs,
    build_contents,
    find_adjacent_paragraphs,
    iter_parts,
    list_paragraphs,
)
from wgig.settings import Settings
from wgig.store.store import Store

BASE = Settings.base
REPORT = f"{BASE}id/document/background-report"
PREFIXES = f"@prefix : <{BASE}ontology#> . @prefix doc: <{BASE}id/document/> . "


def make_store(turtle: str) -> Store:
    """A store with one graph."""
    store = Store.in_memory()
    triples = parse_graph_document((PREFIXES + turtle).encode(), "text/turtle")
    store.apply(store.compute_addition(f"{BASE}graph/test", triples))
    return store


def test_contents_have_all_parts_in_the_order_of_the_text(filled_store: Store) -> None:
    parts = build_contents(filled_store, REPORT, BASE)
    assert [part.number for part in parts[:4]] == ["I", "II", "III", "IV"]
    assert len([*iter_parts(parts)]) == 421
    numbers = [iri.rpartition("/")[2] for iri in list_paragraphs(filled_store, REPORT, BASE)]
    assert [number for number in numbers if number.isdecimal()] == [str(number) for number in range(1, 287)]


def test_paragraph_has_links_to_those_before_and_after(
    filled_store: Store, page_client: httpx2.Client
) -> None:
    assert find_adjacent_paragraphs(filled_store, f"{REPORT}/101", BASE) == AdjacentParagraphs(
        f"{REPORT}/100", f"{REPORT}/102"
    )
    assert find_adjacent_paragraphs(filled_store, f"{REPORT}/1", BASE).previous is None
    assert find_adjacent_paragraphs(filled_store, f"{REPORT}/286", BASE).next is None
    assert find_adjacent_paragraphs(filled_store, f"{REPORT}/III.A", BASE) == NO_PARAGRAPHS  # a section
    page = page_client.get("/doc/document/background-report/101").text
    assert '<a href="/doc/document/background-report/100" rel="prev">Previous: <bdi>Background Report' in page
    assert '<a href="/doc/document/background-report/102" rel="next">Next: <bdi>Background Report' in page


def test_paragraph_of_another_document_has_them_too(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/document/declaration/48").text
    assert '<a href="/doc/document/declaration/49" rel="next">' in page


def test_page_of_a_document_is_its_table_of_contents(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/document/background-report").text
    assert "Only the first 250 parts are shown." not in page
    assert 'id="parts"' not in page
    links = re.findall(
        r'<a href="/doc/document/background-report/([^"]+)">', page[page.index('id="contents"') :]
    )
    assert {str(number) for number in range(1, 287)} <= set(links)
    assert "Paragraphs are shown as our summaries, not as full text." in page
    assert '<span class="mark"><bdi>box</bdi></span> <bdi>2</bdi> <bdi>Governance issues related to' in page


def test_titles_are_in_the_language_of_the_page(filled_store: Store, page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/document/declaration").text
    assert "Our Common Vision of the Information Society" in page
    (first, *_) = build_contents(filled_store, f"{BASE}id/document/declaration", BASE, ("zh",))
    assert first.text.language == "zh"


def test_section_has_its_own_contents(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/document/background-report/II.B").text
    assert '<a href="/doc/document/background-report/44">' in page
    assert (
        '<a href="/doc/document/background-report/43">' not in page.split('id="contents"')[1].split("<h2")[0]
    )


def test_parts_of_other_kinds_are_no_contents(page_client: httpx2.Client) -> None:
    assert 'id="contents"' not in page_client.get("/doc/document/inventory").text


def test_cycles_of_parts_end() -> None:
    store = make_store("doc:a a :Section ; :partOf doc:b . doc:b a :Section ; :partOf doc:a , doc:b .")
    (part,) = build_contents(store, f"{BASE}id/document/a", BASE)
    assert part.parts == []
    assert part.text == Literal("")
    assert find_adjacent_paragraphs(store, f"{BASE}id/document/a", BASE) == NO_PARAGRAPHS


def test_number_of_parts_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_CONTENTS_PARTS", 5)
    store = make_store(" ".join(f"doc:a{number} a :Paragraph ; :partOf doc:a ." for number in range(20)))
    assert len(build_contents(store, f"{BASE}id/document/a", BASE)) == 4
