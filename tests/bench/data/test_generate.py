"""The generated papers are the same for the same seed, and marked as made up."""

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pyoxigraph as ox
from wgig.rdf.formats import FORMATS_BY_SUFFIX
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.shacl.batch import check_documents
from wgig.shacl.documents import Document
from wgig.shacl.findings import Report

BASE = Settings.base
# Without PYTHONSAFEPATH, Python finds the package `bench` in the working directory.
ENVIRONMENT = os.environ | {"PYTHONSAFEPATH": ""}


def generate_file(path: Path, papers: int, seed: int) -> bytes:
    arguments = ["--papers", str(papers), "--seed", str(seed), "-o", str(path)]
    command = [sys.executable, "-m", "bench.data.generate", *arguments]
    subprocess.run(command, cwd=CHECKOUT_FOLDER, env=ENVIRONMENT, check=True)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_the_same_first_papers(tmp_path: Path) -> None:
    short, long = (generate_file(tmp_path / f"{papers}.nq", papers, 1) for papers in (2, 4))
    assert long.startswith(short)
    assert len(long) > len(short)
    assert generate_file(tmp_path / "other.nq", 2, 2) != short
    compressed = generate_file(tmp_path / "a.nq.gz", 2, 1)
    assert compressed == generate_file(tmp_path / "b.nq.gz", 2, 1)


def test_each_paper_is_a_graph_and_marked_as_made_up(tmp_path: Path) -> None:
    quads = list(ox.parse(generate_file(tmp_path / "papers.nq", 3, 1), ox.RdfFormat.N_QUADS))
    graphs = {quad.graph_name for quad in quads}
    papers = {quad.subject for quad in quads if quad.predicate.value == f"{BASE}ontology#illustrative"}
    assert {graph.value for graph in graphs if isinstance(graph, ox.NamedNode)} == {
        f"{BASE}graph/paper/made-up-1-{number}" for number in (1, 2, 3)
    }
    assert {f"<{BASE}id/paper/made-up-1-{number}>" for number in (1, 2, 3)} <= set(map(str, papers))
    assert not [quad for quad in quads if "slot:" in str(quad)], "the template is not filled"


def test_most_papers_are_complete_and_some_lack_a_part(tmp_path: Path) -> None:
    quads = ox.parse(generate_file(tmp_path / "papers.nq", 100, 1), ox.RdfFormat.N_QUADS)
    documents = [
        Document(
            name=str(graph),
            text="",
            format=FORMATS_BY_SUFFIX["nq"],
            triples=[quad.triple for quad in graph_quads],
            find_positions=list,  # none
        )
        for graph, graph_quads in groupby(quads, key=lambda quad: quad.graph_name)
    ]
    reports = [report for report in check_documents(documents) if isinstance(report, Report)]
    assert len(documents) == 100
    assert 80 <= sum(report.conforms for report in reports) < 100
