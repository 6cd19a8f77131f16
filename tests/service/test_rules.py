"""The rules are read from the shapes as they stand there."""

import pyoxigraph as ox
import pytest
from wgig import rules
from wgig.rules import BEYOND_SHACL, LANGUAGES, PROFILES, SECTIONS, WGIG, headings

DCTERMS, ORG = "http://purl.org/dc/terms/", "http://www.w3.org/ns/org#"
RULES = list(rules.rules().values())


def test_a_rule_says_what_its_shape_says() -> None:
    rule = rules.rules()["WGIG-0-TITLE-TWICE"]
    assert rule.iri == "https://w3id.org/wgig/shapes#WGIG-0-TITLE-TWICE"
    assert (rule.profile, rule.severity, rule.section, rule.part) == ("draft", "Violation", 0, "0")
    assert (rule.component, rule.has_value, rule.required) == ("UniqueLang", False, False)
    assert (rule.path, rule.predicates, rule.steps) == (f"<{DCTERMS}title>", (f"{DCTERMS}title",), ())
    assert rule.says("en").startswith("The paper has two titles")
    assert "dcterms:title" in rule.in_turtle
    assert rule.in_markdown.startswith("title:")


def test_rules_stand_in_the_order_of_the_template() -> None:
    order = [(rule.section, rule.order) for rule in RULES]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_each_rule_speaks_all_six_languages_and_english_to_whoever_asks_for_another() -> None:
    for rule in RULES:
        assert rule.message.keys() == rule.name.keys() == set(LANGUAGES)
        assert rule.says("de") == rule.message["en"]


def test_each_rule_is_part_of_a_profile_and_of_those_that_follow() -> None:
    held = {profile: {rule.code for rule in RULES if rule.holds_in(profile)} for profile in PROFILES}
    assert held["draft"] < held["complete"] < held["final"]
    assert len(held["final"]) == len(RULES)


def test_a_path_is_written_as_in_sparql() -> None:
    assert rules.rules()["WGIG-0-DRAFTER-GROUPS"].predicates[0] == f"{WGIG}drafter"
    assert rules.rules()["WGIG-7A-TWICE"].path == f"^<{WGIG}judges>"
    assert rules.rules()["WGIG-4-NAME-MISSING"].path.count("|") == 1


def test_every_kind_of_path_can_be_written() -> None:
    text = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <x:> .
        :shape sh:path ( [ sh:inversePath :a ] [ sh:alternativePath ( :b :c ) ] ) ."""
    said: rules.Subjects = {}
    for quad in ox.parse(text, ox.RdfFormat.TURTLE):
        said.setdefault(quad.subject, {}).setdefault(quad.predicate.value, []).append(quad.object)
    shape = said[ox.NamedNode("x:shape")]
    assert rules.path_text(shape[f"{rules.SH}path"][0], said) == "^<x:a>/(<x:b>|<x:c>)"


@pytest.mark.parametrize(
    ("code", "steps"),
    [("WGIG-3-BLANK", ["swot"]), ("WGIG-4-NAME-MISSING", ["mainActor", "otherActor"]), ("WGIG-1-TEXT", [])],
)
def test_steps_lead_from_the_paper_to_the_focus_node(code: str, steps: list[str]) -> None:
    assert sorted(rules.rules()[code].steps) == [WGIG + step for step in steps]


def test_a_rule_that_counts_assessments_knows_their_criterion() -> None:
    assert rules.rules()["WGIG-7B-TWICE"].counted.endswith("principle/transparency")
    assert rules.rules()["WGIG-7-VERDICT-TWICE"].counted == ""


def test_two_rules_alone_are_beyond_shacl() -> None:
    assert {rule.code for rule in RULES if rule.component == BEYOND_SHACL} == {
        "WGIG-0-TERM-UNKNOWN",
        "WGIG-0-FOREIGN",
    }


def test_each_section_has_a_title_in_all_six_languages() -> None:
    assert list(headings()) == list(SECTIONS)
    assert all(heading.title.keys() == set(LANGUAGES) for heading in headings().values())
    assert headings()[3].says("de") == "SWOT analysis"


def test_properties_inside_of_constraints_are_looked_along_too() -> None:
    assert {f"{ORG}member", f"{WGIG}partOf", f"{WGIG}criterion", f"{WGIG}judges"} <= rules.predicates()


def test_no_rule_follows_a_path_of_any_length_as_a_file_could_make_it_long() -> None:
    endless = {f"{rules.SH}{kind}OrMorePath" for kind in ("zero", "one")}
    assert endless.isdisjoint(one.predicate.value for one in rules.graph())
