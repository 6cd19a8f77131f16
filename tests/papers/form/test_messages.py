"""Messages at the fields of the form, also for texts that Markdown cannot hold.

A field is named by its key and a number, such as `title-1`. `fill` accepts names with `_` for `-`.
"""

import re

import httpx2
import pytest
from rdflib import DCTERMS, Graph, Literal, URIRef
from wgig.papers.form.rule_messages import rule_message
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import MARKDOWN, TURTLE
from wgig.shacl.check import check_document
from wgig.shacl.rules import Rule, rules_by_code

from tests.fixtures.html_form import HTML_HEADERS, Form, open_form
from tests.fixtures.paper_form import (
    BASE,
    EXAMPLE_TURTLE,
    PAPER_NAME,
    PAPER_NODE,
    STATEMENTS_WITHOUT_FIELD,
    put_paper,
)

pytestmark = pytest.mark.slow

MISSING_NAME_TEXT = "The name is missing. Enter it, or remove the entry."


def test_unknown_source_is_only_a_warning(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(source_1="document/declaratoin").press("do", "check")
    assert "nor a document in the graph" in form.field_messages("source-1")
    assert "source-1" not in form.summary_messages


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"posted_1": "yesterday"}, "posted-1", "is not a date"),
        ({"numPages_1": "four"}, "numPages-1", "not a whole number"),
        ({"inLanguage_1": "English language"}, "inLanguage-1", "not a language tag"),
        ({"cites_1": "declaration/4711"}, "cites-1", "does not exist"),
        ({"issue_1": ""}, "issue-1", "Choose the issue"),
        ({"category": []}, "category-1", "Select at least one category"),
        ({"title_1": " "}, "title-1", "Enter a title"),
        ({"name": "My Paper!"}, "name", "lowercase letters"),
        ({"source_1": "javascript:alert(1)"}, "source-1", "neither a web address"),
        ({"source_1": "http://e.org/a b"}, "source-1", "neither a web address"),
        ({"source_1": "data:text/html,x"}, "source-1", "neither a web address"),
        ({"mainActor_1_who_1": "Somebody"}, "mainActor-1-stakeholderGroup-1", "group"),
        ({"forum_1_label_1": "Here"}, "forum-1-nature-1", "Describe the nature of this forum"),
    ],
    ids=lambda values: "-".join(values) if isinstance(values, dict) else None,
)
def test_error_is_shown_at_its_field(
    client: httpx2.Client, values: dict[str, str | list[str]], field: str, message: str
) -> None:
    form = open_form(client, "/write?issue=spam").fill(**values).press("do", "check")
    assert message in form.field_messages(field)
    for name, value in values.items():
        assert form.values[name.replace("_", "-")] == value
    assert field in form.summary_messages
    assert form.form.select(f'[aria-invalid="true"] [id="{field}"], [id="{field}"][aria-invalid="true"]')


@pytest.mark.parametrize(
    ("text", "passage", "name"),
    [
        ("48", "declaration/48", "Geneva Declaration of Principles, paragraph 48: "),
        (" § 49.a", "declaration/49.a", "Geneva Declaration of Principles, paragraph 49(a): "),
        ("agenda 41", "tunis-agenda/41", "Tunis Agenda"),
        ("report 35", "report/p35", "WGIG report, paragraph 35"),
        ("Geneva Declaration of Principles, paragraph 48: any", "declaration/48", "Geneva Declaration"),
    ],
)
def test_passage_may_be_cited_by_its_number_or_label(
    client: httpx2.Client, text: str, passage: str, name: str
) -> None:
    form = open_form(client, "/write?issue=spam").fill(cites_1=text).press("do", "check")
    assert "cites-1" not in form.summary_messages
    assert form.values["cites-1"] == text
    assert name in form.field_messages("cites-1")
    graph = Graph().parse(data=form.send("do", "turtle").text, format="turtle")
    cited = {str(value) for value in graph.objects(predicate=URIRef("http://purl.org/spar/cito/cites"))}
    assert f"{BASE}id/document/{passage}" in cited


def test_unknown_value_of_a_list_has_near_choices_and_an_example(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam")
    form = form.fill(mechanism_1_label_1="Guidelines", mechanism_1_about_1="OECD Guidelines on privacy")
    form = form.press("do", "check")
    details = [line.get_text() for line in form.page.select("#mechanism-1-about-1-said .detail")]
    assert details[0].startswith(
        "Did you mean mechanism/oecd-privacy (OECD Guidelines Governing the Protection"
    )
    assert details[1] == "Example: agent/icann"


@pytest.mark.parametrize("about", ["OECD Spam Toolkit", "mechanism/oecd-toolkit", "oecd-toolkit"])
def test_body_may_be_named_by_its_label_and_is_told(client: httpx2.Client, about: str) -> None:
    form = open_form(client, "/write?issue=spam").fill(mechanism_1_about_1=about, mechanism_1_label_1="A")
    report = form.send("do", "check", accept="application/json").json()
    assert report["names"]["mechanism-1-about-1"] == "OECD Spam Toolkit"
    assert "OECD Spam Toolkit" in form.press("do", "check").field_messages("mechanism-1-about-1")


@pytest.mark.parametrize(
    ("values", "field", "example"),
    [
        ({"posted_1": "soon"}, "posted-1", "Example: 2005-01-20"),
        ({"cites_1": "declaration/4711"}, "cites-1", "Example: declaration/48"),
    ],
)
def test_message_that_mentions_an_example_has_it_on_a_line(
    client: httpx2.Client, values: dict[str, str], field: str, example: str
) -> None:
    form = open_form(client, "/write?issue=spam").fill(**values).press("do", "check")
    assert example in [line.get_text() for line in form.page.select(f"#{field}-said .detail")]


@pytest.mark.parametrize("rule", rules_by_code().values(), ids=lambda rule: rule.code)
def test_messages_speak_of_fields_and_not_of_file_formats(rule: Rule) -> None:
    assert not re.search(
        "Turtle|Markdown|quotes|[Ss]ection 7[a-f]|stable-and-secure", rule_message(rule, "en")[0]
    )


def test_passage_of_another_document_is_not_called_missing(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam")
    form = form.fill(assessment_1_verdict_1="adequate", assessment_1_cites_1="background-report/136")
    message = form.press("do", "check").field_messages("assessment-1-cites-1")
    assert "This passage is not in the Declaration." in message


def test_missing_assessment_is_at_the_blank_one(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(assessment_1_verdict_1="adequate")
    form = form.press("do", "check")
    assert "development priority" in form.field_messages("assessment-6-criterion-1")


def test_equal_messages_in_the_summary_name_their_row(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam")
    form = form.fill(assessment_1_verdict_1="adequate", assessment_2_verdict_1="adequate").press(
        "do", "check"
    )
    assert (
        form.summary_messages["assessment-2-rationale-1"]
        == "Assessment 2: transparency – Explain the verdict."
    )
    assert form.summary_messages["drafter-1-who-1"] == "Enter the name of at least one drafter."


@pytest.mark.parametrize("part", ["drafter", "mainActor"])
def test_missing_name_of_a_person_is_the_only_message_at_it(client: httpx2.Client, part: str) -> None:
    name = f"{part}-1-who-1"
    form = open_form(client, "/write?issue=spam").fill(**{f"{part}_1_stakeholderGroup": ["governments"]})
    form = form.press("do", "check")
    assert "The name is missing." in form.field_messages(name)
    assert "-MEMBER" not in form.field_messages(name)
    assert "-NAME-MISSING" not in form.field_messages(name)
    assert name in form.summary_messages
    assert form.values[f"{part}-1-stakeholderGroup"] == ["governments"]


@pytest.mark.parametrize("member", ["", "yes"])
def test_drafter_without_a_name_is_missing_in_the_form_and_in_downloads(
    client: httpx2.Client, member: str
) -> None:
    form = open_form(client, "/write?issue=spam")
    form = form.fill(drafter_1_stakeholderGroup=["governments"], drafter_1_member_1=member)
    report = form.send("do", "check", accept="application/json").json()
    assert (report["sections"][0]["state"], report["met"]) == ("missing", count_met_parts(client))
    checked_form = form.press("do", "check")
    assert checked_form.summary_messages["drafter-1-who-1"] == MISSING_NAME_TEXT
    for format_ in (MARKDOWN, TURTLE):
        response = form.send("do", "markdown" if format_ is MARKDOWN else "turtle")
        assert response.status_code == 200, response.text
        document = read_paper_document("paper", response.content, format_)
        codes = {finding.rule.code for finding in check_document(document).findings}
        assert "WGIG-0-DRAFTER-MISSING" in codes
        files = {"file": (f"p.{format_.suffix}", response.content)}
        opened_form = Form(client, client.post("/write", files=files, headers=HTML_HEADERS))
        names = ("drafter-1-who-1", "drafter-1-stakeholderGroup", "drafter-1-member-1")
        assert [opened_form.values[name] for name in names] == ["", ["governments"], member]


def count_met_parts(client: httpx2.Client) -> int:
    """The number of required parts that a new paper on spam has."""
    form = open_form(client, "/write?issue=spam")
    return int(form.send("do", "check", accept="application/json").json()["met"])


def test_nameless_drafter_beside_a_named_one_does_not_block(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").press("add", "drafter")
    form = form.fill(drafter_1_stakeholderGroup=["governments"], drafter_2_who_1="Avri Doria")
    checked_form = form.press("do", "check")
    assert MISSING_NAME_TEXT in checked_form.field_messages("drafter-1-who-1")
    assert "drafter-1-who-1" not in checked_form.summary_messages


@pytest.mark.parametrize("source", ["javascript:alert(1)", "http://e.org/a b", "data:text/html,x"])
def test_invalid_source_is_a_literal_in_the_download(client: httpx2.Client, source: str) -> None:
    turtle = open_form(client, "/write?issue=spam").fill(source_1=source).send("do", "turtle").text
    sources = Graph().parse(data=turtle, format="turtle").objects(None, DCTERMS.source)
    assert Literal(source) in sources


@pytest.mark.parametrize(
    "source",
    ["https://example.org/p", "document/declaration", "document/form/issue-paper", f"paper/{PAPER_NAME}", ""],
)
def test_valid_source_has_no_message(client: httpx2.Client, source: str) -> None:
    form = open_form(client, "/write?issue=spam").fill(source_1=source).press("do", "check")
    assert "source-1" not in form.summary_messages
    assert form.values["source-1"] == source


def test_form_is_shown_again_if_markdown_cannot_hold_the_paper(client: httpx2.Client) -> None:
    put_paper(client, EXAMPLE_TURTLE + STATEMENTS_WITHOUT_FIELD)
    response = open_form(client, f"/write?paper={PAPER_NAME}").fill(title_1="Typed").send("do", "markdown")
    assert response.status_code == 422
    form = Form(client, response)
    assert "Markdown cannot contain" in form.page.select_one("#refused").get_text()  # type: ignore[union-attr]
    assert form.values["title-1"] == "Typed"


def fail_markdown_download(form: Form) -> Form:
    """Download Markdown, which fails; return the form in the response, which shows no IRIs or lines."""
    response = form.send("do", "markdown")
    assert response.status_code == 422
    refused_form = Form(form.client, response)
    messages = " ".join(element.get_text() for element in refused_form.page.select(".summary, .said"))
    assert not re.search(r"<https?:|section \d|line \d", messages)
    return refused_form


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"issueDescription_1": "# A heading"}, "Description of the issue"),
        ({"issueDescription_1": "Words.\n\n# A heading\n\nMore words."}, "Description of the issue"),
        (
            {"issueDescription_1": "Words.\n\n## 2. Categories"},
            "Description of the issue",
        ),
        ({"issueDescription_1": "Words.\n\n## 8. Additional comments\n\nMore."}, "Description of the issue"),
        ({"issueDescription_1": "a <!-- b -->"}, "Description of the issue"),
        ({"issueDescription_1": "a <!-- b"}, "Description of the issue"),
        ({"swot_1_strength_1": "  Two spaces"}, "Strengths"),
        ({"mainActor_1_who_1": "Actor (governments)"}, "Name"),
        ({"forum_1_label_1": "One\nTwo"}, "Name"),
        # A misspelled "Verdict", which the Markdown reader refuses.
        ({"assessment_2_rationale_1": "Verdit: adequate"}, "Rationale"),
    ],
)
def test_text_that_markdown_cannot_hold_has_a_message_with_the_field_label(
    client: httpx2.Client, values: dict[str, str], label: str
) -> None:
    form = fail_markdown_download(open_form(client, "/write?issue=spam").fill(**values))
    message = f"{label}: Markdown cannot contain this text"
    field = next(iter(values)).replace("_", "-")
    assert list(form.summary_messages) == [field]
    assert message in form.summary_messages[field]
    assert message in form.field_messages(field)
    assert "download Turtle" in form.field_messages(field)


def test_text_in_another_language_than_the_paper_has_a_message(client: httpx2.Client) -> None:
    form = fail_markdown_download(open_form(client, "/write?issue=spam").fill(inLanguage_1="fr"))
    assert "a different language (English) from the paper (French)" in form.field_messages(
        "issueDescription-1"
    )
    response = form.fill(issueDescription_1="Courrier en masse").send("do", "markdown")
    assert response.status_code == 200
    assert "language: fr" in response.text


def test_statement_without_a_field_has_a_message_without_a_field(client: httpx2.Client) -> None:
    put_paper(client, f'{EXAMPLE_TURTLE}{PAPER_NODE} <x:weight> "1" .')
    form = fail_markdown_download(open_form(client, f"/write?paper={PAPER_NAME}"))
    assert not form.summary_messages
    assert "the form has no field" in form.page.select_one("#refused").get_text()  # type: ignore[union-attr]


def test_json_response_has_messages_by_field(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(posted_1="soon")
    report = form.send("do", "check", accept="application/json").json()
    assert (report["conforms"], report["profile"]) == (False, "complete")
    messages_by_field = {message["field"]: message for message in report["messages"]}
    assert messages_by_field["posted-1"]["code"] == "WGIG-0-POSTED-VALUE"
    assert {section["number"] for section in report["sections"]} == set(range(9))
    fields = {**form.values, "lang": "fr", "do": "check"}
    response = client.post("/write", data=fields, headers={"Accept": "application/json"})
    french_messages = {message["field"]: message["text"] for message in response.json()["messages"]}
    assert "n’est pas une date" in french_messages["posted-1"]
