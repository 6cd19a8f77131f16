"""The commands, queries and tables on the page about checking are correct."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
import yaml
from wgig.cli.arguments import PROFILE_CHOICES, REPORT_FORMAT_CHOICES
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_UNREADABLE, build_command_parser
from wgig.papers import readers
from wgig.rdf import formats
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER, Settings
from wgig.shacl.check import check_document
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.rules import rules_by_code
from wgig.store.inference.inference import Inference

from tests.docs.blocks import (
    find_code_blocks,
    parse_transcript,
    read_docs_page,
    run_shell_block,
    skip_without,
)
from tests.fixtures.processes import copy_filled_store

PAGE = read_docs_page("how-to/checking.md")
PAPER = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text(encoding="utf-8")
# The same paper without its threats and with another slug.
INCOMPLETE_PAPER = re.sub(r"### Threats\n\n.*?\n\n", "", PAPER, flags=re.DOTALL).replace(
    "example-community-networks", "started"
)


def find_block(language: str, start: str) -> str:
    """The first code block in a language that starts with a text."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(block for block in blocks if block.startswith(start))


def parse_table(title: str) -> dict[str, str]:
    """The first two columns of the table under a heading."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    _head, _rule, *rows = re.findall(r"^\| (.*?) \| (.*?) \|", section, re.MULTILINE)
    return dict(rows)


@pytest.fixture(scope="module")
def service(
    start_service: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a service, without a slash at its end."""
    skip_without("curl", "jq")
    with start_service(tmp_path_factory.mktemp("store"), WGIG_DATA="none", WGIG_PAPER_SECONDS="60") as url:
        yield url.rstrip("/")


def write_example_files(folder: Path) -> None:
    """Write the data and the shapes of the section about shapes of one's own."""
    section = PAGE.partition("## Any RDF against your own shapes\n")[2]
    for name, block in zip(("people.ttl", "shapes.ttl"), find_code_blocks(section, "turtle"), strict=False):
        (folder / name).write_text(block, encoding="utf-8")


def test_the_request_with_shapes_has_the_result_that_is_shown(service: str, tmp_path: Path) -> None:
    write_example_files(tmp_path)
    section = PAGE.partition("## Any RDF against your own shapes\n")[2]
    process = run_shell_block(find_code_blocks(section, "sh")[0], service, tmp_path)
    assert (process.stdout.decode(), process.stderr) == (find_code_blocks(section, "text")[0], b"")


def test_the_commands_for_graphs_are_valid_and_check_the_store_of_the_service(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.partition("## A graph of a store or an endpoint\n")[2]
    commands = find_code_blocks(section, "sh")[0].splitlines()
    for command in commands:
        build_command_parser().parse_args(command.split()[1:])
    monkeypatch.setenv("WGIG_PAPER_SECONDS", "60")
    copy_filled_store(tmp_path)
    assert main([*commands[0].split()[1:], "--store", str(tmp_path), "--format", "json"]) == 0
    (file,) = json.loads(capfd.readouterr().out)["files"]
    assert (file["name"], file["focusNodes"] > 10) == ("https://w3id.org/wgig/graph/stakeholders", True)


@pytest.mark.parametrize(("command", "output"), parse_transcript(PAGE))
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "community-networks.md").write_text(PAPER, encoding="utf-8")
    (tmp_path / "papers" / "started.md").write_text(INCOMPLETE_PAPER, encoding="utf-8")
    write_example_files(tmp_path)
    # Only commands that need a service start it.
    service = request.getfixturevalue("service") if "$SERVICE" in command else ""
    process = subprocess.run(
        ["bash", "-c", f'wgig() {{ {sys.executable} -m wgig "$@"; }}; {command}'],
        cwd=tmp_path,
        env=os.environ | {"LC_ALL": "C.UTF-8", "SERVICE": service},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    assert process.stdout == output


def test_the_query_about_papers_has_the_result_that_is_shown(shipped_store: ox.Store) -> None:
    results = shipped_store.query(find_block("sparql", "PREFIX earl"), use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    csv = results.serialize(format=ox.QueryResultsFormat.CSV)
    assert csv is not None
    assert csv.decode().replace("\r\n", "\n") == find_block("csv", "result")


def test_the_query_about_rules_lists_all_of_them() -> None:
    shapes = ox.Store()
    for path in SHIPPED_FOLDER.glob("shapes/*.ttl"):
        shapes.load(path=path, format=ox.RdfFormat.TURTLE)
    results = shapes.query(find_block("sparql", "PREFIX rdfs"))
    assert isinstance(results, ox.QuerySolutions)
    assert {row["code"].value for row in results} == set(rules_by_code())


def test_a_converted_paper_is_in_the_conformance_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "started.md").write_text(INCOMPLETE_PAPER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(find_block("python", "from pathlib"), {})
    graph = find_block("sh", "wgig load").split()[-1]
    store = ox.Store()
    store.load(path="started.nt", to_graph=ox.NamedNode(graph))
    Inference(
        [], f"{Settings.base}graph/inferred", None, [ConformanceGraph(Settings.base, "shifty")]
    ).rebuild(store)
    assertion = ox.NamedNode(f"{Settings.base}id/assertion/started")
    assert any(store.quads_for_pattern(assertion, ox.NamedNode(f"{Settings.base}ontology#partMissing"), None))


def test_the_tables_are_complete() -> None:
    assert parse_table("Exit codes").keys() == set(map(str, (EXIT_OK, EXIT_NO, EXIT_UNREADABLE, EXIT_FAILED)))
    assert parse_table("Profiles").keys() == {f"`{profile}`" for profile in PROFILE_CHOICES}
    report_formats = re.findall(r"`(\w+)`", " ".join(parse_table("Report formats")))
    assert set(report_formats) == set(REPORT_FORMAT_CHOICES)
    types = re.findall(r"`([\w.+-]+/[\w.+-]+)`", PAGE.partition("## Report formats")[2].partition("## ")[0])
    assert set(types) == {report_format.media_type for report_format in REPORT_WRITERS}
    assert all(
        f"`{format_.media_type}`" in PAGE
        for format_ in formats.FILE_FORMATS
        if format_ is not formats.WORD_DOCUMENT
    )
    options = re.findall(r"--[\w-]+", " ".join(parse_table("In the shell")))
    for option in options:
        build_command_parser().parse_args(["check", "x", option, *OPTION_VALUES.get(option, [])])


OPTION_VALUES = {  # a valid value of each option that needs one
    "--profile": ["draft"], "--format": ["csv"], "--lang": ["ar"], "--output": ["x"], "--jobs": ["1"],
    "--shapes": ["x"], "--graph": ["x"], "--store": ["x"], "--endpoint": ["x"], "--engine": ["shifty"],
}  # fmt: skip


def test_other_data_is_accepted_unchecked_and_pyshacl_finds_its_mistakes(
    start_service: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    skip_without("curl", "sed")
    section = PAGE.partition("## Other data")[2].partition("\n## ")[0]
    (data,), (commands,), (expected,) = (
        find_code_blocks(section, language) for language in ("turtle", "sh", "text")
    )
    (tmp_path / "mine.ttl").write_text(data)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # with pyshacl
    with start_service(tmp_path / "store", WGIG_TOKEN="a-token-of-this-test") as url:
        response = httpx2.put(
            f"{url}graph/mine",
            content=data,
            headers={"Authorization": "Bearer a-token-of-this-test", "Content-Type": "text/turtle"},
        )
        assert response.status_code == 201
        httpx2.delete(f"{url}graph/mine", headers={"Authorization": "Bearer a-token-of-this-test"})
        output = run_shell_block(commands, url, tmp_path, PATH=path).stdout.decode()
    findings, expected_findings = (
        sorted(re.sub(r"^\s+", "", text, flags=re.MULTILINE).split("Focus Node: "))
        for text in (output, expected)
    )
    assert findings == expected_findings


def test_the_waivers_in_markdown_and_in_turtle_apply() -> None:
    markdown = INCOMPLETE_PAPER.replace("\nposted:", f"\n{find_block('yaml', 'waivers')}posted:")
    from_markdown = readers.read_paper_document("started.md", markdown.encode(), formats.MARKDOWN)
    triples = readers.read_paper_document("started.md", INCOMPLETE_PAPER.encode(), formats.MARKDOWN).triples
    turtle = "".join(f"{triple} .\n" for triple in triples) + find_block("turtle", "@prefix")
    from_turtle = readers.read_paper_document(
        "started.ttl", turtle.encode(), formats.FORMATS_BY_SUFFIX["ttl"]
    )
    for document in (from_markdown, from_turtle):
        report = check_document(document)
        assert report.conforms
        assert [(finding.rule.code, finding.waiver) for finding in report.findings if finding.waiver] == [
            ("WGIG-3-THREAT-MISSING", "The group found no threat in its second meeting.")
        ]


def test_the_configurations_have_existing_hooks_inputs_and_options() -> None:
    hooks = yaml.safe_load((CHECKOUT_FOLDER / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    action = yaml.safe_load((CHECKOUT_FOLDER / "action.yml").read_text(encoding="utf-8"))
    hook = yaml.safe_load(find_block("yaml", "repos"))["repos"][0]["hooks"][0]
    assert hook["id"] in {shipped_hook["id"] for shipped_hook in hooks}
    build_command_parser().parse_args(["check", *hook["args"], "paper.md"])
    steps = yaml.safe_load(find_block("yaml", "jobs"))["jobs"]["papers"]["steps"]
    assert steps[1]["with"].keys() == action["inputs"].keys()
    script = yaml.safe_load(find_block("yaml", "papers"))["papers"]["script"]
    (command,) = (line for line in script if line.startswith("wgig "))
    build_command_parser().parse_args(command.split()[1:])
