"""The report as JUnit XML, as Jenkins reads it: a suite for each file, a test case for each rule.

The cases of a file are those of the profile, the same from run to run, so that a CI service can tell what was
mended and what broke. A case fails where its rule keeps the paper from the profile. It is skipped where the
rule is waived, or where there was nothing in its section to check. What a rule only remarks stands in the
output of a case that passes.

Where findings of a paper are left out, a case of its own says so, as an error unless the paper conforms; and
no rule passes of which they may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...text import append_xml_element, make_xml_element, serialize_xml_element
from ..findings import (
    STATE_NOT_CHECKED,
    CheckOutcome,
    Finding,
    PaperReport,
    Report,
    UncheckedFile,
)
from ..rules import Rule, rules_by_code, section_headings
from .phrases import (
    finding_term,
    format_finding_place,
    format_paper_iri,
    format_problem_place,
    format_report_phrase,
    format_short_term,
    get_rule_example,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

COUNTED_ELEMENTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def write_junit_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The document in UTF-8."""
    root = make_xml_element("testsuites", name="wgig")
    for one in outcomes:
        cases = (
            [build_unchecked_case(one)]
            if isinstance(one, UncheckedFile)
            else [*iter_report_cases(one, language)]
        )
        append_xml_element(root, "testsuite", name=one.name, **count_test_cases(cases)).extend(cases)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return serialize_xml_element(root)


def count_test_cases(cases: Sequence["Element"]) -> dict[str, str]:
    """How many cases there are, and how many of each kind."""
    found = {"tests": len(cases)}
    for name, tag in COUNTED_ELEMENTS.items():
        found[name] = sum(case.find(tag) is not None for case in cases)
    return {name: str(count) for name, count in found.items()}


def build_unchecked_case(unread: UncheckedFile) -> "Element":
    """The one test case of a file that was not checked."""
    problem = unread.problem
    found = make_xml_element("testcase", name="can be checked", classname=unread.name)
    where = format_problem_place(unread.name, problem)
    text = f"{where}: {problem.detail}\n{problem.members.get('excerpt', '')}"
    append_xml_element(found, "error", text, type=problem.slug, message=problem.detail)
    return found


def iter_report_cases(report: Report, language: str) -> Iterator["Element"]:
    """The test cases of a file, paper by paper."""
    inside = [rule for rule in rules_by_code().values() if rule.is_in_profile(report.profile)]
    for paper in report.papers:
        findings: dict[Rule, list[Finding]] = {}
        for finding in paper.findings:
            findings.setdefault(finding.rule, []).append(finding)
        for rule in inside:
            yield build_rule_case(report, paper, rule, findings, language)
        if paper.left_out:
            yield build_left_out_case(paper, language)


def build_rule_case(
    report: Report, paper: PaperReport, rule: Rule, findings: Mapping[Rule, Sequence[Finding]], language: str
) -> "Element":
    """The test case of a rule."""
    section = section_headings()[rule.section]
    group = f"{paper_short_name(paper)}.{section.number} {section.title_in(language)}"
    found = make_xml_element(
        "testcase", name=f"{rule.code} {rule.name.get(language, rule.name['en'])}", classname=group
    )
    broken = findings.get(rule)
    if broken:
        add_case_verdict(found, report, broken, language)
    elif paper.left_out:
        append_xml_element(
            found, "skipped", message=format_report_phrase("left out", language, count=paper.left_out)
        )
    elif paper.sections[rule.section].state == STATE_NOT_CHECKED:
        append_xml_element(found, "skipped", message=format_report_phrase(STATE_NOT_CHECKED, language))
    return found


def build_left_out_case(paper: PaperReport, language: str) -> "Element":
    """The test case of a paper of which findings are left out."""
    found = make_xml_element("testcase", name="findings not shown", classname=paper_short_name(paper))
    said = format_report_phrase("left out", language, count=paper.left_out)
    append_xml_element(found, "skipped" if paper.conforms else "error", message=said)
    return found


def paper_short_name(paper: PaperReport) -> str:
    """The last part of the IRI of a paper."""
    return format_paper_iri(paper).rpartition("/")[2]


def add_case_verdict(found: "Element", report: Report, broken: Sequence[Finding], language: str) -> None:
    """Say in a case that its rule is broken."""
    rule = broken[0].rule
    text = "\n".join(describe_broken_rule(report, broken, language))
    if broken[0].waiver:
        append_xml_element(
            found, "skipped", text, message=format_report_phrase("waiver", language, reason=broken[0].waiver)
        )
    elif rule.is_blocking(report.profile):
        append_xml_element(found, "failure", text, type=rule.severity, message=rule.message_in(language))
    else:
        append_xml_element(found, "system-out", text)


def describe_broken_rule(report: Report, broken: Sequence[Finding], language: str) -> Iterator[str]:
    """What is wrong, where, and how to mend it."""
    rule = broken[0].rule
    yield f"{format_report_phrase(rule.severity, language)}: {rule.message_in(language)}"
    for finding in broken:
        yield f"{format_finding_place(report.name, finding)}: {format_short_term(finding_term(finding))}"
        if finding.suggestion:
            yield format_report_phrase("suggestion", language, suggestion=finding.suggestion)
    yield f"{format_report_phrase('example', language)}:\n{get_rule_example(rule, report.media_type)}"
    yield rule.iri
