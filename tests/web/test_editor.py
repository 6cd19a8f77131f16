"""The query editor in a browser: completion, errors, results, history, languages and accessibility."""

import re
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

PageOpener = Callable[..., Page]
AxeCheck = Callable[[Page], list[str]]

ISSUES_QUERY = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
SELECT ?issue ?label WHERE { ?issue a wgig:Issue ; skos:prefLabel ?label } ORDER BY ?issue"""
WGIG_PREFIX = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\n"
COUNTS_QUERY = "SELECT ?class (COUNT(?thing) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class"
ENDLESS_QUERY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
CROSS_TABLE_QUERY = "SELECT ?g ?c (COUNT(*) AS ?n) { GRAPH ?g { ?x a ?c } } GROUP BY ?g ?c LIMIT 60"
PLACES_QUERY = """PREFIX place: <https://w3id.org/wgig/id/place/>
SELECT * { VALUES (?place ?lat ?long) { (place:JP 35.7 139.7) (place:CH 46.2 6.1) (place:TN 36.8 10.2) } }"""
GRAPH_QUERY = "CONSTRUCT { ?a ?p ?b } WHERE { ?a a <https://w3id.org/wgig/ontology#Issue> ; ?p ?b } LIMIT 50"


def wait_for_editor(page: Page) -> Page:
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_visible()
    return page


def type_query(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="SPARQL query").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type(text)


def insert_query(page: Page, text: str) -> None:
    """Replace the query without triggering completion."""
    page.get_by_role("textbox", name="SPARQL query").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)
    page.keyboard.press("Escape")


def run_query(page: Page, text: str) -> None:
    insert_query(page, text)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_contain_text(re.compile(r"Time: [\d,]+ ms\."))


def compress_query(text: str) -> str:
    """The query of a short link: base64url of the text in the zlib format."""
    return urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


def query_text(page: Page) -> str:
    return page.locator("textarea[name=query]").input_value()


def list_completions(page: Page, text: str, expected: str) -> list[str]:
    """The completions at the end of a text, after the expected one has appeared."""
    insert_query(page, text)
    page.keyboard.press("Control+Space")
    labels = page.locator(".cm-tooltip-autocomplete li .cm-completionLabel")
    expect(labels.get_by_text(expected, exact=True).first).to_be_visible()
    return labels.all_inner_texts()


def accept_completion(page: Page, option: re.Pattern[str]) -> None:
    """Accept the selected completion, after the 75 ms in which the editor ignores keys."""
    expect(page.locator(".cm-tooltip-autocomplete li[aria-selected]")).to_have_text(option)
    page.wait_for_timeout(75)
    page.keyboard.press("Enter")


def test_query_is_written_and_run_by_keyboard(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    type_query(page, "SELECT * WHERE { ?issue a Issu")
    accept_completion(page, re.compile(r"^wgig:Issue\s*issue · in the graph: \d+"))
    page.keyboard.type(" ; prefLab")
    accept_completion(page, re.compile("^skos:prefLabel"))
    page.keyboard.type(" ?label }")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d+\. Time: [\d,]+ ms\."))
    assert query_text(page).splitlines() == [
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>",
        "PREFIX wgig: <https://w3id.org/wgig/ontology#>",
        "SELECT * WHERE { ?issue a wgig:Issue ; skos:prefLabel ?label }",
    ]
    link = page.get_by_role("link", name="Spam", exact=True).first
    expect(link).to_have_attribute("href", "/doc/issue/spam")


def test_completions_are_in_page_language(reopen_page: PageOpener) -> None:
    page = reopen_page("/sparql?_lang=fr")
    page.get_by_role("textbox", name="Requête SPARQL").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("SELECT * WHERE { ?issue a Issu")
    expect(page.locator(".cm-tooltip-autocomplete li[aria-selected]")).to_have_text(
        re.compile(r"^wgig:Issue\s*question · ")
    )


@pytest.mark.parametrize(
    ("text", "expected", "absent"),
    [
        ("SELECT * { ?x a iss", "wgig:Issue", "wgig:issueOf"),
        ("SELECT * { ?x a wgig:Issue ; iss", "wgig:issueOf", "wgig:Issue"),
        ("SELECT * { ?x a wgig:Issue ; label", "skos:prefLabel", "rdfs:label"),
        ("SELECT * { ?x a wgig:Issue . ?y label", "rdfs:label", "?x"),
        ("SELECT * { ?x a wgig:Issue . FILTER(is", "ISIRI", "wgig:Issue"),
        ("SELECT * { ?x wgig:issueOf/pref", "skos:prefLabel", "PREFIX"),
        ("SELECT * { { ?x ?y ?z } opt", "OPTIONAL", "?x"),
        ("SELECT * { ?x ?y [ a iss", "wgig:Issue", "wgig:issueOf"),
        ("PREFIX sk", "skos:", "skos:prefLabel"),
        ("SELECT * { ?issue ?p ?o } ORDER BY iss", "?issue", "wgig:Issue"),
        # not the variable itself as its own class or value
        ("SELECT * { ?issue a iss", "wgig:Issue", "?issue"),
        ("SELECT * { ?x wgig:category ?c . ?c wgig:issueOf ?", "?x", "?c"),
        # properties that the values of the property have, or the classes that have the other property
        ("SELECT * { ?x wgig:country ?c . ?c ", "wgig:identifier", "wgig:issue"),
        ("SELECT * { ?x wgig:country ?c ; c", "wgig:country", "wgig:category"),
        # things by name
        ("SELECT * { ?x wgig:country jap", "Japan", "?x"),
        ("SELECT * { ?x wgig:issue <spa", "Spam · Issues", "wgig:Issue"),
        ("SELECT * { kumm", "Markus Kummer · People and organizations", "LIMIT"),
        # by words of the definition
        ("SELECT * { ?member region", "wgig:country", "wgig:issue"),
        ("SELECT * { ?x a inventory", "wgig:Issue", "wgig:Meeting"),
    ],
)
def test_completions_depend_on_cursor_context(
    reopen_page: PageOpener, text: str, expected: str, absent: str
) -> None:
    assert absent not in list_completions(wait_for_editor(reopen_page("/sparql")), text, expected)


def test_classes_are_completed_before_variables(reopen_page: PageOpener) -> None:
    labels = list_completions(
        wait_for_editor(reopen_page("/sparql")), "SELECT * { ?dispute ?p ?o . ?x a dispute", "wgig:Dispute"
    )
    assert labels.index("wgig:Dispute") < labels.index("?dispute")


def test_completed_thing_is_written_by_its_name(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?x wgig:country ")
    page.keyboard.type("japa")
    accept_completion(page, re.compile("^Japanplace:JP"))
    assert query_text(page).endswith("ASK { ?x wgig:country place:JP")
    assert "PREFIX place: <https://w3id.org/wgig/id/place/>" in query_text(page)


def test_completion_shows_its_definition(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    list_completions(page, "SELECT * { ?x a wgig:Issu", "wgig:Issue")
    expect(page.locator(".cm-completionInfo")).to_contain_text("A question of Internet governance")


@pytest.mark.parametrize(
    ("term", "description"),
    [("wgig:Issue", "A question of Internet governance"), ("issue:spam", "Bulk unsolicited messages")],
)
def test_term_under_the_mouse_is_described(reopen_page: PageOpener, term: str, description: str) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, f"ASK {{ ?x ?y {term} }}")
    page.locator(".cm-line").hover(position={"x": 150, "y": 10})
    expect(page.locator(".cm-tooltip-hover .hover")).to_contain_text(description)


def test_typed_prefix_is_declared(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    type_query(page, "# mine\nASK { ?x skos:broader ?y }")
    assert query_text(page).startswith("# mine\nPREFIX skos: <http://www.w3.org/2004/02/skos/core#>\nASK {")


def test_prefix_in_string_or_comment_is_not_declared(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    type_query(page, '# skos:x\nASK { ?x ?y "skos:z" }')
    assert query_text(page) == '# skos:x\nASK { ?x ?y "skos:z" }'


def test_problem_is_marked_and_fixed_while_query_is_typed(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, f"{WGIG_PREFIX}SELECT ('😀' AS ?y), ?x {{ ?x a wgig:Isue }}")
    expect(page.locator(".cm-lintRange-error")).to_have_text(",")
    expect(page.locator(".problems")).to_contain_text("The variables of SELECT are separated by spaces")
    assert find_axe_violations(page) == []
    page.get_by_role("button", name="Remove ,").click()
    expect(page.locator(".cm-lintRange-warning")).to_have_text("wgig:Isue")
    expect(page.locator(".problems")).to_contain_text("Nothing in the graph is a wgig:Isue.")
    page.get_by_role("button", name="Replace with wgig:Issue").click()
    expect(page.locator(".problems")).to_be_empty()
    assert query_text(page) == f"{WGIG_PREFIX}SELECT ('😀' AS ?y) ?x {{ ?x a wgig:Issue }}"
    expect(page.locator(".found")).to_be_hidden()  # nothing was run


def test_problem_is_fixed_at_its_mark(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?x ?y skos:Concept }")
    page.locator(".cm-lintRange-error").hover()
    page.locator(".cm-tooltip-lint").get_by_role("button", name="Insert PREFIX skos:").click()
    assert query_text(page).startswith("PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\nASK")


def test_problem_leads_to_its_line(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK {\n  ?x ?y ?z ;; }\nLIMT 1")
    page.locator(".problems").get_by_role("button", name="Line 3").click()
    page.keyboard.type("#")
    assert query_text(page).endswith("\n#LIMT 1")


def test_syntax_error_is_marked_at_its_position(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK {\n  ?x ?y FILTR(true) }")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("alert").locator("[lang=en]")).to_contain_text("Line 2, column 9")
    expect(page.locator(".cm-lintRange-error")).to_have_text("FILTR")
    page.get_by_role("button", name="Go to line 2, column 9").click()
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_focused()
    assert find_axe_violations(page) == []


def test_editor_of_error_page_marks_an_error(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    # The editor counts in code units of UTF-16, of which this character has two.
    page = wait_for_editor(reopen_page(f"/sparql?query={quote('ASK { ?😀x }')}"))
    expect(page.locator(".cm-lintRange-error, .cm-lintPoint-error").first).to_be_visible()
    assert find_axe_violations(page) == []


def test_warning_is_shown_and_marked(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "PREFIX wgig: <https://w3id.org/wgig/ontology#> SELECT ?x { ?x a wgig:Isue }")
    expect(page.locator(".found")).to_contain_text("Possible mistakes")
    expect(page.locator(".found")).to_contain_text("The query found nothing.")
    expect(page.locator(".cm-lintRange-warning")).to_have_text("wgig:Isue")
    assert find_axe_violations(page) == []


def test_running_query_can_be_canceled(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, ENDLESS_QUERY)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("#ask")).to_contain_text(re.compile(r"\d\.\d s"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("You canceled the query.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    page.wait_for_function("fetch('/queries/running').then((r) => r.json()).then((list) => list.count === 0)")


def test_table_is_sorted_by_column(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT * { VALUES (?n ?w) { (10 'b') (9 'a') (UNDEF 'c') } }")
    header = page.get_by_role("columnheader", name="n", exact=True)
    first_cells = page.locator(".found tbody td:first-child")
    expect(header).to_have_attribute("aria-sort", "none")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    assert first_cells.all_inner_texts() == ["9", "10", ""]
    header.get_by_role("button").press("Enter")
    expect(header).to_have_attribute("aria-sort", "descending")
    assert first_cells.all_inner_texts() == ["10", "9", ""]
    header.get_by_role("button").press("Enter")
    assert first_cells.all_inner_texts() == ["10", "9", ""]
    expect(header).to_have_attribute("aria-sort", "none")


def test_first_answer_says_what_is_our_summary_and_fits_one_page(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".found")).to_contain_text("Definitions and descriptions are our summaries.")
    expect(page.locator(".found tbody tr")).to_have_count(35)
    expect(page.locator(".pages")).to_be_hidden()
    expect(page.locator(".found tbody a[rel~=external]").first).to_be_visible()  # a source


def test_bar_does_not_hide_a_message(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    bar = page.locator(".run-bar")
    expect(bar).to_have_css("position", "sticky")
    insert_query(page, "SELECT * { ?s rdfs:label ?o }")
    expect(page.locator(".problems")).to_contain_text("rdfs:")
    expect(bar).to_have_css("position", "static")


def test_large_result_is_paged(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT * { ?s ?p ?o } LIMIT 250")
    expect(page.locator(".found tbody tr")).to_have_count(100)
    page.get_by_role("button", name="Next rows").click()
    page.get_by_role("button", name="Next rows").click()
    expect(page.locator(".pages")).to_contain_text("Rows 201 to 250 of 250")
    assert page.locator(".found tbody tr").count() == 50
    assert find_axe_violations(page) == []


@pytest.mark.parametrize(
    ("query", "name", "selector"),
    [
        (COUNTS_QUERY, "Bars", ".drawing .length"),
        ("SELECT * { ?x <https://w3id.org/wgig/ontology#due> ?due }", "Timeline", ".drawing .moment"),
        (CROSS_TABLE_QUERY, "Matrix", ".crossed td"),
        (GRAPH_QUERY, "Network", ".network circle"),
        (PLACES_QUERY, "Map", ".map a circle"),
        (GRAPH_QUERY, "As text", ".view pre"),
    ],
)
def test_result_is_shown_in_each_applicable_view(
    reopen_page: PageOpener, find_axe_violations: AxeCheck, query: str, name: str, selector: str
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, query)
    page.get_by_role("radio", name=name).check()
    expect(page.locator(selector).first).to_be_attached()
    assert find_axe_violations(page) == []


def show_view(page: Page, query: str, name: str) -> None:
    run_query(page, query)
    page.get_by_role("radio", name=name).check()
    expect(page.locator(".view figure")).to_be_visible()


def list_shown_names(page: Page) -> list[str]:
    """The names that are visible in a picture."""
    names: list[str] = page.locator("figure svg text").evaluate_all(
        "all => all.filter(text => text.checkVisibility({visibilityProperty: true})).map(x => x.textContent)"
    )
    return names


def test_network_names_its_hubs_and_what_the_mouse_points_at(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(
        page,
        "CONSTRUCT { ?a ?p ?b } WHERE { ?a a <https://w3id.org/wgig/ontology#Issue> ; ?p ?b } LIMIT 300",
        "Network",
    )
    names = list_shown_names(page)
    assert 1 < len(names) <= 15
    assert any(" " in name for name in names)  # labels, not addresses
    node = page.locator(".network a:not(.named)").nth(30)
    node.hover(force=True)
    assert set(list_shown_names(page)) != set(names)
    name = node.locator("title").text_content() or ""
    assert any(name.startswith(shown.removesuffix("…")) for shown in set(list_shown_names(page)) - set(names))
    expect(page.locator(".network .dim").first).to_be_attached()


def test_network_is_zoomed_and_dragged(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(page, GRAPH_QUERY, "Network")
    node = page.locator(".network a").first
    positions = [node.get_attribute("transform")]
    page.get_by_role("button", name="Zoom in").click()
    positions.append(node.get_attribute("transform"))
    page.get_by_role("button", name="Show all").click()
    assert node.get_attribute("transform") == positions[0]
    box = node.locator("circle").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 65, box["y"] + 45, steps=3)
    page.mouse.up()
    positions.append(node.get_attribute("transform"))
    assert len(set(positions)) == 3
    assert page.url.endswith("LIMIT+50#view=network")  # the drag did not follow the link


def test_wheel_scrolls_page_over_picture_and_zooms_with_ctrl(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(page, GRAPH_QUERY, "Network")
    node, before = page.locator(".network a").first, page.evaluate("scrollY")
    position = node.get_attribute("transform")
    page.locator(".network").hover()
    page.mouse.wheel(0, 100)
    page.wait_for_function("before => scrollY > before", arg=before)
    assert node.get_attribute("transform") == position
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(node).not_to_have_attribute("transform", position or "")


def test_things_of_network_are_listed_for_the_keyboard(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(page, GRAPH_QUERY, "Network")
    page.get_by_text("List of the resources").click()
    link = page.locator(".view details a").first
    link.focus()
    assert link.inner_text() in list_shown_names(page)
    assert find_axe_violations(page) == []


def test_places_of_map_are_links_in_picture_and_list(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(page, PLACES_QUERY, "Map")
    points = page.locator(".map a")
    assert points.evaluate_all("all => all.map(link => link.getAttribute('href'))") == [
        "/doc/place/JP",
        "/doc/place/CH",
        "/doc/place/TN",
    ]
    assert list_shown_names(page) == []
    points.first.focus()
    assert list_shown_names(page) == ["Japan"]
    assert page.locator(".mapped li").all_inner_texts() == ["Japan", "Switzerland", "Tunisia"]
    # Geneva is west of Tunis and north of it, and Tokyo is east of both.
    boxes = [point.bounding_box() or {"x": 0, "y": 0} for point in points.locator("circle").all()]
    assert boxes[1]["x"] < boxes[2]["x"] < boxes[0]["x"]
    assert boxes[1]["y"] < boxes[2]["y"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT ('POINT(6.1 46.2)' AS ?wkt) ('Geneva' AS ?name) {}", ["Geneva"]),
        (
            "SELECT ?x ('<http://www.opengis.net/def/crs/EPSG/0/4326> POINT (6.1 46.2)' AS ?wkt) "
            "{ VALUES ?x { <https://w3id.org/wgig/id/place/CH> } }",
            ["Switzerland"],
        ),
        ("SELECT * { VALUES (?name ?from_lat ?from_long) { ('A' 1 2) ('B' 91 2) ('C' 1 181) } }", ["A"]),
    ],
)
def test_coordinates_of_result_are_shown_on_map(
    reopen_page: PageOpener, query: str, names: list[str]
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    show_view(page, query, "Map")
    assert page.locator(".mapped li").all_inner_texts() == names


def test_map_is_offered_for_places_whose_coordinates_the_graph_has(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT * { VALUES ?x { <https://w3id.org/wgig/id/place/CH> } }")
    expect(page.get_by_role("radio", name="Map")).to_be_visible()


def test_map_without_coordinates_says_what_it_needs(reopen_page: PageOpener) -> None:
    query = "SELECT * { VALUES ?x { <https://example.org/> } }"
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, query)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("radio", name="Map")).to_be_hidden()
    page.goto(f"/sparql?query={quote(query)}#view=map")
    expect(page.locator(".view")).to_contain_text(
        "Nothing in this answer has coordinates. A map needs columns"
    )


# Whether each word in the cells of the matrix is on one line.
WORDS_UNBROKEN_SCRIPT = """() =>
  [...document.querySelectorAll(".crossed span:not([hidden])")].every((element) => {
    const text = element.firstChild;
    return [...text.data.matchAll(/\\p{L}+/gu)].every((word) => {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length === 1;
    });
})"""


def test_wide_matrix_scrolls_in_its_own_box(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=due-and-delivered"))
    page.get_by_role("button", name="Run the query").click()
    page.get_by_role("radio", name="Matrix").check()
    box = page.get_by_role("region", name="Matrix of the answer")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(WORDS_UNBROKEN_SCRIPT)
    expect(box.get_by_role("columnheader", name="no value", exact=True)).to_be_visible()
    expect(box.get_by_role("rowheader", name="no value", exact=True)).to_be_visible()
    assert "" not in [head.strip() for head in box.locator("th").all_inner_texts()]
    assert find_axe_violations(page) == []


def test_words_in_wide_matrix_are_not_broken(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    rows = " ".join(f"('{letter}' 'n{number}')" for number in range(30) for letter in "ab")
    run_query(
        page, f"SELECT ?x ?y ('Telecommunication infrastructure' AS ?z) {{ VALUES (?x ?y) {{ {rows} }} }}"
    )
    page.get_by_role("radio", name="Matrix").check()
    assert page.evaluate(WORDS_UNBROKEN_SCRIPT)


def test_numbers_are_formatted_in_page_language(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql", locale="de-DE"))  # the page is in English
    run_query(page, "SELECT * { VALUES (?x ?n) { ('a' 1234567) } }")
    page.get_by_role("radio", name="Bars").check()
    expect(page.locator(".drawing .number")).to_have_text("1,234,567")


def test_inapplicable_views_are_not_offered(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT * { VALUES ?x { 'a' 'b' } }")
    assert page.get_by_role("radio").count() == 2  # Table and Raw


def test_hostile_result_text_is_escaped(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    hostile_rows = "('<img src=x onerror=alert(1)>' <javascript:alert(1)>) ('ب'@ar 2)"
    run_query(page, f"SELECT * {{ VALUES (?a ?b) {{ {hostile_rows} }} }}")
    for name in page.locator(".views label:visible").all_inner_texts():
        page.get_by_role("radio", name=name.strip()).check()
        assert page.locator(".found img, .found a[href^=javascript]").count() == 0
    page.get_by_role("radio", name="Table").check()
    expect(page.locator(".found td span[lang=ar]")).to_have_attribute("dir", "auto")


def test_long_word_does_not_widen_page(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql", viewport={"width": 390, "height": 800}))
    run_query(page, "SELECT (REPLACE('" + "x" * 100 + "', 'x', '" + "y" * 100 + "') AS ?long) {}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tab_leaves_editor_in_both_directions(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    field = page.get_by_role("textbox", name="SPARQL query")
    field.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run the query")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(field).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".query-tabs button").last).to_be_focused()
    expect(page.locator(".keys")).to_contain_text("To leave the editor, press Tab.")


def test_label_focuses_editor(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.locator("label", has_text="SPARQL query").click()
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_focused()


def test_example_is_filled_with_parameters(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.get_by_label("Start from a question").select_option("coverage-matrix")
    page.get_by_role("button", name="Insert the query below").click()
    page.get_by_label("Issue", exact=True).select_option("VoIP")
    page.get_by_role("button", name="Insert the query below").click()
    wait_for_editor(page)
    assert "VALUES ?the_issue { <https://w3id.org/wgig/id/issue/voip> }" in query_text(page)
    assert find_axe_violations(page) == []


def test_parameter_value_is_used_when_query_runs(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=coverage-matrix"))
    issue = page.get_by_label("Issue", exact=True)
    issue.select_option("Spam")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d\d?\. "))
    assert "VALUES ?the_issue { <https://w3id.org/wgig/id/issue/spam> }" in query_text(page)
    expect(page.locator(".found")).not_to_contain_text("does not use the value")
    issue.select_option("Any")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d{3}\. "))
    assert "VALUES ?the_issue { UNDEF }" in query_text(page)
    assert find_axe_violations(page) == []


def test_invalid_parameter_is_reported_at_its_field(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=mechanisms-and-judgments"))
    mechanism, message = page.get_by_label("Mechanism", exact=True), "“nonesuch” is not one of the choices."
    for _ in range(2):  # the message is shown again at the second attempt
        mechanism.fill("nonesuch")
        page.get_by_role("button", name="Run the query").click()
        expect(page.locator(".found")).to_have_attribute("aria-busy", "false")  # not the first message
        expect(page.get_by_role("alert")).to_contain_text(message)
        expect(mechanism).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#said-the_mechanism")).to_contain_text(message)
        assert page.locator(".found table").count() == 0
    assert find_axe_violations(page) == []
    mechanism.fill("agent/icann")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d\d?\. "))
    expect(page.locator("#said-the_mechanism")).to_have_count(0)


def test_unused_parameter_value_of_changed_query_is_reported(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=coverage-matrix"))
    run_query(page, "ASK {}")
    expect(page.locator(".found")).not_to_contain_text("does not use the value")
    page.get_by_label("Issue", exact=True).select_option("Spam")
    page.get_by_role("button", name="Run the query").click()
    message = "The query that you changed does not use the value of: Issue"
    expect(page.locator(".found")).to_contain_text(message)
    assert query_text(page) == "ASK {}"


def test_parameter_hint_is_shown_only_without_scripts(reopen_page: PageOpener) -> None:
    path, hint = "/sparql?example=coverage-matrix", "The values take effect when you insert the query below."
    expect(reopen_page(path, java_script_enabled=False).get_by_text(hint)).to_be_visible()
    expect(reopen_page(path).get_by_text(hint)).to_be_hidden()


def test_unrun_query_is_saved_in_history(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?my ?own ?work }")
    page.get_by_role("button", name="Insert the query below").click()
    page.get_by_text("Your earlier queries: 1").click()
    insert_query(page, "ASK { ?more ?of ?it }")
    page.get_by_role("button", name="ASK { ?my ?own ?work }").click()
    assert query_text(page) == "ASK { ?my ?own ?work }"
    page.get_by_role("button", name="ASK { ?more ?of ?it }").click()
    assert query_text(page) == "ASK { ?more ?of ?it }"


def test_unchanged_example_is_not_saved_in_history(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.get_by_role("button", name="Insert the query below").click()
    page.wait_for_url("**/sparql?example=*")
    expect(wait_for_editor(page).locator(".past")).to_be_hidden()


def get_french_link(page: Page) -> str:
    return page.locator("footer a[hreflang=fr]").get_attribute("href") or ""


def test_language_link_keeps_edited_query(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=coverage-matrix"))
    assert get_french_link(page) == "/sparql?example=coverage-matrix&_lang=fr"
    insert_query(page, ISSUES_QUERY)
    page.locator("footer a[hreflang=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("table.answer")).to_contain_text("issue:spam")
    assert query_text(page) == ISSUES_QUERY


def test_language_link_keeps_run_query(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_contain_text("Rows:")
    assert page.url.endswith(get_french_link(page).removesuffix("&_lang=fr"))
    assert "query=" in get_french_link(page)


def test_language_link_keeps_graphs_and_a_query_that_fits_into_a_url(
    reopen_page: PageOpener,
) -> None:
    path = f"/sparql?query={quote(ISSUES_QUERY + ' #' + 'x' * 2000)}&default-graph-uri=urn%3Ag"
    page = reopen_page(path)
    page.get_by_text("See and change the query").click()
    wait_for_editor(page)
    assert "query=PREFIX" in get_french_link(page)
    assert get_french_link(page).endswith("&default-graph-uri=urn%3Ag&_lang=fr")
    insert_query(page, "ASK {} #" + "x" * 30_000)
    assert "ASK" not in get_french_link(page)


def test_result_has_permanent_address(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, ISSUES_QUERY)
    assert page.url.endswith(f"/sparql?query={quote(ISSUES_QUERY, safe='').replace('%20', '+')}")
    page.reload()
    expect(page.locator("#answer table.answer")).to_contain_text("issue:spam")
    page.get_by_role("button", name="Show as chart, timeline").click()
    expect(page.get_by_role("radio", name="Table")).to_be_checked()
    expect(page.locator(".found").get_by_role("heading", name="Answer", exact=True)).to_be_focused()
    assert page.locator("#answer").count() == 0
    page.go_back()
    expect(page.get_by_role("heading", name="Write a query")).to_be_visible()


def test_history_is_kept_until_cleared(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "ASK { ?s ?p ?o }")
    run_query(page, "SELECT ?s { ?s ?p ?o } LIMIT 1")
    page.goto("/sparql")
    page.get_by_text("Your earlier queries: 2").click()
    assert find_axe_violations(page) == []
    page.get_by_role("button", name="ASK { ?s ?p ?o }").click()
    assert query_text(page) == "ASK { ?s ?p ?o }"
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator(".past")).to_be_hidden()


def test_result_of_a_long_query_is_downloaded(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, f"# {'long ' * 8_000}\n{ISSUES_QUERY}")
    for name, file_name in (("Download TSV", "answer.tsv"), ("CSV with names", "answer-with-names.csv")):
        with page.expect_download() as download:
            page.locator(".offers").get_by_role("button", name=name).click()
        assert download.value.suggested_filename == file_name
        assert "pam" in download.value.path().read_text(encoding="utf-8")


def test_result_is_downloaded_in_each_format(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, ISSUES_QUERY)
    for name in ("JSON", "CSV", "TSV", "XML"):
        with page.expect_download() as download:
            page.locator(".offers").get_by_role("link", name=f"Download {name}", exact=True).click()
        assert "issue/spam" in download.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["curl", "Python", "R"])
def test_query_is_copied_as_command(reopen_page: PageOpener, language: str) -> None:
    page = wait_for_editor(reopen_page("/sparql", permissions=["clipboard-read", "clipboard-write"]))
    run_query(page, "ASK { FILTER('it\\'s' = \"it's\") }")
    page.get_by_role("button", name=f"Copy as {language}").click()
    expect(page.locator(".offers")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".offers pre").inner_text()
    assert "/sparql" in copied


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/sparql", f"/sparql?query={quote(ISSUES_QUERY)}", f"/sparql?explain&query={quote(ISSUES_QUERY)}"],
)
def test_query_page_is_accessible(
    reopen_page: PageOpener, find_axe_violations: AxeCheck, path: str, scheme: str
) -> None:
    page = reopen_page(path, color_scheme=scheme)
    expect(page.locator(".code")).to_be_attached()
    assert find_axe_violations(page) == []


def test_completion_list_is_accessible(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    list_completions(page, "SELECT * { ?x a ", "prov:Entity")
    assert find_axe_violations(page) == []


@pytest.mark.parametrize(("line_count", "shown_count"), [(1, 6), (10, 10), (60, 20)])
def test_editor_grows_with_its_text(reopen_page: PageOpener, line_count: int, shown_count: int) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "\n".join(["# line"] * line_count))
    line_height = page.locator(".cm-line").first.bounding_box()["height"]  # type: ignore[index]
    height = page.locator(".cm-editor").bounding_box()["height"]  # type: ignore[index]
    assert shown_count - 0.5 < height / line_height < shown_count + 1.5


def test_run_button_stays_in_sight(reopen_page: PageOpener) -> None:
    page = wait_for_editor(
        reopen_page("/sparql?example=coverage-matrix", viewport={"width": 1000, "height": 600})
    )
    page.get_by_role("textbox", name="SPARQL query").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Run the query")).to_be_in_viewport()


@pytest.mark.parametrize("width", [390, 1280, 1600])
def test_result_is_in_sight_after_run(
    reopen_page: PageOpener, find_axe_violations: AxeCheck, width: int
) -> None:
    page = wait_for_editor(
        reopen_page("/sparql?example=coverage-matrix", viewport={"width": width, "height": 800})
    )
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".found").get_by_role("heading", name="Answer", exact=True)).to_be_in_viewport()
    expect(page.locator(".found tbody tr").first).to_be_in_viewport()
    editor, result = page.locator(".code").bounding_box(), page.locator(".found").bounding_box()
    assert editor
    assert result
    assert (editor["x"] + editor["width"] < result["x"]) == (width > 1440)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert find_axe_violations(page) == []


def test_old_result_is_dimmed_while_query_runs(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "ASK {}")
    insert_query(page, ENDLESS_QUERY)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".found[aria-busy=true] .lead")).to_have_css("opacity", "0.45")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".found")).to_have_attribute("aria-busy", "false")


def test_comments_at_the_top_are_folded(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "# first\n# second\nASK {}")
    page.goto("/sparql")
    wait_for_editor(page)
    expect(page.locator(".cm-line").first).to_have_text("# first…")
    expect(page.locator(".cm-content")).not_to_contain_text("# second")
    assert find_axe_violations(page) == []
    page.get_by_title("Show the comment").click()
    expect(page.locator(".cm-content")).to_contain_text("# second")
    assert query_text(page) == "# first\n# second\nASK {}"


def test_comments_of_an_example_are_not_in_the_editor(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=coverage-matrix"))
    assert "# title" not in query_text(page)


def test_table_shows_names_filters_rows_and_groups_repeated_cells(
    reopen_page: PageOpener, find_axe_violations: AxeCheck
) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(
        page,
        "SELECT * { VALUES (?z ?a) { (<https://w3id.org/wgig/id/issue/spam> 1)"
        " (<https://w3id.org/wgig/id/issue/spam> 2) (<https://w3id.org/wgig/id/issue/voip> 3) } }",
    )
    cells = page.locator(".found tbody td:first-child")
    expect(cells.first).to_have_text("Spam", use_inner_text=True)
    assert page.locator(".found thead th").all_text_contents() == ["z", "a"]  # as in the query
    expect(cells.nth(1)).to_have_class("again")
    assert find_axe_violations(page) == []
    page.get_by_label("web address", exact=True).check()
    expect(cells.first).to_have_text("issue:spam", use_inner_text=True)
    page.get_by_label("Filter rows").fill("VOIP")
    expect(cells).to_have_count(1)
    expect(page.locator(".row-filter [role=status]")).to_have_text("1 of 3 rows")


def test_column_of_labels_is_folded_into_the_column_of_things(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT ?x ?xLabel { VALUES (?x ?xLabel) { (<https://example.org/x> 'Mine') } }")
    assert page.locator(".found thead th").all_text_contents() == ["x"]
    link = page.locator(".found tbody a")
    expect(link).to_have_text("Mine", use_inner_text=True)
    expect(link).to_have_attribute("href", "https://example.org/x")


def list_tabs(page: Page) -> list[str]:
    return page.locator(".query-tabs li").all_inner_texts()


def test_queries_are_kept_in_tabs(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?first ?p ?o }")
    page.get_by_role("button", name="New", exact=True).click()
    insert_query(page, "ASK { ?second ?p ?o }")
    assert list_tabs(page) == ["Query 1", "Query 2"]
    page.get_by_role("button", name="Query 1").click()
    assert query_text(page) == "ASK { ?first ?p ?o }"
    page.goto("/sparql")
    wait_for_editor(page)
    assert list_tabs(page) == ["Query 1", "Query 2"]
    assert query_text(page) == "ASK { ?first ?p ?o }"
    expect(page.locator(".query-tabs [aria-current]")).to_have_text("Query 1")
    page.get_by_role("button", name="Query 2").click()
    assert query_text(page) == "ASK { ?second ?p ?o }"
    assert find_axe_violations(page) == []


def test_new_tab_has_a_query_with_rows_and_the_focus(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".found")).to_contain_text("Paragraph")
    expect(page.locator(".found")).not_to_contain_text("void")
    expect(page.locator(".found")).not_to_contain_text("Possible mistakes")
    page.get_by_role("button", name="New", exact=True).click()
    page.keyboard.type("#")
    assert query_text(page) == "#"  # typing replaces the example


def test_queries_of_links_share_a_tab(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "ASK {}")
    page.goto("/health")
    for query in ("ASK { ?a ?b 1 }", "ASK { ?a ?b 2 }", "ASK {}\n"):
        page.goto(f"/sparql#q={compress_query(query)}")
        expect(page.locator(".found")).to_be_visible()
        page.goto("/health")
    page.goto("/sparql")
    wait_for_editor(page)
    assert len(list_tabs(page)) == 2


def test_undo_does_not_cross_tabs(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?first ?p ?o }")
    page.get_by_role("button", name="New", exact=True).click()
    new_text = query_text(page)
    page.get_by_role("textbox", name="SPARQL query").focus()
    page.keyboard.press("Control+z")
    assert query_text(page) == new_text


def test_tab_is_renamed_closed_and_reopened(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?mine ?p ?o }")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of this query").fill("Mine")
    assert find_axe_violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator(".query-tabs [aria-current]")).to_be_focused()
    assert list_tabs(page) == ["Mine"]
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of this query").fill("Not this")
    page.keyboard.press("Escape")
    assert list_tabs(page) == ["Mine"]
    page.get_by_role("button", name="Close", exact=True).click()
    assert list_tabs(page) == ["Query 1"]
    page.get_by_role("button", name="Reopen “Mine”").click()
    assert list_tabs(page) == ["Query 1", "Mine"]
    assert query_text(page) == "ASK { ?mine ?p ?o }"
    expect(page.locator(".found")).to_be_hidden()  # Enter in the field of the name ran nothing


def test_query_is_saved_until_deleted(reopen_page: PageOpener, find_axe_violations: AxeCheck) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?saved ?p ?o }")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".status")).to_have_text("Saved in this browser.")
    insert_query(page, "ASK { ?changed ?p ?o }")
    page.get_by_text("Saved queries: 1").click()
    assert find_axe_violations(page) == []
    page.locator(".saved li").get_by_role("button", name="Query 1", exact=True).click()
    assert query_text(page) == "ASK { ?saved ?p ?o }"
    page.get_by_role("button", name="Delete “Query 1”").click()
    expect(page.get_by_text("Saved queries")).to_be_hidden()


def test_example_opens_in_its_own_tab(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK { ?mine ?p ?o }")
    page.goto("/sparql?example=coverage-matrix")
    wait_for_editor(page)
    assert list_tabs(page) == ["Query 1", "Assessments by issue and criterion"]
    page.goto("/sparql?example=disagreements")  # takes the place of the example, which was not changed
    wait_for_editor(page)
    assert list_tabs(page) == ["Query 1", "Disagreements"]


def test_tabs_of_two_windows_are_merged(open_page: PageOpener) -> None:
    page = wait_for_editor(open_page("/sparql"))
    insert_query(page, "ASK { ?first ?p ?o }")
    page.wait_for_function("() => localStorage['wgig-tabs'].includes('?first')")
    other_page = page.context.new_page()
    other_page.goto("/sparql")
    wait_for_editor(other_page).get_by_role("button", name="New", exact=True).click()
    insert_query(page, "ASK { ?again ?p ?o }")
    page.get_by_role("button", name="Save", exact=True).click()
    assert list_tabs(page) == ["Query 1", "Query 2"]
    assert query_text(page) == "ASK { ?again ?p ?o }"


def test_full_storage_is_reported(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    page.evaluate("localStorage.rest = 'x'.repeat(5_000_000)")
    insert_query(page, "# " + "y" * 400_000)
    expect(page.locator(".status")).to_contain_text("The storage of this browser is full")


def test_query_of_a_megabyte_is_kept_and_a_longer_one_is_not(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    query = f"ASK {{}} #{'x' * 999_990}"
    insert_query(page, query)
    page.wait_for_function("() => localStorage['wgig-tabs'].length > 1_000_000")
    page.goto("/sparql")
    assert len(query_text(wait_for_editor(page))) == len(query)
    insert_query(page, f"{query}xxxx")
    expect(page.locator(".status")).to_contain_text("too long to save")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".status")).to_contain_text("too long to save")
    assert page.evaluate("JSON.parse(localStorage['wgig-tabs']).saved") == []


def test_missing_storage_is_reported(open_page: PageOpener) -> None:
    page = open_page("/health")
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('off') }})")
    page.goto("/sparql")
    wait_for_editor(page)
    expect(page.locator(".status")).to_contain_text("does not let the page store anything")
    page.get_by_role("button", name="New", exact=True).click()
    assert list_tabs(page) == ["Query 1", "Query 2"]
    run_query(page, "ASK {}")


@pytest.mark.parametrize(
    "stored",
    ["", "null", "[]", "{", '{"tabs": 1}', '{"tabs": [null, {"id": 1}], "saved": {}, "activeId": {}}'],
)
def test_damaged_storage_is_ignored(reopen_page: PageOpener, stored: str) -> None:
    page = reopen_page("/sparql")
    page.evaluate("stored => localStorage.setItem('wgig-tabs', stored)", stored)
    page.goto("/sparql")
    wait_for_editor(page)
    assert list_tabs(page) == ["Query 1"]
    run_query(page, "ASK {}")


FORMATTED_QUERY = """# mine
PREFIX : <x:>

SELECT ?x (COUNT(*) AS ?n) WHERE {
  ?x a :B ;
    :c ?y, 3.5 . # here
  OPTIONAL {
    ?x :d "a ; b"@en
  }
  FILTER(?y > 3)
  VALUES ?z { 1 2 }
}
GROUP BY ?x
LIMIT 10
"""


def test_query_is_formatted(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    text = re.sub(r"(?<!mine)(?<!here)\n +|(?<=[^e])\n(?=[SGL])", " ", FORMATTED_QUERY).replace(
        "SELECT", "select"
    )
    assert text.count("\n") < 8
    insert_query(page, text)
    page.get_by_role("button", name="Tidy the query").click()
    assert query_text(page) == FORMATTED_QUERY
    page.get_by_role("textbox", name="SPARQL query").press("Control+z")
    assert query_text(page) == text
    page.get_by_role("textbox", name="SPARQL query").press("Shift+Alt+F")
    assert query_text(page) == FORMATTED_QUERY


def test_each_example_has_the_same_result_when_formatted(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    names = page.locator("#example option").evaluate_all("all => all.map(option => option.value)")
    assert len(names) > 10
    for name in names[:6]:
        page.goto(f"/sparql?example={name}")
        tokens = query_text(wait_for_editor(page)).lower().split()
        page.get_by_role("button", name="Tidy the query").click()
        assert "".join(query_text(page).lower().split()) == "".join(tokens)


def get_short_link(page: Page) -> str:
    field = page.get_by_label("Short link")
    expect(field).to_have_value(re.compile("#q="))
    return field.input_value()


def test_link_leads_to_query_and_view(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, PLACES_QUERY)
    assert "#" not in page.url
    page.get_by_role("radio", name="Map").check()
    assert page.url.endswith("#view=map")
    link = page.get_by_role("link", name="Link to this answer").get_attribute("href") or ""
    for address in (link, get_short_link(page)):
        assert address.endswith("view=map")
        page.goto("/health")
        page.goto(address)
        expect(page.locator(".map circle").first).to_be_attached()
        expect(page.get_by_role("radio", name="Map")).to_be_checked()
        assert query_text(page) == PLACES_QUERY


def test_short_link_is_shorter_and_has_no_query_string(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql?example=coverage-matrix"))
    page.get_by_role("button", name="Run the query").click()
    link = page.get_by_role("link", name="Link to this answer").evaluate("link => link.href")
    short_link = get_short_link(page)
    assert "/sparql#q=" in short_link
    assert len(short_link) < len(link) / 1.7


def test_short_link_is_copied(open_page: PageOpener) -> None:
    page = wait_for_editor(open_page("/sparql", permissions=["clipboard-read", "clipboard-write"]))
    run_query(page, "ASK {}")
    address = page.url
    page.get_by_role("button", name="Copy the link").click()
    expect(page.locator(".short-link")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == get_short_link(page)
    assert page.url == address


def test_damage_of_short_link_is_reported(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, ISSUES_QUERY)
    head, _, code = get_short_link(page).partition("#q=")
    for index in (0, 10, len(code) // 2, len(code) - 4):
        damaged_code = code[:index] + ("A" if code[index] != "A" else "B") + code[index + 1 :]
        page.goto("/health")
        page.goto(f"{head}#q={damaged_code}")
        expect(page.locator(".notice")).to_contain_text("the link is incomplete or damaged")
        assert query_text(page) == ""
        expect(page.locator(".found")).to_be_hidden()


def test_damage_of_short_link_is_not_covered_by_the_bar(open_page: PageOpener) -> None:
    page = wait_for_editor(open_page("/sparql", viewport={"width": 1280, "height": 800}))
    page.evaluate("location.hash = '#q=xxxx'")
    expect(page.locator(".notice[role=alert]")).to_be_visible()
    position = page.locator(".run-bar").evaluate("(bar) => getComputedStyle(bar).position")
    assert position == "static"


def test_query_of_a_link_without_checksum_is_not_run(reopen_page: PageOpener) -> None:
    page = reopen_page("/sparql#q=cwz2VqiuBQA")  # ASK {}, of the first version of short links
    expect(page.locator(".status")).to_contain_text("made by an earlier version and has no checksum")
    assert query_text(page) == "ASK {}"
    expect(page.locator(".found")).to_be_hidden()


def test_failed_query_is_in_the_address(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "ASK {}")
    insert_query(page, "ASK { ?s ?p }")
    page.get_by_role("button", name="Run the query").click()
    page.wait_for_url("**/sparql?query=ASK*p*")
    page.reload()
    assert query_text(wait_for_editor(page)) == "ASK { ?s ?p }"


def test_long_query_is_linked_by_its_fragment(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    query = f"ASK {{}} #{'long ' * 12_000}"
    run_query(page, query)
    page.wait_for_url("**/sparql#q=*")
    page.reload()
    expect(wait_for_editor(page).locator(".found")).to_contain_text("Yes: the graph has")
    assert query_text(page) == query


def test_link_to_a_view_that_does_not_apply_shows_the_table(reopen_page: PageOpener) -> None:
    page = reopen_page(f"/sparql?query={quote(COUNTS_QUERY)}#view=hologram")
    expect(page.locator(".found .notice")).to_contain_text("cannot be shown in the view that the link names")
    expect(page.get_by_role("radio", name="Table")).to_be_checked()


def test_query_page_works_without_scripts(reopen_page: PageOpener) -> None:
    page = reopen_page("/sparql", java_script_enabled=False)
    assert page.locator(".code").count() == 0
    page.get_by_label("SPARQL query").fill(ISSUES_QUERY)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("table.answer")).to_contain_text("issue:spam")
    page.get_by_text("See and change the query").click()
    page.get_by_label("SPARQL query").fill("SELEC")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("heading", name="Syntax error")).to_be_visible()


def test_warning_is_shown_with_nonempty_result(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    run_query(page, "SELECT ?lable { ?x <http://www.w3.org/2004/02/skos/core#prefLabel> ?label } LIMIT 3")
    expect(page.locator(".found")).to_contain_text("Possible mistakes")
    expect(page.locator(".cm-lintRange-warning")).to_have_text("?lable")
    assert "hints" not in page.url  # the parameter by which the page asks for warnings


def test_too_large_result_is_not_shown(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 60000")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("alert")).to_contain_text("larger than 16 MiB", timeout=30_000)
    assert page.locator(".found table").count() == 0


def test_link_within_page_keeps_query(reopen_page: PageOpener) -> None:
    page = wait_for_editor(reopen_page("/sparql"))
    insert_query(page, "ASK {}")
    page.get_by_role("link", name="Skip to main content").press("Enter")
    page.go_back()
    assert query_text(page) == "ASK {}"


EDITOR_SCRIPT_GLOB = "**/static/editor-*.js"
# The sum of all layout shifts of the page so far; 0 if the browser reports none within 300 ms.
LAYOUT_SHIFT_SCRIPT = """new Promise((resolve) => {
  const sumShifts = (list) => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
  new PerformanceObserver(sumShifts).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0), 300)));
})"""


@pytest.mark.parametrize(
    "path", ["/sparql", "/sparql?example=coverage-matrix", f"/sparql?query={quote(ISSUES_QUERY)}"]
)
@pytest.mark.parametrize("width", [390, 1280])
def test_page_does_not_move_when_editor_loads(open_page: PageOpener, path: str, width: int) -> None:
    # The route must exist before the page with the editor is opened.
    page, held_routes = open_page("/health", viewport={"width": width, "height": 800}), list[Route]()
    page.route(EDITOR_SCRIPT_GLOB, lambda route: held_routes.append(route))  # noqa: PLW0108 - Playwright sets an attribute on the handler
    with page.expect_request(EDITOR_SCRIPT_GLOB):
        page.goto(path, wait_until="commit")
    page.locator("footer").wait_for()
    shift_before = page.evaluate(LAYOUT_SHIFT_SCRIPT)
    held_routes[0].continue_()
    expect(page.locator(".code")).to_be_attached()
    assert page.evaluate(LAYOUT_SHIFT_SCRIPT) - shift_before < 0.01
