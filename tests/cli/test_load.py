"""Loading RDF files: all formats, plain and compressed; errors have their position, and nothing is loaded."""

import gzip
import io
import os
import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pytest
from wgig.cli.arguments import RDF_FORMAT_CHOICES
from wgig.cli.load import (
    CHECK_STAGE,
    COUNT_STAGE,
    LOAD_STAGE,
    LoadJob,
    UnreadableFileError,
    describe_source_file,
    find_unreadable_files,
    is_empty_file,
    load_rdf_file,
)
from wgig.cli.main import main
from wgig.rdf.syntax_errors import MAX_EXPLAINED_CHARACTERS
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex
from wgig.settings import Settings
from wgig.store.files import ASIDE_FOLDER, RESOURCE_VERSIONS_FILE
from wgig.store.projection import Projection
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store

VALID_FILES = {
    "a.ttl": b"<urn:s> <urn:p> 'v' .",
    "a.nt": b'<urn:s> <urn:p> "v" .',
    "a.rdf": b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="urn:">
        <rdf:Description rdf:about="urn:s"><u:p>v</u:p></rdf:Description></rdf:RDF>""",
    "a.jsonld": b'{"@id": "urn:s", "urn:p": "v"}',
    "a.trig": b"<urn:s> <urn:p> 'v' .",
    "a.nq": b'<urn:s> <urn:p> "v" .',
}
INVALID_FILES = {
    "bad.ttl": (b"<urn:s> <urn:p> 1 ;\n   <urn:q> .", "line 2, column 12"),
    "bad.nt": (b"<urn:s> <urn:p> <urn:o> .\n<urn:s> oops", "line 2, column 9"),
    "bad.nq": (b"<urn:s> <urn:p> <urn:o> .\n<urn:s> oops", "line 2, column 9"),
    "bad.jsonld": (b'{"@id": "urn:s",\n "urn:p": }', "line 2, column 11"),
    "bad.rdf": (b"<a>\n  </b>", "line 2, column 5"),
    "cut.rdf": (VALID_FILES["a.rdf"][:-10], "line 2, column 74"),
    "open.rdf": (b"<a>", "line 1, column 4"),
    "empty.rdf": (b"", "line 1, column 1"),
    # Entities, with which a small file can expand to any size, are refused.
    "entities.rdf": (b'<!DOCTYPE a [<!ENTITY x "y">\n<!ENTITY z "&x;&x;">]><a/>', "line 2, column 1"),
    "cut.ttl": (b"<urn:s> <urn:p> '''a\nb", "line 1, column 17"),  # where the string begins
    "latin.ttl": (b"<urn:s> <urn:p> 'caf\xe9' .", "line 1"),
}


# `bytes` leaves the data as it is.
@pytest.mark.parametrize("name", VALID_FILES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_every_format_is_loaded_into_the_graph(
    store: Store, tmp_path: Path, name: str, compress: type[bytes]
) -> None:
    path = tmp_path / (name if compress is bytes else f"{name}.gz")
    path.write_bytes(compress(VALID_FILES[name]))
    load_rdf_file(store, str(path), "urn:g", None)
    assert [str(triple) for triple in store.triples("urn:g")] == ['<urn:s> <urn:p> "v"']


@pytest.mark.parametrize("name", INVALID_FILES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_error_has_line_and_column_and_nothing_is_loaded(
    store: Store, tmp_path: Path, name: str, compress: type[bytes]
) -> None:
    data, position = INVALID_FILES[name]
    path = tmp_path / (name if compress is bytes else f"{name}.gz")
    path.write_bytes(compress(data))
    with pytest.raises(UnreadableFileError) as caught:
        load_rdf_file(store, str(path), "urn:g", None)
    assert str(caught.value).startswith(f"{path}, {position}")
    assert not store


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_error_names_the_cause_and_the_line_to_change(
    store: Store, tmp_path: Path, compress: type[bytes]
) -> None:
    path = tmp_path / "bad.ttl"
    path.write_bytes(compress(b"<urn:s>\n  <urn:p> 1\n  <urn:q> 2 ."))
    with pytest.raises(
        UnreadableFileError, match=r"bad\.ttl, line 2, column 12: Line 2 has no `;` or `\.` at"
    ):
        load_rdf_file(store, str(path), None, None)


def test_error_in_a_large_file_has_the_message_of_the_parser(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "large.ttl"
    path.write_bytes(
        b"<urn:s> <urn:p> 1 .\n" * (MAX_EXPLAINED_CHARACTERS // 20 + 1) + b"<urn:s> <urn:p> 1\n<urn:s>"
    )
    with pytest.raises(UnreadableFileError, match=r"large.ttl, line \d+, column 1: A dot is expected"):
        load_rdf_file(store, str(path), None, None)


def test_truncated_large_file_is_refused(store: Store, tmp_path: Path) -> None:
    descriptions = b'<rdf:Description rdf:about="urn:s"><u:p>v</u:p></rdf:Description>\n' * 50_000
    path = tmp_path / "cut.rdf"
    path.write_bytes(VALID_FILES["a.rdf"].replace(b"</rdf:RDF>", descriptions))
    # The first line, 50,000 descriptions, and the end, where the end tag is missing.
    with pytest.raises(UnreadableFileError, match=r"line 50002, column 1: .* no element found"):
        load_rdf_file(store, str(path), None, None)
    assert not store


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_error_in_a_file_without_suffix_has_line_and_column(
    store: Store, tmp_path: Path, compress: type[bytes]
) -> None:
    path = tmp_path / "data"
    path.write_bytes(compress(b"<a>\n  </b>"))
    with pytest.raises(UnreadableFileError, match="data, line 2, column 5"):
        load_rdf_file(store, str(path), None, "rdf")


@pytest.mark.parametrize("name", VALID_FILES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_byte_order_mark_is_skipped(store: Store, tmp_path: Path, name: str, compress: type[bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(compress(b"\xef\xbb\xbf" + VALID_FILES[name]))
    load_rdf_file(store, str(path), None, None)
    assert store


def test_dataset_is_loaded_into_its_graphs_unless_one_is_given(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.nq"
    path.write_text('<urn:s> <urn:p> "1" <urn:graph-in-file> .')
    load_rdf_file(store, str(path), None, None)
    assert store.graphs() == ["urn:graph-in-file"]
    load_rdf_file(store, str(path), "urn:given", None)
    assert store.graphs() == ["urn:given", "urn:graph-in-file"]


@pytest.mark.parametrize("graph", ["urn:g", None])
def test_blank_nodes_of_different_files_are_different(
    store: Store, tmp_path: Path, graph: str | None
) -> None:
    for name in ("a.nq", "b.nq"):
        (tmp_path / name).write_text("_:x <urn:p> <urn:o> .")
        load_rdf_file(store, str(tmp_path / name), graph, None)
    assert len(list(store.triples(graph))) == 2


def test_truncated_compressed_file_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "cut.nt.gz"
    path.write_bytes(gzip.compress(b"<urn:s> <urn:p> <urn:o> .\n" * 50)[:-12])
    with pytest.raises(UnreadableFileError, match=r"cut\.nt\.gz: the compressed data is damaged"):
        load_rdf_file(store, str(path), None, None)
    assert not store


def test_file_with_unknown_suffix_needs_a_format(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(VALID_FILES["a.ttl"])
    with pytest.raises(UnreadableFileError, match=r"Give the format with --format \([a-z, ]*\)") as caught:
        load_rdf_file(store, str(path), None, None)
    assert set(re.findall(r"\w+", str(caught.value).partition("--format")[2])) == set(RDF_FORMAT_CHOICES)
    load_rdf_file(store, str(path), None, "ttl")
    assert store


def test_progress_is_reported_up_to_the_file_size(store: Store, tmp_path: Path) -> None:
    path, byte_counts = tmp_path / "a.nt.gz", list[int]()
    path.write_bytes(gzip.compress(VALID_FILES["a.nt"]))
    ends = list[bool]()

    def report_read(count: int, is_end: bool) -> None:
        byte_counts.append(count)
        ends.append(is_end)

    load_rdf_file(store, str(path), None, None, report_read)
    assert byte_counts[-1] == path.stat().st_size
    assert (ends[0], ends[-1]) == (False, True)


class LoadRun(NamedTuple):
    """The outcome of `wgig load`, and the number of quads in the store after it."""

    code: int
    out: str
    err: str
    quads: int


@pytest.fixture
def run_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., LoadRun]:
    """Run `wgig load` in the temporary folder, into a store of plain RDF."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WGIG_DATA", "none")

    def run(*arguments: str) -> LoadRun:
        code = main(["load", *arguments, "--store", "store"])
        captured = capsys.readouterr()
        quads = len(ox.Store.read_only("store/quads")) if Path("store/quads").exists() else 0
        return LoadRun(code, captured.out, captured.err, quads)

    return run


def test_the_last_line_has_the_number_of_new_quads(tmp_path: Path, run_load: Callable[..., LoadRun]) -> None:
    (tmp_path / "a.nt").write_bytes(VALID_FILES["a.nt"])
    (tmp_path / "b.nt").write_bytes(VALID_FILES["a.nt"] + b'\n<urn:s> <urn:p> "w" .')
    run = run_load("a.nt", "b.nt")
    assert re.fullmatch(r"Loaded 2 files in \d+\.\d s \(2 new quads\)\n", run.out)
    lines = ["wgig: 1/1 Loading a.nt ...", "wgig: 1/1 Loading b.nt ...", "wgig: 1/1 Loading: N s"]
    assert re.sub(r"\d+\.\d s", "N s", run.err).splitlines() == lines
    # A store with quads is not counted.
    assert re.fullmatch(r"Loaded a\.nt in \d+\.\d s\n", run_load("a.nt").out)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_files_without_statements_are_not_loaded(
    tmp_path: Path, run_load: Callable[..., LoadRun], compress: type[bytes]
) -> None:
    name = "none.ttl" if compress is bytes else "none.ttl.gz"
    (tmp_path / name).write_bytes(compress(b"# nothing\n"))
    assert run_load(name) == LoadRun(0, f"Nothing to load: there are no statements in {name}\n", "", 0)
    (tmp_path / "a.nt").write_bytes(VALID_FILES["a.nt"])
    assert run_load(name, "a.nt").out.startswith("Loaded a.nt in ")
    assert run_load(name, name).out == "Nothing to load: there are no statements in 2 files\n"
    store = Store.open(tmp_path / "store")
    assert store.log_version == 3  # only the steps of the one load


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.nt", "nowhere.nt: No such file or directory. Give a file that can be read."),
        ("folder.nt", "folder.nt: Is a directory. Give a file that can be read."),
        ("a.txt", "a.txt: its name has no RDF suffix. Give the format with --format"),
    ],
)
def test_all_files_are_opened_before_one_is_loaded(
    tmp_path: Path, run_load: Callable[..., LoadRun], name: str, message: str
) -> None:
    (tmp_path / "folder.nt").mkdir()
    (tmp_path / "a.nt").write_bytes(VALID_FILES["a.nt"])
    run = run_load("a.nt", name, name)
    assert (run.code, run.out, run.quads) == (2, "", 0)
    assert run.err.count(f"wgig: {message}") == 2
    assert run.err.endswith("Nothing was loaded.\n")


def test_a_named_pipe_is_not_read_before_it_is_loaded(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nt")
    pipe = os.open(tmp_path / "pipe.nt", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(pipe, VALID_FILES["a.nt"])
        assert find_unreadable_files([str(tmp_path / "pipe.nt")], None) == []
        assert not is_empty_file(str(tmp_path / "pipe.nt"), None)
        assert os.read(pipe, 100) == VALID_FILES["a.nt"]
    finally:
        os.close(pipe)


@pytest.mark.parametrize("name", ["history", "inferred", "conformance", "void"])
def test_a_computed_graph_is_refused(tmp_path: Path, run_load: Callable[..., LoadRun], name: str) -> None:
    (tmp_path / "a.nt").write_bytes(VALID_FILES["a.nt"])
    run = run_load("a.nt", "--graph", f"{Settings.base}graph/{name}")
    assert (run.code, run.quads) == (2, 0)
    assert f"The service itself fills the graph {name} with" in run.err
    assert run_load("a.nt", "--graph", f"{Settings.base}graph/own").quads == 1


def test_an_interrupted_load_is_repeated_once(tmp_path: Path, run_load: Callable[..., LoadRun]) -> None:
    data = b"_:b <urn:p> <urn:o> ."
    (tmp_path / "a.nt").write_bytes(data)
    store = Store.open(tmp_path / "store")
    file = describe_source_file(str(tmp_path / "a.nt"), ox.RdfFormat.N_TRIPLES)
    store.bulk_load(io.BytesIO(data), ox.RdfFormat.N_TRIPLES, None, file)
    del store
    first = run_load("a.nt")
    assert first.out.startswith("a.nt was loaded before the interruption\nCompleted the interrupted load in ")
    assert (first.code, first.quads) == (0, 1)
    second = run_load("a.nt")
    assert (second.out.startswith("Loaded a.nt in "), second.quads) == (True, 2)
    third = run_load("a.nt")
    assert (third.out.startswith("Loaded a.nt in "), third.quads) == (True, 3)


@pytest.mark.parametrize(
    ("stage", "stored", "is_shared", "message"),
    [
        ("", [], False, "Stopped; nothing from a.nt was loaded: repeat the command to load it."),
        (
            LOAD_STAGE,
            ["a.nt"],
            False,
            "Stopped with a.nt in the store, and nothing from -: "
            "repeat the command to load the remaining files.",
        ),
        # A shared store gets all files at the end.
        (
            LOAD_STAGE,
            ["a.nt"],
            True,
            "Stopped; nothing from - was loaded: repeat the command to load it.",
        ),
        # What was read from a pipe is not known when it is read again.
        (
            LOAD_STAGE,
            ["a.nt", "-"],
            False,
            "Stopped with 2 files in the store, and nothing from c.nt: "
            "load the remaining files without the others.",
        ),
        (
            COUNT_STAGE,
            ["a.nt", "-", "c.nt"],
            False,
            "Stopped with 3 files in the store, but before all steps were complete: "
            "start wgig serve to complete them.",
        ),
        (
            CHECK_STAGE,
            ["a.nt", "-", "c.nt"],
            True,
            "Stopped; the shared store contains either all of the files or none: see wgig stats.",
        ),
    ],
)
def test_after_an_interruption_it_is_said_what_is_in_the_store(
    stage: str, stored: list[str], is_shared: bool, message: str
) -> None:
    settings = Settings(remote_query="http://localhost/query" if is_shared else "")
    job = LoadJob(Namespace(files=["a.nt", "-", "c.nt"]), settings)
    job.progress.stage = stage
    job.stored_files += stored
    del job.remaining_files[: len(stored)]
    assert job.describe_stop() == message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failing", "other_file"),
    [
        (FullTextIndex, Path(ASIDE_FOLDER) / RESOURCE_VERSIONS_FILE),
        (ResourceVersionsProjection, SEARCH_INDEX_PATH),
    ],
)
def test_a_load_succeeds_if_a_projection_cannot_be_built(
    failing: type[Projection],
    other_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise OSError("The disk is odd.")

    (tmp_path / "a.nq").write_bytes(VALID_FILES["a.nq"])
    monkeypatch.setattr(failing, "rebuild", fail)
    monkeypatch.setenv("WGIG_DATA", "shipped")
    assert main(["load", str(tmp_path / "a.nq"), "--store", str(tmp_path / "store")]) == 0
    assert (
        "wgig: A part could not be built, so the service will build it: The disk is odd."
        in capsys.readouterr().err
    )
    assert (tmp_path / "store" / other_file).stat().st_size > 0
