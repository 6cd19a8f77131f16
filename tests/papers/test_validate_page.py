"""The page of /validate: form, report and languages."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from wgig.i18n import PAGE_LANGUAGES
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.sent_papers import COMPLETE_PAPER, INCOMPLETE_PAPER, TURTLE_HEADERS
from tests.fixtures.service import make_service_client
from tests.fixtures.shapes import PERSON_DATA, PERSON_FINDINGS, PERSON_SHAPES

PAGE_HEADERS = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class PageParser(HTMLParser):
    """The elements of a page. Parsing fails unless each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open_tags: list[str] = []
        self.feed(text)
        assert not self.open_tags

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br"}:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def attribute_values(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def test_form_has_labeled_fields_for_post(client: httpx2.Client) -> None:
    page = PageParser(client.get("/validate?profile=final&lang=ru", headers=PAGE_HEADERS).text)
    forms = [
        attributes
        for tag, attributes in page.elements
        if tag == "form" and attributes.get("role") != "search"
    ]
    assert forms == [
        {
            "action": "/validate",
            "method": "post",
            "enctype": "multipart/form-data",
            "id": "paper-form",
            "class": "check",
        }
    ]
    names = [name for name in page.attribute_values("name") if name not in ("viewport", "color-scheme", "q")]
    assert names == [
        "paper",
        "format",
        "files",
        "lang",
        *["profile"] * 3,
        *["shapes"] * 2,
        *["do"] * len(PAGE_LANGUAGES),
    ]
    fields = {attributes["id"] for tag, attributes in page.elements if tag in ("input", "select", "textarea")}
    assert fields == set(page.attribute_values("for"))
    checked_values = [
        attributes["value"] for tag, attributes in page.elements if tag == "input" and "checked" in attributes
    ]
    assert checked_values == ["final"]


def test_report_links_to_lines_of_the_text(client: httpx2.Client) -> None:
    turtle = INCOMPLETE_PAPER.replace(b"wgig:round ", b"wgig:rond ")
    line_number = next(number for number, line in enumerate(turtle.split(b"\n"), 1) if b"wgig:rond" in line)
    fields = {"paper": turtle.decode(), "format": "ttl"}
    response = client.post("/validate", data=fields, headers=PAGE_HEADERS)
    page = PageParser(response.text)
    assert response.status_code == 200
    assert f"#file-1-line-{line_number}" in page.attribute_values("href")
    assert f"file-1-line-{line_number}" in page.attribute_values("id")
    assert "/shapes/WGIG-0-TERM-UNKNOWN" in page.attribute_values("href")
    assert "wgig:rond" in response.text.partition("<textarea")[2].partition("</textarea>")[0]


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"paper": "<a:a>\n<a:b>", "format": "ttl"}, 400, "The paper was not checked"),
        ({"paper": "", "format": "ttl"}, 400, "No paper was sent."),
        ({"paper": "x", "format": "exe"}, 415, "This is not a paper: its format is unknown."),
        ({"paper": "x", "profile": "perfect"}, 400, "There is no profile &#39;perfect&#39;."),
        ({"paper": "<script>alert(1)</script>", "format": "ttl"}, 400, "&lt;script&gt;alert(1)"),
    ],
)
def test_page_shows_the_error_above_the_form(
    client: httpx2.Client, fields: dict[str, str], status: int, sentence: str
) -> None:
    response = client.post("/validate", data=fields, headers=PAGE_HEADERS)
    page = PageParser(response.text)
    assert response.status_code == status
    assert sentence in response.text
    assert "alert" in page.attribute_values("role")
    assert "<title>Error: " in response.text
    assert "<script>" not in response.text


@pytest.mark.parametrize("body", [INCOMPLETE_PAPER, COMPLETE_PAPER, b"<a:a>"])
def test_page_has_unique_ids_valid_links_and_ordered_headings(client: httpx2.Client, body: bytes) -> None:
    html = client.post("/validate", content=body, headers={**TURTLE_HEADERS, **PAGE_HEADERS}).text
    page = PageParser(html)
    ids = page.attribute_values("id")
    assert len(ids) == len(set(ids))
    fragments = {str(href)[1:] for href in page.attribute_values("href") if str(href).startswith("#")}
    assert fragments <= {*ids}
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(next_level <= level + 1 for level, next_level in pairwise(levels))
    scripts = [attributes.get("src") or "" for tag, attributes in page.elements if tag == "script"]
    assert all(source.startswith("/static/") for source in scripts)
    assert not [tag for tag, _ in page.elements if tag == "style"]
    assert not page.attribute_values("style")


MISSPELLED_PAPER = "---\npaper: x\nissue: spamm\ncites: [declaration/480]\n---\n"


@pytest.mark.parametrize(
    ("name", "data", "status", "sentence"),
    [
        (
            "x.png",
            b"\x89PNG",
            415,
            "This is not a paper: its format is unknown. Choose a Markdown, Word or RDF file",
        ),
        ("x.ttl", b" \n", 422, "The file is empty."),
        ("x.docx", b"", 422, "The file is empty."),
    ],
)
def test_page_says_why_a_file_cannot_be_checked(
    client: httpx2.Client, name: str, data: bytes, status: int, sentence: str
) -> None:
    response = client.post("/validate", files={"files": (name, data)}, headers=PAGE_HEADERS)
    assert (response.status_code, sentence in response.text) == (status, True)


def find_summary(page: httpx2.Response) -> tuple[str, str]:
    """The title of a page without the name of the site, and the text of the element that gets the focus."""
    root = BeautifulSoup(page.text, "html.parser")
    (summary,) = root.select("[autofocus]")
    assert summary["tabindex"] == "-1"
    assert root.title
    return root.title.get_text().partition(" · ")[0], " ".join(summary.get_text().split())


@pytest.mark.parametrize(
    ("text", "profile", "verdict", "counts"),
    [
        (COMPLETE_PAPER.decode(), "complete", "This paper is complete", ""),
        (
            INCOMPLETE_PAPER.decode(),
            "complete",
            "This paper is not complete",
            "1 error",
        ),
        (
            MISSPELLED_PAPER,
            "draft",
            "This draft has errors",
            "2 errors",
        ),
    ],
)
def test_title_and_summary_with_the_focus_have_the_same_verdict(
    read_only_client: httpx2.Client, text: str, profile: str, verdict: str, counts: str
) -> None:
    fields = {"paper": text, "profile": profile}
    page = read_only_client.post("/validate", data=fields, headers=PAGE_HEADERS)
    page_title, focused_text = find_summary(page)
    assert page_title == f"{verdict}: Check a paper"
    assert focused_text[2:].startswith(f"{verdict} {counts}")  # after a mark
    assert "paper.md" not in BeautifulSoup(page.text, "html.parser").select(".report")[0].get_text()


def test_sections_have_as_many_findings_as_are_shown(read_only_client: httpx2.Client) -> None:
    page = read_only_client.post("/validate", data={"paper": MISSPELLED_PAPER}, headers=PAGE_HEADERS)
    root = BeautifulSoup(page.text, "html.parser")
    counted = [sum(map(int, re.findall(r"\d+", link.get_text()))) for link in root.select(".sections td a")]
    groups = [len(group.select("li")) for group in root.select(".section-findings")]
    assert counted == groups
    assert sum(counted) == len(root.select(".findings > li"))
    labels = [label.get_text() for label in root.select(".finding-kinds label")]
    assert labels[0] == "All findings"
    assert sum(int(label.split()[0]) for label in labels[1:]) == sum(counted)


def test_several_files_are_counted_together(read_only_client: httpx2.Client) -> None:
    contents = (COMPLETE_PAPER, INCOMPLETE_PAPER, INCOMPLETE_PAPER, b"<a:a>")
    files = [("files", (f"{number}.ttl", content)) for number, content in enumerate(contents)]
    title, summary = find_summary(read_only_client.post("/validate", files=files, headers=PAGE_HEADERS))
    assert title == "Not all papers are complete: Check a paper"
    assert summary[2:].startswith("Not all papers are complete 2 errors, waived: 1, 1 file not checked")


def test_waived_findings_are_not_counted(read_only_client: httpx2.Client) -> None:
    text = MISSPELLED_PAPER.replace("cites:", "waivers: {WGIG-1-ISSUE-UNKNOWN: So.}\ncites:")
    fields = {"paper": text, "profile": "draft"}
    page = read_only_client.post("/validate", data=fields, headers=PAGE_HEADERS)
    assert "Waived: \u2068So.\u2069" in page.text
    assert find_summary(page)[1][2:].startswith("This draft has errors 1 error, waived: 1 A draft")


def test_error_gets_the_focus(read_only_client: httpx2.Client) -> None:
    page = read_only_client.post("/validate", data={"paper": "<a:a>", "format": "ttl"}, headers=PAGE_HEADERS)
    assert find_summary(page)[0] == "Error: Check a paper"
    assert BeautifulSoup(page.text, "html.parser").select("#problem[autofocus]")


def test_suggestion_has_the_change_of_the_text_for_the_editor(read_only_client: httpx2.Client) -> None:
    fields = {"paper": MISSPELLED_PAPER, "profile": "draft"}
    root = BeautifulSoup(
        read_only_client.post("/validate", data=fields, headers=PAGE_HEADERS).text, "html.parser"
    )
    names = ("data-line", "data-column", "data-old", "data-new")
    changes = [[element[name] for name in names] for element in root.select("[data-new]")]
    assert ["3", "8", "spamm", "spam"] in changes
    assert ["4", "9", "declaration/480", "declaration/48"] in changes
    marked = [
        (element["data-line"], element["data-severity"]) for element in root.select("li[data-severity]")
    ]
    assert ("3", "Violation") in marked


def test_security_policy_allows_only_this_site_as_form_target(client: httpx2.Client) -> None:
    assert "form-action 'self'" in client.get("/validate").headers["content-security-policy"]


# :a is the assertion on a paper that is titled "Spam, profile hopeless".
CONFORMANCE_TURTLE = """
@prefix earl: <http://www.w3.org/ns/earl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix : <https://w3id.org/wgig/id/assertion/> . @prefix paper: <https://w3id.org/wgig/id/paper/> .
@prefix form: <https://w3id.org/wgig/id/document/form/issue-paper/> .
:a rdfs:label "Spam, profile hopeless, profile complete: failed"@en ; earl:subject paper:a ; wgig:partsMet 1 ;
   wgig:partsAsked 28 ; earl:result <r/failed> ; wgig:partMissing form:0 , form:7b ; wgig:partFaulty form:6 ;
   wgig:partWaived form:5 ; wgig:partUntested form:8 .
:b rdfs:label "Made up, profile complete: passed"@en ; earl:subject paper:b ; wgig:partsMet 28 ;
   wgig:partsAsked 28 ; earl:result <r/passed> ; wgig:illustrative true .
"""


def test_page_shows_conformance_of_papers_in_the_store() -> None:
    store = Store.in_memory()
    quads = ox.parse(CONFORMANCE_TURTLE, format=ox.RdfFormat.TURTLE, base_iri=Settings.base)
    triples = [quad.triple for quad in quads]
    store.apply(store.compute_addition(f"{Settings.base}graph/conformance", triples))
    html = make_service_client(Settings(), store).get("/validate").text
    spam_offset, illustrative_offset = html.index("1 of 28"), html.index("28 of 28")
    assert html.index("Papers of the first round") < spam_offset
    assert spam_offset < html.index("Invented papers") < illustrative_offset
    assert '<a href="/doc/paper/a">Spam, profile hopeless</a>' in html
    outcomes = ["missing", *["present"] * 4, "waived", "present, to correct", "present", "not checked"]
    assert re.findall('class="unseen">(.*?)<', html) == outcomes + ["present"] * 9
    assert (
        "Papers in the graph" not in make_service_client(Settings(), Store.in_memory()).get("/validate").text
    )


def test_form_is_in_the_accepted_language_also_if_cached(read_only_client: httpx2.Client) -> None:
    languages = ("fr", "zh", "fr", "zh")
    pages = [
        read_only_client.get("/validate", headers={"Accept-Language": language}) for language in languages
    ]
    assert "Accept-Language" in pages[0].headers["vary"]
    assert pages[0].text == pages[2].text != pages[1].text == pages[3].text


def test_report_is_in_the_language_of_the_page_unless_another_is_chosen(
    read_only_client: httpx2.Client,
) -> None:
    for chosen_language, report_language in (("", "fr"), ("ar", "ar")):
        fields = {"paper": INCOMPLETE_PAPER.decode(), "format": "ttl", "lang": chosen_language}
        page = read_only_client.post(
            "/validate", data=fields, headers={**PAGE_HEADERS, "Accept-Language": "fr, en"}
        )
        assert '<html lang="fr"' in page.text
        assert f'<div class="report" lang="{report_language}"' in page.text
        assert page.headers["content-language"] == "fr"


def switch_language(
    client: httpx2.Client, page: httpx2.Response, language: str, **typed_fields: str
) -> httpx2.Response:
    """Send the form of a page with the button of a language in the footer; return the new page."""
    root = BeautifulSoup(page.text, "html.parser")
    button = root.select_one(f'footer button[form="paper-form"][lang="{language}"]')
    assert button
    assert root.select_one("form#paper-form")
    fields: dict[str, Any] = {"paper": root.select("#paper")[0].get_text().removeprefix("\n")}
    fields["profile"] = root.select("[name=profile][checked]")[0]["value"]
    fields |= {"lang": root.select("#lang [selected]")[0]["value"], **typed_fields}
    if button.has_attr("name"):
        fields[str(button["name"])] = button["value"]
    files = {"files": ("", b"", "application/octet-stream")}  # as browsers send it without a chosen file
    return client.post(str(button["formaction"]), data=fields, files=files, headers=PAGE_HEADERS)


def test_pasted_text_is_kept_in_another_language(read_only_client: httpx2.Client) -> None:
    form = read_only_client.get("/validate", headers=PAGE_HEADERS)
    typed_fields = {"paper": "Not\r\nchecked", "format": "ttl", "profile": "final"}
    page = switch_language(read_only_client, form, "fr", **typed_fields)
    assert page.status_code == 200
    root = BeautifulSoup(page.text, "html.parser")
    assert root.html
    assert root.html["lang"] == "fr"
    assert ">\nNot\r\nchecked</textarea>" in page.text
    assert root.select('[value="ttl"][selected]')
    assert root.select('[value="final"][checked]')
    assert not root.select(".report, #problem")


def test_empty_form_is_shown_in_another_language(read_only_client: httpx2.Client) -> None:
    page = switch_language(read_only_client, read_only_client.get("/validate", headers=PAGE_HEADERS), "fr")
    assert page.status_code == 200
    assert 'id="problem"' not in page.text


@pytest.mark.parametrize(("chosen_language", "report_language"), [("", "fr"), ("ar", "ar")])
def test_report_is_shown_again_in_another_language(
    read_only_client: httpx2.Client, chosen_language: str, report_language: str
) -> None:
    fields = {"paper": INCOMPLETE_PAPER.decode(), "format": "ttl", "lang": chosen_language}
    english_page = read_only_client.post("/validate", data=fields, headers=PAGE_HEADERS)
    page = switch_language(read_only_client, english_page, "fr", format="ttl")
    assert '<html lang="fr"' in page.text
    assert f'<div class="report" lang="{report_language}"' in page.text


def test_report_on_files_is_not_shown_in_another_language(read_only_client: httpx2.Client) -> None:
    files = [("files", ("one.ttl", COMPLETE_PAPER)), ("files", ("two.ttl", INCOMPLETE_PAPER))]
    english_page = read_only_client.post("/validate", files=files, headers=PAGE_HEADERS)
    assert 'class="report"' in english_page.text
    page = switch_language(read_only_client, english_page, "fr")
    assert (page.status_code, 'class="report"' in page.text) == (200, False)


def test_program_that_requests_the_form_is_refused(read_only_client: httpx2.Client) -> None:
    response = read_only_client.post("/validate", data={"paper": "x", "do": "show"})
    assert response.status_code == 400
    assert "'do'" in response.json()["detail"]


def test_parse_error_is_marked_as_english(read_only_client: httpx2.Client) -> None:
    fields = {"paper": "no Turtle", "format": "ttl"}
    page = read_only_client.post("/validate", data=fields, headers={**PAGE_HEADERS, "Accept-Language": "fr"})
    assert '<p class="message"><span lang="en" dir="ltr">' in page.text.partition('id="problem"')[2]


def test_page_shows_the_report_by_shapes_and_keeps_them_in_the_form(client: httpx2.Client) -> None:
    files = {"data": ("d.ttl", PERSON_DATA), "shapes": ("s.ttl", PERSON_SHAPES)}
    response = client.post("/validate?lang=fr", files=files, headers=PAGE_HEADERS)
    soup = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 200
    heading = soup.select_one("#summary h2")
    assert heading
    assert "The data does not conform to the shapes" in heading.get_text()
    assert "Seules les personnes se connaissent." in response.text
    assert {tag["href"] for tag in soup.select("ul.findings a")} == {
        f"#file-1-line-{line}" for _, line, _ in PERSON_FINDINGS
    }
    textarea = soup.select_one("details[open] textarea#shapes")
    assert textarea
    assert textarea.get_text().strip() == PERSON_SHAPES.strip()
    again = client.post(
        "/validate", data={"paper": PERSON_DATA, "shapes": textarea.get_text()}, headers=PAGE_HEADERS
    )
    assert "The data does not conform to the shapes" in again.text


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_page_has_labeled_fields_for_shapes_in_each_language(client: httpx2.Client, language: str) -> None:
    response = client.get("/validate", headers={**PAGE_HEADERS, "accept-language": language})
    soup = BeautifulSoup(response.text, "html.parser")
    details = soup.select_one("details:has(#shapes)")
    assert details
    assert details.select_one("summary")  # opens with the keyboard, without a script
    for field in details.select("textarea, input"):
        assert soup.select_one(f"label[for={field['id']}]")
    assert ("SHACL shapes" in details.get_text()) == (language == "en")


def test_page_shows_a_problem_of_the_shapes_as_an_error(client: httpx2.Client) -> None:
    files = {"data": ("d.ttl", PERSON_DATA), "shapes": ("s.ttl", "<a:a> <a:b>")}
    response = client.post("/validate", files=files, headers=PAGE_HEADERS)
    soup = BeautifulSoup(response.text, "html.parser")
    problem = soup.select_one("#problem")
    assert response.status_code == 400
    assert problem
    assert "s.ttl:1:" in problem.get_text()
    assert not problem.get("data-line")  # which would be a line of the data
