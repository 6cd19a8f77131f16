"""The editor of queries in a browser: it helps to write, runs, shows, and can be left and read by all."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

Visit = Callable[..., Page]
Axe = Callable[[Page], list[str]]

ISSUES = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
SELECT ?issue ?label WHERE { ?issue a wgig:Issue ; skos:prefLabel ?label } ORDER BY ?issue"""
COUNTS = "SELECT ?class (COUNT(?thing) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class"
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
CROSSED = "SELECT ?g ?c (COUNT(*) AS ?n) { GRAPH ?g { ?x a ?c } } GROUP BY ?g ?c LIMIT 60"
TIES = "CONSTRUCT { ?a ?p ?b } WHERE { ?a a <https://w3id.org/wgig/ontology#Issue> ; ?p ?b } LIMIT 50"


def editor(page: Page) -> Page:
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_visible()
    return page


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="SPARQL query").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type(text)


def put(page: Page, text: str) -> None:
    """Write all at once, without help."""
    page.get_by_role("textbox", name="SPARQL query").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)
    page.keyboard.press("Escape")


def run(page: Page, text: str) -> None:
    put(page, text)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_contain_text(re.compile(r"Time: \d+ ms\."))


def text_of(page: Page) -> str:
    return page.locator("textarea[name=query]").input_value()


def offered(page: Page, text: str, expected: str) -> list[str]:
    """What is offered at the end of a text, once what is expected is among it."""
    put(page, text)
    page.keyboard.press("Control+Space")
    labels = page.locator(".cm-tooltip-autocomplete li .cm-completionLabel")
    expect(labels.get_by_text(expected, exact=True).first).to_be_visible()
    return labels.all_inner_texts()


def take(page: Page, option: re.Pattern[str]) -> None:
    """Take the completion that is chosen. It was offered long enough that a key is meant for it: 75 ms."""
    expect(page.locator(".cm-tooltip-autocomplete li[aria-selected]")).to_have_text(option)
    page.wait_for_timeout(75)
    page.keyboard.press("Enter")


def test_a_query_is_written_with_completions_and_run_by_keyboard_alone(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    write(page, "SELECT * WHERE { ?issue a Issu")
    take(page, re.compile(r"^wgig:Issue\s*issue · in the graph: \d+"))
    page.keyboard.type(" ; prefLab")
    take(page, re.compile("^skos:prefLabel"))
    page.keyboard.type(" ?label }")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d+\. Time: \d+ ms\."))
    assert text_of(page).splitlines() == [
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>",
        "PREFIX wgig: <https://w3id.org/wgig/ontology#>",
        "SELECT * WHERE { ?issue a wgig:Issue ; skos:prefLabel ?label }",
    ]
    expect(page.get_by_role("link", name="issue:spam").first).to_have_attribute("href", "/doc/issue/spam")


def test_completions_are_told_in_the_language_of_the_page(revisit: Visit) -> None:
    page = revisit("/sparql?_lang=fr")
    page.get_by_role("textbox", name="Requête SPARQL").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("SELECT * WHERE { ?issue a Issu")
    expect(page.locator(".cm-tooltip-autocomplete li[aria-selected]")).to_have_text(
        re.compile(r"^wgig:Issue\s*question · ")
    )


@pytest.mark.parametrize(
    ("text", "there", "absent"),
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
    ],
)
def test_what_fits_the_place_is_offered(revisit: Visit, text: str, there: str, absent: str) -> None:
    assert absent not in offered(editor(revisit("/sparql")), text, there)


def test_a_prefix_that_is_written_out_is_declared(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    write(page, "# mine\nASK { ?x skos:broader ?y }")
    assert text_of(page).startswith("# mine\nPREFIX skos: <http://www.w3.org/2004/02/skos/core#>\nASK {")


def test_no_prefix_is_declared_for_a_word_of_a_text_or_comment(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    write(page, '# skos:x\nASK { ?x ?y "skos:z" }')
    assert text_of(page) == '# skos:x\nASK { ?x ?y "skos:z" }'


def test_an_error_is_told_and_marked_at_its_place(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    put(page, "ASK {\n  ?x ?y FILTR(true) }")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("alert").locator("[lang=en]")).to_contain_text("Line 2, column 9")
    expect(page.locator(".cm-lintRange-error")).to_have_text("FILTR")
    page.get_by_role("button", name="Go to line 2, column 9").click()
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_focused()
    assert axe(page) == []


def test_the_page_of_a_refusal_marks_the_place_too(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit(f"/sparql?query={quote('ASK { ?😀x }')}"))
    expect(page.locator(".cm-lintRange-error, .cm-lintPoint-error").first).to_be_visible()
    assert axe(page) == []


def test_what_is_probably_not_meant_is_told_and_marked(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    run(page, "PREFIX wgig: <https://w3id.org/wgig/ontology#> SELECT ?x { ?x a wgig:Isue }")
    expect(page.locator(".found")).to_contain_text("Perhaps not meant")
    expect(page.locator(".found")).to_contain_text("The query found nothing.")
    expect(page.locator(".cm-lintRange-warning")).to_have_text("wgig:Isue")
    assert axe(page) == []


def test_a_query_that_runs_can_be_canceled(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    put(page, ENDLESS)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("#ask")).to_contain_text(re.compile(r"\d\.\d s"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("You canceled the query.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    page.wait_for_function("fetch('/queries/running').then((r) => r.json()).then((now) => now.count === 0)")


def test_the_table_is_sorted_by_a_column(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    run(page, "SELECT * { VALUES (?n ?w) { (10 'b') (9 'a') (UNDEF 'c') } }")
    head = page.get_by_role("columnheader", name="n", exact=True)
    first = page.locator(".found tbody td:first-child")
    expect(head).to_have_attribute("aria-sort", "none")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert first.all_inner_texts() == ["9", "10", ""]
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert first.all_inner_texts() == ["10", "9", ""]
    head.get_by_role("button").press("Enter")
    assert first.all_inner_texts() == ["10", "9", ""]
    expect(head).to_have_attribute("aria-sort", "none")


def test_a_large_answer_is_paged(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    run(page, "SELECT * { ?s ?p ?o } LIMIT 250")
    assert page.locator(".found tbody tr").count() == 100
    page.get_by_role("button", name="Next rows").click()
    page.get_by_role("button", name="Next rows").click()
    expect(page.locator(".pages")).to_contain_text("Rows 201 to 250 of 250")
    assert page.locator(".found tbody tr").count() == 50
    assert axe(page) == []


@pytest.mark.parametrize(
    ("query", "name", "shown"),
    [
        (COUNTS, "Bars", ".drawing .length"),
        ("SELECT * { ?x <https://w3id.org/wgig/ontology#due> ?due }", "Timeline", ".drawing .moment"),
        (CROSSED, "Matrix", ".crossed td"),
        (TIES, "Graph", ".network circle"),
        (TIES, "Raw", ".view pre"),
    ],
)
def test_an_answer_is_shown_in_each_way_that_fits(
    revisit: Visit, axe: Axe, query: str, name: str, shown: str
) -> None:
    page = editor(revisit("/sparql"))
    run(page, query)
    page.get_by_role("radio", name=name).check()
    expect(page.locator(shown).first).to_be_attached()
    assert axe(page) == []


UNBROKEN = """() => [...document.querySelectorAll(".crossed span")].every((one) => {
    const text = one.firstChild;
    return [...text.data.matchAll(/\\p{L}+/gu)].every((word) => {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length === 1;
    });
})"""


def test_a_wide_matrix_is_read_in_a_box_of_its_own(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql?example=due-and-delivered"))
    page.get_by_role("button", name="Run the query").click()
    page.get_by_role("radio", name="Matrix").check()
    box = page.get_by_role("region", name="Matrix of the answer")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(UNBROKEN)
    expect(box.get_by_role("columnheader", name="no value", exact=True)).to_be_visible()
    expect(box.get_by_role("rowheader", name="no value", exact=True)).to_be_visible()
    assert "" not in [head.strip() for head in box.locator("th").all_inner_texts()]
    assert axe(page) == []


def test_a_long_word_is_whole_in_a_matrix_of_many_columns(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    rows = " ".join(f"('{of}' 'n{number}')" for number in range(30) for of in "ab")
    run(page, f"SELECT ?x ?y ('Telecommunication infrastructure' AS ?z) {{ VALUES (?x ?y) {{ {rows} }} }}")
    page.get_by_role("radio", name="Matrix").check()
    assert page.evaluate(UNBROKEN)


def test_numbers_are_written_as_on_the_page_and_not_as_the_browser_would(revisit: Visit) -> None:
    page = editor(revisit("/sparql", locale="de-DE"))
    run(page, "SELECT * { VALUES (?x ?n) { ('a' 1234567) } }")
    page.get_by_role("radio", name="Bars").check()
    expect(page.locator(".drawing .number")).to_have_text("1,234,567")


def test_what_does_not_fit_is_not_offered(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    run(page, "SELECT * { VALUES ?x { 'a' 'b' } }")
    assert page.get_by_role("radio").count() == 2


def test_text_of_strangers_stays_text(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    hostile = "('<img src=x onerror=alert(1)>' <javascript:alert(1)>) ('ب'@ar 2)"
    run(page, f"SELECT * {{ VALUES (?a ?b) {{ {hostile} }} }}")
    for name in page.locator(".views label").all_inner_texts():
        page.get_by_role("radio", name=name.strip()).check()
        assert page.locator(".found img, .found a[href^=javascript]").count() == 0
    page.get_by_role("radio", name="Table").check()
    expect(page.locator(".found td span[lang=ar]")).to_have_attribute("dir", "auto")


def test_a_long_word_does_not_widen_the_page(revisit: Visit) -> None:
    page = editor(revisit("/sparql", viewport={"width": 390, "height": 800}))
    run(page, "SELECT (REPLACE('" + "x" * 100 + "', 'x', '" + "y" * 100 + "') AS ?long) {}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tab_leaves_the_editor_in_both_directions(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    field = page.get_by_role("textbox", name="SPARQL query")
    field.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run the query")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(field).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Put it below")).to_be_focused()
    expect(page.locator(".keys")).to_contain_text("Tab leaves the editor.")


def test_the_label_leads_into_the_editor(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    page.locator("label", has_text="SPARQL query").click()
    expect(page.get_by_role("textbox", name="SPARQL query")).to_be_focused()


def test_an_example_is_asked_with_parameters_of_its_own(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    page.get_by_label("Begin with an example").select_option("agreements-and-outcomes")
    page.get_by_role("button", name="Put it below").click()
    page.get_by_label("The meeting that settled it.").fill("m2")
    page.get_by_role("button", name="Put it below").click()
    editor(page)
    assert "VALUES ?meeting { <https://w3id.org/wgig/id/meeting/m2> }" in text_of(page)
    assert axe(page) == []


def test_a_filled_parameter_counts_when_the_query_is_run(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql?example=coverage-matrix"))
    page.get_by_label("Only this issue.").fill("spam")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d\d?\. "))
    assert "VALUES ?the_issue { <https://w3id.org/wgig/id/issue/spam> }" in text_of(page)
    assert "Only this issue" not in page.locator(".found").inner_text()
    page.get_by_label("Only this issue.").fill("")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d{3}\. "))
    assert "VALUES ?the_issue { UNDEF }" in text_of(page)
    assert axe(page) == []


def test_a_parameter_that_names_nothing_is_no_answer_and_told_at_its_field(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql?example=coverage-matrix"))
    for _ in range(2):  # it does not count the second time either
        page.get_by_label("Only this issue.").fill("spamm")
        page.get_by_role("button", name="Run the query").click()
        expect(page.get_by_role("alert")).to_contain_text("Did you mean spam?")
        expect(page.get_by_label("Only this issue.")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#said-the_issue")).to_contain_text("Did you mean spam?")
        assert page.locator(".found table").count() == 0
    assert axe(page) == []
    page.get_by_label("Only this issue.").fill("spam")
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_have_text(re.compile(r"Rows: \d\d?\. "))
    expect(page.locator("#said-the_issue")).to_have_count(0)


def test_a_filled_parameter_that_a_changed_query_lacks_is_told(revisit: Visit) -> None:
    page = editor(revisit("/sparql?example=coverage-matrix"))
    run(page, "ASK {}")
    expect(page.locator(".found")).not_to_contain_text("lacks the value")
    page.get_by_label("Only this issue.").fill("spam")
    page.get_by_role("button", name="Run the query").click()
    told = "You changed the query, and it lacks the value for: Only this issue."
    expect(page.locator(".found")).to_contain_text(told)
    assert text_of(page) == "ASK {}"


def test_without_scripts_it_is_said_when_a_parameter_counts(revisit: Visit) -> None:
    path, says = "/sparql?example=coverage-matrix", "Values count when you put them below."
    expect(revisit(path, java_script_enabled=False).get_by_text(says)).to_be_visible()
    expect(revisit(path).get_by_text(says)).to_be_hidden()


def test_what_was_written_and_not_run_can_be_had_back(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    put(page, "ASK { ?my ?own ?work }")
    page.get_by_role("button", name="Put it below").click()
    page.get_by_text("Earlier queries of yours: 1").click()
    put(page, "ASK { ?more ?of ?it }")
    page.get_by_role("button", name="ASK { ?my ?own ?work }").click()
    assert text_of(page) == "ASK { ?my ?own ?work }"
    page.get_by_role("button", name="ASK { ?more ?of ?it }").click()
    assert text_of(page) == "ASK { ?more ?of ?it }"


def test_an_example_that_was_not_changed_is_not_kept(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    page.get_by_role("button", name="Put it below").click()
    page.wait_for_url("**/sparql?example=*")
    expect(editor(page).locator(".past")).to_be_hidden()


def tongue(page: Page) -> str:
    return page.locator("footer a[hreflang=fr]").get_attribute("href") or ""


def test_another_language_keeps_what_the_editor_holds(revisit: Visit) -> None:
    page = editor(revisit("/sparql?example=coverage-matrix"))
    assert tongue(page) == "/sparql?example=coverage-matrix&_lang=fr"
    put(page, ISSUES)
    page.locator("footer a[hreflang=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("table.answer")).to_contain_text("issue:spam")
    assert text_of(page) == ISSUES


def test_another_language_keeps_what_was_run(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator(".status")).to_contain_text("Rows:")
    assert page.url.endswith(tongue(page).removesuffix("&_lang=fr"))
    assert "query=" in tongue(page)


def test_another_language_keeps_the_dataset_and_a_long_query_but_not_one_that_is_too_long(
    revisit: Visit,
) -> None:
    asked = f"/sparql?query={quote(ISSUES + ' #' + 'x' * 2000)}&default-graph-uri=urn%3Ag"
    page = revisit(asked)
    page.get_by_text("The query: see it").click()
    editor(page)
    assert "query=PREFIX" in tongue(page)
    assert tongue(page).endswith("&default-graph-uri=urn%3Ag&_lang=fr")
    put(page, "ASK {} #" + "x" * 30_000)
    assert "ASK" not in tongue(page)


def test_an_answer_has_an_address_that_leads_to_it_again(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    run(page, ISSUES)
    assert page.url.endswith(f"/sparql?query={quote(ISSUES, safe='').replace('%20', '+')}")
    page.reload()
    expect(page.locator("#answer table.answer")).to_contain_text("issue:spam")
    page.get_by_role("button", name="Sort it, or show it as bars").click()
    expect(page.get_by_role("radio", name="Table")).to_be_checked()
    expect(page.locator(".found").get_by_role("heading", name="Answer")).to_be_focused()
    assert page.locator("#answer").count() == 0
    page.go_back()
    expect(page.get_by_role("heading", name="Query the graph")).to_be_visible()


def test_what_was_asked_is_remembered_until_it_is_to_be_forgotten(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    run(page, "ASK { ?s ?p ?o }")
    run(page, "SELECT ?s { ?s ?p ?o } LIMIT 1")
    page.goto("/sparql")
    page.get_by_text("Earlier queries of yours: 2").click()
    assert axe(page) == []
    page.get_by_role("button", name="ASK { ?s ?p ?o }").click()
    assert text_of(page) == "ASK { ?s ?p ?o }"
    page.get_by_role("button", name="Forget them all").click()
    expect(page.locator(".past")).to_be_hidden()


def test_an_answer_is_taken_away_in_each_format(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    run(page, ISSUES)
    for name in ("JSON", "CSV", "TSV", "XML"):
        with page.expect_download() as waiting:
            page.locator(".offers").get_by_role("link", name=name, exact=True).click()
        assert "issue/spam" in waiting.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["curl", "Python", "R"])
def test_the_question_is_copied_as_a_command(revisit: Visit, language: str) -> None:
    page = editor(revisit("/sparql", permissions=["clipboard-read", "clipboard-write"]))
    run(page, "ASK { FILTER('it\\'s' = \"it's\") }")
    page.get_by_role("button", name=f"Copy as {language}").click()
    expect(page.locator(".offers")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".offers pre").inner_text()
    assert "/sparql" in copied


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/sparql", f"/sparql?query={quote(ISSUES)}", f"/sparql?explain&query={quote(ISSUES)}"]
)
def test_nobody_is_shut_out(revisit: Visit, axe: Axe, path: str, scheme: str) -> None:
    page = revisit(path, color_scheme=scheme)
    expect(page.locator(".code")).to_be_attached()
    assert axe(page) == []


def test_completions_shut_nobody_out(revisit: Visit, axe: Axe) -> None:
    page = editor(revisit("/sparql"))
    offered(page, "SELECT * { ?x a ", "prov:Entity")
    assert axe(page) == []


def test_all_works_without_scripts(revisit: Visit) -> None:
    page = revisit("/sparql", java_script_enabled=False)
    assert page.locator(".code").count() == 0
    page.get_by_label("SPARQL query").fill(ISSUES)
    page.get_by_role("button", name="Run the query").click()
    expect(page.locator("table.answer")).to_contain_text("issue:spam")
    page.get_by_text("The query: see it, change it, ask again").click()
    page.get_by_label("SPARQL query").fill("SELEC")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("heading", name="The text does not parse")).to_be_visible()


def test_what_is_probably_not_meant_is_told_of_an_answer_with_rows_too(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    run(page, "SELECT ?lable { ?x <http://www.w3.org/2004/02/skos/core#prefLabel> ?label } LIMIT 3")
    expect(page.locator(".found")).to_contain_text("Perhaps not meant")
    expect(page.locator(".cm-lintRange-warning")).to_have_text("?lable")
    assert "hints" not in page.url


def test_an_answer_that_a_page_cannot_hold_is_not_shown_in_part(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    put(page, "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 60000")
    page.get_by_role("button", name="Run the query").click()
    expect(page.get_by_role("alert")).to_contain_text("larger than 16 MiB", timeout=30_000)
    assert page.locator(".found table").count() == 0


def test_a_link_within_the_page_keeps_what_was_written(revisit: Visit) -> None:
    page = editor(revisit("/sparql"))
    put(page, "ASK {}")
    page.get_by_role("link", name="Skip to the content").press("Enter")
    page.go_back()
    assert text_of(page) == "ASK {}"


EDITOR = "**/static/editor-*.js"
MOVED = """new Promise((resolve) => {
  const told = (list) => resolve(list.getEntries().reduce((sum, one) => sum + one.value, 0));
  new PerformanceObserver(told).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0), 300)));
})"""


@pytest.mark.parametrize(
    "path", ["/sparql", "/sparql?example=coverage-matrix", f"/sparql?query={quote(ISSUES)}"]
)
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_the_editor_comes(visit: Visit, path: str, width: int) -> None:
    page, held = visit("/health", viewport={"width": width, "height": 800}), list[Route]()
    page.route(EDITOR, lambda route: held.append(route))  # noqa: PLW0108 - a name is set on it
    with page.expect_request(EDITOR):
        page.goto(path, wait_until="commit")
    page.locator("footer").wait_for()
    before = page.evaluate(MOVED)
    held[0].continue_()
    expect(page.locator(".code")).to_be_attached()
    assert page.evaluate(MOVED) - before < 0.01
