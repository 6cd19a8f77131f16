"""The rules are read from the shapes as they stand there."""

import re

import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf import namespaces, shipped
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.literals import term_text
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

DCTERMS, ORG = "http://purl.org/dc/terms/", "http://www.w3.org/ns/org#"
RULES = list(rules.rules_by_code().values())


def test_a_rule_says_what_its_shape_says() -> None:
    rule = rules.rules_by_code()["WGIG-0-TITLE-TWICE"]
    assert rule.iri == "https://w3id.org/wgig/shapes#WGIG-0-TITLE-TWICE"
    assert (rule.profile, rule.severity, rule.section, rule.part) == ("draft", "Violation", 0, "0")
    assert (rule.component, rule.reports_value, rule.required) == ("UniqueLang", False, False)
    assert (rule.path, rule.predicates, rule.steps) == (f"<{DCTERMS}title>", (f"{DCTERMS}title",), ())
    assert rule.message_in("en").startswith("The paper has two titles")
    assert "dcterms:title" in rule.in_turtle
    assert rule.in_markdown.startswith("title:")


def test_rules_stand_in_the_order_of_the_template() -> None:
    order = [(rule.section, rule.order) for rule in RULES]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_each_rule_speaks_all_six_languages_and_english_to_whoever_asks_for_another() -> None:
    for rule in RULES:
        assert rule.message.keys() == rule.name.keys() == set(MESSAGE_LANGUAGES)
        assert rule.message_in("de") == rule.message["en"]


def test_each_rule_is_part_of_a_profile_and_of_those_that_follow() -> None:
    held = {
        profile: {rule.code for rule in RULES if rule.is_in_profile(profile)} for profile in CHECK_PROFILES
    }
    assert held["draft"] < held["complete"] < held["final"]
    assert len(held["final"]) == len(RULES)


def test_a_path_is_written_as_in_sparql() -> None:
    assert rules.rules_by_code()["WGIG-0-DRAFTER-GROUPS"].predicates[0] == f"{WGIG_NAMESPACE}drafter"
    assert rules.rules_by_code()["WGIG-7A-TWICE"].path == f"^<{WGIG_NAMESPACE}judges>"
    assert rules.rules_by_code()["WGIG-4-NAME-MISSING"].path.count("|") == 1


def test_every_kind_of_path_can_be_written() -> None:
    text = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <x:> .
        :shape sh:path ( [ sh:inversePath :a ] [ sh:alternativePath ( :b :c ) ] ) ."""
    said: ObjectsBySubject = {}
    for quad in ox.parse(text, ox.RdfFormat.TURTLE):
        said.setdefault(quad.subject, {}).setdefault(quad.predicate.value, []).append(quad.object)
    shape = said[ox.NamedNode("x:shape")]
    assert (
        rules.format_property_path(shape[f"{namespaces.SH_NAMESPACE}path"][0], said) == "^<x:a>/(<x:b>|<x:c>)"
    )


@pytest.mark.parametrize(
    ("code", "steps"),
    [("WGIG-3-BLANK", ["swot"]), ("WGIG-4-NAME-MISSING", ["mainActor", "otherActor"]), ("WGIG-1-TEXT", [])],
)
def test_steps_lead_from_the_paper_to_the_focus_node(code: str, steps: list[str]) -> None:
    assert sorted(rules.rules_by_code()[code].steps) == [WGIG_NAMESPACE + step for step in steps]


def test_a_rule_that_counts_assessments_knows_their_criterion() -> None:
    assert rules.rules_by_code()["WGIG-7B-TWICE"].counted_criterion.endswith("principle/transparency")
    assert rules.rules_by_code()["WGIG-7-VERDICT-TWICE"].counted_criterion == ""


def test_three_rules_alone_are_beyond_shacl() -> None:
    assert {rule.code for rule in RULES if rule.component == NON_SHACL_COMPONENT} == {
        "WGIG-0-TERM-UNKNOWN",
        "WGIG-0-FOREIGN",
        "WGIG-0-NAME-TAKEN",
    }


def test_each_section_has_a_title_in_all_six_languages() -> None:
    assert list(section_headings()) == list(TEMPLATE_SECTIONS)
    assert all(heading.title.keys() == set(MESSAGE_LANGUAGES) for heading in section_headings().values())
    assert section_headings()[3].title_in("de") == "SWOT analysis"


def test_properties_inside_of_constraints_are_looked_along_too() -> None:
    assert {
        f"{ORG}member",
        f"{WGIG_NAMESPACE}partOf",
        f"{WGIG_NAMESPACE}criterion",
        f"{WGIG_NAMESPACE}judges",
    } <= rules.rule_predicates()


def test_no_rule_follows_a_path_of_any_length_as_a_file_could_make_it_long() -> None:
    endless = {f"{namespaces.SH_NAMESPACE}{kind}OrMorePath" for kind in ("zero", "one")}
    assert endless.isdisjoint(one.predicate.value for one in rules.read_shape_triples())


GOOD = (SHIPPED_FOLDER / "data/examples/spam-filters.md").read_text().replace("paper: example-", "paper: my-")
OWN = ("Name of a mechanism of section 6", "Code of practice of the providers")  # what only its author knows
KEY = re.compile(r"[A-Za-z]+:")


def pasted(example: str) -> str:
    """The good paper with an example at its place: instead of the same key, heading, line or text."""
    example = re.sub(r"<!--.*-->\n", "", example.replace(*OWN))
    first = example.partition("\n")[0]
    if first.startswith("#"):
        return under_its_heading(first, example)
    if KEY.match(first) and f"\n{KEY.match(first)[0]}" in GOOD:  # type: ignore[index]
        same = re.compile(rf"^{first.partition(':')[0]}:.*\n(?: .*\n)*", re.MULTILINE)
        return same.sub(lambda _: f"{example}\n", GOOD, count=1)
    if first.startswith("- "):
        return re.sub(r"(?<=### Main actor\n\n)- .*", example, GOOD)
    return GOOD.replace("Those who are listed have no say in the rules.", example)


def under_its_heading(heading: str, example: str) -> str:
    """The good paper with an example instead of what stands under its heading, or in the section for it."""
    if heading.startswith(
        ("## 5", "## 6")
    ):  # beside the forums and mechanisms that are named in other places
        return GOOD.replace(f"{heading}\n", f"{example}\n")
    level = heading.index(" ")
    end = rf"(?=^#{{1,{level}}} |\Z)"
    same = re.compile(rf"^{re.escape(heading)}$.*?{end}", re.MULTILINE | re.DOTALL)
    if same.search(GOOD):
        return same.sub(lambda _: f"{example}\n\n", GOOD, count=1)
    section = 5 if "participates" in example else 6
    return GOOD.replace(f"\n## {section + 1}.", f"\n{example}\n\n## {section + 1}.")


def broken(text: str) -> set[str]:
    return {
        one.rule.code
        for one in check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final").findings
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_ready_example_in_markdown_breaks_no_rule_at_its_place(rule: rules.Rule) -> None:
    text = pasted(rule.in_markdown)
    assert " ".join(rule.in_markdown.replace(*OWN).split()[-3:]) in " ".join(text.split())
    assert broken(text) <= broken(GOOD)


ASSESSED = [rule for rule in RULES if "wgig:Assessment ;" in rule.in_turtle]


@pytest.mark.parametrize("rule", ASSESSED, ids=lambda rule: rule.code)
def test_an_example_of_an_assessment_is_whole_and_cites_what_names_its_criterion(rule: rules.Rule) -> None:
    assert rule.in_turtle.startswith("wgig:assessment [")
    assert "wgig:judges" in rule.in_turtle
    cited = re.search(r"declaration:(\S+)", rule.in_turtle)
    assert cited
    assert f"Cites: declaration/{cited[1]}\n" in rule.in_markdown
    paragraph = ox.NamedNode(f"{namespaces.BASE_IRI}id/document/declaration/{cited[1]}")
    named = {
        term_text(one.object)
        for one in shipped.shipped_facts()
        if one.subject == paragraph and one.predicate.value == f"{WGIG_NAMESPACE}namesPrinciple"
    }
    assert any(one == rule.counted_criterion or one.startswith(f"{rule.counted_criterion}-") for one in named)


def test_each_criterion_has_an_example_with_a_reason_of_its_own() -> None:
    reasons = {
        rule.counted_criterion: re.findall(r'rationale "(.*)"', rule.in_turtle)[0] for rule in ASSESSED
    }
    assert len(set(reasons.values())) == len(reasons) == 6
