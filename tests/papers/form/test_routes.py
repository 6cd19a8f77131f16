"""/write opens the form for a stored paper, a file or a new paper, in the language of the user."""

import httpx2
import pytest
from bs4 import BeautifulSoup
from wgig.shacl.rules import MESSAGE_LANGUAGES

from tests.fixtures.html_form import HTML_HEADERS, Form, open_form
from tests.fixtures.paper_form import (
    BASE,
    EXAMPLE_TURTLE,
    OTHER_TOKEN,
    PAPER_NAME,
    STATEMENTS_WITHOUT_FIELD,
    TOKEN,
    put_paper,
)
from tests.fixtures.word_file import build_word_file

pytestmark = pytest.mark.slow


def test_file_is_opened_or_its_error_is_shown(client: httpx2.Client) -> None:
    for name, content, status, text in (
        ("p.md", b"---\npaper: mine\ntitle: Words\n---\n", 200, "Words"),
        ("p.md", b"no head", 400, "no head"),
        ("p.docx", build_word_file([("", "paper: mine"), ("", "title: Words")]), 200, "Words"),
        ("p.docx", b"PK", 400, "not a Word file"),
        ("p.ttl", b"<x:a> <x:b>", 400, "not valid Turtle"),
        ("p.xyz", b"what", 415, "format"),
        ("p.ttl", b"<x:a> <x:b> <x:c> .", 422, "exactly one issue paper"),
        ("", b"", 400, "No file"),
    ):
        response = client.post("/write", files={"file": (name, content)}, headers=HTML_HEADERS)
        assert (response.status_code, text in response.text) == (status, True), (name, response.text)


def test_labels_are_in_the_language_of_the_parameter(client: httpx2.Client) -> None:
    page = client.get("/write?issue=spam&lang=ru", headers=HTML_HEADERS).text
    assert "Название" in page
    assert client.get("/write?lang=xx", headers=HTML_HEADERS).status_code == 400


def test_form_is_in_the_accepted_language(client: httpx2.Client) -> None:
    page = client.get("/write?issue=spam", headers={**HTML_HEADERS, "Accept-Language": "fr, en"})
    assert '<html lang="fr"' in page.text
    assert "Titre" in page.text
    assert page.headers["content-language"] == "fr"


def test_submitted_form_keeps_its_language(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam&lang=ru").fill(posted_1="soon").press("do", "check")
    assert form.page.html["lang"] == "ru"  # type: ignore[index]
    assert form.page.select_one('#posted-1-said span[lang="ru"]')


@pytest.fixture
def typed_form(client: httpx2.Client) -> Form:
    """A form in Russian with typed values."""
    form = open_form(client, "/write?issue=spam&lang=ru").press("add", "drafter")
    return form.fill(name="on-spam", title_1="Two\r\nlines", posted_1="soon", profile="final")


def test_form_is_shown_in_another_language_with_typed_values(typed_form: Form) -> None:
    french_form = typed_form.switch_language("fr")
    assert french_form.values == {**typed_form.values, "lang": "fr"}
    assert french_form.page.html["lang"] == "fr"  # type: ignore[index]
    assert french_form.response.headers["content-language"] == "fr"
    assert not french_form.page.select("#summary, .said")
    assert french_form.response.headers["cache-control"] == "no-store"


def test_messages_of_a_check_are_shown_in_another_language(typed_form: Form) -> None:
    russian_form = typed_form.press("do", "check")
    french_form = russian_form.switch_language("fr")
    assert french_form.summary_messages.keys() == russian_form.summary_messages.keys()
    assert french_form.page.select_one('#posted-1-said span[lang="fr"]')
    assert french_form.values == {**russian_form.values, "lang": "fr"}


def test_chosen_language_is_kept(typed_form: Form) -> None:
    checked_form = typed_form.switch_language("fr").press("do", "check")
    assert checked_form.page.html["lang"] == "fr"  # type: ignore[index]
    current_buttons = checked_form.page.select("footer button[aria-current]")
    assert [button["lang"] for button in current_buttons] == ["fr"]


def test_stored_paper_can_be_saved_after_a_change_of_language(client: httpx2.Client) -> None:
    put_paper(client, EXAMPLE_TURTLE + STATEMENTS_WITHOUT_FIELD)
    form = open_form(client, f"/write?paper={PAPER_NAME}").fill(numPages_1="4").switch_language("ar")
    assert "<x:weight>" in form.page.select_one("#rest pre").get_text()  # type: ignore[union-attr]
    saved_form = form.fill(token=TOKEN).press("do", "save")
    assert saved_form.page.select_one(".good h2"), saved_form.response.text


def test_leaked_token_is_reported_after_a_change_of_language(typed_form: Form) -> None:
    french_form = typed_form.fill(swot_1_strength_1=OTHER_TOKEN).switch_language("fr")
    assert OTHER_TOKEN not in french_form.response.text
    assert french_form.summary_messages.keys() == {"swot-1-strength-1"}


def test_start_page_has_links_to_other_languages(client: httpx2.Client) -> None:
    page = BeautifulSoup(client.get("/write", headers=HTML_HEADERS).text, "html.parser")
    assert [link["href"] for link in page.select('footer a[hreflang="fr"]')] == ["/write?_lang=fr"]


def test_english_error_is_marked_in_a_form_in_another_language(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam&lang=ru").fill(name="on-spam", token="wrong")
    page = form.press("do", "draft").page
    elements = page.select('#token-said span[lang], #summary [href="#token"] [lang]')
    assert [element["lang"] for element in elements] == ["en", "en"]


@pytest.mark.parametrize("language", [language for language in MESSAGE_LANGUAGES if language != "en"])
def test_hints_are_in_the_language_of_the_form(client: httpx2.Client, language: str) -> None:
    page = open_form(client, f"/write?issue=spam&lang={language}").page
    hints = page.select("form .hint")
    assert len(hints) > 40  # most fields have one
    assert not [hint.get_text() for hint in hints if hint.get("lang") or hint.select("[lang]")]
    title_hint = page.select_one("#title-hint")
    assert title_hint
    assert "listed, cited and found" not in title_hint.get_text()


def test_form_shows_what_the_background_report_says_at_its_section_or_criterion(
    client: httpx2.Client,
) -> None:
    form = open_form(client, "/write?issue=spam")
    texts = {}
    for hint in form.page.select("form details.background"):
        place = hint.find_parent(["fieldset", "section"])
        title = place and place.select_one("legend, h2")
        assert title
        texts[" ".join(title.get_text().split())[:14]] = " ".join(hint.get_text().split())
    assert "5. Forums (wher" not in texts
    assert "organization: OECD – policy frameworks, guidelines and studies" in texts["6. Governance "]
    assert "adequacy: not assessed (the group): Perhaps strong" in texts["7. Adequacy me"]
    coordination = texts["Assessment 4: "]
    assert "This is not part of your paper." in coordination
    assert "inadequate (some members): More coordination would serve these issues better" in coordination
    assert "partly adequate (the group): Joint work has only begun" in coordination
    assert "has begun, but is in its nascent stages background-report/136" in coordination
    assert "need (the group): Cooperation of states and of industry" in texts["8. Additional "]
    assert "nascent" not in form.send("do", "markdown").text
    assert "nascent" not in form.send("do", "turtle").text
    assert form.form.select_one('datalist#list-cited option[value="background-report/136"]')
    assert form.form.select_one("input#cites-1[list=list-cited]")
    assert form.form.select_one("input#assessment-1-cites-1[list=list-listed]")
    assert not form.form.select("datalist#list-listed option")


@pytest.mark.parametrize(
    ("list_name", "value", "name"),
    [
        (
            "listed",
            "declaration/48",
            "Geneva Declaration of Principles, paragraph 48: Internet as a global public facility; its "
            "international management to follow four qualities and four aims",
        ),
        ("about", "agent/icann", "ICANN"),
        ("members", "Alejandro Pisanty", ""),
        ("who", "APNIC", "Asia Pacific Network Information Centre (APNIC)"),
    ],
)
def test_page_of_choices_has_the_values_of_each_list(
    client: httpx2.Client, list_name: str, value: str, name: str
) -> None:
    page = BeautifulSoup(client.get("/write/choices", headers=HTML_HEADERS).text, "html.parser")
    table = page.select_one(f"table#list-{list_name}")
    assert table
    rows = [[cell.text for cell in row.select("td")] for row in table.select("tbody tr")]
    assert any(row[0] == value and row[1].startswith(name) for row in rows)
    form = open_form(client, "/write?issue=spam").form
    assert form.select_one(f"datalist#list-{list_name}")


def test_page_of_choices_is_in_the_language_of_the_form(client: httpx2.Client) -> None:
    page = client.get("/write/choices?lang=fr", headers=HTML_HEADERS).text
    assert 'lang="fr"' in page
    assert "Passages cités par le document" in page
    assert client.get("/write/choices?lang=de", headers=HTML_HEADERS).status_code == 400


def test_form_shows_no_hints_for_an_unknown_issue(client: httpx2.Client) -> None:
    files = {"file": ("p.md", b"---\npaper: mine\nissue: no-such-issue\n---\n")}
    response = client.post("/write", files=files, headers=HTML_HEADERS)
    assert response.status_code == 200
    assert "From the Background Report" not in response.text


@pytest.mark.parametrize("name", ["issues", "../issues", "nope", "https://evil.example/x", "a b", "a/b"])
def test_unknown_paper_name_is_not_found(client: httpx2.Client, name: str) -> None:
    response = client.get("/write", params={"paper": name}, headers=HTML_HEADERS)
    assert response.status_code == 404


def test_paper_may_be_named_by_its_iri(client: httpx2.Client) -> None:
    put_paper(client)
    assert open_form(client, f"/write?paper={BASE}id/paper/{PAPER_NAME}").values["name"] == PAPER_NAME


def test_start_page_lists_stored_papers_and_issues(client: httpx2.Client) -> None:
    empty_page = BeautifulSoup(client.get("/write", headers=HTML_HEADERS).text, "html.parser")
    assert empty_page.select_one("input#paper")
    put_paper(client)
    page = BeautifulSoup(client.get("/write", headers=HTML_HEADERS).text, "html.parser")
    assert [option["value"] for option in page.select("#paper option")] == [PAPER_NAME]
    assert len(page.select("#issue option")) == 31  # the issues of the inventory


@pytest.mark.parametrize("path", ["/write?_lang={}", "/write?issue=spam&lang={}"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_issues_are_sorted_by_their_labels(client: httpx2.Client, path: str, language: str) -> None:
    page = BeautifulSoup(client.get(path.format(language), headers=HTML_HEADERS).text, "html.parser")
    options = page.select("#issue option, #issue-1 option[value]:not([value=''])")
    labels = [option.get_text().casefold() for option in options]
    assert len(labels) == 31
    assert labels == sorted(labels)


def test_unknown_issue_has_no_far_fetched_suggestion(client: httpx2.Client) -> None:
    text = client.get("/write?issue=nope", headers=HTML_HEADERS).text
    assert "Did you mean" not in text
    assert "The issues are: " in text


def test_passages_that_the_form_fills_in_are_in_sight(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=privacy")
    field = form.form.select_one("#cites-1")
    assert field
    assert not field.find_parent("details")
    assert form.values["cites-1"] == "declaration/35"
    assert "Geneva Declaration of Principles, paragraph 35" in form.field_messages("cites-1")


def test_name_that_the_form_makes_is_told(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(mechanism_1_objectives_1="Less spam.")
    form = form.press("do", "check")
    assert "Without a name, this is called “Spam: mechanism”." in form.field_messages("mechanism-1-label-1")
