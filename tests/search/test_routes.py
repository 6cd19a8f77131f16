"""/search answers on pages, as JSON, as linked data and as a feed; queries search by SERVICE."""

import csv
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from wgig.rdf.serialization import parse_graph_document
from wgig.search.ranking import MAX_SEARCH_MATCHES as FOUND
from wgig.search.sparql_service import MAX_SERVICE_MATCHES
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of

BASE = Settings.base
TOKEN = "secret"
OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
ATOM = "{http://www.w3.org/2005/Atom}"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SEARCH = f"PREFIX search: <{BASE}search#> "
SERVICE = f"SERVICE <{BASE}search>"
PAGE = (CHECKOUT_FOLDER / "docs" / "reference" / "querying.md").read_text(encoding="utf-8")
EVIL = '<script>alert("spam")</script> spam & bulk'


def labelled(count: int) -> bytes:
    return b"".join(
        f'<{BASE}id/issue/i{number}> <{SKOS}prefLabel> "Common word {number}"@en .\n'.encode()
        for number in range(count)
    )


DATA = f"""
<{BASE}id/issue/spam> <{SKOS}prefLabel> "Spam"@en, "Pourriel"@fr ; <{SKOS}definition> "Bulk messages"@en .
<{BASE}id/agent/kummer> <http://xmlns.com/foaf/0.1/name> "Markus Kummer" .
<{BASE}id/issue/evil> <{SKOS}prefLabel> "Evil"@en ; <{SKOS}note> {json.dumps(EVIL + chr(1))}@en .
""".encode()


@pytest.fixture(scope="module")
def store() -> Store:
    found = Store.in_memory()
    found.apply(
        found.compute_addition(f"{BASE}graph/test", parse_graph_document(DATA + labelled(45), "text/turtle"))
    )
    return found


@pytest.fixture(scope="module")
def ask(store: Store) -> Callable[..., httpx.Response]:
    client = service_of(Settings(), store)

    def asked(path: str, accept: str = "application/json", **parameters: str) -> httpx.Response:
        return client.get(path, params=parameters or None, headers={"Accept": accept})

    return asked


Ask = Callable[..., httpx.Response]


def test_json_has_things_with_their_labels_and_marked_passages(ask: Ask) -> None:
    found = ask("/search", q="bulk", lang="en").json()
    assert (found["total"], found["more"], found["everyWord"], found["meant"]) == (2, False, True, None)
    assert found["items"][0] == {
        "id": f"{BASE}id/issue/spam",
        "url": "/doc/issue/spam",
        "label": "Spam",
        "language": "en",
        "kind": "issue",
        "property": f"{SKOS}definition",
        "snippet": "<mark>Bulk</mark> messages",
    }


def test_what_was_meant_is_said(ask: Ask) -> None:
    assert ask("/search", q="bulkk mesages").json()["meant"] == "bulk messages"
    assert "Nothing has the words as they were typed" in ask("/search", "text/html", q="bulkk").text


def test_whether_every_word_was_found_is_said(ask: Ask) -> None:
    answers = {q: ask("/search", q=q).json() for q in ("bulk/messages", "spam-kummer", "bul-k", "zzzz-qqqq")}
    assert {q: (one["total"], one["meant"], one["everyWord"]) for q, one in answers.items()} == {
        "bulk/messages": (1, None, True),
        "spam-kummer": (3, None, False),
        "bul-k": (2, "bulk", True),
        "zzzz-qqqq": (0, None, False),
    }


def test_pages_lead_to_each_other(ask: Ask) -> None:
    first = ask("/search", q="common")
    assert first.json()["total"] == 45
    assert first.json()["next"] == "/search.json?q=common&page=2"
    assert '</search?q=common&page=2>; rel="next"' in first.headers["link"]
    ids, path = [], "/search?q=common"
    while path:
        page = ask(path).json()
        ids += [one["id"] for one in page["items"]]
        path = page.get("next")
    assert len(set(ids)) == len(ids) == 45


@pytest.mark.parametrize("suffix", ["html", "jsonld", "atom"])
def test_pages_lead_to_pages_of_the_same_format(ask: Ask, suffix: str) -> None:
    for path in (f"/search.{suffix}?q=common&lang=", f"/search?q=common&_mediatype={suffix}"):
        first = ask(path, "application/json")
        following = ask(first.links["next"]["url"], "application/json")
        assert following.headers["content-type"] == first.headers["content-type"] != "application/json"
        assert "lang=" not in first.links["next"]["url"]
        if suffix == "html":
            assert f'href="{first.links["next"]["url"].replace("&", "&amp;")}" rel="next"' in first.text


@pytest.mark.parametrize(
    ("status", "parameters"),
    [
        (400, {}),
        (400, {"q": "!"}),
        (400, {"q": "x" * 201}),
        (400, {"q": "spam", "lang": "tlh"}),
        (400, {"q": "spam", "lang": "' OR 1=1"}),
        (400, {"q": "spam", "kind": "unicorn"}),
        (400, {"q": "spam", "page": "0"}),
        (400, {"q": "spam", "page": "-1"}),
        (400, {"q": "spam", "page": "٣"}),
        (400, {"q": "spam", "page": "1e9"}),
        (404, {"q": "spam", "page": "2"}),
        (400, {"q": "spam", "offset": "3"}),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(ask: Ask, status: int, parameters: dict[str, str]) -> None:
    answer = ask("/search", **parameters)
    assert answer.status_code == status
    assert len(answer.json()["detail"]) > 20


def test_a_parameter_is_given_once_and_a_format_is_one_that_there_is(ask: Ask) -> None:
    assert ask("/search?q=a&q=b").status_code == 400
    assert ask("/search?q=spam", "text/csv").status_code == 406


def test_a_language_that_is_any_or_empty_is_every_one(ask: Ask) -> None:
    assert ask("/search?q=pourriel&lang=&page=&kind=").json()["total"] == 1
    assert ask("/search?q=pourriel&lang=*").json()["total"] == 1
    assert ask("/search?q=pourriel&lang=FR").json()["items"][0]["label"] == "Pourriel"


def test_linked_data_is_a_page_of_search_results(ask: Ask) -> None:
    found = ox.parse(ask("/search", "application/ld+json", q="spam").content, ox.RdfFormat.JSON_LD)
    lines = ox.serialize((one.triple for one in found), format=ox.RdfFormat.N_TRIPLES) or b""
    graph = rdflib.Graph().parse(data=lines, format="nt")
    schema = rdflib.Namespace("https://schema.org/")
    (page,) = graph.subjects(rdflib.RDF.type, schema.SearchResultsPage)
    (listed,) = graph.objects(page, schema.mainEntity)
    items = sorted(
        (str(next(graph.objects(one, schema.position))), next(graph.objects(one, schema.item)))
        for one in graph.objects(listed, schema.itemListElement)
    )
    assert items[0] == ("1", rdflib.URIRef(f"{BASE}id/issue/spam"))
    assert rdflib.Literal("Spam", lang="en") in set(graph.objects(items[0][1], schema.name))


def test_a_feed_has_the_elements_of_opensearch(ask: Ask) -> None:
    answer = ask("/search", "application/atom+xml", q="common", page="2")
    feed = ElementTree.fromstring(answer.content)
    assert answer.headers["content-type"] == "application/atom+xml"
    assert [feed.findtext(OPENSEARCH + one) for one in ("totalResults", "startIndex", "itemsPerPage")] == [
        "45",
        "21",
        "20",
    ]
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 20
    for one in (feed, *entries):  # RFC 4287, sections 4.1.1 and 4.1.2
        assert all(one.findtext(ATOM + name) for name in ("id", "title", "updated"))
    links = {one.get("rel"): one.get("href") or "" for one in feed.findall(f"{ATOM}link")}
    assert set(links) == {"first", "last", "previous", "next", "search"}
    onward = ask(links["next"].removeprefix("http://localhost"))
    assert onward.headers["content-type"] == "application/atom+xml"


def test_opensearch_describes_addresses_that_answer(ask: Ask) -> None:
    answer = ask("/opensearch.xml", "*/*")
    assert answer.headers["content-type"] == "application/opensearchdescription+xml"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{OPENSEARCH}OpenSearchDescription"
    assert 0 < len(root.findtext(f"{OPENSEARCH}ShortName") or "") <= 16
    for url in root.findall(f"{OPENSEARCH}Url"):
        template = (url.get("template") or "").replace("{searchTerms}", "spam")
        filled = ask(re.sub(r"\{\w+\?\}", "", template).removeprefix("http://localhost"), "*/*")
        assert filled.status_code == 200
        assert filled.headers["content-type"].startswith(url.get("type") or "nothing")


def test_pages_tell_browsers_how_to_search(ask: Ask) -> None:
    for path in ("/", "/search", "/doc/issue/spam"):
        text = ask(path, "text/html").text
        assert (
            '<link rel="search" type="application/opensearchdescription+xml" href="/opensearch.xml"' in text
        )


def test_the_form_works_without_results_and_keeps_what_was_typed(ask: Ask) -> None:
    assert 'name="q"' in ask("/search", "text/html").text
    text = ask("/search", "text/html", q='"bulk" <messages>', kind="issue").text
    assert 'value="&#34;bulk&#34; &lt;messages&gt;"' in text
    assert '<option value="issue" selected>' in text


def test_nothing_of_the_data_is_markup(ask: Ask) -> None:
    page = ask("/search", "text/html", q="alert").text
    assert "<script>" not in page
    assert "&lt;script&gt;<mark>alert</mark>" in page
    snippet = ask("/search", q="alert").json()["items"][0]["snippet"]
    assert snippet.startswith("&lt;script&gt;<mark>alert</mark>(&#34;spam&#34;)")
    feed = ElementTree.fromstring(ask("/search", "application/atom+xml", q="alert").content)
    summary = feed.findtext(f"{ATOM}entry/{ATOM}summary") or ""
    assert summary.startswith(snippet[:30])


def test_an_answer_is_kept_until_a_write_and_then_shows_it() -> None:
    client = service_of(Settings(token=TOKEN, history="lost"), Store.in_memory())
    tag = client.get("/search?q=bridges").headers["etag"]
    assert client.get("/search?q=bridges", headers={"If-None-Match": tag}).status_code == 304
    for text, total in (("Sturdy bridges", 1), ("Old roads", 0)):
        put = client.put(
            "/graphs?graph=x:g",
            content=f'<x:a> <http://purl.org/dc/terms/title> "{text}" .',
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"},
        )
        assert put.is_success
        answer = client.get("/search?q=bridges", headers={"If-None-Match": tag})
        assert answer.status_code == 200 or not total
        assert client.get("/search?q=bridges").json()["total"] == total


# From SPARQL.


@pytest.fixture
def rows(ask: Ask) -> Callable[[str], list[list[str]]]:
    def found(query: str) -> list[list[str]]:
        answer = ask("/sparql", "text/csv", query=SEARCH + query)
        assert answer.status_code == 200, answer.text
        return list(csv.reader(answer.text.splitlines()))[1:]

    return found


Rows = Callable[[str], list[list[str]]]


def test_a_query_joins_what_the_search_finds(rows: Rows) -> None:
    query = f"""SELECT ?label ?rank ?snippet ?other {{
      {SERVICE} {{
        ?thing search:matches "bulk" ; search:rank ?rank ; search:snippet ?snippet ; search:label ?label
      }}
      ?thing <{SKOS}prefLabel> ?other FILTER(LANG(?other) = "fr")
    }}"""
    assert rows(query) == [["Spam", "1", "Bulk messages", "Pourriel"]]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ('?thing search:matches "common"', 45),
        ('?thing search:matches "common" ; search:best 7', 7),
        ('?thing search:matches "common" . ?thing search:kind "agent"', 0),
        ('?thing search:matches "kummer" ; search:kind ?kind ; search:language ?language', 1),
        ('?thing search:matches "pourriel" ; search:language "fr"', 1),
        (f'?thing <{BASE}search#matches> """spam"""@en', 2),
    ],
)
def test_a_search_is_narrowed_and_bounded_within_the_query(rows: Rows, pattern: str, count: int) -> None:
    assert rows(f"SELECT (COUNT(*) AS ?n) {{ {SERVICE} {{ {pattern} }} }}") == [[str(count)]]


@pytest.mark.parametrize(
    "pattern",
    [
        "?thing search:matches ?text",
        "?thing search:rank ?rank",
        '?thing search:matches "a" . ?other search:rank ?rank',
        '?thing search:matches "spam" FILTER(true)',
        '?thing search:matches "spam" . { ?thing search:rank ?rank }',
        '?thing search:matches "spam" OPTIONAL { ?thing search:rank ?rank }',
        '?thing search:matches "spam" ; search:unknown ?x',
        '?thing search:matches "spam" ; search:best 0',
        f'?thing search:matches "spam" ; search:best {MAX_SERVICE_MATCHES + 1}',
        '?thing search:matches "spam" ; search:rank ?thing',
        '<x:y> search:matches "spam"',
        '?thing search:matches "!"',
        '[] search:matches "spam"',
        '?thing search:matches+ "spam"',
        "",
    ],
)
def test_a_search_that_means_nothing_is_refused(ask: Ask, pattern: str) -> None:
    answer = ask("/sparql", "text/csv", query=f"{SEARCH} SELECT * {{ {SERVICE} {{ {pattern} }} }}")
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ('search:kind "nope"', "Nothing has the kind 'nope'. There are: agent, "),
        ('search:language "tlh"', "Nothing has the language 'tlh'. There are: "),
    ],
)
def test_a_query_for_a_kind_or_language_that_nothing_has_is_told_what_there_is(
    ask: Ask, pattern: str, says: str
) -> None:
    where = f'{SERVICE} {{ ?thing search:matches "spam" ; {pattern} }}'
    answer = ask("/sparql", "text/csv", query=f"{SEARCH} SELECT * {{ {where} }}")
    assert (answer.status_code, says in answer.text) == (400, True), answer.text


@pytest.mark.parametrize("language", ["*", "", "FR"])
def test_a_query_names_a_language_as_the_search_does(rows: Rows, language: str) -> None:
    pattern = f'?thing search:matches "pourriel" ; search:language "{language}"'
    assert rows(f"SELECT (COUNT(*) AS ?n) {{ {SERVICE} {{ {pattern} }} }}") == [["1"]]


def test_more_than_can_be_given_is_refused_and_never_cut() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(None, parse_graph_document(labelled(MAX_SERVICE_MATCHES + 1), "text/turtle"))
    )
    client = service_of(Settings(), store)
    query = f'{SEARCH} SELECT * {{ {SERVICE} {{ ?thing search:matches "common" }} }}'
    answer = client.get("/sparql", params={"query": query})
    assert answer.status_code == 413
    assert "search:best" in answer.json()["detail"]
    found = client.get("/search", params={"q": "common"}).json()
    assert (found["total"], found["more"]) == (FOUND, True)


def test_a_query_that_searches_is_kept_until_the_next_write(ask: Ask) -> None:
    query = f'{SEARCH} SELECT * {{ {SERVICE} {{ ?thing search:matches "spam" }} }}'
    assert ask("/sparql", "text/csv", query=query).headers["cache-control"] == "no-cache"


def test_no_term_of_the_search_is_taken_for_a_slip(ask: Ask) -> None:
    query = f'{SEARCH} SELECT * {{ {SERVICE} {{ ?thing search:matches "zzzz" ; search:rank ?rank }} }}'
    answer = ask("/sparql", "text/csv", query=query)
    assert "wgig-warning" not in answer.headers


def test_the_search_of_an_update_is_answered_as_well() -> None:
    store = Store.in_memory()
    store.apply(store.compute_addition(None, parse_graph_document(DATA, "text/turtle")))
    client = service_of(Settings(token=TOKEN, history="lost"), store)
    where = f'{SERVICE} {{ ?thing search:matches "kummer" }}'
    update = f"{SEARCH} INSERT {{ ?thing <x:found> true }} WHERE {{ {where} }}"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
    assert client.post("/update", content=update, headers=headers).status_code == 204
    asked = client.get("/sparql", params={"query": "SELECT ?s { ?s <x:found> true }", "_mediatype": "csv"})
    assert asked.text.split() == ["s", f"{BASE}id/agent/kummer"]


def test_load_of_the_search_is_refused_as_any_other() -> None:
    client = service_of(Settings(token=TOKEN), Store.in_memory())
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
    assert client.post("/update", content=f"LOAD <{BASE}search>", headers=headers).status_code == 403
    assert (
        client.get("/sparql", params={"query": f"SELECT * {{ SERVICE <{BASE}search2> {{}} }}"}).status_code
        == 403
    )
    explained = client.get("/sparql", params={"explain": "", "query": f"SELECT * {{ {SERVICE} {{}} }}"})
    assert explained.status_code == 422


def test_the_query_that_the_page_shows_runs(shipped_service: httpx.Client) -> None:
    (query,) = (one for one in re.findall(r"```sparql\n(.*?)```", PAGE, re.DOTALL) if "search:matches" in one)
    shown = PAGE.partition(query)[2].partition("```csv\n")[2].partition("```")[0]
    answer = shipped_service.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert answer.text.replace("\r\n", "\n") == shown


@pytest.fixture(scope="module")
def shipped_service() -> httpx.Client:
    """A service of the shipped facts, without what follows from them."""
    from wgig.rdf.shipped import read_turtle_files as graphs  # noqa: PLC0415
    from wgig.seed import list_shipped_files  # noqa: PLC0415

    store = Store.in_memory()
    store.replace({graph: graphs(paths) for graph, paths in list_shipped_files(BASE).items()})
    return service_of(Settings(), store)
