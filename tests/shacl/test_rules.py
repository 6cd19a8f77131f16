"""The rules are read from the shapes, and their examples break no rule."""

import re

import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf import namespaces, shipped
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.namespaces import WGIG_NAMESPACE
from wgig.rdf.vocabulary import ObjectsBySubject
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import rules
from wgig.shacl.check import check_document
from wgig.shacl.rules import (
    CHECK_PROFILES,
    MESSAGE_LANGUAGES,
    NON_SHACL_COMPONENT,
    TEMPLATE_SECTIONS,
    section_headings,
)
from wgig_client.literals import term_text
from wgig_client.namespaces import BASE_IRI

DCTERMS, ORG = "http://purl.org/dc/terms/", "http://www.w3.org/ns/org#"
ALL_RULES = list(rules.rules_by_code().values())


def test_a_rule_has_the_statements_of_its_shape() -> None:
    rule = rules.rules_by_code()["WGIG-0-TITLE-TWICE"]
    assert rule.iri == "https://w3id.org/wgig/shapes#WGIG-0-TITLE-TWICE"
    assert (rule.profile, rule.severity, rule.section, rule.part) == ("draft", "Violation", 0, "0")
    assert (rule.component, rule.reports_value, rule.required) == ("UniqueLang", False, False)
    assert (rule.path, rule.predicates, rule.steps) == (f"<{DCTERMS}title>", (f"{DCTERMS}title",), ())
    assert rule.message_in("en").startswith("The paper has two titles")
    assert "dcterms:title" in rule.in_turtle
    assert rule.in_markdown.startswith("title:")


def test_rules_are_in_template_order() -> None:
    order = [(rule.section, rule.order) for rule in ALL_RULES]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_each_rule_has_a_message_in_six_languages_and_falls_back_to_english() -> None:
    for rule in ALL_RULES:
        assert rule.message.keys() == rule.name.keys() == set(MESSAGE_LANGUAGES)
        assert rule.message_in("de") == rule.message["en"]


def test_a_profile_includes_the_rules_of_earlier_profiles() -> None:
    codes_by_profile = {
        profile: {rule.code for rule in ALL_RULES if rule.is_in_profile(profile)}
        for profile in CHECK_PROFILES
    }
    assert codes_by_profile["draft"] < codes_by_profile["complete"] < codes_by_profile["final"]
    assert len(codes_by_profile["final"]) == len(ALL_RULES)


def test_a_path_has_sparql_syntax() -> None:
    assert rules.rules_by_code()["WGIG-0-DRAFTER-GROUPS"].predicates[0] == f"{WGIG_NAMESPACE}drafter"
    assert rules.rules_by_code()["WGIG-7A-TWICE"].path == f"^<{WGIG_NAMESPACE}judges>"
    assert rules.rules_by_code()["WGIG-4-NAME-MISSING"].path.count("|") == 1


def test_inverse_alternative_and_sequence_paths_are_formatted() -> None:
    text = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <x:> .
        :shape sh:path ( [ sh:inversePath :a ] [ sh:alternativePath ( :b :c ) ] ) ."""
    statements: ObjectsBySubject = {}
    for quad in ox.parse(text, ox.RdfFormat.TURTLE):
        statements.setdefault(quad.subject, {}).setdefault(quad.predicate.value, []).append(quad.object)
    shape = statements[ox.NamedNode("x:shape")]
    assert (
        rules.format_property_path(shape[f"{namespaces.SH_NAMESPACE}path"][0], statements)
        == "^<x:a>/(<x:b>|<x:c>)"
    )


@pytest.mark.parametrize(
    ("code", "steps"),
    [("WGIG-3-BLANK", ["swot"]), ("WGIG-4-NAME-MISSING", ["mainActor", "otherActor"]), ("WGIG-1-TEXT", [])],
)
def test_steps_lead_from_the_paper_to_the_focus_node(code: str, steps: list[str]) -> None:
    assert sorted(rules.rules_by_code()[code].steps) == [WGIG_NAMESPACE + step for step in steps]


def test_a_rule_that_counts_assessments_has_their_criterion() -> None:
    assert rules.rules_by_code()["WGIG-7B-TWICE"].counted_criterion.endswith("principle/transparency")
    assert rules.rules_by_code()["WGIG-7-VERDICT-TWICE"].counted_criterion == ""


def test_only_four_rules_are_not_expressed_in_shacl() -> None:
    assert {rule.code for rule in ALL_RULES if rule.component == NON_SHACL_COMPONENT} == {
        "WGIG-0-TERM-UNKNOWN",
        "WGIG-0-FOREIGN",
        "WGIG-0-NAME-TAKEN",
        "WGIG-7-JUDGED-TWICE",
    }


def test_each_section_has_a_title_in_all_six_languages() -> None:
    assert list(section_headings()) == list(TEMPLATE_SECTIONS)
    assert all(heading.title.keys() == set(MESSAGE_LANGUAGES) for heading in section_headings().values())
    assert section_headings()[3].title_in("de") == "SWOT analysis"


def test_rule_predicates_include_properties_inside_constraints() -> None:
    assert {
        f"{ORG}member",
        f"{WGIG_NAMESPACE}partOf",
        f"{WGIG_NAMESPACE}criterion",
        f"{WGIG_NAMESPACE}judges",
    } <= rules.rule_predicates()


def test_no_rule_has_a_path_of_unlimited_length() -> None:
    unlimited_paths = {f"{namespaces.SH_NAMESPACE}{count}OrMorePath" for count in ("zero", "one")}
    assert unlimited_paths.isdisjoint(triple.predicate.value for triple in rules.read_shape_triples())


# With its known name, the paper could not have another title, which some examples give it.
GOOD_PAPER = (
    (SHIPPED_FOLDER / "data/examples/spam-filters.md").read_text().replace("paper: example-", "paper: my-")
)
# A placeholder in the examples, and the mechanism of the good paper that replaces it.
PLACEHOLDER_AND_NAME = ("Name of a mechanism of section 6", "Code of practice of the providers")
KEY_PATTERN = re.compile(r"[A-Za-z]+:")


def paste_example(example: str) -> str:
    """The good paper with an example in place of the same key, heading, line or text."""
    example = re.sub(r"<!--.*-->\n", "", example.replace(*PLACEHOLDER_AND_NAME))
    first_line = example.partition("\n")[0]
    if first_line.startswith("#"):
        return paste_below_heading(first_line, example)
    if KEY_PATTERN.match(first_line) and f"\n{KEY_PATTERN.match(first_line)[0]}" in GOOD_PAPER:  # type: ignore[index]
        same_key_pattern = re.compile(rf"^{first_line.partition(':')[0]}:.*\n(?: .*\n)*", re.MULTILINE)
        return same_key_pattern.sub(lambda _: f"{example}\n", GOOD_PAPER, count=1)
    if first_line.startswith("- "):
        return re.sub(r"(?<=### Main actor\n\n)- .*", example, GOOD_PAPER)
    return GOOD_PAPER.replace("Those who are listed have no say in the rules.", example)


def paste_below_heading(heading: str, example: str) -> str:
    """The good paper with an example in place of the text below its heading, or at the end of its section."""
    if heading.startswith(("## 5", "## 6")):
        # The forums and mechanisms of the good paper remain, as other sections refer to them.
        return GOOD_PAPER.replace(f"{heading}\n", f"{example}\n")
    level = heading.index(" ")
    section_end = rf"(?=^#{{1,{level}}} |\Z)"
    section_pattern = re.compile(rf"^{re.escape(heading)}$.*?{section_end}", re.MULTILINE | re.DOTALL)
    if section_pattern.search(GOOD_PAPER):
        return section_pattern.sub(lambda _: f"{example}\n\n", GOOD_PAPER, count=1)
    section = 5 if "participates" in example else 6  # a forum or a mechanism
    return GOOD_PAPER.replace(f"\n## {section + 1}.", f"\n{example}\n\n## {section + 1}.")


def find_broken_codes(text: str) -> set[str]:
    return {
        finding.rule.code
        for finding in check_document(
            read_paper_document("paper.md", text.encode(), MARKDOWN), "final"
        ).findings
    }


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_markdown_example_of_a_rule_breaks_no_rule(rule: rules.Rule) -> None:
    text = paste_example(rule.in_markdown)
    # The example is pasted up to its last words.
    assert " ".join(rule.in_markdown.replace(*PLACEHOLDER_AND_NAME).split()[-3:]) in " ".join(text.split())
    assert find_broken_codes(text) <= find_broken_codes(GOOD_PAPER)


ASSESSMENT_RULES = [rule for rule in ALL_RULES if "wgig:Assessment ;" in rule.in_turtle]


@pytest.mark.parametrize("rule", ASSESSMENT_RULES, ids=lambda rule: rule.code)
def test_an_assessment_example_cites_a_paragraph_that_names_its_criterion(rule: rules.Rule) -> None:
    assert rule.in_turtle.startswith("wgig:assessment [")
    assert "wgig:judges" in rule.in_turtle
    citation = re.search(r"declaration:(\S+)", rule.in_turtle)
    assert citation
    assert f"Cites: declaration/{citation[1]}\n" in rule.in_markdown
    paragraph = ox.NamedNode(f"{BASE_IRI}id/document/declaration/{citation[1]}")
    named_principles = {
        term_text(triple.object)
        for triple in shipped.shipped_facts()
        if triple.subject == paragraph and triple.predicate.value == f"{WGIG_NAMESPACE}namesPrinciple"
    }
    # Principles such as "involvement-governments" are parts of a criterion.
    assert any(
        principle == rule.counted_criterion or principle.startswith(f"{rule.counted_criterion}-")
        for principle in named_principles
    )


def test_each_criterion_has_an_example_with_its_own_rationale() -> None:
    rationales = {
        rule.counted_criterion: re.findall(r'rationale "(.*)"', rule.in_turtle)[0]
        for rule in ASSESSMENT_RULES
    }
    assert len(set(rationales.values())) == len(rationales) == 6  # criteria a to f
