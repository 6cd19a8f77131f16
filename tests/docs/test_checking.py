"""What the page about checking shows is what happens."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml
from wgig.cli.arguments import PROFILE_CHOICES, REPORT_FORMAT_CHOICES
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_UNREADABLE, build_command_parser
from wgig.papers import readers
from wgig.rdf import formats
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER, Settings
from wgig.shacl.check import check_document
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.rules import rules_by_code
from wgig.store.inference.inference import Inference

from tests.docs.blocks import need, page, transcript

PAGE = page("how-to/checking.md")
PAPER = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text(encoding="utf-8")
STARTED = re.sub(r"### Threats\n\n.*?\n\n", "", PAPER, flags=re.DOTALL).replace(
    "example-community-networks", "started"
)


def block(kind: str, beginning: str) -> str:
    """The block of a kind that begins so."""
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return next(one for one in found if one.startswith(beginning))


def table(title: str) -> dict[str, str]:
    """The first two columns of the table under a heading."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (.*?) \| (.*?) \|", section, re.MULTILINE)[2:])


@pytest.fixture(scope="module")
def service(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a service."""
    need("curl", "jq")
    with serving(tmp_path_factory.mktemp("store"), WGIG_DATA="none") as url:
        yield url.rstrip("/")


@pytest.mark.parametrize(("command", "answer"), transcript(PAGE))
def test_a_command_prints_what_the_page_shows(
    command: str, answer: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "community-networks.md").write_text(PAPER, encoding="utf-8")
    (tmp_path / "papers" / "started.md").write_text(STARTED, encoding="utf-8")
    service = request.getfixturevalue("service") if "$SERVICE" in command else ""
    done = subprocess.run(
        ["bash", "-c", f'wgig() {{ {sys.executable} -m wgig "$@"; }}; {command}'],
        cwd=tmp_path,
        env=os.environ | {"LC_ALL": "C.UTF-8", "SERVICE": service},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == answer


def test_the_query_about_the_papers_answers_as_shown(shipped: ox.Store) -> None:
    results = shipped.query(block("sparql", "PREFIX dcterms"), use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    given = results.serialize(format=ox.QueryResultsFormat.CSV)
    assert given is not None
    assert given.decode().replace("\r\n", "\n") == block("csv", "title")


def test_the_query_about_the_rules_lists_them_all() -> None:
    shapes = ox.Store()
    for path in SHIPPED_FOLDER.glob("shapes/*.ttl"):
        shapes.load(path=path, format=ox.RdfFormat.TURTLE)
    results = shapes.query(block("sparql", "PREFIX rdfs"))
    assert isinstance(results, ox.QuerySolutions)
    assert {row["code"].value for row in results} == set(rules_by_code())


def test_a_paper_in_markdown_comes_into_the_graph_and_onto_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "started.md").write_text(STARTED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(block("python", "from pathlib"), {})
    graph = block("sh", "wgig load").split()[-1]
    store = ox.Store()
    store.load(path="started.nt", to_graph=ox.NamedNode(graph))
    Inference([], f"{Settings.base}graph/inferred", None, [ConformanceGraph(Settings.base, "shifty")]).apply(
        store, None
    )
    earl = "http://www.w3.org/ns/earl#"
    missing = ox.NamedNode(f"{Settings.base}id/test-result/missing")
    assert any(store.quads_for_pattern(None, ox.NamedNode(f"{earl}result"), missing, None))


def test_the_tables_list_what_there_is() -> None:
    assert table("Exit codes").keys() == set(map(str, (EXIT_OK, EXIT_NO, EXIT_UNREADABLE, EXIT_FAILED)))
    assert table("Profiles").keys() == {f"`{one}`" for one in PROFILE_CHOICES}
    forms = re.findall(r"`(\w+)`", " ".join(table("Forms of the report")))
    assert set(forms) == set(REPORT_FORMAT_CHOICES)
    types = re.findall(
        r"`([\w.+-]+/[\w.+-]+)`", PAGE.partition("## Forms of the report")[2].partition("## ")[0]
    )
    assert set(types) == {one.media_type for one in REPORT_WRITERS}
    assert all(
        f"`{one.media_type}`" in PAGE for one in formats.FILE_FORMATS if one is not formats.WORD_DOCUMENT
    )
    options = re.findall(r"--[\w-]+", " ".join(table("In the shell")))
    for option in options:
        build_command_parser().parse_args(["check", "x", option, *VALUES.get(option, [])])


VALUES = {
    "--profile": ["draft"], "--format": ["csv"], "--lang": ["ar"], "--output": ["x"], "--jobs": ["1"],
}  # fmt: skip


def test_both_waivers_of_the_page_waive() -> None:
    markdown = STARTED.replace("\nposted:", f"\n{block('yaml', 'waivers')}posted:")
    from_markdown = readers.read_paper_document("started.md", markdown.encode(), formats.MARKDOWN)
    triples = readers.read_paper_document("started.md", STARTED.encode(), formats.MARKDOWN).triples
    turtle = "".join(f"{one} .\n" for one in triples) + block("turtle", "@prefix")
    from_turtle = readers.read_paper_document(
        "started.ttl", turtle.encode(), formats.FORMATS_BY_SUFFIX["ttl"]
    )
    for document in (from_markdown, from_turtle):
        report = check_document(document)
        assert report.conforms
        assert [(one.rule.code, one.waiver) for one in report.findings if one.waiver] == [
            ("WGIG-3-THREAT-MISSING", "The group found no threat in its second meeting.")
        ]


def test_the_configurations_name_what_there_is() -> None:
    hooks = yaml.safe_load((CHECKOUT_FOLDER / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    action = yaml.safe_load((CHECKOUT_FOLDER / "action.yml").read_text(encoding="utf-8"))
    hook = yaml.safe_load(block("yaml", "repos"))["repos"][0]["hooks"][0]
    assert hook["id"] in {one["id"] for one in hooks}
    build_command_parser().parse_args(["check", *hook["args"], "paper.md"])
    steps = yaml.safe_load(block("yaml", "jobs"))["jobs"]["papers"]["steps"]
    assert steps[1]["with"].keys() == action["inputs"].keys()
    script = yaml.safe_load(block("yaml", "papers"))["papers"]["script"]
    build_command_parser().parse_args(script[1].split()[1:])
