"""HTML pages: structure, escaping, links, languages, accessibility and styles.

The fixture `get` sends requests to a service with the small graph of tests/fixtures/graph.ttl.
"""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import httpx2
import pyoxigraph as ox
import pytest
from wgig.http.negotiation import CompressionEffort, compress_body
from wgig.pages.rendering import (
    PAGES_FOLDER,
    build_static_path,
    find_href,
    isolate_days,
    link_report_paragraphs,
    read_logo,
    read_static_files,
    truncate_to_letters,
)
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.sparql_lexer import SparqlText
from wgig.resources.description import describe_resource
from wgig.resources.resource_page import build_resource_view
from wgig.settings import Settings
from wgig.sparql.examples import EXAMPLE_SUBJECTS
from wgig.sparql.result_page import PageResult, render_results_page
from wgig.store.store import Store

from tests.fixtures.service import GetFunction, make_store_client

BASE = Settings.base
PAGE_PATHS = [
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
VOID_ELEMENTS = {"meta", "link", "input", "br", "hr", "img"}  # without an end tag


class ParsedPage(HTMLParser):
    """The elements of a page, in document order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open_tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def list_elements(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def parse_page(get: GetFunction, path: str) -> ParsedPage:
    return ParsedPage(get(path, accept="text/html").text)


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_page_has_landmarks_headings_and_labels(get: GetFunction, path: str) -> None:
    parsed_page = parse_page(get, path)
    assert not parsed_page.open_tags
    assert parsed_page.list_elements("html")[0]["lang"] == "en"
    assert (
        len(parsed_page.list_elements("main"))
        == len(parsed_page.list_elements("h1"))
        == len(parsed_page.list_elements("title"))
        == 1
    )
    assert parsed_page.list_elements("a")[0] == {"class": "skip", "href": "#main-content"}
    levels = [int(tag[1]) for tag, _ in parsed_page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(level <= previous_level + 1 for previous_level, level in pairwise(levels))
    assert all(cell.get("scope") for cell in parsed_page.list_elements("th"))
    ids = [attributes["id"] for _, attributes in parsed_page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    fields = {
        element["id"]
        for tag in ("select", "textarea", "input")
        for element in parsed_page.list_elements(tag)
        if "id" in element
    }
    assert fields == {label["for"] for label in parsed_page.list_elements("label")}


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_page_has_no_inline_scripts_and_styles(get: GetFunction, path: str) -> None:
    parsed_page = parse_page(get, path)
    json_ld = {"type": "application/ld+json"}
    scripts = [element for element in parsed_page.list_elements("script") if element != json_ld]
    assert all(
        script.keys() == {"type", "src"} and script["src"] in read_static_files() for script in scripts
    )
    assert not parsed_page.list_elements("style")
    assert not [
        name
        for _, attributes in parsed_page.elements
        for name in attributes
        if name == "style" or name[:2] == "on"
    ]


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_external_links_are_marked(get: GetFunction, path: str) -> None:
    for link in parse_page(get, path).list_elements("a"):
        if (link["href"] or "").startswith("http"):
            assert {"nofollow", "noopener", "external"} <= set((link["rel"] or "").split())


def test_hostile_text_is_escaped(get: GetFunction) -> None:
    page = get("/doc/issue/hostile", accept="text/html").text
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_only_http_iris_are_linked(get: GetFunction) -> None:
    links = [link["href"] for link in parse_page(get, "/doc/issue/hostile").list_elements("a")]
    assert "http://example.org/?a=1&b='2'" in links
    assert not [link for link in links if (link or "").startswith("javascript")]
    assert "<code>javascript:alert(1)</code>" in get("/doc/issue/hostile", accept="text/html").text


@pytest.mark.parametrize(
    "iri", ["javascript:alert(1)", "data:text/html,x", "urn:x", "JavaScript:x", " http://a/"]
)
def test_iris_with_other_schemes_are_not_linked(iri: str) -> None:
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
def test_links_to_resources_of_the_service_are_local(iri: str, path: str) -> None:
    assert find_href(iri, BASE) == path


def test_text_in_another_language_has_lang_attribute(get: GetFunction) -> None:
    assert (
        '<span lang="ar" dir="auto">البريد المزعج</span>' in get("/doc/issue/spam", accept="text/html").text
    )
    assert '<h1 lang="ko" dir="auto">김</h1>' in get("/doc/agent/kim", accept="text/html").text


def test_title_prefers_label_marked_as_latin_script(get: GetFunction) -> None:
    page = get("/doc/agent/lee", accept="text/html").text
    assert '<h1 lang="ko-latn" dir="auto">Yi</h1>' in page  # "Yi"@ko-Latn in graph.ttl
    assert '<span lang="ko" dir="auto">이</span>' in page


def test_resource_page_shows_links_in_both_directions_sources_and_graph(get: GetFunction) -> None:
    page = get("/doc/issue/spam", accept="text/html").text
    assert '<a href="/doc/category/stable">stable and secure</a>' in page
    assert '<a href="/doc/paper/wp-spam">Paper on spam (added to this service)</a>' in page
    assert "entry or paper on this issue" in page
    assert 'href="http://example.org/inventory"' in page
    assert '<a href="/graph/test">Test facts</a>' in page


@pytest.mark.parametrize(
    "path", ["/sparql", "/ontology", "/graphs", "/issues", "/papers", "/timeline?page=1", "/people"]
)
def test_navigation_marks_current_page(get: GetFunction, path: str) -> None:
    current_links = [
        link["href"]
        for link in parse_page(get, path).list_elements("a")
        if link.get("aria-current") == "page"
    ]
    assert current_links == [path.partition("?")[0]]


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_every_page_has_one_search_form(get: GetFunction, path: str) -> None:
    forms = [
        element for element in parse_page(get, path).list_elements("form") if element.get("role") == "search"
    ]
    assert [form["action"] for form in forms] == ["/search"]


def test_fact_tables_have_explicit_roles(get: GetFunction) -> None:
    parsed_page = parse_page(get, "/doc/issue/spam")
    assert all(table["role"] == "table" for table in parsed_page.list_elements("table"))
    assert {cell["role"] for cell in parsed_page.list_elements("th")} == {"columnheader", "rowheader"}
    assert {cell["role"] for cell in parsed_page.list_elements("td")} == {"cell"}
    assert {row["role"] for row in parsed_page.list_elements("tr")} == {"row"}


def test_graph_badge_links_to_graph() -> None:
    store = Store.in_memory()
    fact = f"<{BASE}id/issue/a> a <urn:Issue> ; <urn:q> 1 ."
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(fact.encode(), "text/turtle"))
    )
    for graph, number in ((f"{BASE}graph/inferred", 2), ("urn:mine", 3)):
        fact = f"<{BASE}id/issue/a> <urn:p> {number} ."
        store.apply(store.compute_addition(graph, parse_graph_document(fact.encode(), "text/turtle")))
    page = make_store_client(store).get("/doc/issue/a", headers={"Accept": "text/html"}).text
    assert '<span class="mark"><a href="/graph/inferred">inferred</a></span>' in page
    assert 'in graph <a href="/graphs?graph=urn%3Amine">' in page


def test_home_page_links_to_example_queries_and_the_editor(get: GetFunction) -> None:
    links = [link["href"] for link in parse_page(get, "/").list_elements("a")]
    assert {"/queries", "/sparql"} <= {*links}


def test_refused_query_is_shown_in_form(get: GetFunction) -> None:
    parameters = {"query": "SELEC <b>", "default-graph-uri": "urn:g", "_mediatype": "text/html"}
    response = get(str(httpx2.URL("/sparql", params=parameters)), accept="text/html")
    assert response.status_code == 400
    assert re.search(r"<textarea[^>]*>\s*SELEC &lt;b&gt;</textarea>", response.text)
    assert '<input type="hidden" name="default-graph-uri" value="urn:g">' in response.text
    assert "<textarea" not in get("/nowhere", accept="text/html").text  # other errors show no form


def test_inferred_statements_are_marked_and_repeated_ones_counted() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            f"{BASE}graph/test", parse_graph_document(b"<urn:a> <urn:p> <urn:b> .", "text/turtle")
        )
    )
    inferred_turtle = (
        b"<urn:a> <urn:wider> <urn:b> . <urn:b> <urn:back> <urn:a> . <urn:a> <urn:new> <urn:c> ."
    )
    store.apply(
        store.compute_addition(f"{BASE}graph/inferred", parse_graph_document(inferred_turtle, "text/turtle"))
    )
    description = describe_resource(store, "urn:a")
    assert description is not None
    view = build_resource_view(store, description, BASE)
    assert {group.iri: group.graphs for group in view.facts} == {
        "urn:p": (),
        "urn:new": (f"{BASE}graph/inferred",),
    }
    # `wider` and `back` connect the resources that `p` connects, so they are only counted.
    assert (view.incoming, view.implied_count) == ([], 2)


def test_query_page_shows_selected_example(get: GetFunction) -> None:
    page = get("/sparql?example=due-and-delivered", accept="text/html").text
    assert "# title: Due and delivered" not in page  # the header of the file
    assert "SELECT ?milestone" in page
    option = r'<option value="due-and-delivered"[^>]* selected>Due and delivered: What was due when'
    assert re.search(option, page)


def test_query_page_has_fields_for_example_parameters(get: GetFunction) -> None:
    page = get("/sparql?example=agreements-and-outcomes", accept="text/html").text
    path = "/sparql?example=assessments"
    page = get(f"{path}&the_issue=spam", accept="text/html").text
    assert f"VALUES ?the_issue {{ &lt;{BASE}id/issue/spam&gt; }}" in page
    assert '<option value="spam" selected>Spam</option>' in page
    page = get("/sparql?example=due-and-delivered&in_time=", accept="text/html").text
    assert "VALUES ?in_time { UNDEF }" in page
    assert get(f"{path}&nothing=spam", accept="text/html").status_code == 400


@pytest.mark.parametrize("invalid_value", ["nonsense", "meeting:m1", "[b]"])
def test_invalid_parameter_is_reported_at_its_field_and_kept(get: GetFunction, invalid_value: str) -> None:
    response = get(f"/sparql?example=assessments&the_issue={invalid_value}", accept="text/html")
    assert response.status_code == 400
    page = ParsedPage(response.text)
    (field,) = (element for element in page.list_elements("select") if element.get("name") == "the_issue")
    assert field["aria-invalid"] == "true"
    assert {"value": invalid_value, "selected": None} in page.list_elements("option")
    assert (field["aria-describedby"] or "").split()[-1] == "said-the_issue"
    message = unescape(response.text.partition('id="said-the_issue">')[2])
    assert f"“<bdi>{invalid_value}</bdi>” is not one of the choices." in message
    assert "VALUES ?the_issue { UNDEF }" in response.text


def test_list_of_questions_has_subjects_and_the_titles_of_fields(get: GetFunction) -> None:
    page = get("/queries", accept="text/html").text
    subjects = re.findall(r"<h2>(.*?)</h2>", page.partition("<footer>")[0])
    assert subjects == [*EXAMPLE_SUBJECTS]
    assert re.search(r"Filter by:\s*Issue,\s*Category", page)


@pytest.mark.parametrize(
    ("path", "expected_text"),
    [
        ("/queries", '<p><a href="/queries/open-sessions">Кто мог присутствовать на каждом заседании'),
        ("/queries?q=заседания", '<li data-filtered>\n    <p><a href="/queries/open-sessions">'),
        ("/queries/disagreements?_mediatype=text/html", ">Одна строка — сведения одного рода: "),
        ("/sparql?example=coverage-matrix", '<label for="of-the_issue">Вопрос</label>'),
        ("/sparql", ">Открытые заседания: "),
        (
            "/doc/issue",
            '<a href="/queries/coverage-matrix">В скольких документах и с каким выводом каждый вопрос ',
        ),
        ("/doc/issue/spam", "В каких документах, какой вопрос и по какому критерию оценивается"),
    ],
)
def test_example_queries_are_translated_on_pages(get: GetFunction, path: str, expected_text: str) -> None:
    page = get(path, accept="text/html", accept_language="ru").text
    assert expected_text in page
    assert 'lang="en" dir="ltr">Which' not in page


def test_example_queries_are_english_in_data(get: GetFunction) -> None:
    queries = get("/queries", accept="application/json", accept_language="ru").json()["queries"]
    assert {"Assessments by issue and criterion", "Disagreements"} <= {query["title"] for query in queries}


def test_select_result_page_has_table_and_format_links(get: GetFunction) -> None:
    query = "SELECT ?x ?y { VALUES (?x ?y) { ('<b>' UNDEF) } }"
    page = get(str(httpx2.URL("/sparql", params={"query": query})), accept="text/html").text
    assert ">1 row</p>" in page
    assert "&lt;b&gt;" in page
    assert "_mediatype=text%2Fcsv" in page


@pytest.mark.parametrize(
    ("query", "expected_text"),
    [
        ("ASK {}", "yes"),
        ("ASK { FILTER(false) }", "no"),
        ("CONSTRUCT { <urn:a> <urn:b> 1 } {}", "&lt;urn:a&gt; &lt;urn:b&gt; 1"),
    ],
)
def test_other_results_are_shown_as_text(get: GetFunction, query: str, expected_text: str) -> None:
    page = get(str(httpx2.URL("/sparql", params={"query": query})), accept="text/html").text
    assert re.search(rf">\s*{re.escape(expected_text)}", page), page


def test_long_table_is_truncated_with_notice(get: GetFunction) -> None:
    query = f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(1001)))} }} }}"
    page = get(str(httpx2.URL("/sparql", params={"query": query})), accept="text/html").text
    assert "1,001 rows. The first 1,000 are shown." in page


def test_paragraphs_of_the_background_report_are_links_in_texts() -> None:
    link = '<a href="/doc/document/background-report/%s">¶%s</a>'
    assert link_report_paragraphs("restated in Background Report ¶37 and ¶222; <i> ¶9") == (
        f"restated in Background Report {link % (37, 37)} and {link % (222, 222)}; &lt;i&gt; ¶9"
    )


def test_static_files_are_immutable(get: GetFunction) -> None:
    for path in read_static_files():
        response = get(path)
        assert "immutable" in response.headers["cache-control"]
    assert get("/static/style.css").status_code == 404
    assert get("/static/..%2Frendering.py").status_code == 404


def test_static_files_are_compressed_more_than_answers(get: GetFunction) -> None:
    path = build_static_path("style.css")
    for coding in ("zstd", "br", "gzip"):
        response = get(path, **{"Accept-Encoding": coding})
        assert response.headers["content-encoding"] == coding
        assert response.content == read_static_files()[path]
        answer = compress_body(response.content, coding, CompressionEffort.ANSWER)
        assert int(response.headers["content-length"]) < len(answer)


@pytest.mark.parametrize("name", ["style.css", "queries.css", "api.css"])
def test_style_sheet_is_sent_without_comments(name: str) -> None:
    style = read_static_files()[build_static_path(name)]
    assert b"/*" not in style
    assert b"  " not in style


def relative_luminance(color: str) -> float:
    """The relative luminance of a color such as #1a5a84 (WCAG 2.2)."""
    channels = [int(color[offset : offset + 2], 16) / 255 for offset in (1, 3, 5)]
    linear_channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear_channels[0] + 0.7152 * linear_channels[1] + 0.0722 * linear_channels[2]


def test_text_colors_have_sufficient_contrast() -> None:
    style = read_static_files()[build_static_path("style.css")].decode()
    schemes = re.findall(r":root \{([^}]+)\}", style)
    assert len(schemes) == 2  # light and dark
    for scheme in schemes:
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
        for background in ("ground", "raised"):  # of the page, and of boxes on it
            code_colors = [color for color in colors if color.startswith("code-")]
            for text_color in ("text", "quiet", "link", "notice", *code_colors):
                dark, light = sorted(
                    (relative_luminance(colors[background]), relative_luminance(colors[text_color]))
                )
                # WCAG 2.2, success criterion 1.4.3.
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (background, text_color)


@pytest.mark.parametrize(
    ("query_form", "body", "expected_text", "absent_text"),
    [
        (
            "SELECT",
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"one"}},{"x":',
            "one",
            "cut-off",
        ),
        (
            "SELECT",
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"cut-off',
            "too large for a page. Download it",
            "cut-off",
        ),
        ("CONSTRUCT", b"<x:one> a <x:C> .\n<x:two> a <x:\xc3", "x:one", "x:two"),
    ],
)
def test_incomplete_result_is_shown_in_part(
    query_form: str, body: bytes, expected_text: str, absent_text: str
) -> None:
    result, query = PageResult(body, query_form, is_whole=False), SparqlText("SELECT ?x {}")
    page = render_results_page(result, query, [("query", "")], Store.in_memory(), BASE).decode()
    assert "too large for a page" in page
    assert expected_text in page
    assert absent_text not in page


@pytest.mark.parametrize(
    ("text", "max_letters", "expected"),
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
def test_label_is_truncated_by_width(text: str, max_letters: int, expected: str) -> None:
    assert truncate_to_letters(text, max_letters) == expected


def test_date_in_sentence_is_isolated() -> None:
    assert isolate_days("<مثل 2005-01-20.") == '&lt;مثل <bdi dir="ltr">2005-01-20</bdi>.'


@pytest.mark.parametrize("name", ["style.css", "queries.css", "api.css"])
def test_style_sheet_has_balanced_braces(name: str) -> None:
    style = (PAGES_FOLDER / "static" / name).read_text(encoding="utf-8")
    assert style.count("{") == style.count("}")


def test_logo_shows_the_numbers_of_issues_by_category(shipped_store: ox.Store) -> None:
    solutions = shipped_store.query(
        """PREFIX wgig: <https://w3id.org/wgig/ontology#>
        SELECT (COUNT(DISTINCT ?issue) AS ?issues) {
          ?issue a wgig:Issue ; wgig:category ?category . ?category wgig:order ?order
        } GROUP BY ?category ?order ORDER BY ?order""",
        use_default_graph_as_union=True,
    )
    assert isinstance(solutions, ox.QuerySolutions)
    issue_counts = [int(row["issues"].value) for row in solutions]
    bars = sorted((float(x), 26 - float(top)) for x, top in re.findall(r"M(\d+) 26V([\d.]+)", read_logo()))
    assert [round(height / 1.3) for _, height in bars] == issue_counts
