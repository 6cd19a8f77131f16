"""The report as JUnit XML, as Jenkins reads it: a suite for each file, a test case for each rule.

The cases of a file are those of the profile, the same from run to run, so that a CI service can tell what was
mended and what broke. A case fails where its rule keeps the paper from the profile. It is skipped where the
rule is waived, or where there was nothing in its section to check. What a rule only remarks stands in the
output of a case that passes.

Where findings of a paper are left out, a case of its own says so, as an error unless the paper conforms; and
no rule passes of which they may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from ...text import xml_text
from ..findings import BLOCKING, NOT_CHECKED, Finding, Outcome, Paper, Report, Unread
from ..rules import Rule, headings, rules
from .phrases import about, example_link, paper_iri, phrase, place_text, problem_place, short

COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """The document in UTF-8."""
    root = ET.Element("testsuites", name="wgig")
    for one in outcomes:
        cases = [unread_case(one)] if isinstance(one, Unread) else [*report_cases(one, language)]
        element(root, "testsuite", name=one.name, **counts(cases)).extend(cases)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def element(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    """A new element inside of another, with only such characters as XML knows."""
    found = ET.SubElement(parent, tag, {name: xml_text(value) for name, value in attributes.items()})
    found.text = xml_text(text) or None
    return found


def counts(cases: Sequence[ET.Element]) -> dict[str, str]:
    """How many cases there are, and how many of each kind."""
    found = {"tests": len(cases)}
    for name, tag in COUNTED.items():
        found[name] = sum(case.find(tag) is not None for case in cases)
    return {name: str(count) for name, count in found.items()}


def case(name: str, group: str) -> ET.Element:
    """A test case."""
    return ET.Element("testcase", name=xml_text(name), classname=xml_text(group))


def unread_case(unread: Unread) -> ET.Element:
    """The one test case of a file that was not checked."""
    problem = unread.problem
    found = case("can be checked", unread.name)
    where = problem_place(unread.name, problem)
    text = f"{where}: {problem.detail}\n{problem.members.get('excerpt', '')}"
    element(found, "error", text, type=problem.slug, message=problem.detail)
    return found


def report_cases(report: Report, language: str) -> Iterator[ET.Element]:
    """The test cases of a file, paper by paper."""
    inside = [rule for rule in rules().values() if rule.holds_in(report.profile)]
    for paper in report.papers:
        findings: dict[Rule, list[Finding]] = {}
        for finding in paper.findings:
            findings.setdefault(finding.rule, []).append(finding)
        for rule in inside:
            yield rule_case(report, paper, rule, findings, language)
        if paper.left_out:
            yield left_out_case(paper, language)


def rule_case(
    report: Report, paper: Paper, rule: Rule, findings: Mapping[Rule, Sequence[Finding]], language: str
) -> ET.Element:
    """The test case of a rule."""
    section = headings()[rule.section]
    group = f"{short_name(paper)}.{section.number} {section.says(language)}"
    found = case(f"{rule.code} {rule.name.get(language, rule.name['en'])}", group)
    broken = findings.get(rule)
    if broken:
        verdict(found, report, broken, language)
    elif paper.left_out:
        element(found, "skipped", message=phrase("left out", language, count=paper.left_out))
    elif paper.sections[rule.section].state == NOT_CHECKED:
        element(found, "skipped", message=phrase(NOT_CHECKED, language))
    return found


def left_out_case(paper: Paper, language: str) -> ET.Element:
    """The test case of a paper of which findings are left out."""
    found = case("findings not shown", short_name(paper))
    said = phrase("left out", language, count=paper.left_out)
    element(found, "skipped" if paper.conforms else "error", message=said)
    return found


def short_name(paper: Paper) -> str:
    """The last part of the IRI of a paper."""
    return paper_iri(paper).rpartition("/")[2]


def verdict(found: ET.Element, report: Report, broken: Sequence[Finding], language: str) -> None:
    """Say in a case that its rule is broken."""
    rule = broken[0].rule
    text = "\n".join(account(report, broken, language))
    if broken[0].waiver:
        element(found, "skipped", text, message=phrase("waiver", language, reason=broken[0].waiver))
    elif rule.severity in BLOCKING[report.profile]:
        element(found, "failure", text, type=rule.severity, message=rule.says(language))
    else:
        element(found, "system-out", text)


def account(report: Report, broken: Sequence[Finding], language: str) -> Iterator[str]:
    """What is wrong, where, and how to mend it."""
    rule = broken[0].rule
    yield f"{phrase(rule.severity, language)}: {rule.says(language)}"
    for finding in broken:
        yield f"{place_text(report.name, finding)}: {short(about(finding))}"
        if finding.suggestion:
            yield phrase("suggestion", language, suggestion=finding.suggestion)
    yield f"{phrase('example', language)}:\n{example_link(rule, report.media_type)}"
    yield rule.iri
