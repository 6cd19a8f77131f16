"""The Turtle of the facts is written for people, holds together, and says where everything comes from."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from wgig.i18n import PAGE_LANGUAGES

from tests.fixtures.triples import load_triples

BASE = "https://w3id.org/wgig/"
ID, GRAPH = BASE + "id/", BASE + "graph/"
SOURCE = ox.NamedNode("http://purl.org/dc/terms/source")
ABOUT_A_GRAPH = [
    ox.NamedNode("http://purl.org/dc/terms/" + term) for term in ("title", "description", "license", "source")
]
LABELS = [
    ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label"),
    ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel"),
]
ILLUSTRATIVE = ox.NamedNode(BASE + "ontology#illustrative")
# Graphs that rules, shapes and the ontology fill have their description in those folders.
ELSEWHERE = {GRAPH + name for name in ("ontology", "shapes", "inferred", "catalog")}

LITERAL_OR_IRI = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|<[^>\n]*>', re.DOTALL)
PREDICATE = re.compile(r"^    (\S+)( +)\S")


def iri(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else ""


def complaints(data_files: dict[str, Path], what: str) -> list[str]:
    """`file:line` of every line, literals and IRIs left out, that the pattern `what` finds."""
    return [
        f"{path.name}:{number}: {line}"
        for path in data_files.values()
        for number, line in enumerate(LITERAL_OR_IRI.sub('""', path.read_text()).splitlines(), 1)
        if re.search(what, line)
    ]


def blocks(path: Path) -> Iterator[list[str]]:
    """The lines of each subject, blank lines and comments being the borders."""
    block: list[str] = []
    for line in [*path.read_text().splitlines(), ""]:
        if line and not line.startswith(("#", "@prefix")):
            block.append(line)
        elif block:
            yield block
            block = []


def test_every_file_parses(data_files: dict[str, Path]) -> None:
    assert all(list(load_triples(path)) for path in data_files.values())


def test_every_file_starts_by_saying_what_it_holds(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        header = path.read_text().split("\n\n")[0].splitlines()
        assert len(header) >= 2, f"{name}: a header of two lines or more"
        assert all(line.startswith("# ") for line in header), f"{name}: a header of comments"


def test_every_file_describes_its_graph(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        said = {triple.predicate for triple in load_triples(path) if iri(triple.subject) == GRAPH + name}
        assert said.issuperset(ABOUT_A_GRAPH), f"{name}: its graph has no {set(ABOUT_A_GRAPH) - said}"


def test_a_file_describes_no_other_graph(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        graphs = {iri(t.subject) for t in load_triples(path) if iri(t.subject).startswith(GRAPH)}
        assert graphs == {GRAPH + name}


def test_there_are_no_blank_nodes(data_files: dict[str, Path]) -> None:
    terms = {term for path in data_files.values() for triple in load_triples(path) for term in triple}
    assert not [term for term in terms if isinstance(term, ox.BlankNode)]


def test_there_are_no_tabs_and_no_trailing_spaces(data_files: dict[str, Path]) -> None:
    assert not complaints(data_files, r"\t|\s$")


def test_files_end_with_one_newline(data_files: dict[str, Path]) -> None:
    assert not [n for n, path in data_files.items() if not re.search(r"[^\n]\n\Z", path.read_text())]


def test_objects_stand_in_one_column_under_each_subject(data_files: dict[str, Path]) -> None:
    ragged = [
        f"{path.name}: {block[0]}"
        for path in data_files.values()
        for block in blocks(path)
        if len({len(found[1]) + len(found[2]) for line in block if (found := PREDICATE.match(line))}) > 1
    ]
    assert not ragged


def test_statements_end_after_a_space(data_files: dict[str, Path]) -> None:
    assert not complaints(data_files, r"^ .*\S[;,.]$|^ .*[^;,.]$")


def test_every_prefix_is_used(data_files: dict[str, Path]) -> None:
    for path in data_files.values():
        text = LITERAL_OR_IRI.sub('""', re.sub(r"^#.*", "", path.read_text(), flags=re.MULTILINE))
        declared = set(re.findall(r"^@prefix ([\w-]+):", text, re.MULTILINE))
        used = set(re.findall(r"(?<!@prefix )(?<![\w-])([\w-]+):", text))
        assert declared == used, (
            f"{path.name}: declared and not used, or used and not declared: {declared ^ used}"
        )


def test_each_thing_is_described_in_one_file(data_files: dict[str, Path]) -> None:
    places = defaultdict(set)
    for name, path in data_files.items():
        for triple in load_triples(path):
            places[iri(triple.subject)].add(name)
    assert not {thing: files for thing, files in places.items() if len(files) > 1}


def test_each_thing_is_described_in_one_place_of_its_file(data_files: dict[str, Path]) -> None:
    heads = Counter(
        (path.name, block[0])
        for path in data_files.values()
        for block in blocks(path)
        if block[0][0] not in ' "'
    )
    assert not [place for place, count in heads.items() if count > 1]


def test_every_link_to_a_thing_of_ours_finds_it(data_files: dict[str, Path]) -> None:
    all_triples = [triple for path in data_files.values() for triple in load_triples(path)]
    described = {iri(triple.subject) for triple in all_triples} | ELSEWHERE
    dangling = {
        f"{iri(triple.subject)} -> {iri(triple.object)}"
        for triple in all_triples
        if iri(triple.object).startswith((ID, GRAPH)) and iri(triple.object) not in described
    }
    assert not dangling, "\n".join(sorted(dangling))


def test_everything_has_a_source(data_files: dict[str, Path]) -> None:
    all_triples = [triple for path in data_files.values() for triple in load_triples(path)]
    sourced = {triple.subject for triple in all_triples if triple.predicate == SOURCE and iri(triple.object)}
    assert not {triple.subject for triple in all_triples} - sourced


def test_sources_are_addresses(data_files: dict[str, Path]) -> None:
    sources = {
        iri(t.object) for path in data_files.values() for t in load_triples(path) if t.predicate == SOURCE
    }
    assert not [source for source in sources if not re.fullmatch(r"https?://[^/\s]+\.[^/\s]+(/\S*)?", source)]


def test_our_own_kinds_have_one_label_in_each_language_of_the_pages(data_files: dict[str, Path]) -> None:
    labels = defaultdict(list)
    for triple in load_triples(data_files["concepts"]):
        if triple.predicate in LABELS and isinstance(triple.object, ox.Literal):
            labels[triple.subject].append(triple.object.language)
    assert len(labels) > 80
    assert not {
        thing: found for thing, found in labels.items() if sorted(map(str, found)) != sorted(PAGE_LANGUAGES)
    }


def test_nothing_made_up_is_among_the_facts(data_files: dict[str, Path]) -> None:
    assert not [
        n for n, path in data_files.items() if any(t.predicate == ILLUSTRATIVE for t in load_triples(path))
    ]
