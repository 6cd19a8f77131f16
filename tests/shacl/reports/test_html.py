"""The report on a page: beside the text, in the reader's direction of writing, and safe."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from wgig.pages.rendering import make_template_environment
from wgig.rdf.formats import HTML
from wgig.settings import Settings
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.reports.html import MAX_SHOWN_LINES, ReportView

VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """The elements of a page in their order, each closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, attribute: str) -> list[str]:
        return [str(found[attribute]) for _, found in self.elements if attribute in found]


def fragment(shown: ReportView) -> str:
    """What stands below the heading of a page of the service."""
    template = make_template_environment(Settings.base).from_string(
        '{% import "report.html" as report %}{{ report.files(shown) }}'
    )
    return template.render(shown=shown)


def test_the_page_can_be_walked_by_headings_and_anchors(outcomes: Sequence[CheckOutcome], text: str) -> None:
    shown = ReportView(outcomes, "en", texts=["", text, "<a>\n<script>alert(1)</script>"])
    for page in (fragment(shown), REPORT_WRITERS[HTML](outcomes, "en").decode()):
        found = Reader(page)
        levels = [1] + [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = found.all("id")
        assert len(ids) == len(set(ids))
        assert {one[1:] for one in found.all("href") if one.startswith("#")} <= {*ids}
        assert {*found.all("aria-labelledby")} <= {*ids}
        assert all("scope" in one for tag, one in found.elements if tag == "th")


def test_the_page_runs_nothing_and_styles_nothing_inline(outcomes: Sequence[CheckOutcome], text: str) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    named = [replace(one, name=evil) for one in outcomes]
    found = Reader(fragment(ReportView(named, "en", texts=[evil, text, evil])))
    assert not {"script", "style", "img", "b"} & {tag for tag, _ in found.elements}
    assert not [name for _, one in found.elements for name in one if name.startswith("on") or name == "style"]


def test_a_finding_and_its_line_lead_to_each_other(bad: Report, text: str) -> None:
    page = fragment(ReportView([bad], "en", texts=[text]))
    line = text[: text.index("wgig:oportunity")].count("\n") + 1
    assert f'<a href="#file-1-line-{line}">Line {line}, column 5</a>' in page
    start = page.index(f'<li id="file-1-line-{line}" class="found">')
    assert "wgig:oportunity  &#34;Radio" in page[start:]
    assert '<a href="#file-1-finding-2">WGIG-0-TERM-UNKNOWN</a>' in page[start:]


def test_without_its_text_a_finding_shows_its_line(bad: Report) -> None:
    page = fragment(ReportView([bad], "en"))
    assert "wgig:oportunity  &#34;Radio" in page
    assert "-line-" not in page


def test_states_are_words(bad: Report) -> None:
    page = fragment(ReportView([bad], "en"))
    assert '<span aria-hidden="true">✗</span> missing' in page
    assert '<span aria-hidden="true">✓</span> done' in page
    assert '<span aria-hidden="true">✗</span> does not conform to the profile final' in page


@pytest.mark.parametrize(
    ("language", "begin"),
    [("ar", 'lang="ar" dir="rtl"'), ("fr", 'lang="fr" dir="ltr"'), ("tlh", 'lang="en" dir="ltr"')],
)
def test_the_page_is_in_the_direction_of_its_language(bad: Report, language: str, begin: str) -> None:
    assert fragment(ReportView([bad], language)).startswith(f'<div class="report" {begin}>')
    assert f"<html {begin}>" in REPORT_WRITERS[HTML]([bad], language).decode()


def test_a_rule_has_a_page_on_the_service_and_an_iri_in_a_file(bad: Report) -> None:
    assert 'href="/shapes/WGIG-3-TEXT"' in fragment(ReportView([bad], "en"))
    alone = REPORT_WRITERS[HTML]([bad], "en").decode()
    assert 'href="https://w3id.org/wgig/shapes#WGIG-3-TEXT"' in alone
    assert not re.search(r'(href|src)="/', alone)


def test_a_file_that_was_not_checked_says_why(unread: UncheckedFile) -> None:
    page = fragment(ReportView([unread], "en", texts=["<a>\n<b>"]))
    assert "this file was not checked" in page
    assert "Unexpected end of file" in page
    assert '<a href="#file-1-line-2">Line 2, column ' in page


def test_a_long_text_is_cut_and_says_so(bad: Report) -> None:
    page = fragment(ReportView([bad], "en", texts=["x" * 100_000 + "\n" * MAX_SHOWN_LINES]))
    assert f"Only the first lines are shown: {MAX_SHOWN_LINES} of {MAX_SHOWN_LINES + 1}" in page
    assert f'id="file-1-line-{MAX_SHOWN_LINES}"' in page
    assert f'id="file-1-line-{MAX_SHOWN_LINES + 1}"' not in page
    assert len(page) < 200_000
