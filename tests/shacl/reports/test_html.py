"""The HTML report: links to the lines of the file, writing direction, and escaping."""

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

VOID_ELEMENTS = {"meta", "link", "br", "input"}


class PageParser(HTMLParser):
    """A parser that lists the elements of a page and fails if one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def list_values(self, attribute: str) -> list[str]:
        return [str(attributes[attribute]) for _, attributes in self.elements if attribute in attributes]


def render_fragment(view: ReportView) -> str:
    """The report as part of a page of the service."""
    template = make_template_environment(Settings.base).from_string(
        '{% import "report.html" as report %}{{ report.files(view) }}'
    )
    return template.render(view=view)


def test_headings_ids_and_anchors_of_the_page_are_consistent(
    outcomes: Sequence[CheckOutcome], bad_text: str
) -> None:
    # An empty text is not shown; the third file could not be read.
    view = ReportView(outcomes, "en", texts=["", bad_text, "<a>\n<script>alert(1)</script>"])
    for page in (render_fragment(view), REPORT_WRITERS[HTML](outcomes, "en").decode()):
        parser = PageParser(page)
        levels = [1] + [int(tag[1]) for tag, _ in parser.elements if re.fullmatch(r"h[1-6]", tag)]
        # No level of headings is skipped.
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = parser.list_values("id")
        assert len(ids) == len(set(ids))
        assert {value[1:] for value in parser.list_values("href") if value.startswith("#")} <= {*ids}
        assert {*parser.list_values("aria-labelledby")} <= {*ids}
        assert all("scope" in attributes for tag, attributes in parser.elements if tag == "th")


def test_the_page_has_no_scripts_and_no_inline_styles(
    outcomes: Sequence[CheckOutcome], bad_text: str
) -> None:
    unsafe_text = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    renamed_outcomes = [replace(outcome, name=unsafe_text) for outcome in outcomes]
    parser = PageParser(
        render_fragment(ReportView(renamed_outcomes, "en", texts=[unsafe_text, bad_text, unsafe_text]))
    )
    # `bad_text` contains "<b>", and `unsafe_text` the other elements.
    assert not {"script", "style", "img", "b"} & {tag for tag, _ in parser.elements}
    assert not [
        name
        for _, attributes in parser.elements
        for name in attributes
        if name.startswith("on") or name == "style"
    ]


def test_a_finding_and_its_line_link_to_each_other(bad_report: Report, bad_text: str) -> None:
    page = render_fragment(ReportView([bad_report], "en", texts=[bad_text]))
    line = bad_text[: bad_text.index("wgig:oportunity")].count("\n") + 1
    assert f'<a href="#file-1-line-{line}">Line {line}, column 5</a>' in page
    start = page.index(f'<li id="file-1-line-{line}" class="found">')
    assert "wgig:oportunity  &#34;Radio" in page[start:]
    assert '<a href="#file-1-finding-2">2</a>' in page[start:]


def test_a_finding_shows_its_line_if_the_text_is_not_shown(bad_report: Report) -> None:
    page = render_fragment(ReportView([bad_report], "en"))
    assert "wgig:oportunity  &#34;Radio" in page
    assert "-line-" not in page


def test_states_are_shown_as_words(bad_report: Report) -> None:
    page = render_fragment(ReportView([bad_report], "en"))
    assert '<span aria-hidden="true">✗</span> missing' in page
    assert '<span aria-hidden="true">✓</span> present' in page
    assert '<span aria-hidden="true">✗</span> not final' in page


@pytest.mark.parametrize(
    ("language", "attributes"),
    [("ar", 'lang="ar" dir="rtl"'), ("fr", 'lang="fr" dir="ltr"'), ("tlh", 'lang="en" dir="ltr"')],
)
def test_the_page_has_the_writing_direction_of_its_language(
    bad_report: Report, language: str, attributes: str
) -> None:
    assert render_fragment(ReportView([bad_report], language)).startswith(
        f'<div class="report" {attributes}>'
    )
    assert f"<html {attributes}>" in REPORT_WRITERS[HTML]([bad_report], language).decode()


def test_a_rule_links_to_its_page_on_the_service_and_to_its_iri_in_a_file(bad_report: Report) -> None:
    assert 'href="/shapes/WGIG-3-TEXT"' in render_fragment(ReportView([bad_report], "en"))
    standalone_page = REPORT_WRITERS[HTML]([bad_report], "en").decode()
    assert 'href="https://w3id.org/wgig/shapes#WGIG-3-TEXT"' in standalone_page
    assert not re.search(r'(href|src)="/', standalone_page)


def test_an_unchecked_file_is_shown_with_the_reason(unchecked_file: UncheckedFile) -> None:
    page = render_fragment(ReportView([unchecked_file], "en", texts=["<a>\n<b>"]))
    assert "this file was not checked" in page
    assert "on line 2 is not closed: a <code>&gt;</code> is missing." in page
    assert '<a href="#file-1-line-2">Line 2, column ' in page


def test_a_long_text_is_cut_with_a_note(bad_report: Report) -> None:
    page = render_fragment(ReportView([bad_report], "en", texts=["x" * 100_000 + "\n" * MAX_SHOWN_LINES]))
    assert f"Only the first {MAX_SHOWN_LINES} of {MAX_SHOWN_LINES + 1} lines are shown" in page
    assert f'id="file-1-line-{MAX_SHOWN_LINES}"' in page
    assert f'id="file-1-line-{MAX_SHOWN_LINES + 1}"' not in page
    assert len(page) < 200_000  # the long first line is cut, too
