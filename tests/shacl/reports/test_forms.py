"""Properties of all report formats, and the formats text, JSON, CSV and GitHub annotations."""

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
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import CSV, JSON, JSON_LD, MARKDOWN, Format, get_named_format
from wgig.settings import Settings
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import GITHUB_ANNOTATIONS_FORMAT, JUNIT_FORMAT, REPORT_WRITERS, TEXT_REPORT_FORMAT
from wgig.shacl.reports.phrases import REPORT_PHRASES, finding_counts_text, format_report_phrase
from wgig.shacl.rules import MESSAGE_LANGUAGES, rules_by_code

# The rules that the paper of `bad_report` breaks, in the order of its findings.
FINDING_CODES = [
    "WGIG-0-PAGES-MANY",
    "WGIG-0-TERM-UNKNOWN",
    "WGIG-3-TEXT",
    "WGIG-3-BLANK",
    "WGIG-5B-MISSING",
    "WGIG-5B-MISSING",
    "WGIG-5B-DECIDES-VALUE",
]

UNTRANSLATED_LANGUAGE = "tlh"  # Klingon


def write_report(format_: Format, outcomes: Sequence[CheckOutcome], language: str = "en") -> str:
    return REPORT_WRITERS[format_](outcomes, language).decode()


def find_line_number(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_format_is_found_by_its_suffix_and_by_its_media_type() -> None:
    formats = tuple(REPORT_WRITERS)
    assert (
        len({format_.suffix for format_ in formats})
        == len({format_.media_type for format_ in formats})
        == len(formats)
    )
    assert get_named_format("junit", formats) is JUNIT_FORMAT
    assert get_named_format("application/json", formats) is JSON
    assert get_named_format("application/ld+json", formats) is JSON_LD


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
@pytest.mark.parametrize("language", [*MESSAGE_LANGUAGES, UNTRANSLATED_LANGUAGE])
def test_every_format_has_all_files_and_rules_in_every_language(
    format_: Format, language: str, outcomes: Sequence[CheckOutcome]
) -> None:
    report = unquote(write_report(format_, outcomes, language))
    assert "half.ttl" in report
    assert all(code in report for code in FINDING_CODES)
    message = rules_by_code()["WGIG-5B-MISSING"].message_in(language)
    assert message[:25] in report  # some formats wrap or escape the rest


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
def test_every_format_can_be_written_without_files(format_: Format) -> None:
    assert write_report(format_, []) is not None


def test_a_phrase_falls_back_to_english() -> None:
    assert format_report_phrase("line", "fr", line=1, column=2) == "Ligne 1, colonne 2"
    assert format_report_phrase("line", UNTRANSLATED_LANGUAGE, line=1, column=2) == "Line 1, column 2"


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_two_counts_are_two_in_every_language(language: str) -> None:
    counts = finding_counts_text({"Violation": 3, "Info": 4}, language)
    assert (counts.count("3"), counts.count("4")) == (1, 1)


def test_the_severity_note_is_translated_differently_from_a_note_on_pages() -> None:
    page_word, report_word = load_catalog("fr").gettext("note"), format_report_phrase("Info", "fr")
    assert (page_word, report_word) == ("note", "remarque")


@pytest.mark.parametrize(
    ("language", "word"), [("ar", "إعفاء"), ("es", "exención"), ("fr", "dérogation"), ("zh", "豁免")]
)
def test_waivers_have_the_same_name_in_phrases_and_rules(language: str, word: str) -> None:
    assert word in format_report_phrase("waived", language).casefold()
    assert word in rules_by_code()["WGIG-0-WAIVER-REASON"].message_in(language).casefold()


def test_russian_phrases_use_one_word_for_notes_and_no_dotted_letters() -> None:
    catalog = load_catalog("ru")
    phrases = {name: catalog.pgettext("report", text).casefold() for name, text in REPORT_PHRASES.items()}
    assert [name for name, text in phrases.items() if "замеч" in text] == ["Info"]
    assert not [name for name, text in phrases.items() if "ё" in text]


def test_json_has_position_and_fix_of_each_finding(bad_report: Report, bad_text: str) -> None:
    report = json.loads(write_report(JSON, [bad_report], "fr"))
    paper = report["files"][0]["papers"][0]
    assert (report["conforms"], report["profile"], paper["conforms"]) == (False, "final", False)
    assert [item["code"] for item in paper["findings"]] == FINDING_CODES
    finding = paper["findings"][1]
    assert finding["line"] == find_line_number(bad_text, "wgig:oportunity")
    assert finding["value"] == "https://w3id.org/wgig/ontology#oportunity"
    assert (finding["suggestion"], finding["section"]) == ("wgig:opportunity", 3)
    assert finding["message"] == rules_by_code()["WGIG-0-TERM-UNKNOWN"].message["fr"]
    assert finding["excerpt"].startswith("wgig:oportunity")
    assert paper["findings"][0]["waived"] == "The chair asked for <more>."
    missing_part = paper["findings"][4]
    assert missing_part["value"] is missing_part["waived"] is missing_part["suggestion"] is None
    assert {item["number"]: item["state"] for item in paper["sections"]}[5] == "missing"
    assert paper["completeness"]["met"] < paper["completeness"]["parts"]


def test_json_has_the_problem_of_an_unchecked_file(
    unchecked_file: UncheckedFile, good_report: Report
) -> None:
    report = json.loads(write_report(JSON, [good_report, unchecked_file]))
    assert not report["conforms"]
    assert report["files"][0]["conforms"]
    assert report["files"][1]["problem"].items() >= {"status": 400, "line": 2}.items()
    assert json.loads(write_report(JSON, [good_report]))["conforms"]
    assert json.loads(write_report(JSON, [unchecked_file]))["profile"] is None


def test_the_example_of_a_fix_has_the_syntax_of_the_file(bad_report: Report) -> None:
    as_markdown = json.loads(write_report(JSON, [replace(bad_report, media_type="text/markdown")]))
    example = as_markdown["files"][0]["papers"][0]["findings"][1]["mend"]
    assert example == rules_by_code()["WGIG-0-TERM-UNKNOWN"].in_markdown


def test_text_has_findings_first_and_the_verdict_last(bad_report: Report, bad_text: str) -> None:
    lines = write_report(TEXT_REPORT_FORMAT, [bad_report]).splitlines()
    assert lines[0] == "papers/bad, ü:1.ttl: Community networks (an example)"
    start = lines.index("  error  WGIG-0-TERM-UNKNOWN")
    example = [f"      {line}" for line in rules_by_code()["WGIG-0-TERM-UNKNOWN"].in_turtle.splitlines()]
    assert lines[start + 1 : start + 7 + len(example)] == [
        "    This term is not in the vocabulary. Correct its spelling, or remove it.",
        f"    papers/bad, ü:1.ttl:{find_line_number(bad_text, 'wgig:oportunity')}:5  wgig:oportunity",
        '      wgig:oportunity  "Radio equipment gets cheaper every year."@en ;',
        "      Did you mean wgig:opportunity?",
        "    Example:",
        *example,
        "    https://w3id.org/wgig/shapes#WGIG-0-TERM-UNKNOWN",
    ]
    assert "    Waived: The chair asked for <more>." in lines
    assert lines[-2:] == ["✗ not final; 27 of 28 parts are present", "6 errors"]
    assert any(re.fullmatch(r"  3\. SWOT analysis +present, to correct", line) for line in lines)


def test_text_ends_with_the_numbers_of_findings_that_are_not_waived(
    bad_report: Report, good_report: Report, unchecked_file: UncheckedFile
) -> None:
    def last_line(*outcomes: CheckOutcome) -> str:
        return write_report(TEXT_REPORT_FORMAT, outcomes).splitlines()[-1]

    (paper,) = bad_report.papers
    rules = map(rules_by_code().__getitem__, ("WGIG-0-LANGUAGE-MISSING", "WGIG-0-LATE", "WGIG-0-PAGES-FEW"))
    findings = [replace(paper.findings[-1], rule=rule) for rule in rules]
    noted_report = replace(good_report, papers=[replace(paper, findings=findings, conforms=True)])
    assert last_line(noted_report) == "2 warnings, 1 note"
    assert last_line(bad_report, noted_report, bad_report) == "12 errors, 2 warnings, 1 note"
    assert last_line(replace(bad_report, papers=[replace(paper, findings=paper.findings[1:2])])) == "1 error"
    assert last_line(good_report).startswith("✓ final;")
    assert last_line(good_report, unchecked_file).startswith("Files: 2;")
    among_others = write_report(TEXT_REPORT_FORMAT, [noted_report, good_report])
    assert "✓ papers/good.ttl: final, 2 warnings, 1 note\n" in among_others


def test_text_has_a_broken_rule_once_for_all_its_violations(bad_report: Report) -> None:
    report = write_report(TEXT_REPORT_FORMAT, [bad_report])
    assert report.count("  WGIG-5B-MISSING\n") == 1
    assert report.count("shapes#WGIG-5B-MISSING\n") == 1
    assert len(re.findall(r":\d+:1  paper:example-community-networks\\/forum\\/", report)) == 2


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_text_fits_into_80_columns(bad_report: Report, language: str) -> None:
    assert max(map(cell_len, write_report(TEXT_REPORT_FORMAT, [bad_report], language).splitlines())) <= 80


def test_text_is_colored_only_on_request_with_the_same_text(outcomes: Sequence[CheckOutcome]) -> None:
    plain = REPORT_WRITERS[TEXT_REPORT_FORMAT](outcomes, "en").decode()
    colored = REPORT_WRITERS[TEXT_REPORT_FORMAT](outcomes, "en", color=True).decode()
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain != colored


def test_text_has_one_line_for_a_conforming_file_among_others(outcomes: Sequence[CheckOutcome]) -> None:
    lines = write_report(TEXT_REPORT_FORMAT, outcomes).splitlines()
    assert lines[0] == "✓ papers/good.ttl: final"
    assert lines[-2:] == ["Files: 3; conforming: 1; not conforming: 1; not checked: 1", "6 errors"]
    assert any(re.fullmatch(r"✗ half\.ttl:2:\d+: this file was not checked", line) for line in lines)
    assert "    " + "  <http://example.org/b> <script" in lines


@pytest.mark.parametrize(
    "format_", [TEXT_REPORT_FORMAT, GITHUB_ANNOTATIONS_FORMAT], ids=lambda format_: format_.suffix
)
def test_control_characters_in_a_file_name_are_removed(format_: Format, bad_report: Report) -> None:
    renamed_report = replace(bad_report, name="\x1b]0;gotcha\x07\u202e.ttl")
    report = write_report(format_, [renamed_report])
    assert not set("\x1b\x07\u202e") & set(report)


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
def test_findings_that_are_left_out_are_counted(format_: Format, bad_report: Report) -> None:
    cut_report = replace(
        bad_report, papers=[bad_report.papers[0], replace(bad_report.papers[0], findings=[], left_out=99_000)]
    )
    count_text = '"leftOut": 99000' if format_ is JSON else "Findings not shown: 99000"
    assert count_text in write_report(format_, [cut_report])
    assert count_text not in write_report(format_, [bad_report])
    assert format_report_phrase("flawless", "en") not in write_report(format_, [cut_report])


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
def test_a_long_text_of_a_file_is_not_repeated(format_: Format, bad_report: Report) -> None:
    long_text = "x" * 100_000
    terms = (
        ox.NamedNode(f"urn:{long_text}"),
        ox.BlankNode(long_text),
        ox.Literal(long_text),
        ox.Literal("", datatype=ox.NamedNode(f"urn:{long_text}")),
    )
    nodes = terms[:2]
    findings = [
        replace(bad_report.findings[0], focus=focus, value=value) for focus in nodes for value in terms
    ]
    papers = [replace(bad_report.papers[0], iri=f"urn:{long_text}", title=long_text, findings=findings)]
    outcomes: list[CheckOutcome] = [
        replace(bad_report, name=long_text, papers=papers),
        UncheckedFile(long_text, Problem(400, "")),
    ]
    report = write_report(format_, outcomes)
    assert "x" * 1001 not in report
    assert len(report) < 150_000


def test_csv_has_the_severity_of_left_out_findings_by_conformance(
    good_report: Report, bad_report: Report
) -> None:
    cut_reports = [
        replace(item, papers=[replace(item.papers[0], findings=[], left_out=5)])
        for item in (good_report, bad_report)
    ]
    rows = csv.DictReader(io.StringIO(write_report(CSV, cut_reports), newline=""))
    assert [item["severity"] for item in rows if item["code"] == "left-out"] == ["Info", "Violation"]


def test_csv_has_a_row_for_each_finding_and_each_unchecked_file(
    outcomes: Sequence[CheckOutcome],
) -> None:
    report = write_report(CSV, outcomes)
    rows = [*csv.DictReader(io.StringIO(report, newline=""))]
    assert [row["code"] for row in rows] == [*FINDING_CODES, "syntax"]
    assert rows[-1]["line"] == "2"
    assert report.endswith("\r\n")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n"])
def test_no_cell_of_csv_is_a_formula(start: str, bad_report: Report) -> None:
    renamed_report = replace(bad_report, name=f"{start}1+1.ttl")
    rows = [*csv.DictReader(io.StringIO(write_report(CSV, [renamed_report]), newline=""))]
    assert {row["file"] for row in rows} == {f"'{start}1+1.ttl"}


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
def test_no_format_passes_on_control_characters_or_ci_commands(format_: Format, bad_report: Report) -> None:
    unsafe_text = "A\x1b]0;B\x07\u202e\u2028C\r\n::error::D\n  ##[error]E"
    papers = [
        replace(
            bad_report.papers[0],
            title=unsafe_text,
            findings=[replace(bad_report.findings[0], line=unsafe_text)],
        )
    ]
    report = write_report(format_, [replace(bad_report, name=f"::error::{unsafe_text}", papers=papers)])
    assert not re.search("[\x1b\x07\u202e\u2028]", report)
    if format_ in (TEXT_REPORT_FORMAT, CSV):
        assert not re.search(r"^\s*::|##\[", report, re.MULTILINE)


@pytest.mark.parametrize("format_", REPORT_WRITERS, ids=lambda format_: format_.suffix)
def test_excerpt_of_an_unreadable_file_has_no_control_characters(format_: Format) -> None:
    text = "---\ntitle: A\x1b[2J\x07\u202e\n---\n"
    with pytest.raises(Problem) as caught:
        read_paper_document("a.md", text.encode(), MARKDOWN, 1000, Settings.base)
    report = write_report(format_, [UncheckedFile("a.md", caught.value)])
    assert not re.search("[\x1b\x07\u202e]", report)


def test_github_gets_an_escaped_command_for_each_finding(
    outcomes: Sequence[CheckOutcome], bad_text: str
) -> None:
    lines = write_report(GITHUB_ANNOTATIONS_FORMAT, outcomes).splitlines()
    assert len(lines) == len(FINDING_CODES) + 1
    assert all(re.fullmatch(r"::(error|warning|notice) [^:]+::.+", line) for line in lines)
    line = find_line_number(bad_text, "makesDecisions")
    assert lines[-2].startswith(f"::error file=papers/bad%2C ü%3A1.ttl,line={line},col=25,title=WGIG-5B-")
    assert lines[-2].endswith("""("<b>, \ufffd=1+1\ufffd[31m: 100%25")""")
    assert lines[0].startswith("::notice ")
    assert lines[0].endswith("%0AWaived: The chair asked for <more>.")
    assert lines[-1].startswith("::error file=half.ttl,line=2,col=")
