"""The report as JUnit XML, as Jenkins reads it: a suite for each file, a test case for each rule.

Every run has a test case for each rule of the profile, so that a CI service can compare runs. A case fails if
a finding of its rule makes the paper fail the profile. It is skipped if the rule is waived or its section has
nothing to check. Findings that do not count in the profile are in the output of a passing case.

A file that was checked against other shapes has a case for each constraint with findings, or a passing one.

If a paper has too many findings, some are left out, and there is a separate case for them, with an error
unless the paper conforms. Rules without findings are then skipped, as their findings may be left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...text import append_xml_element, make_xml_element, serialize_xml_element, shorten_untrusted_text
from ..findings import (
    STATE_NOT_CHECKED,
    CheckOutcome,
    Finding,
    PaperReport,
    Report,
    UncheckedFile,
)
from ..rules import SHAPES_PROFILE, Rule, rules_by_code, section_headings
from .phrases import (
    finding_term,
    format_finding_position,
    format_paper_iri,
    format_problem_position,
    format_report_phrase,
    format_short_term,
    get_rule_example,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# The attributes of a suite with numbers of cases, and the element that each counted case has.
COUNTED_ELEMENTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def write_junit_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The document in UTF-8."""
    root = make_xml_element("testsuites", name="wgig")
    for outcome in outcomes:
        cases = (
            [build_unchecked_case(outcome)]
            if isinstance(outcome, UncheckedFile)
            else [*iter_report_cases(outcome, language)]
        )
        append_xml_element(root, "testsuite", name=outcome.name, **count_test_cases(cases)).extend(cases)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return serialize_xml_element(root)


def count_test_cases(cases: Sequence["Element"]) -> dict[str, str]:
    """The attributes of a suite: the numbers of its cases, failures, errors and skipped cases."""
    counts = {"tests": len(cases)}
    for name, tag in COUNTED_ELEMENTS.items():
        counts[name] = sum(case.find(tag) is not None for case in cases)
    return {name: str(count) for name, count in counts.items()}


def build_unchecked_case(unchecked: UncheckedFile) -> "Element":
    """The only test case of a file that was not checked."""
    problem = unchecked.problem
    case = make_xml_element("testcase", name="can be checked", classname=unchecked.name)
    location = format_problem_position(unchecked.name, problem)
    text = f"{location}: {problem.detail}\n{problem.members.get('excerpt', '')}"
    append_xml_element(case, "error", text, type=problem.slug, message=problem.detail)
    return case


def iter_report_cases(report: Report, language: str) -> Iterator["Element"]:
    """The test cases of a file, paper by paper."""
    is_by_template = report.profile != SHAPES_PROFILE
    all_rules = rules_by_code().values() if is_by_template else ()
    profile_rules = [rule for rule in all_rules if rule.is_in_profile(report.profile)]
    for paper in report.papers:
        findings_by_rule: dict[Rule, list[Finding]] = {}
        for finding in paper.findings:
            findings_by_rule.setdefault(finding.rule, []).append(finding)
        if paper.is_paper:
            for rule in profile_rules:
                yield build_rule_case(report, paper, rule, findings_by_rule, language)
        else:
            yield from iter_shape_cases(report, findings_by_rule, language)
        if paper.left_out:
            yield build_left_out_case(paper, language)


def iter_shape_cases(
    report: Report, findings_by_rule: Mapping[Rule, Sequence[Finding]], language: str
) -> Iterator["Element"]:
    """The test cases of a file that was checked against other shapes."""
    if report.conforms:
        yield make_xml_element("testcase", name=SHAPES_PROFILE, classname=report.name)
    for rule, findings in findings_by_rule.items():
        case = make_xml_element(
            "testcase", name=rule.code, classname=shorten_untrusted_text(rule.iri or SHAPES_PROFILE)
        )
        add_case_verdict(case, report, findings, language)
        yield case


def build_rule_case(
    report: Report,
    paper: PaperReport,
    rule: Rule,
    findings_by_rule: Mapping[Rule, Sequence[Finding]],
    language: str,
) -> "Element":
    """The test case of a rule."""
    section = section_headings()[rule.section]
    group = f"{paper_short_name(paper)}.{section.number} {section.title_in(language)}"
    case = make_xml_element("testcase", name=f"{rule.code} {rule.name_in(language)}", classname=group)
    rule_findings = findings_by_rule.get(rule)
    if rule_findings:
        add_case_verdict(case, report, rule_findings, language)
    elif paper.left_out:
        append_xml_element(
            case, "skipped", message=format_report_phrase("left out", language, count=paper.left_out)
        )
    elif paper.sections[rule.section].state == STATE_NOT_CHECKED:
        append_xml_element(case, "skipped", message=format_report_phrase(STATE_NOT_CHECKED, language))
    return case


def build_left_out_case(paper: PaperReport, language: str) -> "Element":
    """The test case for the findings of a paper that are left out."""
    case = make_xml_element("testcase", name="findings not shown", classname=paper_short_name(paper))
    message = format_report_phrase("left out", language, count=paper.left_out)
    append_xml_element(case, "skipped" if paper.conforms else "error", message=message)
    return case


def paper_short_name(paper: PaperReport) -> str:
    """The last part of the IRI of a paper."""
    return format_paper_iri(paper).rpartition("/")[2]


def add_case_verdict(case: "Element", report: Report, findings: Sequence[Finding], language: str) -> None:
    """Add the findings of a broken rule to its case, as a failure, a skip or output."""
    rule = findings[0].rule
    text = "\n".join(describe_broken_rule(report, findings, language))
    if findings[0].waiver:
        append_xml_element(
            case, "skipped", text, message=format_report_phrase("waiver", language, reason=findings[0].waiver)
        )
    elif rule.is_blocking(report.profile):
        append_xml_element(case, "failure", text, type=rule.severity, message=rule.message_in(language))
    else:
        append_xml_element(case, "system-out", text)


def describe_broken_rule(report: Report, findings: Sequence[Finding], language: str) -> Iterator[str]:
    """The message of a rule, the positions and terms of its violations, and an example of a fix."""
    rule = findings[0].rule
    yield f"{format_report_phrase(rule.severity, language)}: {rule.message_in(language)}"
    for finding in findings:
        yield f"{format_finding_position(report.name, finding)}: {format_short_term(finding_term(finding))}"
        if finding.suggestion:
            yield format_report_phrase("suggestion", language, suggestion=finding.suggestion)
    if example := get_rule_example(rule, report.media_type):
        yield f"{format_report_phrase('example', language)}:\n{example}"
    if rule.iri:
        yield shorten_untrusted_text(rule.iri)
