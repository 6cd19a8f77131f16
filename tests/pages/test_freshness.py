"""Pages show a write at once: what they keep is dropped with each write, and depends on the language."""

from collections.abc import Mapping

import httpx2
import pytest
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

BASE = Settings.base
GRAPH_TEXT = f"""@prefix wgig: <{BASE}ontology#> . @prefix id: <{BASE}id/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<{BASE}id/issue/spam> a wgig:Issue ; skos:prefLabel "ISSUE"@en , "ISSUE in Arabic"@ar ;
  wgig:category <{BASE}id/category/first> ; wgig:inventoryStatus "yes" .
<{BASE}id/category/first> a wgig:Category ; skos:prefLabel "CATEGORY"@en , "CATEGORY in Arabic"@ar .
<{BASE}id/judgment/1> a wgig:Judgment ; wgig:issue <{BASE}id/issue/spam> ; dcterms:description "JUDGMENT"@en .
<{BASE}id/document/d> a wgig:Document ; skos:prefLabel "DOCUMENT"@en ; foaf:page <https://d.example/> .
<{BASE}id/agreement/1> a wgig:Agreement ; skos:prefLabel "It"@en ; dcterms:source <https://d.example/> .
"""
# The words of the graph that a page shows.
WORDS_BY_PATH = {
    "/doc/issue/spam": ("ISSUE", "CATEGORY"),
    "/doc/judgment/1": ("JUDGMENT", "ISSUE"),
    "/doc/category/first": ("ISSUE", "CATEGORY"),
    "/doc/agreement/1": ("DOCUMENT",),
    "/issues": ("ISSUE", "CATEGORY"),
    "/judgments": ("JUDGMENT", "ISSUE"),
    "/tables": ("ISSUE", "JUDGMENT"),
    "/changes": ("ISSUE",),
}


@pytest.fixture
def client() -> httpx2.Client:
    """A client, with the token, of a service with an empty store."""
    return make_writer_client(Store.in_memory())


def write_words(client: httpx2.Client, version: str) -> Mapping[str, str]:
    """Write the graph with the words of a version; returns them."""
    words = {word: f"{word.title()} {version}" for words in WORDS_BY_PATH.values() for word in words}
    text = GRAPH_TEXT
    for word, replacement in words.items():
        text = text.replace(word, replacement)
    response = client.put("/graph/words", content=text, headers={"Content-Type": "text/turtle"})
    assert response.is_success, response.text
    return words


def test_pages_show_the_words_of_the_last_write(client: httpx2.Client) -> None:
    for version in ("first", "second", "third"):
        words = write_words(client, version)
        for path, shown in WORDS_BY_PATH.items():
            pages = [client.get(path, headers={"Accept": "text/html"}).text for _ in range(2)]
            assert pages[0] == pages[1]
            for word in shown:
                assert words[word] in pages[0], (path, word)
                old_pages = [old for old in ("first", "second", "third") if old != version]
                assert not any(f"{word.title()} {old}" in pages[0] for old in old_pages) or path == "/changes"


def test_kept_names_depend_on_the_language(client: httpx2.Client) -> None:
    words = write_words(client, "first")
    for language in ("ar", "en", "ar"):
        page = client.get(
            "/doc/issue/spam", headers={"Accept": "text/html", "Accept-Language": language}
        ).text
        is_arabic = f"{words['CATEGORY']} in Arabic" in page
        assert is_arabic == (language == "ar")


def test_sizes_on_the_page_of_graphs_follow_writes(client: httpx2.Client) -> None:
    for count in (1, 3, 2):
        lines = "".join(f"<urn:s> <urn:p> {number} ." for number in range(count))
        client.put("/graph/sized", content=lines, headers={"Content-Type": "text/turtle"}).raise_for_status()
        page = client.get("/graphs?q=sized", headers={"Accept": "text/html"}).text
        assert f'data-head="Facts">{count}</td>' in page
