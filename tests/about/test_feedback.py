"""/feedback has the text of a report about a page, and links to the contacts of the operator."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyoxigraph as ox
import pytest
from wgig.about.feedback import (
    MAX_LINE_CHARACTERS,
    MAX_MAIL_CHARACTERS,
    MAX_PAGE_PATH_CHARACTERS,
    MAX_STATED_LINES,
    build_contact_links,
)
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

HTML_HEADERS = {"Accept": "text/html"}
CONTACTS = "mailto:desk@example.org https://example.org/tracker"


def read_report(page: str) -> str:
    """The text in the field of the page."""
    match = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert match
    return html.unescape(match[1])


def test_report_has_address_version_statements_and_space(page_client: httpx2.Client) -> None:
    page = page_client.get("/feedback?about=/doc/paper/wp-spam").text
    lines = read_report(page).splitlines()
    assert lines[0] == "Page: http://localhost/doc/paper/wp-spam"
    assert lines[1].startswith("Version of the data: ")
    assert "- issue: Spam" in lines
    assert "- posted: 2005-02-01" in lines
    assert lines.index("What is wrong:") < lines.index("What is right, and which source says so:")
    assert '<a href="/doc/paper/wp-spam">' in page
    assert "has not set a contact address" in page


def test_long_statements_are_cut_and_counted() -> None:
    store = ox.Store()
    subject = ox.NamedNode(f"{Settings.base}id/issue/x")
    store.extend(
        ox.Quad(subject, ox.NamedNode(f"urn:p{number}"), ox.Literal("a\nb" * 1000)) for number in range(200)
    )
    client = make_service_client(Settings(), Store(store), **HTML_HEADERS)
    lines = read_report(client.get("/feedback?about=/doc/issue/x").text).splitlines()
    stated = [line for line in lines if line.startswith("- ")]
    assert len(stated) == MAX_STATED_LINES
    assert max(map(len, stated)) == MAX_LINE_CHARACTERS


@pytest.mark.parametrize(
    "path",
    [
        *("//example.org", "/\\example.org", "https://example.org", "javascript:alert(1)", "doc/issue/spam"),
        *("/a b", "/ä", "/a\n", f"/{'x' * MAX_PAGE_PATH_CHARACTERS}"),
    ],
)
def test_address_of_another_host_is_refused(page_client: httpx2.Client, path: str) -> None:
    response = page_client.get("/feedback", params={"about": path})
    assert response.status_code == 400
    assert "must be the path of a page of this service" in response.text


@pytest.mark.parametrize("path", ["/doc/issue/%FF", "/doc/issue/<b>", "/doc/issue/a%20b", "/nowhere", "/"])
def test_page_of_no_resource_has_a_report_without_statements(page_client: httpx2.Client, path: str) -> None:
    response = page_client.get("/feedback", params={"about": path})
    assert response.status_code == 200
    assert "What the page states" not in response.text
    assert f"Page: http://localhost{path}\n" in read_report(response.text)
    assert "<b>" not in response.text


def test_email_begins_with_the_text_of_the_report() -> None:
    client = make_service_client(Settings(contact=CONTACTS), Store.in_memory(), **HTML_HEADERS)
    page = client.get("/feedback?about=/papers").text
    mail, tracker = re.findall(r'<li><a href="((?:mailto|https):[^"]+)"', page)
    fields = parse_qs(urlsplit(html.unescape(mail)).query)
    assert mail.startswith("mailto:desk@example.org?")
    assert fields["body"][0].splitlines()[0] == "Page: http://localhost/papers"
    assert "+" not in mail
    assert tracker == "https://example.org/tracker"
    about = client.get("/about").text
    assert '<a href="mailto:desk@example.org">desk@example.org</a>' in about
    assert '<a href="https://example.org/tracker" rel="nofollow noopener external">example.org</a>' in about


def test_email_is_short_enough_for_mail_programs() -> None:
    (link,) = build_contact_links("mailto:desk@example.org?cc=a@example.org", "ü" * 10_000)
    assert link.text == "desk@example.org"
    fields = parse_qs(urlsplit(link.href).query)
    assert fields["cc"] == ["a@example.org"]
    assert len(fields["body"][0]) == MAX_MAIL_CHARACTERS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/doc/issue/spam", "/feedback?about=/doc/issue/spam"),
        ("/doc/issue/spm", "/feedback?about=/doc/issue/spm"),
        ("/issues?color=a&b=<", "/feedback?about=/issues%3Fcolor%3Da%26b%3D%253C"),
    ],
)
def test_pages_of_resources_and_errors_link_to_the_report(
    page_client: httpx2.Client, path: str, expected: str
) -> None:
    page = page_client.get(path).text
    assert f'<a href="{expected}" rel="nofollow">Report a problem with this page</a>' in page
    assert page_client.get(expected).status_code == 200


def test_about_page_states_which_logs_the_service_keeps() -> None:
    quiet = make_service_client(Settings(), Store.in_memory(), **HTML_HEADERS).get("/about").text
    assert "This service does not log requests. It does not log queries." in quiet
    settings = Settings(access_log="address", query_log="text")
    loud = make_service_client(settings, Store.in_memory(), **HTML_HEADERS).get("/about").text
    assert "This service logs requests with the client’s IP address. It logs the text of queries." in loud


def test_links_of_the_about_page_work(page_client: httpx2.Client) -> None:
    page = page_client.get("/about").text
    main = page.partition("<main")[2].partition("</main>")[0]
    links = re.findall(r'<a href="([^"]+)"', main)
    assert {"/api", "#privacy"} <= {*links}
    for link in links:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in main
        elif link.startswith("/"):
            assert page_client.get(html.unescape(link), follow_redirects=True).status_code in (200, 406), link
