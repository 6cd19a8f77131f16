"""The files by which other services know the repository: workflows, forms, metadata of citations."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator
from wgig import __version__
from wgig.settings import CHECKOUT_FOLDER

GITHUB_FOLDER = CHECKOUT_FOLDER / ".github"
WORKFLOW_FILES = sorted((GITHUB_FOLDER / "workflows").glob("*.yml"))
FORM_FILES = sorted((GITHUB_FOLDER / "ISSUE_TEMPLATE").glob("*.yml"))
CITATION = yaml.load((CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
CODEMETA = json.loads((CHECKOUT_FOLDER / "codemeta.json").read_text("utf-8"))
ZENODO = json.loads((CHECKOUT_FOLDER / ".zenodo.json").read_text("utf-8"))


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; `on` stays a word."""
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)


def iter_steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in read_yaml(path)["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", WORKFLOW_FILES, ids=lambda path: path.stem)
def test_a_workflow_is_valid(path: Path) -> None:
    validator = Draft7Validator(get_builtin_schema("vendor.github-workflows"))
    workflow = yaml.safe_load(path.read_text("utf-8"))
    workflow["on"] = workflow.pop(True)  # which `on` means in YAML 1.1
    assert not [error.message for error in validator.iter_errors(workflow)]


@pytest.mark.parametrize("path", FORM_FILES, ids=lambda path: path.stem)
def test_an_issue_form_is_valid(path: Path) -> None:
    kind = "config" if path.stem == "config" else "forms"
    validator = Draft7Validator(get_builtin_schema(f"vendor.github-issue-{kind}"))
    assert not [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text("utf-8")))]


@pytest.mark.parametrize("path", WORKFLOW_FILES, ids=lambda path: path.stem)
def test_a_workflow_runs_targets_and_files_that_exist(path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT_FOLDER / "Makefile").read_text("utf-8"), re.MULTILINE)
    commands = [step["run"] for step in iter_steps(path) if "run" in step]
    for arguments in (match for run in commands for match in re.findall(r"^make (.*)$", run, re.MULTILINE)):
        assert {word for word in arguments.split() if "=" not in word} <= {*targets}
    for file in re.findall(r"(?:python |^)(\S+\.py|\.ci/run)", "\n".join(commands), re.MULTILINE):
        assert (CHECKOUT_FOLDER / file).is_file()
    for job in read_yaml(path)["jobs"].values():
        assert (CHECKOUT_FOLDER / job.get("uses", ".")).exists()


@pytest.mark.parametrize("path", WORKFLOW_FILES, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_needs_more(path: Path) -> None:
    assert read_yaml(path)["permissions"] == {"contents": "read"}
    for step in iter_steps(path):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] == "false"


def test_the_metadata_for_zenodo_and_codemeta_are_those_of_the_citation() -> None:
    (author,) = CITATION["authors"]
    expected = {
        "title": CITATION["title"],
        "description": CITATION["abstract"],
        "version": CITATION["version"],
        "date": CITATION["date-released"],
        "authors": [author["name"]],
        "keywords": CITATION["keywords"],
        "url": CITATION["url"],
    }
    assert expected == {
        "title": CODEMETA["name"],
        "description": CODEMETA["description"],
        "version": CODEMETA["version"],
        "date": CODEMETA["dateModified"],
        "authors": [person["name"] for person in CODEMETA["author"]],
        "keywords": CODEMETA["keywords"],
        "url": CODEMETA["url"],
    }
    assert expected == {
        "title": ZENODO["title"],
        "description": ZENODO["description"],
        "version": ZENODO["version"],
        "date": ZENODO["publication_date"],
        "authors": [person["name"] for person in ZENODO["creators"]],
        "keywords": ZENODO["keywords"],
        "url": ZENODO["related_identifiers"][0]["identifier"],
    }
    assert CITATION["version"] == __version__
    assert [f"https://spdx.org/licenses/{license_}" for license_ in CITATION["license"]] == CODEMETA[
        "license"
    ]
    assert ZENODO["license"] in {name.lower() for name in CITATION["license"]}


def test_the_rules_for_w3id_keep_path_and_query() -> None:
    rules = (CHECKOUT_FOLDER / "deploy/w3id/.htaccess").read_text("utf-8")
    (rule,) = re.findall(r"^RewriteRule (\S+) (\S+) \[(.*)\]$", rules, re.MULTILINE)
    assert rule == ("^(.*)$", "https://wgig.example.org/$1", "R=302,L,NE")
