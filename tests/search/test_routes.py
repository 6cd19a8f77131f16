"""/search as pages, JSON, JSON-LD and Atom, and search in SPARQL by SERVICE.

In JSON, `meant` is the search with corrected spelling, or null if it is unchanged.
"""

import csv
import html
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import httpx2
import pyoxigraph as ox
import pytest
import rdflib
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_turtle_files
from wgig.search.criteria import MAX_SEARCH_MATCHES
from wgig.search.ranking import MAX_COUNTED_ROWS
from wgig.search.sparql_service import MAX_SERVICE_MATCHES
from wgig.seed import list_shipped_files
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

BASE = Settings.base
TOKEN = "secret"
OPENSEARCH_TAG = "{http://a9.com/-/spec/opensearch/1.1/}"
ATOM_TAG = "{http://www.w3.org/2005/Atom}"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SEARCH_PREFIX = f"PREFIX search: <{BASE}search#> "
SERVICE_CLAUSE = f"SERVICE <{BASE}search>"
QUERYING_PAGE = (CHECKOUT_FOLDER / "docs" / "reference" / "querying.md").read_text(encoding="utf-8")
HOSTILE_TEXT = '<script>alert("spam")</script> spam & bulk'


def build_issues(count: int) -> bytes:
    """N-Triples of issues with names such as "Common word 7"."""
    return b"".join(
        f'<{BASE}id/issue/i{number}> <{SKOS}prefLabel> "Common word {number}"@en .\n'.encode()
        for number in range(count)
    )


DATA_TURTLE = f"""
<{BASE}id/issue/spam> <{SKOS}prefLabel> "Spam"@en, "Pourriel"@fr ; <{SKOS}definition> "Bulk messages"@en .
<{BASE}id/agent/kummer> <http://xmlns.com/foaf/0.1/name> "Markus Kummer" .
<{BASE}id/issue/evil> <{SKOS}prefLabel> "Evil"@en ; <{SKOS}scopeNote> {json.dumps(HOSTILE_TEXT + chr(1))}@en .
""".encode()  # chr(1) cannot occur in XML


@pytest.fixture(scope="module")
def store() -> Store:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            f"{BASE}graph/test", parse_graph_document(DATA_TURTLE + build_issues(45), "text/turtle")
        )
    )
    return store


GetResponse = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def get(store: Store) -> GetResponse:
    """A function that sends a GET request."""
    client = make_service_client(Settings(), store)

    def send_request(path: str, accept: str = "application/json", **parameters: str) -> httpx2.Response:
        return client.get(path, params=parameters or None, headers={"Accept": accept})

    return send_request


def test_json_has_resources_with_labels_and_marked_snippets(get: GetResponse) -> None:
    results = get("/search", q="bulk", lang="en").json()
    assert (results["total"], results["more"]) == (2, False)
    assert (results["everyWord"], results["meant"]) == (True, None)
    assert results["items"][0] == {
        "id": f"{BASE}id/issue/spam",
        "url": "/doc/issue/spam",
        "label": "Spam",
        "language": "en",
        "kind": "issue",
        "property": f"{SKOS}definition",
        "snippet": "<mark>Bulk</mark> messages",
    }


def test_corrected_search_is_shown(get: GetResponse) -> None:
    assert get("/search", q="bulkk mesages").json()["meant"] == "bulk messages"
    assert "No results for" in get("/search", "text/html", q="bulkk").text


def test_json_reports_whether_every_word_was_found(get: GetResponse) -> None:
    queries = ("bulk/messages", "spam-kummer", "bul-k", "zzzz-qqqq")  # "bul-k" is corrected to "bulk"
    results_by_query = {query: get("/search", q=query).json() for query in queries}
    assert {
        query: (results["total"], results["meant"], results["everyWord"])
        for query, results in results_by_query.items()
    } == {
        "bulk/messages": (1, None, True),
        "spam-kummer": (3, None, False),
        "bul-k": (2, "bulk", True),
        "zzzz-qqqq": (0, None, False),
    }


def test_json_pages_link_to_the_next_page(get: GetResponse) -> None:
    first = get("/search", q="common")
    assert first.json()["total"] == 45
    assert first.json()["next"] == "/search.json?q=common&page=2"
    assert '</search?q=common&page=2>; rel="next"' in first.headers["link"]
    ids, path = [], "/search?q=common"
    while path:
        page = get(path).json()
        ids += [item["id"] for item in page["items"]]
        path = page.get("next")
    assert len(set(ids)) == len(ids) == 45


@pytest.mark.parametrize("suffix", ["html", "jsonld", "atom"])
def test_pages_link_to_pages_in_the_same_format(get: GetResponse, suffix: str) -> None:
    for path in (f"/search.{suffix}?q=common&lang=", f"/search?q=common&_mediatype={suffix}"):
        first_page = get(path, "application/json")
        next_url = first_page.links["next"]["url"]
        next_page = get(next_url, "application/json")
        assert next_page.headers["content-type"] == first_page.headers["content-type"] != "application/json"
        assert "lang=" not in next_url  # an empty parameter is dropped
        if suffix == "html":
            assert f'href="{next_url.replace("&", "&amp;")}" rel="next"' in first_page.text


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
        (400, {"q": "spam", "page": "٣"}),  # the Arabic digit three
        (400, {"q": "spam", "page": "1e9"}),
        (404, {"q": "spam", "page": "2"}),
        (400, {"q": "spam", "offset": "3"}),
    ],
)
def test_invalid_search_is_refused_with_a_reason(
    get: GetResponse, status: int, parameters: dict[str, str]
) -> None:
    response = get("/search", **parameters)
    assert response.status_code == status
    assert len(response.json()["detail"]) > 20


def test_repeated_parameter_and_unsupported_format_are_refused(get: GetResponse) -> None:
    assert get("/search?q=a&q=b").status_code == 400
    assert get("/search?q=spam", "text/csv").status_code == 406


def test_empty_language_or_asterisk_matches_all_languages(get: GetResponse) -> None:
    assert get("/search?q=pourriel&lang=&page=&kind=").json()["total"] == 1
    assert get("/search?q=pourriel&lang=*").json()["total"] == 1
    assert get("/search?q=pourriel&lang=FR").json()["items"][0]["label"] == "Pourriel"


def test_json_ld_is_a_schema_org_search_results_page(get: GetResponse) -> None:
    quads = ox.parse(get("/search", "application/ld+json", q="spam").content, ox.RdfFormat.JSON_LD)
    n_triples = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES) or b""
    graph = rdflib.Graph().parse(data=n_triples, format="nt")
    schema = rdflib.Namespace("https://schema.org/")
    (page,) = graph.subjects(rdflib.RDF.type, schema.SearchResultsPage)
    (item_list,) = graph.objects(page, schema.mainEntity)
    items = sorted(
        (str(next(graph.objects(element, schema.position))), next(graph.objects(element, schema.item)))
        for element in graph.objects(item_list, schema.itemListElement)
    )
    assert items[0] == ("1", rdflib.URIRef(f"{BASE}id/issue/spam"))
    assert rdflib.Literal("Spam", lang="en") in set(graph.objects(items[0][1], schema.name))


def test_atom_feed_has_opensearch_elements(get: GetResponse) -> None:
    response = get("/search", "application/atom+xml", q="common", page="2")
    feed = ElementTree.fromstring(response.content)
    assert response.headers["content-type"] == "application/atom+xml"
    names = ("totalResults", "startIndex", "itemsPerPage")
    assert [feed.findtext(OPENSEARCH_TAG + name) for name in names] == [
        "45",
        "21",
        "20",
    ]
    entries = feed.findall(f"{ATOM_TAG}entry")
    assert len(entries) == 20
    for element in (feed, *entries):  # RFC 4287, sections 4.1.1 and 4.1.2
        assert all(element.findtext(ATOM_TAG + name) for name in ("id", "title", "updated"))
    links = {link.get("rel"): link.get("href") or "" for link in feed.findall(f"{ATOM_TAG}link")}
    assert set(links) == {"first", "last", "previous", "next", "search"}
    next_page = get(links["next"].removeprefix("http://localhost"))
    assert next_page.headers["content-type"] == "application/atom+xml"


def test_opensearch_description_has_valid_url_templates(get: GetResponse) -> None:
    response = get("/opensearch.xml", "*/*")
    assert response.headers["content-type"] == "application/opensearchdescription+xml"
    root = ElementTree.fromstring(response.content)
    assert root.tag == f"{OPENSEARCH_TAG}OpenSearchDescription"
    assert 0 < len(root.findtext(f"{OPENSEARCH_TAG}ShortName") or "") <= 16
    for url in root.findall(f"{OPENSEARCH_TAG}Url"):
        template = (url.get("template") or "").replace("{searchTerms}", "spam")
        results = get(re.sub(r"\{\w+\?\}", "", template).removeprefix("http://localhost"), "*/*")
        assert results.status_code == 200
        assert results.headers["content-type"].startswith(url.get("type") or "nothing")


def test_pages_link_to_the_opensearch_description(get: GetResponse) -> None:
    for path in ("/", "/search", "/doc/issue/spam"):
        text = get(path, "text/html").text
        assert (
            '<link rel="search" type="application/opensearchdescription+xml" href="/opensearch.xml"' in text
        )


def test_form_keeps_the_typed_search(get: GetResponse) -> None:
    assert 'name="q"' in get("/search", "text/html").text
    text = get("/search", "text/html", q='"bulk" <messages>', kind="issue").text
    assert 'value="&#34;bulk&#34; &lt;messages&gt;"' in text
    text = get("/search", "text/html", q="pourriel", lang="fr").text
    assert '<option value="fr" selected>' in text


def list_kind_counts(page: str) -> dict[str, tuple[str, str]]:
    """The address and the number of the link to each kind."""
    links = re.findall(r'<li><a href="([^"]*)"[^>]*>([^<]*)</a> <span class="count">([^<]*)<', page)
    return {title: (html.unescape(address), count) for address, title, count in links}


def test_page_counts_the_results_of_each_kind(page_client: httpx2.Client) -> None:
    page = page_client.get("/search", params={"q": "root servers"}).text
    counts = list_kind_counts(page)
    assert next(iter(counts)) == "All"
    assert int(counts["All"][1]) == sum(int(count) for title, (_, count) in counts.items() if title != "All")
    for title in ("Issues", "Judgments"):
        address, count = counts[title]
        narrowed = page_client.get(address).text
        assert re.search(rf'<h2 id="found">{count} results?</h2>', narrowed)
        assert list_kind_counts(narrowed)[title] == (address, count)
        assert f'aria-current="true">{title}<' in narrowed


def test_numbers_agree_if_not_all_results_are_shown(page_client: httpx2.Client) -> None:
    page = page_client.get("/search", params={"q": "WGIG"}).text
    count = list_kind_counts(page)["All"][1]
    assert f'<h2 id="found">{count} results</h2>' in page
    assert re.search(r"The best \d+ are shown", page)


def test_kinds_that_few_look_for_are_folded(page_client: httpx2.Client) -> None:
    page = page_client.get("/search", params={"q": "WGIG"}).text
    other_kinds = page.partition("<summary>Other <")[2].partition("</details>")[0]
    for title in ("Claims", "Memberships"):
        assert f">{title}</a>" in other_kinds
    assert ">Papers</a>" not in other_kinds


def test_results_say_what_they_are(page_client: httpx2.Client) -> None:
    page = " ".join(page_client.get("/search", params={"q": "spam"}).text.split())
    assert '<mark>Spam</mark></a></h3> <p><span class="mark">Our summary:</span> <bdi>Bulk' in page
    assert '<p class="mark">Issue</p>' in page
    for line, category in (("23", "access for all"), ("31", "stable and secure functioning of the Internet")):
        entry = page.partition(f"Inventory, line {line}: <mark>Spam</mark>")[2].partition("</li>")[0]
        assert f"in the category <bdi>{category}</bdi>" in entry


def test_snippets_are_no_notes_of_the_editors(page_client: httpx2.Client) -> None:
    for words in ("third round of open consultations", "WGIG 3rd meeting"):
        results = page_client.get("/search.json", params={"q": words}).json()
        assert f"{SKOS}note" not in {item["property"] for item in results["items"]}


@pytest.mark.parametrize(("words", "language"), [("open", "ko"), ("spam", "ar"), ("spam", "ru")])
def test_language_leaves_out_texts_without_a_language(
    page_client: httpx2.Client, words: str, language: str
) -> None:
    results = page_client.get("/search.json", params={"q": words, "lang": language}).json()
    assert {item["language"] for item in results["items"]} <= {language}


def test_page_without_words_has_examples_with_results(page_client: httpx2.Client) -> None:
    page = page_client.get("/search").text.partition("<h2>Examples</h2>")[2]
    paths = re.findall(r'href="(/search\?q=[^"]+)"', page.partition("</ul>")[0])
    assert len(paths) == 3
    assert all(page_client.get(path.replace("?", ".json?")).json()["total"] for path in paths)
    assert 'href="/queries"' in page


def test_numbers_that_are_not_complete_are_marked() -> None:
    store = Store.in_memory()
    issues = build_issues(MAX_COUNTED_ROWS + 5)
    store.apply(store.compute_addition(None, parse_graph_document(DATA_TURTLE + issues, "text/turtle")))
    client = make_service_client(Settings(), store, Accept="text/html")
    page = client.get("/search", params={"q": "common word"}).text
    assert list_kind_counts(page)["Issues"][1] == f"{MAX_COUNTED_ROWS:,}+"
    assert f"More than {MAX_COUNTED_ROWS:,} results" in page


def test_records_for_programs_are_apart_and_last(page_client: httpx2.Client) -> None:
    page = page_client.get("/search", params={"q": "milestones", "page": "1"}).text
    assert page.count("<h2>For developers</h2>") == 1
    people, machines = page.split("<h2>For developers</h2>")
    assert 'href="/graphs?graph=' in machines
    assert 'href="/graphs?graph=' not in people
    kinds = page.partition("<h3>For developers</h3>")[2].partition("</nav>")[0]
    assert "kind=term" in kinds
    assert "kind=issue" not in kinds


def test_question_is_found_with_its_answer(page_client: httpx2.Client) -> None:
    page = page_client.get("/search", params={"q": "members by group"}).text
    assert 'href="/queries/members-by-group-and-region"' in page
    assert page_client.get("/search", params={"q": "members", "kind": "query"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "help_text"),
    [
        ("q=VeriSing", 'Did you mean <a href="/search?q=verisign" dir="auto">verisign</a>?'),
        ("q=xqzwv&kind=issue", '<a href="/search?q=xqzwv">Search in all types and languages</a>'),
        ("q=xqzwv", "Check the spelling"),
        ("q=xqzwv", 'href="/queries"'),
        ("q=%3Cxqzwv%3E", "Nothing matches <bdi>&lt;xqzwv&gt;</bdi>"),
    ],
)
def test_page_without_results_says_what_to_do(page_client: httpx2.Client, query: str, help_text: str) -> None:
    page = page_client.get(f"/search?{query}").text
    assert '<h2 id="found">No results</h2>' in page
    assert help_text in " ".join(page.split())


def test_markup_in_data_is_escaped(get: GetResponse) -> None:
    page = get("/search", "text/html", q="alert").text
    assert "<script>" not in page
    assert "&lt;script&gt;<mark>alert</mark>" in page
    snippet = get("/search", q="alert").json()["items"][0]["snippet"]
    assert snippet.startswith("&lt;script&gt;<mark>alert</mark>(&#34;spam&#34;)")
    feed = ElementTree.fromstring(get("/search", "application/atom+xml", q="alert").content)
    summary = feed.findtext(f"{ATOM_TAG}entry/{ATOM_TAG}summary") or ""
    assert summary.startswith(snippet[:30])


def test_cached_results_are_valid_until_a_write() -> None:
    client = make_service_client(Settings(token=TOKEN, history="lost"), Store.in_memory())
    etag = client.get("/search?q=bridges").headers["etag"]
    assert client.get("/search?q=bridges", headers={"If-None-Match": etag}).status_code == 304
    for text, total in (("Sturdy bridges", 1), ("Old roads", 0)):
        put_response = client.put(
            "/graphs?graph=x:g",
            content=f'<x:a> <http://purl.org/dc/terms/title> "{text}" .',
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"},
        )
        assert put_response.is_success
        response = client.get("/search?q=bridges", headers={"If-None-Match": etag})
        assert response.status_code == 200 or not total  # without matches, the first result is valid again
        assert client.get("/search?q=bridges").json()["total"] == total


QueryRows = Callable[[str], list[list[str]]]


@pytest.fixture
def query_rows(get: GetResponse) -> QueryRows:
    """A function that returns the result rows of a SPARQL query."""

    def run_query(query: str) -> list[list[str]]:
        response = get("/sparql", "text/csv", query=SEARCH_PREFIX + query)
        assert response.status_code == 200, response.text
        return list(csv.reader(response.text.splitlines()))[1:]

    return run_query


def test_query_joins_search_matches_with_the_graph(query_rows: QueryRows) -> None:
    query = f"""SELECT ?label ?rank ?snippet ?other {{
      {SERVICE_CLAUSE} {{
        ?thing search:matches "bulk" ; search:rank ?rank ; search:snippet ?snippet ; search:label ?label
      }}
      ?thing <{SKOS}prefLabel> ?other FILTER(LANG(?other) = "fr")
    }}"""
    assert query_rows(query) == [["Spam", "1", "Bulk messages", "Pourriel"]]


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
def test_search_in_a_query_may_have_filters_and_a_limit(
    query_rows: QueryRows, pattern: str, count: int
) -> None:
    assert query_rows(f"SELECT (COUNT(*) AS ?n) {{ {SERVICE_CLAUSE} {{ {pattern} }} }}") == [[str(count)]]


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
def test_invalid_search_in_a_query_is_refused(get: GetResponse, pattern: str) -> None:
    response = get(
        "/sparql", "text/csv", query=f"{SEARCH_PREFIX} SELECT * {{ {SERVICE_CLAUSE} {{ {pattern} }} }}"
    )
    assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ('search:kind "nope"', "Nothing has the kind 'nope'. Choose from: agent, "),
        ('search:language "tlh"', "Nothing has the language 'tlh'. Choose from: "),
    ],
)
def test_unknown_kind_or_language_in_a_query_is_refused_with_known_values(
    get: GetResponse, pattern: str, message: str
) -> None:
    service_call = f'{SERVICE_CLAUSE} {{ ?thing search:matches "spam" ; {pattern} }}'
    response = get("/sparql", "text/csv", query=f"{SEARCH_PREFIX} SELECT * {{ {service_call} }}")
    assert (response.status_code, message in response.text) == (400, True), response.text


@pytest.mark.parametrize("language", ["*", "", "FR"])
def test_search_language_accepts_the_values_of_the_parameter_lang(
    query_rows: QueryRows, language: str
) -> None:
    pattern = f'?thing search:matches "pourriel" ; search:language "{language}"'
    assert query_rows(f"SELECT (COUNT(*) AS ?n) {{ {SERVICE_CLAUSE} {{ {pattern} }} }}") == [["1"]]


def test_too_many_matches_in_a_query_are_refused() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            None, parse_graph_document(build_issues(MAX_SERVICE_MATCHES + 1), "text/turtle")
        )
    )
    client = make_service_client(Settings(), store)
    query = f'{SEARCH_PREFIX} SELECT * {{ {SERVICE_CLAUSE} {{ ?thing search:matches "common" }} }}'
    response = client.get("/sparql", params={"query": query})
    assert response.status_code == 413
    assert "search:best" in response.json()["detail"]
    results = client.get("/search", params={"q": "common"}).json()
    assert (results["total"], results["more"]) == (MAX_SEARCH_MATCHES, True)


def test_query_with_a_search_is_cached_with_validation(get: GetResponse) -> None:
    query = f'{SEARCH_PREFIX} SELECT * {{ {SERVICE_CLAUSE} {{ ?thing search:matches "spam" }} }}'
    assert get("/sparql", "text/csv", query=query).headers["cache-control"] == "no-cache"


def test_search_properties_cause_no_unknown_term_warning(get: GetResponse) -> None:
    pattern = '?thing search:matches "zzzz" ; search:rank ?rank'
    query = f"{SEARCH_PREFIX} SELECT * {{ {SERVICE_CLAUSE} {{ {pattern} }} }}"
    response = get("/sparql", "text/csv", query=query, hints="")
    assert "wgig-warning" not in response.headers


def test_update_may_contain_a_search() -> None:
    store = Store.in_memory()
    store.apply(store.compute_addition(None, parse_graph_document(DATA_TURTLE, "text/turtle")))
    client = make_service_client(Settings(token=TOKEN, history="lost"), store)
    service_call = f'{SERVICE_CLAUSE} {{ ?thing search:matches "kummer" }}'
    update = f"{SEARCH_PREFIX} INSERT {{ ?thing <x:found> true }} WHERE {{ {service_call} }}"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
    assert client.post("/update", content=update, headers=headers).status_code == 204
    response = client.get("/sparql", params={"query": "SELECT ?s { ?s <x:found> true }", "_mediatype": "csv"})
    assert response.text.split() == ["s", f"{BASE}id/agent/kummer"]


def test_search_iri_in_load_and_similar_service_iris_are_refused() -> None:
    client = make_service_client(Settings(token=TOKEN), Store.in_memory())
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
    assert client.post("/update", content=f"LOAD <{BASE}search>", headers=headers).status_code == 403
    assert (
        client.get("/sparql", params={"query": f"SELECT * {{ SERVICE <{BASE}search2> {{}} }}"}).status_code
        == 403
    )


def test_query_with_a_search_has_no_explanation() -> None:
    client = make_service_client(Settings(), Store.in_memory())
    explanation = client.get(
        "/sparql", params={"explain": "", "query": f"SELECT * {{ {SERVICE_CLAUSE} {{}} }}"}
    )
    assert explanation.status_code == 422


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ICANN", "agent/icann"),
        ("root server", "issue/root-server-system"),
        ("capacity building", "issue/education-capacity-building"),
        ("governments lack authority", "judgment/069"),
        ("viewed as being fully democratic", "judgment/069"),
        ("working definition", "definition/wgig"),
        ("Déclaration de principes", "document/declaration"),
        ("cooperate closely institutions", "recommendation/001"),
    ],
)
def test_what_is_searched_for_in_the_bundled_facts_is_first(
    facts_client: httpx2.Client, text: str, name: str
) -> None:
    items = facts_client.get("/search", params={"q": text}).json()["items"]
    assert items[0]["id"] == f"{BASE}id/{name}"


def test_snippet_of_a_judgment_is_not_its_label(facts_client: httpx2.Client) -> None:
    (item,) = facts_client.get("/search", params={"q": "governments lack authority"}).json()["items"]
    assert item["label"].startswith("Governments lack authority, so")
    assert "the process cannot be viewed as being fully democratic" in item["snippet"]


def test_query_in_the_docs_has_the_result_in_the_docs(facts_client: httpx2.Client) -> None:
    queries = re.findall(r"```sparql\n(.*?)```", QUERYING_PAGE, re.DOTALL)
    (query,) = (query for query in queries if "search:matches" in query)
    result = QUERYING_PAGE.partition(query)[2].partition("```csv\n")[2].partition("```")[0]
    response = facts_client.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert response.text.replace("\r\n", "\n") == result


@pytest.fixture(scope="module")
def facts_client() -> httpx2.Client:
    """A client of a service with the bundled facts, without inferred triples."""
    store = Store.in_memory()
    store.replace({graph: read_turtle_files(paths) for graph, paths in list_shipped_files(BASE).items()})
    return make_service_client(Settings(), store)
