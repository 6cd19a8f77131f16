"""Loading RDF files: all formats, plain and compressed; errors have their position, and nothing is loaded."""

import gzip
import re
from pathlib import Path

import pytest
from wgig.cli.arguments import RDF_FORMAT_CHOICES
from wgig.cli.data import UnreadableFileError, load_rdf_file
from wgig.cli.main import main
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex
from wgig.store.files import ASIDE_FOLDER
from wgig.store.projection import Projection
from wgig.store.resource_versions.projection import RESOURCE_VERSIONS_FILE, ResourceVersionsProjection
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
    load_rdf_file(store, str(path), None, None, byte_counts.append)
    assert byte_counts[-1] == path.stat().st_size


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
    assert "wgig: The service builds what could not be built: The disk is odd." in capsys.readouterr().err
    assert (tmp_path / "store" / other_file).stat().st_size > 0
