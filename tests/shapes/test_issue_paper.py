"""The rules of the issue paper: each is explained in six languages and broken by an example of its own."""

import logging
import re
from collections import Counter, defaultdict
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCTERMS, PROF, RDF, RDFS, SH, XSD
from rdflib.paths import MulPath
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import SHIPPED_FOLDER, Settings

BASE = Settings.base
ID, SHAPE = rdflib.Namespace(f"{BASE}id/"), rdflib.Namespace(f"{BASE}shapes#")
WGIG = rdflib.Namespace(f"{BASE}ontology#")
LANGUAGES = {"ar", "en", "es", "fr", "ru", "zh"}  # those of the United Nations
PROFILES = ("draft", "complete", "final")
CONSTRAINTS = """
    class datatype hasValue maxCount minCount minLength node nodeKind not or pattern qualifiedValueShape
    sparql uniqueLang
"""
# Beside constraints, what the rules use of SHACL. A misspelt term would be ignored in silence.
OTHERS = """
    IRI Info Literal NodeShape PropertyGroup PropertyShape Violation Warning alternativePath deactivated
    declare description disjoint group in inversePath maxInclusive message minInclusive name namespace
    order path prefix prefixes property qualifiedMaxCount qualifiedMinCount select severity targetClass
    targetObjectsOf targetSubjectsOf zeroOrOnePath
"""
EXAMPLES = sorted(SHIPPED_FOLDER.glob("shapes/examples/issue-paper/*.ttl"))
SHACL = rdflib.URIRef("http://www.w3.org/ns/shacl#")
CODE = re.compile(r"WGIG-([0-8])([A-F]?)-[A-Z]+(-[A-Z]+)*")

RULES = rdflib.Graph()
for file in SHIPPED_FOLDER.glob("shapes/issue-paper*.ttl"):
    RULES.parse(file)


def code_of(rule: object) -> str:
    """The local name of a shape."""
    return str(rule).removeprefix(SHAPE)


CODES = sorted(code_of(rule) for rule in RULES.subjects(DCTERMS.isPartOf))
BEYOND_SHACL = {code_of(rule) for rule in RULES.subjects(SH.deactivated, rdflib.Literal(True))}


def shacl(words: str) -> set[rdflib.term.Node]:
    return {SH[word] for word in words.split()}


def only(code: str, term: rdflib.URIRef) -> rdflib.term.Node:
    """The one value that a rule has of a property."""
    (value,) = RULES.objects(SHAPE[code], term)
    return value


def texts(subject: rdflib.URIRef, *terms: rdflib.URIRef) -> dict[str | None, str]:
    """The texts of a subject by language, when there is one in each."""
    found = [text for term in terms for text in RULES.objects(subject, term)]
    by_language = {text.language: str(text) for text in found if isinstance(text, rdflib.Literal)}
    assert len(by_language) == len(found), "two texts in one language"
    return by_language


def own_names(path: Path) -> bytes:
    """An example in N-Triples, its paper and people named after the file, so that all fit into one graph."""
    triples = [quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE)]
    text = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert text is not None
    return re.sub(rb"/id/(\w+)/example", rf"/id/\1/{path.stem}.example".encode(), text)


Found = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def found() -> Found:
    """What the reference engine finds in each example, among all facts: codes, severities, by file name."""
    logging.getLogger("rdflib").setLevel(logging.ERROR)  # it speaks of literals that are bad on purpose
    data = rdflib.Graph()
    for path in [*SHIPPED_FOLDER.glob("data/*.ttl"), *SHIPPED_FOLDER.glob("ontology/*.ttl")]:
        triples = [quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE)]
        data.parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")
    for path in EXAMPLES:
        data.parse(data=own_names(path), format="nt")
    _, report, _ = pyshacl.validate(data, shacl_graph=RULES, inference="none", advanced=False)
    assert isinstance(report, rdflib.Graph)
    by_file: Found = defaultdict(set)
    for result in report.objects(predicate=SH.result):
        whose = re.search(r"/id/\w+/([\w-]+)\.example", str(report.value(result, SH.focusNode)))
        assert whose, f"a finding outside of the examples: {report.value(result, SH.focusNode)}"
        rule, severity = report.value(result, SH.sourceShape), report.value(result, SH.resultSeverity)
        by_file[whose[1]].add((code_of(rule), str(severity).removeprefix(SHACL)))
    return by_file


@pytest.mark.parametrize("code", [code for code in CODES if code not in BEYOND_SHACL])
def test_a_bad_example_breaks_its_rule_and_no_other(code: str, found: Found) -> None:
    severity = str(only(code, SH.severity)).removeprefix(SHACL)
    assert found[f"bad-{code}"] == {(code, severity)}


@pytest.mark.parametrize("code", sorted(BEYOND_SHACL))
def test_what_shacl_cannot_say_is_not_found_by_it(code: str, found: Found) -> None:
    assert not found[f"bad-{code}"]


def test_every_rule_has_a_bad_example_that_names_it() -> None:
    bad = [path for path in EXAMPLES if path.name.startswith("bad-")]
    assert [path.stem for path in bad] == [f"bad-{code}" for code in CODES]
    for path in bad:
        assert path.read_text().startswith(f"# breaks: {path.stem.removeprefix('bad-')}\n")


GOOD = SHIPPED_FOLDER / "shapes/examples/issue-paper/ok-final.ttl"


def statements(path: Path) -> str:
    """An example without its first comment, under the name that the paper of the good example has."""
    text = path.read_text().partition("\n\n")[2]
    named = re.search(r"^paper:(\S+)\n    a +wgig:IssuePaper", text, re.MULTILINE)
    return text.replace(f"paper:{named[1]}", "paper:example") if named else text


def triples_of(text: str) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)}


@pytest.mark.parametrize("code", CODES)
def test_a_bad_example_is_the_good_one_after_one_change(code: str) -> None:
    good, bad = (triples_of(statements(path)) for path in (GOOD, GOOD.with_name(f"bad-{code}.ttl")))
    described = [{one.subject for one in graph} for graph in (good, bad)]
    once = described[0] ^ described[1]  # what was added or taken away as a whole
    changed = {(one.subject, one.predicate) for one in good ^ bad if not once & {one.subject, one.object}}
    assert len(changed) <= 1


@pytest.mark.parametrize("code", CODES)
def test_what_a_bad_example_has_of_the_good_one_is_written_as_there(code: str) -> None:
    good, bad = (statements(path).splitlines() for path in (GOOD, GOOD.with_name(f"bad-{code}.ttl")))
    lost, new = Counter(good) - Counter(bad), Counter(bad) - Counter(good)
    assert not [line for line in lost if line.startswith("@prefix")]
    assert not {" ".join(line.split()) for line in lost} & {" ".join(line.split()) for line in new}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_good_example_conforms_to_its_profile(profile: str, found: Found) -> None:
    held = {ID[f"profile/{one}"] for one in PROFILES[: PROFILES.index(profile) + 1]}
    blocking = {"Violation"} | ({"Warning", "Info"} if profile == "final" else set())
    wrong = {
        code
        for code, severity in found[f"ok-{profile}"]
        if severity in blocking and only(code, DCTERMS.isPartOf) in held
    }
    assert not wrong
    assert (SHIPPED_FOLDER / f"shapes/examples/issue-paper/ok-{profile}.ttl") in EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_marked_as_made_up(path: Path) -> None:
    assert re.search(r"^    wgig:illustrative +true", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("code", CODES)
def test_a_rule_says_what_it_is_about(code: str) -> None:
    named = CODE.fullmatch(code)
    assert named
    assert only(code, SH.group) == SHAPE[f"section-{named[1]}"]
    assert only(code, SH.severity) in {SH.Violation, SH.Warning, SH.Info}
    assert only(code, DCTERMS.isPartOf) in {ID[f"profile/{one}"] for one in PROFILES}
    assert set(texts(SHAPE[code], SH.description, RDFS.comment)) == {"en"}
    assert only(code, WGIG.exampleInTurtle)
    assert only(code, WGIG.exampleInMarkdown)
    assert set(texts(SHAPE[code], SH.name, RDFS.label)) == LANGUAGES


@pytest.mark.parametrize("code", CODES)
def test_a_rule_has_one_constraint_and_a_target(code: str) -> None:
    constraints = [term for term in RULES.predicates(SHAPE[code]) if term in shacl(CONSTRAINTS)]
    targets = [term for term in RULES.predicates(SHAPE[code]) if "#target" in str(term)]
    assert len(constraints) == (code not in BEYOND_SHACL)
    assert bool(targets) == (code not in BEYOND_SHACL)


def test_rules_have_an_order_of_their_own() -> None:
    orders = Counter(int(str(only(code, SH.order))) for code in CODES)
    assert not [order for order, times in orders.items() if times > 1]


def test_the_rules_beyond_shacl_are_few() -> None:
    assert {"WGIG-0-FOREIGN", "WGIG-0-NAME-TAKEN", "WGIG-0-TERM-UNKNOWN"} == BEYOND_SHACL


@pytest.mark.parametrize("code", CODES)
def test_a_message_says_the_same_in_six_languages(code: str) -> None:
    messages = texts(SHAPE[code], SH.message)
    assert set(messages) == LANGUAGES
    section = re.search(r"ection (\d[a-f]?)", messages["en"])
    for language, message in messages.items():
        assert re.search(r"[。.]$", message), f"no sentence in {language}"
        assert all(name in message for name in untranslated(messages["zh"])), f"other names in {language}"
        assert section is None or section[1] in message, f"another section in {language}"
    assert untranslated(messages["ar"]) == untranslated(messages["ru"]) == untranslated(messages["zh"])
    assert len(set(messages.values())) == len(LANGUAGES)


def untranslated(message: str) -> list[str]:
    """The names in a message of another script that are not translated."""
    return re.findall(r"[A-Za-z][\w-]*[A-Za-z]", message, re.ASCII)


@pytest.mark.parametrize("code", CODES)
def test_a_message_is_right_for_turtle_and_markdown_alike(code: str) -> None:
    for message in texts(SHAPE[code], SH.message).values():
        assert not re.search(r"[a-z]+:\w|@|\"|\[|<|\(", message, re.ASCII), message


@pytest.mark.parametrize("code", [code for code in CODES if code[5] != "0"])
def test_a_message_names_its_section(code: str) -> None:
    assert f"ection {code[5]}" in texts(SHAPE[code], SH.message)["en"]


@pytest.mark.parametrize("code", CODES)
def test_an_english_message_says_what_is_wrong_and_how_to_mend_it(code: str) -> None:
    assert re.fullmatch(r"[A-Z].{15,}\. [A-Z].{5,}\.", texts(SHAPE[code], SH.message)["en"])


@pytest.mark.parametrize("code", CODES)
def test_the_ready_example_is_turtle(code: str) -> None:
    prefixes = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in namespaces_by_prefix(BASE).items())
    lines = str(only(code, WGIG.exampleInTurtle))
    text = lines if lines.endswith(".") else f"<urn:thing> {lines} ."
    assert list(ox.parse(prefixes + text, format=ox.RdfFormat.TURTLE))


def test_sections_and_profiles_are_titled_in_six_languages() -> None:
    assert set(RULES.subjects(RDF.type, SH.PropertyGroup)) == {SHAPE[f"section-{n}"] for n in range(9)}
    for number in range(9):
        assert set(texts(SHAPE[f"section-{number}"], RDFS.label)) == LANGUAGES
    for profile in PROFILES:
        assert set(texts(ID[f"profile/{profile}"], RDFS.label)) == LANGUAGES
        assert set(texts(ID[f"profile/{profile}"], DCTERMS.title)) == LANGUAGES


def test_each_profile_goes_further_than_the_one_before() -> None:
    above = {one: RULES.value(ID[f"profile/{one}"], PROF.isProfileOf) for one in PROFILES}
    assert above == {
        "draft": ID["document/form/issue-paper"],
        "complete": ID["profile/draft"],
        "final": ID["profile/complete"],
    }


def test_a_paper_is_late_after_the_day_of_the_milestone() -> None:
    milestones = rdflib.Graph().parse(SHIPPED_FOLDER / "data" / "milestones.ttl")
    due = milestones.value(ID["milestone/ms-papers"], WGIG.due)
    members = MulPath(RDF.rest, "*") / RDF.first
    assert isinstance(due, rdflib.Literal)
    assert due.datatype == XSD.date
    assert list(RULES.objects(SHAPE["WGIG-0-LATE"], SH["or"] / members / SH.maxInclusive)) == [due]


def test_no_term_of_shacl_is_misspelt() -> None:
    used = {term for triple in RULES for term in triple if str(term).startswith(SHACL)} - {SHACL}
    assert not used - shacl(CONSTRAINTS) - shacl(OTHERS)
