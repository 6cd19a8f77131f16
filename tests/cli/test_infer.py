"""`wgig infer`: over files and over graphs of a store, its output, messages and exit codes."""

import gc
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_UNREADABLE
from wgig.rdf.namespaces import RDF_TYPE
from wgig.store.store import Store
from wgig_client.namespaces import BASE_IRI

DATA = """PREFIX : <http://example.org/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
:Dog rdfs:subClassOf :Animal . :rex a :Dog ."""
RULE_PREFIXES = """PREFIX : <http://example.org/> PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
:S a sh:NodeShape ; sh:targetClass :Dog ."""
CONTRADICTION = ":Dog owl:disjointWith :Cat . :rex a :Cat ."
PET_QUERY = "CONSTRUCT { ?x a <http://example.org/Pet> } { ?x a <http://example.org/Dog> }"
ANIMAL = ox.Triple(
    ox.NamedNode("http://example.org/rex"), RDF_TYPE, ox.NamedNode("http://example.org/Animal")
)
ANIMAL_LINE = f"{ANIMAL} .\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with data, rules and no store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WGIG_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("WGIG_DATA", "none")
    (tmp_path / "data.ttl").write_text(DATA)
    (tmp_path / "contradiction.ttl").write_text(DATA + CONTRADICTION)
    (tmp_path / "pets.rq").write_text(PET_QUERY)
    (tmp_path / "endless.rq").write_text("CONSTRUCT { [] <urn:of> ?x } { ?x ?p ?o }")
    (tmp_path / "broken.ttl").write_text("<a> <b>")
    (tmp_path / "update.rq").write_text("INSERT { ?x a <urn:Pet> } WHERE { ?x ?p ?o }")
    (tmp_path / "function.rq").write_text("CONSTRUCT { ?x a <urn:a> } { ?x ?p ?o FILTER(<urn:f>(?x)) }")
    (tmp_path / "incomplete.ttl").write_text(f"{RULE_PREFIXES} :S sh:rule [ a sh:SPARQLRule ] .")
    (tmp_path / "importing.ttl").write_text(
        f"{RULE_PREFIXES} <urn:o> owl:imports <urn:other> . :S sh:rule [ a sh:TripleRule ; "
        "sh:subject sh:this ; sh:predicate :is ; sh:object 1 ] ."
    )
    return tmp_path


def infer(*arguments: str) -> int:
    """The exit code of `wgig infer`."""
    return main(["infer", *arguments])


def read_store(folder: Path, name: str) -> set[ox.Triple]:
    """The triples of a graph in the store."""
    store = Store.open_read_only(folder / "store")
    triples = {*store.triples(f"{BASE_IRI}graph/{name}")}
    del store
    gc.collect()  # the engine has the folder open until its object is deleted
    return triples


def test_what_follows_from_files_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert infer("data.ttl", "--rules", "owl2rl", "--format", "nt") == EXIT_OK
    output, messages = capsys.readouterr()
    assert output == ANIMAL_LINE
    assert messages.startswith("wgig: 1 triple follows, and is not stated: in 1 round, ")


def test_standard_input_needs_a_format(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "data.ttl").open() as data:
        monkeypatch.setattr("sys.stdin", data)
        assert infer("-", "--rules", "owl2rl", "--format", "nt") == EXIT_UNREADABLE
        assert "Give the format with --input-format (ttl, " in capsys.readouterr().err
        assert infer("-", "--rules", "owl2rl", "--format", "nt", "--input-format", "ttl") == EXIT_OK
    assert capsys.readouterr().out == ANIMAL_LINE


def test_what_follows_is_written_to_a_file_in_the_format_of_its_name(folder: Path) -> None:
    assert infer("data.ttl", "--rules", "owl2rl", "--output", "derived.nt") == EXIT_OK
    assert (folder / "derived.nt").read_text() == ANIMAL_LINE


def test_a_dry_run_only_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert infer("data.ttl", "--dry-run", "--rules", "owl2rl", "pets.rq") == EXIT_OK
    output, messages = capsys.readouterr()
    assert not output
    assert "2 triples follow" in messages


def test_a_contradiction_is_a_message_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert infer("contradiction.ttl", "--rules", "owl2rl", "--format", "nt") == EXIT_NO
    output, messages = capsys.readouterr()
    assert output == ANIMAL_LINE
    assert "The data contradicts itself: Disjoint classes" in messages


def test_what_follows_from_graphs_replaces_a_graph(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "data.ttl", "--graph", f"{BASE_IRI}graph/dogs"]) == EXIT_OK
    assert infer("--rules", "owl2rl", "pets.rq", "--graph", "dogs", "--into", "derived") == EXIT_OK
    assert ANIMAL in (first := read_store(folder, "derived"))
    assert infer("--rules", "owl2rl", "pets.rq", "--graph", "dogs", "--into", "derived") == EXIT_OK
    assert "derived> has not changed." in capsys.readouterr().err
    assert read_store(folder, "derived") == first
    assert infer("--rules", "pets.rq", "--into", "derived") == EXIT_OK  # of all graphs, without this one
    assert ANIMAL not in read_store(folder, "derived")


def test_a_dry_run_over_a_store_and_an_output_file_write_nothing_to_it(folder: Path) -> None:
    assert main(["load", "data.ttl"]) == EXIT_OK
    assert infer("--rules", "owl2rl", "--dry-run", "--into", "derived") == EXIT_OK
    assert infer("--rules", "owl2rl", "--output", "derived.nt") == EXIT_OK
    assert (folder / "derived.nt").read_text() == ANIMAL_LINE
    assert not read_store(folder, "derived")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["data.ttl", "--rules", "missing.rq"], EXIT_UNREADABLE, "missing.rq: No such file"),
        (["missing.ttl", "--rules", "pets.rq"], EXIT_UNREADABLE, "missing.ttl: No such file"),
        (["broken.ttl", "--rules", "pets.rq"], EXIT_UNREADABLE, "broken.ttl, line 1"),
        (["pets.rq", "--rules", "pets.rq"], EXIT_UNREADABLE, "its name has no RDF suffix"),
        (["data.ttl", "--rules", "broken.ttl"], EXIT_UNREADABLE, "broken.ttl:1:"),
        (["data.ttl", "--rules", "endless.rq"], EXIT_UNREADABLE, "never end"),
        (
            ["data.ttl", "--rules", "contradiction.ttl"],
            EXIT_UNREADABLE,
            "contradiction.ttl: There is no rule",
        ),
        (["data.ttl", "--rules", "rules.txt"], EXIT_UNREADABLE, "rules.txt: No such file"),
        (["data.ttl", "--rules", "OWL2RL"], EXIT_UNREADABLE, "Did you mean owl2rl?"),
        (["data.ttl", "--rules", "update.rq"], EXIT_UNREADABLE, "Write a CONSTRUCT query"),
        (
            ["data.ttl", "--rules", "function.rq"],
            EXIT_UNREADABLE,
            "function.rq: The rules cannot be evaluated",
        ),
        (["data.ttl", "--rules", "incomplete.ttl"], EXIT_UNREADABLE, "incomplete.ttl: The rules cannot be"),
        (["--rules", "pets.rq", "data.ttl"], EXIT_UNREADABLE, "give it before --rules, or after --."),
        (
            ["--rules", "pets.rq", "data.ttl", "--dry-run"],
            EXIT_UNREADABLE,
            "give it before --rules, or after",
        ),
        (["--rules", "pets.rq", "--dry-run"], EXIT_FAILED, "does not exist"),
        (["data.ttl", "--rules", "owl2rl", "--graph", "a"], EXIT_UNREADABLE, "Leave out --graph"),
        (["--rules", "owl2rl"], EXIT_UNREADABLE, "--into"),
        (["--rules", "owl2rl", "--into", "a", "-o", "b.nt"], EXIT_UNREADABLE, "either --into or --output"),
        (["--rules", "owl2rl", "--into", "a", "--graph", "nothing"], EXIT_NO, "There is no graph nothing"),
        (["--rules", "owl2rl", "--into", "history"], EXIT_UNREADABLE, "which has its own content"),
        (["--rules", "owl2rl", "--into", "paper/x"], EXIT_UNREADABLE, "which has its own content"),
        (["--rules", "owl2rl", "--into", "a b"], EXIT_UNREADABLE, "IRI"),
        (["--rules", "owl2rl", "-o", "derived.txt"], EXIT_UNREADABLE, "cannot be written as txt"),
    ],
)
def test_wrong_arguments_are_one_message(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert infer(*arguments) == code
    messages = capsys.readouterr().err
    assert words in messages
    assert "Traceback" not in messages


def test_the_graph_of_the_settings_is_not_loaded_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_RULES", "owl2rl")
    monkeypatch.setenv("WGIG_RULES_GRAPH", "urn:derived")
    assert main(["load", "data.ttl", "--graph", "urn:derived"]) == EXIT_UNREADABLE
    assert infer("--rules", "owl2rl", "--into", "urn:derived") == EXIT_OK


def test_a_graph_of_facts_is_never_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "data.ttl", "--graph", f"{BASE_IRI}graph/dogs"]) == EXIT_OK
    facts = read_store(folder, "dogs")
    assert infer("--rules", "owl2rl", "--into", "dogs") == EXIT_UNREADABLE
    assert "/graph/dogs>, which has its own content. Choose a graph" in capsys.readouterr().err
    assert read_store(folder, "dogs") == facts


@pytest.mark.parametrize("name", ["data.ttl", "importing.ttl", "./data.ttl"])
def test_the_output_overwrites_neither_data_nor_rules(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = (folder / name).read_text()
    assert infer("data.ttl", "--rules", "importing.ttl", "-o", name) == EXIT_UNREADABLE
    assert "The output would overwrite" in capsys.readouterr().err
    assert (folder / name).read_text() == text


def test_a_message_names_the_imports_that_are_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert infer("data.ttl", "--rules", "importing.ttl") == EXIT_OK
    assert "(owl:imports), which were not fetched and not used: urn:other" in capsys.readouterr().err


def test_a_file_that_has_no_suffix_of_rules_is_refused_with_all_kinds_of_rules(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "rules.txt").write_text(PET_QUERY)
    assert infer("data.ttl", "--rules", "rules.txt") == EXIT_UNREADABLE
    message = capsys.readouterr().err
    assert "rules.txt: Rules are owl2rl, files with SHACL rules (.ttl, " in message
    assert "or files .rq with a CONSTRUCT query." in message


def test_a_mistyped_folder_does_not_become_a_store(folder: Path) -> None:
    for command in ("release", "infer --rules owl2rl --dry-run"):
        assert main([*command.split(), "--store", "typo"]) == EXIT_FAILED
    assert not (folder / "typo").exists()
