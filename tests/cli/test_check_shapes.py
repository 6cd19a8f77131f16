"""`wgig check --shapes`, `--graph`, `--store` and `--endpoint`: reports, exit codes, limits and messages."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyoxigraph as ox
import pytest
from wgig.cli import check_shapes
from wgig.cli.endpoint_graph import EndpointGraphSource
from wgig.cli.main import main
from wgig.cli.parser import EXIT_UNREADABLE
from wgig.problems import Problem
from wgig.rdf.formats import TURTLE, Format
from wgig.settings import Settings
from wgig.shacl.documents import read_rdf
from wgig.shacl.engines import ENGINE_NAMES
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.validation.check import check_data
from wgig.validation.graph_pages import check_graph
from wgig_client.namespaces import BASE_IRI

from tests.fixtures.shapes import PERSON_DATA, PERSON_FINDINGS, PERSON_SHAPES, PREFIXES, make_source
from tests.validation.test_graph_pages import DATA, SHAPES, call_directly, list_findings

pytestmark = pytest.mark.slow

CheckRunner = Callable[..., SimpleNamespace]
GOOD_DATA = f"{PREFIXES} ex:a a ex:Person ; ex:name 'A' ."


@pytest.fixture
def run_check(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CheckRunner:
    """Run `wgig check` in a temporary folder with data, shapes and a store in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("WGIG_PAPER_SECONDS", "60")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for name, text in (("bad", PERSON_DATA), ("good", GOOD_DATA), ("shapes", PERSON_SHAPES)):
        (tmp_path / f"{name}.ttl").write_text(text, encoding="utf-8")

    def call_main(*arguments: str, stdin: str = "") -> SimpleNamespace:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["check", *arguments])
        output = capfd.readouterr()
        return SimpleNamespace(code=code, out=output.out, err=output.err)

    return call_main


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_files_are_checked_by_the_shapes(run_check: CheckRunner, engine: str) -> None:
    result = run_check(
        "bad.ttl", "good.ttl", "--shapes", "shapes.ttl", "--engine", engine, "--format", "json"
    )
    files = json.loads(result.out)["files"]
    assert result.code == 1
    assert [(file["name"], file["conforms"]) for file in files] == [("bad.ttl", False), ("good.ttl", True)]
    findings = [(f["code"], f["line"], f["severity"]) for f in files[0]["findings"]]
    assert findings == PERSON_FINDINGS
    assert result.err == ""


def test_the_text_report_names_line_and_shape(run_check: CheckRunner) -> None:
    result = run_check("bad.ttl", "--shapes", "shapes.ttl")
    assert result.out.startswith("bad.ttl\n\n  error  PersonShape/name/maxCount\n")
    assert "    bad.ttl:8:38  <http://example.org/ann>\n" in result.out
    assert result.out.endswith("✗ does not conform to the shapes; Nodes checked: 3\n2 errors, 1 warning\n")


def test_standard_input_and_folders_are_checked_by_the_shapes(run_check: CheckRunner, tmp_path: Path) -> None:
    arguments = ("--shapes", "shapes.ttl", "--quiet")
    assert run_check("-", "--input-format", "ttl", *arguments, stdin=PERSON_DATA).code == 1
    assert run_check("-", "--input-format", "ttl", *arguments, stdin=GOOD_DATA).code == 0
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.ttl").write_text(GOOD_DATA)
    (tmp_path / "folder" / "README.md").write_text("# No paper")
    result = run_check("folder", "--shapes", "shapes.ttl")
    assert (result.code, "Skipped Markdown files" in result.err) == (0, True)
    (tmp_path / "folder" / "torn.ttl").write_text("<a:a>")
    assert run_check("folder", *arguments).code == 2


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ("ex:S sh:targetNode ex:n ; sh:node ex:S .", "shapes.ttl:7:1: A shape refers to itself"),
        ("ex:S sh:targetNode", "shapes.ttl:7:"),
        ("ex:S sh:targetNode ex:n ; sh:js [ ] .", "Scripts are not run"),
    ],
)
def test_refused_shapes_are_a_usage_error(
    run_check: CheckRunner, tmp_path: Path, shapes: str, sentence: str
) -> None:
    (tmp_path / "shapes.ttl").write_text(PREFIXES + shapes)
    result = run_check("good.ttl", "--shapes", "shapes.ttl")
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_shapes_that_take_too_long_end_at_the_limit(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WGIG_PAPER_SECONDS", "8")
    nested = "".join(
        f"ex:n{n} sh:or ( [ sh:node ex:n{n + 1} ] [ sh:node ex:n{n + 1} ] ) ." for n in range(24)
    )
    (tmp_path / "shapes.ttl").write_text(
        f"{PREFIXES} ex:n0 sh:targetClass ex:Person . {nested} ex:n24 sh:nodeKind sh:Literal ."
    )
    result = run_check("good.ttl", "--shapes", "shapes.ttl", "--format", "json")
    (file,) = json.loads(result.out)["files"]
    assert result.code == 2
    assert file["problem"]["detail"].startswith("The check needs more than 8 seconds, and was stopped.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Give a file to check, or a graph"),
        (("--shapes", "shapes.ttl", "bad.ttl"), "Give it before --shapes, or after --."),
        (("bad.ttl", "--graph", "issues"), "A graph is checked instead of files. Leave out bad.ttl."),
        (("--store", "s", "--endpoint", "http://localhost/"), "Give either --store or --endpoint."),
        (("--store", "absent"), "There is no folder absent."),
        (("bad.ttl", "--shapes", "absent.ttl"), "absent.ttl: No such file."),
        (("bad.ttl", "--shapes", "shapes.ttl", "-o", "shapes.ttl"), "The report would overwrite shapes.ttl"),
        (
            ("bad.ttl", "--shapes", "shapes.ttl", "--profile", "draft"),
            "A profile is for papers, without --shapes. Leave out --profile.",
        ),
        (("--endpoint", "ftp://localhost/"), "is not the URL of an endpoint"),
        (("--endpoint", "http://localhost/", "--graph", "a b"), "is not the IRI of a graph"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(
    run_check: CheckRunner, arguments: tuple[str, ...], sentence: str
) -> None:
    result = run_check(*arguments)
    assert (result.code, sentence in result.err) == (2, True), result.err


def test_a_graph_of_a_store_is_checked(
    run_check: CheckRunner,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")
    graph, store = "http://example.org/g", str(tmp_path / "store")
    assert main(["load", "bad.ttl", "--graph", graph, "--store", store]) == 0
    capfd.readouterr()
    arguments = ("--store", store, "--shapes", "shapes.ttl", "--format", "json")
    for graph_arguments in (("--graph", graph), ()):
        result = run_check(*arguments, *graph_arguments)
        (file,) = json.loads(result.out)["files"]
        assert (result.code, file["name"]) == (1, graph if graph_arguments else store)
        assert sorted(f["code"] for f in file["findings"]) == sorted(code for code, *_ in PERSON_FINDINGS)
        assert file["focusNodes"] == 3
    assert run_check(*arguments, "--graph", "absent").code == EXIT_UNREADABLE


def test_a_short_name_is_a_graph_of_an_endpoint_and_an_absent_one_an_error(
    run_check: CheckRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    quads = ox.Store()
    graph = ox.NamedNode(f"{BASE_IRI}graph/people")
    quads.bulk_load(PERSON_DATA.encode(), ox.RdfFormat.TURTLE, to_graph=graph)
    monkeypatch.setattr(check_shapes, "make_remote_evaluator", lambda _: evaluate_with(quads))
    arguments = ("--endpoint", "http://localhost/", "--shapes", "shapes.ttl")
    result = run_check(*arguments, "--graph", "people", "--format", "json")
    (file,) = json.loads(result.out)["files"]
    assert (result.code, file["name"], file["focusNodes"]) == (1, graph.value, 3)
    for name in ("nope", "http://example.org/nope"):
        result = run_check(*arguments, "--graph", name)
        assert (result.code, result.out) == (EXIT_UNREADABLE, "")
        assert f"There is no graph {name}: the endpoint has no statement in <" in result.err


def test_a_text_report_on_a_graph_names_the_nodes_of_values(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")
    store = str(tmp_path / "store")
    assert main(["load", "bad.ttl", "--graph", "http://example.org/g", "--store", store]) == 0
    report = run_check("--store", store, "--shapes", "shapes.ttl").out
    assert f"    {store}  <http://example.org/bob>: " in report


def make_store_evaluator(data: str) -> Callable[..., bytes]:
    """A function that evaluates a query like an endpoint: each response has its own blank nodes."""
    store = ox.Store()
    store.bulk_load(data.encode(), ox.RdfFormat.TURTLE)
    return evaluate_with(store)


def evaluate_with(store: ox.Store) -> Callable[..., bytes]:
    """A function that evaluates a query on a store like an endpoint."""

    def evaluate(query: ParsedSparqlText, format_: Format, *, warns: bool = True) -> bytes:
        assert not warns
        results = store.query(query.text)
        if isinstance(results, ox.QueryTriples):
            return results.serialize(format=ox.RdfFormat.N_TRIPLES) or b""
        assert isinstance(results, ox.QuerySolutions)
        body = results.serialize(format=ox.QueryResultsFormat.from_media_type(format_.media_type))
        return body or b""

    return evaluate


@pytest.mark.parametrize("page_nodes", [2, 100])
def test_an_endpoint_has_the_findings_of_the_whole_graph(page_nodes: int) -> None:
    data = DATA.replace("[] a ex:Place", "ex:t3 a ex:Place")
    settings, sources = Settings(), make_source(SHAPES)
    whole = check_data(read_rdf("d.ttl", data.encode(), TURTLE, 1000), sources, settings)
    source = EndpointGraphSource(make_store_evaluator(data), None, page_nodes)
    paged = check_graph(source, sources, settings, call_directly, lambda _: None)
    assert list_findings(paged) == list_findings(whole)
    assert paged.papers[0].focus_nodes == whole.papers[0].focus_nodes


def test_what_an_endpoint_does_not_let_one_read_is_reported() -> None:
    sources = make_source(PERSON_SHAPES)

    def check_endpoint(data: str) -> list[str]:
        source = EndpointGraphSource(make_store_evaluator(PREFIXES + data), None)
        report = check_graph(source, sources, Settings(), call_directly, lambda _: None)
        return [finding.rule.message_in("en") for finding in report.findings]

    (message,) = check_endpoint("[] a ex:Person . [] a ex:Person . ex:a a ex:Person ; ex:name 'A' .")
    assert message.endswith("which an endpoint does not let one check: 2")
    with pytest.raises(Problem, match="A blank node refers to"):
        check_endpoint("ex:a a ex:Person ; ex:name 'A' ; ex:knows ex:b . [] ex:knows ex:b .")
    deep = "[ ex:name " * 5 + "1" + " ]" * 5
    with pytest.raises(Problem, match="nested more than 4 times"):
        check_endpoint(f"ex:a a ex:Person ; ex:name {deep} .")


def test_a_graph_of_a_service_is_checked_over_sparql(run_check: CheckRunner, service_url: str) -> None:
    graph = "https://w3id.org/wgig/graph/issues"
    shapes = (
        f"{PREFIXES} ex:S sh:targetClass <https://w3id.org/wgig/ontology#Issue> ; sh:property "
        "[ sh:path rdfs:label ; sh:minCount 1 ] , [ sh:path rdfs:label ; sh:maxCount 0 ] ."
    )
    Path("labels.ttl").write_text(shapes)
    result = run_check(
        "--endpoint", service_url, "--graph", graph, "--shapes", "labels.ttl", "--format", "json"
    )
    (file,) = json.loads(result.out)["files"]
    assert (result.code, file["name"]) == (1, graph)
    assert file["focusNodes"] == len({finding["focus"] for finding in file["findings"]}) > 20
