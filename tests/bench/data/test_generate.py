"""The large data of the benchmarks: the same for the same seed, and marked as made up."""

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
# The module to run is in the folder from which it is run.
FOUND_HERE = os.environ | {"PYTHONSAFEPATH": ""}


def generated(path: Path, papers: int, seed: int) -> bytes:
    arguments = ["--papers", str(papers), "--seed", str(seed), "-o", str(path)]
    command = [sys.executable, "-m", "bench.data.generate", *arguments]
    subprocess.run(command, cwd=CHECKOUT_FOLDER, env=FOUND_HERE, check=True)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_a_shorter_file_begins_a_longer_one(tmp_path: Path) -> None:
    short, long = (generated(tmp_path / f"{papers}.nq", papers, 1) for papers in (2, 4))
    assert long.startswith(short)
    assert len(long) > len(short)
    assert generated(tmp_path / "other.nq", 2, 2) != short
    packed = generated(tmp_path / "a.nq.gz", 2, 1)
    assert packed == generated(tmp_path / "b.nq.gz", 2, 1)


def test_each_paper_is_a_graph_and_marked_as_made_up(tmp_path: Path) -> None:
    quads = list(ox.parse(generated(tmp_path / "papers.nq", 3, 1), ox.RdfFormat.N_QUADS))
    graphs = {quad.graph_name for quad in quads}
    papers = {quad.subject for quad in quads if quad.predicate.value == f"{BASE}ontology#illustrative"}
    assert {graph.value for graph in graphs if isinstance(graph, ox.NamedNode)} == {
        f"{BASE}graph/paper/made-up-1-{number}" for number in (1, 2, 3)
    }
    assert {f"<{BASE}id/paper/made-up-1-{number}>" for number in (1, 2, 3)} <= set(map(str, papers))
    assert not [quad for quad in quads if "slot:" in str(quad)]


def test_most_papers_are_complete_and_some_miss_a_part(tmp_path: Path) -> None:
    quads = ox.parse(generated(tmp_path / "papers.nq", 100, 1), ox.RdfFormat.N_QUADS)
    one_by_one = groupby(quads, key=lambda quad: quad.graph_name)
    documents = [
        Document(str(graph), "", FORMATS_BY_SUFFIX["nq"], [quad.triple for quad in inside], list)
        for graph, inside in one_by_one
    ]
    complete = [isinstance(one, Report) and one.conforms for one in check_documents(documents)]
    assert len(documents) == 100
    assert 80 <= sum(complete) < 100
