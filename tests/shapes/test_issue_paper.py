"""The rules for issue papers: each has messages in six languages and a bad example that breaks only it."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import DCTERMS, PROF, RDF, RDFS, SH, XSD
from rdflib.paths import MulPath
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.engines import get_shacl_engine
from wgig_client.namespaces import namespaces_by_prefix

BASE = Settings.base
ID, SHAPE = rdflib.Namespace(f"{BASE}id/"), rdflib.Namespace(f"{BASE}shapes#")
WGIG = rdflib.Namespace(f"{BASE}ontology#")
LANGUAGES = {"ar", "en", "es", "fr", "ru", "zh"}  # the official languages of the United Nations
PROFILES = ("draft", "complete", "final")
# The terms of SHACL with which the rules state constraints.
CONSTRAINT_NAMES = """
    class datatype hasValue maxCount minCount minLength node nodeKind not or pattern qualifiedValueShape
    sparql uniqueLang
"""
# Further terms of SHACL that the rules use. Validators ignore a misspelled term without an error.
OTHER_SHACL_NAMES = """
    IRI Info Literal NodeShape PropertyGroup PropertyShape Violation Warning alternativePath deactivated
    declare description disjoint group in inversePath maxInclusive message minInclusive name namespace
    order path prefix prefixes property qualifiedMaxCount qualifiedMinCount select severity targetClass
    targetObjectsOf targetSubjectsOf zeroOrOnePath
"""
EXAMPLES = sorted(SHIPPED_FOLDER.glob("shapes/examples/issue-paper/*.ttl"))
SHACL_IRI = rdflib.URIRef("http://www.w3.org/ns/shacl#")
CODE_PATTERN = re.compile(r"WGIG-([0-8])([A-F]?)-[A-Z]+(-[A-Z]+)*")

RULE_GRAPH = rdflib.Graph()
for path in SHIPPED_FOLDER.glob("shapes/issue-paper*.ttl"):
    RULE_GRAPH.parse(path)


def get_code(rule: object) -> str:
    """The local name of a shape."""
    return str(rule).removeprefix(SHAPE)


def get_section(code: str) -> str:
    """The number of the section in the code of a rule, such as WGIG-7B-MISSING."""
    return code.removeprefix("WGIG-")[0]


# A rule is part of a profile. The rules that SHACL cannot express are deactivated shapes.
RULE_CODES = sorted(get_code(rule) for rule in RULE_GRAPH.subjects(DCTERMS.isPartOf))
NON_SHACL_CODES = {get_code(rule) for rule in RULE_GRAPH.subjects(SH.deactivated, rdflib.Literal(True))}


def build_shacl_terms(names: str) -> set[rdflib.term.Node]:
    return {SH[name] for name in names.split()}


def get_only_value(code: str, term: rdflib.URIRef) -> rdflib.term.Node:
    """The value of a property of a rule, which must have only one."""
    (value,) = RULE_GRAPH.objects(SHAPE[code], term)
    return value


def get_texts_by_language(subject: rdflib.URIRef, *terms: rdflib.URIRef) -> dict[str | None, str]:
    """The texts of a subject by language. Two texts in one language are an error."""
    literals = [text for term in terms for text in RULE_GRAPH.objects(subject, term)]
    by_language = {text.language: str(text) for text in literals if isinstance(text, rdflib.Literal)}
    assert len(by_language) == len(literals), "two texts in one language"
    return by_language


def read_renamed_example(path: Path) -> bytes:
    """An example in N-Triples, with the file name in its IRIs, so that all examples fit into one graph."""
    triples = [quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE)]
    text = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert text is not None
    return re.sub(rb"/id/(\w+)/example", rf"/id/\1/{path.stem}.example".encode(), text)


CodesByFile = dict[str, set[str]]


@pytest.fixture(scope="module")
def codes_by_file() -> CodesByFile:
    """The codes of the rules that each example breaks, by file name; `tests/shacl` compares with pySHACL."""
    texts = (read_renamed_example(path) for path in EXAMPLES)
    triples = [quad.triple for text in texts for quad in ox.parse(text, format=ox.RdfFormat.N_TRIPLES)]
    codes: CodesByFile = defaultdict(set)
    for result in get_shacl_engine("shifty")(triples):
        match = re.search(r"/id/\w+/([\w-]+)\.example", result.focus.value)
        assert match, f"a finding outside of the examples: {result.focus}"
        codes[match[1]].add(result.code)
    return codes


@pytest.mark.parametrize("code", [code for code in RULE_CODES if code not in NON_SHACL_CODES])
def test_a_bad_example_breaks_its_rule_and_no_other(code: str, codes_by_file: CodesByFile) -> None:
    assert codes_by_file[f"bad-{code}"] == {code}


@pytest.mark.parametrize("code", sorted(NON_SHACL_CODES))
def test_engine_finds_no_violation_of_rules_that_shacl_cannot_express(
    code: str, codes_by_file: CodesByFile
) -> None:
    assert not codes_by_file[f"bad-{code}"]


def test_every_rule_has_a_bad_example_that_names_it() -> None:
    bad = [path for path in EXAMPLES if path.name.startswith("bad-")]
    assert [path.stem for path in bad] == [f"bad-{code}" for code in RULE_CODES]
    for path in bad:
        assert path.read_text().startswith(f"# breaks: {path.stem.removeprefix('bad-')}\n")


GOOD_EXAMPLE = SHIPPED_FOLDER / "shapes/examples/issue-paper/ok-final.ttl"


def read_comparable_text(path: Path) -> str:
    """The text of an example without its first comment, with the paper IRI of the good example."""
    text = path.read_text().partition("\n\n")[2]
    match = re.search(r"^paper:(\S+)\n    a +wgig:IssuePaper", text, re.MULTILINE)
    return text.replace(f"paper:{match[1]}", "paper:example") if match else text


def parse_triples(text: str) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)}


@pytest.mark.parametrize("code", RULE_CODES)
def test_a_bad_example_is_the_good_one_after_one_change(code: str) -> None:
    good, bad = (
        parse_triples(read_comparable_text(path))
        for path in (GOOD_EXAMPLE, GOOD_EXAMPLE.with_name(f"bad-{code}.ttl"))
    )
    subjects = [{triple.subject for triple in graph} for graph in (good, bad)]
    added_or_removed = subjects[0] ^ subjects[1]  # the change may add or remove a whole resource
    changed = {
        (triple.subject, triple.predicate)
        for triple in good ^ bad
        if not added_or_removed & {triple.subject, triple.object}
    }
    assert len(changed) <= 1  # 0 if a whole resource is added or removed


@pytest.mark.parametrize("code", RULE_CODES)
def test_unchanged_lines_of_a_bad_example_are_written_as_in_the_good_one(code: str) -> None:
    good, bad = (
        read_comparable_text(path).splitlines()
        for path in (GOOD_EXAMPLE, GOOD_EXAMPLE.with_name(f"bad-{code}.ttl"))
    )
    removed_lines, added_lines = Counter(good) - Counter(bad), Counter(bad) - Counter(good)
    assert not [line for line in removed_lines if line.startswith("@prefix")]
    assert not {" ".join(line.split()) for line in removed_lines} & {
        " ".join(line.split()) for line in added_lines
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_a_good_example_conforms_to_its_profile(profile: str, codes_by_file: CodesByFile) -> None:
    profiles = {ID[f"profile/{name}"] for name in PROFILES[: PROFILES.index(profile) + 1]}
    blocking = {SH.Violation} | ({SH.Warning, SH.Info} if profile == "final" else set())
    blocking_codes = {
        code
        for code in codes_by_file[f"ok-{profile}"]
        if get_only_value(code, SH.severity) in blocking
        and get_only_value(code, DCTERMS.isPartOf) in profiles
    }
    assert not blocking_codes
    # A missing example would have no results, either.
    assert (SHIPPED_FOLDER / f"shapes/examples/issue-paper/ok-{profile}.ttl") in EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_marked_as_illustrative(path: Path) -> None:
    assert re.search(r"^    wgig:illustrative +true", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("code", RULE_CODES)
def test_a_rule_has_section_severity_profile_and_examples(code: str) -> None:
    match = CODE_PATTERN.fullmatch(code)
    assert match
    assert get_only_value(code, SH.group) == SHAPE[f"section-{match[1]}"]
    assert get_only_value(code, SH.severity) in {SH.Violation, SH.Warning, SH.Info}
    assert get_only_value(code, DCTERMS.isPartOf) in {ID[f"profile/{profile}"] for profile in PROFILES}
    assert set(get_texts_by_language(SHAPE[code], SH.description, RDFS.comment)) == {"en"}
    assert get_only_value(code, WGIG.exampleInTurtle)
    assert get_only_value(code, WGIG.exampleInMarkdown)
    assert set(get_texts_by_language(SHAPE[code], SH.name, RDFS.label)) == LANGUAGES


@pytest.mark.parametrize("code", RULE_CODES)
def test_a_rule_has_one_constraint_and_a_target(code: str) -> None:
    constraints = [
        term for term in RULE_GRAPH.predicates(SHAPE[code]) if term in build_shacl_terms(CONSTRAINT_NAMES)
    ]
    targets = [term for term in RULE_GRAPH.predicates(SHAPE[code]) if "#target" in str(term)]
    assert len(constraints) == (code not in NON_SHACL_CODES)
    assert bool(targets) == (code not in NON_SHACL_CODES)


def test_rules_have_different_orders() -> None:
    orders = Counter(int(str(get_only_value(code, SH.order))) for code in RULE_CODES)
    assert not [order for order, count in orders.items() if count > 1]


def test_only_four_rules_are_not_expressed_in_shacl() -> None:
    codes = {"WGIG-0-FOREIGN", "WGIG-0-NAME-TAKEN", "WGIG-0-TERM-UNKNOWN", "WGIG-7-JUDGED-TWICE"}
    assert codes == NON_SHACL_CODES


@pytest.mark.parametrize("code", RULE_CODES)
def test_a_message_has_the_same_names_in_six_languages(code: str) -> None:
    messages = get_texts_by_language(SHAPE[code], SH.message)
    assert set(messages) == LANGUAGES
    section = re.search(r"ection (\d[a-f]?)", messages["en"])
    for language, message in messages.items():
        assert re.search(r"[。.]$", message), f"no sentence in {language}"
        assert all(name in message for name in list_untranslated_names(messages["zh"])), (
            f"other names in {language}"
        )
        assert section is None or section[1] in message, f"another section in {language}"
    assert (
        list_untranslated_names(messages["ar"])
        == list_untranslated_names(messages["ru"])
        == list_untranslated_names(messages["zh"])
    )
    assert len(set(messages.values())) == len(LANGUAGES)


def list_untranslated_names(message: str) -> list[str]:
    """The Latin names in a message of another script, which are not translated."""
    return re.findall(r"[A-Za-z][\w-]*[A-Za-z]", message, re.ASCII)


@pytest.mark.parametrize("code", RULE_CODES)
def test_a_message_has_no_syntax_of_turtle_or_markdown(code: str) -> None:
    for message in get_texts_by_language(SHAPE[code], SH.message).values():
        assert not re.search(r"[a-z]+:\w|@|\"|\[|<|\(", message, re.ASCII), message


@pytest.mark.parametrize("code", [code for code in RULE_CODES if get_section(code) != "0"])
def test_a_message_names_its_section(code: str) -> None:
    assert f"ection {get_section(code)}" in get_texts_by_language(SHAPE[code], SH.message)["en"]


@pytest.mark.parametrize("code", RULE_CODES)
def test_an_english_message_has_a_sentence_on_the_fault_and_one_on_the_fix(code: str) -> None:
    assert re.fullmatch(r"[A-Z].{15,}\. [A-Z].{5,}\.", get_texts_by_language(SHAPE[code], SH.message)["en"])


@pytest.mark.parametrize("code", RULE_CODES)
def test_the_turtle_example_of_a_rule_can_be_parsed(code: str) -> None:
    prefixes = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in namespaces_by_prefix(BASE).items())
    example = str(get_only_value(code, WGIG.exampleInTurtle))
    text = example if example.endswith(".") else f"<urn:thing> {example} ."
    assert list(ox.parse(prefixes + text, format=ox.RdfFormat.TURTLE))


def test_sections_and_profiles_are_titled_in_six_languages() -> None:
    assert set(RULE_GRAPH.subjects(RDF.type, SH.PropertyGroup)) == {
        SHAPE[f"section-{number}"] for number in range(9)
    }
    for number in range(9):
        assert set(get_texts_by_language(SHAPE[f"section-{number}"], RDFS.label)) == LANGUAGES
    for profile in PROFILES:
        assert set(get_texts_by_language(ID[f"profile/{profile}"], RDFS.label)) == LANGUAGES
        assert set(get_texts_by_language(ID[f"profile/{profile}"], DCTERMS.title)) == LANGUAGES


def test_each_profile_extends_the_one_before() -> None:
    base_profiles = {
        profile: RULE_GRAPH.value(ID[f"profile/{profile}"], PROF.isProfileOf) for profile in PROFILES
    }
    assert base_profiles == {
        "draft": ID["document/form/issue-paper"],
        "complete": ID["profile/draft"],
        "final": ID["profile/complete"],
    }


def test_a_paper_is_late_after_the_due_date_of_the_milestone() -> None:
    milestones = rdflib.Graph().parse(SHIPPED_FOLDER / "data" / "milestones.ttl")
    due = milestones.value(ID["milestone/ms-papers"], WGIG.due)
    members = MulPath(RDF.rest, "*") / RDF.first
    assert isinstance(due, rdflib.Literal)
    assert due.datatype == XSD.date
    assert list(RULE_GRAPH.objects(SHAPE["WGIG-0-LATE"], SH["or"] / members / SH.maxInclusive)) == [due]


def test_no_term_of_shacl_is_misspelled() -> None:
    used_terms = {term for triple in RULE_GRAPH for term in triple if str(term).startswith(SHACL_IRI)} - {
        SHACL_IRI
    }
    assert not used_terms - build_shacl_terms(CONSTRAINT_NAMES) - build_shacl_terms(OTHER_SHACL_NAMES)
