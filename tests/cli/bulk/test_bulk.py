"""`wgig bulk`: Spark and local processes must have the results of `wgig check` for each file."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyoxigraph as ox
import pytest
from wgig.cli import bulk
from wgig.cli.bulk import BulkJob, processes
from wgig.cli.bulk.lines import read_file_quads, serialize_void_figures
from wgig.cli.bulk.processes import iter_bulk_files
from wgig.cli.check_workers import CheckTask
from wgig.graphs.description.statistics import count_figures
from wgig.problems import Problem
from wgig.rdf.serialization import build_quad
from wgig.settings import SHIPPED_FOLDER, Settings

from bench.data.generate import generate_papers
from tests.fixtures.mutations import mutate_paper

pytestmark = pytest.mark.slow

IS_AVAILABLE = {"java": bool(shutil.which("java")), "pyspark": bool(find_spec("pyspark"))}
MISSING_PROGRAMS = [name for name, is_available in IS_AVAILABLE.items() if not is_available]
WITH_SPARK = pytest.mark.skipif(bool(MISSING_PROGRAMS), reason=f"no {', '.join(MISSING_PROGRAMS)} here")
SPARK = pytest.param("spark", marks=[WITH_SPARK, pytest.mark.long])
BULK_ENGINES = ["processes", SPARK]
MUTATED_PAPERS = 40
BASE = Settings.base
BLANK_NODE_PATTERN = re.compile(r"_:\w+")

# Runs at the start of each Python process: checking the file deadly.ttl kills the process.
DEADLY_CODE = """
import os
from wgig.cli import check_workers
original = check_workers.check_file_batch
def check_or_exit(files, task):
    if any("deadly.ttl" in file.path for file in files):
        os._exit(9)
    return original(files, task)
check_workers.check_file_batch = check_or_exit
"""


class FinishedJob(NamedTuple):
    """A finished job: its exit code, standard error, and output folder."""

    code: int
    error: str
    out: Path

    def lines(self, name: str = "reports") -> list[dict[str, Any]]:
        """The JSON lines in a subfolder of the output, and those of files that Spark skipped."""
        paths = [*(self.out / name).glob("part-*"), *(self.out / "lost").glob("part-*")]
        texts = [path.read_text(encoding="utf-8") for path in sorted(paths)]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.out / "summary.json").read_text(encoding="utf-8"))
        return summary


# Runs several commands in one process, so that Java starts only once; writes exit codes and errors.
RUN_COMMANDS_CODE = """
import contextlib, io, json, sys
from wgig.cli.main import main
outcomes = []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as error:
        outcomes.append((main(arguments), error.getvalue()))
with open(sys.argv[1], "w") as file:
    json.dump(outcomes, file)
"""


def run_jobs(
    engine: str, jobs: dict[str, tuple[str, Path]], scratch: Path, import_folder: Path
) -> dict[str, FinishedJob]:
    """Run jobs, which are by name an action and its path; Python can also import from `import_folder`."""
    outs = {name: scratch / name for name in jobs}
    outs["existing output"].mkdir()  # other jobs create their output folder
    commands = [
        ["bulk", action, str(path), "--out", str(outs[name]), "--on", engine, "--jobs", "2"]
        for name, (action, path) in jobs.items()
    ]
    python_path = os.pathsep.join([str(import_folder), *sys.path])
    subprocess.run(
        [sys.executable, "-c", RUN_COMMANDS_CODE, scratch / "outcomes.json"],
        input=json.dumps(commands),
        env=os.environ | {"PYTHONPATH": python_path, "WGIG_PAPER_BYTES": "60000"},
        text=True,
        check=True,
        capture_output=True,
    )
    outcomes = json.loads((scratch / "outcomes.json").read_text())
    return {
        name: FinishedJob(code, error, outs[name]) for name, (code, error) in zip(jobs, outcomes, strict=True)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled examples, mutated papers, and files that are unreadable or ignored."""
    folder = tmp_path_factory.mktemp("papers")
    for pattern in ("shapes/examples/issue-paper/*.ttl", "data/examples/*"):
        for path in SHIPPED_FOLDER.glob(pattern):
            shutil.copy(path, folder)
    for number, text in enumerate(generate_papers(MUTATED_PAPERS, 1)):
        quads = list(ox.parse(text, ox.RdfFormat.N_QUADS))
        name, graph = f"mutated-{number:02}", quads[0].graph_name
        triples = mutate_paper([quad.triple for quad in quads], Random(number))
        ox.serialize(
            (build_quad(triple, graph) for triple in triples),
            folder / f"{name}.nq",
            format=ox.RdfFormat.N_QUADS,
        )
    subfolder = folder / "with space, é"
    subfolder.mkdir()
    (subfolder / "TORN.TTL").write_text("torn [")
    (subfolder / "two.ttl").write_text(
        "@prefix w: <https://w3id.org/wgig/ontology#> . <a> a w:IssuePaper . [] a w:IssuePaper ."
    )
    (subfolder / "bytes.md").write_bytes(b"---\npaper: x\n---\n\xff")
    (subfolder / "no-zip.docx").write_text("no zip")
    (subfolder / "nothing.ttl").write_text("")
    (subfolder / "README.md").write_text("# No paper")
    (subfolder / "others.json").write_text("{}")
    for name in (".hidden", "_partial"):
        (subfolder / f"{name}.ttl").write_text("torn [")
    return folder


@pytest.fixture(scope="module")
def deadly_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with papers, a file that kills the process that checks it, and a file that is too large."""
    folder = tmp_path_factory.mktemp("deadly")
    (folder / "sitecustomize.py").write_text(DEADLY_CODE)
    for number in range(5):
        shutil.copy(SHIPPED_FOLDER / "data/examples/community-networks.ttl", folder / f"{number}.ttl")
    (folder / "deadly.ttl").write_text("# a")
    (folder / "large.ttl").write_text("#" * 70_000)
    return folder


@pytest.fixture(scope="module", params=BULK_ENGINES)
def jobs(
    request: pytest.FixtureRequest,
    folder: Path,
    deadly_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, FinishedJob]:
    """Finished jobs by name, for each engine."""
    actions = {
        "check": ("check", folder),
        "describe": ("describe", folder),
        "existing output": ("check", folder),
        "no paper": ("check", folder / "*.docx.ttl"),  # matches no file
    }
    if request.param == "spark":
        actions["deadly"] = ("check", deadly_folder / "*.ttl")
    return run_jobs(request.param, actions, tmp_path_factory.mktemp(request.param), deadly_folder)


@pytest.fixture
def check_job(jobs: dict[str, FinishedJob]) -> FinishedJob:
    return jobs["check"]


@pytest.fixture(scope="module")
def expected_files(folder: Path) -> dict[str, Any]:
    """The files in the report of `wgig check`, by path."""
    command = [sys.executable, "-m", "wgig", "check", str(folder), "--format", "json", "--lang", "en"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return {file["name"]: file for file in json.loads(process.stdout)["files"]}


def test_each_file_has_the_result_of_wgig_check(
    check_job: FinishedJob, expected_files: dict[str, Any]
) -> None:
    files: dict[str, Any] = {}
    for line in sorted(check_job.lines(), key=lambda line: (line["path"], line["number"])):
        if line["outcome"] == "passed over":  # README.md, which is no paper
            continue
        file = files.setdefault(line["path"], {"papers": [], "problem": line.get("problem")})
        if line["outcome"] != "unread":
            file["papers"].append(line)
    # `wgig bulk` ignores names that begin with an underscore.
    expected_files = {path: file for path, file in expected_files.items() if "_partial" not in path}
    assert files.keys() == expected_files.keys()
    for path, expected_file in expected_files.items():
        assert files[path]["problem"] == expected_file.get("problem")
        for line, paper in zip(files[path]["papers"], expected_file["papers"], strict=True):
            assert normalize_blank_nodes(line, [*paper]) == normalize_blank_nodes(paper, [*paper])
            assert (line["outcome"] == "conforms") == paper["conforms"]


def normalize_blank_nodes(line: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The members with these names, without the labels of blank nodes, which differ for each parse."""
    text = json.dumps({name: line[name] for name in names}, ensure_ascii=False)
    label = line["iri"] if ":" not in line["iri"] else "_:"  # of a paper that is a blank node
    members: dict[str, Any] = json.loads(BLANK_NODE_PATTERN.sub("_:", text.replace(label, "_:")))
    return members


def test_unreadable_files_have_lines_with_problems(check_job: FinishedJob) -> None:
    unread_lines = [line for line in check_job.lines() if line["outcome"] == "unread"]
    problems = {Path(line["path"]).name: line["problem"] for line in unread_lines}
    assert {name: problem["status"] for name, problem in problems.items() if "mutated" not in name} == {
        "TORN.TTL": 400,
        "bytes.md": 400,
        "no-zip.docx": 400,
        "nothing.ttl": 422,
    }
    assert (problems["TORN.TTL"]["line"], problems["TORN.TTL"]["column"]) == (1, 1)


def test_summary_counts_the_lines_and_the_success_mark_exists(check_job: FinishedJob) -> None:
    lines, summary = check_job.lines(), check_job.summary
    assert check_job.code == 2  # as some files cannot be read
    assert (check_job.out / "_SUCCESS").exists()
    assert sum(summary["outcomes"].values()) == len(lines)
    assert summary["files"] == len({line["path"] for line in lines})
    assert summary["papers"] == sum(line["outcome"] in ("conforms", "fails") for line in lines)
    assert sum(summary["problems"].values()) == summary["outcomes"]["unread"] >= 4
    assert summary["outcomes"]["passed over"] == 1
    assert summary["rules"]["WGIG-8-TEXT"] >= 1  # which some mutated papers violate


def test_lines_of_papers_in_named_graphs_have_the_graph(check_job: FinishedJob) -> None:
    graphs = {line["graph"] for line in check_job.lines() if line["path"].endswith(".nq") and line["iri"]}
    assert len(graphs) > MUTATED_PAPERS // 2  # some mutated papers are no longer papers
    assert all(graph is None or graph.startswith("https://") for graph in graphs)


def test_void_statistics_equal_those_of_the_service(jobs: dict[str, FinishedJob], folder: Path) -> None:
    job = jobs["describe"]
    store = ox.Store()
    task = CheckTask("draft", "shifty", max_bytes=60_000, max_triples=20_000)
    for file in iter_bulk_files([str(folder)]):
        quads = read_file_quads(file, task)
        store.extend(quads if isinstance(quads, list) else ())
    void = (job.out / "void.ttl").read_bytes()
    assert void == serialize_void_figures(count_figures(store, BASE, frozenset()), BASE)
    assert b"void:linkPredicate" in void
    statuses = {Path(line["path"]).name: line["problem"]["status"] for line in job.lines("unread")}
    assert statuses == {"TORN.TTL": 400, "bytes.md": 400, "no-zip.docx": 400}
    assert (job.code, job.summary["unread"]) == (2, 3)  # exit code 2, as 3 files cannot be read
    assert job.summary["files"] == jobs["check"].summary["files"]


@pytest.mark.parametrize("jobs", [SPARK], indirect=True)
def test_spark_reports_files_that_are_too_large_or_kill_a_process(jobs: dict[str, FinishedJob]) -> None:
    job = jobs["deadly"]
    statuses = [
        (Path(line["path"]).name, line["problem"]["status"]) for line in job.lines() if "problem" in line
    ]
    assert sorted(statuses) == [("deadly.ttl", 413), ("large.ttl", 413)]
    assert job.summary["outcomes"] == {"conforms": 5, "unread": 2}
    assert job.code == 2


def test_existing_output_folder_is_refused(jobs: dict[str, FinishedJob]) -> None:
    job = jobs["existing output"]
    assert (job.code, list(job.out.iterdir())) == (2, [])
    assert "already exists and will not be overwritten" in job.error


def test_path_without_papers_is_refused(jobs: dict[str, FinishedJob]) -> None:
    job = jobs["no paper"]
    assert (job.code, job.out.exists()) == (2, False)
    assert "No papers found at" in job.error


def make_job(out: Path, *paths: str) -> BulkJob:
    return BulkJob(paths, str(out), CheckTask("draft", "shifty", 10**6, 10**5), "en", BASE, 1)


def test_remote_path_is_refused_without_spark(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="bucket/papers is not on this machine"):
        processes.check_with_processes(make_job(tmp_path / "out", "s3a://bucket/papers"))


def test_failed_job_has_no_success_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_disk_full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(processes, "serialize_bulk_summary", raise_disk_full)
    with pytest.raises(OSError, match="no space"):
        processes.check_with_processes(make_job(tmp_path / "out", str(SHIPPED_FOLDER / "data/examples")))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["reports"]


def test_spark_is_used_if_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "find_spec", lambda _: object())
    assert (bulk.choose_bulk_engine(None), bulk.choose_bulk_engine("processes")) == ("spark", "processes")
    monkeypatch.setattr(bulk, "find_spec", lambda _: None)
    assert bulk.choose_bulk_engine(None) == "processes"
    with pytest.raises(Problem, match="Spark is not installed"):
        bulk.choose_bulk_engine("spark")


@pytest.mark.skipif("pyspark" in MISSING_PROGRAMS, reason="no pyspark here")
def test_missing_java_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = [sys.executable, "-m", "wgig", "bulk", "check", ".", "--on", "spark"]
    process = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert (process.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "Spark needs Java 17 or newer" in process.stderr


def test_line_of_a_file_has_its_path_even_if_it_is_not_utf8(tmp_path: Path) -> None:
    paper = tmp_path / "papers" / os.fsdecode(b"\xff.ttl")
    paper.parent.mkdir()
    paper.write_text("torn [")
    result = processes.check_with_processes(make_job(tmp_path / "out", str(paper.parent)))
    assert result.summary["outcomes"] == {"unread": 1}
    (line,) = (tmp_path / "out" / "reports" / "part-00000").read_text().splitlines()
    assert json.loads(line)["path"] == str(paper)
