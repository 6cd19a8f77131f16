"""What a check says of papers: profiles, sections, waivers, several papers in one file, and its limits."""

from collections import Counter
from typing import Any

import pytest
from wgig import check as checking
from wgig.check import check
from wgig.documents import Document, read
from wgig.formats import TRIG, TURTLE
from wgig.placing import Places
from wgig.problems import Problem
from wgig.report import Paper, Report
from wgig.rules import PROFILES, rules
from wgig.settings import SHIPPED

EXAMPLES = SHIPPED / "shapes" / "examples" / "issue-paper"
PREFIXES = """
@prefix agent:     <https://w3id.org/wgig/id/agent/> .
@prefix bibo:      <http://purl.org/ontology/bibo/> .
@prefix dcterms:   <http://purl.org/dc/terms/> .
@prefix foaf:      <http://xmlns.com/foaf/0.1/> .
@prefix group:     <https://w3id.org/wgig/id/stakeholder-group/> .
@prefix issue:     <https://w3id.org/wgig/id/issue/> .
@prefix paper:     <https://w3id.org/wgig/id/paper/> .
@prefix principle: <https://w3id.org/wgig/id/principle/> .
@prefix sh:        <http://www.w3.org/ns/shacl#> .
@prefix shape:     <https://w3id.org/wgig/shapes#> .
@prefix skos:      <http://www.w3.org/2004/02/skos/core#> .
@prefix wgig:      <https://w3id.org/wgig/ontology#> .
"""
SCHEME = "https://w3id.org/wgig/id/scheme/categories-2004"


def document(text: str) -> Document:
    return read("paper.ttl", (PREFIXES + text).encode(), TURTLE)


def checked(text: str, profile: str = "complete") -> Report:
    return check(document(text), profile)


def codes(of: Report | Paper) -> list[str]:
    return [one.rule.code for one in of.findings]


def states(report: Report) -> list[str]:
    """The states of the sections of the first paper."""
    return [section.state for section in report.papers[0].sections]


def example(name: str, *changes: tuple[str, str]) -> Document:
    """A shipped example after changes of its text."""
    text = (EXAMPLES / f"{name}.ttl").read_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return read(f"{name}.ttl", text.encode(), TURTLE)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ttl")), ids=lambda path: path.stem)
def test_a_profile_finds_all_that_those_before_it_find(path: Any) -> None:
    found = [Counter(codes(check(example(path.stem), profile))) for profile in PROFILES]
    assert found[0] <= found[1] <= found[2]
    for profile, code in zip(PROFILES, found, strict=True):
        assert all(rules()[one].holds_in(profile) for one in code)


def test_an_example_conforms_to_its_profile_and_those_before_it() -> None:
    conforms = {
        name: [check(example(f"ok-{name}"), profile).conforms for profile in PROFILES] for name in PROFILES
    }
    assert conforms == {
        "draft": [True, False, False],
        "complete": [True, True, False],
        "final": [True, True, True],
    }


def test_a_paper_of_a_title_alone_is_a_draft_and_no_section_is_checked() -> None:
    report = checked('paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en .', "draft")
    assert report.conforms
    assert states(report) == ["not checked"] * 9
    assert (report.papers[0].met, report.papers[0].title) == (1, "Spam")


def test_a_section_is_done_missing_faulty_or_not_checked() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en ; wgig:drafter agent:afonso ;
             wgig:issue issue:spam ; wgig:issueDescription "Much mail."@en ;
             wgig:category <http://example.org/none> ; wgig:swot paper:x\\/swot .
           paper:x\\/swot a wgig:Swot ; wgig:strength "Strong."@en ."""
    )
    assert states(report) == ["done", "done", "faulty", *["missing"] * 5, "not checked"]


def test_comments_are_done_when_there_are_some_and_faulty_when_they_are_blank() -> None:
    commented = "paper:x a wgig:IssuePaper ; wgig:additionalComments {} ."
    assert states(checked(commented.format('"Yes."@en'), "draft"))[8] == "done"
    assert states(checked(commented.format('"\\t"@en'), "draft"))[8] == "faulty"


def test_completeness_counts_what_the_template_asks_for_within_parts_too() -> None:
    required = [rule for rule in rules().values() if rule.required]
    nothing, whole = checked("paper:x a wgig:IssuePaper .").papers[0], check(example("ok-final")).papers[0]
    assert (nothing.met, nothing.parts) == (0, len(required))
    assert (whole.met, whole.parts) == (len(required), len(required))
    without = check(example("bad-WGIG-6A-MISSING")).papers[0]
    assert without.met == len(required) - 1


LATE = ("2005-01-20", "2005-02-20")


def waiving(codes: str, reason: str) -> tuple[str, str]:
    """A change that adds a waiver to an example."""
    rules = ", ".join(f"<https://w3id.org/wgig/shapes#{code}>" for code in codes.split())
    waiver = f"[ a wgig:Waiver ; wgig:waives {rules} ; wgig:reason {reason} ]"
    return "wgig:issue ", f"wgig:waiver {waiver} ; wgig:issue "


def test_what_is_waived_with_a_reason_is_shown_and_does_not_count() -> None:
    report = check(
        example("ok-final", LATE, waiving("WGIG-0-LATE", '"The secretariat was closed. "@en')), "final"
    )
    assert [(one.rule.code, one.waiver) for one in report.findings] == [
        ("WGIG-0-LATE", "The secretariat was closed.")
    ]
    assert report.conforms
    assert not check(example("ok-final", LATE), "final").conforms


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    report = check(example("ok-final", LATE, waiving("WGIG-0-LATE", '" "@en')), "final")
    assert not report.conforms
    assert [one.waiver for one in report.findings if one.rule.code == "WGIG-0-LATE"] == [""]


def test_a_waiver_of_an_unknown_rule_is_a_finding() -> None:
    assert "WGIG-0-WAIVER-UNKNOWN" in codes(check(example("ok-final", waiving("WGIG-9-NONE", '"So."@en'))))


def test_a_rule_about_waivers_cannot_be_waived() -> None:
    waived = waiving("WGIG-0-WAIVER-UNKNOWN WGIG-9-NONE", '"So."@en')
    report = check(example("ok-final", waived))
    assert [(one.rule.code, one.waiver) for one in report.findings] == [("WGIG-0-WAIVER-UNKNOWN", "")]
    assert not report.conforms


def test_who_may_leave_out_a_part_need_not_describe_it() -> None:
    changes = waiving("WGIG-5-FORUM-MISSING", '"There is none."@en')
    report = check(example("bad-WGIG-5-FORUM-MISSING", changes))
    assert (report.conforms, states(report)[5]) == (True, "done")
    assert report.papers[0].met == report.papers[0].parts


def test_papers_in_one_file_have_their_own_findings() -> None:
    report = checked(
        """paper:one a wgig:IssuePaper ; bibo:numPages "four" ; wgig:swot paper:one\\/swot .
           paper:two a wgig:IssuePaper ; wgig:swot paper:two\\/swot ; dcterms:relation paper:one .
           paper:one\\/swot a wgig:Swot . paper:two\\/swot a wgig:Swot ; wgig:strength 1 , <x:> .""",
        "draft",
    )
    assert [(paper.iri[-3:], codes(paper), paper.conforms) for paper in report.papers] == [
        ("one", ["WGIG-0-PAGES-VALUE"], False),
        ("two", ["WGIG-3-TEXT"], False),
    ]


def test_what_is_wrong_with_an_actor_is_wrong_in_each_paper_that_names_it() -> None:
    report = checked(
        """paper:one a wgig:IssuePaper ; wgig:mainActor agent:x .
           paper:two a wgig:IssuePaper ; wgig:mainActor agent:x .
           agent:x foaf:name "X" ; wgig:stakeholderGroup <x:> .""",
        "draft",
    )
    assert [codes(paper) for paper in report.papers] == [["WGIG-4-GROUP-UNKNOWN"]] * 2


def test_what_hangs_on_no_paper_is_found_in_the_first() -> None:
    text = "paper:one a wgig:IssuePaper . paper:two a wgig:IssuePaper . <x:> wgig:strenght 1 ."
    assert [codes(paper) for paper in checked(text, "draft").papers] == [["WGIG-0-TERM-UNKNOWN"], []]


def test_a_file_without_a_paper_is_an_error_of_its_own() -> None:
    with pytest.raises(Problem, match="No paper found in this file") as caught:
        checked("issue:spam a wgig:Issue .")
    assert (caught.value.status, caught.value.slug) == (422, "no-paper")


def test_a_profile_that_there_is_none_of_is_refused_with_those_there_are() -> None:
    with pytest.raises(Problem, match="draft, complete, final"):
        checked("paper:x a wgig:IssuePaper .", "perfect")


def test_a_misspelt_term_is_found_with_the_one_that_was_probably_meant() -> None:
    report = checked("paper:x a wgig:IssuePaper ; wgig:strenght 1 ; wgig:qqq wgig:Fourm .", "draft")
    found = {str(one.value).rpartition("#")[2]: one.suggestion for one in report.findings}
    assert found == {"strenght>": "wgig:strength", "qqq>": "", "Fourm>": "wgig:Forum"}


def test_a_paper_may_describe_its_parts_and_actors_but_no_other_thing() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper . paper:x\\/swot a wgig:Swot . agent:wgig foaf:name "WGIG" .
           paper:xy\\/swot a wgig:Swot . issue:spam dcterms:title "Spam"@en . <x:> foaf:name "X" .""",
        "draft",
    )
    assert {str(one.value) for one in report.findings} == {
        "<https://w3id.org/wgig/id/paper/xy/swot>",
        "<https://w3id.org/wgig/id/issue/spam>",
    }


def test_more_findings_than_can_be_shown_are_counted() -> None:
    titles = ", ".join(f'"{number}"' for number in range(1500))
    other = "paper:y a wgig:IssuePaper ; bibo:numPages 4.0 ."
    first, second = checked(f"paper:x a wgig:IssuePaper ; dcterms:title {titles} . {other}", "draft").papers
    assert (len(first.findings), first.left_out) == (checking.LIMIT, 500)
    assert (len(second.findings), second.left_out, second.conforms) == (0, 1, False)


class Counted(Places):
    """Places that count how many triples are looked at."""

    looked = 0

    def named(self, node: Any) -> set[Any]:
        Counted.looked += len(self.of.get(node, ()))
        return super().named(node)


def test_papers_that_share_all_that_they_name_are_not_walked_through_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    papers = "".join(f"paper:x{n} a wgig:IssuePaper ; dcterms:relation agent:n0 .\n" for n in range(100))
    chain = "".join(f"agent:n{n} dcterms:relation agent:n{n + 1} .\n" for n in range(100))
    shared = document(papers + chain)
    monkeypatch.setattr(checking, "Places", Counted)
    check(shared, "draft")
    assert Counted.looked == len(shared.triples)


def test_the_graphs_of_a_dataset_are_one_paper() -> None:
    graphs = "<a:> { paper:x a wgig:IssuePaper } <b:> { paper:x a wgig:IssuePaper ; bibo:numPages 4.5 }"
    report = check(read("paper.trig", (PREFIXES + graphs).encode(), TRIG), "draft")
    assert [codes(paper) for paper in report.papers] == [["WGIG-0-PAGES-VALUE"]]


@pytest.mark.parametrize("engine", ["shifty", "pyshacl"])
def test_shapes_in_a_file_neither_add_to_the_rules_nor_take_from_them(engine: str) -> None:
    paper = f'paper:x a wgig:IssuePaper ; dcterms:title "{"a" * 40}!" .'
    own = """shape:WGIG-0-TITLE-LANGUAGE sh:deactivated true ; sh:severity sh:Info .
             shape:OWN a sh:NodeShape ; sh:targetClass wgig:IssuePaper ;
               sh:property [ sh:path dcterms:title ; sh:pattern "(a+)+$" ] ,
                           [ sh:path wgig:drafter ; sh:minCount 7 ] .
             shape:WGIG-0-PAGES-TWICE sh:minCount 9 ; sh:targetNode paper:x ."""
    alone, beside = (check(document(text), "draft", engine) for text in (paper, paper + own))
    assert codes(alone) == codes(beside) == ["WGIG-0-TITLE-LANGUAGE"]
    assert not beside.conforms


def test_a_thousand_made_up_categories_of_a_made_up_issue_are_not_all_told() -> None:
    names = [f"<http://example.org/{number}>" for number in range(1000)]
    made_up = "".join(f"{name} skos:inScheme <{SCHEME}> .\n" for name in names)
    paper = f"paper:x a wgig:IssuePaper ; wgig:issue issue:spam ; wgig:category {', '.join(names)} .\n"
    found = Counter(codes(checked(paper + made_up)))
    assert found["WGIG-2-CATEGORY-INVENTORY"] == 10
    assert found["WGIG-2-CATEGORY-UNKNOWN"] == 0


def test_a_reason_is_told_with_each_finding_so_it_is_told_in_short() -> None:
    reason = waiving("WGIG-0-TITLE-LANGUAGE", f'"{"So. " * 1000}"@en')
    titles = ('"Spam (an example)"@en', '"Spam" , "Mail" , "Spam (an example)"@en')
    found = check(example("ok-final", reason, titles)).findings
    assert [(one.rule.code, len(one.waiver)) for one in found] == [("WGIG-0-TITLE-LANGUAGE", 999)] * 2
