"""The Turtle files of the facts are formatted for people, consistent, and have sources."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from wgig.i18n import PAGE_LANGUAGES

from tests.fixtures.triples import load_triples

BASE = "https://w3id.org/wgig/"
ID_NAMESPACE, GRAPH_NAMESPACE = BASE + "id/", BASE + "graph/"
SOURCE_PROPERTY = ox.NamedNode("http://purl.org/dc/terms/source")
GRAPH_PROPERTIES = [
    ox.NamedNode("http://purl.org/dc/terms/" + term) for term in ("title", "description", "license", "source")
]
LABEL_PROPERTIES = [
    ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label"),
    ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel"),
]
ILLUSTRATIVE_PROPERTY = ox.NamedNode(BASE + "ontology#illustrative")  # marks made-up examples
# Graphs that are described in other folders.
OTHER_GRAPHS = {GRAPH_NAMESPACE + name for name in ("ontology", "shapes", "inferred", "catalog")}

LITERAL_OR_IRI_PATTERN = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|<[^>\n]*>', re.DOTALL)
PREDICATE_PATTERN = re.compile(r"^    (\S+)( +)\S")


def iri_or_empty(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else ""


def find_lines(data_files: dict[str, Path], pattern: str) -> list[str]:
    """Each line that matches a pattern after the removal of literals and IRIs, with file and line number."""
    return [
        f"{path.name}:{number}: {line}"
        for path in data_files.values()
        for number, line in enumerate(LITERAL_OR_IRI_PATTERN.sub('""', path.read_text()).splitlines(), 1)
        if re.search(pattern, line)
    ]


def iter_blocks(path: Path) -> Iterator[list[str]]:
    """The lines of each subject, as separated by blank lines and comments."""
    block: list[str] = []
    for line in [*path.read_text().splitlines(), ""]:
        if line and not line.startswith(("#", "@prefix")):
            block.append(line)
        elif block:
            yield block
            block = []


def test_every_file_parses(data_files: dict[str, Path]) -> None:
    assert all(list(load_triples(path)) for path in data_files.values())


def test_every_file_begins_with_a_description(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        header = path.read_text().split("\n\n")[0].splitlines()
        assert len(header) >= 2, f"{name}: a header of two lines or more"
        assert all(line.startswith("# ") for line in header), f"{name}: a header of comments"


def test_every_file_describes_its_graph(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        properties = {
            triple.predicate
            for triple in load_triples(path)
            if iri_or_empty(triple.subject) == GRAPH_NAMESPACE + name
        }
        assert properties.issuperset(GRAPH_PROPERTIES), (
            f"{name}: its graph has no {set(GRAPH_PROPERTIES) - properties}"
        )


def test_a_file_describes_no_other_graph(data_files: dict[str, Path]) -> None:
    for name, path in data_files.items():
        subjects = {iri_or_empty(triple.subject) for triple in load_triples(path)}
        assert {subject for subject in subjects if subject.startswith(GRAPH_NAMESPACE)} == {
            GRAPH_NAMESPACE + name
        }


def test_there_are_no_blank_nodes(data_files: dict[str, Path]) -> None:
    terms = {term for path in data_files.values() for triple in load_triples(path) for term in triple}
    assert not [term for term in terms if isinstance(term, ox.BlankNode)]


def test_there_are_no_tabs_and_no_trailing_spaces(data_files: dict[str, Path]) -> None:
    assert not find_lines(data_files, r"\t|\s$")


def test_files_end_with_one_newline(data_files: dict[str, Path]) -> None:
    assert not [name for name, path in data_files.items() if not re.search(r"[^\n]\n\Z", path.read_text())]


def test_objects_of_a_subject_are_aligned(data_files: dict[str, Path]) -> None:
    unaligned = [
        f"{path.name}: {block[0]}"
        for path in data_files.values()
        for block in iter_blocks(path)
        if len({len(match[1]) + len(match[2]) for line in block if (match := PREDICATE_PATTERN.match(line))})
        > 1
    ]
    assert not unaligned


def test_each_statement_line_ends_with_a_space_and_punctuation(data_files: dict[str, Path]) -> None:
    assert not find_lines(data_files, r"^ .*\S[;,.]$|^ .*[^;,.]$")


def test_every_prefix_is_used(data_files: dict[str, Path]) -> None:
    for path in data_files.values():
        text = LITERAL_OR_IRI_PATTERN.sub('""', re.sub(r"^#.*", "", path.read_text(), flags=re.MULTILINE))
        declared = set(re.findall(r"^@prefix ([\w-]+):", text, re.MULTILINE))
        used = set(re.findall(r"(?<!@prefix )(?<![\w-])([\w-]+):", text))
        assert declared == used, f"{path.name}: prefixes only declared or only used: {declared ^ used}"


def test_each_resource_is_described_in_one_file(data_files: dict[str, Path]) -> None:
    files_by_resource = defaultdict(set)
    for name, path in data_files.items():
        for triple in load_triples(path):
            files_by_resource[iri_or_empty(triple.subject)].add(name)
    assert not {resource: files for resource, files in files_by_resource.items() if len(files) > 1}


def test_each_resource_is_described_in_one_block_of_its_file(data_files: dict[str, Path]) -> None:
    subjects = Counter(
        (path.name, block[0])
        for path in data_files.values()
        for block in iter_blocks(path)
        if block[0][0] not in ' "'  # not the continuation of a statement or literal
    )
    assert not [subject for subject, count in subjects.items() if count > 1]


def test_every_link_to_a_local_resource_has_a_target(data_files: dict[str, Path]) -> None:
    all_triples = [triple for path in data_files.values() for triple in load_triples(path)]
    described = {iri_or_empty(triple.subject) for triple in all_triples} | OTHER_GRAPHS
    dangling = {
        f"{iri_or_empty(triple.subject)} -> {iri_or_empty(triple.object)}"
        for triple in all_triples
        if iri_or_empty(triple.object).startswith((ID_NAMESPACE, GRAPH_NAMESPACE))
        and iri_or_empty(triple.object) not in described
    }
    assert not dangling, "\n".join(sorted(dangling))


def test_every_resource_has_a_source(data_files: dict[str, Path]) -> None:
    all_triples = [triple for path in data_files.values() for triple in load_triples(path)]
    sourced = {
        triple.subject
        for triple in all_triples
        if triple.predicate == SOURCE_PROPERTY and iri_or_empty(triple.object)
    }
    assert not {triple.subject for triple in all_triples} - sourced


def test_sources_are_http_urls(data_files: dict[str, Path]) -> None:
    sources = {
        iri_or_empty(triple.object)
        for path in data_files.values()
        for triple in load_triples(path)
        if triple.predicate == SOURCE_PROPERTY
    }
    assert not [source for source in sources if not re.fullmatch(r"https?://[^/\s]+\.[^/\s]+(/\S*)?", source)]


def test_local_concepts_have_one_label_in_each_language_of_the_pages(data_files: dict[str, Path]) -> None:
    languages_by_concept = defaultdict(list)
    for triple in load_triples(data_files["concepts"]):
        if triple.predicate in LABEL_PROPERTIES and isinstance(triple.object, ox.Literal):
            languages_by_concept[triple.subject].append(triple.object.language)
    assert len(languages_by_concept) > 80
    assert not {
        concept: languages
        for concept, languages in languages_by_concept.items()
        if sorted(map(str, languages)) != sorted(PAGE_LANGUAGES)
    }


def test_facts_are_not_illustrative(data_files: dict[str, Path]) -> None:
    assert not [
        name
        for name, path in data_files.items()
        if any(triple.predicate == ILLUSTRATIVE_PROPERTY for triple in load_triples(path))
    ]
