"""What holds for every form of a report, and the forms that are plain text or JSON."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

import pyoxigraph as ox
import pytest
from rich.cells import cell_len
from wgig.i18n import load_catalog
from wgig.problems import Problem
from wgig.rdf.formats import CSV, JSON, JSON_LD, Format, get_named_format
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import GITHUB_ANNOTATIONS_FORMAT, JUNIT_FORMAT, REPORT_WRITERS, TEXT_REPORT_FORMAT
from wgig.shacl.reports.phrases import REPORT_PHRASES, format_report_phrase
from wgig.shacl.rules import MESSAGE_LANGUAGES, rules_by_code

CODES = [
    "WGIG-0-PAGES-MANY",
    "WGIG-0-TERM-UNKNOWN",
    "WGIG-3-OPPORTUNITY-MISSING",
    "WGIG-3-TEXT",
    "WGIG-3-BLANK",
    "WGIG-5B-MISSING",
    "WGIG-5B-MISSING",
    "WGIG-5B-DECIDES-VALUE",
]


def written(format_: Format, outcomes: Sequence[CheckOutcome], language: str = "en") -> str:
    return REPORT_WRITERS[format_](outcomes, language).decode()


def line_of(text: str, written: str) -> int:
    return text[: text.index(written)].count("\n") + 1


def test_a_form_is_found_by_its_suffix_and_by_its_media_type() -> None:
    offered = tuple(REPORT_WRITERS)
    assert len({one.suffix for one in offered}) == len({one.media_type for one in offered}) == len(offered)
    assert get_named_format("junit", offered) is JUNIT_FORMAT
    assert get_named_format("application/json", offered) is JSON
    assert get_named_format("application/ld+json", offered) is JSON_LD


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda one: one.suffix)
@pytest.mark.parametrize("language", [*MESSAGE_LANGUAGES, "tlh"])
def test_every_form_names_every_file_and_every_rule_in_every_language(
    format_: Format, language: str, outcomes: Sequence[CheckOutcome]
) -> None:
    found = unquote(written(format_, outcomes, language))
    assert "half.ttl" in found
    assert all(code in found for code in CODES)
    sentence = rules_by_code()["WGIG-5B-MISSING"].message_in(language)
    assert sentence[:25] in found


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda one: one.suffix)
def test_every_form_can_be_written_of_nothing(format_: Format) -> None:
    assert written(format_, []) is not None


def test_a_phrase_is_in_the_language_asked_for_or_else_in_english() -> None:
    assert format_report_phrase("line", "fr", line=1, column=2) == "Ligne 1, colonne 2"
    assert format_report_phrase("line", "tlh", line=1, column=2) == "Line 1, column 2"


def test_reports_call_a_severity_otherwise_than_pages_call_a_note() -> None:
    pages, reports = load_catalog("fr").gettext("note"), format_report_phrase("Info", "fr")
    assert (pages, reports) == ("note", "remarque")


@pytest.mark.parametrize(
    ("language", "word"), [("ar", "إعفاء"), ("es", "exención"), ("fr", "dérogation"), ("zh", "豁免")]
)
def test_a_waiver_is_called_as_its_rules_call_it(language: str, word: str) -> None:
    assert word in format_report_phrase("waived", language, reason="").casefold()
    assert word in rules_by_code()["WGIG-0-WAIVER-REASON"].message_in(language).casefold()


def test_in_russian_findings_are_no_notes_and_no_letter_has_dots() -> None:
    catalogue = load_catalog("ru")
    said = {name: catalogue.pgettext("report", text).casefold() for name, text in REPORT_PHRASES.items()}
    assert [name for name, text in said.items() if "замеч" in text] == ["Info"]
    assert not [name for name, text in said.items() if "ё" in text]


def test_json_tells_where_each_finding_is_and_how_to_mend_it(bad: Report, text: str) -> None:
    found = json.loads(written(JSON, [bad], "fr"))
    paper = found["files"][0]["papers"][0]
    assert (found["conforms"], found["profile"], paper["conforms"]) == (False, "final", False)
    assert [one["code"] for one in paper["findings"]] == CODES
    misspelt = paper["findings"][1]
    assert misspelt["line"] == line_of(text, "wgig:oportunity")
    assert misspelt["value"] == "https://w3id.org/wgig/ontology#oportunity"
    assert misspelt["suggestion"] == "wgig:opportunity"
    assert misspelt["message"] == rules_by_code()["WGIG-0-TERM-UNKNOWN"].message["fr"]
    assert misspelt["excerpt"].startswith("wgig:oportunity")
    assert paper["findings"][0]["waived"] == "The chair asked for <more>."
    assert paper["findings"][2] | {"value": None, "waived": None, "suggestion": None} == paper["findings"][2]
    assert {one["number"]: one["state"] for one in paper["sections"]}[3] == "missing"
    assert paper["completeness"]["met"] < paper["completeness"]["parts"]


def test_json_says_why_a_file_was_not_checked(unread: UncheckedFile, good: Report) -> None:
    found = json.loads(written(JSON, [good, unread]))
    assert not found["conforms"]
    assert found["files"][0]["conforms"]
    assert found["files"][1]["problem"].items() >= {"status": 400, "line": 2}.items()
    assert json.loads(written(JSON, [good]))["conforms"]
    assert json.loads(written(JSON, [unread]))["profile"] is None


def test_the_mending_is_in_the_language_of_the_file(bad: Report) -> None:
    as_markdown = json.loads(written(JSON, [replace(bad, media_type="text/markdown")]))
    mend = as_markdown["files"][0]["papers"][0]["findings"][1]["mend"]
    assert mend == rules_by_code()["WGIG-0-TERM-UNKNOWN"].in_markdown


def test_text_reads_from_the_findings_to_the_verdict(bad: Report, text: str) -> None:
    lines = written(TEXT_REPORT_FORMAT, [bad]).splitlines()
    assert lines[0] == "papers/bad, ü:1.ttl: Community networks (an example)"
    start = lines.index("  error  WGIG-0-TERM-UNKNOWN")
    example = [f"      {line}" for line in rules_by_code()["WGIG-0-TERM-UNKNOWN"].in_turtle.splitlines()]
    assert lines[start + 1 : start + 7 + len(example)] == [
        "    This term is not in the vocabulary. Correct its spelling, or take it out.",
        f"    papers/bad, ü:1.ttl:{line_of(text, 'wgig:oportunity')}:5  wgig:oportunity",
        '      wgig:oportunity  "Radio equipment gets cheaper every year."@en ;',
        "      Did you mean wgig:opportunity?",
        "    Example:",
        *example,
        "    https://w3id.org/wgig/shapes#WGIG-0-TERM-UNKNOWN",
    ]
    assert "    Waived: The chair asked for <more>." in lines
    assert lines[-1].startswith("✗ does not conform to the profile final; ")
    assert "  3. SWOT analysis" in lines[-8]
    assert lines[-8].endswith("  missing")


def test_text_names_a_broken_rule_once_for_all_its_places(bad: Report) -> None:
    found = written(TEXT_REPORT_FORMAT, [bad])
    assert found.count("  WGIG-5B-MISSING\n") == 1
    assert found.count("shapes#WGIG-5B-MISSING\n") == 1
    assert len(re.findall(r":\d+:1  paper:example-community-networks\\/forum\\/", found)) == 2


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_text_fits_into_80_columns(bad: Report, language: str) -> None:
    assert max(map(cell_len, written(TEXT_REPORT_FORMAT, [bad], language).splitlines())) <= 80


def test_text_is_colored_only_when_asked_for_and_says_the_same(outcomes: Sequence[CheckOutcome]) -> None:
    plain = REPORT_WRITERS[TEXT_REPORT_FORMAT](outcomes, "en").decode()
    colored = REPORT_WRITERS[TEXT_REPORT_FORMAT](outcomes, "en", color=True).decode()
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain != colored


def test_text_takes_one_line_for_a_file_that_conforms_among_others(outcomes: Sequence[CheckOutcome]) -> None:
    lines = written(TEXT_REPORT_FORMAT, outcomes).splitlines()
    assert lines[0] == "✓ papers/good.ttl: conforms to the profile final"
    assert lines[-1] == "Files: 3; conforming: 1; not conforming: 1; not checked: 1"
    assert any(re.fullmatch(r"✗ half\.ttl:2:\d+: this file was not checked", line) for line in lines)
    assert "    " + "  <http://example.org/b> <script" in lines


@pytest.mark.parametrize(
    "format_", [TEXT_REPORT_FORMAT, GITHUB_ANNOTATIONS_FORMAT], ids=lambda one: one.suffix
)
def test_no_file_steers_the_terminal(format_: Format, bad: Report) -> None:
    evil = replace(bad, name="\x1b]0;gotcha\x07\u202e.ttl")
    found = written(format_, [evil])
    assert not set("\x1b\x07\u202e") & set(found)


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda one: one.suffix)
def test_findings_that_are_left_out_are_counted(format_: Format, bad: Report) -> None:
    cut = replace(bad, papers=[bad.papers[0], replace(bad.papers[0], findings=[], left_out=99_000)])
    said = '"leftOut": 99000' if format_ is JSON else "Findings that are not shown: 99000"
    assert said in written(format_, [cut])
    assert said not in written(format_, [bad])
    assert format_report_phrase("flawless", "en") not in written(format_, [cut])


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda one: one.suffix)
def test_a_long_text_of_a_file_is_not_repeated(format_: Format, bad: Report) -> None:
    long = "x" * 100_000
    terms = (
        ox.NamedNode(f"urn:{long}"),
        ox.BlankNode(long),
        ox.Literal(long),
        ox.Literal("", datatype=ox.NamedNode(f"urn:{long}")),
    )
    nodes = terms[:2]
    findings = [replace(bad.findings[0], focus=focus, value=value) for focus in nodes for value in terms]
    papers = [replace(bad.papers[0], iri=f"urn:{long}", title=long, findings=findings)]
    outcomes: list[CheckOutcome] = [
        replace(bad, name=long, papers=papers),
        UncheckedFile(long, Problem(400, "")),
    ]
    found = written(format_, outcomes)
    assert "x" * 1001 not in found
    assert len(found) < 150_000


def test_csv_rates_findings_that_are_left_out_by_what_they_come_to(good: Report, bad: Report) -> None:
    cut = [replace(one, papers=[replace(one.papers[0], findings=[], left_out=5)]) for one in (good, bad)]
    rows = csv.DictReader(io.StringIO(written(CSV, cut), newline=""))
    assert [one["severity"] for one in rows if one["code"] == "left-out"] == ["Info", "Violation"]


def test_csv_has_a_row_for_each_finding_and_each_file_that_was_not_checked(
    outcomes: Sequence[CheckOutcome],
) -> None:
    found = written(CSV, outcomes)
    rows = [*csv.DictReader(io.StringIO(found, newline=""))]
    assert [one["code"] for one in rows] == [*CODES, "syntax"]
    assert rows[-1]["line"] == "2"
    assert found.endswith("\r\n")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n"])
def test_no_cell_of_csv_is_a_formula(start: str, bad: Report) -> None:
    evil = replace(bad, name=f"{start}1+1.ttl")
    rows = [*csv.DictReader(io.StringIO(written(CSV, [evil]), newline=""))]
    assert {one["file"] for one in rows} == {f"'{start}1+1.ttl"}


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda one: one.suffix)
def test_no_form_steers_or_commands(format_: Format, bad: Report) -> None:
    steering = "A\x1b]0;B\x07\u202e\u2028C\r\n::error::D\n  ##[error]E"
    papers = [replace(bad.papers[0], title=steering, findings=[replace(bad.findings[0], line=steering)])]
    found = written(format_, [replace(bad, name=f"::error::{steering}", papers=papers)])
    assert not re.search("[\x1b\x07\u202e\u2028]", found)
    if format_ in (TEXT_REPORT_FORMAT, CSV):
        assert not re.search(r"^\s*::|##\[", found, re.MULTILINE)


def test_github_gets_an_escaped_command_for_each_finding(outcomes: Sequence[CheckOutcome], text: str) -> None:
    lines = written(GITHUB_ANNOTATIONS_FORMAT, outcomes).splitlines()
    assert len(lines) == len(CODES) + 1
    assert all(re.fullmatch(r"::(error|warning|notice) [^:]+::.+", line) for line in lines)
    line = line_of(text, "makesDecisions")
    assert lines[-2].startswith(f"::error file=papers/bad%2C ü%3A1.ttl,line={line},col=25,title=WGIG-5B-")
    assert lines[-2].endswith("""("<b>, \ufffd=1+1\ufffd[31m: 100%25")""")
    assert lines[0].startswith("::notice ")
    assert lines[0].endswith("%0AWaived: The chair asked for <more>.")
    assert lines[-1].startswith("::error file=half.ttl,line=2,col=")
