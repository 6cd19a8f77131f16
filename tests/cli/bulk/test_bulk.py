"""Papers by the million: Spark, the processes of a machine and `wgig check` find the same in each file."""

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

from bench.data.generate import papers
from tests.fixtures.mutations import mutated

pytestmark = pytest.mark.slow

MISSING = [one for one in ("java",) if not shutil.which(one)]
MISSING += [one for one in ("pyspark",) if not find_spec(one)]
WITH_SPARK = pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)} here")
SPARK = pytest.param("spark", marks=[WITH_SPARK, pytest.mark.long])
MEANS = ["processes", SPARK]
MUTATED = 40
BASE = Settings.base
BLANK = re.compile(r"_:\w+")

# What runs at the start of each Python: a file of this name ends the process that checks it.
DEADLY = """
import os
from wgig.cli import check_workers
original = check_workers.check_file_batch
def checked(files, task):
    if any("deadly.ttl" in one.path for one in files):
        os._exit(9)
    return original(files, task)
check_workers.check_file_batch = checked
"""


class Ran(NamedTuple):
    """A job that ran: its exit code, what it said, and the folder that it wrote."""

    code: int
    error: str
    out: Path

    def lines(self, name: str = "reports") -> list[dict[str, Any]]:
        found = [*(self.out / name).glob("part-*"), *(self.out / "lost").glob("part-*")]
        parts = [one.read_text(encoding="utf-8") for one in sorted(found)]
        return [json.loads(line) for part in parts for line in part.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "summary.json").read_text(encoding="utf-8"))
        return found


# Runs several commands in one process, so that Java is started once, and says how each ended.
SEVERAL = """
import contextlib, io, json, sys
from wgig.cli.main import main
done = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as error:
        done.append((main(words), error.getvalue()))
with open(sys.argv[1], "w") as file:
    json.dump(done, file)
"""


def ran(means: str, jobs: dict[str, tuple[str, Path]], scratch: Path, path: Path) -> dict[str, Ran]:
    """Jobs by their names, each an action and what it is done with; `path` is imported from as well."""
    outs = {name: scratch / name for name in jobs}
    outs["over"].mkdir()
    words = [
        ["bulk", action, str(given), "--out", str(outs[name]), "--on", means, "--jobs", "2"]
        for name, (action, given) in jobs.items()
    ]
    subprocess.run(
        [sys.executable, "-c", SEVERAL, scratch / "done.json"],
        input=json.dumps(words),
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(path), *sys.path]), "WGIG_PAPER_BYTES": "60000"},
        text=True,
        check=True,
        capture_output=True,
    )
    done = json.loads((scratch / "done.json").read_text())
    return {name: Ran(code, said, outs[name]) for name, (code, said) in zip(jobs, done, strict=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped examples, mutated papers, and files that nobody can read or need read."""
    folder = tmp_path_factory.mktemp("papers")
    for pattern in ("shapes/examples/issue-paper/*.ttl", "data/examples/*"):
        for path in SHIPPED_FOLDER.glob(pattern):
            shutil.copy(path, folder)
    for number, text in enumerate(papers(MUTATED, 1)):
        quads = list(ox.parse(text, ox.RdfFormat.N_QUADS))
        name, graph = f"mutated-{number:02}", quads[0].graph_name
        triples = mutated([one.triple for one in quads], Random(number))
        ox.serialize(
            (build_quad(one, graph) for one in triples), folder / f"{name}.nq", format=ox.RdfFormat.N_QUADS
        )
    strange = folder / "with space, é"
    strange.mkdir()
    (strange / "TORN.TTL").write_text("torn [")
    (strange / "two.ttl").write_text(
        "@prefix w: <https://w3id.org/wgig/ontology#> . <a> a w:IssuePaper . [] a w:IssuePaper ."
    )
    (strange / "bytes.md").write_bytes(b"---\npaper: x\n---\n\xff")
    (strange / "no-zip.docx").write_text("no zip")
    (strange / "nothing.ttl").write_text("")
    (strange / "README.md").write_text("# No paper")
    (strange / "others.json").write_text("{}")
    for name in (".hidden", "_partial"):
        (strange / f"{name}.ttl").write_text("torn [")
    return folder


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Papers, one of which ends the process that checks it, and one that is too large."""
    folder = tmp_path_factory.mktemp("deadly")
    (folder / "sitecustomize.py").write_text(DEADLY)
    for number in range(5):
        shutil.copy(SHIPPED_FOLDER / "data/examples/community-networks.ttl", folder / f"{number}.ttl")
    (folder / "deadly.ttl").write_text("# a")
    (folder / "large.ttl").write_text("#" * 70_000)
    return folder


@pytest.fixture(scope="module", params=MEANS)
def jobs(
    request: pytest.FixtureRequest, folder: Path, deadly: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Ran]:
    """What became of jobs on Spark, and on processes."""
    every = {
        "checked": ("check", folder),
        "described": ("describe", folder),
        "over": ("check", folder),
        "nothing": ("check", folder / "*.docx.ttl"),
    }
    if request.param == "spark":
        every["deadly"] = ("check", deadly / "*.ttl")
    return ran(request.param, every, tmp_path_factory.mktemp(request.param), deadly)


@pytest.fixture
def checked(jobs: dict[str, Ran]) -> Ran:
    """The folder, checked."""
    return jobs["checked"]


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, Any]:
    """What `wgig check` finds in each file of the folder that it takes for a paper, by its path."""
    words = [sys.executable, "-m", "wgig", "check", str(folder), "--format", "json", "--lang", "en"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return {one["name"]: one for one in json.loads(done.stdout)["files"]}


def test_each_file_is_found_to_be_what_it_is_alone(checked: Ran, alone: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    for line in sorted(checked.lines(), key=lambda one: (one["path"], one["number"])):
        if line["outcome"] == "passed over":
            continue
        file = found.setdefault(line["path"], {"papers": [], "problem": line.get("problem")})
        if line["outcome"] != "unread":
            file["papers"].append(line)
    taken = {path: one for path, one in alone.items() if "_partial" not in path}
    assert found.keys() == taken.keys()
    for path, file in taken.items():
        assert found[path]["problem"] == file.get("problem")
        for line, paper in zip(found[path]["papers"], file["papers"], strict=True):
            assert without_labels(line, paper) == without_labels(paper, paper)
            assert (line["outcome"] == "conforms") == paper["conforms"]


def without_labels(line: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """A paper without the labels of blank nodes, which are other ones at each reading."""
    text = json.dumps({name: line[name] for name in like}, ensure_ascii=False)
    label = line["iri"] if ":" not in line["iri"] else "_:"
    found: dict[str, Any] = json.loads(BLANK.sub("_:", text.replace(label, "_:")))
    return found


def test_bad_files_are_lines_that_say_why(checked: Ran) -> None:
    bad = {Path(one["path"]).name: one["problem"] for one in checked.lines() if one["outcome"] == "unread"}
    assert {name: one["status"] for name, one in bad.items() if "mutated" not in name} == {
        "TORN.TTL": 400,
        "bytes.md": 400,
        "no-zip.docx": 400,
        "nothing.ttl": 422,
    }
    assert (bad["TORN.TTL"]["line"], bad["TORN.TTL"]["column"]) == (1, 1)


def test_the_summary_counts_the_lines_and_the_mark_is_there(checked: Ran) -> None:
    lines, summary = checked.lines(), checked.summary
    assert checked.code == 2
    assert (checked.out / "_SUCCESS").exists()
    assert sum(summary["outcomes"].values()) == len(lines)
    assert summary["files"] == len({one["path"] for one in lines})
    assert summary["papers"] == sum(one["outcome"] in ("conforms", "fails") for one in lines)
    assert sum(summary["problems"].values()) == summary["outcomes"]["unread"] >= 4
    assert summary["outcomes"]["passed over"] == 1
    assert summary["rules"]["WGIG-8-TEXT"] >= 1


def test_a_paper_of_a_named_graph_says_which(checked: Ran) -> None:
    graphs = {one["graph"] for one in checked.lines() if one["path"].endswith(".nq") and one["iri"]}
    assert len(graphs) > MUTATED // 2
    assert all(one is None or one.startswith("https://") for one in graphs)


def test_the_figures_are_those_that_the_service_counts(jobs: dict[str, Ran], folder: Path) -> None:
    done = jobs["described"]
    store = ox.Store()
    task = CheckTask("draft", "shifty", 60_000, 20_000)
    for one in iter_bulk_files([str(folder)]):
        found = read_file_quads(one, task)
        store.extend(found if isinstance(found, list) else ())
    assert (done.out / "void.ttl").read_bytes() == serialize_void_figures(
        count_figures(store, BASE, frozenset()), BASE
    )
    assert b"void:linkPredicate" in (done.out / "void.ttl").read_bytes()
    unread = {Path(one["path"]).name: one["problem"]["status"] for one in done.lines("unread")}
    assert unread == {"TORN.TTL": 400, "bytes.md": 400, "no-zip.docx": 400}
    assert (done.code, done.summary["unread"]) == (2, 3)
    assert done.summary["files"] == jobs["checked"].summary["files"]


@pytest.mark.parametrize("jobs", [SPARK], indirect=True)
def test_spark_loses_no_file_that_is_too_large_or_ends_a_process(jobs: dict[str, Ran]) -> None:
    done = jobs["deadly"]
    unread = [(Path(one["path"]).name, one["problem"]["status"]) for one in done.lines() if "problem" in one]
    assert sorted(unread) == [("deadly.ttl", 413), ("large.ttl", 413)]
    assert done.summary["outcomes"] == {"conforms": 5, "unread": 2}
    assert done.code == 2


def test_nothing_is_written_over(jobs: dict[str, Ran]) -> None:
    done = jobs["over"]
    assert (done.code, list(done.out.iterdir())) == (2, [])
    assert "already exists and is not overwritten" in done.error


def test_nothing_comes_of_nothing(jobs: dict[str, Ran]) -> None:
    done = jobs["nothing"]
    assert (done.code, done.out.exists()) == (2, False)
    assert "There is no paper at" in done.error


def job(out: Path, *paths: str) -> BulkJob:
    return BulkJob(paths, str(out), CheckTask("draft", "shifty", 10**6, 10**5), "en", BASE, 1)


def test_what_is_far_needs_spark(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="bucket/papers is not on this machine"):
        processes.check_with_processes(job(tmp_path / "out", "s3a://bucket/papers"))


def test_a_job_that_is_cut_off_has_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(processes, "serialize_bulk_summary", broken)
    with pytest.raises(OSError, match="no room"):
        processes.check_with_processes(job(tmp_path / "out", str(SHIPPED_FOLDER / "data/examples")))
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["reports"]


def test_spark_does_the_work_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "find_spec", lambda _: object())
    assert (bulk.choose_bulk_engine(None), bulk.choose_bulk_engine("processes")) == ("spark", "processes")
    monkeypatch.setattr(bulk, "find_spec", lambda _: None)
    assert bulk.choose_bulk_engine(None) == "processes"
    with pytest.raises(Problem, match="Spark is not installed"):
        bulk.choose_bulk_engine("spark")


@pytest.mark.skipif("pyspark" in MISSING, reason="no pyspark here")
def test_without_java_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = [
        sys.executable,
        "-m",
        "wgig",
        "bulk",
        "check",
        ".",
        "--out",
        str(tmp_path / "out"),
        "--on",
        "spark",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "Spark needs Java 17 or newer" in done.stderr


def test_a_path_that_is_no_text_is_in_its_line_all_the_same(tmp_path: Path) -> None:
    paper = tmp_path / "papers" / os.fsdecode(b"\xff.ttl")
    paper.parent.mkdir()
    paper.write_text("torn [")
    assert processes.check_with_processes(job(tmp_path / "out", str(paper.parent))).summary["outcomes"] == {
        "unread": 1
    }
    (line,) = (tmp_path / "out" / "reports" / "part-00000").read_text().splitlines()
    assert json.loads(line)["path"] == str(paper)
