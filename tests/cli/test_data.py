import gzip
import re
from pathlib import Path

import pytest
from wgig.cli.arguments import RDF_FORMAT_CHOICES
from wgig.cli.data import UnreadableFileError, load_rdf_file
from wgig.store.store import Store

GOOD = {
    "a.ttl": b"<urn:s> <urn:p> 'v' .",
    "a.nt": b"<urn:s> <urn:p> 'v' .".replace(b"'", b'"'),
    "a.rdf": b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="urn:">
        <rdf:Description rdf:about="urn:s"><u:p>v</u:p></rdf:Description></rdf:RDF>""",
    "a.jsonld": b'{"@id": "urn:s", "urn:p": "v"}',
    "a.trig": b"<urn:s> <urn:p> 'v' .",
    "a.nq": b'<urn:s> <urn:p> "v" .',
}
BAD = {
    "bad.ttl": (b"<urn:s> <urn:p> 1 ;\n   <urn:q> .", "line 2, column 12"),
    "bad.nt": (b"<urn:s> <urn:p> <urn:o> .\n<urn:s> oops", "line 2, column 9"),
    "bad.nq": (b"<urn:s> <urn:p> <urn:o> .\n<urn:s> oops", "line 2, column 9"),
    "bad.jsonld": (b'{"@id": "urn:s",\n "urn:p": }', "line 2, column 11"),
    "bad.rdf": (b"<a>\n  </b>", "line 2, column 5"),
    "cut.rdf": (GOOD["a.rdf"][:-10], "line 2, column 74"),
    "open.rdf": (b"<a>", "line 1, column 4"),
    "empty.rdf": (b"", "line 1, column 1"),
    "bomb.rdf": (b'<!DOCTYPE a [<!ENTITY x "y">\n<!ENTITY z "&x;&x;">]><a/>', "line 2, column 1"),
    "cut.ttl": (b"<urn:s> <urn:p> '''a\nb", "line 1, column 17"),
    "latin.ttl": (b"<urn:s> <urn:p> 'caf\xe9' .", "line 1"),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_every_format_goes_into_the_graph(store: Store, tmp_path: Path, name: str, pack: type[bytes]) -> None:
    path = tmp_path / (name if pack is bytes else f"{name}.gz")
    path.write_bytes(pack(GOOD[name]))
    load_rdf_file(store, str(path), "urn:g", None)
    assert [str(triple) for triple in store.triples("urn:g")] == ['<urn:s> <urn:p> "v"']


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_fault_has_its_place_and_nothing_is_loaded(
    store: Store, tmp_path: Path, name: str, pack: type[bytes]
) -> None:
    data, place = BAD[name]
    path = tmp_path / (name if pack is bytes else f"{name}.gz")
    path.write_bytes(pack(data))
    with pytest.raises(UnreadableFileError) as refused:
        load_rdf_file(store, str(path), "urn:g", None)
    assert str(refused.value).startswith(f"{path}, {place}")
    assert not store


def test_what_breaks_off_in_a_later_piece_is_refused(store: Store, tmp_path: Path) -> None:
    many = b'<rdf:Description rdf:about="urn:s"><u:p>v</u:p></rdf:Description>\n' * 50_000
    path = tmp_path / "cut.rdf"
    path.write_bytes(GOOD["a.rdf"].replace(b"</rdf:RDF>", many))
    with pytest.raises(UnreadableFileError, match=r"line 50002, column 1: .* no element found"):
        load_rdf_file(store, str(path), None, None)
    assert not store


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_the_place_of_a_fault_is_told_whatever_the_name(
    store: Store, tmp_path: Path, pack: type[bytes]
) -> None:
    path = tmp_path / "data"
    path.write_bytes(pack(b"<a>\n  </b>"))
    with pytest.raises(UnreadableFileError, match="data, line 2, column 5"):
        load_rdf_file(store, str(path), None, "rdf")


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_byte_order_mark_is_skipped(store: Store, tmp_path: Path, name: str, pack: type[bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack(b"\xef\xbb\xbf" + GOOD[name]))
    load_rdf_file(store, str(path), None, None)
    assert store


def test_a_dataset_keeps_its_graphs_unless_one_is_given(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.nq"
    path.write_text('<urn:s> <urn:p> "1" <urn:own> .')
    load_rdf_file(store, str(path), None, None)
    assert store.graphs() == ["urn:own"]
    load_rdf_file(store, str(path), "urn:given", None)
    assert store.graphs() == ["urn:given", "urn:own"]


@pytest.mark.parametrize("graph", ["urn:g", None])
def test_blank_nodes_of_two_files_stay_apart(store: Store, tmp_path: Path, graph: str | None) -> None:
    for name in ("a.nq", "b.nq"):
        (tmp_path / name).write_text("_:x <urn:p> <urn:o> .")
        load_rdf_file(store, str(tmp_path / name), graph, None)
    assert len(list(store.triples(graph))) == 2


def test_a_compressed_file_that_breaks_off_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "cut.nt.gz"
    path.write_bytes(gzip.compress(b"<urn:s> <urn:p> <urn:o> .\n" * 50)[:-12])
    with pytest.raises(UnreadableFileError, match=r"cut\.nt\.gz: the compressed data is damaged"):
        load_rdf_file(store, str(path), None, None)
    assert not store


def test_a_file_without_a_known_name_asks_for_the_format(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(GOOD["a.ttl"])
    with pytest.raises(UnreadableFileError, match=r"Give one with --format \([a-z, ]*\)") as refused:
        load_rdf_file(store, str(path), None, None)
    assert set(re.findall(r"\w+", str(refused.value).partition("--format")[2])) == set(RDF_FORMAT_CHOICES)
    load_rdf_file(store, str(path), None, "ttl")
    assert store


def test_progress_ends_at_the_size_of_the_file(store: Store, tmp_path: Path) -> None:
    path, seen = tmp_path / "a.nt.gz", list[int]()
    path.write_bytes(gzip.compress(GOOD["a.nt"]))
    load_rdf_file(store, str(path), None, None, seen.append)
    assert seen[-1] == path.stat().st_size
