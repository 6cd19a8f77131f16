"""Pages for people: readable, safe, and usable with a keyboard and a screen reader."""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import httpx
import pytest
from wgig.pages.rendering import PAGES_FOLDER, find_href, isolate_days, read_static_files, truncate_to_letters
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.description import describe_resource
from wgig.resources.thing_page import build_resource_view
from wgig.settings import Settings
from wgig.sparql.result_page import PageResult, render_results_page
from wgig.store.store import Store

from tests.fixtures.service import Get, client_over

BASE = Settings.base
PAGES = [
    "/",
    "/sparql",
    "/search",
    "/search?q=spam",
    "/search?q=nothinglikethis",
    "/ontology",
    "/graphs",
    "/graph/test",
    "/update",
    "/tables",
    "/reconcile",
    "/sparql?query=SELEC",
    "/doc/issue",
    "/doc/issue/spam",
    "/doc/paper/wp-spam",
    "/nowhere",
    "/papers",
    "/issues?q=a&size=1",
    "/coverage",
    "/coverage?by=category",
    "/coverage?by=stakeholder-group",
    "/timeline",
    "/timeline?year=2005",
    "/timeline?page=1",
    "/people",
    "/queries",
    "/queries/due-and-delivered",
]
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Reader(HTMLParser):
    """What a page holds: its elements in their order, and the text inside each kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def reader(get: Get, path: str) -> Reader:
    return Reader(get(path, accept="text/html").text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_walked_by_landmarks_and_headings(get: Get, path: str) -> None:
    found = reader(get, path)
    assert not found.open
    assert found.all("html")[0]["lang"] == "en"
    assert len(found.all("main")) == len(found.all("h1")) == len(found.all("title")) == 1
    assert found.all("a")[0] == {"class": "skip", "href": "#main-content"}
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(cell.get("scope") for cell in found.all("th"))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    fields = {one["id"] for tag in ("select", "textarea", "input") for one in found.all(tag) if "id" in one}
    assert fields == {label["for"] for label in found.all("label")}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_and_styles_nothing_inline(get: Get, path: str) -> None:
    found = reader(get, path)
    data = {"type": "application/ld+json"}
    loaded = [one for one in found.all("script") if one != data]
    assert all(one.keys() == {"type", "src"} and one["src"] in read_static_files() for one in loaded)
    assert not found.all("style")
    assert not [
        name for _, attributes in found.elements for name in attributes if name == "style" or name[:2] == "on"
    ]


@pytest.mark.parametrize("path", PAGES)
def test_a_link_out_of_the_service_says_so(get: Get, path: str) -> None:
    for link in reader(get, path).all("a"):
        if (link["href"] or "").startswith("http"):
            assert {"nofollow", "noopener", "external"} <= set((link["rel"] or "").split())


def test_hostile_text_stays_text(get: Get) -> None:
    page_ = get("/doc/issue/hostile", accept="text/html").text
    assert "<script>" not in page_
    assert "<img" not in page_
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page_


def test_only_web_addresses_become_links(get: Get) -> None:
    links = [link["href"] for link in reader(get, "/doc/issue/hostile").all("a")]
    assert "http://example.org/?a=1&b='2'" in links
    assert not [link for link in links if (link or "").startswith("javascript")]
    assert "<code>javascript:alert(1)</code>" in get("/doc/issue/hostile", accept="text/html").text


@pytest.mark.parametrize(
    "iri", ["javascript:alert(1)", "data:text/html,x", "urn:x", "JavaScript:x", " http://a/"]
)
def test_other_schemes_are_no_links(iri: str) -> None:
    assert find_href(iri, BASE) is None


@pytest.mark.parametrize(
    ("iri", "path"),
    [
        (f"{BASE}id/issue/spam", "/doc/issue/spam"),
        (f"{BASE}id/agent/a?b#c", "/doc/agent/a%3Fb%23c"),
        (f"{BASE}id/agent/50%25", "/doc/agent/50%25"),
        (f"{BASE}ontology#Issue", "/ontology#Issue"),
        (f"{BASE}graphs?graph=urn%3Ax&_mediatype=ttl", "/graphs?graph=urn%3Ax&_mediatype=ttl"),
        (f"{BASE}graph/paper/wp-spam", "/graph/paper/wp-spam"),
    ],
)
def test_links_to_our_own_things_are_local(iri: str, path: str) -> None:
    assert find_href(iri, BASE) == path


def test_text_in_another_language_says_which(get: Get) -> None:
    assert (
        '<span lang="ar" dir="auto">البريد المزعج</span>' in get("/doc/issue/spam", accept="text/html").text
    )
    assert '<h1 lang="ko" dir="auto">김</h1>' in get("/doc/agent/kim", accept="text/html").text


def test_a_name_is_read_in_latin_letters_where_the_graph_has_them(get: Get) -> None:
    text = get("/doc/agent/lee", accept="text/html").text
    assert '<h1 lang="ko-latn" dir="auto">Yi</h1>' in text
    assert '<span lang="ko" dir="auto">이</span>' in text


def test_a_page_shows_links_both_ways_sources_and_the_graph(get: Get) -> None:
    text = get("/doc/issue/spam", accept="text/html").text
    assert '<a href="/doc/category/stable">stable and secure</a>' in text
    assert '<a href="/doc/paper/wp-spam">Paper on spam</a>' in text
    assert "entry or paper on this issue" in text
    assert 'href="http://example.org/inventory"' in text
    assert '<a href="/graph/test">Test facts</a>' in text


@pytest.mark.parametrize(
    "path", ["/sparql", "/ontology", "/graphs", "/issues", "/papers", "/timeline?page=1", "/people"]
)
def test_the_navigation_says_where_the_reader_is(get: Get, path: str) -> None:
    here = [link["href"] for link in reader(get, path).all("a") if link.get("aria-current") == "page"]
    assert here == [path.partition("?")[0]]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_can_be_searched_from(get: Get, path: str) -> None:
    forms = [one for one in reader(get, path).all("form") if one.get("role") == "search"]
    assert [one["action"] for one in forms] == ["/search"]


def test_a_table_of_facts_keeps_its_roles_when_it_is_shown_as_blocks(get: Get) -> None:
    found = reader(get, "/doc/issue/spam")
    assert all(table["role"] == "table" for table in found.all("table"))
    assert {cell["role"] for cell in found.all("th")} == {"columnheader", "rowheader"}
    assert {cell["role"] for cell in found.all("td")} == {"cell"}
    assert {row["role"] for row in found.all("tr")} == {"row"}


def test_a_mark_leads_to_the_graph_that_it_names() -> None:
    store = Store.in_memory()
    fact = f"<{BASE}id/issue/a> a <urn:Issue> ; <urn:q> 1 ."
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(fact.encode(), "text/turtle"))
    )
    for graph, number in ((f"{BASE}graph/inferred", 2), ("urn:mine", 3)):
        fact = f"<{BASE}id/issue/a> <urn:p> {number} ."
        store.apply(store.compute_addition(graph, parse_graph_document(fact.encode(), "text/turtle")))
    text = client_over(store).get("/doc/issue/a", headers={"Accept": "text/html"}).text
    assert '<span class="mark"><a href="/graph/inferred">inferred</a></span>' in text
    assert 'in graph <a href="/graphs?graph=urn%3Amine">' in text


def test_the_home_page_runs_shows_and_lists_queries(get: Get) -> None:
    found = reader(get, "/")
    names = {link["aria-label"]: link["href"] or "" for link in found.all("a") if "aria-label" in link}
    assert names["Run it: Due and delivered"].startswith("/sparql?query=")
    assert names["See the query: Due and delivered"] == "/sparql?example=due-and-delivered"
    assert "/sparql#example" in [link["href"] for link in found.all("a")]
    assert "example" in [field["id"] for field in reader(get, "/sparql").all("select")]


def test_a_query_that_was_refused_can_be_changed_and_asked_again(get: Get) -> None:
    asked = {"query": "SELEC <b>", "default-graph-uri": "urn:g", "_mediatype": "text/html"}
    answer = get(str(httpx.URL("/sparql", params=asked)), accept="text/html")
    assert answer.status_code == 400
    assert re.search(r"<textarea[^>]*>\s*SELEC &lt;b&gt;</textarea>", answer.text)
    assert '<input type="hidden" name="default-graph-uri" value="urn:g">' in answer.text
    assert "<textarea" not in get("/nowhere", accept="text/html").text


def test_inferred_statements_are_marked_and_those_that_only_repeat_are_counted() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            f"{BASE}graph/test", parse_graph_document(b"<urn:a> <urn:p> <urn:b> .", "text/turtle")
        )
    )
    follows = b"<urn:a> <urn:wider> <urn:b> . <urn:b> <urn:back> <urn:a> . <urn:a> <urn:new> <urn:c> ."
    store.apply(store.compute_addition(f"{BASE}graph/inferred", parse_graph_document(follows, "text/turtle")))
    description = describe_resource(store, "urn:a")
    assert description is not None
    view = build_resource_view(store, description, f"{BASE}graph/inferred")
    assert {group.iri: group.graphs for group in view.facts} == {
        "urn:p": (),
        "urn:new": (f"{BASE}graph/inferred",),
    }
    assert (view.incoming, view.implied_count) == ([], 2)


def test_the_query_page_begins_with_the_example_that_was_picked(get: Get) -> None:
    text = get("/sparql?example=due-and-delivered", accept="text/html").text
    assert "# title: Due and delivered" in text
    assert '<option value="due-and-delivered" selected>Due and delivered: What was due when' in text


def test_the_query_page_has_fields_for_the_parameters_of_an_example(get: Get) -> None:
    text = get("/sparql?example=agreements-and-outcomes", accept="text/html").text
    assert re.search(r'name="meeting"[^>]*\svalue="m1"', text)
    path = "/sparql?example=assessments"
    text = get(f"{path}&the_issue=spam", accept="text/html").text
    assert f"VALUES ?the_issue {{ &lt;{BASE}id/issue/spam&gt; }}" in text
    assert re.search(r'name="the_issue"[^>]*\svalue="spam"', text)
    text = get("/sparql?example=due-and-delivered&in_time=", accept="text/html").text
    assert "VALUES ?in_time { UNDEF }" in text
    assert get(f"{path}&nothing=spam", accept="text/html").status_code == 400


@pytest.mark.parametrize("wrong", ["nonsense", "meeting:m1", "[b]"])
def test_a_parameter_that_names_nothing_is_told_at_its_field_and_kept(get: Get, wrong: str) -> None:
    told = get(f"/queries/assessments?the_issue={wrong}").json()["detail"]
    answer = get(f"/sparql?example=assessments&the_issue={wrong}", accept="text/html")
    assert answer.status_code == 400
    (field,) = (one for one in Reader(answer.text).all("input") if one.get("name") == "the_issue")
    assert (field["value"], field["aria-invalid"]) == (wrong, "true")
    assert (field["aria-describedby"] or "").endswith(" said-the_issue")
    assert told in unescape(answer.text.partition('id="said-the_issue">')[2])
    assert "VALUES ?the_issue { UNDEF }" in answer.text


def test_a_parameter_without_a_default_is_shown_without_one(get: Get) -> None:
    text = get("/queries", accept="text/html").text
    assert "(<code>meeting</code>, by default <code>m1</code>): The meeting that settled it." in text
    assert "(<code>issue</code>): Only this issue." in text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "<li>В чем расходятся источники?"),
        ("/", 'aria-label="Посмотреть запрос: Расхождения"'),
        ("/queries", '<dt><a href="/queries/coverage-matrix">Матрица охвата</a></dt>'),
        ("/queries", "Только этот вопрос."),
        ("/queries/disagreements?_mediatype=text/html", "<p>Одна строка — сведения одного рода: "),
        ("/sparql?example=coverage-matrix", '<label for="of-the_issue">Только этот вопрос.</label>'),
        ("/sparql", ">Матрица охвата: По каждому вопросу и критерию: "),
        ("/doc/issue", '<a href="/queries/coverage-matrix">По каждому вопросу и критерию: '),
        ("/doc/issue/spam", "В каких документах, какой вопрос и по какому критерию оценивается"),
    ],
)
def test_an_example_query_is_told_in_the_language_of_the_page(get: Get, path: str, says: str) -> None:
    text = get(path, accept="text/html", accept_language="ru").text
    assert says in text
    assert 'lang="en" dir="ltr">Which' not in text


def test_an_example_query_is_english_as_data(get: Get) -> None:
    queries = get("/queries", accept="application/json", accept_language="ru").json()["queries"]
    assert {"Coverage matrix", "Disagreements"} <= {one["title"] for one in queries}


def test_an_answer_on_a_page_is_a_table_with_ways_to_the_data(get: Get) -> None:
    query = "SELECT ?x ?y { VALUES (?x ?y) { ('<b>' UNDEF) } }"
    text = str(get(str(httpx.URL("/sparql", params={"query": query})), accept="text/html").text)
    assert "1 row." in text
    assert "&lt;b&gt;" in text
    assert "_mediatype=text%2Fcsv" in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("ASK {}", "yes"),
        ("ASK { FILTER(false) }", "no"),
        ("CONSTRUCT { <urn:a> <urn:b> 1 } {}", "&lt;urn:a&gt; &lt;urn:b&gt; 1"),
    ],
)
def test_an_answer_that_is_no_table_is_a_text(get: Get, query: str, shown: str) -> None:
    text = get(str(httpx.URL("/sparql", params={"query": query})), accept="text/html").text
    assert re.search(rf">\s*{re.escape(shown)}", text), text


def test_a_long_table_says_that_it_is_cut(get: Get) -> None:
    query = f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(1001)))} }} }}"
    text = get(str(httpx.URL("/sparql", params={"query": query})), accept="text/html").text
    assert "1,001 rows." in text
    assert "Only the first 1,000 are shown" in text


def test_static_files_are_kept_for_ever_by_their_digest(get: Get) -> None:
    for path in read_static_files():
        answer = get(path)
        assert "immutable" in answer.headers["cache-control"]
    assert get("/static/style.css").status_code == 404
    assert get("/static/..%2Fthing.py").status_code == 404


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_all_text_has_contrast_in_light_and_dark() -> None:
    style = next(content for path, content in read_static_files().items() if path.endswith(".css")).decode()
    schemes = re.findall(r":root \{([^}]+)\}", style)
    assert len(schemes) == 2
    for scheme in schemes:
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
        for ground in ("ground", "raised"):
            code = [one for one in colors if one.startswith("code-")]
            for text in ("text", "quiet", "link", "notice", *code):
                dark, light = sorted((luminance(colors[ground]), luminance(colors[text])))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, text)


@pytest.mark.parametrize(
    ("form", "body", "shown", "left_out"),
    [
        (
            "SELECT",
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"one"}},{"x":',
            "one",
            "two",
        ),
        (
            "SELECT",
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"two',
            "0 rows",
            "two",
        ),
        ("CONSTRUCT", b"<x:one> a <x:C> .\n<x:two> a <x:\xc3", "x:one", "x:two"),
    ],
)
def test_a_page_shows_what_there_is_of_an_answer_that_is_not_whole(
    form: str, body: bytes, shown: str, left_out: str
) -> None:
    page = render_results_page(
        PageResult(body, form, is_whole=False), [("query", "")], "https://w3id.org/wgig/"
    ).decode()
    assert "too large for a page" in page
    assert shown in page
    assert left_out not in page


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("spam", 4, "spam"),
        ("spam, again", 6, "spam,…"),
        ("SPAM, again", 6, "SPAM…"),
        ("천강식", 6, "천강식"),
        ("천강식", 5, "천강…"),
        ("a\u202eb\n c", 9, "a b c"),
        ("", 1, ""),
    ],
)
def test_a_label_of_a_picture_is_as_wide_as_its_letters(text: str, most: int, shown: str) -> None:
    assert truncate_to_letters(text, most) == shown


def test_a_day_in_a_sentence_is_not_turned_by_its_words() -> None:
    assert isolate_days("<مثل 2005-01-20.") == '&lt;مثل <bdi dir="ltr">2005-01-20</bdi>.'


def test_each_block_of_the_style_ends() -> None:
    style = (PAGES_FOLDER / "static" / "style.css").read_text(encoding="utf-8")
    assert style.count("{") == style.count("}")
