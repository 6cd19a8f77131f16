"""The form is opened from the graph, a file or nothing, in the language of its reader."""

import httpx
import pytest
from bs4 import BeautifulSoup
from wgig.shacl.rules import MESSAGE_LANGUAGES

from tests.fixtures.html_form import PAGE, Form, opened
from tests.fixtures.paper_form import BASE, EXAMPLE, NAME, OTHER, STRANGE, TOKEN, put_paper

pytestmark = pytest.mark.slow


def test_files_are_opened_and_what_cannot_be_read_is_said(client: httpx.Client) -> None:
    for name, content, status, words in (
        ("p.md", b"---\npaper: mine\ntitle: Words\n---\n", 200, "Words"),
        ("p.md", b"no head", 400, "no head"),
        ("p.ttl", b"<x:a> <x:b>", 400, "not valid Turtle"),
        ("p.xyz", b"what", 415, "format"),
        ("p.ttl", b"<x:a> <x:b> <x:c> .", 422, "exactly one issue paper"),
        ("", b"", 400, "No file"),
    ):
        answer = client.post("/write", files={"file": (name, content)}, headers=PAGE)
        assert (answer.status_code, words in answer.text) == (status, True), (name, answer.text)


def test_labels_come_in_each_language(client: httpx.Client) -> None:
    page = client.get("/write?issue=spam&lang=ru", headers=PAGE).text
    assert "Название" in page
    assert client.get("/write?lang=xx", headers=PAGE).status_code == 400


def test_the_form_is_in_the_language_of_its_reader(client: httpx.Client) -> None:
    page = client.get("/write?issue=spam", headers={**PAGE, "Accept-Language": "fr, en"})
    assert '<html lang="fr"' in page.text
    assert "Titre" in page.text
    assert page.headers["content-language"] == "fr"


def test_a_form_stays_in_its_language_when_it_is_sent(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam&lang=ru").fill(posted_1="soon").press()
    assert form.page.html["lang"] == "ru"  # type: ignore[index]
    assert form.page.select_one('#posted-1-said span[lang="ru"]')


@pytest.fixture
def typed(client: httpx.Client) -> Form:
    """A form that was opened in one language, in which something is typed."""
    form = opened(client, "/write?issue=spam&lang=ru").press("add", "drafter")
    return form.fill(name="on-spam", title_1="Two\r\nlines", posted_1="soon", profile="final")


def test_a_form_is_shown_in_another_language_with_all_that_is_typed(typed: Form) -> None:
    there = typed.switch("fr")
    assert there.given == {**typed.given, "lang": "fr"}
    assert there.page.html["lang"] == there.answer.headers["content-language"] == "fr"  # type: ignore[index]
    assert not there.page.select("#summary, .said")
    assert there.answer.headers["cache-control"] == "no-store"


def test_what_a_check_found_is_said_again_in_another_language(typed: Form) -> None:
    russian = typed.press()
    french = russian.switch("fr")
    assert french.problems.keys() == russian.problems.keys()
    assert french.page.select_one('#posted-1-said span[lang="fr"]')
    assert french.given == {**russian.given, "lang": "fr"}


def test_the_language_that_was_switched_to_stays(typed: Form) -> None:
    after = typed.switch("fr").press()
    assert after.page.html["lang"] == "fr"  # type: ignore[index]
    current = after.page.select("footer button[aria-current]")
    assert [one["lang"] for one in current] == ["fr"]


def test_a_paper_of_the_graph_is_still_that_in_another_language(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    form = opened(client, f"/write?paper={NAME}").fill(numPages_1="4").switch("ar")
    assert "<x:weight>" in form.page.select_one("#rest pre").get_text()  # type: ignore[union-attr]
    saved = form.fill(token=TOKEN).press("do", "save")
    assert saved.page.select_one(".good h2"), saved.answer.text


def test_a_token_that_was_typed_in_a_text_is_told_in_another_language(typed: Form) -> None:
    there = typed.fill(swot_1_strength_1=OTHER).switch("fr")
    assert OTHER not in there.answer.text
    assert there.problems.keys() == {"swot-1-strength-1"}


def test_where_a_paper_is_begun_the_switch_is_a_link(client: httpx.Client) -> None:
    page = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert [one["href"] for one in page.select('footer a[hreflang="fr"]')] == ["/write?_lang=fr"]


def test_what_is_said_in_english_alone_is_marked_where_the_form_is_in_another_language(
    client: httpx.Client,
) -> None:
    form = opened(client, "/write?issue=spam&lang=ru").fill(name="on-spam", token="wrong")
    page = form.press("do", "draft").page
    assert [one["lang"] for one in page.select('#token-said span[lang], #summary [href="#token"]')] == [
        "en"
    ] * 2


@pytest.mark.parametrize("tongue", [one for one in MESSAGE_LANGUAGES if one != "en"])
def test_the_guidance_of_the_form_is_in_its_language(client: httpx.Client, tongue: str) -> None:
    page = opened(client, f"/write?issue=spam&lang={tongue}").page
    hints = page.select("form .hint")
    assert len(hints) > 40
    assert not [one.get_text() for one in hints if one.get("lang") or one.select("[lang]")]
    title = page.select_one("#title-hint")
    assert title
    assert "listed, cited and found" not in title.get_text()


@pytest.mark.parametrize("name", ["issues", "../issues", "nope", "https://evil.example/x", "a b", "a/b"])
def test_no_paper_of_another_name_is_opened(client: httpx.Client, name: str) -> None:
    answer = client.get("/write", params={"paper": name}, headers=PAGE)
    assert answer.status_code == 404


def test_the_iri_of_a_paper_opens_it(client: httpx.Client) -> None:
    put_paper(client)
    assert opened(client, f"/write?paper={BASE}id/paper/{NAME}").given["name"] == NAME


def test_where_a_paper_is_begun_the_known_papers_can_be_chosen(client: httpx.Client) -> None:
    empty = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert empty.select_one("input#paper")
    put_paper(client)
    page = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert [one["value"] for one in page.select("#paper option")] == [NAME]
    assert len(page.select("#issue option")) == 31
